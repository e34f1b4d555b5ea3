/// A ranked read of points in groups of equal values at a key.
public struct GroupsRequest: Hashable, Sendable {
    /// What to rank by. Its limit is the number of groups; its offset is not used.
    public var query: QueryRequest
    /// The key; an array puts a point into several groups.
    public var groupBy: PayloadPath
    /// Points of each group; at least 1.
    public var groupSize: Int
    /// Another collection whose points have the groups' values as ids.
    public var withLookup: GroupLookup?

    /// A read.
    public init(query: QueryRequest, groupBy: PayloadPath, groupSize: Int = 3, withLookup: GroupLookup? = nil) {
        self.query = query
        self.groupBy = groupBy
        self.groupSize = groupSize
        self.withLookup = withLookup
    }
}

/// Which point to add to each group: the one whose id is the group's value.
public struct GroupLookup: Hashable, Sendable {
    /// The collection of these points.
    public var collection: String
    /// Parts of the payload to return.
    public var withPayload: PayloadSelector
    /// Vectors to return.
    public var withVector: VectorSelector

    /// A lookup.
    public init(
        collection: String, withPayload: PayloadSelector = .all, withVector: VectorSelector = .none
    ) {
        self.collection = collection
        self.withPayload = withPayload
        self.withVector = withVector
    }
}

/// The value that the points of a group have in common.
public enum GroupID: Hashable, Sendable {
    /// Text.
    case string(String)
    /// A whole number.
    case integer(Int64)
    /// A whole number above `Int64.max`.
    case unsigned(UInt64)

    /// The id of the point that a lookup adds.
    public var pointID: PointID? {
        switch self {
        case .string(let text): UUIDValue(text).map(PointID.uuid)
        case .integer(let number): UInt64(exactly: number).map(PointID.number)
        case .unsigned(let number): .number(number)
        }
    }
}

/// The best points of one group.
public struct PointGroup: Hashable, Sendable {
    /// Their common value.
    public var id: GroupID
    /// The points, best first.
    public var hits: [ScoredPoint]
    /// The point that was looked up.
    public var lookup: Record?

    /// A group.
    public init(id: GroupID, hits: [ScoredPoint], lookup: Record? = nil) {
        self.id = id
        self.hits = hits
        self.lookup = lookup
    }
}
