#if Server
import OctantModel
import OctantProtocol
import OctantService

extension PointsMethods {
    /// Ranked reads.
    static let queries: [GRPCMethod] = [
        read("Query", .query) {
            (service, collection, message: Qdrant_QueryPoints) throws(OctantError) in
            var response = Qdrant_QueryResponse()
            response.result = try points(service, collection, try QueryRequest(message))
            return response
        },
        read("QueryBatch", .queryBatch) {
            (service, collection, message: Qdrant_QueryBatchPoints) throws(OctantError) in
            let requests = try QueryRequest.batch(message.queryPoints, "query_points") {
                (query, path) throws(OctantError) in try QueryRequest(query, path)
            }
            var response = Qdrant_QueryBatchResponse()
            response.result = try batch(service, collection, requests)
            return response
        },
        read("QueryGroups", .queryGroups) {
            (service, collection, message: Qdrant_QueryPointGroups) throws(OctantError) in
            var response = Qdrant_QueryGroupsResponse()
            response.result = try groups(service, collection, try GroupsRequest(message))
            return response
        },
    ]

    /// The forms of ranked reads from before `Query`.
    static let older: [GRPCMethod] = [
        read("Search", .search) {
            (service, collection, message: Qdrant_SearchPoints) throws(OctantError) in
            var response = Qdrant_SearchResponse()
            response.result = try points(service, collection, try QueryRequest(message))
            return response
        },
        read("SearchBatch", .searchBatch) {
            (service, collection, message: Qdrant_SearchBatchPoints) throws(OctantError) in
            let requests = try QueryRequest.batch(message.searchPoints, "search_points") {
                (query, path) throws(OctantError) in try QueryRequest(query, path)
            }
            var response = Qdrant_SearchBatchResponse()
            response.result = try batch(service, collection, requests)
            return response
        },
        read("SearchGroups", .searchGroups) {
            (service, collection, message: Qdrant_SearchPointGroups) throws(OctantError) in
            var response = Qdrant_SearchGroupsResponse()
            response.result = try groups(service, collection, try GroupsRequest(message))
            return response
        },
        read("Recommend", .recommend) {
            (service, collection, message: Qdrant_RecommendPoints) throws(OctantError) in
            var response = Qdrant_RecommendResponse()
            response.result = try points(service, collection, try QueryRequest(message))
            return response
        },
        read("RecommendBatch", .recommendBatch) {
            (service, collection, message: Qdrant_RecommendBatchPoints) throws(OctantError) in
            let requests = try QueryRequest.batch(message.recommendPoints, "recommend_points") {
                (query, path) throws(OctantError) in try QueryRequest(query, path)
            }
            var response = Qdrant_RecommendBatchResponse()
            response.result = try batch(service, collection, requests)
            return response
        },
        read("RecommendGroups", .recommendGroups) {
            (service, collection, message: Qdrant_RecommendPointGroups) throws(OctantError) in
            var response = Qdrant_RecommendGroupsResponse()
            response.result = try groups(service, collection, try GroupsRequest(message))
            return response
        },
        read("Discover", .discover) {
            (service, collection, message: Qdrant_DiscoverPoints) throws(OctantError) in
            var response = Qdrant_DiscoverResponse()
            response.result = try points(service, collection, try QueryRequest(message))
            return response
        },
        read("DiscoverBatch", .discoverBatch) {
            (service, collection, message: Qdrant_DiscoverBatchPoints) throws(OctantError) in
            let requests = try QueryRequest.batch(message.discoverPoints, "discover_points") {
                (query, path) throws(OctantError) in try QueryRequest(query, path)
            }
            var response = Qdrant_DiscoverBatchResponse()
            response.result = try batch(service, collection, requests)
            return response
        },
    ]

    private static func points(
        _ service: Service, _ collection: String, _ request: QueryRequest
    ) throws(OctantError) -> [Qdrant_ScoredPoint] {
        try service.query(collection, request).map { Qdrant_ScoredPoint($0) }
    }

    private static func batch(
        _ service: Service, _ collection: String, _ requests: [QueryRequest]
    ) throws(OctantError) -> [Qdrant_BatchResult] {
        try service.queryBatch(collection, requests).map { Qdrant_BatchResult($0) }
    }

    private static func groups(
        _ service: Service, _ collection: String, _ request: GroupsRequest
    ) throws(OctantError) -> Qdrant_GroupsResult {
        Qdrant_GroupsResult(try service.queryGroups(collection, request))
    }
}
#endif
