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

    /// Bytes from one row to the next: whole cache lines.
    package var stride: Int { (dimension + 63) / 64 * 64 }

    /// Fields as given; a scale that is not a positive finite number becomes 1.
    package init(distance: Distance, dimension: Int, center: Float, scale: Float) {
        self.distance = distance
        self.dimension = dimension
        self.center = center.isFinite ? center : 0
        self.scale = scale.isFinite && scale > 0 && (1 / scale).isFinite ? scale : 1
    }
}

extension Int8Codes {
    /// Finds the range of the components. `quantile` (0.5...1) leaves out the rarest values at both ends, those then
    /// being clamped; nil or 1 takes the full range. Looks at all rows for the full range and at a regular sample of
    /// about four million values for a quantile. Deterministic.
    package static func train(rows: DenseRows, distance: Distance, quantile: Double?) -> Int8Parameters {
        let symmetric = distance == .cosine || distance == .dot
        var low = Float.greatestFiniteMagnitude
        var high = -Float.greatestFiniteMagnitude
        if let quantile, quantile < 1, quantile >= 0, rows.count > 0, rows.dimension > 0 {
            (low, high) = quantiles(rows: rows, quantile: max(quantile, 0.5), symmetric: symmetric)
        } else {
            ok_min_max(rows.base, rows.count * rows.dimension, &low, &high)
        }
        if low > high { (low, high) = (0, 0) }
        if symmetric {
            let largest = max(low.magnitude, high.magnitude)
            return Int8Parameters(distance: distance, dimension: rows.dimension, center: 0, scale: largest / 127)
        }
        // Halved first, so that a range wider than Float's does not overflow.
        let half = high / 2 - low / 2
        return Int8Parameters(
            distance: distance, dimension: rows.dimension, center: low + half, scale: half / 127)
    }

    private static func quantiles(rows: DenseRows, quantile: Double, symmetric: Bool) -> (Float, Float) {
        let step = max(1, rows.count * rows.dimension / 4_000_000)
        var values: [Float] = []
        values.reserveCapacity(rows.count / step * rows.dimension + rows.dimension)
        for row in Swift.stride(from: 0, to: rows.count, by: step) {
            let p = rows.base + row * rows.dimension
            for i in 0..<rows.dimension where p[i].isFinite { values.append(symmetric ? p[i].magnitude : p[i]) }
        }
        guard !values.isEmpty else { return (0, 0) }
        values.sort()
        let last = Double(values.count - 1)
        if symmetric {
            let high = values[Int((last * quantile).rounded())]
            return (-high, high)
        }
        let tail = (1 - quantile) / 2
        return (values[Int((last * tail).rounded())], values[Int((last * (1 - tail)).rounded())])
    }
}
