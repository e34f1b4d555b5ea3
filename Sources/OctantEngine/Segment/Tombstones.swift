import OctantVectors
import Synchronization

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// When each row of a segment or memtable died: the LSN of the operation that deleted or replaced it, 0 while it lives.
///
/// Written by the applying thread alone, read by any thread without waiting. A reader holds the LSN of its view: what
/// died later still lives for it. The table is lazily backed memory: rows nobody deleted cost nothing.
package final class Tombstones: @unchecked Sendable {
    // SAFETY: the table is mapped for the life of self and its elements are atomic.
    private let table: UnsafeMutablePointer<Atomic<UInt64>>?
    private let byteCount: Int
    /// How many rows there are.
    package let rowCount: Int
    private let killed = Atomic<Int>(0)
    private let newest = Atomic<UInt64>(0)

    /// A table of `rowCount` living rows; `nil` if the address space is used up.
    package init?(rowCount: Int) {
        self.rowCount = rowCount
        byteCount = max(rowCount, 1) * MemoryLayout<UInt64>.stride
        let flags = MAP_PRIVATE | Tombstones.anonymous
        let memory = mmap(nil, byteCount, PROT_READ | PROT_WRITE, flags, -1, 0)
        guard let memory, memory != MAP_FAILED else { return nil }
        table = memory.bindMemory(to: Atomic<UInt64>.self, capacity: max(rowCount, 1))
    }

    #if canImport(Darwin)
    private static let anonymous = MAP_ANON
    #else
    private static let anonymous = MAP_ANONYMOUS | MAP_NORESERVE
    #endif

    deinit { if let table { munmap(table, byteCount) } }

    /// The table.
    var memory: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: table, count: byteCount) }

    /// How many rows have died.
    package var killedCount: Int { killed.load(ordering: .relaxed) }

    /// Notes that `row` died by the operation `lsn`.
    package func kill(_ row: UInt32, at lsn: UInt64) {
        guard Int(row) < rowCount, let table else { return }
        if lsn > newest.load(ordering: .relaxed) { newest.store(lsn, ordering: .relaxed) }
        if table[Int(row)].exchange(lsn, ordering: .relaxed) == 0 { killed.add(1, ordering: .releasing) }
    }

    /// When `row` died; 0 while it lives.
    @inline(__always)
    package func deathLSN(_ row: UInt32) -> UInt64 {
        guard Int(row) < rowCount, let table else { return 0 }
        return table[Int(row)].load(ordering: .relaxed)
    }

    /// Whether `row` lives in the view of `lsn`.
    @inline(__always)
    package func isLive(_ row: UInt32, at lsn: UInt64) -> Bool {
        let death = deathLSN(row)
        return death == 0 || death > lsn
    }

    /// How many rows have died by `lsn`. Looks at every row, but for the common cases that none has died or all deaths
    /// are known to `lsn`.
    package func deadCount(at lsn: UInt64) -> Int {
        let killed = killed.load(ordering: .acquiring)
        guard killed > 0 else { return 0 }
        if newest.load(ordering: .relaxed) <= lsn { return killed }
        var dead = 0
        for row in 0..<rowCount where !isLive(UInt32(row), at: lsn) { dead += 1 }
        return dead
    }

    /// A bit per row, set where it has died by `lsn`; little-endian words.
    package func bitmap(at lsn: UInt64) -> [UInt64] {
        var words = [UInt64](repeating: 0, count: (rowCount + 63) / 64)
        guard killedCount > 0 else { return words }
        for row in 0..<rowCount where !isLive(UInt32(row), at: lsn) { words[row >> 6] |= 1 << UInt64(row & 63) }
        return words
    }
}
