#if Server
import OctantModel
import OctantProtocol

/// What the two older forms of a recommendation have in common.
protocol RecommendMessage: RankedReadMessage, ShardedMessage {
    var positive: [Qdrant_PointId] { get }
    var negative: [Qdrant_PointId] { get }
    var positiveVectors: [Qdrant_Vector] { get }
    var negativeVectors: [Qdrant_Vector] { get }
    var strategy: Qdrant_RecommendStrategy { get }
    var using: String { get }
    var hasScoreThreshold: Bool { get }
    var scoreThreshold: Float { get }
    var hasLookupFrom: Bool { get }
    var lookupFrom: Qdrant_LookupLocation { get }
}

/// What the two older forms of a search by a vector have in common.
protocol SearchMessage: RankedReadMessage, ShardedMessage {
    var vector: [Float] { get }
    var hasSparseIndices: Bool { get }
    var sparseIndices: Qdrant_SparseIndices { get }
    var vectorName: String { get }
    var hasScoreThreshold: Bool { get }
    var scoreThreshold: Float { get }
}

extension Qdrant_SearchPoints: SearchMessage {}
extension Qdrant_SearchPointGroups: SearchMessage {}
extension Qdrant_RecommendPoints: RecommendMessage {}
extension Qdrant_RecommendPointGroups: RecommendMessage {}
extension Qdrant_DiscoverPoints: RankedReadMessage, ShardedMessage {}

extension QueryRequest {
    fileprivate init(search message: some SearchMessage, limit: some BinaryInteger, _ path: String) throws(OctantError)
    {
        try message.refuseShardKey(path)
        try self.init(parts: message, path)
        let vector: Vector =
            message.hasSparseIndices
            ? try .sparse(indices: message.sparseIndices.data, values: message.vector, member("vector", of: path))
            : try .dense(checked: message.vector, member("vector", of: path))
        root.query = .nearest(.vector(vector))
        root.using = message.vectorName
        if message.hasScoreThreshold { root.scoreThreshold = message.scoreThreshold }
        self.limit = try CountBounds.limit.check(Int(clamping: limit), member("limit", of: path))
    }

    fileprivate init(
        recommend message: some RecommendMessage, limit: some BinaryInteger, _ path: String
    ) throws(OctantError) {
        try message.refuseShardKey(path)
        try self.init(parts: message, path)
        root.query = .recommend(
            Recommendation(
                positive: try Self.examples(message.positive, message.positiveVectors, member("positive", of: path)),
                negative: try Self.examples(message.negative, message.negativeVectors, member("negative", of: path)),
                strategy: try Recommendation.Strategy(message.strategy)))
        root.using = message.using
        if message.hasScoreThreshold { root.scoreThreshold = message.scoreThreshold }
        if message.hasLookupFrom {
            root.lookupFrom = try LookupLocation(message.lookupFrom, member("lookup_from", of: path))
        }
        self.limit = try CountBounds.limit.check(Int(clamping: limit), member("limit", of: path))
    }

    /// Ids, then vectors.
    private static func examples(
        _ ids: [Qdrant_PointId], _ vectors: [Qdrant_Vector], _ path: String
    ) throws(OctantError) -> [VectorInput] {
        var examples = try PointID.list(ids, path).map(VectorInput.id)
        for vector in vectors { examples.append(.vector(try Vector(vector, path))) }
        return examples
    }

    /// Reads `Search`, or one of a batch.
    init(_ message: Qdrant_SearchPoints, _ path: String = "") throws(OctantError) {
        try self.init(search: message, limit: message.limit, path)
        if message.hasOffset { offset = Int(clamping: message.offset) }
        try checkRules()
    }

    /// Reads `Recommend`, or one of a batch.
    init(_ message: Qdrant_RecommendPoints, _ path: String = "") throws(OctantError) {
        try self.init(recommend: message, limit: message.limit, path)
        if message.hasOffset { offset = Int(clamping: message.offset) }
        try checkRules()
    }

    /// Reads `Discover`, or one of a batch.
    init(_ message: Qdrant_DiscoverPoints, _ path: String = "") throws(OctantError) {
        try message.refuseShardKey(path)
        try self.init(parts: message, path)
        var target: VectorInput?
        if message.hasTarget {
            guard case .single(let example)? = message.target.target else { throw .missing("single", in: "target") }
            target = try VectorInput(example)
        }
        root.query = try .discovery(target: target, context: try ContextPair.list(message.context))
        root.using = message.using
        if message.hasLookupFrom {
            root.lookupFrom = try LookupLocation(message.lookupFrom, member("lookup_from", of: path))
        }
        root.limit = try CountBounds.limit.check(Int(clamping: message.limit), member("limit", of: path))
        if message.hasOffset { offset = Int(clamping: message.offset) }
        try checkRules()
    }
}

extension GroupsRequest {
    /// Reads `SearchGroups`.
    init(_ message: Qdrant_SearchPointGroups) throws(OctantError) {
        let query = try QueryRequest(search: message, limit: message.limit, "")
        try self.init(query, message.groupBy, message.groupSize, message.hasWithLookup ? message.withLookup : nil)
    }

    /// Reads `RecommendGroups`.
    init(_ message: Qdrant_RecommendPointGroups) throws(OctantError) {
        let query = try QueryRequest(recommend: message, limit: message.limit, "")
        try self.init(query, message.groupBy, message.groupSize, message.hasWithLookup ? message.withLookup : nil)
    }

    private init(
        _ query: QueryRequest, _ groupBy: String, _ groupSize: UInt32, _ lookup: Qdrant_WithLookup?
    ) throws(OctantError) {
        try query.checkRules()
        self.init(
            query: query, groupBy: try PayloadPath(groupBy),
            groupSize: try CountBounds.groupSize.check(Int(clamping: groupSize), "group_size"))
        if let lookup { withLookup = try GroupLookup(lookup) }
    }
}
#endif
