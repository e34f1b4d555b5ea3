import OctantModel
import OctantStorage

/// What searches that name a recall leave for background work: which vectors want a curve, and some of their queries.
struct RecallWishes: Sendable {
    /// Vectors whose curve is missing or of other data.
    var wanted: Set<String> = []
    /// Recent queries of each vector, in stored form.
    private(set) var recent: [String: [[Float]]] = [:]
    private var offered = 0

    /// Queries kept of a vector.
    static let recentMax = 256
    /// So many queries of users are a better sample than stored vectors.
    static let recentEnough = 100

    /// Keeps a query, by chance in place of an older one (Vitter 1985, algorithm R, with a memory of the last 4096).
    mutating func offer(_ query: [Float], _ using: String) {
        let count = recent[using]?.count ?? 0
        offered &+= 1
        if count < Self.recentMax {
            recent[using, default: []].append(query)
            return
        }
        var random = SplitMix(seed: UInt64(truncatingIfNeeded: offered))
        let place = Int(random.next() % 4096)
        if place < count { recent[using]?[place] = query }
    }
}

extension Shard {
    /// The plan with the `ef` chosen for searches that name a recall, and remembered parameters for those that name
    /// nothing.
    package func choosingSearches(of plan: QueryPlan, _ view: ReadView) -> QueryPlan {
        switch plan {
        case .merge(let plans, let stage): return .merge(plans.map { choosingSearches(of: $0, view) }, stage)
        case .points(let filter, var stage):
            switch stage.ranking {
            case .nearest(let examples): choose(&stage, examples, limit: stage.limit, view)
            case .mmr(let examples, _, let candidates): choose(&stage, examples, limit: candidates, view)
            default: return plan
            }
            return .points(filter, stage)
        }
    }

    private func choose(_ stage: inout QueryPlan.Stage, _ examples: Examples, limit: Int, _ view: ReadView) {
        guard !stage.params.exact, stage.params.hnswEF == nil, case .dense(let query)? = examples.vectors.first else {
            return
        }
        guard let recall = stage.params.recall else {
            guard let known = tuning.content.defaults.first(where: { $0.using == examples.using }) else { return }
            stage.params.use(known.search)
            return
        }
        guard recall < 1 else {
            stage.params.exact = true
            return
        }
        let limit = min(limit, max(view.liveCount, 1))
        recallWishes.withLock { $0.offer(query, examples.using) }
        guard let ef = ef(for: recall, limit: limit, examples.using, view) else {
            stage.params.exact = true
            return
        }
        let chosen = view.config.searchParams(using: examples.using, ef: ef)
        stage.params.hnswEF = chosen.hnswEF
        if stage.params.quantization == nil { stage.params.quantization = chosen.quantization }
    }

    /// The pool that reaches a recall, by the measured curve; without one that is of this configuration, a cautious one.
    /// `nil` if no pool that was measured reaches it.
    private func ef(for recall: Double, limit: Int, _ using: String, _ view: ReadView) -> Int? {
        let known = tuning.content.curves.first { $0.using == using }
        guard let basis = view.recallBasis(using, queriesWereGiven: false) else { return nil }
        if known?.basis.isOutdated(basis, recentQueries: recallWishes.withLock { $0.recent[using]?.count ?? 0 }) ?? true
        {
            recallWishes.withLock { _ = $0.wanted.insert(using) }
        }
        guard let known, known.basis.configuration == basis.configuration else {
            return RecallCurve.cautiousEF(recall: recall, limit: limit)
        }
        let wanted = known.basis.queriesWereGiven ? recall : TuningGoal.recallOfStored(recall)
        guard let ef = known.curves.ef(for: wanted, limit: limit) else { return nil }
        // Larger graphs want larger pools, somewhat less than in proportion to the square root; until it is measured.
        let before = Double(known.basis.rows) / Double(max(known.basis.parts, 1))
        let now = Double(basis.rows) / Double(max(basis.parts, 1))
        return now > before * 1.02 ? Int((Double(ef) * (now / max(before, 1)).squareRoot()).rounded(.up)) : ef
    }

    // MARK: Background sampling

    /// Stored vectors that stand in for queries.
    private static let sampleQueries = 200
    /// The share of a core that sampling takes.
    private static let sampleBudget = 0.5

    /// Measures the curve of a vector that searches ask for, if the collection is idle. Ends when a write arrives.
    func sampleRecallIfDue() {
        guard let using = recallWishes.withLock({ $0.wanted.first }), isIdle else { return }
        guard beginMeasuring() else { return }
        defer { background.change { $0.measuring -= 1 } }
        do {
            try sampleRecall(using)
        } catch is TuningCancelled {
            // The wish stays; the next idle time serves it.
            return
        } catch {
            log("\(path): the recall of searches was not measured: \(error)")
        }
        recallWishes.withLock { _ = $0.wanted.remove(using) }
    }

    private func sampleRecall(_ using: String) throws {
        let view = view
        let recent = recallWishes.withLock { $0.recent[using] ?? [] }
        let areGiven = recent.count >= RecallWishes.recentEnough
        guard let basis = view.recallBasis(using, queriesWereGiven: areGiven), view.liveCount > 0 else { return }
        let sample =
            areGiven
            ? try QuerySample(given: recent, using: using, view: view)
            : try QuerySample(stored: Self.sampleQueries, using: using, view: view, seed: view.lsn)
        let pacer = Pacer(budget: Self.sampleBudget) { [self] in isClosing || !isIdle }
        let truths = try ExactAnswers.compute(sample, limits: RecallSampler.limits, view: view, pacer: pacer)
        let curves = try RecallSampler(view: view, sample: sample, pacer: pacer).curves(among: truths)
        try tuning.keep(.init(using: using, basis: basis, curves: curves))
    }
}

extension TuningStore.Basis {
    /// Whether a curve of this basis should be measured anew on another: its configuration or number of parts differs,
    /// its number of points by more than a fifth, or queries of users are there that were not before.
    func isOutdated(_ now: TuningStore.Basis, recentQueries: Int) -> Bool {
        if configuration != now.configuration || parts != now.parts { return true }
        if abs(now.rows - rows) * 5 > max(rows, 1) { return true }
        return !queriesWereGiven && recentQueries >= RecallWishes.recentEnough
    }
}

extension SearchParams {
    /// Takes over what is unset.
    fileprivate mutating func use(_ search: TuningSearch) {
        if search.exact { exact = true }
        hnswEF = search.hnswEF
        if quantization == nil { quantization = search.params.quantization }
    }
}
