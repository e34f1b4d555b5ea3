import OctantModel
package import OctantVectors
import Synchronization

/// The codes of one vector in a memtable: binary and turbo, the kinds that need only some rows to learn from.
///
/// They follow the searches, not the writes: a search that meets enough rows learns from them, and every search encodes
/// some of the rows that have come since. So loading costs nothing, and no search waits for another.
package final class MemtableCodes: Sendable {
    /// Below so many rows a scan saves too little time for what it takes to learn and to encode. Measured:
    /// docs/performance.md, "Codes of points in memory".
    package static let rowsMin = 4096
    /// Rows that one search encodes at most: some 2 ms.
    private static let rowsAtOnce = 512
    /// Learnt again when there are so many times the rows: the first that come may be unlike the others.
    private static let growth = 4

    private let current = Mutex<GrowingCodes?>(nil)
    private let isLearning = Atomic<Bool>(false)

    /// The codes of the first rows, up to `rowCount`, in the `width` that is configured; `nil` while there are none.
    ///
    /// - Parameter learn: makes codes that have learnt from the rows.
    func codes(_ width: PackedWidth, rowCount: Int, learn: () -> GrowingCodes?) -> PackedCodes? {
        guard rowCount >= Self.rowsMin else { return nil }
        var known = current.withLock { $0 }
        if known.map({ $0.width != width || $0.learntRows * Self.growth <= rowCount }) ?? true,
            isLearning.compareExchange(expected: false, desired: true, ordering: .acquiring).exchanged
        {
            defer { isLearning.store(false, ordering: .releasing) }
            if let made = learn() {
                // As many as there were before, lest searches scan more originals than they did.
                if let known, known.width == width { made.grow(to: known.codes(rowCount).count, most: rowCount) }
                known = made
                current.withLock { $0 = made }
            }
        }
        guard let known, known.width == width else { return nil }
        known.grow(to: rowCount, most: Self.rowsAtOnce)
        return known.codes(rowCount)
    }

    /// Bytes of the codes that there are.
    var byteCount: Int { current.withLock { $0 }?.byteCount ?? 0 }

    /// The codes' memory; `nil` while there are none.
    var memory: UnsafeRawBufferPointer? { current.withLock { $0 }?.memory }
}
