import OctantEngine
public import OctantModel

extension Collection {
    /// Measures searches over a grid of parameters and configurations, and recommends the cheapest that meets a goal.
    ///
    /// Samples stored vectors as queries where none are given, computes exact answers by a scan of all points, and measures
    /// recall and processor time on one thread and bytes of memory. Configurations that need other codes or another graph
    /// are built of a part of the points in a folder of the collection, and the one that is recommended of all of them,
    /// to be measured once more. Works on a thread of low priority and takes no more than the share of a core that
    /// `options.cpuBudget` says. What is measured is kept: after an interruption, the same call goes on where it was.
    ///
    /// Returns when done. Throws `validation` for impossible options, `unavailable` if cancelled or the collection is
    /// closed, `insufficientStorage` if the disk is full.
    ///
    /// - Parameters:
    ///   - isCancelled: asked every few milliseconds.
    ///   - onProgress: called on the measuring thread when a step begins.
    public func tune(
        _ goal: TuningGoal, options: TuningOptions = TuningOptions(),
        isCancelled: @escaping @Sendable () -> Bool = { false },
        onProgress: @escaping @Sendable (TuningProgress) -> Void = { _ in }
    ) throws(OctantError) -> TuningReport {
        try shard.tune(goal, options, isCancelled: isCancelled, onProgress: onProgress)
    }
}
