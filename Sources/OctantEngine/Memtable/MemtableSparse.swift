import OctantModel
package import OctantVectors

/// Memory for things of any length that stay as long as their memtable.
struct Arena {
    private var chunks: [UnsafeMutableRawPointer] = []
    private var free = 0

    private static let chunkBytes = 1 << 20

    /// Room for `byteCount` bytes, aligned to 8.
    mutating func allocate(_ byteCount: Int) -> UnsafeMutableRawPointer {
        let size = max(8, (byteCount + 7) & ~7)
        if size > Self.chunkBytes / 4 {
            let place = UnsafeMutableRawPointer.allocate(byteCount: size, alignment: 8)
            chunks.insert(place, at: 0)
            return place
        }
        if chunks.isEmpty || free < size {
            chunks.append(.allocate(byteCount: Self.chunkBytes, alignment: 8))
            free = Self.chunkBytes
        }
        defer { free -= size }
        return chunks[chunks.count - 1] + (Self.chunkBytes - free)
    }

    func deallocate() { for chunk in chunks { chunk.deallocate() } }
}

/// The sparse vectors of one name in a memtable.
package final class MemtableSparse: @unchecked Sendable {
    // SAFETY: one thread writes a row before it is published; nobody writes it again.
    package let name: String
    private let rows: UnsafeMutablePointer<SparseRow?>
    private var arena = Arena()

    init(_ name: String, capacity: Int) {
        self.name = name
        rows = .allocate(capacity: capacity)
    }

    deinit {
        rows.deallocate()
        arena.deallocate()
    }

    /// Stores a row; returns the bytes it takes.
    func set(_ row: UInt32, _ vector: VectorSource) -> Int {
        let stored: SparseRow?
        switch vector {
        case .given(.sparse(let vector)): stored = vector.withRow { keep($0) }
        case .stored(.sparse(let vector)): stored = keep(vector)
        case .none, .given, .stored: stored = nil
        }
        (rows + Int(row)).initialize(to: stored)
        return (stored?.count ?? 0) * 8
    }

    private func keep(_ vector: SparseRow) -> SparseRow {
        let place = arena.allocate(vector.count * 8)
        let indices = place.bindMemory(to: UInt32.self, capacity: vector.count)
        indices.update(from: vector.indices, count: vector.count)
        let values = (place + vector.count * 4).bindMemory(to: Float.self, capacity: vector.count)
        values.update(from: vector.values, count: vector.count)
        return SparseRow(indices: indices, values: values, count: vector.count)
    }

    /// The vectors of published rows; `nil` where the point has none.
    package var vectors: UnsafePointer<SparseRow?> { UnsafePointer(rows) }

    /// The vector of a published row; `nil` if the point has none.
    @inline(__always)
    package func vector(_ row: UInt32) -> SparseRow? { rows[Int(row)] }
}
