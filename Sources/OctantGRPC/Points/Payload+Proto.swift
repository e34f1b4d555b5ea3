#if Server
import OctantModel
import OctantProtocol

extension Payload {
    /// Reads the members of a payload. The members of an object have no order in a message: they are put in order of
    /// their names, so that equal payloads are equal bytes.
    ///
    /// - Parameter builder: Where the bytes are made; kept by the caller so that many payloads share its memory.
    init(_ members: [String: Qdrant_Value], _ builder: inout PayloadBuilder) throws(OctantError) {
        guard !members.isEmpty else {
            self = .empty
            return
        }
        builder.removeAll()
        try builder.append(members, depth: 1)
        self.init(bytes: builder.bytes.withUnsafeBufferPointer(Array.init))
    }

    /// Reads the members of a payload.
    init(_ members: [String: Qdrant_Value]) throws(OctantError) {
        var builder = PayloadBuilder()
        try self.init(members, &builder)
    }

    /// The members as messages.
    var messages: [String: Qdrant_Value] { withView { Qdrant_Value.members($0, depth: 1) } }
}

extension PayloadBuilder {
    fileprivate mutating func append(_ members: [String: Qdrant_Value], depth: Int) throws(OctantError) {
        guard depth <= Limits.jsonDepthMax else { throw .json("recursion limit exceeded") }
        beginObject()
        for (name, value) in members.sorted(by: { $0.key < $1.key }) {
            key(name)
            try append(value, depth: depth)
        }
        end()
    }

    private mutating func append(_ message: Qdrant_Value, depth: Int) throws(OctantError) {
        switch message.kind {
        case .nullValue, nil: appendNull()
        case .boolValue(let value): append(value)
        case .integerValue(let value): append(value)
        case .doubleValue(let value):
            guard value.isFinite else { throw .json("payload: \(value) is not a number of JSON") }
            append(value)
        case .stringValue(let value): append(value)
        case .listValue(let list):
            guard depth < Limits.jsonDepthMax else { throw .json("recursion limit exceeded") }
            beginArray()
            for value in list.values { try append(value, depth: depth + 1) }
            end()
        case .structValue(let object): try append(object.fields, depth: depth + 1)
        }
    }
}

extension JSONValue {
    /// Reads a value.
    init(_ message: Qdrant_Value) throws(OctantError) {
        // By way of a payload: one reader of messages is enough.
        self = try Payload(["": message]).object[""] ?? .null
    }
}

extension Qdrant_Value {
    /// The members of a view of an object.
    fileprivate static func members(_ view: PayloadView, depth: Int) -> [String: Qdrant_Value] {
        var members = [String: Qdrant_Value](minimumCapacity: view.count)
        for (name, value) in view.members {
            members[String(decoding: name, as: UTF8.self)] = Qdrant_Value(value, depth: depth)
        }
        return members
    }

    /// Values deeper than any request may nest them come from damaged bytes and read as null. Whole numbers above
    /// `Int64.max` have no form of their own in the protocol: they become the nearest double.
    private init(_ view: PayloadView, depth: Int) {
        self.init()
        guard depth <= 2 * Limits.jsonDepthMax else {
            kind = .nullValue(.nullValue)
            return
        }
        switch view.kind {
        case .null: kind = .nullValue(.nullValue)
        case .false: kind = .boolValue(false)
        case .true: kind = .boolValue(true)
        case .integer: kind = .integerValue(view.integer ?? 0)
        case .unsigned, .double: kind = .doubleValue(view.number ?? 0)
        case .string: kind = .stringValue(view.string ?? "")
        case .array:
            var list = Qdrant_ListValue()
            list.values = view.elements.map { Qdrant_Value($0, depth: depth + 1) }
            kind = .listValue(list)
        case .object:
            var object = Qdrant_Struct()
            object.fields = Self.members(view, depth: depth + 1)
            kind = .structValue(object)
        }
    }
}
#endif
