/// A step of the optimizer that was decided. Its segments are its own until it ends.
package struct OptimizerJob: Sendable {
    /// Its id in reports.
    let uuid: String
    let plan: OptimizerPlan
    /// What it was decided on.
    let view: ReadView
    let recipe: SegmentRecipe
    /// Whether reads see all there was then when it is done.
    let reveals: Bool
    /// Bytes it is expected to need at its peak.
    let estimatedMemory: Int
    /// Its share of the threads.
    let share: BuildShare
    /// When it was decided, in milliseconds of the steady clock.
    let began: UInt64
}

/// What comes of asking a shard for a job.
package enum OptimizerTurn: Sendable {
    /// Nothing is due.
    case none
    /// What is due is expected to need so many bytes, more than there are now.
    case tooLarge(Int)
    case job(OptimizerJob)
}
