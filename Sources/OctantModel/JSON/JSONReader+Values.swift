extension JSONReader {
    /// Reads any value as a tree.
    package mutating func readValue() throws(OctantError) -> JSONValue {
        switch try peek() {
        case .null:
            try word("null")
            return .null
        case .bool: return .bool(try readBool())
        case .number: return try readNumber()
        case .string: return .string(try readString())
        case .array:
            try beginArray()
            var first = true
            var values: [JSONValue] = []
            while try nextElement(&first) { values.append(try readValue()) }
            return .array(values)
        case .object: return .object(try readObject())
        }
    }

    /// Reads an object as a tree; of equal keys the last wins.
    package mutating func readObject(_ what: String = "an object") throws(OctantError) -> JSONObject {
        try beginObject(what)
        var first = true
        var members: [(key: String, value: JSONValue)] = []
        while let key = try nextKey(&first) { members.append((key, try readValue())) }
        return JSONObject(members)
    }

    /// Passes over a value.
    package mutating func skipValue() throws(OctantError) { _ = try readValue() }

    /// Reads an object (or null, which is the empty one) straight into the encoded form.
    package mutating func readPayload(_ builder: inout PayloadBuilder) throws(OctantError) -> Payload {
        if try readNull() { return .empty }
        guard try peek() == .object else { throw try mismatch(expected: "a map") }
        let place = at
        let level = depth
        builder.removeAll()
        payloadKeys.removeAll(keepingCapacity: true)
        if try readPayloadValue(&builder) {
            return builder.bytes.count <= 9 ? .empty : Payload(bytes: builder.bytes.withUnsafeBufferPointer(Array.init))
        }
        // A key is repeated or written with escapes, or there are very many: by way of a tree, where the last wins.
        at = place
        depth = level
        return Payload(try readObject())
    }

    /// Objects with more keys are checked for repeated ones by hashing, in a tree.
    private static let payloadKeysMax = 64

    /// Copies a value into the builder; `false` if that cannot be done in one pass.
    private mutating func readPayloadValue(_ builder: inout PayloadBuilder) throws(OctantError) -> Bool {
        switch try peek() {
        case .null:
            try word("null")
            builder.appendNull()
        case .bool: builder.append(try readBool())
        case .number:
            switch try readNumber() {
            case .integer(let value): builder.append(value)
            case .unsigned(let value): builder.append(value)
            case .double(let value): builder.append(value)
            default: break
            }
        case .string: try withUTF8 { builder.append(utf8: $0) }
        case .array:
            try beginArray()
            builder.beginArray()
            var first = true
            while try nextElement(&first) {
                guard try readPayloadValue(&builder) else { return false }
            }
            builder.end()
        case .object: return try readPayloadObject(&builder)
        }
        return true
    }

    private mutating func readPayloadObject(_ builder: inout PayloadBuilder) throws(OctantError) -> Bool {
        try beginObject()
        builder.beginObject()
        var first = true
        let firstKey = payloadKeys.count
        while try nextMember(&first) {
            guard at.pointee == UInt8(ascii: "\"") else { throw error("key must be a string") }
            let place = at
            let (key, plain) = try scanString()
            guard key.count == 0 || (key.baseAddress == place + 1), payloadKeys.count - firstKey < Self.payloadKeysMax
            else { return false }
            guard plain || String(validating: key, as: UTF8.self) != nil else {
                throw error("invalid unicode code point", at: place)
            }
            for earlier in payloadKeys[firstKey...] where earlier.count == key.count && earlier.elementsEqual(key) {
                return false
            }
            payloadKeys.append(key)
            try readColon()
            builder.key(utf8: UnsafeRawBufferPointer(key))
            guard try readPayloadValue(&builder) else { return false }
        }
        payloadKeys.removeSubrange(firstKey...)
        builder.end()
        return true
    }
}

/// Whole JSON texts as trees.
package enum JSONParser {
    /// The value of a JSON text.
    package static func parse(_ bytes: [UInt8]) throws(OctantError) -> JSONValue {
        try JSONReader.read(bytes) { (reader) throws(OctantError) in try reader.readValue() }
    }

    /// The value of a JSON text.
    package static func parse(_ text: String) throws(OctantError) -> JSONValue { try parse(Array(text.utf8)) }
}
