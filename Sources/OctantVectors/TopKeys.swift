/// The best `capacity` keys seen, as a binary heap with the worst at the root. Borrowed memory for `capacity` keys.
struct TopKeys {
    let heap: UnsafeMutablePointer<ScoreKey>
    let capacity: Int
    private(set) var count = 0
    /// A score below this cannot enter; -infinity until the heap is full.
    private(set) var floor: Float = -.infinity

    init(_ memory: UnsafeMutablePointer<ScoreKey>, capacity: Int) {
        heap = memory
        self.capacity = capacity
    }

    var isFull: Bool { count == capacity }

    @inline(__always)
    mutating func insert(_ key: ScoreKey) {
        if count < capacity {
            var i = count
            count &+= 1
            while i > 0 {
                let parent = (i &- 1) >> 1
                if heap[parent] >= key { break }
                heap[i] = heap[parent]
                i = parent
            }
            heap[i] = key
            if count == capacity { floor = keyScore(heap[0]) }
            return
        }
        guard capacity > 0, key < heap[0] else { return }
        siftDown(key)
        floor = keyScore(heap[0])
    }

    private func siftDown(_ key: ScoreKey) {
        var i = 0
        while true {
            var child = 2 &* i &+ 1
            if child >= count { break }
            if child &+ 1 < count, heap[child &+ 1] > heap[child] { child &+= 1 }
            if heap[child] <= key { break }
            heap[i] = heap[child]
            i = child
        }
        heap[i] = key
    }

    /// Sorts the heap's memory best first. Nothing may be inserted afterwards.
    func sort() {
        var keys = UnsafeMutableBufferPointer(start: heap, count: count)
        keys.sort()
    }

    /// The best `limit` as rows, best first. Sorts.
    func rows(limit: Int) -> [ScoredRow] {
        sort()
        return scoredRows(heap, min(limit, count))
    }
}

/// Keys as rows with scores.
func scoredRows(_ keys: UnsafePointer<ScoreKey>, _ count: Int) -> [ScoredRow] {
    [ScoredRow](unsafeUninitializedCapacity: count) { buffer, filled in
        for i in 0..<count {
            buffer.initializeElement(at: i, to: ScoredRow(row: keyRow(keys[i]), score: keyScore(keys[i]) + 0))
        }
        filled = count
    }
}
