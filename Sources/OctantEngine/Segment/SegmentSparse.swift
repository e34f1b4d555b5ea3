package import OctantModel
package import OctantStorage
package import OctantVectors

/// The sparse vectors of one name in a segment.
package final class SegmentSparse: Sendable {
    package let name: String
    package let params: SparseVectorParams
    package let index: SparseIndex

    /// Opens the vector's file; `nil` if no row of the segment has the vector.
    package init?(
        _ vector: NamedSparseVectorParams, entry: SegmentEntry, folder: SegmentFolder
    ) throws(StorageError) {
        guard let file = entry.file(.sparse, vector.name) else { return nil }
        name = vector.name
        params = vector.params
        index = try folder.load(file, "SPRS", vector.params.index?.residence ?? .copied) { bytes, owner, _ in
            try SparseIndex(bytes: bytes, owner: owner)
        }
        guard index.count == entry.rowCount else {
            throw StorageError(.corrupt, "\(folder.path): \(index.count) sparse rows of \(entry.rowCount)")
        }
    }

    /// Bytes of the vectors.
    package var byteCount: Int { index.entryCount * 8 }

    /// Points that pass a filter up to which they are scored one by one.
    package var fullScanThreshold: Int { params.index?.fullScanThreshold ?? 5000 }
}
