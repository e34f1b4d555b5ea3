/// Bodies of writes.
package enum PointsJSON {
    /// `PUT points`: a list of points, or columns.
    package static func upsert(_ bytes: [UInt8]) throws(OctantError) -> UpdateRequest {
        try JSONReader.read(bytes) { (reader) throws(OctantError) in try upsert(&reader) }
    }

    /// `PUT points/vectors`.
    package static func updateVectors(_ bytes: [UInt8]) throws(OctantError) -> UpdateRequest {
        try JSONReader.read(bytes) { (reader) throws(OctantError) in try updateVectors(&reader) }
    }

    /// The writes that carry no vectors, by their names in a batch.
    package static func operation(_ name: String, _ bytes: [UInt8]) throws(OctantError) -> UpdateRequest {
        UpdateRequest(try operation(name, JSONFields(try JSONParser.parse(bytes), path: "")))
    }

    /// `points/batch`: writes in the order they are to be applied.
    package static func batch(_ bytes: [UInt8]) throws(OctantError) -> [UpdateRequest] {
        try JSONReader.read(bytes) { (reader) throws(OctantError) in
            var operations: [UpdateRequest]?
            var first = true
            try reader.beginObject()
            while let key = try reader.nextKey(&first) {
                guard key == "operations" else {
                    try reader.skipValue()
                    continue
                }
                var list: [UpdateRequest] = []
                var firstOperation = true
                try reader.beginArray("a list of operations")
                while try reader.nextElement(&firstOperation) { list.append(try batchElement(&reader)) }
                operations = list
            }
            guard let operations else { throw .json("missing field `operations`") }
            return operations
        }
    }

    private static func batchElement(_ reader: inout JSONReader) throws(OctantError) -> UpdateRequest {
        var operation: UpdateRequest?
        var first = true
        try reader.beginObject()
        while let key = try reader.nextKey(&first) {
            guard operation == nil else { throw reader.error("an element of a batch holds one operation") }
            switch key {
            case "upsert": operation = try upsert(&reader)
            case "update_vectors": operation = try updateVectors(&reader)
            default:
                operation = UpdateRequest(try Self.operation(key, JSONFields(try reader.readValue(), path: key)))
            }
        }
        guard let operation else { throw reader.error("data did not match any variant of update operation") }
        return operation
    }

    private static func operation(_ name: String, _ fields: JSONFields) throws(OctantError) -> UpdateOperation {
        switch name {
        case "delete": return .delete(try fields.selection())
        case "clear_payload": return .clearPayload(try fields.selection())
        case "set_payload":
            guard let payload = try fields.object("payload") else { throw .json("missing field `payload`") }
            var key: PayloadPath?
            if let text = try fields.string("key") { key = try PayloadPath(text) }
            return .setPayload(payload, try fields.selection(), key: key)
        case "overwrite_payload":
            guard let payload = try fields.object("payload") else { throw .json("missing field `payload`") }
            return .overwritePayload(Payload(payload), try fields.selection())
        case "delete_payload":
            guard let keys = try fields.strings("keys") else { throw .json("missing field `keys`") }
            var paths: [PayloadPath] = []
            for key in keys { paths.append(try PayloadPath(key)) }
            return .deletePayload(paths, try fields.selection())
        case "delete_vectors":
            guard let names = try fields.strings("vector") else { throw .json("missing field `vector`") }
            guard !names.isEmpty else { throw .invalid("vector", "must specify vector names to delete") }
            return .deleteVectors(names, try fields.selection())
        default: throw .json("unknown variant `\(name)` of update operation")
        }
    }

    // MARK: Points with vectors, decoded in place

    static func upsert(_ reader: inout JSONReader) throws(OctantError) -> UpdateRequest {
        var points: [Point]?
        var condition = UpdateCondition()
        var first = true
        try reader.beginObject()
        while let key = try reader.nextKey(&first) {
            switch key {
            case "points": points = try pointList(&reader)
            case "batch": points = try columns(&reader)
            default: try read(key, &reader, into: &condition)
            }
        }
        guard let points else { throw reader.error("missing field `points` or `batch`") }
        return UpdateRequest(.upsert(points), when: condition.isAlwaysTrue ? nil : condition)
    }

    /// Reads a member that decides which points are written.
    private static func read(
        _ key: String, _ reader: inout JSONReader, into condition: inout UpdateCondition
    ) throws(OctantError) {
        let value = try reader.readValue()
        guard value != .null else { return }
        switch key {
        case "update_filter": condition.filter = try Filter(json: value, path: key)
        case "update_mode":
            guard case .string(let name) = value else { throw JSONFields.mismatch(value, "a string", key) }
            guard let mode = UpdateMode(rawValue: name) else {
                let names = UpdateMode.allCases.map { "`\($0.rawValue)`" }.joined(separator: ", ")
                throw .json("\(key): unknown variant `\(name)`, expected one of \(names)")
            }
            condition.mode = mode
        case "shard_key": throw .unsupported("`\(key)` is")
        default: return
        }
    }

    private static func pointList(_ reader: inout JSONReader) throws(OctantError) -> [Point] {
        try reader.beginArray("a list of points")
        var points: [Point] = []
        var builder = PayloadBuilder()
        var first = true
        while try reader.nextElement(&first) {
            var id: PointID?
            var vectors: NamedVectors?
            var payload = Payload.empty
            var firstKey = true
            try reader.beginObject("a point")
            while let key = try reader.nextKey(&firstKey) {
                switch key {
                case "id": id = try reader.readPointID()
                case "vector", "vectors": vectors = try self.vectors(&reader, "points[\(points.count)].vector")
                case "payload": payload = try reader.readPayload(&builder)
                default: try reader.skipValue()
                }
            }
            guard let id else { throw reader.error("missing field `id`") }
            guard let vectors else { throw reader.error("missing field `vector`") }
            points.append(Point(id: id, vectors: vectors, payload: payload))
        }
        return points
    }

    /// The vectors of a point: a list of numbers, or a map of names.
    private static func vectors(_ reader: inout JSONReader, _ path: String) throws(OctantError) -> NamedVectors {
        switch try reader.peek() {
        case .array: return NamedVectors(try reader.readVector(path))
        case .object where try reader.startsDocument(): return NamedVectors(try reader.readVector(path))
        case .object:
            var entries: [NamedVectors.Entry] = []
            var first = true
            try reader.beginObject()
            while let name = try reader.nextKey(&first) {
                switch try reader.peek() {
                case .array, .object:
                    entries.append(NamedVectors.Entry(name: name, vector: try reader.readVector("\(path).?")))
                default: throw try reader.mismatch(expected: "a vector")
                }
            }
            return NamedVectors(entries)
        default: throw try reader.mismatch(expected: "a vector")
        }
    }

    static func updateVectors(_ reader: inout JSONReader) throws(OctantError) -> UpdateRequest {
        var condition = UpdateCondition()
        var changes: [(id: PointID, vectors: NamedVectors)]?
        var first = true
        try reader.beginObject()
        while let key = try reader.nextKey(&first) {
            guard key == "points" else {
                try read(key, &reader, into: &condition)
                continue
            }
            var list: [(id: PointID, vectors: NamedVectors)] = []
            for point in try pointList(&reader) {
                guard !point.vectors.isEmpty else {
                    throw .invalid("points[\(list.count)].vector", "must specify vectors to update for point")
                }
                list.append((point.id, point.vectors))
            }
            guard !list.isEmpty else { throw .invalid("points", "must specify points to update") }
            changes = list
        }
        guard let changes else { throw reader.error("missing field `points`") }
        // Points that do not exist are an error here, whatever the mode.
        condition.mode = .upsert
        return UpdateRequest(.updateVectors(changes), when: condition.isAlwaysTrue ? nil : condition)
    }

    // MARK: Columns

    /// `{ids, vectors, payloads}`, each with one element per point.
    private static func columns(_ reader: inout JSONReader) throws(OctantError) -> [Point] {
        var ids: [PointID]?
        var columns: [(name: String, vectors: [Vector])]?
        var payloads: [Payload]?
        var first = true
        try reader.beginObject("a batch of points")
        while let key = try reader.nextKey(&first) {
            switch key {
            case "ids": ids = try reader.readPointIDs()
            case "vectors": columns = try vectorColumns(&reader)
            case "payloads": payloads = try payloadColumn(&reader)
            default: try reader.skipValue()
            }
        }
        guard let ids else { throw reader.error("missing field `ids`") }
        guard let columns else { throw reader.error("missing field `vectors`") }
        for column in columns where column.vectors.count != ids.count {
            throw .invalid("batch", "number of ids and vectors must be equal (\(ids.count) != \(column.vectors.count))")
        }
        if let payloads, payloads.count != ids.count {
            throw .invalid("batch", "number of ids and payloads must be equal (\(ids.count) != \(payloads.count))")
        }
        return ids.enumerated().map { place, id in
            let entries = columns.map { NamedVectors.Entry(name: $0.name, vector: $0.vectors[place]) }
            return Point(id: id, vectors: NamedVectors(entries), payload: payloads?[place] ?? .empty)
        }
    }

    private static func vectorColumns(
        _ reader: inout JSONReader
    ) throws(OctantError) -> [(name: String, vectors: [Vector])] {
        if try reader.peek() == .array { return [("", try vectorColumn(&reader))] }
        var columns: [(name: String, vectors: [Vector])] = []
        var first = true
        try reader.beginObject("lists of vectors")
        while let name = try reader.nextKey(&first) { columns.append((name, try vectorColumn(&reader))) }
        return columns
    }

    private static func vectorColumn(_ reader: inout JSONReader) throws(OctantError) -> [Vector] {
        var column: [Vector] = []
        var first = true
        try reader.beginArray("a list of vectors")
        while try reader.nextElement(&first) {
            column.append(try reader.readVector("batch.vectors[\(column.count)]"))
        }
        return column
    }

    private static func payloadColumn(_ reader: inout JSONReader) throws(OctantError) -> [Payload]? {
        if try reader.readNull() { return nil }
        var column: [Payload] = []
        var builder = PayloadBuilder()
        var first = true
        try reader.beginArray("a list of payloads")
        while try reader.nextElement(&first) { column.append(try reader.readPayload(&builder)) }
        return column
    }
}

/// Bodies about indexes and aliases.
package enum SchemaJSON {
    /// `PUT index`: the key and what its index is to be.
    package static func fieldIndex(_ bytes: [UInt8]) throws(OctantError) -> (PayloadPath, FieldIndexSchema) {
        let fields = try JSONFields(try JSONParser.parse(bytes), path: "")
        guard let key = try fields.string("field_name") else { throw fields.missing("field_name") }
        guard let (_, schema) = fields.first("field_schema", "field_type") else {
            throw OctantError(
                .badRequest, "Can't auto-detect field type, please specify `field_schema` in the request")
        }
        return (try PayloadPath(key), try FieldIndexSchema(json: schema))
    }

    /// `POST collections/aliases`: the steps of one change.
    package static func aliases(_ bytes: [UInt8]) throws(OctantError) -> [AliasAction] {
        let fields = try JSONFields(try JSONParser.parse(bytes), path: "")
        guard let list = try fields.array("actions") else { throw fields.missing("actions") }
        var actions: [AliasAction] = []
        for (place, value) in list.enumerated() {
            let action = try JSONFields(value, path: "actions[\(place)]")
            if let create = try action.fields("create_alias") {
                let alias = try name(create, "alias_name")
                actions.append(.create(alias: alias, collection: try name(create, "collection_name")))
            } else if let delete = try action.fields("delete_alias") {
                actions.append(.delete(alias: try name(delete, "alias_name")))
            } else if let rename = try action.fields("rename_alias") {
                let from = try name(rename, "old_alias_name")
                actions.append(.rename(from: from, to: try name(rename, "new_alias_name")))
            } else {
                throw .json("actions[\(place)]: expected one of `create_alias`, `delete_alias`, `rename_alias`")
            }
        }
        return actions
    }

    private static func name(_ fields: JSONFields, _ key: String) throws(OctantError) -> String {
        guard let name = try fields.string(key) else { throw fields.missing(key) }
        return name
    }
}
