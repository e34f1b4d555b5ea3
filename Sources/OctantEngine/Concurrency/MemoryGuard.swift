package import OctantModel
import OctantStorage
import Synchronization

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// Keeps the process from needing more memory than it may have, for then the kernel would end it.
///
/// What counts is memory that cannot be taken back: mapped files make room by themselves. From ``pressedAbove`` on memtables
/// are written to disk early, from ``refusesAbove`` on writes that add data are refused, and the rest is for requests that
/// are being received, for background work and for what is read from files. Deletes and reads are not asked, and writes
/// are taken again by themselves when there is room.
package final class MemoryGuard: Sendable {
    /// Bytes the process may have.
    package let limit: Int
    /// Bytes held from which on writes are refused.
    package let refusesAbove: Int
    /// Bytes held from which on memtables are written early.
    package let pressedAbove: Int
    /// Bytes that must never be held: a little stays for the pages of the program and of files.
    private let end: Int
    private let interval: UInt64
    private let heldBytes: @Sendable () -> Int
    private let nextLook = Atomic<UInt64>(0)
    private let found = Atomic<Int>(0)
    /// Bytes that writes added since the last look.
    private let added = Atomic<Int>(0)
    private let jobs = Mutex<[ObjectIdentifier: (meter: JobMeter, expected: Int)]>([:])

    /// How long a write waits for memory before it is refused.
    private static let patience: UInt64 = 500

    /// A guard for a process that may have `limit` bytes.
    ///
    /// - Parameters:
    ///   - milliseconds: for how long what was read of the process counts.
    ///   - heldBytes: what the process holds.
    package init(
        limit: Int, every milliseconds: UInt64 = 20, heldBytes: @escaping @Sendable () -> Int = { ProcessPages.held }
    ) {
        self.limit = limit
        // An eighth stays free, but 96 MB where that is no more than a third.
        refusesAbove = limit - min(max(limit / 8, 96 << 20), limit / 3, 2 << 30)
        pressedAbove = refusesAbove - limit / 16
        end = limit - limit / 16
        interval = milliseconds
        self.heldBytes = heldBytes
    }

    /// Bytes held: read again when that is long ago, or much was written since.
    package var held: Int {
        let now = steadyMilliseconds()
        let due = nextLook.load(ordering: .relaxed)
        let more = added.load(ordering: .relaxed)
        if now >= due || more > limit / 64,
            nextLook.compareExchange(expected: due, desired: now &+ interval, ordering: .relaxed).exchanged
        {
            found.store(heldBytes(), ordering: .relaxed)
            added.subtract(more, ordering: .relaxed)
        }
        return found.load(ordering: .relaxed) + added.load(ordering: .relaxed)
    }

    /// Whether memtables are to be written early.
    package var isPressed: Bool { held > pressedAbove }

    /// What jobs of the optimizer that run are still expected to take.
    private var promised: Int {
        jobs.withLock { $0.values.reduce(0) { $0 + max(0, $1.expected - $1.meter.heldBytes) } }
    }

    /// Whether a write that brings `bytes` has to be refused.
    private func lacksRoom(for bytes: Int) -> Bool {
        // Once more in a memtable.
        let after = held + bytes
        return after > refusesAbove || after + promised > end
    }

    /// The error of a write for which there is no memory; `nil`: there is, and it counts as taken.
    package func refusal(adding bytes: Int) -> OctantError? {
        guard lacksRoom(for: bytes) else {
            added.add(bytes, ordering: .relaxed)
            return nil
        }
        return OctantError(
            .insufficientStorage,
            "Not enough memory: the process holds \(held >> 20) MB of the \(limit >> 20) MB it may have (the machine's memory, "
                + "or the limit of its control group) and takes no new data above \(refusesAbove >> 20) MB. Deletes and reads "
                + "go on. Delete points, keep vectors on disk (`on_disk`, quantization), or allow it more memory")
    }

    /// Gives memtables that are being written to disk a moment before a write is refused.
    package func waitForRoom() {
        guard lacksRoom(for: 0) else { return }
        let end = steadyMilliseconds() &+ Self.patience
        while steadyMilliseconds() < end, lacksRoom(for: 0) { usleep(10_000) }
    }

    /// Bytes that the bodies of requests may have together beside what is held: each is needed a second time, decoded.
    package var roomForRequests: Int { max(0, end - held) / 2 }

    /// Whether a job of the optimizer that is expected to take `bytes` may start.
    package func admits(job bytes: Int) -> Bool { held + promised + bytes <= end }

    /// A job starts that is expected to take `bytes`; its meter tells what it has of them.
    package func jobStarts(_ meter: JobMeter, expected bytes: Int) {
        jobs.withLock { $0[ObjectIdentifier(meter)] = (meter, bytes) }
    }

    /// It ended.
    package func jobEnds(_ meter: JobMeter) { jobs.withLock { $0[ObjectIdentifier(meter)] = nil } }
}
