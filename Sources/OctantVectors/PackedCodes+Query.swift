import COctantKernels
import OctantModel

/// Scores packed codes. `query` and `integers` are scratch memory of the caller's: the parameters' `queryBytes`, and as many
/// integers as rows are ever scored in one call.
struct PackedScorer: RowScorer {
    var base: UnsafePointer<UInt8>
    let shape: PackedShape
    let kernels: ok_packed_metric
    let levels: UnsafePointer<UInt8>
    let query: UnsafeMutablePointer<UInt8>
    let integers: UnsafeMutablePointer<Int32>
    /// But for Manhattan rows have a factor and an addend: score = constant + addend + factor * (offset + scale * integer).
    /// For Manhattan score = constant + scale * integer.
    var constant: Float = 0
    var offset: Float = 0
    var scale: Float = 1

    var place: (base: UnsafeRawPointer, stride: Int) { (UnsafeRawPointer(base), shape.stride) }

    @inline(__always)
    func score(_ ids: UnsafePointer<UInt32>, _ count: Int, _ out: UnsafeMutablePointer<Float>) {
        ok_packed_gather(kernels, query, levels, base, shape.stride, shape.codeBytes, ids, count, integers)
        let scale = scale
        let constant = constant
        guard shape.isRotated else {
            for i in 0..<count { out[i] = constant + scale * Float(integers[i]) }
            return
        }
        let offset = offset
        let stride = shape.stride
        let rows = base + shape.codeBytes
        for i in 0..<count {
            let row = PackedRow(rows + Int(ids[i]) &* stride)
            out[i] = constant + (row.addend + row.factor * (offset + scale * Float(integers[i])))
        }
    }

    @inline(__always)
    func scoreRun(_ start: Int, _ count: Int, _ out: UnsafeMutablePointer<Float>) {
        let stride = shape.stride
        let first = base + start &* stride
        ok_packed_batch(kernels, query, levels, first, stride, shape.codeBytes, count, integers)
        let scale = scale
        let constant = constant
        guard shape.isRotated else {
            for i in 0..<count { out[i] = constant + scale * Float(integers[i]) }
            return
        }
        let offset = offset
        let rows = first + shape.codeBytes
        for i in 0..<count {
            let row = PackedRow(rows + i &* stride)
            out[i] = constant + (row.addend + row.factor * (offset + scale * Float(integers[i])))
        }
    }

    mutating func load(_ row: UInt32) {
        let place = base + Int(row) &* shape.stride
        guard shape.isRotated else { return loadStraight(place) }
        let own = PackedRow(place + shape.codeBytes)
        let factor = shape.distance == .euclid ? own.factor / 2 : own.factor
        constant = own.addend
        if shape.width.hasBinaryQuery {
            query.update(from: place, count: shape.codeBytes)
            return setDiffering(factor)
        }
        query.update(repeating: 0, count: shape.queryBytes)
        let sum = ok_unpack(
            place, shape.components, Int32(shape.width.bits), shape.codeBytes,
            UnsafeMutableRawPointer(query).assumingMemoryBound(to: Int8.self))
        setDot(shape.width.bits == 8 ? factor : factor / 2, sum)
    }

    private mutating func loadStraight(_ place: UnsafePointer<UInt8>) {
        let bits = shape.width.bits
        query.update(repeating: bits == 8 ? 0 : levels[0], count: shape.queryBytes)
        _ = ok_unpack(
            place, shape.components, Int32(bits), shape.codeBytes,
            UnsafeMutableRawPointer(query).assumingMemoryBound(to: Int8.self))
        // Back from centred, doubled numbers to levels.
        for i in 0..<shape.components {
            let c = Int(Int8(bitPattern: query[i]))
            switch bits {
            case 1: query[i] = levels[c > 0 ? 1 : 0]
            case 8: query[i] = UInt8(truncatingIfNeeded: c + 128)
            default: query[i] = UInt8(truncatingIfNeeded: (c + 127) / 2)
            }
        }
        constant = 0
        scale = -1 / shape.steps
    }

    /// The query stands for `unit` times its signed bytes, whose sum is `sum`.
    mutating func setDot(_ unit: Float, _ sum: Int32) {
        let middle: Float = shape.width.bits == 1 ? 0.5 : shape.width.bits == 8 ? 0 : 63.5
        scale = unit
        offset = 0 - unit * middle * Float(sum)
    }

    /// The query stands for `factor` times its codes of -1/2 and 1/2, whose product with a row's is a quarter of
    /// (components - 2 * differing).
    mutating func setDiffering(_ factor: Float) {
        scale = -0.5 * factor
        offset = 0.25 * factor * Float(shape.components)
    }

    @inline(__always)
    func prefetch(_ row: UInt32) {
        ok_prefetch(base + Int(row) &* shape.stride)
    }
}

extension PackedCodes {
    func scorer(_ query: UnsafePointer<Float>, _ scratch: SearchScratch) -> PackedScorer {
        self.query(query, scratch).scorer
    }

    /// Encodes a query into the scratch. `query` holds `dimension` floats. The bound is by ``deviation``.
    func query(_ query: UnsafePointer<Float>, _ scratch: SearchScratch) -> (scorer: PackedScorer, bound: ScoreBound) {
        let width = parameters.shape.queryBytes
        let components = parameters.shape.components
        // The codes, and behind them room for the turned query.
        scratch.reserveQuery(width + 4 * components)
        var scorer = rowScorer(query: scratch.query, integers: scratch.integers)
        (scratch.query + width).withMemoryRebound(to: Float.self, capacity: components) { turned in
            if parameters.shape.isRotated {
                encodeTurned(query, turned, &scorer)
            } else {
                encodeStraight(query, turned, &scorer)
            }
        }
        let product = parameters.distance == .cosine || parameters.distance == .dot
        let length = product ? ok_norm2(query, parameters.dimension).squareRoot() : 1
        let slack = ScoreBound.deviations * deviation * length
        return (scorer, ScoreBound(distance: parameters.distance, slack: slack))
    }

    /// A scorer for rows against rows. `query` has room for the shape's `queryBytes`, `integers` for the rows of one call.
    func rowScorer(query: UnsafeMutablePointer<UInt8>, integers: UnsafeMutablePointer<Int32>) -> PackedScorer {
        let shape = parameters.shape
        let kind =
            shape.width.hasBinaryQuery ? OK_PACKED_DIFFERING : shape.isRotated ? OK_PACKED_DOT : OK_PACKED_SAD
        return PackedScorer(
            base: base, shape: shape, kernels: ok_packed_kernels(Int32(kind), Int32(shape.width.bits)),
            levels: ok_packed_levels(Int32(shape.width.bits)), query: query, integers: integers)
    }

    /// Dot, cosine and Euclid. With x = centre + r and p = q - centre: x·q = centre·q + r·centre + r·p, and
    /// |x - q|² = |r|² + |p|² - 2 r·p.
    private func encodeTurned(
        _ query: UnsafePointer<Float>, _ turned: UnsafeMutablePointer<Float>, _ scorer: inout PackedScorer
    ) {
        let n = parameters.dimension
        let m = parameters.shape.components
        parameters.center.withUnsafeBufferPointer { center in
            guard let center = center.baseAddress else { return }
            for i in 0..<n { turned[i] = query[i] - center[i] }
            scorer.constant =
                parameters.distance == .euclid ? 0 - ok_norm2(turned, n) : ok_dot(query, center, n)
        }
        (turned + n).update(repeating: 0, count: m - n)
        ok_rotate(turned, m, seed)
        let codes = scorer.query
        if parameters.shape.width.hasBinaryQuery {
            let along = ok_pack(turned, m, 1, 1, parameters.shape.codeBytes, codes)
            let factor = along > 0 ? ok_norm2(turned, m) / along : 0
            scorer.setDiffering(factor.isFinite ? factor : 0)
            return
        }
        var low: Float = 0
        var high: Float = 0
        ok_min_max(turned, m, &low, &high)
        let fitted = max(high, 0 - low) / 127
        let scale = fitted.isFinite && fitted > 0 && (1 / fitted).isFinite ? fitted : 1
        let width = parameters.shape.queryBytes
        ok_quantize(turned, m, 0, 1 / scale, codes)
        (codes + m).update(repeating: 128, count: width - m)
        let sum = ok_code_query(codes, width, UnsafeMutableRawPointer(codes).assumingMemoryBound(to: Int8.self))
        scorer.setDot(scale, sum)
    }

    /// Manhattan: the query in the rows' steps. What is outside of the levels' range adds the same to every row.
    private func encodeStraight(
        _ query: UnsafePointer<Float>, _ turned: UnsafeMutablePointer<Float>, _ scorer: inout PackedScorer
    ) {
        let n = parameters.dimension
        let codes = scorer.query
        let steps = parameters.shape.steps
        let eight = parameters.shape.width.bits == 8
        let middle: Float = eight ? 128 : 63.5
        let least: Float = eight ? 1 : 0
        let most: Float = eight ? 255 : 127
        var outside: Float = 0
        for i in 0..<n {
            let place = middle + (query[i] - parameters.center[i]) * steps
            let clamped = max(least, min(most, place))
            outside += (place - clamped).magnitude
            codes[i] = UInt8(exactly: clamped.rounded(.toNearestOrEven)) ?? UInt8(middle)
        }
        // Behind the last component rows have code 0.
        (codes + n).update(repeating: eight ? 0 : scorer.levels[0], count: parameters.shape.queryBytes - n)
        scorer.scale = -1 / steps
        scorer.constant = 0 - outside / steps
    }
}
