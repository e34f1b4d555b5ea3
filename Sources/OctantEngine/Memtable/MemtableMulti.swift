import OctantModel
package import OctantVectors

/// The multivectors of one name in a memtable.
package final class MemtableMulti: @unchecked Sendable {
    // SAFETY: one thread writes a row before it is published; nobody writes it again.
    package let name: String
    package let dimension: Int
    private let rows: UnsafeMutablePointer<MultiRow?>
    private var arena = Arena()

    init(_ vector: NamedVectorParams, capacity: Int) {
        name = vector.name
        dimension = vector.params.size
        rows = .allocate(capacity: capacity)
    }

    deinit {
        rows.deallocate()
        arena.deallocate()
    }

    /// Stores a row; returns the bytes it takes.
    func set(_ row: UInt32, _ vector: VectorSource) -> Int {
        var stored: MultiRow?
        switch vector {
        case .given(.multiDense(let given)) where !given.isEmpty && given.allSatisfy { $0.count == dimension }:
            let place = room(given.count)
            for (number, components) in given.enumerated() {
                (place + number * dimension).update(from: components, count: dimension)
            }
            stored = MultiRow(base: place, count: given.count)
        case .stored(.multi(let source, let width)) where width == dimension:
            let place = room(source.count)
            let rows = source.dense(width)
            for number in 0..<source.count { rows.decode(UInt32(number), into: place + number * dimension) }
            stored = MultiRow(base: place, count: source.count)
        case .none, .given, .stored: break
        }
        (rows + Int(row)).initialize(to: stored)
        return (stored?.count ?? 0) * dimension * 4
    }

    private func room(_ count: Int) -> UnsafeMutablePointer<Float> {
        arena.allocate(count * dimension * 4).bindMemory(to: Float.self, capacity: count * dimension)
    }

    /// The vectors of published rows; `nil` where the point has none.
    package var vectors: UnsafePointer<MultiRow?> { UnsafePointer(rows) }

    /// The vector of a published row; `nil` if the point has none.
    package func stored(_ row: UInt32) -> StoredVector? { rows[Int(row)].map { .multi($0, dimension: dimension) } }
}
