/// What a user wants of a collection's searches. What is unset is not limited.
public struct TuningGoal: Sendable, Hashable {
    /// Share of the true nearest points that searches find, above 0 and at most 1.
    public var recall: Double?
    /// Bytes that vectors, codes and graph may take of memory; what is on disk takes none. Payload is not counted.
    public var memoryBytes: Int?
    /// Milliseconds of processor time that 95 of 100 searches stay within, on one thread.
    public var p95Milliseconds: Double?

    /// How many times as often real queries miss a neighbour as stored vectors in their place do: a stored vector is in the
    /// graph, among its neighbours; a query is not. Text embeddings showed 1.2.
    private static let missesOfQueries = 2.5

    /// The recall that searches for stored vectors must have, for those of real queries to have `recall`.
    package static func recallOfStored(_ recall: Double) -> Double { 1 - (1 - recall) / missesOfQueries }

    /// A goal.
    public init(recall: Double? = nil, memoryBytes: Int? = nil, p95Milliseconds: Double? = nil) {
        self.recall = recall
        self.memoryBytes = memoryBytes
        self.p95Milliseconds = p95Milliseconds
    }

    /// Throws `validation` for a number that no search can meet.
    public func check() throws(OctantError) {
        if let recall, !(recall > 0 && recall <= 1) {
            throw OctantError(.validation, "recall: value \(recall) invalid, must be above 0 and at most 1")
        }
        if let memoryBytes, memoryBytes < 1 {
            throw OctantError(.validation, "memory: value \(memoryBytes) invalid, must be 1 or larger")
        }
        if let p95Milliseconds, !(p95Milliseconds > 0 && p95Milliseconds.isFinite) {
            throw OctantError(.validation, "p95: value \(p95Milliseconds) invalid, must be above 0")
        }
    }
}

/// How a collection is measured.
public struct TuningOptions: Sendable {
    /// The dense vector's name.
    public var using = ""
    /// How many points a search is to find.
    public var limit = 10
    /// Queries as users ask them. They tell more than stored vectors, which stand in for them where there are none.
    public var queries: [[Float]] = []
    /// How many stored vectors stand in for queries, where ``queries`` is empty.
    public var sampleQueries = 300
    /// Whether configurations other than the present one are tried too, by building them of some of the points.
    public var triesConfigurations = true
    /// How many points such a trial is built of at most.
    public var sampleRows = 20_000
    /// The most bytes of original vectors at which what is recommended is built whole and measured again before it is
    /// recommended; 0: never.
    public var verifyBytes = 2 << 30
    /// The share of one core that measuring takes, above 0 and at most 1: it pauses for the rest.
    public var cpuBudget = 0.5
    /// Decides which points are sampled.
    public var seed: UInt64 = 1

    /// Defaults.
    public init() {}

    /// Throws `validation` for a number out of its range.
    public func check() throws(OctantError) {
        guard (1...1000).contains(limit) else {
            throw OctantError(.validation, "limit: value \(limit) invalid, must be from 1 to 1000")
        }
        guard (1...10_000).contains(sampleQueries), queries.count <= 10_000 else {
            throw OctantError(.validation, "queries: from 1 to 10000 can be measured")
        }
        guard sampleRows >= 1000 else {
            throw OctantError(.validation, "sample_rows: value \(sampleRows) invalid, must be 1000 or larger")
        }
        guard cpuBudget > 0, cpuBudget <= 1 else {
            throw OctantError(.validation, "cpu_budget: value \(cpuBudget) invalid, must be above 0 and at most 1")
        }
    }
}

/// How far tuning has come.
public struct TuningProgress: Sendable, Hashable {
    /// Steps done.
    public var done: Int
    /// Steps in all; grows where a recommendation is verified.
    public var total: Int
    /// What is being done.
    public var step: String

    /// A state of progress.
    public init(done: Int, total: Int, step: String) {
        self.done = done
        self.total = total
        self.step = step
    }
}
