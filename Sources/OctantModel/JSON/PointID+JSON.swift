extension PointID {
    /// Reads an id from a body: an unsigned integer or a UUID.
    package init(json: JSONValue) throws(OctantError) {
        switch json {
        case .integer(let value) where value >= 0: self = .number(UInt64(value))
        case .unsigned(let value): self = .number(value)
        case .string(let text):
            try self.init(uuid: text)
        default: throw Self.invalid(json.text)
        }
    }

    /// Reads the text of a UUID.
    package init(uuid text: String) throws(OctantError) {
        guard let uuid = UUIDValue(text) else { throw Self.invalid(text) }
        self = .uuid(uuid)
    }

    private static func invalid(_ text: String) -> OctantError {
        .json(
            "value \(text.prefix(64)) is not a valid point ID, valid values are either an unsigned integer or a UUID")
    }

    /// Reads an id from a path, where a number is text too.
    package init(pathSegment text: String) throws(OctantError) {
        if let number = UInt64(text), text.first != "+" {
            self = .number(number)
        } else if let uuid = UUIDValue(text) {
            self = .uuid(uuid)
        } else {
            throw OctantError(.badInput, "Can not recognize \"\(text)\" as point id")
        }
    }

    /// The id as it is written in answers.
    package var json: JSONValue {
        switch self {
        case .number(let number): Int64(exactly: number).map(JSONValue.integer) ?? .unsigned(number)
        case .uuid(let uuid): .string(uuid.description)
        }
    }

    /// Reads a list of ids.
    package static func list(_ values: [JSONValue]) throws(OctantError) -> [PointID] {
        var ids: [PointID] = []
        ids.reserveCapacity(values.count)
        for value in values { ids.append(try PointID(json: value)) }
        return ids
    }
}

extension JSONReader {
    /// Reads a point id.
    package mutating func readPointID() throws(OctantError) -> PointID { try PointID(json: try readValue()) }

    /// Reads a list of point ids.
    package mutating func readPointIDs() throws(OctantError) -> [PointID] {
        try beginArray("a list of point ids")
        var first = true
        var ids: [PointID] = []
        while try nextElement(&first) { ids.append(try readPointID()) }
        return ids
    }
}
