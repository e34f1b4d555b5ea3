import COctantKernels
package import OctantModel

/// How floats become 8-bit codes: a code u (1...255) stands for `center + scale * (u - 128)`. One pair for all rows.
///
/// Dot and cosine keep `center` at 0, because products of rows with a common offset would need a sum per row.
package struct Int8Parameters: Sendable, Equatable {
    package let distance: Distance
    package let dimension: Int
    package let center: Float
    package let scale: Float
    /// Rows can also be had in 4 bits, for walks, with steps of so many codes; 0 if not.
    package let nibbleStep: Float
    /// The 4-bit codes are the upper halves of the 8-bit codes, whose lower halves stand in a place of their own. Nothing
    /// is kept twice then.
    package let isSplit: Bool

    /// Bytes from one row to the next, of the 8-bit codes or of their lower halves: whole cache lines.
    package var stride: Int { isSplit ? nibbleStride : (dimension + 63) / 64 * 64 }
    /// Bytes from one 4-bit row to the next; 0 if there are none.
    package var nibbleStride: Int { nibbleStep > 0 ? (dimension + 127) / 128 * 64 : 0 }
    /// Bytes of a query's codes, for rows of both kinds.
    var queryBytes: Int { max(stride, 2 * nibbleStride) }

    /// Codes from one step to the next where 4-bit codes are the upper halves of 8-bit ones.
    static let splitStep: Float = 16

    /// Fields as given; a scale that is not a positive finite number becomes 1, and what is split has steps of 16 codes.
    package init(
        distance: Distance, dimension: Int, center: Float, scale: Float, nibbleStep: Float = 0, isSplit: Bool = false
    ) {
        self.distance = distance
        self.dimension = dimension
        self.center = center.isFinite ? center : 0
        self.scale = scale.isFinite && scale > 0 && (1 / scale).isFinite ? scale : 1
        self.nibbleStep =
            nibbleStep.isFinite && nibbleStep > 1e-3 && nibbleStep < 256 && distance != .manhattan ? nibbleStep : 0
        self.isSplit = isSplit && self.nibbleStep == Self.splitStep
    }
}

extension Int8Codes {
    /// Finds the range of the components. `quantile` (0.5...1) says how many of the rarest values at both ends may be left
    /// out, those then being clamped: see `quantiles(rows:quantile:symmetric:tolerance:)`. Nil or 1 takes the full range.
    /// Looks at all rows for the full range and at a regular sample of about four million values for a quantile.
    /// Deterministic.
    package static func train(rows: DenseRows, distance: Distance, quantile: Double?) -> Int8Parameters {
        let symmetric = distance == .cosine || distance == .dot
        var low = Float.greatestFiniteMagnitude
        var high = -Float.greatestFiniteMagnitude
        var clamps = false
        if let quantile, quantile < 1, quantile >= 0, rows.count > 0, rows.dimension > 0 {
            clamps = true
            // Steps of 16 codes suit 4 bits the better the narrower the range is.
            let tolerance = hasNibbles(distance, rows) ? splitTolerance : 1
            (low, high) = quantiles(
                rows: rows, quantile: max(quantile, 0.5), symmetric: symmetric, tolerance: tolerance)
        } else {
            rows.withBuffer { buffer in
                for row in 0..<rows.count {
                    ok_min_max(rows.floats(UInt32(truncatingIfNeeded: row), buffer), rows.dimension, &low, &high)
                }
            }
        }
        if low > high { (low, high) = (0, 0) }
        if symmetric {
            let largest = max(low.magnitude, high.magnitude)
            return withNibbles(
                Int8Parameters(distance: distance, dimension: rows.dimension, center: 0, scale: largest / 127), rows,
                maySplit: clamps)
        }
        // Halved first, so that a range wider than Float's does not overflow.
        let half = high / 2 - low / 2
        return withNibbles(
            Int8Parameters(distance: distance, dimension: rows.dimension, center: low + half, scale: half / 127), rows,
            maySplit: clamps)
    }

    /// Below so many dimensions 4-bit codes save no cache line worth their error.
    private static let leastNibbleDimension = 96
    /// Largest squared error of 4-bit codes, as a share of the components' variance. 0.0115 is what uniform steps reach
    /// on normally distributed components.
    private static let mostNibbleError: Float = 0.03
    /// How many times the least squared error 8-bit codes may have for the sake of their upper halves.
    private static let splitTolerance = 2.0
    /// How many times the squared error of the best 4-bit codes the upper halves of 8-bit codes may have. On normally
    /// distributed components they have 1.3 times as much: scores by them vary by a seventh more.
    private static let mostSplitError: Float = 1.5

    private static func hasNibbles(_ distance: Distance, _ rows: DenseRows) -> Bool {
        rows.dimension >= leastNibbleDimension && rows.count > 0 && distance != .manhattan
    }

    /// Chooses the step of the 4-bit codes that has the least squared error on a sample, or none if that is too much.
    ///
    /// - Parameter maySplit: take the upper halves of the codes where they are nearly as good. With the full range of the
    ///   components they are not.
    private static func withNibbles(
        _ parameters: Int8Parameters, _ rows: DenseRows, maySplit: Bool
    ) -> Int8Parameters {
        let n = rows.dimension
        guard hasNibbles(parameters.distance, rows) else { return parameters }
        let sample = Swift.stride(from: 0, to: rows.count, by: max(1, rows.count / 500))
        var codes: [UInt8] = []
        var one = [UInt8](repeating: 0, count: n)
        var sums = [Float](repeating: 0, count: n)
        var squares = [Float](repeating: 0, count: n)
        rows.withBuffer { buffer in
            for row in sample {
                let floats = rows.floats(UInt32(truncatingIfNeeded: row), buffer)
                ok_quantize(floats, n, parameters.center, 1 / parameters.scale, &one)
                for i in 0..<n {
                    let c = Float(one[i]) - 128
                    sums[i] += c
                    squares[i] += c * c
                }
                codes += one
            }
        }
        let count = Float(codes.count / n)
        var variance: Float = 0
        var power: Float = 0
        for i in 0..<n {
            variance += squares[i] / count - sums[i] / count * (sums[i] / count)
            power += squares[i] / count
        }
        variance /= Float(n)
        let spread = (power / Float(n)).squareRoot()
        func error(_ step: Float) -> Float {
            codes.reduce(into: Float(0)) { sum, code in
                let c = Float(code) - 128
                let d = c - (min(max((c / step).rounded(.down), -8), 7) + 0.5) * step
                sum += d * d
            }
        }
        var best: (step: Float, error: Float) = (0, .infinity)
        for factor in Swift.stride(from: Float(0.24), through: 0.56, by: 0.04) {
            let step = factor * spread
            guard step > 1e-3 else { continue }
            let error = error(step)
            if error < best.error { best = (step, error) }
        }
        guard best.error <= mostNibbleError * variance * Float(codes.count) else { return parameters }
        let isSplit = maySplit && error(Int8Parameters.splitStep) <= mostSplitError * best.error
        return Int8Parameters(
            distance: parameters.distance, dimension: n, center: parameters.center, scale: parameters.scale,
            nibbleStep: isSplit ? Int8Parameters.splitStep : best.step, isSplit: isSplit)
    }

    /// A range that leaves out at most `1 - quantile` of the values: the narrowest whose squared error (uniform inside,
    /// clamped outside) is no more than `tolerance` times that of the best.
    private static func quantiles(
        rows: DenseRows, quantile: Double, symmetric: Bool, tolerance: Double
    ) -> (Float, Float) {
        let step = max(1, rows.count * rows.dimension / 4_000_000)
        var values: [Float] = []
        values.reserveCapacity(rows.count / step * rows.dimension + rows.dimension)
        rows.withBuffer { buffer in
            for row in Swift.stride(from: 0, to: rows.count, by: step) {
                let p = rows.floats(UInt32(truncatingIfNeeded: row), buffer)
                for i in 0..<rows.dimension where p[i].isFinite { values.append(symmetric ? p[i].magnitude : p[i]) }
            }
        }
        guard !values.isEmpty else { return (0, 0) }
        values.sort()
        // From the narrowest to the widest: the share that is left out, halved down to nothing.
        var ranges: [(range: (Float, Float), error: Double)] = []
        var share = 1 - quantile
        while true {
            let cut = Int((Double(values.count - 1) * share / (symmetric ? 1 : 2)).rounded())
            let high = values[values.count - 1 - cut]
            let low = symmetric ? -high : values[cut]
            var error = 0.0
            for value in values.suffix(cut) { error += Double(value - high) * Double(value - high) }
            if !symmetric { for value in values.prefix(cut) { error += Double(low - value) * Double(low - value) } }
            let step = Double(high - low) / 254
            error = error / Double(values.count) + step * step / 12
            ranges.append(((low, high), error))
            if cut == 0 { break }
            share = share / 2
        }
        let least = ranges.reduce(Double.infinity) { min($0, $1.error) }
        return ranges.first { $0.error <= tolerance * least }?.range ?? (0, 0)
    }
}
