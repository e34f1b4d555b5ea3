import COctantKernels

extension DenseIndex {
    /// Scans all rows, or those of `range`, best first (ties: lower row first). With codes (and a mode that allows
    /// them) the codes are scanned and the best of them scored again; otherwise the float rows, exactly.
    package func scanAll(
        query: UnsafePointer<Float>, options: Options, admit: RowPredicate? = nil, range: Range<Int>? = nil
    ) -> [ScoredRow] {
        let range = (range ?? 0..<rows.count).clamped(to: 0..<rows.count)
        guard options.limit > 0, !range.isEmpty else { return [] }
        let scratch = ScratchPool.take()
        defer { ScratchPool.give(scratch) }
        switch options.usesCodes ? codes : nil {
        case .int8(let codes)?:
            let coded = codes.query(query, scratch)
            let bound = options.readsFew ? coded.likelyBound : coded.bound
            let wanted = options.scanPool
            if onDisk.codes {
                return scanCodes(query, ColdScorer(coded.scorer), bound, range, wanted, options, scratch, admit)
            }
            if let nibbles = coded.nibbles, range.count / 16 > wanted {
                return scanCodes(query, nibbles, bound, range, max(3 * wanted, 400), options, scratch, admit)
            }
            return scanCodes(query, coded.scorer, bound, range, wanted, options, scratch, admit)
        case .product(let codes)?:
            let (scorer, bound) = codes.query(query, scratch)
            return scanCodes(query, scorer, bound, range, options.scanPool, options, scratch, admit)
        case .packed(let codes)?:
            let (scorer, bound) = codes.query(query, scratch)
            return scanCodes(query, scorer, bound, range, options.scanPool, options, scratch, admit)
        case .scan(let codes)?:
            let (scorer, bound) = codes.query(query, scratch)
            // As of a walk: what is kept is scored by the originals.
            let wanted = options.poolSize
            let options = options.rescoringPool
            return onDisk.codes
                ? scanCodes(query, ColdScorer(scorer), bound, range, wanted, options, scratch, admit)
                : scanCodes(query, scorer, bound, range, wanted, options, scratch, admit)
        case nil: break
        }
        let scorer = FloatScorer(distance: distance, rows: rows, query: query)
        options.meter?.willScan(rows, range)
        let capacity = min(range.count, options.limit)
        let count =
            onDisk.rows
            ? scanRun(ColdScorer(scorer), range, capacity, scratch, admit)
            : scanRun(scorer, range, capacity, scratch, admit)
        return scoredRows(scratch.pool, count)
    }

    /// Scans a run on codes and scores the best again by what is finer.
    private func scanCodes<S: RowScorer>(
        _ query: UnsafePointer<Float>, _ scorer: S, _ bound: ScoreBound, _ range: Range<Int>, _ capacity: Int,
        _ options: Options, _ scratch: SearchScratch, _ admit: RowPredicate?
    ) -> [ScoredRow] {
        options.meter?.codes += range.count
        let count = scanRun(scorer, range, min(range.count, capacity), scratch, admit)
        scorer.refine(scratch, count)
        return finish(query, bound, options, count, scratch)
    }

    /// Scans the candidates `ids` (distinct, each below the row count, in any order; ascending is fastest).
    package func scan(
        rows ids: UnsafeBufferPointer<UInt32>, query: UnsafePointer<Float>, options: Options
    ) -> [ScoredRow] {
        guard options.limit > 0, !ids.isEmpty else { return [] }
        let scratch = ScratchPool.take()
        defer { ScratchPool.give(scratch) }
        let capacity = min(ids.count, options.scanPool)
        // A list hardly longer than the pool would be scored twice.
        var usesCodes = options.usesCodes && (!options.rescore || ids.count > 2 * capacity)
        if case .scan? = codes { usesCodes = usesCodes && scansBlocks(ids) }
        if usesCodes, codes != nil { options.meter?.codes += ids.count }
        switch usesCodes ? codes : nil {
        case .int8(let codes)?:
            let coded = codes.query(query, scratch)
            let count = scanListAnywhere(coded.scorer, ids, capacity, scratch)
            return finish(query, options.readsFew ? coded.likelyBound : coded.bound, options, count, scratch)
        case .product(let codes)?:
            let (scorer, bound) = codes.query(query, scratch)
            let count = scanListAnywhere(scorer, ids, capacity, scratch)
            return finish(query, bound, options, count, scratch)
        case .packed(let codes)?:
            let (scorer, bound) = codes.query(query, scratch)
            let count = scanListAnywhere(scorer, ids, capacity, scratch)
            return finish(query, bound, options, count, scratch)
        case .scan(let codes)?:
            let (scorer, bound) = codes.query(query, scratch)
            let count = scanBlocks(scorer, ids, options.poolSize, scratch)
            return finish(query, bound, options.rescoringPool, count, scratch)
        case nil: break
        }
        let scorer = FloatScorer(distance: distance, rows: rows, query: query)
        options.meter?.originals += ids.count
        let wanted = min(ids.count, options.limit)
        let count =
            onDisk.rows
            ? scanList(ColdScorer(scorer), ids, wanted, scratch) : scanList(scorer, ids, wanted, scratch)
        return scoredRows(scratch.pool, count)
    }

    /// Whether scanning a list of `matches` candidates is cheaper than walking the graph with a predicate that they
    /// pass: a scan's time grows with the matches, a walk's with `ef` and the inverse of their share. The factors are
    /// ratios of measured times (docs/performance.md).
    package func scanIsCheaper(matches: Int, options: Options) -> Bool {
        guard let graph, graph.entry != nil, options.mode != .exact else { return true }
        let factor = options.useCodes && codes != nil ? 54.0 : 32.0
        let ef = Double(max(options.ef, options.limit, 1))
        return Double(matches) * Double(matches) < factor * ef * Double(graph.count)
    }

    /// Leaves the best `capacity` rows of `range` in `scratch.pool`, sorted, and returns their number. Of rows that
    /// score less than `share` has enough of, none is kept.
    func scanRun<S: RowScorer>(
        _ scorer: S, _ range: Range<Int>, _ capacity: Int, _ scratch: SearchScratch, _ admit: RowPredicate?,
        _ share: SharedBound? = nil
    ) -> Int {
        scratch.reservePool(capacity)
        var best = TopKeys(scratch.pool, capacity: capacity)
        let block = 256
        var start = range.lowerBound
        while start < range.upperBound {
            let count = min(block, range.upperBound &- start)
            scorer.scoreRun(start, count, scratch.scores)
            let floor = max(best.floor, share?.floor ?? -.infinity)
            let hits = ok_above(scratch.scores, count, floor, scratch.picked)
            if hits > 0 {
                for i in 0..<hits { scratch.ids[i] = UInt32(truncatingIfNeeded: start &+ Int(scratch.picked[i])) }
                insert(hits, scratch, admit, &best)
            }
            start &+= count
        }
        best.sort()
        return best.count
    }

    /// The same for a list of rows whose codes are in memory or on disk.
    private func scanListAnywhere<S: RowScorer>(
        _ scorer: S, _ list: UnsafeBufferPointer<UInt32>, _ capacity: Int, _ scratch: SearchScratch
    ) -> Int {
        onDisk.codes
            ? scanList(ColdScorer(scorer), list, capacity, scratch) : scanList(scorer, list, capacity, scratch)
    }

    /// The same for a list of rows.
    private func scanList<S: RowScorer>(
        _ scorer: S, _ list: UnsafeBufferPointer<UInt32>, _ capacity: Int, _ scratch: SearchScratch
    ) -> Int {
        guard let base = list.baseAddress else { return 0 }
        scratch.reservePool(capacity)
        var best = TopKeys(scratch.pool, capacity: capacity)
        let block = 256
        var start = 0
        while start < list.count {
            let count = min(block, list.count &- start)
            scorer.score(base + start, count, scratch.scores)
            let hits = ok_above(scratch.scores, count, best.floor, scratch.picked)
            if hits > 0 {
                for i in 0..<hits { scratch.ids[i] = base[start &+ Int(scratch.picked[i])] }
                insert(hits, scratch, nil, &best)
            }
            start &+= count
        }
        best.sort()
        return best.count
    }

    /// Whether a list is scanned by scan codes, which score 64 rows at a time: if it ascends and is dense enough that
    /// this costs less than the originals of those listed.
    private func scansBlocks(_ ids: UnsafeBufferPointer<UInt32>) -> Bool {
        guard !onDisk.codes, ids.count > rows.count / Self.listedRowsPerRow else { return false }
        return zip(ids, ids.dropFirst()).allSatisfy { $0 < $1 }
    }

    /// A row's originals take about as long as so many rows of scan codes.
    private static let listedRowsPerRow = 24

    /// The same for an ascending list of rows of scan codes: every block that some of them are in is scored whole.
    private func scanBlocks(
        _ scorer: ScanScorer, _ list: UnsafeBufferPointer<UInt32>, _ capacity: Int, _ scratch: SearchScratch
    ) -> Int {
        let capacity = min(capacity, list.count)
        scratch.reservePool(capacity)
        var best = TopKeys(scratch.pool, capacity: capacity)
        let size = ScanCodes.blockRows
        var place = 0
        while place < list.count {
            let start = Int(list[place]) / size &* size
            let end = min(start &+ size, rows.count)
            scorer.scoreRun(start, end &- start, scratch.scores)
            while place < list.count, Int(list[place]) < end {
                let score = scratch.scores[Int(list[place]) &- start]
                if score > best.floor { best.insert(scoreKey(score, list[place])) }
                place &+= 1
            }
        }
        best.sort()
        return best.count
    }

    /// Inserts the rows `ids[0..<hits]`, whose scores are at `scores[picked[i]]`, after asking the predicate.
    @inline(__always)
    private func insert(
        _ hits: Int, _ scratch: SearchScratch, _ admit: RowPredicate?, _ best: inout TopKeys
    ) {
        let scores = scratch.scores
        let picked = scratch.picked
        let ids = scratch.ids
        guard let admit else {
            for i in 0..<hits { best.insert(scoreKey(scores[Int(picked[i])], ids[i])) }
            return
        }
        scratch.admitted.update(repeating: false, count: hits)
        admit(ids, hits, scratch.admitted)
        for i in 0..<hits where scratch.admitted[i] { best.insert(scoreKey(scores[Int(picked[i])], ids[i])) }
    }
}
