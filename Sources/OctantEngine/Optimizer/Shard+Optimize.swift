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
        // A job that runs looks for the next one at its end.
        if runningPlans.isEmpty, indexingIsDue(idle: false) { wake() }
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

    /// The parts that plans are made of: those that reads see, with what running jobs will make of theirs, and those that
    /// are kept from them. While hidden ones are being indexed, the others wait for that.
    private func plannedParts(
        of view: ReadView, running: [OptimizerPlan], _ checkpoint: LSN?
    ) -> (hidden: [OptimizerPlan.Part], shown: [OptimizerPlan.Part]) {
        var hidden = parts(of: view, hidden: true, checkpoint)
        var shown = parts(of: view, hidden: false, checkpoint)
        for plan in running {
            func isSource(_ part: OptimizerPlan.Part) -> Bool { plan.sources.contains(part.uuid) }
            let sources = (hidden + shown).filter(isSource)
            if hidden.contains(where: isSource) { hidden = [] }
            shown.removeAll(where: isSource)
            shown += plan.outcome(of: sources)
        }
        return (hidden, shown)
    }

    private func nextPlan(
        _ view: ReadView, running: [OptimizerPlan] = [], checkpoint: LSN?, idle: Bool
    ) -> OptimizerPlan? {
        if view.config.optimizer.maxOptimizationThreads == 0 { return nil }
        if let begun = savedBuilds.plan(view, running: running) { return begun }
        let (hidden, shown) = plannedParts(of: view, running: running, checkpoint)
        let processors = Thread.processorCount
        return OptimizerPlan.revealing(hidden, shown: shown, config: view.config.optimizer, processors: processors)
            ?? OptimizerPlan.next(
                shown, config: view.config.optimizer, processors: processors, indexable: view.config.wantsGraph,
                idle: idle)
    }

    /// The steps that are due by what is known now, besides those that run. Each is planned as if the ones before it ran.
    func pendingPlans(_ view: ReadView, running: [OptimizerPlan]) -> [OptimizerPlan] {
        var plans: [OptimizerPlan] = []
        let idle = isIdle
        while let plan = nextPlan(view, running: running + plans, checkpoint: nil, idle: idle), !plan.sources.isEmpty {
            plans.append(plan)
        }
        return plans
    }

    // MARK: Jobs

    /// Decides the next step and takes its segments; who gets a job must ``run(_:)`` it.
    ///
    /// - Parameters:
    ///   - threads: threads that a build may start.
    ///   - admits: whether there is memory for a job of so many bytes.
    package func nextJob(threads: Int, admits: (Int) -> Bool) -> OptimizerTurn {
        let mayRun = background.change { background -> Bool in
            guard !background.closing, steadyMilliseconds() >= background.nextOptimization else { return false }
            background.inOptimizer += 1
            return true
        }
        guard mayRun else { return .none }
        settleDeferral()
        let turn = takeJob(threads: threads, admits: admits)
        if case .job = turn { return turn }
        background.change { $0.inOptimizer -= 1 }
        return turn
    }

    private func takeJob(threads: Int, admits: (Int) -> Bool) -> OptimizerTurn {
        let idle = isIdle
        // A step of what is on disk that has no room now would have none with more points either.
        if let plan = nextPlan(newest, running: runningPlans, checkpoint: newest.checkpoint, idle: idle),
            let memory = recipe(plan, newest, threads: threads)?.estimatedMemory, !admits(memory)
        {
            return .tooLarge(memory)
        }
        // While a job runs, points in memory stay there: it may be the graph that takes them.
        if runningPlans.isEmpty, checkpointIsDue(newest, idle: idle) {
            freeze()
            do throws(StorageError) { while try flushFrozen() {} } catch {
                note(error, of: "checkpoint")
                return .none
            }
        }
        return planning.withLock { _ -> OptimizerTurn in
            // In this order: what ends in between is gone from the view, and so is what it was made of.
            let running = runningPlans
            let view = newest
            if let most = view.config.optimizer.maxOptimizationThreads, running.count >= most { return .none }
            guard let plan = nextPlan(view, running: running, checkpoint: view.checkpoint, idle: idle) else {
                if running.isEmpty { background.change { $0.noteOptimized() } }
                return .none
            }
            guard var recipe = recipe(plan, view, threads: threads), let reveals = reveals(plan, view) else {
                return .none
            }
            let memory = recipe.estimatedMemory
            guard admits(memory) else { return .tooLarge(memory) }
            let (meter, share) = (JobMeter(), BuildShare(threads: threads))
            meter.expect(memory: memory)
            recipe.meter = meter
            recipe.share = share
            let uuid = optimizations.withLock { $0.begin(plan, view.described(plan.sources), meter) }
            return .job(
                OptimizerJob(
                    uuid: uuid, plan: plan, view: view, recipe: recipe, reveals: reveals, estimatedMemory: memory,
                    share: share, began: steadyMilliseconds()))
        }
    }

    private var runningPlans: [OptimizerPlan] { optimizations.withLock { $0.running.map(\.plan) } }

    /// Whether reads will see all there is when the plan is carried out; `nil` if it must not be.
    private func reveals(_ plan: OptimizerPlan, _ view: ReadView) -> Bool? {
        view.deferralAllows(plan.sources.compactMap { uuid in view.segments.first { $0.entry.uuid == uuid } })
    }

    /// What the plan's segments are made of; `nil` if one of its sources is not there.
    func recipe(_ plan: OptimizerPlan, _ view: ReadView, threads: Int) -> SegmentRecipe? {
        let segments = plan.sources.compactMap { uuid in view.segments.first { $0.entry.uuid == uuid } }
        guard segments.count == plan.sources.count else { return nil }
        // Parts that reads see keep what died after the operation up to which they see it.
        let keepsSeen = !segments.contains { view.hides($0) }
        let limit = view.config.hnsw.maxIndexingThreads
        var recipe = SegmentRecipe(
            sources: segments.enumerated().map { number, segment in
                // Where a graph grows, its rows keep their numbers.
                let grows = plan.growsFirst && number == 0 && segment.fields.contains(where: \.hasGraph)
                return .init(rows: segment, rowCount: segment.rowCount, keepsDead: grows)
            },
            checkpoint: keepsSeen ? min(view.checkpoint, view.deferral?.lsn ?? .max) : view.checkpoint,
            config: view.config, fieldIndexes: view.fieldIndexes, indexed: plan.indexed, growsFirst: plan.growsFirst,
            threads: limit > 0 ? min(limit, threads) : threads, lowMemory: limits.lowMemory)
        recipe.piece.of = plan.pieces
        return recipe
    }

    /// Does one step of background work on segments, if one is due. Returns whether it did.
    ///
    /// - Parameter threads: threads for building graphs.
    package func optimizeOnce(threads: Int) -> Bool {
        guard case .job(let job) = nextJob(threads: threads, admits: { _ in true }) else { return false }
        return run(job)
    }

    /// Carries out a job. Returns whether it came through.
    @discardableResult
    package func run(_ job: OptimizerJob) -> Bool {
        defer { background.change { $0.inOptimizer -= 1 } }
        do throws(StorageError) {
            try write(job)
            savedBuilds.end(job.plan)
            optimizations.withLock { $0.end(job.uuid, .done) }
            // What failed meanwhile has failed still.
            background.change { if $0.lastFailure < job.began { $0.noteOptimized() } }
            settleDeferral()
            return true
        } catch {
            if error.code != .closed { savedBuilds.fail(job.plan) }
            optimizations.withLock {
                $0.end(
                    job.uuid, error.code == .closed ? .cancelled("the collection closed") : .error(error.description))
            }
            note(error, of: job.plan.reason.rawValue)
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
    /// Tells by the status that nothing but the want of `bytes` of memory keeps the optimizer. The step that is waited for
    /// takes it back.
    func noteWaiting(forMemory bytes: Int) {
        let text = "waits for memory: the next step needs up to \(bytes >> 20) MB besides what the process holds"
        let isNew = background.change { background in
            defer { background.optimizerError = text }
            return background.optimizerError != text
        }
        if isNew { log("\(path): the optimizer \(text)") }
    }

    private func note(_ error: StorageError, of what: String) {
        guard error.code != .closed else { return }
        log("\(path): \(what) failed: \(error)")
        background.change {
            $0.optimizerError = "\(what) failed: \(error)"
            $0.lastFailure = steadyMilliseconds()
            $0.nextOptimization = steadyMilliseconds() + UInt64(1000) << UInt64(min($0.optimizerFailures, 6))
            $0.optimizerFailures += 1
        }
    }

    private func write(_ job: OptimizerJob) throws(StorageError) {
        let segments = job.recipe.sources.compactMap { $0.rows as? Segment }
        job.recipe.meter?.begin("verify", total: segments.reduce(0) { $0 + $1.rowCount })
        for segment in segments {
            do throws(StorageError) { try segment.verifyBulk() } catch {
                // Searches read the same bytes.
                if error.code == .corrupt { damage.note(error) }
                throw error
            }
        }
        var recipe = job.recipe
        recipe.builds = builds(of: job)
        var written: [WrittenSegment] = []
        for number in 0..<job.plan.pieces {
            recipe.piece.number = number
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
        recipe.meter?.begin("publish", total: written.reduce(0) { $0 + $1.entry.rowCount })
        try publish(
            Replacement(
                sources: segments, written: written, checkpoint: nil, vectorsEpoch: job.view.vectorsEpoch,
                reveals: job.reveals ? (job.view.checkpoint, job.view.checkpointLiveCount) : nil))
        recipe.meter?.end()
    }

    /// What the job goes on with, and where it saves its graphs; `nil` if it makes none.
    private func builds(of job: OptimizerJob) -> JobBuilds? {
        guard job.plan.indexed else { return nil }
        let settings = job.recipe.config.jobSettings
        return JobBuilds(
            saved: savedBuilds, plan: job.plan, settings: settings, policy: limits.buildSaves,
            taken: savedBuilds.begin(job.plan, job.recipe),
            isWanted: { [state, background] in
                !background.withLock { $0.closingForGood } && state.withLock { $0.config }.jobSettings == settings
            }, log: log)
    }

    /// What background work is doing, for the collection's status.
    package var optimizerState: (running: Bool, due: Bool, error: String?) {
        let error = background.withLock { $0.optimizerError }
        if !runningPlans.isEmpty { return (true, true, error) }
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
