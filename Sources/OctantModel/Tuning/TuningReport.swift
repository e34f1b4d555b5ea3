/// A configuration of one vector that was measured: what differs from the present one.
public struct TuningConfiguration: Sendable, Hashable {
    /// Its compression, if it is not the present one.
    public var quantization: QuantizationPatch?
    /// Links per node of the graph.
    public var m: Int?
    /// Candidates kept while the graph is built.
    public var efConstruct: Int?
    /// Whether the original vectors are on disk.
    public var originalsOnDisk: Bool?
    /// Words for a person.
    public var name: String

    /// The present configuration.
    public static let current = TuningConfiguration(name: "current")

    /// A configuration.
    public init(
        quantization: QuantizationPatch? = nil, m: Int? = nil, efConstruct: Int? = nil,
        originalsOnDisk: Bool? = nil, name: String
    ) {
        self.quantization = quantization
        self.m = m
        self.efConstruct = efConstruct
        self.originalsOnDisk = originalsOnDisk
        self.name = name
    }

    /// Whether nothing is to be changed.
    public var isCurrent: Bool { quantization == nil && m == nil && efConstruct == nil && originalsOnDisk == nil }

    /// The change that makes it the configuration of the vector `using`; `nil` if there is nothing to change.
    public func patch(using: String) -> CollectionPatch? {
        guard !isCurrent else { return nil }
        var hnsw: HNSWConfigDiff?
        if m != nil || efConstruct != nil {
            var diff = HNSWConfigDiff()
            diff.m = m
            diff.efConstruct = efConstruct
            hnsw = diff
        }
        var memory: MemoryPlacement?
        if let originalsOnDisk { memory = originalsOnDisk ? .cold : .cached }
        var patch = CollectionPatch()
        // Compression of the collection holds for a vector that has none of its own, so "none" is said there too.
        if case .disabled? = quantization { patch.quantization = .disabled }
        patch.vectors = [
            VectorPatch(
                name: using, hnsw: hnsw, quantization: quantization, onDisk: originalsOnDisk, memory: memory)
        ]
        return patch
    }
}

/// How a search was done that was measured.
public struct TuningSearch: Sendable, Hashable {
    /// Candidates kept during the walk; `nil` for exact searches.
    public var hnswEF: Int?
    /// Whether every vector was compared.
    public var exact: Bool
    /// Whether candidates were scored again by the original vectors; `nil`: as the scheme says.
    public var rescore: Bool?
    /// How many times the limit candidates were fetched for that.
    public var oversampling: Double?

    /// A way to search.
    public init(hnswEF: Int? = nil, exact: Bool = false, rescore: Bool? = nil, oversampling: Double? = nil) {
        self.hnswEF = hnswEF
        self.exact = exact
        self.rescore = rescore
        self.oversampling = oversampling
    }

    /// The parameters of such a search.
    public var params: SearchParams {
        var params = SearchParams(hnswEF: hnswEF, exact: exact)
        if rescore != nil || oversampling != nil {
            params.quantization = QuantizationSearchParams(rescore: rescore, oversampling: oversampling)
        }
        return params
    }
}

/// One point of the grid: a configuration, a way to search, and what was measured.
public struct TuningPoint: Sendable, Hashable {
    /// Where the figures come from.
    public enum Source: String, Sendable, Hashable {
        /// Measured on all points.
        case measured
        /// Measured on some of the points; recall and time are corrected for the number of all.
        case predicted
    }

    /// The configuration.
    public var configuration: TuningConfiguration
    /// The way to search.
    public var search: TuningSearch
    /// Share of the true nearest points that were found, mean over the queries.
    public var recall: Double
    /// Standard error of ``recall``.
    public var recallError: Double
    /// Microseconds of processor time of a search on one thread, median.
    public var p50Microseconds: Double
    /// The same, 95th percentile.
    public var p95Microseconds: Double
    /// Bytes of vectors, codes and graph that are to be in memory.
    public var memoryBytes: Int
    /// Where the figures come from.
    public var source: Source
    /// Whether no other point is as good in all of recall, time and memory, and better in one.
    public var isParetoOptimal = false

    /// A point.
    public init(
        configuration: TuningConfiguration, search: TuningSearch, recall: Double, recallError: Double,
        p50Microseconds: Double, p95Microseconds: Double, memoryBytes: Int, source: Source
    ) {
        self.configuration = configuration
        self.search = search
        self.recall = recall
        self.recallError = recallError
        self.p50Microseconds = p50Microseconds
        self.p95Microseconds = p95Microseconds
        self.memoryBytes = memoryBytes
        self.source = source
    }

    /// The recall that other queries reach too, but for one case in six: one standard error below the mean.
    public var safeRecall: Double { max(0, recall - recallError) }

    /// Whether this is at least as good as `other` in everything and better in something.
    func dominates(_ other: TuningPoint) -> Bool {
        guard recall >= other.recall, p50Microseconds <= other.p50Microseconds, memoryBytes <= other.memoryBytes else {
            return false
        }
        return recall > other.recall || p50Microseconds < other.p50Microseconds || memoryBytes < other.memoryBytes
    }
}

/// What tuning found.
public struct TuningReport: Sendable, Hashable {
    /// The vector's name.
    public var using: String
    /// How many points a search was to find.
    public var limit: Int
    /// How many points have the vector.
    public var rows: Int
    /// How many queries were asked.
    public var queries: Int
    /// Whether they were given, not taken from the stored vectors.
    public var queriesWereGiven: Bool
    /// What was wanted.
    public var goal: TuningGoal
    /// All that was measured, in the order it was.
    public var points: [TuningPoint]
    /// The place in ``points`` of what is recommended: the cheapest that meets the goal, or else the nearest to it;
    /// `nil` if nothing was measured.
    public var recommended: Int?
    /// Whether the recommended point meets the goal.
    public var meetsGoal: Bool
    /// What the outcome is, in a sentence or two.
    public var statement: String
    /// Whether the recommendation was put into force.
    public var applied = false

    /// A report of points: marks those on the Pareto front and chooses.
    public init(
        using: String, limit: Int, rows: Int, queries: Int, queriesWereGiven: Bool, goal: TuningGoal,
        points: [TuningPoint]
    ) {
        self.using = using
        self.limit = limit
        self.rows = rows
        self.queries = queries
        self.queriesWereGiven = queriesWereGiven
        self.goal = goal
        var marked = points
        for place in marked.indices {
            let point = marked[place]
            marked[place].isParetoOptimal = !marked.contains { $0.dominates(point) }
        }
        self.points = marked
        var measure = goal
        if !queriesWereGiven { measure.recall = goal.recall.map { TuningGoal.recallOfStored($0) } }
        let choice = TuningChoice(goal: measure, points: marked)
        recommended = choice.place
        meetsGoal = choice.meetsGoal
        statement = choice.statement
    }

    /// What is recommended.
    public var recommendation: TuningPoint? { recommended.map { points[$0] } }
}
