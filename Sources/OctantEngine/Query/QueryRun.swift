package import OctantModel
import OctantVectors

/// A plan being run on a view.
package struct QueryRun: Sendable {
    let view: ReadView
    let pool: ComputePool
    let trace: SearchTrace?

    /// A run on `view`, with help of idle threads of `pool`.
    package init(view: ReadView, pool: ComputePool, trace: SearchTrace? = nil) {
        self.view = view
        self.trace = trace
        self.pool = pool
    }

    /// A point and its reported score.
    package struct Ranked: Sendable {
        package var id: PointID
        package var hit: ReadView.Hit
        package var score: Float
        /// The value it was ordered by.
        package var orderValue: OrderValue?
    }

    /// The points the plan finds, best first.
    package func run(_ plan: QueryPlan) throws(OctantError) -> [Ranked] {
        switch plan {
        case .points(let filter, let stage):
            switch stage.ranking {
            case .nearest(let examples):
                return nearest(examples, filter, stage, limit: stage.limit)
            case .mmr(let examples, let diversity, let candidates):
                let found = nearest(examples, filter, stage, limit: candidates)
                return mmr(found, examples, diversity: diversity, limit: stage.limit)
            case .id:
                return view.page(filter, from: nil, limit: stage.limit).map {
                    Ranked(id: $0.id, hit: $0.hit, score: 1)
                }
            default: return try rank(view.candidates(filter), [], stage)
            }
        case .merge(let plans, let stage):
            var lists: [[Ranked]] = []
            for plan in plans { lists.append(try run(plan)) }
            switch stage.ranking {
            case .nearest(let examples):
                return rescored(lists, examples, stage, limit: stage.limit)
            case .mmr(let examples, let diversity, let candidates):
                let found = rescored(lists, examples, stage, limit: candidates)
                return mmr(found, examples, diversity: diversity, limit: stage.limit)
            case .fusion(let fusion): return fused(lists, fusion, stage)
            default: return try rank(view.candidates(lists), lists, stage)
            }
        }
    }

    /// Rankings that are the same for all points and for points that were prefetched.
    private func rank(
        _ parts: [CandidatePart], _ lists: [[Ranked]], _ stage: QueryPlan.Stage
    ) throws(OctantError) -> [Ranked] {
        switch stage.ranking {
        case .custom(let examples, let score):
            let found = scored(parts, examples, score, limit: clamped(stage.limit))
            return Self.better(found, than: stage.threshold, examples.distance)
        case .orderBy(let order): return ordered(parts, by: order, limit: stage.limit)
        case .sample: return sampled(parts, limit: clamped(stage.limit))
        case .formula(let formula):
            let found = try computed(parts, lists, formula)
            return Array(Self.atLeast(stage.threshold, found).prefix(stage.limit))
        case .id, .nearest, .mmr, .fusion: return []
        }
    }

    /// No more than there are points.
    private func clamped(_ limit: Int) -> Int { min(limit, max(view.liveCount, 1)) }

    // MARK: Vectors

    private func nearest(
        _ examples: Examples, _ filter: Filter?, _ stage: QueryPlan.Stage, limit: Int
    ) -> [Ranked] {
        guard let query = examples.vectors.first else { return [] }
        let (target, distance) = view.target(of: query, using: examples.using)
        let (filter, excluded) = Self.onlyExclusion(filter)
        var search = NearestSearch(
            using: examples.using, distance: distance, target: target, filter: filter, excluded: excluded,
            params: stage.params, limit: clamped(limit))
        search.trace = trace
        let found = search.run(view, pool: pool).map {
            Ranked(
                id: $0.id, hit: $0.hit,
                score: DenseKernels.reportedScore(examples.distance, similarity: $0.similarity))
        }
        return Self.better(found, than: stage.threshold, examples.distance)
    }

    /// Takes one excluded point out of a filter: a search leaves out a single row more cheaply than by a filter.
    private static func onlyExclusion(_ filter: Filter?) -> (Filter?, PointID?) {
        guard var filter, case .hasID(let ids)? = filter.mustNot.last, ids.count == 1, let id = ids.first else {
            return (filter, nil)
        }
        filter.mustNot.removeLast()
        return (filter.isEmpty ? nil : filter, id)
    }

    private func rescored(
        _ lists: [[Ranked]], _ examples: Examples, _ stage: QueryPlan.Stage, limit: Int
    ) -> [Ranked] {
        var found = scored(view.candidates(lists), examples, .similarity, limit: clamped(limit))
        for place in found.indices {
            found[place].score = DenseKernels.reportedScore(examples.distance, similarity: found[place].score)
        }
        return Self.better(found, than: stage.threshold, examples.distance)
    }

    /// The best of the candidates that have the vector, by an exact scan of each part.
    private func scored(
        _ parts: [CandidatePart], _ examples: Examples, _ score: CustomScore, limit: Int
    ) -> [Ranked] {
        let results = Monitor([[Ranked]](repeating: [], count: parts.count))
        let view = view
        let examples = examples.comparable(view)
        pool.parallel(parts.count) { number in
            let found = Self.scan(parts[number], view, examples, score, limit)
            results.withLock { $0[number] = found }
        }
        var all = results.withLock { $0.count == 1 ? $0[0] : Array($0.joined()) }
        if parts.count > 1 {
            all.sort { $0.score != $1.score ? $0.score > $1.score : $0.id < $1.id }
        }
        return Array(all.prefix(limit))
    }

    private static func scan(
        _ part: CandidatePart, _ view: ReadView, _ examples: Examples, _ score: CustomScore, _ limit: Int
    ) -> [Ranked] {
        guard let similarity = examples.similarity(in: part.source, view, overlapping: score == .similarity) else {
            return []
        }
        let count = similarity.exampleCount
        // A request may hold very many examples: the matrix stays small.
        let block = max(1, min(256, (1 << 20) / max(count, 1)))
        var best = BestRows(limit: limit, of: part.source)
        var rows: [UInt32] = []
        rows.reserveCapacity(block)
        var matrix = [Float](repeating: 0, count: max(block * count, 1))
        func flush() {
            matrix.withUnsafeMutableBufferPointer { matrix in
                rows.withUnsafeBufferPointer { rows in
                    guard let matrix = matrix.baseAddress, let base = rows.baseAddress else { return }
                    similarity.similarities(of: base, rows.count, into: matrix)
                    for place in 0..<rows.count {
                        best.insert(score.score(matrix + place, stride: rows.count, count: count), base[place])
                    }
                }
            }
            rows.removeAll(keepingCapacity: true)
        }
        part.forEach(view) { row in
            guard similarity.isPresent(row) else { return }
            rows.append(row)
            if rows.count == block { flush() }
        }
        flush()
        return best.finish()
    }

    /// Scores strictly better than a threshold, in the direction of the vector's distance. That holds for custom scores
    /// too, where larger is better: so it is in the protocol.
    private static func better(_ found: [Ranked], than threshold: Float?, _ distance: Distance) -> [Ranked] {
        guard let threshold else { return found }
        return found.filter { distance.largerIsBetter ? $0.score > threshold : $0.score < threshold }
    }

    private static func atLeast(_ threshold: Float?, _ found: [Ranked]) -> [Ranked] {
        guard let threshold else { return found }
        return found.filter { $0.score >= threshold }
    }

    // MARK: Fusion

    private func fused(_ lists: [[Ranked]], _ fusion: Fusion, _ stage: QueryPlan.Stage) -> [Ranked] {
        var hits: [PointID: ReadView.Hit] = [:]
        for list in lists {
            for point in list { hits[point.id] = point.hit }
        }
        let merged = fusion.merge(lists.map { list in list.map { (id: $0.id, score: $0.score) } })
        let found = merged.compactMap { entry in
            hits[entry.id].map { Ranked(id: entry.id, hit: $0, score: entry.score) }
        }
        return Array(Self.atLeast(stage.threshold, found).prefix(stage.limit))
    }
}
