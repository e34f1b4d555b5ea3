package import OctantModel
import Synchronization

/// Packed codes of rows that come one after another, for scans of rows that are in no segment yet.
///
/// What the rows have in common, their centre and how far scores are off, is learnt from a sample of those that there are
/// at first; codes of later rows say a little less the further the centre moves. Rows are encoded when a search asks for
/// it, so that what is written and never searched costs nothing.
package final class GrowingCodes: @unchecked Sendable {
    // SAFETY: all but `filled` and the codes is written by init alone. Codes are written by the thread that holds
    // `growing`, behind `filled`; that is then moved with release order, and codes before it are never written again.

    /// Rows are learnt from a sample of so many.
    private static let sampleMax = 1024

    package let width: PackedWidth
    /// How many rows there were to learn from.
    package let learntRows: Int
    private let capacity: Int
    private let vectors: UnsafePointer<Float>
    private let encoder: PackedEncoder
    private let deviation: Float
    private let region: HugeRegion
    private let growing = Atomic<Bool>(false)
    private let filled = Atomic<Int>(0)

    /// Codes for up to `capacity` rows of floats at `vectors`, which the owner keeps for as long as this lives, and of
    /// which `rowCount` are there; `nil` if there is nothing to learn from or no memory.
    ///
    /// - Parameter isPresent: whether a row has a vector. Rows that have none are not learnt from, and their codes say
    ///   nothing.
    package init?(
        distance: Distance, width: PackedWidth, dimension: Int, capacity: Int, vectors: UnsafePointer<Float>,
        rowCount: Int, isPresent: (UInt32) -> Bool
    ) {
        var sample: [Float] = []
        sample.reserveCapacity((Self.sampleMax + 1) * dimension)
        for row in stride(from: 0, to: rowCount, by: max(1, rowCount / Self.sampleMax))
        where isPresent(UInt32(truncatingIfNeeded: row)) {
            sample.append(contentsOf: UnsafeBufferPointer(start: vectors + row * dimension, count: dimension))
        }
        let learnt = sample.withUnsafeBufferPointer { sample -> (PackedParameters, Float)? in
            guard let base = sample.baseAddress, !sample.isEmpty else { return nil }
            let rows = DenseRows(base: base, count: sample.count / dimension, dimension: dimension)
            let parameters = PackedParameters.train(rows: rows, distance: distance, width: width)
            guard let deviation = try? PackedCodes.measuredDeviation(rows, distance, parameters) else { return nil }
            return (parameters, deviation)
        }
        // Behind the last row, what kernels may read beyond it.
        guard let (parameters, deviation) = learnt,
            let region = try? HugeRegion(byteCount: capacity * parameters.shape.stride + 64)
        else { return nil }
        self.width = width
        learntRows = rowCount
        self.capacity = capacity
        self.vectors = vectors
        encoder = PackedEncoder(parameters, seed: PackedParameters.seed)
        self.deviation = deviation
        self.region = region
    }

    /// The memory of the codes, pages that were not touched included.
    package var memory: UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: region.base, count: region.byteCount)
    }

    /// Bytes of the codes that there are.
    package var byteCount: Int { filled.load(ordering: .relaxed) * encoder.parameters.shape.stride }

    /// Encodes rows up to `rowCount`, of which all are there, but no more than `most` of them. Returns at once where
    /// another thread does so.
    package func grow(to rowCount: Int, most: Int) {
        let target = min(rowCount, capacity)
        guard filled.load(ordering: .relaxed) < target,
            growing.compareExchange(expected: false, desired: true, ordering: .acquiring).exchanged
        else { return }
        defer { growing.store(false, ordering: .releasing) }
        let start = filled.load(ordering: .relaxed)
        let end = min(target, start + max(0, most))
        guard start < end else { return }
        let shape = encoder.parameters.shape
        let base = region.base.assumingMemoryBound(to: UInt8.self)
        withUnsafeTemporaryAllocation(of: Float.self, capacity: shape.components) { turned in
            guard let turned = turned.baseAddress else { return }
            for row in start..<end {
                encoder.encode(vectors + row * shape.dimension, into: base + row * shape.stride, turned)
            }
        }
        filled.store(end, ordering: .releasing)
    }

    /// The codes of the first `count` rows, or of as many as there are.
    package func codes(_ count: Int) -> PackedCodes {
        PackedCodes(
            parameters: encoder.parameters, count: min(count, filled.load(ordering: .acquiring)), deviation: deviation,
            seed: encoder.seed, base: UnsafePointer(region.base.assumingMemoryBound(to: UInt8.self)), owner: self)
    }
}
