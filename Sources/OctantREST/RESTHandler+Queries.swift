import OctantModel
import OctantService

extension RESTHandler {
    /// Ranked reads and what is like them.
    func runQueries(_ request: RESTRequest) throws(OctantError) -> RESTResponse {
        let start = request.start
        let collection = try request.collection()
        try request.checkRead()
        switch request.operation {
        case .query: return try ranked(request, collection, .query)
        case .search: return try ranked(request, collection, .search)
        case .recommend: return try ranked(request, collection, .recommend)
        case .discover: return try ranked(request, collection, .discover)
        case .queryBatch: return try batch(request, collection, .query)
        case .searchBatch: return try batch(request, collection, .search)
        case .recommendBatch: return try batch(request, collection, .recommend)
        case .discoverBatch: return try batch(request, collection, .discover)
        case .queryGroups: return try groups(request, collection, .query)
        case .searchGroups: return try groups(request, collection, .search)
        case .recommendGroups: return try groups(request, collection, .recommend)
        case .facet:
            let hits = try service.facet(collection, try ReadsJSON.facet(request.body))
            return .result(since: start) { $0.value(hits) }
        case .matrixPairs:
            let matrix = try service.matrix(collection, try ReadsJSON.matrix(request.body))
            return .result(since: start) { $0.pairs(matrix) }
        default:
            let matrix = try service.matrix(collection, try ReadsJSON.matrix(request.body))
            return .result(since: start) { $0.offsets(matrix) }
        }
    }

    private func ranked(
        _ request: RESTRequest, _ collection: String, _ family: QueryFamily
    ) throws(OctantError) -> RESTResponse {
        if try request.flag("explain") {
            let (points, explanation) = try service.explain(collection, try ReadsJSON.query(request.body, family))
            return .result(since: request.start, more: ("explain", explanation.json)) {
                Self.write(points, family, &$0)
            }
        }
        let points = try service.query(collection, try ReadsJSON.query(request.body, family))
        return .result(since: request.start) { Self.write(points, family, &$0) }
    }

    private func batch(
        _ request: RESTRequest, _ collection: String, _ family: QueryFamily
    ) throws(OctantError) -> RESTResponse {
        let answers = try service.queryBatch(collection, try ReadsJSON.batch(request.body, family))
        return .result(since: request.start) { writer in
            writer.beginArray()
            for points in answers { Self.write(points, family, &writer) }
            writer.endArray()
        }
    }

    private func groups(
        _ request: RESTRequest, _ collection: String, _ family: QueryFamily
    ) throws(OctantError) -> RESTResponse {
        let groups = try service.queryGroups(collection, try ReadsJSON.groups(request.body, family))
        return .result(since: request.start) { $0.value(groups) }
    }

    /// The older forms are answered with the bare list.
    private static func write(_ points: [ScoredPoint], _ family: QueryFamily, _ writer: inout JSONWriter) {
        if family != .query { return writer.value(points) }
        writer.beginObject()
        writer.key("points")
        writer.value(points)
        writer.endObject()
    }
}
