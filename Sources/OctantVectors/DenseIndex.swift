package import OctantModel

/// What a segment holds for one named vector: float rows, and codes and a graph if they were built.
package final class DenseIndex: @unchecked Sendable {
    // SAFETY: all memory is read only, and `owner` keeps the rows for as long as the index lives.

    package let distance: Distance
    package let rows: DenseRows
    package let codes: VectorCodes?
    package let graph: HNSWGraph?
    /// The graph's links with the codes of neighbours beside them: what a walk of a graph and codes on disk reads.
    package let inline: InlineGraph?
    /// What is mapped and read from disk where a search looks. A cold graph knows it itself.
    package let onDisk: OnDisk
    private let owner: AnyObject

    /// Which structures are on disk.
    package struct OnDisk: Sendable {
        package var rows = false
        package var codes = false

        package init(rows: Bool = false, codes: Bool = false) {
            self.rows = rows
            self.codes = codes
        }
    }

    /// Codes that don't belong to the rows (other count, dimension or distance) and a graph of more rows than there
    /// are are left unused. Rows after the graph's are found by scanning them. An inline graph is used where graph and
    /// codes are on disk and it is of both.
    package init(
        distance: Distance, rows: DenseRows, codes: VectorCodes?, graph: HNSWGraph?, inline: InlineGraph? = nil,
        onDisk: OnDisk = OnDisk(), owner: AnyObject
    ) {
        self.distance = distance
        self.rows = rows
        if let codes, codes.count == rows.count, codes.dimension == rows.dimension, codes.distance == distance {
            self.codes = codes
        } else {
            self.codes = nil
        }
        if let graph, graph.count <= rows.count { self.graph = graph } else { self.graph = nil }
        if let inline, onDisk.codes, let codes = self.codes, let graph, graph.isCold, inline.fits(graph, codes, rows) {
            self.inline = inline
        } else {
            self.inline = nil
        }
        self.onDisk = onDisk
        self.owner = owner
    }

    /// The best rows by the graph, best first (ties: lower row first). Without a graph, or with mode `.exact`, the
    /// answer of ``scanAll(query:options:admit:range:)``. `query` holds `dimension` floats, normalised for cosine.
    package func search(query: UnsafePointer<Float>, options: Options, admit: RowPredicate? = nil) -> [ScoredRow] {
        guard let graph, let entry = graph.entry, options.mode != .exact else {
            return scanAll(query: query, options: options, admit: admit, range: nil)
        }
        guard options.limit > 0 else { return [] }
        let scratch = ScratchPool.take()
        defer { ScratchPool.give(scratch) }
        let found: [ScoredRow]
        switch options.useCodes ? codes : nil {
        case .int8(let codes)?:
            let coded = codes.query(query, scratch)
            let bound = options.readsFew ? coded.likelyBound : coded.bound
            switch (coded.nibbles, onDisk.codes) {
            case (let nibbles?, false):
                found = walkCodes(query, nibbles, bound, graph, entry, options, scratch, admit)
            case (nil, _):
                found = walkAnywhere(query, coded.scorer, bound, graph, entry, options, scratch, admit)
            case (let nibbles?, true):
                let (options, bound) = readingFew(options, bound)
                let scorer = ColdScorer(nibbles, skipsRefining: options.rescore)
                found = walkCold(
                    query, scorer, bound, graph, entry, options, scratch, admit, recoding: codes.parameters)
            }
        case .product(let codes)?:
            let (scorer, bound) = codes.query(query, scratch)
            found = walkAnywhere(query, scorer, bound, graph, entry, options, scratch, admit)
        case .packed(let codes)?:
            let (scorer, bound) = codes.query(query, scratch)
            found = walkAnywhere(query, scorer, bound, graph, entry, options, scratch, admit)
        case .scan(let codes)?:
            let (scorer, bound) = codes.query(query, scratch)
            found = walkCodes(query, scorer, bound, graph, entry, options, scratch, admit)
        case nil:
            let scorer = FloatScorer(distance: distance, rows: rows, query: query)
            let count =
                onDisk.rows
                ? walkGraph(ColdScorer(scorer), graph, entry, options, scratch, admit)
                : walkGraph(scorer, graph, entry, options, scratch, admit)
            found = scoredRows(scratch.pool, min(count, options.limit))
        }
        guard graph.count < rows.count else { return found }
        let rest = scanAll(query: query, options: options, admit: admit, range: graph.count..<rows.count)
        return Self.merge(found, rest, limit: options.limit)
    }

    /// Rows that are scored again for each that is wanted where 4-bit codes on disk found them: to refine the pool by
    /// 8-bit codes first would read a page for each row of it. Measured: docs/performance.md, "Low memory".
    private static let coldOversampling = 4.0

    /// The options and the bound of a search that walks on 4-bit codes on disk.
    func readingFew(_ options: Options, _ bound: ScoreBound) -> (Options, ScoreBound) {
        guard options.rescore else { return (options, bound) }
        var options = options
        options.readsFew = true
        options.oversampling = max(options.oversampling ?? 0, Self.coldOversampling)
        return (options, ScoreBound(distance: distance, slack: .infinity))
    }

    /// Walks on codes and scores what was found again by what is finer.
    private func walkCodes<S: RowScorer>(
        _ query: UnsafePointer<Float>, _ scorer: S, _ bound: ScoreBound, _ graph: HNSWGraph, _ entry: UInt32,
        _ options: Options, _ scratch: SearchScratch, _ admit: RowPredicate?
    ) -> [ScoredRow] {
        let count = walkGraph(scorer, graph, entry, options, scratch, admit)
        scorer.refine(scratch, count)
        return finish(query, bound, options, count, scratch)
    }

    /// The same on codes that are in memory or on disk.
    private func walkAnywhere<S: CodeRowScorer>(
        _ query: UnsafePointer<Float>, _ scorer: S, _ bound: ScoreBound, _ graph: HNSWGraph, _ entry: UInt32,
        _ options: Options, _ scratch: SearchScratch, _ admit: RowPredicate?
    ) -> [ScoredRow] {
        onDisk.codes
            ? walkCold(query, ColdScorer(scorer), bound, graph, entry, options, scratch, admit)
            : walkCodes(query, scorer, bound, graph, entry, options, scratch, admit)
    }

    /// The same on codes on disk: those beside the links, if there are such.
    private func walkCold<S: CodeRowScorer>(
        _ query: UnsafePointer<Float>, _ scorer: ColdScorer<S>, _ bound: ScoreBound, _ graph: HNSWGraph,
        _ entry: UInt32, _ options: Options, _ scratch: SearchScratch, _ admit: RowPredicate?,
        recoding: Int8Parameters? = nil
    ) -> [ScoredRow] {
        guard let round = inlineRound(options, admit, recoding: recoding) else {
            return walkCodes(query, scorer, bound, graph, entry, options, scratch, admit)
        }
        let inline = InlineScorer(scorer, round)
        let count = walkGraph(inline, InlineLinks(graph, round), graph, entry, options, scratch, admit)
        inline.refine(scratch, count)
        return finish(query, bound, options, count, scratch)
    }

    private func walkGraph<S: RowScorer>(
        _ scorer: S, _ graph: HNSWGraph, _ entry: UInt32, _ options: Options, _ scratch: SearchScratch,
        _ admit: RowPredicate?
    ) -> Int {
        graph.isCold
            ? walkGraph(scorer, ColdLinks(graph), graph, entry, options, scratch, admit)
            : walkGraph(scorer, graph.source, graph, entry, options, scratch, admit)
    }

    private func walkGraph<S: RowScorer, L: LinkSource>(
        _ scorer: S, _ source: L, _ graph: HNSWGraph, _ entry: UInt32, _ options: Options, _ scratch: SearchScratch,
        _ admit: RowPredicate?
    ) -> Int {
        let best = graph.descend(scorer, source, from: entry, scratch)
        let ef = min(options.poolSize, max(graph.count, 1))
        guard let admit else {
            return walk(scorer, source, level: 0, entry: best, ef: ef, rows: graph.count, scratch)
        }
        let limit = options.visitLimit ?? max(20_000, 100 * ef)
        if options.twoHops {
            return walkTwoHops(
                scorer, source, entry: best, ef: ef, rows: graph.count, visitLimit: limit, scratch, admit)
        }
        return walkAdmitted(
            scorer, source, entry: best, ef: ef, rows: graph.count, visitLimit: limit, reach: nil, scratch, admit)
    }

    /// Turns the pool (sorted by code scores) into the answer.
    func finish(
        _ query: UnsafePointer<Float>, _ bound: ScoreBound, _ options: Options, _ count: Int, _ scratch: SearchScratch
    ) -> [ScoredRow] {
        guard options.rescore else { return scoredRows(scratch.pool, min(count, options.limit)) }
        let pool = options.readsFew && options.oversampling != nil ? min(count, options.rescoreCount) : count
        return rescore(query, bound, scratch.pool, pool, limit: options.limit, scratch, options.meter)
    }

    /// Scores a pool that is sorted by code scores again by the float rows, best first, until the bound of the codes'
    /// error says that nothing behind can be among the `limit` best. By a bound that holds for every row, the answer is
    /// that of scoring the whole pool.
    func rescore(
        _ query: UnsafePointer<Float>, _ bound: ScoreBound, _ pool: UnsafePointer<ScoreKey>, _ count: Int,
        limit: Int, _ scratch: SearchScratch, _ meter: SearchMeter? = nil
    ) -> [ScoredRow] {
        let limit = min(limit, count)
        scratch.growHeap(atLeast: limit)
        var best = TopKeys(scratch.heap, capacity: limit)
        let ids = scratch.ids
        let scores = scratch.scores
        var done = 0
        while done < count {
            if best.isFull, bound.best(keyScore(pool[done])) < best.floor { break }
            // A first block a little over the limit, then small ones. From disk, blocks whose reads go out together.
            let first = min(max((limit &+ 3) & ~3, 16), 512)
            let size = min(onDisk.rows ? max(first, coldBlock(bound)) : done == 0 ? first : 8, count &- done)
            for i in 0..<size { ids[i] = keyRow(pool[done &+ i]) }
            askOriginals(ids, size, meter)
            scoreOriginals(query, ids, size, scores)
            for i in 0..<size { best.insert(scoreKey(scores[i], ids[i])) }
            done &+= size
        }
        return best.rows(limit: limit)
    }

    /// Rows that are read from disk together: without a bound, all that are to be scored.
    func coldBlock(_ bound: ScoreBound) -> Int { bound.slack.isFinite ? 32 : 512 }

    /// Two sorted answers as one.
    private static func merge(_ a: [ScoredRow], _ b: [ScoredRow], limit: Int) -> [ScoredRow] {
        var keys = (a + b).map { scoreKey($0.score, $0.row) }
        keys.sort()
        return keys.withUnsafeBufferPointer { buffer in
            guard let base = buffer.baseAddress else { return [] }
            return scoredRows(base, min(limit, buffer.count))
        }
    }
}
