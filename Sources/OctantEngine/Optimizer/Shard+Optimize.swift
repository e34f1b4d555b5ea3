import OctantModel
import OctantStorage
import OctantVectors

extension Shard {
    /// Without writes for so long, a collection counts as idle.
    private static let idleMilliseconds: UInt64 = 1000

    /// Called after operations were applied: bounds what no graph covers.
    func noteWrites() {
        background.change { $0.lastWrite = steadyMilliseconds() }
        if indexingIsDue(idle: false) { wake() }
    }

    /// Whether the points outside of graphs, those in memory included, are enough to be worth a graph.
    private func indexingIsDue(idle: Bool) -> Bool {
        let view = view
        let optimizer = view.config.optimizer
        guard let kilobytes = optimizer.indexingThreshold, kilobytes > 0, optimizer.maxOptimizationThreads != 0 else {
            return false
        }
        var threshold = min(kilobytes, Int.max >> 11) << 10
        let largest = view.segments.filter(\.isIndexed).map(\.vectorBytes).max()
        if idle, let largest { threshold = min(threshold, max(1 << 20, largest / 50)) }
        let dimensions = view.config.params.vectors.all.reduce(0) { $0 + $1.params.size }
        let inMemory = view.memtables.reduce(0) { $0 + $1.table.rowCount } * dimensions * 4
        let flat = view.segments.reduce(0) { $0 + ($1.isIndexed ? 0 : $1.vectorBytes) }
        return inMemory + flat >= threshold
    }

    private var isIdle: Bool {
        steadyMilliseconds() &- background.withLock { $0.lastWrite } > Self.idleMilliseconds
    }

    private func parts(_ view: ReadView, checkpoint: LSN) -> [OptimizerPlan.Part] {
        view.segments.map { segment in
            OptimizerPlan.Part(
                uuid: segment.entry.uuid, rowCount: segment.rowCount,
                deadCount: segment.tombstones.deadCount(at: checkpoint), vectorBytes: segment.vectorBytes,
                isIndexed: segment.isIndexed,
                isCurrent: view.config.params.vectors.all.allSatisfy {
                    IndexPolicy($0, config: view.config).matches(segment.entry, vector: $0.name)
                })
        }
    }

    private func nextPlan(_ view: ReadView, idle: Bool) -> OptimizerPlan? {
        let checkpoint = publication.withLock { $0.checkpoint }
        let indexable = view.config.params.vectors.all.contains { IndexPolicy($0, config: view.config).graph != nil }
        return OptimizerPlan.next(
            parts(view, checkpoint: checkpoint), config: view.config.optimizer, processors: Thread.processorCount,
            indexable: indexable, idle: idle)
    }

    /// Does one step of background work on segments, if one is due. Returns whether it did.
    ///
    /// - Parameter threads: threads for building graphs.
    package func optimizeOnce(threads: Int) -> Bool {
        let idle = isIdle
        if indexingIsDue(idle: idle) {
            let view = view
            let tail = view.memtables.reduce(0) { $0 + $1.table.rowCount }
            if tail > 0 {
                freeze()
                do throws(StorageError) { while try flushFrozen() {} } catch {
                    note(error, of: "checkpoint")
                    return false
                }
            }
        }
        let view = view
        guard let plan = nextPlan(view, idle: idle) else { return false }
        background.change { $0.optimizing = true }
        defer { background.change { $0.optimizing = false } }
        do throws(StorageError) {
            try run(plan, view, threads: threads)
            background.change { $0.optimizerError = nil }
            return true
        } catch {
            note(error, of: plan.reason.rawValue)
            return false
        }
    }

    private func note(_ error: StorageError, of what: String) {
        guard error.code != .closed else { return }
        log("\(path): \(what) failed: \(error)")
        background.change { $0.optimizerError = "\(what) failed: \(error)" }
    }

    private func run(_ plan: OptimizerPlan, _ view: ReadView, threads: Int) throws(StorageError) {
        let segments = plan.sources.compactMap { uuid in view.segments.first { $0.entry.uuid == uuid } }
        guard segments.count == plan.sources.count else { return }
        for segment in segments { try segment.verifyBulk() }
        let (checkpoint, indexes) = publication.withLock { ($0.checkpoint, $0.fieldIndexes) }
        let limit = view.config.hnsw.maxIndexingThreads
        let recipe = SegmentRecipe(
            sources: segments.enumerated().map { number, segment in
                .init(rows: segment, rowCount: segment.rowCount, keepsDead: plan.growsFirst && number == 0)
            },
            checkpoint: checkpoint, config: view.config, fieldIndexes: indexes, indexed: plan.indexed,
            growsFirst: plan.growsFirst, threads: limit > 0 ? min(limit, threads) : threads)
        let written = try SegmentWriter.write(
            recipe, directory: segmentsPath, fileSystem: fileSystem,
            isCancelled: { [background] in background.withLock { $0.closing } })
        try publish(Replacement(sources: segments, written: written, checkpoint: nil))
    }

    /// What background work is doing, for the collection's status.
    package var optimizerState: (running: Bool, due: Bool, error: String?) {
        let (running, error) = background.withLock { ($0.optimizing, $0.optimizerError) }
        if running { return (true, true, error) }
        let view = view
        let off = view.config.optimizer.maxOptimizationThreads == 0
        let idle = isIdle
        let due = !off && (indexingIsDue(idle: idle) || nextPlan(view, idle: idle) != nil)
        return (false, due, error)
    }
}
