package import OctantModel
import Synchronization

/// Packed codes of rows that come one after another, for scans of rows that are in no segment yet.
///
/// What the rows have in common, their centre and how far scores are off, is learnt from the first of them, which are then
/// encoded too; until then there are no codes. One thread adds rows; readers see those that were published to them.
package final class GrowingCodes: @unchecked Sendable {
    // SAFETY: `encoder`, `deviation` and `region` are written once, before `isReady` is set with release order; codes of a
    // row are written before the row is published, and never again.

    /// So many rows are learnt from: below, a scan of the originals costs next to nothing.
    package static let learntRows = 1024

    private let distance: Distance
    private let width: PackedWidth
    private let dimension: Int
    private let capacity: Int
    private let vectors: UnsafePointer<Float>
    /// Rows that wait to be encoded.
    private var waiting: [UInt32] = []
    private var encoder: PackedEncoder?
    private var deviation: Float = 0
    private var region: HugeRegion?
    private var isGivenUp = false
    private let isReady = Atomic<Bool>(false)

    /// Codes for up to `capacity` rows of floats at `vectors`, which the owner keeps for as long as this lives.
    package init(
        distance: Distance, width: PackedWidth, dimension: Int, capacity: Int, vectors: UnsafePointer<Float>
    ) {
        self.distance = distance
        self.width = width
        self.dimension = dimension
        self.capacity = capacity
        self.vectors = vectors
    }

    /// The memory of the codes, pages that were not touched included.
    package var memory: UnsafeRawBufferPointer {
        guard isReady.load(ordering: .acquiring), let region else {
            return UnsafeRawBufferPointer(start: nil, count: 0)
        }
        return UnsafeRawBufferPointer(start: region.base, count: region.byteCount)
    }

    /// Encodes a row whose vector is in place. Rows that have no vector are passed over: their codes say nothing.
    package func add(_ row: UInt32) {
        guard Int(row) < capacity, !isGivenUp else { return }
        if encoder != nil { return encode(CollectionOfOne(row)) }
        waiting.append(row)
        guard waiting.count == Self.learntRows else { return }
        learn()
        encode(waiting)
        waiting = []
        if !isGivenUp { isReady.store(true, ordering: .releasing) }
    }

    private func learn() {
        var sample: [Float] = []
        sample.reserveCapacity(waiting.count * dimension)
        for row in waiting {
            sample.append(contentsOf: UnsafeBufferPointer(start: vectors + Int(row) * dimension, count: dimension))
        }
        sample.withUnsafeBufferPointer { sample in
            guard let base = sample.baseAddress else { return }
            let rows = DenseRows(base: base, count: waiting.count, dimension: dimension)
            let parameters = PackedParameters.train(rows: rows, distance: distance, width: width)
            // Behind the last row, what kernels may read beyond it.
            guard let measured = try? PackedCodes.measuredDeviation(rows, distance, parameters),
                let memory = try? HugeRegion(byteCount: capacity * parameters.shape.stride + 64)
            else { return }
            encoder = PackedEncoder(parameters, seed: PackedParameters.seed)
            deviation = measured
            region = memory
        }
        isGivenUp = encoder == nil
    }

    private func encode(_ rows: some Sequence<UInt32>) {
        guard let encoder, let region else { return }
        let shape = encoder.parameters.shape
        let base = region.base.assumingMemoryBound(to: UInt8.self)
        withUnsafeTemporaryAllocation(of: Float.self, capacity: shape.components) { turned in
            guard let turned = turned.baseAddress else { return }
            for row in rows {
                encoder.encode(vectors + Int(row) * dimension, into: base + Int(row) * shape.stride, turned)
            }
        }
    }

    /// The codes of the first `count` rows; `nil` while there are none.
    package func codes(_ count: Int) -> VectorCodes? {
        guard isReady.load(ordering: .acquiring), let encoder, let region, count <= capacity else { return nil }
        return .packed(
            PackedCodes(
                parameters: encoder.parameters, count: count, deviation: deviation, seed: encoder.seed,
                base: region.base.assumingMemoryBound(to: UInt8.self), owner: self))
    }
}
