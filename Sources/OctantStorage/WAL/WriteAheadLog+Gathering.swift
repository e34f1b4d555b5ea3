/// When the next sync should begin.
///
/// A sync costs the same processor time for one record as for twenty, and where many write at once that time is theirs. So
/// the log thread, once it has met several in one batch, rests for as long as the last sync took, and takes along what comes
/// meanwhile. It rests no longer when all are there that seem to write, so that no writer waits for nothing; a writer alone,
/// or with one or two others, never waits.
struct SyncPace {
    /// Records of one batch from which on writers count as many.
    private static let many = 4
    /// A sync that takes longer brings enough together by itself.
    private static let longest = Duration.microseconds(300)
    /// A batch that is larger is not made better by more.
    static let bytesMax = 256 << 10

    private var batch = 0
    /// Writers that seem to be there: records of a batch and of those that came during its sync, of late.
    private(set) var writers = 0
    private var rested: ContinuousClock.Instant?

    /// Notes a sync that has ended.
    ///
    /// - Parameters:
    ///   - records: how many it made durable.
    ///   - waiting: how many came meanwhile.
    mutating func note(records: Int, waiting: Int, began: ContinuousClock.Instant, ended: ContinuousClock.Instant) {
        batch = records
        writers = max(records + waiting, writers - writers / 8 - 1)
        rested = ended + min(ended - began, Self.longest)
    }

    /// How long the log thread should still rest with so much to write; `nil`: it should not.
    func rest(records: Int, bytes: Int, now: ContinuousClock.Instant) -> Duration? {
        guard batch >= Self.many, records < writers, bytes < Self.bytesMax, let rested, now < rested else { return nil }
        return rested - now
    }
}

extension WriteAheadLog {
    /// Rests as long as ``SyncPace`` says. Called and left locked.
    func gatherLocked() {
        // In a simulation nobody comes meanwhile.
        guard state.thread != nil else { return }
        while !state.closing,
            let rest = pace.rest(records: state.pending.count, bytes: state.pendingBytes, now: .now)
        {
            state.gathers = pace.writers
            _ = monitor.wait(.work, nanoseconds: UInt64(max(0, rest / .nanoseconds(1))))
        }
        state.gathers = 0
    }
}
