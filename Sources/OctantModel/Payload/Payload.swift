/// The payload of a point: a JSON object as a flat run of bytes, the same in memory, in the log and on disk.
///
/// A value is a tag byte and its body; lengths allow skipping a value without reading it.
///
/// ```
/// 0 null   1 false   2 true
/// 3 integer   zig-zag LEB128
/// 4 unsigned  8 bytes little-endian (only above Int64.max)
/// 5 double    8 bytes little-endian
/// 6 string    LEB128 length, UTF-8
/// 7 array     u32 bytes of what follows, u32 count, values
/// 8 object    u32 bytes of what follows, u32 count, (LEB128 key length, key, value)…
/// ```
///
/// No bytes at all stand for the empty object. Equality is of the bytes.
public struct Payload: Hashable, Sendable {
    /// The encoded object, tag included; empty for `{}`.
    public let bytes: [UInt8]

    /// The empty object.
    public static let empty = Payload(bytes: [])

    /// Takes bytes that ``PayloadBuilder`` made.
    public init(bytes: [UInt8]) { self.bytes = bytes }

    /// Encodes `object`.
    public init(_ object: JSONObject) {
        guard !object.isEmpty else {
            self = .empty
            return
        }
        var builder = PayloadBuilder()
        builder.append(.object(object))
        bytes = builder.bytes
    }

    /// Whether there are no keys.
    public var isEmpty: Bool { bytes.isEmpty || withView { $0.count == 0 } }

    /// The payload as values.
    public var object: JSONObject { withView { $0.object } }

    /// Calls `body` with a view of the object.
    @inlinable
    public func withView<Result>(_ body: (PayloadView) -> Result) -> Result {
        bytes.withUnsafeBytes { body(PayloadView($0)) }
    }
}

/// Writes values in the form of ``Payload``.
///
/// An object is `beginObject`, then for each member `key` and one value, then `end`.
public struct PayloadBuilder: Sendable {
    /// What has been written.
    public private(set) var bytes: [UInt8] = []
    private var open: [(start: Int, count: UInt32)] = []

    /// An empty builder.
    public init() {}

    /// Forgets what was written and keeps the memory.
    public mutating func removeAll() {
        bytes.removeAll(keepingCapacity: true)
        open.removeAll(keepingCapacity: true)
    }

    /// How many objects and arrays are open.
    public var depth: Int { open.count }

    private mutating func countValue() {
        if !open.isEmpty { open[open.count - 1].count &+= 1 }
    }

    /// Writes null.
    public mutating func appendNull() {
        countValue()
        bytes.append(0)
    }

    /// Writes a bool.
    public mutating func append(_ value: Bool) {
        countValue()
        bytes.append(value ? 2 : 1)
    }

    /// Writes an integer.
    public mutating func append(_ value: Int64) {
        countValue()
        bytes.append(3)
        appendVarint(UInt64(bitPattern: value << 1 ^ value >> 63))
    }

    /// Writes an unsigned integer (as a signed one where it fits).
    public mutating func append(_ value: UInt64) {
        if let signed = Int64(exactly: value) {
            append(signed)
            return
        }
        countValue()
        bytes.append(4)
        withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) }
    }

    /// Writes a double.
    public mutating func append(_ value: Double) {
        countValue()
        bytes.append(5)
        withUnsafeBytes(of: value.bitPattern.littleEndian) { bytes.append(contentsOf: $0) }
    }

    /// Writes a string.
    public mutating func append(_ value: String) {
        var value = value
        value.withUTF8 { append(utf8: UnsafeRawBufferPointer($0)) }
    }

    /// Writes a string given as valid UTF-8.
    public mutating func append(utf8: UnsafeRawBufferPointer) {
        countValue()
        bytes.append(6)
        appendVarint(UInt64(utf8.count))
        bytes.append(contentsOf: utf8)
    }

    /// Starts an object.
    public mutating func beginObject() { begin(8) }

    /// Starts an array.
    public mutating func beginArray() { begin(7) }

    private mutating func begin(_ tag: UInt8) {
        countValue()
        bytes.append(tag)
        open.append((bytes.count, 0))
        bytes.append(contentsOf: repeatElement(0, count: 8))
    }

    /// Writes the name of the next member.
    public mutating func key(_ name: String) {
        var name = name
        name.withUTF8 { key(utf8: UnsafeRawBufferPointer($0)) }
    }

    /// Writes the name of the next member, given as valid UTF-8.
    public mutating func key(utf8: UnsafeRawBufferPointer) {
        appendVarint(UInt64(utf8.count))
        bytes.append(contentsOf: utf8)
    }

    /// Ends the innermost object or array.
    public mutating func end() {
        guard let (start, count) = open.popLast() else { return }
        let length = UInt32(truncatingIfNeeded: bytes.count - start - 4)
        for byte in 0..<4 {
            bytes[start + byte] = UInt8(truncatingIfNeeded: length >> UInt32(8 * byte))
            bytes[start + 4 + byte] = UInt8(truncatingIfNeeded: count >> UInt32(8 * byte))
        }
    }

    /// Copies a value from another payload.
    public mutating func append(_ view: PayloadView) {
        countValue()
        bytes.append(contentsOf: view.encoded)
    }

    /// Writes a value and all inside it.
    public mutating func append(_ value: JSONValue) {
        switch value {
        case .null: appendNull()
        case .bool(let value): append(value)
        case .integer(let value): append(value)
        case .unsigned(let value): append(value)
        case .double(let value): append(value)
        case .string(let value): append(value)
        case .array(let values):
            beginArray()
            for value in values { append(value) }
            end()
        case .object(let object):
            beginObject()
            for (name, value) in object.pairs {
                key(name)
                append(value)
            }
            end()
        }
    }

    private mutating func appendVarint(_ value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(truncatingIfNeeded: rest))
    }
}
