import COctantKernels
import OctantStorage
import Synchronization

/// The two background threads of a database: one writes checkpoints, which writers may wait for; one looks which segments
/// are worth optimising and starts the jobs, which take long and have threads of their own.
package final class BackgroundWorker: Sendable {
    private struct State {
        /// In the order they came.
        var shards: [Shard] = []
        var flushSignals = 0
        var optimizeSignals = 0
        var closed = false
        var threads: [Thread] = []
    }

    private let state = Monitor(State())
    private let scheduler: OptimizerScheduler
    private let memoryGuard: MemoryGuard?

    /// Milliseconds between looks without a signal: what becomes due by time alone (a quiet tail) waits at most so long.
    private static let tickMilliseconds = 250
    /// Milliseconds between two times that small memtables are written because memory is short.
    private static let smallMilliseconds: UInt64 = 3000
    private let lastSmall = Atomic<UInt64>(0)

    /// Starts the threads; none in a simulation, where the test does their work.
    ///
    /// - Parameters:
    ///   - buildThreads: threads of all jobs together; 0: all cores but one.
    ///   - buildMemory: bytes that all jobs together may be expected to need; 0: a quarter of what the process may have.
    ///   - memoryGuard: whom to ask for memory; `nil`: nobody.
    package init(buildThreads: Int, buildMemory: Int = 0, memoryGuard: MemoryGuard? = nil) {
        self.memoryGuard = memoryGuard
        scheduler = OptimizerScheduler(
            threads: buildThreads > 0 ? buildThreads : max(1, Thread.processorCount - 1),
            memory: buildMemory > 0 ? buildMemory : (MachineMemory.limit() ?? 4 << 30) / 4,
            memoryGuard: memoryGuard)
        if Simulation.current != nil { return }
        let threads = [
            Thread(name: "octant-flush") { [self] in flushLoop() },
            Thread(name: "octant-optimize") { [self] in optimizeLoop() },
        ]
        state.change { $0.threads = threads }
    }

    /// Looks after a shard from now on.
    package func add(_ shard: Shard) {
        if shard.readOnlyReason != nil { return }
        shard.onBackgroundWork { [weak self] in self?.signal() }
        state.change { $0.shards.append(shard) }
        signal()
    }

    /// The shards that are looked after.
    var all: [Shard] { state.withLock { $0.shards } }

    /// Forgets a shard. A step on it that is running ends by itself when the shard closes.
    package func remove(_ shard: Shard) { state.change { $0.shards.removeAll { $0 === shard } } }

    /// Ends the threads; the shards have been closed or are removed first.
    package func close() {
        let threads = state.change { state in
            state.closed = true
            return state.threads
        }
        for thread in threads { thread.join() }
    }

    private func signal() {
        state.change {
            $0.flushSignals += 1
            $0.optimizeSignals += 1
        }
    }

    private func flushLoop() {
        var seen = 0
        while true {
            let woken = state.wait(milliseconds: Self.tickMilliseconds) { state -> Int? in
                state.closed || state.flushSignals != seen ? state.flushSignals : nil
            }
            if state.withLock({ $0.closed }) { return }
            seen = woken ?? seen
            flush(state.withLock { $0.shards })
        }
    }

    /// Writes what is due, and while memory is short all that is in memtables.
    private func flush(_ shards: [Shard]) {
        let isPressed = memoryGuard?.isPressed == true
        let now = steadyMilliseconds()
        let small = isPressed && now >= lastSmall.load(ordering: .relaxed) &+ Self.smallMilliseconds
        if small { lastSmall.store(now, ordering: .relaxed) }
        for shard in shards {
            if isPressed { shard.freezeIfPressed(small: small) }
            shard.flushDue()
        }
        // What was freed in small pieces is the process's until it is given back.
        if isPressed { octant_malloc_trim() }
    }

    private func optimizeLoop() {
        // Jobs inherit this: a request always finds a core, even while graphs are built on all of them.
        _ = octant_set_thread_nice(10)
        var seen = 0
        while true {
            let woken = state.wait(milliseconds: Self.tickMilliseconds) { state -> Int? in
                state.closed || state.optimizeSignals != seen ? state.optimizeSignals : nil
            }
            if state.withLock({ $0.closed }) { return scheduler.close() }
            seen = woken ?? seen
            scheduler.startJobs(of: state.withLock { $0.closed ? [] : $0.shards }) { [weak self] in self?.signal() }
            guard scheduler.isIdle else { continue }
            for shard in state.withLock({ $0.closed ? [] : $0.shards }) { shard.sampleRecallIfDue() }
        }
    }
}
