import OctantModel
import OctantStorage
import OctantVectors

/// Packing float rows without loss.
extension SegmentWriter {
    /// Rows that are looked at before all are packed.
    static let packingSample = 16_384

    /// How the rows of a vector are packed; `nil`: they are not of floats, or it would not be worth it. Of many rows, some
    /// evenly spread ones tell.
    func packing(of vector: NamedVectorParams) -> PackedFloatForm? {
        guard vector.params.element == .float32, PackedFloatForm.dimensions.contains(vector.params.size) else {
            return nil
        }
        let sources = recipe.sources.map(\.rows)
        let encoder = RowEncoder(vector.params)
        var counts = [Int](repeating: 0, count: PackedFloatForm.slotsMax + 2)
        let step = max(1, places.count / Self.packingSample)
        var state: UInt64 = 0
        for start in stride(from: 0, to: places.count, by: step) {
            // Not every step-th: what orders the rows may have that period, too.
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            let place = places[min(start + Int(state >> 33) % step, places.count - 1)]
            guard let stored = sources[place.source].stored(place.row, vector.name),
                let row = encoder.components(stored)?.baseAddress
            else { continue }
            let exceptions = PackedFloatForm.exceptions(row, vector.params.size)
            counts[min(exceptions, PackedFloatForm.slotsMax + 1)] += 1
        }
        return .smallest(counts, dimension: vector.params.size)
    }

    /// The bytes of a row that could not be packed, valid until the encoder's next call.
    static func wholeRow(
        _ source: any RowSource, _ row: UInt32, _ name: String, _ encoder: RowEncoder
    ) throws(StorageError) -> UnsafeRawBufferPointer {
        guard let stored = source.stored(row, name), let components = encoder.components(stored) else {
            throw StorageError(.corrupt, "vector '\(name)' of row \(row) cannot be read a second time")
        }
        return UnsafeRawBufferPointer(components)
    }
}
