package import OctantModel
import Synchronization

/// What a job of the optimizer is at and what it takes, told by whoever does it.
///
/// Memory is counted where it is allocated and where it is freed: arrays, regions and buffers of the build alone, by their
/// sizes. What searches hold of the segments, and page cache, are not in it.
package final class JobMeter: Sendable {
    private struct State: Sendable {
        var held = 0
        var cost = OptimizationReport.Cost()
        var stages: [OptimizationReport.Stage] = []
        var began = ContinuousClock.now

        mutating func endStage() {
            guard let last = stages.indices.last, stages[last].finishedAt == nil else { return }
            stages[last].finishedAt = unixMilliseconds()
            stages[last].seconds = (ContinuousClock.now - began).inSeconds
        }
    }

    private let state = Mutex(State())

    /// A meter of nothing yet.
    package init() {}

    /// Notes what was expected.
    func expect(memory: Int) { state.withLock { $0.cost.estimatedMemory = memory } }

    /// Counts bytes that were allocated, until ``free(_:)``.
    func allocate(_ bytes: Int) {
        state.withLock {
            $0.held += bytes
            $0.cost.peakMemory = max($0.cost.peakMemory, $0.held)
        }
    }

    /// Counts bytes that are no longer allocated.
    func free(_ bytes: Int) { state.withLock { $0.held -= bytes } }

    /// Bytes that are allocated now.
    package var heldBytes: Int { state.withLock { $0.held } }

    /// Counts bytes of a file that is complete.
    func wrote(_ bytes: UInt64) { state.withLock { $0.cost.extraDisk += Int(clamping: bytes) } }

    /// Begins a stage and ends the one before it.
    func begin(_ stage: String, total: Int) {
        state.withLock {
            $0.endStage()
            $0.began = .now
            $0.stages.append(.init(name: stage, startedAt: unixMilliseconds(), total: total))
        }
    }

    /// Notes how many rows of the stage are done.
    func advance(to done: Int) {
        state.withLock { state in
            guard let last = state.stages.indices.last else { return }
            state.stages[last].done = done
        }
    }

    /// Notes how many rows of the stage were done by an earlier process.
    func resume(at rows: Int) {
        state.withLock { state in
            guard let last = state.stages.indices.last else { return }
            state.stages[last].resumed = rows
            state.stages[last].done = rows
        }
    }

    /// Ends the last stage.
    func end() { state.withLock { $0.endStage() } }

    /// The stages so far, and what they took.
    package var reading: (stages: [OptimizationReport.Stage], cost: OptimizationReport.Cost) {
        state.withLock { ($0.stages, $0.cost) }
    }
}

extension Duration {
    /// The same as a number.
    var inSeconds: Double { Double(components.seconds) + Double(components.attoseconds) / 1e18 }
}
