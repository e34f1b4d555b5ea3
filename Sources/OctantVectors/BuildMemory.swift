package import OctantModel

// What making codes and graphs takes of memory, known before it begins: what jobs are admitted by.

/// Rows of a regular sample of at least `least`, or all.
private func sampled(_ count: Int, _ least: Int) -> Int { count / max(1, count / least) + 1 }

/// A sample of floats that the error of codes is measured on, and its codes and scores.
private func measuringBytes(_ count: Int, _ dimension: Int, _ stride: Int) -> Int {
    sampled(count, 2048) * (dimension * 4 + stride + 8)
}

/// A block of rows of so many bytes on their way to a file.
private func blockBytes(_ count: Int, _ stride: Int) -> Int {
    stride == 0 ? 0 : max(1, min(count, (4 << 20) / stride)) * stride
}

extension Int8Codes {
    /// Bytes that training and encoding allocate at most, besides what is written.
    package static func encodingBytes(count: Int, dimension: Int, quantile: Double?) -> Int {
        let stride = (dimension + 63) / 64 * 64
        let values = quantile.map { $0 < 1 } ?? false ? min(count * dimension, 1 << 23) * 4 : 0
        let steps = sampled(count, 500) * dimension * 3
        // Codes, their lower halves, norms and residuals, then the 4-bit codes.
        let blocks =
            blockBytes(count, stride) / stride * (stride * 3 / 2 + 8) + blockBytes(count, stride / 2) + count * 4
        return max(values, steps, blocks, measuringBytes(count, dimension, stride * 3 / 2))
    }

    /// Bytes of codes of so many rows.
    package static func estimatedBytes(count: Int, dimension: Int) -> Int {
        count * ((dimension + 63) / 64 * 64 + (dimension + 127) / 128 * 64 + 4)
    }
}

extension ProductParameters {
    /// Bytes that training and encoding allocate at most, besides what is written.
    package static func encodingBytes(shape: ProductShape, count: Int, threads: Int) -> Int {
        let rows = min(count, 10_000)
        let training = rows * (shape.dimension * 4 + max(1, threads) * (shape.width * 4 + 10))
        return shape.bookCount * 4
            + max(training, blockBytes(count, shape.stride), measuringBytes(count, shape.dimension, shape.stride))
    }
}

extension PackedParameters {
    /// Bytes that training and encoding allocate at most, besides what is written.
    package static func encodingBytes(count: Int, dimension: Int, width: PackedWidth, distance: Distance) -> Int {
        let shape = PackedShape(distance: distance, width: width, dimension: dimension, steps: 0)
        return max(
            sampled(count, 16_384) * (dimension * 4 + 32), blockBytes(count, shape.stride),
            measuringBytes(count, dimension, shape.stride))
    }

    /// Bytes of codes of so many rows.
    package static func estimatedBytes(count: Int, dimension: Int, width: PackedWidth, distance: Distance) -> Int {
        count * PackedShape(distance: distance, width: width, dimension: dimension, steps: 0).stride
    }
}

extension HNSWBuilder {
    /// Bytes of each inserting thread: marks of rows it met, pools and candidates.
    private static func workerBytes(_ count: Int, dimension: Int) -> Int { count / 8 + 2 * (64 << 10) + dimension * 16 }

    /// Bytes that the builder and its threads have allocated.
    package func heldBytes(threads: Int, dimension: Int) -> Int {
        byteCount + count + max(1, threads) * Self.workerBytes(count, dimension: dimension)
    }

    /// The same, expected of a graph of so many rows.
    package static func estimatedBytes(
        parameters: HNSWParameters, count: Int, threads: Int, dimension: Int
    ) -> Int {
        // A row is on level l with probability m^-l; a little more, for luck.
        let lists = count / (parameters.m - 1) * 17 / 16 + 64
        return HNSWLayout(rows: count, m: parameters.m, upperLists: lists).byteCount + count
            + max(1, threads) * workerBytes(count, dimension: dimension)
    }
}
