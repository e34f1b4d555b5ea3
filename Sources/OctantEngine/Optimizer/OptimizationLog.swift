package import OctantModel
import OctantStorage

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// The jobs of the optimizer on one shard: the one that runs and the last that ended.
struct OptimizationLog: Sendable {
    /// How many ended jobs are remembered.
    private static let completedMax = 64

    private(set) var running: OptimizationReport.Job?
    /// The latest first.
    private(set) var completed: [OptimizationReport.Job] = []
    /// How many ended well, and how many seconds they took.
    private(set) var doneCount = 0
    private(set) var doneSeconds = 0.0
    private var began = ContinuousClock.now

    mutating func begin(_ plan: OptimizerPlan, _ segments: [OptimizationReport.Segment]) {
        began = .now
        running = OptimizationReport.Job(
            uuid: UUIDBytes.random().description, reason: plan.reason.rawValue, segments: segments,
            status: .optimizing, startedAt: unixMilliseconds())
    }

    mutating func end(_ status: OptimizationReport.Status) {
        guard var job = running else { return }
        running = nil
        let parts = (ContinuousClock.now - began).components
        let seconds = Double(parts.seconds) + Double(parts.attoseconds) / 1e18
        job.status = status
        job.finishedAt = unixMilliseconds()
        job.seconds = seconds
        if status == .done {
            doneCount += 1
            doneSeconds += seconds
        }
        completed.insert(job, at: 0)
        if completed.count > Self.completedMax { completed.removeLast() }
    }
}

/// Milliseconds since 1970.
package func unixMilliseconds() -> Int64 {
    var now = timespec()
    clock_gettime(CLOCK_REALTIME, &now)
    return Int64(now.tv_sec) * 1000 + Int64(now.tv_nsec) / 1_000_000
}

extension Shard {
    /// What the optimizer does, did and will do.
    package var optimizationReport: OptimizationReport {
        let log = optimizations.withLock { $0 }
        let view = newest
        var busy = Set(log.running?.segments.map(\.uuid) ?? [])
        var queued: [OptimizationReport.Pending] = []
        for plan in pendingPlans(view, except: busy) {
            let segments = view.described(plan.sources)
            busy.formUnion(segments.map(\.uuid))
            queued.append(.init(reason: plan.reason.rawValue, segments: segments))
        }
        let idle = view.described(view.segments.map(\.entry.uuid)).filter { !busy.contains($0.uuid) }
        return OptimizationReport(
            running: log.running.map { [$0] } ?? [], queued: queued, completed: log.completed, idle: idle)
    }

    /// How many jobs ended well, and how many seconds they took together.
    package var optimizationTotals: (count: Int, seconds: Double) {
        optimizations.withLock { ($0.doneCount, $0.doneSeconds) }
    }
}

extension ReadView {
    /// Segments as a report shows them.
    func described(_ uuids: [UUIDBytes]) -> [OptimizationReport.Segment] {
        uuids.compactMap { uuid in
            segments.first { $0.entry.uuid == uuid }.map { segment in
                OptimizationReport.Segment(
                    uuid: uuid.description, points: max(0, segment.rowCount - segment.tombstones.killedCount))
            }
        }
    }
}
