extension FieldIndexSchema {
    /// Reads `field_schema`: the name of a type, or an object with `type`.
    package init(json: JSONValue) throws(OctantError) {
        switch json {
        case .string(let name): self.init(type: try Self.type(name))
        case .object(let object):
            let fields = JSONFields(object, path: "field_schema")
            guard let name = try fields.string("type") else { throw fields.missing("type") }
            let type = try Self.type(name)
            try fields.refuse("nested", "scoring")
            _ = try fields.memory()
            let flags = type.flags
            for flag in flags { _ = try fields.bool(flag) }
            if type == .integer, try fields.bool("lookup") == false, try fields.bool("range") == false {
                throw .invalid(
                    fields.path("lookup"), "the 'lookup' and 'range' capabilities can't be both disabled")
            }
            if type == .text { _ = try TextAnalysis(fields: fields) }
            // Echoed without members that were null, or that indexes of this type do not have: clients refuse these.
            let known = Set(["type", "memory"] + flags + (type == .text ? Self.textOptions : []))
            self.init(
                type: type,
                params: Payload(JSONObject(object.pairs.filter { known.contains($0.key) && $0.value != .null })))
        default: throw JSONFields.mismatch(json, "the name of a type or an object", "field_schema")
        }
    }

    /// The error for an index without a schema.
    package static var missing: OctantError {
        OctantError(.badRequest, "Can't auto-detect field type, please specify `field_schema` in the request")
    }

    private static let textOptions = [
        "tokenizer", "min_token_len", "max_token_len", "lowercase", "ascii_folding", "phrase_matching", "stopwords",
        "stemmer",
    ]

    private static func type(_ name: String) throws(OctantError) -> FieldIndexType {
        if let type = FieldIndexType(rawValue: name) { return type }
        throw .json(
            "field_schema: unknown variant `\(name)`, expected one of "
                + FieldIndexType.allCases.map { "`\($0.rawValue)`" }.joined(separator: ", "))
    }

    /// The schema as `field_schema` of a request.
    package var json: JSONValue { params.map { .object($0.object) } ?? .string(type.rawValue) }
}

extension FieldIndexType {
    /// The options of an index of this type that are true or false.
    package var flags: [String] {
        let common = ["on_disk", "enable_hnsw"]
        switch self {
        case .keyword: return common + ["is_tenant", "prefix"]
        case .uuid: return common + ["is_tenant"]
        case .integer: return common + ["lookup", "range", "is_principal"]
        case .float, .datetime: return common + ["is_principal"]
        case .bool, .geo, .text: return common
        }
    }
}
