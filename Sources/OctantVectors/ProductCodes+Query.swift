import COctantKernels
import OctantModel

extension ProductCodes {
    func scorer(_ query: UnsafePointer<Float>, _ scratch: SearchScratch) -> ProductScorer {
        self.query(query, scratch).scorer
    }

    /// A scorer of all rows for a query of `dimension` floats, and how far its scores can be from the exact ones.
    ///
    /// Jégou et al., section III: distances are asymmetric, only the rows being quantised. A query's similarities with
    /// all centroids are looked up in tables of 8-bit numbers, which lie in the scratch and whose sums are exact.
    func query(_ query: UnsafePointer<Float>, _ scratch: SearchScratch) -> (scorer: ProductScorer, bound: ScoreBound) {
        var scorer = rowScorer(scratch)
        scorer.prepare(query)
        let distance = shape.distance
        let length = distance == .cosine || distance == .dot ? DenseKernels.length(query, shape.dimension) : 1
        let slack = ScoreBound.deviations * deviation * length
        return (scorer, ScoreBound(distance: distance, slack: slack))
    }

    /// A scorer without a query, for rows against rows.
    func rowScorer(_ scratch: SearchScratch) -> ProductScorer {
        // The tables or the query's own form first, then room to decode a row into; at the beginning of a cache line.
        let tables = shape.width == 1 ? shape.dimension : shape.stride * Int(OK_CENTROIDS)
        let floats = MemoryLayout<Float>.stride
        scratch.reserveQuery((tables + shape.dimension) * floats + 64)
        let raw = UnsafeMutableRawPointer(scratch.query)
        let memory = raw + (64 - Int(bitPattern: raw) % 64) % 64
        return ProductScorer(
            book: book, base: base, stride: shape.stride, metric: shape.metric,
            similarities: memory.assumingMemoryBound(to: Float.self),
            decoded: (memory + tables * floats).assumingMemoryBound(to: Float.self), integers: scratch.integers)
    }
}

/// Scores product codes. All memory but the codes' is scratch memory of the caller's.
struct ProductScorer: RowScorer {
    let book: ProductBook
    var base: UnsafePointer<UInt8>
    let stride: Int
    let metric: Int32
    /// The tables, which take the place of the floats they are made from. Width 1: the query relative to the first
    /// levels, or for products times the distances of the levels.
    let similarities: UnsafeMutablePointer<Float>
    let decoded: UnsafeMutablePointer<Float>
    let integers: UnsafeMutablePointer<Int32>
    /// score = constant + factor * integer
    var constant: Float = 0
    var factor: Float = 0

    var place: (base: UnsafeRawPointer, stride: Int) { (UnsafeRawPointer(base), stride) }

    @inline(__always)
    private var tables: UnsafeMutablePointer<UInt8> {
        UnsafeMutableRawPointer(similarities).assumingMemoryBound(to: UInt8.self)
    }

    /// Makes `dimension` floats the query.
    mutating func prepare(_ query: UnsafePointer<Float>) {
        let n = book.shape.dimension
        guard book.shape.width == 1 else {
            ok_product_similarities(metric, query, n, book.shape.width, book.values, similarities)
            ok_product_pack(similarities, stride, &constant, &factor, tables)
            return
        }
        guard metric == OK_PRODUCT_DOT else {
            for i in 0..<n { similarities[i] = query[i] - book.values[i] }
            return
        }
        for i in 0..<n { similarities[i] = query[i] * book.scales[i] }
        let sum = ok_dot(query, book.values, n)
        constant = sum.isNaN ? 0 : max(-.greatestFiniteMagnitude, min(sum, .greatestFiniteMagnitude))
    }

    @inline(__always)
    func score(_ ids: UnsafePointer<UInt32>, _ count: Int, _ out: UnsafeMutablePointer<Float>) {
        let constant = constant
        guard book.shape.width > 1 else {
            ok_product_levels_gather(metric, similarities, book.scales, base, stride, ids, count, out)
            for i in 0..<count { out[i] += constant }
            return
        }
        ok_product_sums_gather(tables, base, stride, ids, count, integers)
        let factor = factor
        for i in 0..<count { out[i] = constant + factor * Float(integers[i]) }
    }

    @inline(__always)
    func scoreRun(_ start: Int, _ count: Int, _ out: UnsafeMutablePointer<Float>) {
        let constant = constant
        guard book.shape.width > 1 else {
            ok_product_levels_batch(metric, similarities, book.scales, base + start &* stride, stride, count, out)
            for i in 0..<count { out[i] += constant }
            return
        }
        ok_product_sums_batch(tables, base + start &* stride, stride, count, integers)
        let factor = factor
        for i in 0..<count { out[i] = constant + factor * Float(integers[i]) }
    }

    /// The row's reconstruction becomes the query.
    mutating func load(_ row: UInt32) {
        book.decode(base + Int(row) &* stride, decoded)
        prepare(decoded)
    }

    @inline(__always)
    func prefetch(_ row: UInt32) {
        ok_prefetch(base + Int(row) &* stride)
    }
}
