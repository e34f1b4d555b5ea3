/// One value inside an encoded ``Payload``, read in place.
///
/// Every step is checked against the end of the buffer: damaged bytes read as `null`, they cannot trap. The bytes must
/// outlive the view.
@frozen
public struct PayloadView {
    /// The kinds of value.
    @frozen
    public enum Kind: UInt8, Sendable {
        case null = 0
        case `false` = 1
        case `true` = 2
        case integer = 3
        case unsigned = 4
        case double = 5
        case string = 6
        case array = 7
        case object = 8
    }

    @usableFromInline let start: UnsafePointer<UInt8>?
    @usableFromInline let end: UnsafePointer<UInt8>?

    /// A view of the value at the beginning of `bytes`; the empty object if there are none.
    @inlinable
    public init(_ bytes: UnsafeRawBufferPointer) {
        guard let base = bytes.baseAddress, bytes.count > 0 else {
            start = nil
            end = nil
            return
        }
        let typed = base.assumingMemoryBound(to: UInt8.self)
        start = typed
        end = typed + bytes.count
    }

    @inlinable
    init(start: UnsafePointer<UInt8>, end: UnsafePointer<UInt8>) {
        self.start = start
        self.end = end
    }

    /// What the value is.
    @inlinable
    public var kind: Kind {
        guard let start else { return .object }
        return Kind(rawValue: start.pointee) ?? .null
    }

    @inlinable
    static func varint(_ at: inout UnsafePointer<UInt8>, _ end: UnsafePointer<UInt8>) -> UInt64? {
        var value: UInt64 = 0
        var shift: UInt64 = 0
        while at < end, shift < 64 {
            let byte = at.pointee
            at += 1
            value |= UInt64(byte & 0x7F) << shift
            if byte < 0x80 { return value }
            shift &+= 7
        }
        return nil
    }

    @inlinable
    static func word<T: FixedWidthInteger>(_ at: UnsafePointer<UInt8>, as: T.Type) -> T {
        T(littleEndian: UnsafeRawPointer(at).loadUnaligned(as: T.self))
    }

    /// Where the value ends; `nil` if it does not end inside the buffer.
    @inlinable
    var next: UnsafePointer<UInt8>? {
        guard let start, let end, start < end else { return nil }
        var at = start + 1
        let size: UInt64
        switch kind {
        case .null, .false, .true: size = 0
        case .integer: return Self.varint(&at, end) == nil ? nil : at
        case .unsigned, .double: size = 8
        case .string:
            guard let length = Self.varint(&at, end) else { return nil }
            size = length
        case .array, .object:
            guard end - at >= 4 else { return nil }
            size = UInt64(Self.word(at, as: UInt32.self))
            at += 4
        }
        guard size <= UInt64(end - at) else { return nil }
        return at + Int(size)
    }

    /// The bytes of the value, tag included.
    public var encoded: UnsafeRawBufferPointer {
        guard let start, let next else { return UnsafeRawBufferPointer(start: nil, count: 0) }
        return UnsafeRawBufferPointer(start: start, count: next - start)
    }

    /// The value as an integer, if it is one that fits.
    @inlinable
    public var integer: Int64? {
        guard kind == .integer, let start, let end else { return nil }
        var at = start + 1
        guard let raw = Self.varint(&at, end) else { return nil }
        return Int64(bitPattern: raw >> 1) ^ -Int64(bitPattern: raw & 1)
    }

    /// The value as an unsigned integer, if it is one above `Int64.max`.
    @inlinable
    public var unsigned: UInt64? {
        guard kind == .unsigned, let start, let end, end - start >= 9 else { return nil }
        return Self.word(start + 1, as: UInt64.self)
    }

    /// The value as a double, if it is stored as one.
    @inlinable
    public var double: Double? {
        guard kind == .double, let start, let end, end - start >= 9 else { return nil }
        return Double(bitPattern: Self.word(start + 1, as: UInt64.self))
    }

    /// Any number, as a double.
    @inlinable
    public var number: Double? {
        switch kind {
        // Not `map(Double.init)`: for an unsigned integer that is `init(bitPattern:)`.
        case .integer: integer.map { Double($0) }
        case .unsigned: unsigned.map { Double($0) }
        case .double: double
        default: nil
        }
    }

    /// The value as a bool, if it is one.
    @inlinable
    public var bool: Bool? {
        switch kind {
        case .true: true
        case .false: false
        default: nil
        }
    }

    /// The UTF-8 of a string, if it is one.
    @inlinable
    public var utf8: UnsafeRawBufferPointer? {
        guard kind == .string, let start, let end else { return nil }
        var at = start + 1
        guard let length = Self.varint(&at, end), length <= UInt64(end - at) else { return nil }
        return UnsafeRawBufferPointer(start: at, count: Int(length))
    }

    /// The text of a string, if it is one.
    public var string: String? { utf8.map { String(decoding: $0, as: UTF8.self) } }

    /// How many elements or members an array or object has; 0 for anything else.
    @inlinable
    public var count: Int {
        guard let start, let end, kind == .array || kind == .object, end - start >= 9 else { return 0 }
        return Int(Self.word(start + 5, as: UInt32.self))
    }

    /// The elements of an array; nothing for anything else.
    @inlinable
    public var elements: Elements {
        guard kind == .array, let start, let next, next - start >= 9 else { return Elements(at: nil, end: nil) }
        return Elements(at: start + 9, end: next)
    }

    /// The members of an object; nothing for anything else.
    @inlinable
    public var members: Members {
        guard kind == .object, let start, let next, next - start >= 9 else { return Members(at: nil, end: nil) }
        return Members(at: start + 9, end: next)
    }

    /// The member named by these UTF-8 bytes.
    @inlinable
    public func member(_ name: UnsafeRawBufferPointer) -> PayloadView? {
        var members = members
        while let (key, value) = members.next() {
            if key.count == name.count, key.elementsEqual(name) { return value }
        }
        return nil
    }

    /// The member of this name.
    public func member(_ name: String) -> PayloadView? {
        var name = name
        return name.withUTF8 { member(UnsafeRawBufferPointer($0)) }
    }

    /// A walk over the elements of an array.
    @frozen
    public struct Elements: IteratorProtocol, Sequence {
        @usableFromInline var at: UnsafePointer<UInt8>?
        @usableFromInline let end: UnsafePointer<UInt8>?

        @inlinable
        init(at: UnsafePointer<UInt8>?, end: UnsafePointer<UInt8>?) {
            self.at = at
            self.end = end
        }

        @inlinable
        public mutating func next() -> PayloadView? {
            guard let at, let end, at < end else { return nil }
            let value = PayloadView(start: at, end: end)
            self.at = value.next
            return self.at == nil ? nil : value
        }
    }

    /// A walk over the members of an object.
    @frozen
    public struct Members: IteratorProtocol, Sequence {
        @usableFromInline var at: UnsafePointer<UInt8>?
        @usableFromInline let end: UnsafePointer<UInt8>?

        @inlinable
        init(at: UnsafePointer<UInt8>?, end: UnsafePointer<UInt8>?) {
            self.at = at
            self.end = end
        }

        @inlinable
        public mutating func next() -> (key: UnsafeRawBufferPointer, value: PayloadView)? {
            guard let end, var cursor = at, cursor < end,
                let length = PayloadView.varint(&cursor, end), length < UInt64(end - cursor)
            else { return nil }
            let key = UnsafeRawBufferPointer(start: cursor, count: Int(length))
            let value = PayloadView(start: cursor + Int(length), end: end)
            at = value.next
            return at == nil ? nil : (key, value)
        }
    }

    /// The members as values.
    public var object: JSONObject { object(depth: 0) }

    /// The value and all inside it, decoded.
    public var value: JSONValue { value(depth: 0) }

    /// Values deeper than any request may nest them come from damaged bytes and read as null.
    private static let depthMax = 2 * Limits.jsonDepthMax

    private func object(depth: Int) -> JSONObject {
        JSONObject(
            members.map {
                (key: String(decoding: $0.key, as: UTF8.self), value: $0.value.value(depth: depth + 1))
            })
    }

    private func value(depth: Int) -> JSONValue {
        guard depth <= Self.depthMax else { return .null }
        return switch kind {
        case .null: .null
        case .false: .bool(false)
        case .true: .bool(true)
        case .integer: integer.map(JSONValue.integer) ?? .null
        case .unsigned: unsigned.map(JSONValue.unsigned) ?? .null
        case .double: double.map(JSONValue.double) ?? .null
        case .string: string.map(JSONValue.string) ?? .null
        case .array: .array(elements.map { $0.value(depth: depth + 1) })
        case .object: .object(object(depth: depth))
        }
    }
}
