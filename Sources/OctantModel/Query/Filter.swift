/// Which points a request is about: clauses that are ANDed.
public struct Filter: Hashable, Sendable {
    /// All of these hold.
    public var must: [Condition]
    /// At least one of these holds; no constraint when empty.
    public var should: [Condition]
    /// None of these holds.
    public var mustNot: [Condition]
    /// At least so many of these hold.
    public var minShould: MinShould?

    /// Some conditions and how many of them must hold.
    public struct MinShould: Hashable, Sendable {
        /// The conditions.
        public var conditions: [Condition]
        /// How many of them must hold.
        public var minCount: Int

        /// Makes the clause.
        public init(conditions: [Condition], minCount: Int) {
            self.conditions = conditions
            self.minCount = minCount
        }
    }

    /// A filter of these clauses.
    public init(
        must: [Condition] = [], should: [Condition] = [], mustNot: [Condition] = [], minShould: MinShould? = nil
    ) {
        self.must = must
        self.should = should
        self.mustNot = mustNot
        self.minShould = minShould
    }

    /// Whether every point passes.
    public var isEmpty: Bool { must.isEmpty && should.isEmpty && mustNot.isEmpty && minShould == nil }
}

/// One test of a point.
public indirect enum Condition: Hashable, Sendable {
    /// A test of the values at a key.
    case field(FieldCondition)
    /// The key is missing, null or an empty array.
    case isEmpty(PayloadPath)
    /// The value at the key is null.
    case isNull(PayloadPath)
    /// The point's id is one of these.
    case hasID(Set<PointID>)
    /// The point has the vector of this name (`""`: the default one).
    case hasVector(String)
    /// The point's id is in this slice of all ids.
    case slice(PointSlice)
    /// Some single object of the array at the key satisfies the whole filter.
    case nested(PayloadPath, Filter)
    /// A filter inside a filter.
    case filter(Filter)
}

/// A test of the values at a key. Several predicates in one condition are ORed; but `valuesCount`, `isEmpty` and
/// `isNull`, in this order, decide alone when present.
public struct FieldCondition: Hashable, Sendable {
    /// The key.
    public var key: PayloadPath
    /// The value equals, or is in a list.
    public var match: Match?
    /// The number is within bounds.
    public var range: NumberRange?
    /// The date is within bounds.
    public var dates: DateRange?
    /// The point on the Earth is inside any of these.
    public var geo: [GeoShape]
    /// How many values there are.
    public var valuesCount: CountRange?
    /// Whether the key is missing, null or empty.
    public var isEmpty: Bool?
    /// Whether a value is null.
    public var isNull: Bool?

    /// A condition on `key`.
    public init(
        key: PayloadPath, match: Match? = nil, range: NumberRange? = nil, dates: DateRange? = nil,
        geo: [GeoShape] = [], valuesCount: CountRange? = nil, isEmpty: Bool? = nil, isNull: Bool? = nil
    ) {
        self.key = key
        self.match = match
        self.range = range
        self.dates = dates
        self.geo = geo
        self.valuesCount = valuesCount
        self.isEmpty = isEmpty
        self.isNull = isNull
    }
}

/// A value that can be matched exactly.
public enum MatchValue: Hashable, Sendable {
    /// Text.
    case string(String)
    /// A whole number.
    case integer(Int64)
    /// A bool.
    case bool(Bool)
}

/// What a value is compared with.
public enum Match: Hashable, Sendable {
    /// Any element equals.
    case value(MatchValue)
    /// Any element is one of these strings or integers; an empty list matches nothing.
    case any([MatchValue])
    /// Any element is none of these; an empty list matches every point that has some value.
    case except([MatchValue])
    /// All tokens of this are in the elements; without a text index: any element contains this.
    case text(String)
    /// Some token of this is in the elements; without a text index: any element contains one of its words.
    case textAny(String)
    /// The words of this follow each other in some element.
    case phrase(String)
    /// Any element is a string that begins with this.
    case prefix(String)
    /// Any element is a string that contains this.
    case substring(String)
}

/// Bounds of a number; absent bounds do not constrain.
public struct NumberRange: Hashable, Sendable {
    /// Greater than.
    public var gt: Double?
    /// Greater than or equal.
    public var gte: Double?
    /// Less than.
    public var lt: Double?
    /// Less than or equal.
    public var lte: Double?

    /// Bounds.
    public init(gt: Double? = nil, gte: Double? = nil, lt: Double? = nil, lte: Double? = nil) {
        self.gt = gt
        self.gte = gte
        self.lt = lt
        self.lte = lte
    }

    /// Whether `value` is within the bounds.
    @inlinable
    public func contains(_ value: Double) -> Bool {
        if let gt, !(value > gt) { return false }
        if let gte, !(value >= gte) { return false }
        if let lt, !(value < lt) { return false }
        if let lte, !(value <= lte) { return false }
        return true
    }
}

/// Bounds of a count; absent bounds do not constrain.
public struct CountRange: Hashable, Sendable {
    /// Greater than.
    public var gt: Int?
    /// Greater than or equal.
    public var gte: Int?
    /// Less than.
    public var lt: Int?
    /// Less than or equal.
    public var lte: Int?

    /// Bounds.
    public init(gt: Int? = nil, gte: Int? = nil, lt: Int? = nil, lte: Int? = nil) {
        self.gt = gt
        self.gte = gte
        self.lt = lt
        self.lte = lte
    }

    /// Whether `value` is within the bounds.
    public func contains(_ value: Int) -> Bool {
        (gt.map { value > $0 } ?? true) && (gte.map { value >= $0 } ?? true) && (lt.map { value < $0 } ?? true)
            && (lte.map { value <= $0 } ?? true)
    }
}
