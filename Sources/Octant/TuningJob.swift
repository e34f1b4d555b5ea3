import OctantEngine
public import OctantModel
import OctantStorage

/// Tuning that runs in the background, and its outcome.
public struct TuningJob: Sendable {
    /// How far it is.
    public enum State: Sendable {
        /// It is measuring.
        case running
        /// It ended with a report.
        case done(TuningReport)
        /// It ended without one.
        case failed(OctantError)
    }

    /// How far it is.
    public var state = State.running
    /// What it does.
    public var progress = TuningProgress(done: 0, total: 1, step: "beginning")
    var isCancelled = false
    /// The thread it runs on; joined when the next begins.
    var thread: Thread?
}

extension Collection {
    /// Begins to tune in the background; ``tuningJob`` tells how far it is. Throws `badRequest` if tuning is running.
    public func startTuning(_ request: TuneRequest) throws(OctantError) {
        try request.goal.check()
        try request.options.check()
        guard config.params.vectors[request.options.using] != nil else {
            throw .unknownVector(request.options.using)
        }
        let (begins, before) = job.change { job -> (Bool, Thread?) in
            if case .running? = job?.state { return (false, nil) }
            defer { job = TuningJob() }
            return (true, job?.thread)
        }
        before?.join()
        guard begins else { throw OctantError(.badRequest, "Tuning of the collection is running already") }
        let job = job
        let thread = shard.measuring { [weak self] in
            let state: TuningJob.State
            do throws(OctantError) {
                guard let self else { throw OctantError(.unavailable, "the collection is closed") }
                var report = try self.tune(
                    request.goal, options: request.options,
                    isCancelled: { job.withLock { $0?.isCancelled ?? true } },
                    onProgress: { progress in job.change { $0?.progress = progress } })
                if request.applies, report.meetsGoal { try self.apply(&report) }
                state = .done(report)
            } catch { state = .failed(error) }
            job.change { $0?.state = state }
        }
        job.change {
            $0?.thread = thread
            if thread == nil { $0?.state = .failed(OctantError(.unavailable, "the collection is closed")) }
        }
    }

    /// The last tuning that was begun; `nil` if none was since the collection was opened.
    public var tuningJob: TuningJob? { job.withLock { $0 } }

    /// Ends tuning that is running, soon, and forgets the parameters of searches that an applied recommendation left.
    public func endTuning() throws(OctantError) {
        job.change { $0?.isCancelled = true }
        guard !shard.tuning.content.defaults.isEmpty else { return }
        do throws(StorageError) { try shard.tuning.update { $0.defaults = [] } } catch { throw OctantError(error) }
    }

    /// Puts the recommendation of a report into force: changes the configuration, which the optimizer then carries out,
    /// and remembers the parameters for searches that name neither `hnsw_ef` nor a recall.
    public func apply(_ report: inout TuningReport) throws(OctantError) {
        guard let choice = report.recommendation else { return }
        if let patch = choice.configuration.patch(using: report.using) { try self.patch(patch) }
        let using = report.using
        do throws(StorageError) {
            try shard.tuning.update { content in
                content.defaults.removeAll { $0.using == using }
                content.defaults.append(.init(using: using, search: choice.search))
            }
        } catch { throw OctantError(error) }
        report.applied = true
    }
}
