import Synchronization

/// The share of the optimizer's threads that one job has. It changes as other jobs begin and end.
///
/// A build starts as many threads as it could ever use. Between batches of rows each asks to go on: while the share is
/// smaller, those beyond it rest. They rest for a moment at a time, with no rows taken, so that neither the end of a build
/// nor who saves it waits for them.
package final class BuildShare: Sendable {
    private struct State {
        var working: Int
        var resting = 0
    }

    private static let restMilliseconds = 20

    private let granted: Atomic<Int>
    private let state: Monitor<State>

    /// A share of so many threads, of which as many will work.
    package init(threads: Int) {
        granted = Atomic(max(1, threads))
        state = Monitor(State(working: max(1, threads)))
    }

    /// Threads that may work now.
    package var threads: Int { granted.load(ordering: .relaxed) }

    /// Threads that rest now.
    package var resting: Int { state.withLock { $0.resting } }

    /// Changes the share.
    package func grant(_ threads: Int) {
        granted.store(max(1, threads), ordering: .relaxed)
        state.change { _ in }
    }

    /// Says how many threads the build has started.
    package func begin(workers: Int) { state.change { $0.working = max(1, workers) } }

    /// Called by every thread of a build between batches: rests if there are more than the share allows.
    package func pass() {
        let rests = state.withLock { state in
            guard state.working - state.resting > threads else { return false }
            state.resting += 1
            return true
        }
        guard rests else { return }
        _ = state.wait(milliseconds: Self.restMilliseconds) { state -> Void? in
            state.working - state.resting < threads ? () : nil
        }
        state.withLock { $0.resting -= 1 }
    }
}
