#if Server
import OctantModel
import OctantProtocol

/// What the two older forms of a recommendation have in common.
protocol RecommendMessage: RankedReadMessage, ThresholdMessage, LookupMessage {
    var positive: [Qdrant_PointId] { get }
    var negative: [Qdrant_PointId] { get }
    var positiveVectors: [Qdrant_Vector] { get }
    var negativeVectors: [Qdrant_Vector] { get }
    var strategy: Qdrant_RecommendStrategy { get }
}

/// What the two older forms of a search by a vector have in common.
protocol SearchMessage: RankedReadMessage, ThresholdMessage {
    var vector: [Float] { get }
    var hasSparseIndices: Bool { get }
    var sparseIndices: Qdrant_SparseIndices { get }
    var vectorName: String { get }
}

extension Qdrant_SearchPoints: SearchMessage {}
extension Qdrant_SearchPointGroups: SearchMessage, GroupsMessage {}
extension Qdrant_RecommendPoints: RecommendMessage {}
extension Qdrant_RecommendPointGroups: RecommendMessage, GroupsMessage {}
extension Qdrant_DiscoverPoints: RankedReadMessage, LookupMessage {}

extension QueryRequest {
    fileprivate init(search message: some SearchMessage, limit: some BinaryInteger, _ path: String) throws(OctantError)
    {
        var root = try Prefetch(ranked: message, path)
        let vector: Vector =
            message.hasSparseIndices
            ? try .sparse(indices: message.sparseIndices.data, values: message.vector, member("vector", of: path))
            : try .dense(checked: message.vector, member("vector", of: path))
        root.query = .nearest(.vector(vector))
        root.using = message.vectorName
        root.readThreshold(message)
        try root.readLimit(limit, path)
        try self.init(root, of: message, path)
    }

    fileprivate init(
        recommend message: some RecommendMessage, limit: some BinaryInteger, _ path: String
    ) throws(OctantError) {
        var root = try Prefetch(ranked: message, path)
        root.query = .recommend(
            Recommendation(
                positive: try Self.examples(message.positive, message.positiveVectors, member("positive", of: path)),
                negative: try Self.examples(message.negative, message.negativeVectors, member("negative", of: path)),
                strategy: try Recommendation.Strategy(message.strategy)))
        root.readThreshold(message)
        try root.readVectorName(message, path)
        try root.readLimit(limit, path)
        try self.init(root, of: message, path)
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
        var root = try Prefetch(ranked: message, path)
        var target: VectorInput?
        if message.hasTarget {
            guard case .single(let example)? = message.target.target else { throw .missing("single", in: "target") }
            target = try VectorInput(example)
        }
        root.query = try .discovery(
            target: target, context: try ContextPair.list(message.context, VectorInput.init))
        try root.readVectorName(message, path)
        try root.readLimit(message.limit, path)
        try self.init(root, of: message, path)
        if message.hasOffset { offset = Int(clamping: message.offset) }
        try checkRules()
    }
}

extension GroupsRequest {
    /// Reads `SearchGroups`.
    init(_ message: Qdrant_SearchPointGroups) throws(OctantError) {
        let query = try QueryRequest(search: message, limit: message.limit, "")
        try self.init(query, of: message, size: UInt64(message.groupSize))
    }

    /// Reads `RecommendGroups`.
    init(_ message: Qdrant_RecommendPointGroups) throws(OctantError) {
        let query = try QueryRequest(recommend: message, limit: message.limit, "")
        try self.init(query, of: message, size: UInt64(message.groupSize))
    }
}
#endif
