import COctantKernels

/// Where a walk reads a node's links from. A list ends at `noLink` or after `width(level)` entries.
protocol LinkSource {
    /// The links of a row on a level; `buffer` has room for a list if they must be copied.
    func links(_ row: UInt32, _ level: Int, _ buffer: UnsafeMutablePointer<UInt32>) -> UnsafePointer<UInt32>
    /// Longest list of a level.
    func width(_ level: Int) -> Int
    /// Asks for the links of a row.
    func prefetch(_ row: UInt32, _ level: Int)
    /// Asks the disk for the links of rows that are about to be expanded together. Nothing where they are in memory.
    func ask(_ rows: UnsafePointer<UInt32>, _ count: Int, _ level: Int)
    /// Asks the disk for the links of the next `breadth` nodes of a pool that are not expanded yet.
    func askNext(_ pool: UnsafePointer<ScoreKey>, from cursor: Int, count: Int, _ level: Int, _ scratch: SearchScratch)
    /// Nodes a walk expands at a time. Times `width(0)` it must not exceed `SearchScratch.block`.
    var breadth: Int { get }
}

extension LinkSource {
    @inline(__always)
    func ask(_ rows: UnsafePointer<UInt32>, _ count: Int, _ level: Int) {}

    @inline(__always)
    func askNext(
        _ pool: UnsafePointer<ScoreKey>, from cursor: Int, count: Int, _ level: Int, _ scratch: SearchScratch
    ) {}

    @inline(__always)
    var breadth: Int { walkBreadth }
}

/// Ends a list of links that is not full.
let noLink = UInt32.max

/// Greedy descent on one level: moves to the best neighbour until none is better.
/// Malkov & Yashunin, "Efficient and robust approximate nearest neighbor search using HNSW graphs", algorithm 2, ef 1.
@inline(__always)
func descend<S: RowScorer, L: LinkSource>(
    _ scorer: S, _ source: L, level: Int, from start: (row: UInt32, score: Float), _ scratch: SearchScratch
) -> (row: UInt32, score: Float) {
    var best = start
    let width = source.width(level)
    let scores = scratch.scores
    while true {
        let list = source.links(best.row, level, scratch.links)
        var n = 0
        while n < width, list[n] != noLink { n &+= 1 }
        scorer.score(list, n, scores)
        var next = best
        for i in 0..<n where scores[i] > next.score { next = (list[i], scores[i]) }
        if next.row == best.row { return best }
        best = next
    }
}

/// Collects the links of `row` not visited yet behind `seen[count...]` and marks them. Returns the new count.
@inline(__always)
private func collect<L: LinkSource>(
    _ row: UInt32, _ level: Int, _ width: Int, _ source: L, _ visited: UnsafeMutablePointer<UInt64>,
    _ seen: UnsafeMutablePointer<UInt32>, _ count: Int, _ buffer: UnsafeMutablePointer<UInt32>
) -> Int {
    let list = source.links(row, level, buffer)
    var n = count
    for i in 0..<width {
        let id = list[i]
        if id == noLink { break }
        let word = visited + Int(id >> 6)
        let mask = UInt64(1) << UInt64(id & 63)
        let old = word.pointee
        // Branch-free: the slot is kept only if the bit was clear.
        seen[n] = id
        n &+= old & mask == 0 ? 1 : 0
        word.pointee = old | mask
    }
    return n
}

/// Nodes a walk expands at a time. Nearly all of the pool is expanded in the end anyway, so that little is done in vain,
/// and the rows of several nodes are fetched together: late in a walk a node has only a few rows not seen yet, too few
/// to hide the memory's latency. Times `m0` it must not exceed `SearchScratch.block`.
let walkBreadth = 4

/// Best-first search on one level with a pool of the `ef` best rows, sorted best first in `scratch.pool`. Returns how
/// many there are. Algorithm 2 of the paper, its two heaps being one sorted array with a flag "expanded" in bit 0:
/// for pools of up to a few hundred a binary search and a short move are as fast.
func walk<S: RowScorer, L: LinkSource>(
    _ scorer: S, _ source: L, level: Int, entry: (row: UInt32, score: Float), ef: Int, rows: Int,
    _ scratch: SearchScratch
) -> Int {
    scratch.reserveVisited(rows: rows)
    scratch.reservePool(ef + 1)
    let pool = scratch.pool
    let visited = scratch.visited
    let scores = scratch.scores
    let buffer = scratch.links
    let width = source.width(level)
    let breadth = source.breadth
    var seen = scratch.seen
    var seenCapacity = scratch.seenCapacity

    visited[Int(entry.row >> 6)] |= 1 << UInt64(entry.row & 63)
    seen[0] = entry.row
    var seenCount = 1
    pool[0] = scoreKey(entry.score, entry.row)
    var count = 1
    var cursor = 0
    var floor: Float = ef == 1 ? entry.score : -.infinity
    while cursor < count {
        if pool[cursor] & 1 != 0 {
            cursor &+= 1
            continue
        }
        if seenCount &+ breadth &* width >= seenCapacity {
            scratch.growSeen(atLeast: seenCount &+ breadth &* width &+ 1)
            seen = scratch.seen
            seenCapacity = scratch.seenCapacity
        }
        let start = seenCount
        let fresh = seen + start
        var position = cursor
        var expanded = 0
        source.askNext(pool, from: cursor, count: count, level, scratch)
        repeat {
            let current = pool[position]
            if current & 1 == 0 {
                pool[position] = current | 1
                seenCount = collect(keyRow(current), level, width, source, visited, seen, seenCount, buffer)
                expanded &+= 1
            }
            position &+= 1
        } while expanded < breadth && position < count
        let n = seenCount &- start
        scorer.score(fresh, n, scores)
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
            // It may well be among the next to be expanded: the sooner its links are asked for, the better.
            if position <= lowest &+ breadth { source.prefetch(fresh[i], level) }
        }
        cursor = lowest
        prefetchNext(pool, from: cursor, count: count, source, level)
    }
    scratch.clearVisited(rows: rows, count: seenCount)
    for i in 0..<count { pool[i] &= ~1 }
    return count
}

/// Asks for the links of the next nodes to be expanded, and of those after them.
@inline(__always)
func prefetchNext<L: LinkSource>(
    _ pool: UnsafePointer<ScoreKey>, from cursor: Int, count: Int, _ source: L, _ level: Int
) {
    var asked = 0
    var next = cursor
    while next < count, asked < 2 &* walkBreadth {
        if pool[next] & 1 == 0 {
            source.prefetch(keyRow(pool[next]), level)
            asked &+= 1
        }
        next &+= 1
    }
}

/// Best-first search on level 0 for rows that `admit` lets pass. Nodes that do not pass are walked through. Results go
/// to `scratch.pool`, sorted; the number of them is returned. Ends when the best candidate left is worse than the worst
/// of `ef` results, or after `visitLimit` rows were scored.
func walkAdmitted<S: RowScorer, L: LinkSource>(
    _ scorer: S, _ source: L, entry: (row: UInt32, score: Float), ef: Int, rows: Int, visitLimit: Int,
    _ scratch: SearchScratch, _ admit: RowPredicate
) -> Int {
    scratch.reserveVisited(rows: rows)
    scratch.reservePool(ef + 1)
    let visited = scratch.visited
    let scores = scratch.scores
    let width = source.width(0)
    let breadth = source.breadth
    let next = scratch.hops
    let picked = scratch.picked
    var results = TopKeys(scratch.pool, capacity: ef)
    var candidates = KeyQueue(scratch)

    visited[Int(entry.row >> 6)] |= 1 << UInt64(entry.row & 63)
    scratch.seen[0] = entry.row
    var seenCount = 1
    var entryRow = entry.row
    scratch.admitted[0] = false
    admit(&entryRow, 1, scratch.admitted)
    let entryKey = scoreKey(entry.score, entry.row)
    if scratch.admitted[0] { results.insert(entryKey) }
    candidates.push(entryKey)
    while seenCount < visitLimit {
        if seenCount &+ breadth &* width >= scratch.seenCapacity {
            scratch.growSeen(atLeast: seenCount &+ breadth &* width &+ 1)
        }
        let seen = scratch.seen
        let start = seenCount
        var expanded = 0
        while expanded < breadth, let current = candidates.first {
            if results.isFull, keyScore(current) < results.floor { break }
            candidates.removeFirst()
            next[expanded] = keyRow(current)
            expanded &+= 1
        }
        if expanded == 0 { break }
        source.ask(next, expanded, 0)
        for i in 0..<expanded {
            seenCount = collect(next[i], 0, width, source, visited, seen, seenCount, scratch.links)
        }
        let fresh = seen + start
        let n = seenCount &- start
        scorer.score(fresh, n, scores)
        // Candidates and possible results are the same rows: those above the worst result.
        var hits = 0
        for i in 0..<n where scores[i] > results.floor || !results.isFull {
            picked[hits] = fresh[i]
            scores[hits] = scores[i]
            scratch.admitted[hits] = false
            hits &+= 1
        }
        guard hits > 0 else { continue }
        admit(picked, hits, scratch.admitted)
        for i in 0..<hits {
            let key = scoreKey(scores[i], picked[i])
            if scratch.admitted[i] { results.insert(key) }
            candidates.push(key)
        }
        if let next = candidates.first { source.prefetch(keyRow(next), 0) }
    }
    scratch.clearVisited(rows: rows, count: seenCount)
    results.sort()
    return results.count
}

/// A priority queue of keys, best first, in `scratch.heap`.
private struct KeyQueue {
    let scratch: SearchScratch
    var heap: UnsafeMutablePointer<ScoreKey>
    var count = 0

    init(_ scratch: SearchScratch) {
        self.scratch = scratch
        heap = scratch.heap
    }

    var first: ScoreKey? { count > 0 ? heap[0] : nil }

    mutating func push(_ key: ScoreKey) {
        if count == scratch.heapCapacity {
            scratch.growHeap(atLeast: count + 1)
            heap = scratch.heap
        }
        var i = count
        count &+= 1
        while i > 0 {
            let parent = (i &- 1) >> 1
            if heap[parent] <= key { break }
            heap[i] = heap[parent]
            i = parent
        }
        heap[i] = key
    }

    /// Of a queue that is not empty.
    mutating func removeFirst() {
        count &-= 1
        let key = heap[count]
        var i = 0
        while true {
            var child = 2 &* i &+ 1
            if child >= count { break }
            if child &+ 1 < count, heap[child &+ 1] < heap[child] { child &+= 1 }
            if heap[child] >= key { break }
            heap[i] = heap[child]
            i = child
        }
        heap[i] = key
    }
}
