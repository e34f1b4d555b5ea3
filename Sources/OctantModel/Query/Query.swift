/// What a query ranks by.
public indirect enum Query: Hashable, Sendable {
    /// Nearness to a vector.
    case nearest(VectorInput)
    /// Nearness to a vector, and difference from what was chosen already.
    case mmr(VectorInput, MMR)
    /// Likeness to some examples and unlikeness to others.
    case recommend(Recommendation)
    /// Nearness to a target in the part of space that pairs of examples mark out; the pairs weigh more.
    case discover(target: VectorInput, context: [ContextPair])
    /// Being on the positive side of every pair.
    case context([ContextPair])
    /// Nearness to a target, corrected by examples that were rated.
    case feedback(RelevanceFeedback)
    /// A number in the payload.
    case orderBy(OrderBy)
    /// Chance.
    case sample
    /// The ranks or scores in several lists of prefetched points.
    case fusion(Fusion)
    /// A formula over the scores and payload of prefetched points.
    case formula(Formula)
}

/// How much a search by `mmr` (maximal marginal relevance) cares for variety.
public struct MMR: Hashable, Sendable {
    /// From 0, nearness alone, to 1, variety alone.
    public var diversity: Float
    /// How many of the nearest are chosen from; unset: the limit.
    public var candidatesLimit: Int?

    /// The most candidates a request may ask for.
    public static let candidatesMax = 16_384

    /// Parameters.
    public init(diversity: Float = 0.5, candidatesLimit: Int? = nil) {
        self.diversity = diversity
        self.candidatesLimit = candidatesLimit
    }
}

/// Examples of what is wanted and what is not.
public struct Recommendation: Hashable, Sendable {
    /// How the examples make a score.
    public enum Strategy: String, Hashable, Sendable, CaseIterable {
        /// Search near the average of the positive ones, moved away from the average of the negative ones.
        case averageVector = "average_vector"
        /// The best similarity to an example, negated if the example is a negative one.
        case bestScore = "best_score"
        /// The similarities to the positive ones less those to the negative ones.
        case sumScores = "sum_scores"
    }

    /// What is wanted.
    public var positive: [VectorInput]
    /// What is not.
    public var negative: [VectorInput]
    /// How the examples make a score.
    public var strategy: Strategy

    /// Examples.
    public init(
        positive: [VectorInput] = [], negative: [VectorInput] = [], strategy: Strategy = .averageVector
    ) {
        self.positive = positive
        self.negative = negative
        self.strategy = strategy
    }
}

/// Two examples; what is wanted is nearer to the first.
public struct ContextPair: Hashable, Sendable {
    /// The example to be near.
    public var positive: VectorInput
    /// The example to be far from.
    public var negative: VectorInput

    /// A pair.
    public init(positive: VectorInput, negative: VectorInput) {
        self.positive = positive
        self.negative = negative
    }
}

/// A target and examples that somebody rated, with the coefficients of the `naive` strategy.
public struct RelevanceFeedback: Hashable, Sendable {
    /// A rated example.
    public struct Item: Hashable, Sendable {
        /// The example.
        public var example: VectorInput
        /// Its rating; only differences count.
        public var score: Float

        /// An item.
        public init(example: VectorInput, score: Float) {
            self.example = example
            self.score = score
        }
    }

    /// What was searched for.
    public var target: VectorInput
    /// The ratings; at least one.
    public var feedback: [Item]
    /// Weight of the target.
    public var a: Float
    /// Exponent of the difference of two ratings; not negative.
    public var b: Float
    /// Weight of the ratings.
    public var c: Float

    /// Feedback.
    public init(target: VectorInput, feedback: [Item], a: Float, b: Float, c: Float) {
        self.target = target
        self.feedback = feedback
        self.a = a
        self.b = b
        self.c = c
    }
}

/// How several lists become one.
public enum Fusion: Hashable, Sendable {
    /// Reciprocal ranks are summed: `1 / ((rank + 1) / weight + k - 1)`, the first rank being 0.
    case rrf(k: Int = 2, weights: [Float]? = nil)
    /// Scores are summed after the range of three standard deviations around each list's mean was brought to 0…1.
    case dbsf
}

/// Another collection that ids of examples are looked up in.
public struct LookupLocation: Hashable, Sendable {
    /// Its name.
    public var collection: String
    /// The vector's name there; unset: the one that is searched.
    public var vector: String?

    /// A place.
    public init(collection: String, vector: String? = nil) {
        self.collection = collection
        self.vector = vector
    }
}

/// A query whose result another query works on.
public struct Prefetch: Hashable, Sendable {
    /// Queries whose results this one works on; none: all points.
    public var prefetch: [Prefetch]
    /// What to rank by; `nil`: ascending by id.
    public var query: Query?
    /// The name of the vector to search; `""` is the unnamed one.
    public var using: String
    /// Which points may be returned, besides the filters around it.
    public var filter: Filter?
    /// Speed against precision.
    public var params: SearchParams
    /// Keep scores strictly better than this (not worse, for fusion and formulas).
    public var scoreThreshold: Float?
    /// How many points it hands on; at least 1.
    public var limit: Int
    /// Where ids of examples are looked up.
    public var lookupFrom: LookupLocation?

    /// How deep prefetches may be nested.
    public static let depthMax = 64
    /// How many queries there may be in one request.
    public static let countMax = 1_000

    /// A query inside a query.
    public init(
        prefetch: [Prefetch] = [], query: Query? = nil, using: String = "", filter: Filter? = nil,
        params: SearchParams = SearchParams(), scoreThreshold: Float? = nil, limit: Int = 10,
        lookupFrom: LookupLocation? = nil
    ) {
        self.prefetch = prefetch
        self.query = query
        self.using = using
        self.filter = filter
        self.params = params
        self.scoreThreshold = scoreThreshold
        self.limit = limit
        self.lookupFrom = lookupFrom
    }
}

/// A ranked read of points: the outermost query, whose members are the request's own, and what is returned of the points.
@dynamicMemberLookup
public struct QueryRequest: Hashable, Sendable {
    /// The outermost query; its filter holds for all inside it, its limit is how many points are returned.
    public var root: Prefetch
    /// How many of the best to leave out.
    public var offset: Int
    /// Parts of the payload to return.
    public var withPayload: PayloadSelector
    /// Vectors to return.
    public var withVector: VectorSelector

    /// A request.
    public init(
        prefetch: [Prefetch] = [], query: Query? = nil, using: String = "", filter: Filter? = nil,
        params: SearchParams = SearchParams(), scoreThreshold: Float? = nil, limit: Int = 10, offset: Int = 0,
        withPayload: PayloadSelector = .none, withVector: VectorSelector = .none, lookupFrom: LookupLocation? = nil
    ) {
        root = Prefetch(
            prefetch: prefetch, query: query, using: using, filter: filter, params: params,
            scoreThreshold: scoreThreshold, limit: limit, lookupFrom: lookupFrom)
        self.offset = offset
        self.withPayload = withPayload
        self.withVector = withVector
    }

    /// A member of the outermost query.
    @inlinable
    public subscript<Value>(dynamicMember member: WritableKeyPath<Prefetch, Value>) -> Value {
        get { root[keyPath: member] }
        set { root[keyPath: member] = newValue }
    }
}
