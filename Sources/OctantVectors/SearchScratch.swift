import Synchronization

/// The working memory of one search at a time: reused, so that a search allocates nothing but its answer.
final class SearchScratch {
    /// One bit a row; all zero between walks.
    private(set) var visited: UnsafeMutablePointer<UInt64>
    private(set) var visitedWords = 0
    /// A second bit a row, for walks that ask a predicate before they score; all zero between walks.
    private(set) var tested: UnsafeMutablePointer<UInt64>
    private var testedWords = 0
    /// Rows that walks have scored since somebody set this to 0.
    var scored = 0
    /// Rows scored by the walk, in order.
    private(set) var seen: UnsafeMutablePointer<UInt32>
    private(set) var seenCapacity: Int
    /// The pool of the walk, or the results of a filtered one.
    private(set) var pool: UnsafeMutablePointer<ScoreKey>
    private(set) var poolCapacity: Int
    /// Candidates of a filtered walk (a heap), and the results of rescoring.
    private(set) var heap: UnsafeMutablePointer<ScoreKey>
    private(set) var heapCapacity: Int
    /// A query's codes.
    private(set) var query: UnsafeMutablePointer<UInt8>
    private(set) var queryCapacity: Int
    /// A row as floats.
    private var row: UnsafeMutablePointer<Float>
    private var rowCapacity = 1

    /// Rows scored in one call at most: blocks of scans, and a node's links.
    static let block = 2048
    let scores = UnsafeMutablePointer<Float>.allocate(capacity: SearchScratch.block)
    /// Twice as many, for codes in two halves.
    let integers = UnsafeMutablePointer<Int32>.allocate(capacity: 2 * SearchScratch.block)
    let ids = UnsafeMutablePointer<UInt32>.allocate(capacity: SearchScratch.block)
    let picked = UnsafeMutablePointer<UInt32>.allocate(capacity: SearchScratch.block)
    let links = UnsafeMutablePointer<UInt32>.allocate(capacity: SearchScratch.block)
    let hops = UnsafeMutablePointer<UInt32>.allocate(capacity: SearchScratch.block)
    let admitted = UnsafeMutablePointer<Bool>.allocate(capacity: SearchScratch.block)

    init() {
        visited = .allocate(capacity: 1)
        tested = .allocate(capacity: 1)
        seenCapacity = 4096
        seen = .allocate(capacity: seenCapacity)
        poolCapacity = 512
        pool = .allocate(capacity: poolCapacity)
        heapCapacity = 1024
        heap = .allocate(capacity: heapCapacity)
        queryCapacity = 1024
        query = .allocate(capacity: queryCapacity)
        row = .allocate(capacity: rowCapacity)
    }

    deinit {
        visited.deallocate()
        tested.deallocate()
        seen.deallocate()
        pool.deallocate()
        heap.deallocate()
        query.deallocate()
        row.deallocate()
        scores.deallocate()
        integers.deallocate()
        ids.deallocate()
        picked.deallocate()
        links.deallocate()
        hops.deallocate()
        admitted.deallocate()
    }

    /// Room for rows below `rows` to be marked as visited.
    func reserveVisited(rows: Int) {
        let words = (rows + 63) >> 6
        guard words > visitedWords else { return }
        visited.deallocate()
        visited = .allocate(capacity: words)
        visited.initialize(repeating: 0, count: words)
        visitedWords = words
    }

    /// Forgets the walk's visits: row marks, `count` of which are in `seen`.
    func clearVisited(rows: Int, count: Int) { clear(visited, rows: rows, count: count) }

    /// Room for rows below `rows` to be marked as tested.
    func reserveTested(rows: Int) {
        let words = (rows + 63) >> 6
        guard words > testedWords else { return }
        tested.deallocate()
        tested = .allocate(capacity: words)
        tested.initialize(repeating: 0, count: words)
        testedWords = words
    }

    /// Forgets which rows were tested, `count` of which are in `seen`.
    func clearTested(rows: Int, count: Int) { clear(tested, rows: rows, count: count) }

    private func clear(_ marks: UnsafeMutablePointer<UInt64>, rows: Int, count: Int) {
        let words = (rows + 63) >> 6
        if words <= 4096 || count > words {
            marks.update(repeating: 0, count: words)
        } else {
            for i in 0..<count { marks[Int(seen[i] >> 6)] = 0 }
        }
    }

    /// Makes `seen` larger, keeping what it holds.
    func growSeen(atLeast needed: Int) {
        Self.grow(&seen, &seenCapacity, needed)
    }

    /// Makes `heap` larger, keeping what it holds.
    func growHeap(atLeast needed: Int) {
        Self.grow(&heap, &heapCapacity, needed)
    }

    /// Room in `pool`, whose content is not kept.
    func reservePool(_ needed: Int) {
        Self.grow(&pool, &poolCapacity, needed)
    }

    /// Room in `query`.
    func reserveQuery(_ needed: Int) {
        Self.grow(&query, &queryCapacity, needed)
    }

    /// Memory for a row of `count` floats.
    func components(_ count: Int) -> UnsafeMutablePointer<Float> {
        Self.grow(&row, &rowCapacity, count)
        return row
    }

    private static func grow<T: BitwiseCopyable>(
        _ memory: inout UnsafeMutablePointer<T>, _ capacity: inout Int, _ needed: Int
    ) {
        guard needed > capacity else { return }
        let larger = max(needed, capacity * 2)
        let next = UnsafeMutablePointer<T>.allocate(capacity: larger)
        UnsafeMutableRawPointer(next).copyMemory(from: memory, byteCount: capacity * MemoryLayout<T>.stride)
        memory.deallocate()
        memory = next
        capacity = larger
    }
}

/// Scratches not in use, shared by all indexes of the process.
enum ScratchPool {
    /// SAFETY: a scratch is in the list or in one caller's hands, never in both.
    private struct Idle: @unchecked Sendable {
        var scratches: [SearchScratch] = []
    }

    private static let idle = Mutex(Idle())

    static func take() -> SearchScratch {
        idle.withLock { $0.scratches.popLast() } ?? SearchScratch()
    }

    static func give(_ scratch: SearchScratch) {
        idle.withLock { if $0.scratches.count < 64 { $0.scratches.append(scratch) } }
    }
}
