import COctantKernels
import OctantModel

/// Centroids found for some rows.
package struct ProductParameters: Sendable {
    package let shape: ProductShape
    /// See ``ProductBook``.
    let values: [Float]

    /// Rows that are looked at, at most.
    private static let sampleMax = 10_000
    /// Rounds of k-means, at most.
    private static let rounds = 16

    /// Finds the centroids of each sub-space by k-means (Lloyd) on a regular sample of at most 10,000 rows. Works on up
    /// to `threads` threads and is deterministic.
    package static func train(rows: DenseRows, shape: ProductShape, threads: Int) -> ProductParameters {
        var values = [Float](repeating: 0, count: shape.bookCount)
        let picked = Swift.stride(from: 0, to: rows.count, by: max(1, (rows.count + sampleMax - 1) / sampleMax))
        let sample = picked.map { UInt32(truncatingIfNeeded: $0) }
        let workers = max(1, min(threads, shape.stride))
        guard !sample.isEmpty, rows.dimension == shape.dimension else {
            return ProductParameters(shape: shape, values: values)
        }
        // A copy, so that each sub-space reads floats whatever the rows are kept as.
        var copies: [Float] = []
        copies.reserveCapacity(sample.count * rows.dimension)
        for row in sample { copies += rows.copy(row) }
        let floats = copies
        values.withUnsafeMutableBufferPointer { buffer in
            guard let base = buffer.baseAddress else { return }
            let out = SharedFloats(base: base)
            runThreads(workers) { worker in
                for j in Swift.stride(from: worker, to: shape.stride, by: workers) {
                    let at = j * shape.width
                    let width = min(shape.width, shape.dimension - at)
                    var points: [Float] = []
                    points.reserveCapacity(sample.count * width)
                    for start in Swift.stride(from: at, to: floats.count, by: shape.dimension) {
                        points.append(contentsOf: floats[start..<start + width])
                    }
                    if shape.width == 1 {
                        let (low, scale) = levels(points)
                        out.base[j] = low
                        out.base[shape.dimension + j] = scale
                    } else {
                        cluster(points, width, seed: UInt64(j), out.base + at * Int(OK_CENTROIDS))
                    }
                }
            }
        }
        return ProductParameters(shape: shape, values: values)
    }

    /// The first of 256 levels and their distance: the part of the values' range, around its middle, that has the least
    /// squared error when what is outside becomes the first or the last level.
    private static func levels(_ values: [Float]) -> (low: Float, scale: Float) {
        var low = values[0]
        var high = values[0]
        for value in values {
            low = min(low, value)
            high = max(high, value)
        }
        // Halved first, so that a range wider than Float's does not overflow.
        let middle = low / 2 + high / 2
        let half = high / 2 - low / 2
        var best: (low: Float, scale: Float, error: Float) = (low, 0, .infinity)
        for share in [1, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3] as [Float] {
            let first = middle - half * share
            let scale = half * share / 127.5
            let inverse = 1 / scale
            guard scale > 0, inverse.isFinite else { break }
            var error: Float = 0
            for value in values {
                let level = min(max(((value - first) * inverse).rounded(), 0), 255)
                let difference = value - (first + scale * level)
                error += difference * difference
            }
            if best.scale == 0 || error < best.error { best = (first, scale, error) }
        }
        return (best.low, best.scale)
    }

    /// k-means of points of `width` floats. Centroids as in ``ProductBook``; with fewer than 256 points some are equal.
    private static func cluster(
        _ points: [Float], _ width: Int, seed: UInt64, _ centroids: UnsafeMutablePointer<Float>
    ) {
        let k = Int(OK_CENTROIDS)
        let count = points.count / width
        var order = (0..<count).map { $0 }
        var random = SplitMix(state: seed)
        for i in 0..<min(k, count) { order.swapAt(i, i + Int(random.next() % UInt64(count - i))) }
        for c in 0..<k {
            let point = order[c % min(k, count)] * width
            for i in 0..<width { centroids[i * k + c] = points[point + i] }
        }
        guard count > k else { return }
        var codes = [UInt8](repeating: 0, count: count)
        var last = codes
        var halves = [Float](repeating: 0, count: k)
        for _ in 0..<rounds {
            ok_product_halves(centroids, width, &halves)
            ok_product_nearest(points, width, count, width, centroids, halves, &codes, 1)
            if codes == last { return }
            swap(&codes, &last)
            recenter(points, width, last, centroids)
        }
    }

    /// Moves every centroid to the mean of its points, and those without points next to the one that has most.
    private static func recenter(
        _ points: [Float], _ width: Int, _ codes: [UInt8], _ centroids: UnsafeMutablePointer<Float>
    ) {
        let k = Int(OK_CENTROIDS)
        var sums = [Double](repeating: 0, count: k * width)
        var counts = [Int](repeating: 0, count: k)
        for (point, code) in codes.enumerated() {
            counts[Int(code)] += 1
            for i in 0..<width { sums[Int(code) * width + i] += Double(points[point * width + i]) }
        }
        for c in 0..<k where counts[c] > 0 {
            for i in 0..<width { centroids[i * k + c] = Float(sums[c * width + i] / Double(counts[c])) }
        }
        for c in 0..<k where counts[c] == 0 {
            guard let largest = counts.indices.max(by: { counts[$0] < counts[$1] }) else { return }
            // A little to both sides of where it was: the next round divides its points.
            for i in 0..<width {
                let value = centroids[i * k + largest]
                centroids[i * k + c] = value * (1 + 0x1p-10)
                centroids[i * k + largest] = value * (1 - 0x1p-10)
            }
            counts[c] = counts[largest] / 2
            counts[largest] -= counts[c]
        }
    }
}

/// Steele, Lea & Flood, "Fast Splittable Pseudorandom Number Generators", 2014.
private struct SplitMix {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var x = state
        x = (x ^ (x >> 30)) &* 0xbf58_476d_1ce4_e5b9
        x = (x ^ (x >> 27)) &* 0x94d0_49bb_1331_11eb
        return x ^ (x >> 31)
    }
}

/// Memory that several threads write to.
private struct SharedFloats: @unchecked Sendable {
    // SAFETY: every thread writes to sub-spaces of its own.
    let base: UnsafeMutablePointer<Float>
}
