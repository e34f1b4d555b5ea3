import COctantKernels

/// The two background threads of a database: one writes checkpoints, which writers may wait for; one optimises segments,
/// which takes long. One optimisation runs at a time, on all cores but one.
package final class BackgroundWorker: Sendable {
    private struct State {
        var shards: [ObjectIdentifier: Shard] = [:]
        var flushSignals = 0
        var optimizeSignals = 0
        var closed = false
        var threads: [Thread] = []
    }

    private let state = Monitor(State())
    private let buildThreads: Int

    /// Milliseconds between looks without a signal: what becomes due by time alone (a quiet tail) waits at most so long.
    private static let tickMilliseconds = 250

    /// Starts the threads.
    ///
    /// - Parameter buildThreads: threads for one graph; 0: all cores but one.
    package init(buildThreads: Int) {
        self.buildThreads = buildThreads > 0 ? buildThreads : max(1, Thread.processorCount - 1)
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
        state.change { $0.shards[ObjectIdentifier(shard)] = shard }
        signal()
    }

    /// The shards that are looked after.
    var all: [Shard] { state.withLock { Array($0.shards.values) } }

    /// Forgets a shard. A step on it that is running ends by itself when the shard closes.
    package func remove(_ shard: Shard) { state.change { _ = $0.shards.removeValue(forKey: ObjectIdentifier(shard)) } }

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
            for shard in state.withLock({ Array($0.shards.values) }) {
                if !shard.isFlushBackingOff {
                    do { while try shard.flushFrozen() {} } catch {
                        if error.code != .closed { shard.log("\(shard.path): checkpoint failed: \(error)") }
                    }
                }
                shard.settleDeferral()
            }
        }
    }

    private func optimizeLoop() {
        // Its builder threads inherit this: a request always finds a core, even while a graph is built on all of them.
        _ = octant_set_thread_nice(10)
        var seen = 0
        while true {
            let woken = state.wait(milliseconds: Self.tickMilliseconds) { state -> Int? in
                state.closed || state.optimizeSignals != seen ? state.optimizeSignals : nil
            }
            if state.withLock({ $0.closed }) { return }
            seen = woken ?? seen
            // One step for each in turn: a collection that is always busy does not keep the others waiting.
            var worked = true
            while worked {
                worked = false
                for shard in state.withLock({ $0.closed ? [] : Array($0.shards.values) })
                where shard.optimizeOnce(threads: buildThreads) {
                    worked = true
                    octant_malloc_trim()
                }
            }
            for shard in state.withLock({ $0.closed ? [] : Array($0.shards.values) }) { shard.sampleRecallIfDue() }
        }
    }
}
