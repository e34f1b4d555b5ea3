/// Bodies of reads.
package enum ReadsJSON {
    /// `points/query`.
    package static func query(_ bytes: [UInt8]) throws(OctantError) -> QueryRequest {
        try JSONReader.read(bytes) { (reader) throws(OctantError) in
            try ranked(&reader, path: "internal", legacy: false)
        }
    }

    /// `points/search`.
    package static func search(_ bytes: [UInt8]) throws(OctantError) -> QueryRequest {
        try JSONReader.read(bytes) { (reader) throws(OctantError) in
            try ranked(&reader, path: "internal", legacy: true)
        }
    }

    /// `points/query/batch` and `points/search/batch`.
    package static func batch(_ bytes: [UInt8], legacy: Bool) throws(OctantError) -> [QueryRequest] {
        try JSONReader.read(bytes) { (reader) throws(OctantError) in
            var requests: [QueryRequest]?
            var first = true
            try reader.beginObject()
            while let key = try reader.nextKey(&first) {
                guard key == "searches" else {
                    try reader.skipValue()
                    continue
                }
                try reader.beginArray("a list of searches")
                var list: [QueryRequest] = []
                var firstSearch = true
                while try reader.nextElement(&firstSearch) {
                    guard list.count < Limits.batchQueriesMax else {
                        throw OctantError(.badRequest, "A batch has at most \(Limits.batchQueriesMax) queries")
                    }
                    list.append(try ranked(&reader, path: "searches[\(list.count)].internal", legacy: legacy))
                }
                requests = list
            }
            guard let requests else { throw .json("missing field `searches`") }
            return requests
        }
    }

    /// One ranked read; vectors are decoded without a tree, all else by way of one.
    private static func ranked(
        _ reader: inout JSONReader, path: String, legacy: Bool
    ) throws(OctantError) -> QueryRequest {
        var request = QueryRequest()
        var members: [(key: String, value: JSONValue)] = []
        var first = true
        try reader.beginObject()
        while let key = try reader.nextKey(&first) {
            if legacy, key == "vector" {
                (request.query, request.using) = try legacyVector(&reader)
            } else if !legacy, key == "query" {
                request.query = try query(&reader)
            } else {
                members.append((key, try reader.readValue()))
            }
        }
        let fields = JSONFields(JSONObject(members), path: path)
        try fields.refuse("shard_key", "lookup_from")
        if request.query == nil, let prefetch = fields.object["prefetch"], prefetch != .null, prefetch != .array([]) {
            throw OctantError(
                .badRequest,
                "A query is needed to merge the prefetches. Can't have prefetches without defining a query.")
        }
        try fields.refuse("prefetch") { _, value in value == .array([]) }
        if legacy, request.query == nil { throw .json("missing field `vector`") }
        if !legacy { request.using = try fields.string("using") ?? "" }
        request.filter = try fields.filter()
        if let params = try fields.fields("params") { request.params = try SearchParams(params) }
        request.scoreThreshold = try fields.double("score_threshold").map { Float($0) }
        if let limit = try fields.int("limit", or: "top", from: 1) {
            request.limit = limit
        } else if legacy {
            throw .json("missing field `limit`")
        }
        request.offset = try fields.int("offset") ?? 0
        (request.withPayload, request.withVector) = try fields.selectors(payload: .none)
        if request.query == nil, request.scoreThreshold != nil {
            throw OctantError(
                .badRequest,
                "A query is needed to use the score_threshold. Can't have score_threshold without defining a query.")
        }
        return request
    }

    /// The vector of a legacy search: bare, or with the name of the field it is searched in.
    private static func legacyVector(_ reader: inout JSONReader) throws(OctantError) -> (Query?, String) {
        guard try reader.peek() == .object else {
            return (.nearest(.vector(try reader.readVector("vector"))), "")
        }
        var name = ""
        var vector: Vector?
        var first = true
        try reader.beginObject()
        while let key = try reader.nextKey(&first) {
            switch key {
            case "name": name = try reader.readString()
            case "vector": vector = try reader.readVector("vector.vector")
            default: try reader.skipValue()
            }
        }
        guard let vector else { throw reader.error("missing field `vector`") }
        return (.nearest(.vector(vector)), name)
    }

    private static func query(_ reader: inout JSONReader) throws(OctantError) -> Query? {
        if try reader.readNull() { return nil }
        let (start, depth) = (reader.at, reader.depth)
        guard try reader.peek() == .object else { return .nearest(try vectorInput(&reader)) }
        var query: Query?
        var first = true
        try reader.beginObject()
        while let key = try reader.nextKey(&first) {
            switch key {
            case "nearest": query = .nearest(try vectorInput(&reader))
            case "mmr" where try reader.readNull(): break
            case "indices", "values":
                // A bare sparse vector: from its beginning once more, as a vector.
                reader.at = start
                reader.depth = depth
                return .nearest(try vectorInput(&reader))
            case "text", "image", "object", "model", "options": throw .unsupported("Inference is")
            case "recommend", "discover", "context", "order_by", "fusion", "rrf", "formula", "sample", "mmr",
                "relevance_feedback":
                throw .unsupported("Query `\(key)` is")
            default: throw reader.error("data did not match any variant of query: unknown field `\(key)`")
            }
        }
        guard let query else { throw reader.error("data did not match any variant of query") }
        return query
    }

    private static func vectorInput(_ reader: inout JSONReader) throws(OctantError) -> VectorInput {
        switch try reader.peek() {
        case .array, .object: return .vector(try reader.readVector("query"))
        case .number, .string: return .id(try reader.readPointID())
        case .null, .bool: throw try reader.mismatch(expected: "a vector or a point id")
        }
    }

    /// `points/scroll`.
    package static func scroll(_ bytes: [UInt8]) throws(OctantError) -> ScrollRequest {
        let fields = try JSONFields(try JSONParser.parse(bytes), path: "internal")
        try fields.refuse("order_by", "shard_key")
        var request = ScrollRequest(filter: try fields.filter())
        if let offset = fields["offset"] { request.offset = try PointID(json: offset) }
        request.limit = try fields.int("limit", from: 1) ?? 10
        (request.withPayload, request.withVector) = try fields.selectors(payload: .all)
        return request
    }

    /// `points/count`.
    package static func count(_ bytes: [UInt8]) throws(OctantError) -> (filter: Filter?, exact: Bool) {
        let fields = try JSONFields(try JSONParser.parse(bytes), path: "internal")
        try fields.refuse("shard_key")
        return (try fields.filter(), try fields.bool("exact") ?? true)
    }

    /// `points` by ids.
    package static func retrieve(
        _ bytes: [UInt8]
    ) throws(OctantError) -> (ids: [PointID], payload: PayloadSelector, vector: VectorSelector) {
        let fields = try JSONFields(try JSONParser.parse(bytes), path: "internal")
        try fields.refuse("shard_key")
        guard let ids = try fields.array("ids") else { throw .json("missing field `ids`") }
        let (payload, vector) = try fields.selectors(payload: .all)
        return (try PointID.list(ids), payload, vector)
    }
}
