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

/// What ranked reads have that are not inside another one.
protocol RankedReadMessage: RankedMessage {
    var hasWithPayload: Bool { get }
    var withPayload: Qdrant_WithPayloadSelector { get }
    var hasWithVectors: Bool { get }
    var withVectors: Qdrant_WithVectorsSelector { get }
}

/// What ranked reads of the present form have in common.
protocol QueryMessage: RankedReadMessage, ShardedMessage {
    var prefetch: [Qdrant_PrefetchQuery] { get }
    var hasQuery: Bool { get }
    var query: Qdrant_Query { get }
    var using: String { get }
    var hasScoreThreshold: Bool { get }
    var scoreThreshold: Float { get }
    var hasLimit: Bool { get }
    var limit: UInt64 { get }
    var hasLookupFrom: Bool { get }
    var lookupFrom: Qdrant_LookupLocation { get }
}

extension Qdrant_PrefetchQuery: RankedMessage {}
extension Qdrant_QueryPoints: QueryMessage {}
extension Qdrant_QueryPointGroups: QueryMessage {}

/// The path of a member of a message that stands at `path`, empty at the top.
func member(_ key: String, of path: String) -> String { path.isEmpty ? key : "\(path).\(key)" }

extension QueryRequest {
    /// Reads what all ranked reads have; the rest stays unset. `path` is where it stands in the request, empty at the
    /// top.
    init(parts message: some RankedReadMessage, _ path: String) throws(OctantError) {
        self.init()
        if message.hasFilter { root.filter = try Filter(message.filter, member("filter", of: path)) }
        if message.hasParams { root.params = try SearchParams(message.params, member("params", of: path)) }
        if message.hasWithPayload { withPayload = try PayloadSelector(message.withPayload) }
        if message.hasWithVectors { withVector = try VectorSelector(message.withVectors) }
    }

    /// Reads a query without its offset, which not all forms have.
    fileprivate init(unpaged message: some QueryMessage, _ path: String) throws(OctantError) {
        try message.refuseShardKey(path)
        try self.init(parts: message, path)
        root.prefetch = try Prefetch.list(message.prefetch, member("prefetch", of: path), depth: 1)
        if message.hasQuery { root.query = try Query(message.query) }
        root.using = message.using
        if message.hasScoreThreshold { root.scoreThreshold = message.scoreThreshold }
        if message.hasLimit {
            root.limit = try CountBounds.limit.check(Int(clamping: message.limit), member("limit", of: path))
        }
        if message.hasLookupFrom {
            root.lookupFrom = try LookupLocation(message.lookupFrom, member("lookup_from", of: path))
        }
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
    fileprivate static func list(
        _ messages: [Qdrant_PrefetchQuery], _ path: String, depth: Int
    ) throws(OctantError) -> [Prefetch] {
        guard !messages.isEmpty else { return [] }
        try checkDepth(depth)
        try checkCount(messages.count)
        var list: [Prefetch] = []
        for message in messages { list.append(try Prefetch(message, "\(path)[\(list.count)]", depth: depth)) }
        return list
    }

    private init(_ message: Qdrant_PrefetchQuery, _ path: String, depth: Int) throws(OctantError) {
        self.init(prefetch: try Self.list(message.prefetch, "\(path).prefetch", depth: depth + 1))
        if message.hasQuery { query = try Query(message.query) }
        using = message.using
        if message.hasFilter { filter = try Filter(message.filter, "\(path).filter") }
        if message.hasParams { params = try SearchParams(message.params, "\(path).params") }
        if message.hasScoreThreshold { scoreThreshold = message.scoreThreshold }
        if message.hasLimit { limit = try CountBounds.limit.check(Int(clamping: message.limit), "\(path).limit") }
        if message.hasLookupFrom { lookupFrom = try LookupLocation(message.lookupFrom, "\(path).lookup_from") }
    }
}

extension GroupsRequest {
    /// Reads `QueryGroups`.
    init(_ message: Qdrant_QueryPointGroups) throws(OctantError) {
        let query = try QueryRequest(unpaged: message, "")
        try query.checkRules()
        self.init(query: query, groupBy: try PayloadPath(message.groupBy))
        if message.hasGroupSize {
            groupSize = try CountBounds.groupSize.check(Int(clamping: message.groupSize), "group_size")
        }
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
