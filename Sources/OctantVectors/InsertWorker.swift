import Synchronization

/// Inserts rows into the graph of a builder; one per thread. Walks by `W`, compares candidates by `S`; the scores of
/// both are in the same units.
final class InsertWorker<W: RowScorer, S: RowScorer> {
    private let builder: HNSWBuilder
    private let links: GrowingLinks
    private let scratch = SearchScratch()
    /// For comparisons between candidates: `scorer`'s query must stay as it is during an insertion.
    private let pairScratch = SearchScratch()
    private var scorer: W
    private var pairs: S
    private let ef: Int
    /// The neighbours chosen for the row, level by level, `m` each (nearest first).
    private let chosen: UnsafeMutablePointer<ScoreKey>
    private let chosenCount: UnsafeMutablePointer<Int>
    /// Keys of a full list on its way to be pruned.
    private let crowd: UnsafeMutablePointer<ScoreKey>
    private let kept: UnsafeMutablePointer<UInt32>

    init(
        _ builder: HNSWBuilder, locked: Bool, _ makeWalker: (SearchScratch) -> W,
        _ makeScorer: (SearchScratch) -> S
    ) {
        self.builder = builder
        links = GrowingLinks(builder, locked: locked)
        ef = max(builder.parameters.efConstruct, builder.parameters.m)
        scorer = makeWalker(scratch)
        pairs = makeScorer(pairScratch)
        chosen = .allocate(capacity: HNSWGraph.maxLevels * builder.layout.m)
        chosenCount = .allocate(capacity: HNSWGraph.maxLevels)
        crowd = .allocate(capacity: builder.layout.m0 + 1)
        kept = .allocate(capacity: builder.layout.m0 + 1)
    }

    deinit {
        chosen.deallocate()
        chosenCount.deallocate()
        crowd.deallocate()
        kept.deallocate()
    }

    func insert(_ row: UInt32) {
        let level = Int(builder.levels[Int(row)])
        let top = builder.top.load(ordering: .acquiring)
        if top == HNSWBuilder.noEntry || level > Int(top >> 32) {
            // Seldom: the row becomes the entry, and only one such row is inserted at a time.
            builder.raising.withLock { _ in
                let top = builder.top.load(ordering: .acquiring)
                connect(row, level, top)
                if top == HNSWBuilder.noEntry || level > Int(top >> 32) {
                    builder.top.store(UInt64(row) | UInt64(level) << 32, ordering: .releasing)
                }
            }
        } else {
            connect(row, level, top)
        }
    }

    private func connect(_ row: UInt32, _ level: Int, _ top: UInt64) {
        guard top != HNSWBuilder.noEntry else { return }
        let height = Int(top >> 32)
        let m = builder.layout.m
        scorer.load(row)
        let entry = UInt32(truncatingIfNeeded: top)
        var best = (row: entry, score: scorer.score(entry))
        var current = height
        while current > level {
            best = descend(scorer, links, level: current, from: best, scratch)
            current -= 1
        }
        // All lists are found before any is published, and level 0 is published first: whoever meets the row on some
        // level can go on below it.
        let highest = min(level, height)
        for l in stride(from: highest, through: 0, by: -1) {
            let count = walk(scorer, links, level: l, entry: best, ef: ef, rows: builder.count, scratch)
            scorer.refine(scratch, count)
            best = (keyRow(scratch.pool[0]), keyScore(scratch.pool[0]))
            chosenCount[l] = select(scratch.pool, count, m, chosen + l * m)
        }
        for l in 0...highest {
            let list = chosen + l * m
            let count = chosenCount[l]
            links.lock(row)
            let own = links.list(row, l)
            for i in 0..<count { own[i] = keyRow(list[i]) }
            links.unlock(row)
            for i in 0..<count { linkBack(keyRow(list[i]), row, keyScore(list[i]), l) }
        }
    }

    /// Algorithm 4: keeps a candidate that is nearer to the query than to every one kept so far. `keys` are sorted best
    /// first. Fewer than `limit` candidates are all kept.
    private func select(
        _ keys: UnsafePointer<ScoreKey>, _ count: Int, _ limit: Int, _ out: UnsafeMutablePointer<ScoreKey>
    ) -> Int {
        if count < limit {
            out.update(from: keys, count: count)
            return count
        }
        let scores = pairScratch.scores
        var n = 0
        for i in 0..<count {
            let row = keyRow(keys[i])
            if i &+ 1 < count { pairs.prefetch(keyRow(keys[i &+ 1])) }
            if n > 0 {
                let score = keyScore(keys[i])
                pairs.load(row)
                var good = true
                var from = 0
                while from < n, good {
                    let size = min(4, n &- from)
                    pairs.score(kept + from, size, scores)
                    for j in 0..<size where scores[j] > score { good = false }
                    from &+= size
                }
                if !good { continue }
            }
            kept[n] = row
            out[n] = keys[i]
            n &+= 1
            if n == limit { break }
        }
        return n
    }

    /// Adds `row` to the list of `target`, pruning the list if it is full.
    private func linkBack(_ target: UInt32, _ row: UInt32, _ score: Float, _ level: Int) {
        let width = links.width(level)
        links.lock(target)
        defer { links.unlock(target) }
        let list = links.list(target, level)
        var count = 0
        while count < width, list[count] != noLink {
            if list[count] == row { return }
            count &+= 1
        }
        if count < width {
            list[count] = row
            return
        }
        pairs.load(target)
        let scores = pairScratch.scores
        pairs.score(list, count, scores)
        // Insertion sort: lists are short and, after a first pruning, nearly sorted.
        crowd[0] = scoreKey(score, row)
        for i in 0..<count {
            let key = scoreKey(scores[i], list[i])
            var j = i
            while j >= 0, crowd[j] > key {
                crowd[j &+ 1] = crowd[j]
                j &-= 1
            }
            crowd[j &+ 1] = key
        }
        let keep = select(crowd, count &+ 1, width, crowd)
        for i in 0..<keep { list[i] = keyRow(crowd[i]) }
        for i in keep..<width { list[i] = noLink }
    }
}

/// The lists of a graph under construction.
struct GrowingLinks: LinkSource {
    let links0: UnsafeMutablePointer<UInt32>
    let m0: Int
    let starts: UnsafeMutablePointer<UInt32>
    let upper: UnsafeMutablePointer<UInt32>
    let m: Int
    let locks: UnsafeMutablePointer<Atomic<UInt8>>
    let locked: Bool

    init(_ builder: HNSWBuilder, locked: Bool) {
        links0 = builder.links0
        m0 = builder.layout.m0
        starts = builder.starts
        upper = builder.upper
        m = builder.layout.m
        locks = builder.locks
        self.locked = locked
    }

    @inline(__always)
    func list(_ row: UInt32, _ level: Int) -> UnsafeMutablePointer<UInt32> {
        level == 0 ? links0 + Int(row) &* m0 : upper + (Int(starts[Int(row)]) &+ level &- 1) &* m
    }

    @inline(__always)
    func lock(_ row: UInt32) {
        guard locked else { return }
        var spins = 0
        while (locks + Int(row)).pointee.exchange(1, ordering: .acquiring) != 0 {
            spins &+= 1
            if spins & 63 == 0 { yieldProcessor() }
        }
    }

    @inline(__always)
    func unlock(_ row: UInt32) {
        guard locked else { return }
        (locks + Int(row)).pointee.store(0, ordering: .releasing)
    }

    @inline(__always)
    func links(_ row: UInt32, _ level: Int, _ buffer: UnsafeMutablePointer<UInt32>) -> UnsafePointer<UInt32> {
        let list = list(row, level)
        guard locked else { return UnsafePointer(list) }
        lock(row)
        buffer.update(from: list, count: width(level))
        unlock(row)
        return UnsafePointer(buffer)
    }

    @inline(__always)
    func width(_ level: Int) -> Int { level == 0 ? m0 : m }

    @inline(__always)
    func prefetch(_ row: UInt32, _ level: Int) {
        guard level == 0 else { return }
        let list = links0 + Int(row) &* m0
        var i = 0
        while i < m0 {
            prefetchLine(list + i)
            i &+= 16
        }
    }
}
