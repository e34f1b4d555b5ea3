import COctantKernels
package import OctantStorage
import Synchronization

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// Reads the files of all segments again and again, slowly, and compares them with their checksums: what nobody reads can
/// go bad for years.
///
/// Files pass through a small buffer by ordinary reads; what the system did not have in memory before is not there
/// afterwards. A collection whose vectors, ids or payload are damaged refuses reads from then on; a damaged file that can
/// be made again only turns its status red.
package final class Scrubber: Sendable {
    /// What was done since the database was opened.
    package struct Totals: Sendable, Equatable {
        /// Times that all files were read.
        package var passes = 0
        /// Files read.
        package var files = 0
        /// Bytes read.
        package var bytes = 0
        /// Files found damaged in the last pass.
        package var damagedFiles = 0
    }

    private struct State {
        var totals = Totals()
        var closed = false
        var thread: Thread?
    }

    private let worker: BackgroundWorker
    private let state = Monitor(State())

    /// Milliseconds after opening before the first pass, at most.
    private static let firstDelayMilliseconds = 60_000

    /// Starts the thread, unless `bytesPerSecond` is 0 or this is a simulation.
    ///
    /// - Parameter periodSeconds: from the beginning of one pass to that of the next, if it is over by then.
    package init(_ worker: BackgroundWorker, bytesPerSecond: Int, periodSeconds: Int = 3600) {
        self.worker = worker
        guard bytesPerSecond > 0, Simulation.current == nil else { return }
        let period = 1000 * min(max(1, periodSeconds), 1 << 30)
        let thread = Thread(name: "octant-scrub") { [self] in loop(bytesPerSecond, periodMilliseconds: period) }
        state.change { $0.thread = thread }
    }

    /// What was done.
    package var totals: Totals { state.withLock { $0.totals } }

    /// Ends the thread.
    package func close() {
        let thread = state.change { state in
            state.closed = true
            defer { state.thread = nil }
            return state.thread
        }
        thread?.join()
    }

    private func loop(_ bytesPerSecond: Int, periodMilliseconds: Int) {
        _ = octant_set_thread_nice(19)
        var due = steadyMilliseconds() + UInt64(min(periodMilliseconds, Self.firstDelayMilliseconds))
        while true {
            let now = steadyMilliseconds()
            if now < due, sleep(milliseconds: Int(min(due - now, 60_000))) { return }
            guard steadyMilliseconds() >= due else { continue }
            due = steadyMilliseconds() + UInt64(periodMilliseconds)
            pass(bytesPerSecond: bytesPerSecond)
            if state.withLock({ $0.closed }) { return }
        }
    }

    /// Waits; returns whether the scrubber is to end.
    private func sleep(milliseconds: Int) -> Bool {
        state.wait(milliseconds: milliseconds) { $0.closed ? true : nil } ?? false
    }

    /// Reads every file once; with `bytesPerSecond` 0 as fast as it goes. Returns what is damaged.
    @discardableResult
    package func pass(bytesPerSecond: Int = 0) -> [StorageError] {
        var found: [StorageError] = []
        for shard in worker.all {
            var derived: [StorageError] = []
            for segment in shard.newest.segments {
                for file in segment.entry.files {
                    if state.withLock({ $0.closed }) { return found }
                    guard let error = check(file, segment, bytesPerSecond), isStillThere(segment, shard) else {
                        continue
                    }
                    found.append(error)
                    if file.role.isDerived { derived.append(error) } else { shard.damage.note(error) }
                }
            }
            let old = shard.scrubFindings.withLock { $0.map(\.message) }
            for error in derived where !old.contains(error.message) { shard.log("damage: \(error)") }
            shard.scrubFindings.withLock { $0 = derived }
        }
        state.change {
            $0.totals.passes += 1
            $0.totals.damagedFiles = found.count
        }
        return found
    }

    /// What is wrong with a file. Failures that say nothing about its bytes are passed over until the next pass.
    private func check(
        _ file: SegmentEntry.FileEntry, _ segment: Segment, _ bytesPerSecond: Int
    ) -> StorageError? {
        do throws(StorageError) {
            let mapped = try segment.folder.open(file, file.role.blockType)
            let damaged = try mapped.damagedBlocks { [self] bytes in
                state.withLock { $0.totals.bytes += bytes }
                guard bytesPerSecond > 0 else { return true }
                return !sleep(milliseconds: max(1, bytes * 1000 / bytesPerSecond))
            }
            state.withLock { $0.totals.files += 1 }
            guard let first = damaged.first else { return nil }
            let more = damaged.count > 1 ? " and \(damaged.count - 1) more" : ""
            return StorageError(.corrupt, "\(mapped.path): damaged block at offset \(first)\(more)")
        } catch {
            switch error.code {
            case .corrupt, .incompatible, .notFound, .io(EIO): return error
            default: return nil
            }
        }
    }

    /// Whether a segment is still the collection's: one that was replaced meanwhile has no files any more.
    private func isStillThere(_ segment: Segment, _ shard: Shard) -> Bool {
        worker.all.contains { $0 === shard } && shard.newest.segments.contains { $0.entry.uuid == segment.entry.uuid }
    }
}
