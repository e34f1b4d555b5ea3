/// The candidates of one segment for a query that has others too: found by a walk, not yet scored by the originals.
///
/// Begun by ``DenseIndex/candidates(query:options:admit:share:)``, completed by ``complete(share:)`` when all
/// parts have begun, and scored by ``best(_:query:)``. What the query's pointer points at is to stay there meanwhile.
package class CandidatePool: @unchecked Sendable {
    // SAFETY: handed from thread to thread through locks, never used by two at once.

    fileprivate let index: DenseIndex
    fileprivate let options: DenseIndex.Options
    fileprivate let scratch: SearchScratch
    /// How far its scores are from those of the originals; nil where they are those.
    fileprivate let bound: ScoreBound?
    fileprivate var walk = WalkState()
    /// Whether the walk found no candidates any more before it had as many as it is to find: as many as are wanted, or as
    /// are looked for at least where others have found enough.
    package fileprivate(set) var ranOut = false

    /// How many there are.
    package var count: Int { walk.count }

    fileprivate init(
        _ index: DenseIndex, _ options: DenseIndex.Options, _ scratch: SearchScratch, _ bound: ScoreBound?
    ) {
        self.index = index
        self.options = options
        self.scratch = scratch
        self.bound = bound
    }

    deinit { ScratchPool.give(scratch) }

    /// Goes on with the walk where candidates are left that are among the best of all parts, drops what is not, and
    /// scores the rest by finer codes. To be called once, when all parts have begun.
    package func complete(share: SharedBound) {}

    fileprivate func score(_ place: Int) -> Float { keyScore(scratch.pool[place]) }

    /// An upper bound of the similarity of the candidate at `place`, and so of all behind it.
    fileprivate func bound(_ place: Int) -> Float {
        let score = keyScore(scratch.pool[place])
        return bound?.best(score) ?? score
    }
}

/// Candidates by a kind of scores.
private final class WalkedPool<S: RowScorer, L: LinkSource>: CandidatePool, @unchecked Sendable {
    // SAFETY: as the class it inherits from.

    private let scorer: S
    private let source: L
    private let graph: HNSWGraph
    private let ef: Int
    /// The walk may go on, and the scratch has its marks.
    private var isOpen = false

    init(
        _ index: DenseIndex, _ options: DenseIndex.Options, _ graph: HNSWGraph, _ source: L, _ scratch: SearchScratch,
        _ scorer: S, _ bound: ScoreBound?
    ) {
        self.scorer = scorer
        self.source = source
        self.graph = graph
        ef = min(options.poolSize, max(graph.count, 1))
        super.init(index, options, scratch, bound)
    }

    deinit { close() }

    private func close() {
        guard isOpen else { return }
        isOpen = false
        endWalk(walk, rows: graph.count, scratch)
    }

    func begin(_ entry: UInt32, _ admit: RowPredicate?, _ share: SharedBound) {
        scratch.scored = 1
        let readsBefore = options.meter == nil ? 0 : DiskReads.ofThread
        let best = graph.descend(scorer, source, from: entry, scratch)
        let reach = share.reach(rows: graph.count, ef: ef)
        if let admit {
            let limit = options.visitLimit ?? max(20_000, 100 * ef)
            if options.twoHops {
                walk.count = walkTwoHops(
                    scorer, source, entry: best, ef: ef, rows: graph.count, visitLimit: limit, scratch, admit)
            } else {
                walk.count = walkAdmitted(
                    scorer, source, entry: best, ef: ef, rows: graph.count, visitLimit: limit, reach: reach, scratch,
                    admit)
            }
        } else {
            walk = beginWalk(entry: best, ef: ef, rows: graph.count, scratch)
            walkOn(scorer, source, level: 0, ef: ef, reach: reach, &walk, scratch)
            isOpen = true
        }
        meter()
        if let meter = options.meter { meter.absentPages += Int(truncatingIfNeeded: DiskReads.ofThread &- readsBefore) }
        // A walk with a predicate ends early only by what others have found.
        let leastFound = admit != nil && share.floor == -.infinity ? min(options.limit, ef) : reach.least
        ranOut = walk.count < leastFound
        share.publish(scratch.pool, walk.count)
    }

    private func meter() {
        guard let meter = options.meter else { return }
        if bound == nil { meter.originals += scratch.scored } else { meter.codes += scratch.scored }
        scratch.scored = 0
    }

    override func complete(share: SharedBound) {
        let floor = share.floor
        let readsBefore = options.meter == nil ? 0 : DiskReads.ofThread
        if isOpen {
            var reach = share.reach(rows: graph.count, ef: ef)
            reach.most = ef
            walkOn(scorer, source, level: 0, ef: ef, reach: reach, &walk, scratch)
            meter()
            close()
        }
        // One pool would have lost them.
        let pool = scratch.pool
        while walk.count > 0, keyScore(pool[walk.count &- 1]) < floor { walk.count &-= 1 }
        scorer.refine(scratch, walk.count)
        if let meter = options.meter { meter.absentPages += Int(truncatingIfNeeded: DiskReads.ofThread &- readsBefore) }
    }
}

/// Candidates by a scan of all rows.
private final class ScannedPool: CandidatePool, @unchecked Sendable {
    // SAFETY: as the class it inherits from.

    func scan<S: RowScorer>(_ scorer: S, _ admit: RowPredicate?, _ share: SharedBound) {
        let readsBefore = options.meter == nil ? 0 : DiskReads.ofThread
        let rows = 0..<index.rows.count
        let capacity = min(rows.count, options.poolSize)
        walk.count = index.scanRun(scorer, rows, capacity, scratch, admit, share)
        if let meter = options.meter {
            meter.codes += rows.count
            meter.absentPages += Int(truncatingIfNeeded: DiskReads.ofThread &- readsBefore)
        }
        share.publish(scratch.pool, walk.count)
    }

    override func complete(share: SharedBound) {
        let floor = share.floor
        while walk.count > 0, score(walk.count &- 1) < floor { walk.count &-= 1 }
    }
}

extension DenseIndex.Options {
    /// Rows in the pool of a walk.
    package var poolSize: Int { max(ef, rescoreCount, 1) }
}

extension DenseIndex {
    /// Begins this segment's part of a search of several: walks the graph as far as `share` says, or scans the codes that
    /// are there to be scanned. `nil` where there is neither over all rows, or the search wants an exact answer.
    package func candidates(
        query: UnsafePointer<Float>, options: Options, admit: RowPredicate? = nil, share: SharedBound
    ) -> CandidatePool? {
        if graph == nil, case .scan(let codes)? = codes {
            guard options.usesCodes, options.limit > 0 else { return nil }
            return scanned(codes, query, options, admit, share)
        }
        guard let graph, let entry = graph.entry, graph.count == rows.count, options.mode != .exact, options.limit > 0
        else { return nil }
        let scratch = ScratchPool.take()
        func walked<S: RowScorer, L: LinkSource>(
            _ scorer: S, _ source: L, _ bound: ScoreBound?, _ options: Options
        ) -> CandidatePool {
            let pool = WalkedPool(self, options, graph, source, scratch, scorer, bound)
            pool.begin(entry, admit, share)
            return pool
        }
        func begun<S: RowScorer>(_ scorer: S, _ bound: ScoreBound?, _ options: Options) -> CandidatePool {
            graph.isCold
                ? walked(scorer, ColdLinks(graph), bound, options) : walked(scorer, graph.source, bound, options)
        }
        func cold<S: CodeRowScorer>(
            _ scorer: ColdScorer<S>, _ bound: ScoreBound?, _ options: Options, recoding: Int8Parameters? = nil
        ) -> CandidatePool {
            guard let round = inlineRound(options, admit, recoding: recoding) else {
                return begun(scorer, bound, options)
            }
            return walked(InlineScorer(scorer, round), InlineLinks(graph, round), bound, options)
        }
        func anywhere<S: CodeRowScorer>(_ scorer: S, _ bound: ScoreBound?) -> CandidatePool {
            onDisk.codes ? cold(ColdScorer(scorer), bound, options) : begun(scorer, bound, options)
        }
        switch options.useCodes ? codes : nil {
        case .int8(let codes)?:
            let coded = codes.query(query, scratch)
            let bound = options.readsFew ? coded.likelyBound : coded.bound
            guard let nibbles = coded.nibbles else { return anywhere(coded.scorer, bound) }
            guard onDisk.codes else { return begun(nibbles, bound, options) }
            let (few, wide) = readingFew(options, bound)
            let scorer = ColdScorer(nibbles, skipsRefining: options.rescore)
            return cold(scorer, wide, few, recoding: codes.parameters)
        case .product(let codes)?:
            let (scorer, bound) = codes.query(query, scratch)
            return anywhere(scorer, bound)
        case .packed(let codes)?:
            let (scorer, bound) = codes.query(query, scratch)
            return anywhere(scorer, bound)
        case .scan(let codes)?:
            let (scorer, bound) = codes.query(query, scratch)
            return begun(scorer, bound, options)
        case nil:
            let scorer = FloatScorer(distance: distance, rows: rows, query: query)
            return onDisk.rows ? begun(ColdScorer(scorer), nil, options) : begun(scorer, nil, options)
        }
    }
}

extension DenseIndex {
    private func scanned(
        _ codes: ScanCodes, _ query: UnsafePointer<Float>, _ options: Options, _ admit: RowPredicate?,
        _ share: SharedBound
    ) -> CandidatePool {
        let scratch = ScratchPool.take()
        let (scorer, bound) = codes.query(query, scratch)
        let pool = ScannedPool(self, options.rescoringPool, scratch, bound)
        if onDisk.codes { pool.scan(ColdScorer(scorer), admit, share) } else { pool.scan(scorer, admit, share) }
        return pool
    }
}

extension HNSWGraph {
    /// The row on level 0 that a greedy descent from the entry comes to.
    @inline(__always)
    func descend<S: RowScorer, L: LinkSource>(
        _ scorer: S, _ source: L, from entry: UInt32, _ scratch: SearchScratch
    ) -> (row: UInt32, score: Float) {
        var best = (row: entry, score: scorer.score(entry))
        for level in stride(from: maxLevel, to: 0, by: -1) {
            best = OctantVectors.descend(scorer, source, level: level, from: best, scratch)
        }
        return best
    }
}

extension CandidatePool {
    /// The best `limit` of each pool by the originals, as far as they can be among the best `limit` of all; best first,
    /// and each pool's in the place of the pool.
    ///
    /// Candidates are scored in the order of their upper bounds over all pools, until the bound says that nothing left
    /// can be among the `limit` best: the answer is that of scoring all of them, and hardly more originals are read than
    /// in a search of one segment.
    package static func best(_ pools: [CandidatePool], query: UnsafePointer<Float>) -> [[ScoredRow]] {
        guard let options = pools.first?.options else { return [] }
        guard options.rescore, pools.contains(where: { $0.bound != nil }) else {
            return pools.map { scoredRows($0.scratch.pool, min($0.count, options.limit)) }
        }
        let merge = PoolMerge(pools.count, limit: min(options.limit, pools.reduce(0) { $0 + $1.count }))
        let readsFew = options.oversampling != nil && pools.allSatisfy(\.options.readsFew)
        var left = readsFew ? options.rescoreCount : Int.max
        // First a little over the limit, then a few at a time.
        var wanted = min(max((options.limit &+ 3) & ~3, 16), 512)
        let cold = pools.reduce(0) { most, pool in
            guard pool.index.onDisk.rows, let bound = pool.bound else { return most }
            return max(most, pool.index.coldBlock(bound))
        }
        wanted = max(wanted, cold)
        while left > 0 {
            let taken = merge.take(min(wanted, left), of: pools)
            guard taken > 0 else { break }
            // Reads of the disk go out together, of all pools.
            for (number, pool) in pools.enumerated() where merge.taken[number] > 0 { pool.ask(number, merge) }
            for (number, pool) in pools.enumerated() where merge.taken[number] > 0 { pool.score(query, number, merge) }
            left &-= taken
            wanted = cold > 0 ? wanted : 8
        }
        return pools.enumerated().map { number, pool in
            // Scored candidates have taken the front of the pool.
            var keys = UnsafeMutableBufferPointer(start: pool.scratch.pool, count: merge.done[number])
            keys.sort()
            return scoredRows(pool.scratch.pool, min(keys.count, options.limit))
        }
    }

    /// Lists the candidates of one pool that were taken, and asks for those that are on disk.
    private func ask(_ number: Int, _ merge: PoolMerge) {
        guard bound != nil else { return }
        let (pool, ids, count) = (scratch.pool + merge.done[number], scratch.ids, merge.taken[number])
        for i in 0..<count { ids[i] = keyRow(pool[i]) }
        index.askOriginals(ids, count, options.meter)
    }

    /// Scores the candidates of one pool that were taken by the originals, in place.
    private func score(_ query: UnsafePointer<Float>, _ number: Int, _ merge: PoolMerge) {
        let (pool, ids, scores) = (scratch.pool + merge.done[number], scratch.ids, scratch.scores)
        let count = merge.taken[number]
        if bound != nil {
            index.scoreOriginals(query, ids, count, scores)
            for i in 0..<count { pool[i] = scoreKey(scores[i], ids[i]) }
        }
        for i in 0..<count { merge.insert(pool[i]) }
        merge.done[number] &+= count
        merge.taken[number] = 0
    }
}

/// The state of a merge of pools.
private final class PoolMerge {
    /// Candidates of each pool that were scored, from the front.
    var done: [Int]
    /// Candidates of each pool behind those that are to be scored now.
    var taken: [Int]
    private let memory: UnsafeMutablePointer<ScoreKey>
    private var best: TopKeys

    init(_ pools: Int, limit: Int) {
        done = [Int](repeating: 0, count: pools)
        taken = done
        memory = .allocate(capacity: max(limit, 1))
        best = TopKeys(memory, capacity: limit)
    }

    deinit { memory.deallocate() }

    func insert(_ key: ScoreKey) { best.insert(key) }

    /// Takes the `count` candidates with the highest bounds, as far as they can be among the best; returns how many.
    func take(_ count: Int, of pools: [CandidatePool]) -> Int {
        var total = 0
        while total < count {
            var chosen = -1
            var highest = -Float.infinity
            for number in pools.indices {
                let place = done[number] &+ taken[number]
                guard place < pools[number].count else { continue }
                let bound = pools[number].bound(place)
                guard bound >= best.floor else { continue }
                // Without a bound, the scores are all there is to go by.
                let rank = bound.isFinite ? bound : pools[number].score(place)
                if chosen < 0 || rank > highest { (chosen, highest) = (number, rank) }
            }
            guard chosen >= 0 else { break }
            taken[chosen] &+= 1
            total &+= 1
        }
        return total
    }
}
