#if Server
import OctantModel
import OctantProtocol
import OctantService

extension PointsMethods {
    /// Ranked reads.
    static let queries: [GRPCMethod] = [
        ranked("Query", .query, Qdrant_QueryResponse.self, points) {
            (message: Qdrant_QueryPoints) throws(OctantError) in try QueryRequest(message)
        },
        ranked("QueryBatch", .queryBatch, Qdrant_QueryBatchResponse.self, batch) {
            (message: Qdrant_QueryBatchPoints) throws(OctantError) in
            try QueryRequest.batch(message.queryPoints, "query_points", QueryRequest.init)
        },
        ranked("QueryGroups", .queryGroups, Qdrant_QueryGroupsResponse.self, groups) {
            (message: Qdrant_QueryPointGroups) throws(OctantError) in try GroupsRequest(message)
        },
    ]

    /// The forms of ranked reads from before `Query`.
    static let older: [GRPCMethod] = [
        ranked("Search", .search, Qdrant_SearchResponse.self, points) {
            (message: Qdrant_SearchPoints) throws(OctantError) in try QueryRequest(message)
        },
        ranked("SearchBatch", .searchBatch, Qdrant_SearchBatchResponse.self, batch) {
            (message: Qdrant_SearchBatchPoints) throws(OctantError) in
            try QueryRequest.batch(message.searchPoints, "search_points", QueryRequest.init)
        },
        ranked("SearchGroups", .searchGroups, Qdrant_SearchGroupsResponse.self, groups) {
            (message: Qdrant_SearchPointGroups) throws(OctantError) in try GroupsRequest(message)
        },
        ranked("Recommend", .recommend, Qdrant_RecommendResponse.self, points) {
            (message: Qdrant_RecommendPoints) throws(OctantError) in try QueryRequest(message)
        },
        ranked("RecommendBatch", .recommendBatch, Qdrant_RecommendBatchResponse.self, batch) {
            (message: Qdrant_RecommendBatchPoints) throws(OctantError) in
            try QueryRequest.batch(message.recommendPoints, "recommend_points", QueryRequest.init)
        },
        ranked("RecommendGroups", .recommendGroups, Qdrant_RecommendGroupsResponse.self, groups) {
            (message: Qdrant_RecommendPointGroups) throws(OctantError) in try GroupsRequest(message)
        },
        ranked("Discover", .discover, Qdrant_DiscoverResponse.self, points) {
            (message: Qdrant_DiscoverPoints) throws(OctantError) in try QueryRequest(message)
        },
        ranked("DiscoverBatch", .discoverBatch, Qdrant_DiscoverBatchResponse.self, batch) {
            (message: Qdrant_DiscoverBatchPoints) throws(OctantError) in
            try QueryRequest.batch(message.discoverPoints, "discover_points", QueryRequest.init)
        },
    ]

    /// A ranked read: `read` makes what is asked of the message, `answer` finds the result.
    private static func ranked<Request: ReadMessage, Response: ResultMessage, Asked>(
        _ name: String, _ operation: OctantService.Operation, _: Response.Type,
        _ answer: @escaping @Sendable (Service, String, Asked) throws(OctantError) -> Response.Result,
        _ read: @escaping @Sendable (Request) throws(OctantError) -> Asked
    ) -> GRPCMethod {
        Self.read(name, operation) { (service, collection, message: Request) throws(OctantError) -> Response in
            var response = Response()
            response.result = try answer(service, collection, try read(message))
            return response
        }
    }

    @Sendable private static func points(
        _ service: Service, _ collection: String, _ request: QueryRequest
    ) throws(OctantError) -> [Qdrant_ScoredPoint] {
        try service.query(collection, request).map { Qdrant_ScoredPoint($0) }
    }

    @Sendable private static func batch(
        _ service: Service, _ collection: String, _ requests: [QueryRequest]
    ) throws(OctantError) -> [Qdrant_BatchResult] {
        try service.queryBatch(collection, requests).map { Qdrant_BatchResult($0) }
    }

    @Sendable private static func groups(
        _ service: Service, _ collection: String, _ request: GroupsRequest
    ) throws(OctantError) -> Qdrant_GroupsResult {
        Qdrant_GroupsResult(try service.queryGroups(collection, request))
    }
}
#endif
