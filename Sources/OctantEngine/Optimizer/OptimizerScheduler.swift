import COctantKernels

/// Runs jobs of the optimizer, of one shard or of several, side by side.
///
/// As many run as there are threads for builds; they share these evenly. Together they may be expected to need no more
/// memory than the budget. Shards get their turn one after another, a job each, so that one that is always busy does not
/// keep others waiting; a job that does not fit into memory now keeps those behind it waiting, so that it is not passed by
/// for ever. One that never fits into the budget runs alone; one for which the process has no memory waits, and the status
/// of its shard tells.
package final class OptimizerScheduler: Sendable {
    private struct Running {
        var share: BuildShare
        var memory: Int
    }

    private struct State {
        var running: [Int: Running] = [:]
        /// Threads of jobs, until they were joined.
        var threads: [Int: Thread] = [:]
        var ended: [Int] = []
        var nextNumber = 0
        /// The shard whose turn it is.
        var turn: ObjectIdentifier?
    }

    private let state = Monitor(State())
    private let threads: Int
    private let memory: Int
    private let memoryGuard: MemoryGuard?

    /// - Parameters:
    ///   - threads: threads of all builds together, at least one.
    ///   - memory: bytes that all jobs together may be expected to need.
    ///   - memoryGuard: whom to ask for memory in addition: what does not fit then waits, even if nothing runs.
    package init(threads: Int, memory: Int, memoryGuard: MemoryGuard? = nil) {
        self.memoryGuard = memoryGuard
        self.threads = max(1, threads)
        self.memory = memory
    }

    /// Whether no job runs.
    package var isIdle: Bool { state.withLock { $0.running.isEmpty } }

    /// Starts what is due and has room. Called by one thread, whose priority the jobs inherit.
    ///
    /// - Parameter onEnd: called by a job's thread at its end.
    package func startJobs(of shards: [Shard], onEnd: @escaping @Sendable () -> Void) {
        joinEnded()
        let turn = state.withLock { $0.turn }
        let first = shards.firstIndex { ObjectIdentifier($0) == turn } ?? 0
        var waiting = Array(shards[first...] + shards[..<first])
        while let shard = waiting.first {
            let isFull = state.withLock { state in
                state.turn = ObjectIdentifier(shard)
                return state.running.count >= threads
            }
            if isFull { return }
            switch shard.nextJob(threads: threads, admits: fits) {
            case .none: waiting.removeFirst()
            case .tooLarge(let bytes):
                guard isIdle else { return }
                // No end of a job will make room; a smaller one of another shard may fit.
                shard.noteWaiting(forMemory: bytes)
                waiting.removeFirst()
            case .job(let job):
                start(job, of: shard, onEnd)
                waiting.append(waiting.removeFirst())
            }
        }
        state.withLock { $0.turn = nil }
    }

    private func fits(_ bytes: Int) -> Bool {
        if let memoryGuard, !memoryGuard.admits(job: bytes) { return false }
        return state.withLock { state in
            let used = state.running.values.reduce(0) { $0 + $1.memory }
            return state.running.isEmpty || used <= memory && bytes <= memory - used
        }
    }

    private func start(_ job: OptimizerJob, of shard: Shard, _ onEnd: @escaping @Sendable () -> Void) {
        let number = state.withLock { state in
            state.nextNumber += 1
            state.running[state.nextNumber] = Running(share: job.share, memory: job.estimatedMemory)
            divideThreads(&state)
            return state.nextNumber
        }
        let meter = job.recipe.meter
        if let meter { memoryGuard?.jobStarts(meter, expected: job.estimatedMemory) }
        let thread = Thread(name: "octant-build") { [self] in
            shard.run(job)
            octant_malloc_trim()
            if let meter { memoryGuard?.jobEnds(meter) }
            state.change { state in
                state.running[number] = nil
                state.ended.append(number)
                divideThreads(&state)
            }
            onEnd()
        }
        state.withLock { $0.threads[number] = thread }
    }

    private func divideThreads(_ state: inout State) {
        let count = state.running.count
        for (place, entry) in state.running.sorted(by: { $0.key < $1.key }).enumerated() {
            entry.value.share.grant((threads + count - 1 - place) / count)
        }
    }

    private func joinEnded() {
        let ended = state.withLock { state in
            let threads = state.ended.compactMap { state.threads.removeValue(forKey: $0) }
            state.ended = []
            return threads
        }
        for thread in ended { thread.join() }
    }

    /// Waits for the end of all jobs; they are cancelled by closing their shards.
    package func close() {
        state.wait { $0.running.isEmpty ? () : nil }
        joinEnded()
    }
}
