/// How often each value of a key occurs. The key needs an index that knows matches.
public struct FacetRequest: Hashable, Sendable {
    /// The key.
    public var key: PayloadPath
    /// Which points are counted.
    public var filter: Filter?
    /// How many values to return, most frequent first; at least 1.
    public var limit: Int
    /// Whether counts must be exact. They always are.
    public var exact: Bool

    /// A count of values.
    public init(key: PayloadPath, filter: Filter? = nil, limit: Int = 10, exact: Bool = false) {
        self.key = key
        self.filter = filter
        self.limit = limit
        self.exact = exact
    }
}

/// A value and how many points have it.
public struct FacetHit: Hashable, Sendable {
    /// The value.
    public var value: MatchValue
    /// How many points have it.
    public var count: Int

    /// A hit.
    public init(value: MatchValue, count: Int) {
        self.value = value
        self.count = count
    }
}
