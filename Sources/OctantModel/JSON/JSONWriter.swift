/// Appends JSON text to a byte buffer. Commas are placed by the writer; the caller balances `begin` and `end`.
///
/// Floats are the shortest text that reads back to the same value, always with a point or an exponent.
package struct JSONWriter: Sendable {
    /// What has been written.
    package private(set) var bytes: [UInt8] = []
    /// Whether the next value or key needs a comma in front.
    private var comma = false

    /// An empty writer.
    package init(reservingCapacity capacity: Int = 256) { bytes.reserveCapacity(capacity) }

    @inline(__always)
    private mutating func separate() {
        if comma { bytes.append(UInt8(ascii: ",")) }
        comma = true
    }

    /// Appends bytes that are JSON already, as one value.
    package mutating func raw(_ json: StaticString) {
        separate()
        bytes.append(contentsOf: UnsafeBufferPointer(start: json.utf8Start, count: json.utf8CodeUnitCount))
    }

    /// Appends the writer's whole output as one value.
    package mutating func value(_ other: JSONWriter) {
        separate()
        bytes.append(contentsOf: other.bytes)
    }

    /// Opens an object.
    package mutating func beginObject() { begin(UInt8(ascii: "{")) }
    /// Closes an object.
    package mutating func endObject() { close(UInt8(ascii: "}")) }
    /// Opens an array.
    package mutating func beginArray() { begin(UInt8(ascii: "[")) }
    /// Closes an array.
    package mutating func endArray() { close(UInt8(ascii: "]")) }

    private mutating func begin(_ bracket: UInt8) {
        separate()
        bytes.append(bracket)
        comma = false
    }

    private mutating func close(_ bracket: UInt8) {
        bytes.append(bracket)
        comma = true
    }

    /// Writes the name of the next member.
    @_disfavoredOverload
    package mutating func key(_ name: String) {
        value(name)
        bytes.append(UInt8(ascii: ":"))
        comma = false
    }

    /// Writes a name that needs no escapes.
    package mutating func key(_ name: StaticString) {
        separate()
        bytes.append(UInt8(ascii: "\""))
        bytes.append(contentsOf: UnsafeBufferPointer(start: name.utf8Start, count: name.utf8CodeUnitCount))
        bytes.append(UInt8(ascii: "\""))
        bytes.append(UInt8(ascii: ":"))
        comma = false
    }

    /// Writes null.
    package mutating func null() { raw("null") }

    /// Writes a bool.
    package mutating func value(_ value: Bool) { raw(value ? "true" : "false") }

    /// Writes an integer.
    package mutating func value(_ value: some FixedWidthInteger) {
        separate()
        if value >= 0, value < 10 {
            bytes.append(0x30 + UInt8(truncatingIfNeeded: value))
        } else {
            bytes.append(contentsOf: String(value).utf8)
        }
    }

    /// Writes a float.
    package mutating func value(_ value: Float) {
        separate()
        append(value)
    }

    /// Writes a list of floats.
    package mutating func value(_ values: [Float]) {
        separate()
        bytes.reserveCapacity(bytes.count + values.count * 12 + 2)
        bytes.append(UInt8(ascii: "["))
        var first = true
        for value in values {
            if !first { bytes.append(UInt8(ascii: ",")) }
            first = false
            append(value)
        }
        bytes.append(UInt8(ascii: "]"))
    }

    private mutating func append(_ value: Float) {
        guard value.isFinite else {
            bytes.append(contentsOf: "null".utf8)
            return
        }
        bytes.append(contentsOf: value.description.utf8)
    }

    /// Writes a double.
    package mutating func value(_ value: Double) {
        separate()
        bytes.append(contentsOf: value.isFinite ? value.description.utf8 : "null".utf8)
    }

    /// Writes a string.
    package mutating func value(_ value: String) {
        var value = value
        value.withUTF8 { self.value(utf8: UnsafeRawBufferPointer($0)) }
    }

    /// Writes a string given as UTF-8.
    package mutating func value(utf8: UnsafeRawBufferPointer) {
        separate()
        bytes.append(UInt8(ascii: "\""))
        var run = 0
        for (place, byte) in utf8.enumerated() where byte < 0x20 || byte == 0x22 || byte == 0x5C {
            bytes.append(contentsOf: utf8[run..<place])
            run = place + 1
            escape(byte)
        }
        bytes.append(contentsOf: utf8[run...])
        bytes.append(UInt8(ascii: "\""))
    }

    private mutating func escape(_ byte: UInt8) {
        bytes.append(UInt8(ascii: "\\"))
        switch byte {
        case 0x08: bytes.append(UInt8(ascii: "b"))
        case 0x09: bytes.append(UInt8(ascii: "t"))
        case 0x0A: bytes.append(UInt8(ascii: "n"))
        case 0x0C: bytes.append(UInt8(ascii: "f"))
        case 0x0D: bytes.append(UInt8(ascii: "r"))
        case 0x22, 0x5C: bytes.append(byte)
        default:
            let digits = "0123456789abcdef".utf8.map { $0 }
            bytes.append(contentsOf: "u00".utf8)
            bytes.append(digits[Int(byte >> 4)])
            bytes.append(digits[Int(byte & 15)])
        }
    }

    /// Writes a tree.
    package mutating func value(_ value: JSONValue) {
        switch value {
        case .null: null()
        case .bool(let value): self.value(value)
        case .integer(let value): self.value(value)
        case .unsigned(let value): self.value(value)
        case .double(let value): self.value(value)
        case .string(let value): self.value(value)
        case .array(let values):
            beginArray()
            for value in values { self.value(value) }
            endArray()
        case .object(let object): self.value(object)
        }
    }

    /// Writes an object.
    package mutating func value(_ object: JSONObject) {
        beginObject()
        for (name, value) in object.pairs {
            key(name)
            self.value(value)
        }
        endObject()
    }

    /// Writes a payload without decoding it into a tree.
    package mutating func value(_ payload: Payload) {
        payload.withView { value($0) }
    }

    /// Writes an encoded value; what nests deeper than any request may is written as null.
    package mutating func value(_ view: PayloadView, depth: Int = 0) {
        guard depth <= Limits.jsonDepthMax + 8 else { return null() }
        switch view.kind {
        case .null: null()
        case .false: value(false)
        case .true: value(true)
        case .integer: value(view.integer ?? 0)
        case .unsigned: value(view.unsigned ?? 0)
        case .double: value(view.double ?? 0)
        case .string:
            if let utf8 = view.utf8 { value(utf8: utf8) } else { null() }
        case .array:
            beginArray()
            for element in view.elements { value(element, depth: depth + 1) }
            endArray()
        case .object:
            beginObject()
            for (name, member) in view.members {
                value(utf8: name)
                bytes.append(UInt8(ascii: ":"))
                comma = false
                value(member, depth: depth + 1)
            }
            endObject()
        }
    }
}

extension JSONValue {
    /// The value as compact JSON text.
    package var text: String {
        var writer = JSONWriter()
        writer.value(self)
        return String(decoding: writer.bytes, as: UTF8.self)
    }
}
