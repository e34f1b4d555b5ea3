import COctantKernels

/// Best-first search on level 0 among the rows that `admit` lets pass alone: a neighbour that does not pass is not
/// scored, and its own neighbours take its place. Results go to `scratch.pool`, sorted; the number of them is returned.
///
/// Patel, Kraft, Guestrin and Zaharia, "ACORN: Performant and Predicate-Agnostic Search Over Vector Embeddings and
/// Structured Data" (2024), section 6, the variant ACORN-1 on an ordinary graph. As there, a node gives no more rows
/// than its list is long; unlike there, a neighbour whose turn did not come is followed when it is met again.
///
/// Ends when all of the pool of `ef` was expanded, or after `visitLimit` rows were scored.
func walkTwoHops<S: RowScorer, L: LinkSource>(
    _ scorer: S, _ source: L, entry: (row: UInt32, score: Float), ef: Int, rows: Int, visitLimit: Int,
    _ scratch: SearchScratch, _ admit: RowPredicate
) -> Int {
    scratch.reserveVisited(rows: rows)
    scratch.reserveTested(rows: rows)
    scratch.reservePool(ef + 1)
    let pool = scratch.pool
    let scores = scratch.scores
    var hops = TwoHops(source, scratch)
    defer { hops.clear(rows: rows) }

    var count = 0
    var cursor = 0
    var scored = 1
    var floor: Float = -.infinity
    if hops.begin(entry.row, admit) {
        pool[0] = scoreKey(entry.score, entry.row)
        count = 1
        if ef == 1 { floor = entry.score }
    } else {
        // It passes nothing on but its neighbours.
        hops.expand(entry.row)
        cursor = -1
    }
    while cursor < count, scored < visitLimit {
        var position = max(cursor, 0)
        if cursor >= 0 {
            if pool[cursor] & 1 != 0 {
                cursor &+= 1
                continue
            }
            var expanded = 0
            repeat {
                let current = pool[position]
                if current & 1 == 0 {
                    pool[position] = current | 1
                    hops.expand(keyRow(current))
                    expanded &+= 1
                }
                position &+= 1
            } while expanded < walkBreadth && position < count
        }
        let n = hops.passing(admit)
        let fresh = scratch.ids
        scorer.score(fresh, n, scores)
        scored &+= n
        var lowest = position
        for i in 0..<n where scores[i] > floor || count < ef {
            let key = scoreKey(scores[i], fresh[i])
            let position = ok_rank(pool, count, key)
            if position >= ef { continue }
            let moved = (count < ef ? count : ef &- 1) &- position
            (pool + (position &+ 1)).update(from: pool + position, count: moved)
            pool[position] = key
            if count < ef { count &+= 1 }
            if count == ef { floor = keyScore(pool[ef &- 1]) }
            if position < lowest { lowest = position }
            if position <= lowest &+ walkBreadth { source.prefetch(fresh[i], 0) }
        }
        cursor = lowest
        prefetchNext(pool, from: cursor, count: count, source, 0)
    }
    scratch.scored &+= scored
    for i in 0..<count { pool[i] &= ~1 }
    return count
}

/// Finds the rows that pass among neighbours and, for neighbours that do not pass, among theirs.
private struct TwoHops<L: LinkSource> {
    let source: L
    let scratch: SearchScratch
    let width: Int
    /// Rows that need nothing more: they passed, or did not and their links were followed.
    let visited: UnsafeMutablePointer<UInt64>
    /// Rows the predicate was asked about.
    let tested: UnsafeMutablePointer<UInt64>
    /// Rows marked as tested, all of them in `scratch.seen`.
    var seenCount = 0
    /// Rows in `scratch.picked` that wait for the predicate.
    var waiting = 0
    /// Neighbours in `scratch.hops` that do not pass.
    var hopCount = 0
    /// Rows that passed, in `scratch.ids`.
    var found = 0
    /// How many are enough for this round.
    var wanted = 0

    /// Rows of the second hop that are tested at a time.
    private static var batch: Int { 64 }

    init(_ source: L, _ scratch: SearchScratch) {
        self.source = source
        self.scratch = scratch
        width = source.width(0)
        visited = scratch.visited
        tested = scratch.tested
    }

    @inline(__always)
    private func isMarked(_ marks: UnsafeMutablePointer<UInt64>, _ row: UInt32) -> Bool {
        marks[Int(row >> 6)] &>> UInt64(row & 63) & 1 != 0
    }

    @inline(__always)
    private func mark(_ marks: UnsafeMutablePointer<UInt64>, _ row: UInt32) {
        marks[Int(row >> 6)] |= 1 &<< UInt64(row & 63)
    }

    /// Marks the entry; returns whether it passes.
    mutating func begin(_ entry: UInt32, _ admit: RowPredicate) -> Bool {
        queue(entry)
        mark(visited, entry)
        waiting = 0
        scratch.admitted[0] = false
        admit(scratch.picked, 1, scratch.admitted)
        return scratch.admitted[0]
    }

    @inline(__always)
    private mutating func queue(_ row: UInt32) {
        mark(tested, row)
        scratch.seen[seenCount] = row
        scratch.picked[waiting] = row
        seenCount &+= 1
        waiting &+= 1
    }

    private func reserveSeen(_ more: Int) {
        if seenCount &+ more >= scratch.seenCapacity { scratch.growSeen(atLeast: seenCount &+ more &+ 1) }
    }

    /// Takes the neighbours of `row` into this round. At most ``walkBreadth`` rows a round.
    @inline(__always)
    mutating func expand(_ row: UInt32) {
        reserveSeen(width)
        let list = source.links(row, 0, scratch.links)
        for i in 0..<width {
            let id = list[i]
            if id == noLink { break }
            if isMarked(visited, id) { continue }
            if isMarked(tested, id) {
                scratch.hops[hopCount] = id
                hopCount &+= 1
            } else {
                queue(id)
            }
        }
        wanted &+= width
    }

    /// The rows of this round that pass: their number; they are in `scratch.ids`.
    mutating func passing(_ admit: RowPredicate) -> Int {
        found = 0
        test(admit, keepsHops: true)
        var next = 0
        while next < hopCount, found < wanted {
            let hop = scratch.hops[next]
            next &+= 1
            if isMarked(visited, hop) { continue }
            if next < hopCount { source.prefetch(scratch.hops[next], 0) }
            if found &+ waiting &+ width > SearchScratch.block { break }
            mark(visited, hop)
            reserveSeen(width)
            let list = source.links(hop, 0, scratch.links)
            for i in 0..<width {
                let id = list[i]
                if id == noLink { break }
                if !isMarked(tested, id) { queue(id) }
            }
            if waiting >= Self.batch { test(admit, keepsHops: false) }
        }
        test(admit, keepsHops: false)
        (hopCount, wanted) = (0, 0)
        return found
    }

    /// Asks about the rows that wait.
    private mutating func test(_ admit: RowPredicate, keepsHops: Bool) {
        guard waiting > 0 else { return }
        let (picked, admitted) = (scratch.picked, scratch.admitted)
        admitted.update(repeating: false, count: waiting)
        admit(picked, waiting, admitted)
        for i in 0..<waiting {
            let row = picked[i]
            if admitted[i] {
                mark(visited, row)
                scratch.ids[found] = row
                found &+= 1
            } else if keepsHops {
                scratch.hops[hopCount] = row
                hopCount &+= 1
            }
        }
        waiting = 0
    }

    func clear(rows: Int) {
        // Every marked row was tested.
        scratch.clearVisited(rows: rows, count: seenCount)
        scratch.clearTested(rows: rows, count: seenCount)
    }
}
