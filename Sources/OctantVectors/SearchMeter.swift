import COctantKernels

/// Counts what the search of one part does, for who asked to have it explained. Used by one thread at a time.
package final class SearchMeter: @unchecked Sendable {
    // SAFETY: handed from thread to thread with the search that it belongs to.

    /// Rows scored by codes; a row that is scored by two kinds of codes counts twice.
    package internal(set) var codes = 0
    /// Rows scored by the originals.
    package internal(set) var originals = 0
    /// Those of them that codes had scored before.
    package internal(set) var rescored = 0
    /// Pages of originals, and of links and codes that are kept on disk, that were not in memory when they were asked for.
    package internal(set) var absentPages = 0

    package init() {}

    /// Counts rows that are about to be scored again, and looks which of their pages are in memory.
    func willRescore(_ rows: DenseRows, _ ids: UnsafePointer<UInt32>, _ count: Int) {
        rescored += count
        originals += count
        for i in 0..<count {
            absentPages += Int(octant_absent_pages(rows.base + Int(ids[i]) * rows.stride, rows.rowBytes))
        }
    }

    /// Counts a run of originals that is about to be scanned.
    func willScan(_ rows: DenseRows, _ range: Range<Int>) {
        originals += range.count
        guard let first = range.first else { return }
        absentPages += Int(octant_absent_pages(rows.base + first * rows.stride, range.count * rows.stride))
    }
}
