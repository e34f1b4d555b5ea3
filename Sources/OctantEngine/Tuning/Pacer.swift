#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// Keeps background measuring within its share of one core, and ends it when it is told to.
///
/// Work calls ``pause()`` every few milliseconds; when a slice of processor time is used up, the thread sleeps for the
/// rest of the slice's share.
package final class Pacer {
    /// Processor time between two rests.
    private static let sliceNanoseconds: UInt64 = 10_000_000

    private let budget: Double
    private let isCancelled: () -> Bool
    private var sliceStart = Pacer.threadNanoseconds

    /// A pacer for the thread it is made on.
    ///
    /// - Parameters:
    ///   - budget: the share of one core to take, above 0 and at most 1.
    ///   - isCancelled: whether to stop.
    package init(budget: Double, isCancelled: @escaping () -> Bool) {
        self.budget = min(max(budget, 0.01), 1)
        self.isCancelled = isCancelled
    }

    /// Rests if a slice is used up. Throws if the work is to end.
    package func pause() throws(TuningCancelled) {
        if isCancelled() { throw TuningCancelled() }
        let used = Pacer.threadNanoseconds &- sliceStart
        guard budget < 1, used >= Self.sliceNanoseconds else { return }
        usleep(UInt32(min(Double(used) / 1000 * (1 / budget - 1), 900_000)))
        sliceStart = Pacer.threadNanoseconds
    }

    /// Processor time of this thread.
    package static var threadNanoseconds: UInt64 {
        var now = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now)
        return UInt64(now.tv_sec) &* 1_000_000_000 &+ UInt64(now.tv_nsec)
    }
}

/// Measuring ended before it was done: it was cancelled, or the collection is closing.
package struct TuningCancelled: Error {
    package init() {}
}
