import COctantKernels

/// Scores 4-bit codes with the query of a ``CodeScorer``, which must be padded to twice `stride`.
struct NibbleScorer: RowScorer {
    var base: UnsafePointer<UInt8>
    let stride: Int
    var codes: CodeScorer
    let step: Float
    /// As those of ``CodeScorer``, a level k standing for (k - 7.5) steps.
    var constant: Float = 0
    var factor: Float = 1

    var place: (base: UnsafeRawPointer, stride: Int) { (UnsafeRawPointer(base), stride) }

    @inline(__always)
    func score(_ ids: UnsafePointer<UInt32>, _ count: Int, _ out: UnsafeMutablePointer<Float>) {
        ok_nibble_dot_gather(codes.signedQuery, base, stride, ids, count, codes.integers)
        let integers = codes.integers
        let factor = factor
        let constant = constant
        guard let norms = codes.norms else {
            for i in 0..<count { out[i] = constant + Float(integers[i]) * factor }
            return
        }
        let normFactor = codes.normFactor
        for i in 0..<count {
            out[i] = constant + (Float(integers[i]) * factor + Float(norms[Int(ids[i])]) * normFactor)
        }
    }

    @inline(__always)
    func scoreRun(_ start: Int, _ count: Int, _ out: UnsafeMutablePointer<Float>) {
        ok_nibble_dot_batch(codes.signedQuery, base + start &* stride, stride, count, codes.integers)
        let integers = codes.integers
        let factor = factor
        let constant = constant
        guard let norms = codes.norms else {
            for i in 0..<count { out[i] = constant + Float(integers[i]) * factor }
            return
        }
        let normFactor = codes.normFactor
        for i in 0..<count {
            out[i] = constant + (Float(integers[i]) * factor + Float(norms[start &+ i]) * normFactor)
        }
    }

    @inline(__always)
    mutating func load(_ row: UInt32) {
        codes.load(row)
        factor = codes.factor * step
        constant = codes.constant - 7.5 * factor * Float(codes.querySum)
    }

    @inline(__always)
    func prefetch(_ row: UInt32) {
        ok_prefetch(base + Int(row) &* stride)
    }

    /// Scores the pool, found by 4 bits, again by 8 bits, and sorts it.
    func refine(_ scratch: SearchScratch, _ count: Int) {
        let pool = scratch.pool
        let ids = scratch.ids
        var start = 0
        while start < count {
            let size = min(SearchScratch.block, count &- start)
            for i in 0..<size { ids[i] = keyRow(pool[start &+ i]) }
            codes.score(ids, size, scratch.scores)
            for i in 0..<size { pool[start &+ i] = scoreKey(scratch.scores[i], ids[i]) }
            start &+= size
        }
        sortPool(pool, count)
    }
}

/// Sorts a pool that was scored again.
func sortPool(_ pool: UnsafeMutablePointer<ScoreKey>, _ count: Int) {
    guard count <= 512 else {
        var keys = UnsafeMutableBufferPointer(start: pool, count: count)
        return keys.sort()
    }
    // Insertion sort: the order by 4 bits is nearly the order by 8.
    for i in stride(from: 1, to: count, by: 1) {
        let key = pool[i]
        var j = i
        while j > 0, pool[j &- 1] > key {
            pool[j] = pool[j &- 1]
            j &-= 1
        }
        pool[j] = key
    }
}
