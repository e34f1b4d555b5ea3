extension FieldIndexSchema {
    /// Reads `field_schema`: the name of a type, or an object with `type`.
    package init(json: JSONValue) throws(OctantError) {
        switch json {
        case .string(let name): self.init(type: try Self.type(name))
        case .object(let object):
            let fields = JSONFields(object, path: "field_schema")
            guard let name = try fields.string("type") else { throw fields.missing("type") }
            let type = try Self.type(name)
            try fields.refuse("memory", "nested")
            let flags = ["on_disk", "enable_hnsw", "is_tenant", "is_principal", "lookup", "range", "prefix"]
            for flag in flags { _ = try fields.bool(flag) }
            if type == .integer, try fields.bool("lookup") == false, try fields.bool("range") == false {
                throw .json("the 'lookup' and 'range' capabilities can't be both disabled")
            }
            if type == .text { _ = try TextAnalysis(fields: fields) }
            // Echoed without the members that were null.
            self.init(type: type, params: Payload(JSONObject(object.pairs.filter { $0.value != .null })))
        default: throw JSONFields.mismatch(json, "the name of a type or an object", "field_schema")
        }
    }

    /// The error for an index without a schema.
    package static var missing: OctantError {
        OctantError(.badRequest, "Can't auto-detect field type, please specify `field_schema` in the request")
    }

    private static func type(_ name: String) throws(OctantError) -> FieldIndexType {
        if let type = FieldIndexType(rawValue: name) { return type }
        throw .json(
            "field_schema: unknown variant `\(name)`, expected one of "
                + FieldIndexType.allCases.map { "`\($0.rawValue)`" }.joined(separator: ", "))
    }

    /// The schema as `field_schema` of a request.
    package var json: JSONValue { params.map { .object($0.object) } ?? .string(type.rawValue) }
}
