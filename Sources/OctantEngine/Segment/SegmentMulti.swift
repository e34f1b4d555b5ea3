package import OctantModel
package import OctantStorage
package import OctantVectors

/// The multivectors of one name in a segment: the rows of all points one after another, and where each point's end.
package final class SegmentMulti: @unchecked Sendable {
    // SAFETY: written by init only; what the table names is kept alive by `file`.
    package let name: String
    package let params: VectorParams
    /// Points that have the vector.
    package let presentCount: Int
    /// Bytes of all vectors.
    package let byteCount: Int
    private let table: UnsafeMutablePointer<MultiRow?>
    private let count: Int
    private let file: BlockFile
    private let checks: CheckedBlocks?

    /// Opens the vector's file; `nil` if no row of the segment has the vector.
    package init?(_ vector: NamedVectorParams, entry: SegmentEntry, folder: SegmentFolder) throws(StorageError) {
        guard let named = entry.file(.multivectors, vector.name) else { return nil }
        let file = try folder.open(named, "MVEC")
        let data = file.data
        let headBytes = entry.rowCount * 8
        guard let element = RowElement(recipe: named.parameters, vector.params.distance), !element.isPacked else {
            throw StorageError(.corrupt, "\(file.path): components of an unknown form '\(named.parameters)'")
        }
        let width = element.rowBytes(vector.params.size)
        guard data.count >= headBytes, let base = data.baseAddress, (data.count - headBytes) % width == 0 else {
            throw StorageError(.corrupt, "\(file.path): not multivectors of \(vector.params.size) dimensions")
        }
        let total = (data.count - headBytes) / width
        let components = base + headBytes
        let checks = try folder.place(file, vector.params.residence)
        if checks != nil { try file.verify(0..<headBytes) }
        let table = UnsafeMutablePointer<MultiRow?>.allocate(capacity: max(1, entry.rowCount))
        var start = 0
        var present = 0
        for row in 0..<entry.rowCount {
            guard let end = Int(exactly: data.loadUnaligned(fromByteOffset: row * 8, as: UInt64.self)), end >= start,
                end <= total
            else {
                table.deallocate()
                throw StorageError(.corrupt, "\(file.path): rows end beyond the file")
            }
            if end > start { present += 1 }
            (table + row).initialize(
                to: end > start
                    ? MultiRow(base: components + start * width, element: element, count: end - start) : nil)
            start = end
        }
        name = vector.name
        params = vector.params
        presentCount = present
        byteCount = data.count - headBytes
        self.table = table
        count = entry.rowCount
        self.file = file
        self.checks = checks
    }

    deinit { table.deallocate() }

    /// The vectors by row; `nil` where a point has none.
    package var vectors: UnsafePointer<MultiRow?> { UnsafePointer(table) }

    /// The rows of a point; `nil` if it has none.
    func row(_ row: UInt32) -> MultiRow? { Int(row) < count ? table[Int(row)] : nil }

    /// The vector of a row; `nil` if the point has none.
    package func stored(_ row: UInt32) -> StoredVector? {
        guard let found = self.row(row) else { return nil }
        if let checks {
            let start = found.base - (file.data.baseAddress ?? found.base)
            let width = found.element.rowBytes(params.size)
            guard checks.areIntact(start..<(start + found.count * width)) else { return nil }
        }
        return .multi(found, dimension: params.size)
    }
}
