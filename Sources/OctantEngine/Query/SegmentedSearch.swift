import OctantModel
import OctantVectors

/// A search for a dense vector in several parts, as one: what a part has found bounds the work in the others.
///
/// First every part is searched, walks of graphs no further than their share of the pool. Then, when all know what the
/// others have found, walks that are among the best go on. At last the candidates of all parts are scored together.
struct SegmentedSearch {
    private let search: NearestSearch
    private let query: [Float]
    /// The largest first: the bound is the better the earlier much was seen, and threads end at about the same time.
    private let parts: [any RowSource]
    private let view: ReadView
    /// For each part, if the query is to be explained.
    private let traces: [PartTrace]

    init(_ search: NearestSearch, _ query: [Float], _ parts: [any RowSource], _ view: ReadView) {
        self.search = search
        self.query = query
        self.parts = parts.sorted { $0.rowCount > $1.rowCount }
        self.view = view
        traces = search.trace == nil ? [] : self.parts.map { PartTrace($0) }
    }

    /// What the search of one part gave.
    enum Answer: Sendable {
        /// Its best rows.
        case rows([ScoredRow])
        /// Candidates that are to be compared with those of other parts.
        case candidates(CandidatePool)
    }

    /// The best of all parts, best first.
    func run(_ pool: ComputePool) -> [NearestSearch.Found] {
        let efs = parts.compactMap { ($0 as? Segment)?.field(search.using)?.defaultEF }
        let options = DenseIndex.Options(
            limit: search.limit, ef: max(search.params.hnswEF ?? efs.max() ?? 0, search.limit),
            oversampling: search.params.quantization?.oversampling)
        let share =
            walksSeveral
            ? SharedBound(ef: options.poolSize, partRows: parts.map(\.rowCount))
            : SharedBound(ef: options.poolSize, partRows: [parts.reduce(0) { $0 + $1.rowCount }])
        let answers = Monitor([Answer](repeating: .rows([]), count: parts.count))
        let buffer = UnsafeMutablePointer<Float>.allocate(capacity: max(query.count, 1))
        buffer.initialize(from: query, count: query.count)
        defer { buffer.deallocate() }
        nonisolated(unsafe) let vector = UnsafePointer(buffer)
        let start = search.trace.map { _ in ContinuousClock.now }
        pool.parallel(parts.count) { [self] number in
            let trace = traces.isEmpty ? nil : traces[number]
            let start = trace.map { _ in ContinuousClock.now }
            let answer = answer(parts[number], vector, share, trace)
            if let trace, let start { trace.end(since: start) }
            answers.withLock { $0[number] = answer }
        }
        return merged(answers.withLock { $0 }, vector, share, pool, since: start)
    }

    /// Whether a graph is walked: what is near in one may be hard to reach, where scans find it anyway.
    private var walksSeveral: Bool {
        parts.contains { ($0 as? Segment)?.field(search.using)?.hasGraph ?? false }
    }

    private func answer(
        _ part: any RowSource, _ vector: UnsafePointer<Float>, _ share: SharedBound, _ trace: PartTrace?
    ) -> Answer {
        switch part {
        case let segment as Segment:
            SegmentSearch(search, query, segment, view, trace)?.run(vector, share) ?? .rows([])
        case let memtable as Memtable: .rows(MemtableSearch(search, memtable, view, trace)?.run(query) ?? [])
        default: .rows([])
        }
    }

    private func merged(
        _ answers: [Answer], _ vector: UnsafePointer<Float>, _ share: SharedBound, _ threads: ComputePool,
        since start: ContinuousClock.Instant?
    ) -> [NearestSearch.Found] {
        var found: [NearestSearch.Found] = []
        var pools: [CandidatePool] = []
        var places: [Int] = []
        for (place, answer) in answers.enumerated() {
            switch answer {
            case .rows(let rows): found += NearestSearch.found(rows, in: parts[place])
            case .candidates(let candidates):
                pools.append(candidates)
                places.append(place)
            }
        }
        let searched = start.map { microseconds(since: $0) } ?? 0
        let candidates = pools
        threads.parallel(candidates.count, brief: true) { candidates[$0].complete(share: share) }
        let best = CandidatePool.best(candidates, query: vector)
        let scored = start.map { microseconds(since: $0) } ?? 0
        for (place, rows) in zip(places, best) { found += NearestSearch.found(rows, in: parts[place]) }
        found = search.best(found)
        if let trace = search.trace, let start {
            var explained = QueryExplanation.Search(
                using: search.using, limit: search.limit, parts: traces.map(\.result))
            explained.searchMicroseconds = searched
            explained.rescoreMicroseconds = scored - searched
            explained.mergeMicroseconds = microseconds(since: start) - scored
            trace.add(explained)
        }
        return found
    }
}
