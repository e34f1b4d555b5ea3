#if Server
import OctantModel
import OctantProtocol

/// What all ranked reads and prefetches have in common.
protocol RankedMessage {
    var hasFilter: Bool { get }
    var filter: Qdrant_Filter { get }
    var hasParams: Bool { get }
    var params: Qdrant_SearchParams { get }
}

/// A ranking that may leave out points by their scores.
protocol ThresholdMessage: RankedMessage {
    var hasScoreThreshold: Bool { get }
    var scoreThreshold: Float { get }
}

/// A ranking by a named vector, whose examples may be of another collection.
protocol LookupMessage: RankedMessage {
    var using: String { get }
    var hasLookupFrom: Bool { get }
    var lookupFrom: Qdrant_LookupLocation { get }
}

/// A query or prefetch of the present form.
protocol QueryMessage: ThresholdMessage, LookupMessage {
    var prefetch: [Qdrant_PrefetchQuery] { get }
    var hasQuery: Bool { get }
    var query: Qdrant_Query { get }
    var hasLimit: Bool { get }
    var limit: UInt64 { get }
}

/// What ranked reads have that are not inside another one.
protocol RankedReadMessage: RankedMessage, ShardedMessage {
    var hasWithPayload: Bool { get }
    var withPayload: Qdrant_WithPayloadSelector { get }
    var hasWithVectors: Bool { get }
    var withVectors: Qdrant_WithVectorsSelector { get }
}

/// What reads of groups have besides their query.
protocol GroupsMessage {
    var groupBy: String { get }
    var hasWithLookup: Bool { get }
    var withLookup: Qdrant_WithLookup { get }
}

extension Qdrant_PrefetchQuery: QueryMessage {}
extension Qdrant_QueryPoints: QueryMessage, RankedReadMessage {}
extension Qdrant_QueryPointGroups: QueryMessage, RankedReadMessage, GroupsMessage {}

/// The path of a member of a message that stands at `path`, empty at the top.
func member(_ key: String, of path: String) -> String { path.isEmpty ? key : "\(path).\(key)" }

extension QueryRequest {
    /// Reads what ranked reads have around `root`. `path` is where the message stands in the request, empty at the top.
    init(_ root: Prefetch, of message: some RankedReadMessage, _ path: String) throws(OctantError) {
        try message.refuseShardKey(path)
        self.init()
        self.root = root
        if message.hasWithPayload { withPayload = try PayloadSelector(message.withPayload) }
        if message.hasWithVectors { withVector = try VectorSelector(message.withVectors) }
    }

    /// Reads a query without its offset, which not all forms have.
    fileprivate init(unpaged message: some QueryMessage & RankedReadMessage, _ path: String) throws(OctantError) {
        try self.init(try Prefetch(message, path, depth: 0), of: message, path)
    }

    /// Reads `Query`, or one of a batch.
    init(_ message: Qdrant_QueryPoints, _ path: String = "") throws(OctantError) {
        try self.init(unpaged: message, path)
        if message.hasOffset { offset = Int(clamping: message.offset) }
        try checkRules()
    }

    /// Reads the queries of a batch, `name` of the message.
    static func batch<Message>(
        _ messages: [Message], _ name: String, _ read: (Message, String) throws(OctantError) -> QueryRequest
    ) throws(OctantError) -> [QueryRequest] {
        try checkBatch(messages.count)
        var requests: [QueryRequest] = []
        requests.reserveCapacity(messages.count)
        for message in messages { requests.append(try read(message, "\(name)[\(requests.count)]")) }
        return requests
    }
}

extension Prefetch {
    /// Reads the filter and the parameters.
    init(ranked message: some RankedMessage, _ path: String) throws(OctantError) {
        self.init()
        if message.hasFilter { filter = try Filter(message.filter, member("filter", of: path)) }
        if message.hasParams { params = try SearchParams(message.params, member("params", of: path)) }
    }

    /// Reads the score threshold.
    mutating func readThreshold(_ message: some ThresholdMessage) {
        if message.hasScoreThreshold { scoreThreshold = message.scoreThreshold }
    }

    /// Reads which vector ranks and where examples are.
    mutating func readVectorName(_ message: some LookupMessage, _ path: String) throws(OctantError) {
        using = message.using
        if message.hasLookupFrom {
            lookupFrom = try LookupLocation(message.lookupFrom, member("lookup_from", of: path))
        }
    }

    /// Reads the limit.
    mutating func readLimit(_ count: some BinaryInteger, _ path: String) throws(OctantError) {
        limit = try CountBounds.limit.check(Int(clamping: count), member("limit", of: path))
    }

    fileprivate init(_ message: some QueryMessage, _ path: String, depth: Int) throws(OctantError) {
        try self.init(ranked: message, path)
        prefetch = try Self.list(message.prefetch, member("prefetch", of: path), depth: depth + 1)
        if message.hasQuery { query = try Query(message.query) }
        readThreshold(message)
        try readVectorName(message, path)
        if message.hasLimit { try readLimit(message.limit, path) }
    }

    private static func list(
        _ messages: [Qdrant_PrefetchQuery], _ path: String, depth: Int
    ) throws(OctantError) -> [Prefetch] {
        guard !messages.isEmpty else { return [] }
        try checkDepth(depth)
        try checkCount(messages.count)
        var list: [Prefetch] = []
        for message in messages { list.append(try Prefetch(message, "\(path)[\(list.count)]", depth: depth)) }
        return list
    }
}

extension GroupsRequest {
    /// Reads `QueryGroups`.
    init(_ message: Qdrant_QueryPointGroups) throws(OctantError) {
        let query = try QueryRequest(unpaged: message, "")
        try self.init(query, of: message, size: message.hasGroupSize ? message.groupSize : nil)
    }

    /// Reads what all reads of groups have around a query. `size` is of a group, if it is said.
    init(_ query: QueryRequest, of message: some GroupsMessage, size: UInt64?) throws(OctantError) {
        try query.checkRules()
        self.init(query: query, groupBy: try PayloadPath(message.groupBy))
        if let size { groupSize = try CountBounds.groupSize.check(Int(clamping: size), "group_size") }
        if message.hasWithLookup { withLookup = try GroupLookup(message.withLookup) }
    }
}

extension GroupLookup {
    /// Reads `with_lookup`.
    init(_ message: Qdrant_WithLookup) throws(OctantError) {
        self.init(collection: message.collection)
        if message.hasWithPayload { withPayload = try PayloadSelector(message.withPayload) }
        if message.hasWithVectors { withVector = try VectorSelector(message.withVectors) }
    }
}

extension FacetRequest {
    /// Reads `Facet`.
    init(_ message: Qdrant_FacetCounts) throws(OctantError) {
        try message.refuseShardKey()
        self.init(key: try PayloadPath(message.key), exact: message.exact)
        if message.hasFilter { filter = try Filter(message.filter) }
        if message.hasLimit { limit = try CountBounds.limit.check(Int(clamping: message.limit), "limit") }
    }
}

extension MatrixRequest {
    /// Reads `SearchMatrixPairs` and `SearchMatrixOffsets`.
    init(_ message: Qdrant_SearchMatrixPoints) throws(OctantError) {
        try message.refuseShardKey()
        self.init(using: message.using)
        if message.hasFilter { filter = try Filter(message.filter) }
        if message.hasSample { sample = try CountBounds.sample.check(Int(clamping: message.sample), "sample") }
        if message.hasLimit { limit = try CountBounds.limit.check(Int(clamping: message.limit), "limit") }
    }
}

extension ScrollRequest {
    /// Reads `Scroll`.
    init(_ message: Qdrant_ScrollPoints) throws(OctantError) {
        try message.refuseShardKey()
        self.init()
        if message.hasFilter { filter = try Filter(message.filter) }
        if message.hasOffset { offset = try PointID(message.offset, "offset") }
        if message.hasLimit { limit = try CountBounds.limit.check(Int(clamping: message.limit), "limit") }
        if message.hasWithPayload { withPayload = try PayloadSelector(message.withPayload) }
        if message.hasWithVectors { withVector = try VectorSelector(message.withVectors) }
        if message.hasOrderBy { orderBy = try OrderBy(message.orderBy) }
    }
}
#endif
