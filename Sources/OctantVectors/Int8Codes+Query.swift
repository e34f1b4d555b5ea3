import COctantKernels
import OctantModel

/// A query against 8-bit codes.
struct Int8Query {
    let scorer: CodeScorer
    /// Scores by 4-bit codes, if there are any: rougher, from half the memory.
    let nibbles: NibbleScorer?
    /// Holds for every row.
    let bound: ScoreBound
    /// Holds for nearly every row, and is several times narrower: see ``ScoreDeviation``.
    let likelyBound: ScoreBound
}

extension Int8Codes {
    func scorer(_ query: UnsafePointer<Float>, _ scratch: SearchScratch) -> CodeScorer {
        self.query(query, scratch).scorer
    }

    /// Quantises a query into the scratch. `query` holds `dimension` floats.
    ///
    /// Dot, cosine and Euclid give the query a scale of its own (its codes then use all 8 bits whatever its length);
    /// Manhattan has to use the rows' scale. The bound of the error follows from the triangle inequality, for the
    /// products from that of Cauchy and Schwarz: |x·q - x'·q'| <= |x - x'| |q| + |x'| |q - q'|.
    func query(_ query: UnsafePointer<Float>, _ scratch: SearchScratch) -> Int8Query {
        let n = parameters.dimension
        let manhattan = parameters.distance == .manhattan
        let width = parameters.queryBytes
        scratch.reserveQuery(width)
        let codes = scratch.query
        var scorer = rowScorer(query: codes, integers: scratch.integers)
        (codes + n).update(repeating: 128, count: width - n)
        let scale: Float
        if manhattan {
            scale = parameters.scale
        } else {
            var low: Float = parameters.center
            var high: Float = parameters.center
            ok_min_max(query, n, &low, &high)
            let largest = max((high - parameters.center).magnitude, (low - parameters.center).magnitude)
            let fitted = largest / 127
            scale = fitted.isFinite && fitted > 0 && (1 / fitted).isFinite ? fitted : 1
        }
        ok_quantize(query, n, parameters.center, 1 / scale, codes)
        let residual = ok_code_residual(query, n, codes, parameters.center, scale, manhattan ? 1 : 0)
        let slack: Float
        switch parameters.distance {
        case .manhattan:
            scorer.factor = 0 - parameters.scale
            slack = maxResidual + residual
        case .cosine, .dot:
            scorer.factor = parameters.scale * scale
            slack = maxResidual * ok_norm2(query, n).squareRoot() + maxLength * residual.squareRoot()
        case .euclid:
            scorer.factor = 2 * parameters.scale * scale
            scorer.normFactor = 0 - parameters.scale * parameters.scale
            scorer.constant = 0 - scale * scale * Float(ok_code_norm2(codes, width))
            slack = maxResidual + residual.squareRoot()
        }
        if !manhattan {
            scorer.querySum = ok_code_query(
                codes, width, UnsafeMutableRawPointer(codes).assumingMemoryBound(to: Int8.self))
        }
        var nibbleScorer: NibbleScorer?
        if let nibbles {
            let factor = scorer.factor * parameters.nibbleStep
            nibbleScorer = NibbleScorer(
                base: nibbles, stride: parameters.nibbleStride, codes: scorer, step: parameters.nibbleStep,
                constant: scorer.constant - 7.5 * factor * Float(scorer.querySum), factor: factor)
        }
        let bound = ScoreBound(distance: parameters.distance, slack: slack)
        let length = parameters.distance == .cosine || parameters.distance == .dot ? ok_norm2(query, n).squareRoot() : 1
        let likely = ScoreBound.deviations * deviation * length
        return Int8Query(
            scorer: scorer, nibbles: nibbleScorer, bound: bound,
            likelyBound: deviation > 0 && likely < bound.slack
                ? ScoreBound(distance: parameters.distance, slack: likely) : bound)
    }

    /// A scorer for rows against rows. `query` has room for the parameters' `queryBytes`, `integers` is a scratch's.
    func rowScorer(query: UnsafeMutablePointer<UInt8>, integers: UnsafeMutablePointer<Int32>) -> CodeScorer {
        CodeScorer(
            base: base, upper: parameters.isSplit ? nibbles : nil, stride: parameters.stride, norms: norms,
            manhattan: parameters.distance == .manhattan, query: query, integers: integers)
    }

    /// The same by 4-bit codes, of which there must be some.
    func nibbleScorer(query: UnsafeMutablePointer<UInt8>, integers: UnsafeMutablePointer<Int32>) -> NibbleScorer {
        // Loading a row writes `stride` bytes; what is behind them counts for nothing.
        let width = parameters.queryBytes
        (query + parameters.stride).update(repeating: 0, count: max(0, width - parameters.stride))
        return NibbleScorer(
            base: nibbles ?? base, stride: parameters.nibbleStride, codes: rowScorer(query: query, integers: integers),
            step: parameters.nibbleStep)
    }
}
