import COctantKernels
package import OctantModel

/// The shape of product quantisation: a vector is cut into sub-vectors of `width` components (the last one may be
/// shorter), each of which is replaced by the number of one of 256 centroids.
///
/// Jégou, Douze & Schmid, "Product Quantization for Nearest Neighbor Search", 2011.
package struct ProductShape: Sendable, Equatable {
    package let distance: Distance
    package let dimension: Int
    /// Components of a sub-vector: 1, 2, 4, 8 or 16.
    package let width: Int

    /// `nil` for a dimension that is not in 1...65536 or another width.
    package init?(distance: Distance, dimension: Int, width: Int) {
        guard (1...65536).contains(dimension), [1, 2, 4, 8, 16].contains(width) else { return nil }
        self.distance = distance
        self.dimension = dimension
        self.width = width
    }

    /// Sub-vectors of a row: bytes of its code.
    package var stride: Int { (dimension + width - 1) / width }

    /// Floats of a book. Single components have centroids at equal distances: the first one and the distance.
    var bookCount: Int { width == 1 ? 2 * dimension : dimension * Int(OK_CENTROIDS) }

    /// The similarity as the kernels name it.
    var metric: Int32 {
        switch distance {
        case .cosine, .dot: Int32(OK_PRODUCT_DOT)
        case .euclid: Int32(OK_PRODUCT_L2)
        case .manhattan: Int32(OK_PRODUCT_L1)
        }
    }
}

/// The centroids, over borrowed memory of `shape.bookCount` floats.
///
/// Width 1: the first level of each component, then the distance of its levels. Otherwise the sub-spaces one after
/// another, each component by component, 256 floats for each: component i of centroid k is at 256 i + k.
struct ProductBook {
    let shape: ProductShape
    let values: UnsafePointer<Float>

    /// Width 1: the distance of the levels of each component.
    var scales: UnsafePointer<Float> { values + shape.dimension }

    /// The reconstruction of a row of codes.
    func decode(_ codes: UnsafePointer<UInt8>, _ out: UnsafeMutablePointer<Float>) {
        let width = shape.width
        if width == 1 {
            for i in 0..<shape.dimension { out[i] = values[i] + scales[i] * Float(codes[i]) }
            return
        }
        for i in 0..<shape.dimension { out[i] = values[i &* Int(OK_CENTROIDS) &+ Int(codes[i / width])] }
    }

    /// Codes of rows `from..<to` at `out`, `shape.stride` bytes each.
    func encode(_ rows: DenseRows, from: Int, to: Int, _ out: UnsafeMutablePointer<UInt8>) {
        let n = shape.dimension
        let stride = shape.stride
        guard shape.width > 1 else {
            withUnsafeTemporaryAllocation(of: Float.self, capacity: n) { inverses in
                guard let inverses = inverses.baseAddress else { return }
                for i in 0..<n { inverses[i] = scales[i] > 0 ? 1 / scales[i] : 0 }
                rows.withBuffer { buffer in
                    for i in from..<to {
                        ok_product_to_levels(
                            rows.floats(UInt32(truncatingIfNeeded: i), buffer), n, values, inverses,
                            out + (i - from) * stride)
                    }
                }
            }
            return
        }
        // A sub-space at a time over some rows, so that its centroids stay in the nearest cache.
        let some = 128
        withUnsafeTemporaryAllocation(of: Float.self, capacity: Int(OK_CENTROIDS) + some * n) { memory in
            guard let halves = memory.baseAddress else { return }
            for start in Swift.stride(from: from, to: to, by: some) {
                let floats = rows.floats(start..<min(start + some, to), halves + Int(OK_CENTROIDS))
                for j in 0..<stride {
                    let at = j * shape.width
                    let width = min(shape.width, n - at)
                    let centroids = values + at * Int(OK_CENTROIDS)
                    ok_product_halves(centroids, width, halves)
                    ok_product_nearest(
                        floats + at, n, min(some, to - start), width, centroids,
                        halves, out + (start - from) * stride + j, stride)
                }
            }
        }
    }
}
