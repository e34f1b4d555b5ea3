import OctantModel
import OctantStorage
import OctantVectors

extension Shard {
    /// Without writes for so long, a collection counts as idle.
    private static let idleMilliseconds: UInt64 = 1000

    /// Called after operations were applied: bounds what no graph covers.
    func noteWrites() {
        background.change { $0.lastWrite = steadyMilliseconds() }
        settleDeferral()
        if indexingIsDue(idle: false) { wake() }
    }

    /// Whether the points outside of graphs, those in memory included, are enough to be worth a graph.
    private func indexingIsDue(idle: Bool) -> Bool {
        let view = newest
        let optimizer = view.config.optimizer
        guard var threshold = view.config.indexingBytes, optimizer.maxOptimizationThreads != 0 else { return false }
        let largest = view.segments.filter(\.isIndexed).map(\.vectorBytes).max()
        if idle, let largest { threshold = min(threshold, max(1 << 20, largest / 50)) }
        return view.unindexedBytes >= threshold
    }

    var isIdle: Bool {
        steadyMilliseconds() &- background.withLock { $0.lastWrite } > Self.idleMilliseconds
    }

    /// The segments as the plan sees them; without a checkpoint, with all their deaths. Deaths are counted row by row
    /// only where their number decides something: this is asked for several times a second.
    private func parts(of view: ReadView, hidden: Bool, _ checkpoint: LSN?) -> [OptimizerPlan.Part] {
        // What reads still see is not dead, though later operations deleted it.
        let checkpoint = checkpoint.map { min($0, view.deferral?.lsn ?? .max) }
        return view.segments.filter { view.hides($0) == hidden }.map { segment in
            var dead = segment.tombstones.killedCount
            if let checkpoint,
                OptimizerPlan.isWorthVacuuming(dead: dead, of: segment.rowCount, view.config.optimizer)
            {
                dead = segment.tombstones.deadCount(at: checkpoint)
            }
            return OptimizerPlan.Part(
                uuid: segment.entry.uuid, rowCount: segment.rowCount, deadCount: dead,
                vectorBytes: segment.vectorBytes, indexableBytes: segment.indexableBytes,
                isIndexed: segment.isIndexed,
                isCurrent: view.config.params.denseVectors.allSatisfy {
                    IndexPolicy($0, config: view.config).matches(segment.entry, vector: $0.name)
                })
        }
    }

    private func nextPlan(_ view: ReadView, checkpoint: LSN?, idle: Bool) -> OptimizerPlan? {
        if view.config.optimizer.maxOptimizationThreads == 0 { return nil }
        let indexable = view.config.wantsGraph
        let (hidden, shown) = (parts(of: view, hidden: true, checkpoint), parts(of: view, hidden: false, checkpoint))
        if let plan = OptimizerPlan.revealing(
            hidden, shown: shown, config: view.config.optimizer, processors: Thread.processorCount)
        {
            return plan
        }
        return OptimizerPlan.next(
            shown, config: view.config.optimizer, processors: Thread.processorCount,
            indexable: indexable, idle: idle)
    }

    /// The steps that are due by what is known now, without those of `busy` segments. Each is planned as if the ones
    /// before it had taken their segments away.
    func pendingPlans(_ view: ReadView, except busy: Set<String>) -> [OptimizerPlan] {
        func isFree(_ part: OptimizerPlan.Part) -> Bool { !busy.contains(part.uuid.description) }
        var left = parts(of: view, hidden: false, nil).filter(isFree)
        var plans: [OptimizerPlan] = []
        if let plan = OptimizerPlan.revealing(
            parts(of: view, hidden: true, nil).filter(isFree), shown: left, config: view.config.optimizer,
            processors: Thread.processorCount)
        {
            plans.append(plan)
            left.removeAll { plan.sources.contains($0.uuid) }
        }
        while let plan = OptimizerPlan.next(
            left, config: view.config.optimizer, processors: Thread.processorCount,
            indexable: view.config.wantsGraph, idle: isIdle), !plan.sources.isEmpty
        {
            plans.append(plan)
            left.removeAll { plan.sources.contains($0.uuid) }
        }
        return plans
    }

    /// Does one step of background work on segments, if one is due. Returns whether it did.
    ///
    /// - Parameter threads: threads for building graphs.
    package func optimizeOnce(threads: Int) -> Bool {
        let mayRun = background.change { background -> Bool in
            guard !background.closing, steadyMilliseconds() >= background.nextOptimization else { return false }
            background.inOptimizer = true
            return true
        }
        guard mayRun else { return false }
        defer {
            background.change {
                $0.inOptimizer = false
                $0.optimizing = false
            }
        }
        settleDeferral()
        let idle = isIdle
        if checkpointIsDue(newest, idle: idle) {
            freeze()
            do throws(StorageError) { while try flushFrozen() {} } catch {
                note(error, of: "checkpoint")
                return false
            }
        }
        let view = newest
        guard let plan = nextPlan(view, checkpoint: view.checkpoint, idle: idle) else {
            background.change { $0.noteOptimized() }
            return false
        }
        background.change { $0.optimizing = true }
        optimizations.withLock { $0.begin(plan, view.described(plan.sources)) }
        do throws(StorageError) {
            try run(plan, view, threads: threads)
            optimizations.withLock { $0.end(.done) }
            background.change { $0.noteOptimized() }
            settleDeferral()
            return true
        } catch {
            optimizations.withLock {
                $0.end(error.code == .closed ? .cancelled("the collection closed") : .error(error.description))
            }
            note(error, of: plan.reason.rawValue)
            return false
        }
    }

    /// Whether points in memory are due to be indexed, or deaths that no checkpoint knows are due to be vacuumed.
    private func checkpointIsDue(_ view: ReadView, idle: Bool) -> Bool {
        if indexingIsDue(idle: idle), view.memtables.contains(where: { $0.table.rowCount > 0 }) { return true }
        return view.lsn > view.checkpoint && nextPlan(view, checkpoint: nil, idle: idle)?.reason == .vacuum
            && nextPlan(view, checkpoint: view.checkpoint, idle: idle)?.reason != .vacuum
    }

    /// Keeps the reason for the status and waits before the next attempt, longer each time: what failed once (a
    /// damaged file, a full disk) most often fails again, and each attempt reads and writes whole segments.
    private func note(_ error: StorageError, of what: String) {
        guard error.code != .closed else { return }
        log("\(path): \(what) failed: \(error)")
        background.change {
            $0.optimizerError = "\(what) failed: \(error)"
            $0.nextOptimization = steadyMilliseconds() + UInt64(1000) << UInt64(min($0.optimizerFailures, 6))
            $0.optimizerFailures += 1
        }
    }

    private func run(_ plan: OptimizerPlan, _ view: ReadView, threads: Int) throws(StorageError) {
        let segments = plan.sources.compactMap { uuid in view.segments.first { $0.entry.uuid == uuid } }
        guard segments.count == plan.sources.count else { return }
        guard let reveals = view.deferralAllows(segments) else { return }
        for segment in segments {
            do throws(StorageError) { try segment.verifyBulk() } catch {
                // Searches read the same bytes.
                if error.code == .corrupt { damage.note(error) }
                throw error
            }
        }
        let indexes = view.fieldIndexes
        // Parts that reads see keep what died after the operation up to which they see it.
        let keepsSeen = !segments.contains { view.hides($0) }
        let checkpoint = keepsSeen ? min(view.checkpoint, view.deferral?.lsn ?? .max) : view.checkpoint
        let limit = view.config.hnsw.maxIndexingThreads
        var recipe = SegmentRecipe(
            sources: segments.enumerated().map { number, segment in
                .init(rows: segment, rowCount: segment.rowCount, keepsDead: plan.growsFirst && number == 0)
            },
            checkpoint: checkpoint, config: view.config, fieldIndexes: indexes, indexed: plan.indexed,
            growsFirst: plan.growsFirst, threads: limit > 0 ? min(limit, threads) : threads,
            lowMemory: limits.lowMemory)
        var written: [WrittenSegment] = []
        for number in 0..<plan.pieces {
            recipe.piece = SegmentRecipe.Piece(number: number, of: plan.pieces)
            do throws(StorageError) {
                let piece = try SegmentWriter.write(
                    recipe, directory: segmentsPath, fileSystem: fileSystem,
                    isCancelled: { [background] in background.withLock { $0.closing } })
                if let piece { written.append(piece) }
            } catch {
                // No manifest names them; the first error is the one to report.
                for piece in written { try? fileSystem.removeTree(piece.folder.path) }
                throw error
            }
        }
        try publish(
            Replacement(
                sources: segments, written: written, checkpoint: nil, vectorsEpoch: view.vectorsEpoch,
                reveals: reveals ? (view.checkpoint, view.checkpointLiveCount) : nil))
    }

    /// What background work is doing, for the collection's status.
    package var optimizerState: (running: Bool, due: Bool, error: String?) {
        let (running, error) = background.withLock { ($0.optimizing, $0.optimizerError) }
        if running { return (true, true, error) }
        let view = newest
        let off = view.config.optimizer.maxOptimizationThreads == 0
        let idle = isIdle
        let due = !off && (indexingIsDue(idle: idle) || nextPlan(view, checkpoint: nil, idle: idle) != nil)
        return (false, due, error)
    }
}

extension BackgroundState {
    /// Nothing is wrong any more.
    fileprivate mutating func noteOptimized() {
        optimizerError = nil
        optimizerFailures = 0
        nextOptimization = 0
    }
}
