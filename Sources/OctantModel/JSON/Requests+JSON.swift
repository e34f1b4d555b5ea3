/// Bodies of reads.
package enum ReadsJSON {
    /// `points/query`.
    package static func query(_ bytes: [UInt8], _ family: QueryFamily = .query) throws(OctantError) -> QueryRequest {
        try JSONReader.read(bytes) { (reader) throws(OctantError) in
            try ranked(&reader, path: "internal", family).request
        }
    }

    /// `points/search`.
    package static func search(_ bytes: [UInt8]) throws(OctantError) -> QueryRequest { try query(bytes, .search) }

    /// `points/query/batch` and its older forms.
    package static func batch(_ bytes: [UInt8], _ family: QueryFamily) throws(OctantError) -> [QueryRequest] {
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
                    list.append(try ranked(&reader, path: "searches[\(list.count)].internal", family).request)
                }
                requests = list
            }
            guard let requests else { throw .json("missing field `searches`") }
            return requests
        }
    }

    /// One ranked read and its other members; vectors are decoded without a tree, all else by way of one.
    static func ranked(
        _ reader: inout JSONReader, path: String, _ family: QueryFamily, limitRequired: Bool = true
    ) throws(OctantError) -> (request: QueryRequest, fields: JSONFields) {
        var request = QueryRequest()
        var examples = LegacyExamples()
        var members: [(key: String, value: JSONValue)] = []
        var first = true
        try reader.beginObject()
        while let key = try reader.nextKey(&first) {
            switch (family, key) {
            case (.search, "vector"): (request.query, request.using) = try legacyVector(&reader)
            case (.query, "query"): request.query = try query(&reader)
            case (.query, "prefetch"):
                request.prefetch = try prefetches(&reader, path: "\(path).prefetch", depth: 1)
            case (.recommend, _), (.discover, _):
                if try examples.read(key, &reader) { continue }
                members.append((key, try reader.readValue()))
            default: members.append((key, try reader.readValue()))
            }
        }
        let fields = JSONFields(JSONObject(members), path: path)
        try fields.refuse("shard_key")
        switch family {
        case .query: break
        case .search where request.query == nil: throw .json("missing field `vector`")
        case .search: break
        case .recommend: request.query = .recommend(examples.recommendation)
        case .discover: request.query = try examples.discovery()
        }
        if family != .search { request.using = try fields.string("using") ?? "" }
        request.filter = try fields.filter()
        if let params = try fields.fields("params") { request.params = try SearchParams(params) }
        request.scoreThreshold = try fields.double("score_threshold").map { Float($0) }
        if let limit = try fields.int("limit", or: "top", from: 1) {
            request.limit = limit
        } else if family != .query, limitRequired {
            throw .json("missing field `limit`")
        }
        request.offset = try fields.int("offset") ?? 0
        (request.withPayload, request.withVector) = try fields.selectors(payload: .none)
        if family != .search { request.lookupFrom = try LookupLocation(fields) }
        try request.checkRules()
        return (request, fields)
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

    static func query(_ reader: inout JSONReader) throws(OctantError) -> Query? {
        if try reader.readNull() { return nil }
        let (start, depth) = (reader.at, reader.depth)
        guard try reader.peek() == .object else { return .nearest(try vectorInput(&reader)) }
        var query: Query?
        var mmr: MMR?
        var defaults: [String: Formula.Default] = [:]
        var first = true
        try reader.beginObject()
        while let key = try reader.nextKey(&first) {
            switch key {
            case "nearest": query = .nearest(try vectorInput(&reader))
            case "mmr" where try reader.readNull(): break
            case "indices", "values", "text", "image", "object", "model", "options":
                // A bare sparse vector or document: from its beginning once more, as a vector.
                reader.at = start
                reader.depth = depth
                return .nearest(try vectorInput(&reader))
            case "mmr": mmr = try MMR(json: try reader.readValue())
            case "defaults": defaults = try Formula.defaults(json: try reader.readValue())
            default:
                guard let made = try otherQuery(key, &reader) else {
                    throw reader.error("data did not match any variant of query: unknown field `\(key)`")
                }
                query = made
            }
        }
        guard let query else { throw reader.error("data did not match any variant of query") }
        switch query {
        case .nearest(let input): return mmr.map { .mmr(input, $0) } ?? query
        case .formula(let formula): return .formula(Formula(formula.expression, defaults: defaults))
        default: return query
        }
    }

    static func vectorInput(_ reader: inout JSONReader) throws(OctantError) -> VectorInput {
        switch try reader.peek() {
        case .array, .object: return .vector(try reader.readVector("query"))
        case .number, .string: return .id(try reader.readPointID())
        case .null, .bool: throw try reader.mismatch(expected: "a vector or a point id")
        }
    }

    /// `points/scroll`.
    package static func scroll(_ bytes: [UInt8]) throws(OctantError) -> ScrollRequest {
        let fields = try JSONFields(try JSONParser.parse(bytes), path: "internal")
        try fields.refuse("shard_key")
        var request = ScrollRequest(filter: try fields.filter())
        request.orderBy = try fields["order_by"].map { (value) throws(OctantError) in
            try OrderBy(json: value, path: fields.path("order_by"))
        }
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
