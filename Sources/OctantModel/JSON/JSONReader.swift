/// Reads JSON text from bytes, piece by piece, without building a tree.
///
/// The caller pulls what it expects (`beginObject`, `nextKey`, `readFloats` …), so typed requests are decoded straight
/// into their final storage. Every read is checked against the end of the text; nesting is bounded by
/// ``Limits/jsonDepthMax``. Errors have the code `format` and say line and column.
///
/// A reader is valid inside ``read(_:_:)`` only.
package struct JSONReader {
    /// What the next value is.
    package enum Kind: Sendable {
        case null, bool, number, string, array, object
    }

    let start: UnsafePointer<UInt8>
    let end: UnsafePointer<UInt8>
    var at: UnsafePointer<UInt8>
    var depth = 0
    /// Width of the last vector read: the next one most likely has the same.
    var vectorHint = 0
    /// The bytes of the last string that had escapes.
    var unescaped: [UInt8] = []
    /// Keys of the payload objects that are open, to find repeated ones.
    var payloadKeys: [UnsafeBufferPointer<UInt8>] = []

    private init(_ bytes: UnsafeBufferPointer<UInt8>, _ base: UnsafePointer<UInt8>) {
        start = base
        at = base
        end = base + bytes.count
    }

    /// Calls `body` with a reader of `bytes`, then requires that nothing but white space is left.
    package static func read<Result>(
        _ bytes: UnsafeBufferPointer<UInt8>, _ body: (inout JSONReader) throws(OctantError) -> Result
    ) throws(OctantError) -> Result {
        guard let base = bytes.baseAddress, bytes.count > 0 else {
            throw .json("EOF while parsing a value at line 1 column 0")
        }
        var reader = JSONReader(bytes, base)
        let result = try body(&reader)
        reader.skipSpace()
        guard reader.at == reader.end else { throw reader.error("trailing characters") }
        return result
    }

    /// The same over an array.
    package static func read<Result>(
        _ bytes: [UInt8], _ body: (inout JSONReader) throws(OctantError) -> Result
    ) throws(OctantError) -> Result {
        try bytes.withUnsafeBufferPointer { (buffer) throws(OctantError) in try read(buffer, body) }
    }

    /// An error at the present place.
    package func error(_ message: String) -> OctantError { error(message, at: at) }

    func error(_ message: String, at place: UnsafePointer<UInt8>) -> OctantError {
        var line = 1
        var column = 1
        var cursor = start
        while cursor < place {
            if cursor.pointee == UInt8(ascii: "\n") {
                line += 1
                column = 0
            }
            column += 1
            cursor += 1
        }
        return .json("\(message) at line \(line) column \(column)")
    }

    @inline(__always)
    mutating func skipSpace() {
        while at < end {
            switch at.pointee {
            case 0x20, 0x0A, 0x0D, 0x09: at += 1
            default: return
            }
        }
    }

    /// What the next value is; throws if there is none.
    package mutating func peek() throws(OctantError) -> Kind {
        skipSpace()
        guard at < end else { throw error("EOF while parsing a value") }
        switch at.pointee {
        case UInt8(ascii: "{"): return .object
        case UInt8(ascii: "["): return .array
        case UInt8(ascii: "\""): return .string
        case UInt8(ascii: "t"), UInt8(ascii: "f"): return .bool
        case UInt8(ascii: "n"): return .null
        case UInt8(ascii: "-"), 0x30...0x39: return .number
        default: throw error("expected value")
        }
    }

    private mutating func enter() throws(OctantError) {
        at += 1
        depth += 1
        guard depth <= Limits.jsonDepthMax else { throw error("recursion limit exceeded") }
    }

    /// Enters an object; throws with `what` in the text if the next value is something else.
    package mutating func beginObject(_ what: String = "an object") throws(OctantError) {
        guard try peek() == .object else { throw try mismatch(expected: what) }
        try enter()
    }

    /// Enters an array; throws with `what` in the text if the next value is something else.
    package mutating func beginArray(_ what: String = "an array") throws(OctantError) {
        guard try peek() == .array else { throw try mismatch(expected: what) }
        try enter()
    }

    /// Moves to the next member of the object that was entered; `false` after the last one. Then follow a key
    /// and a value. `first` must be true before the first call.
    @inline(__always)
    mutating func nextMember(_ first: inout Bool) throws(OctantError) -> Bool {
        try next(&first, closing: UInt8(ascii: "}"), "an object")
    }

    /// Moves to the next element of the array that was entered; `false` after the last one.
    @inline(__always)
    package mutating func nextElement(_ first: inout Bool) throws(OctantError) -> Bool {
        try next(&first, closing: UInt8(ascii: "]"), "a list")
    }

    @inline(__always)
    private mutating func next(
        _ first: inout Bool, closing: UInt8, _ what: StaticString
    ) throws(OctantError) -> Bool {
        skipSpace()
        guard at < end else { throw error("EOF while parsing \(what)") }
        if at.pointee == closing {
            at += 1
            depth -= 1
            return false
        }
        if first {
            first = false
            return true
        }
        guard at.pointee == UInt8(ascii: ",") else {
            throw error("expected `,` or `\(Character(UnicodeScalar(closing)))`")
        }
        at += 1
        skipSpace()
        guard at < end else { throw error("EOF while parsing \(what)") }
        if at.pointee == closing { throw error("trailing comma") }
        return true
    }

    /// The key of the next member, the colon behind it consumed; `nil` after the last one.
    package mutating func nextKey(_ first: inout Bool) throws(OctantError) -> String? {
        guard try nextMember(&first) else { return nil }
        let key = try readString("a key")
        try readColon()
        return key
    }

    @inline(__always)
    mutating func readColon() throws(OctantError) {
        skipSpace()
        guard at < end, at.pointee == UInt8(ascii: ":") else {
            throw error(at < end ? "expected `:`" : "EOF while parsing an object")
        }
        at += 1
    }

    /// Consumes a `null` if it is next.
    package mutating func readNull() throws(OctantError) -> Bool {
        guard try peek() == .null else { return false }
        try word("null")
        return true
    }

    /// Reads `true` or `false`.
    package mutating func readBool() throws(OctantError) -> Bool {
        guard try peek() == .bool else { throw try mismatch(expected: "a boolean") }
        if at.pointee == UInt8(ascii: "t") {
            try word("true")
            return true
        }
        try word("false")
        return false
    }

    mutating func word(_ text: StaticString) throws(OctantError) {
        let count = text.utf8CodeUnitCount
        guard end - at >= count else { throw error("expected ident") }
        for place in 0..<count where at[place] != text.utf8Start[place] { throw error("expected ident") }
        at += count
    }

    /// The error for a value of another kind than the one that is needed here.
    package mutating func mismatch(expected what: String) throws(OctantError) -> OctantError {
        let place = at
        let kind = try peek()
        let found: String
        switch kind {
        case .null: found = "null"
        case .bool: found = "boolean"
        case .number: found = "number"
        case .string: found = "string"
        case .array: found = "sequence"
        case .object: found = "map"
        }
        return error("invalid type: \(found), expected \(what)", at: place)
    }
}

extension OctantError {
    /// An error of the JSON text itself.
    package static func json(_ message: String) -> OctantError {
        OctantError(.format, "Format error in JSON body: " + message)
    }

    /// A part of a request that must be there and is not. `path` is where it should be, empty at the top.
    package static func missing(_ key: String, in path: String = "") -> OctantError {
        .json((path.isEmpty ? "" : path + ": ") + "missing field `\(key)`")
    }

    /// A value out of its range: HTTP 422. `path` is such as `vectors.size`.
    package static func invalid(_ path: String, _ reason: String) -> OctantError {
        OctantError(.validation, "Validation error in JSON body: [\(path): \(reason)]")
    }

    /// A thing of the protocol that this version does not have.
    package static func unsupported(_ what: String) -> OctantError {
        OctantError(.badRequest, "\(what) not supported yet")
    }
}
