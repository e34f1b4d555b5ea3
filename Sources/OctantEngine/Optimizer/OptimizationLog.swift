package import OctantModel
import OctantStorage

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// The jobs of the optimizer on one shard: those that run and the last that ended.
struct OptimizationLog: Sendable {
    /// A job that runs.
    struct Running: Sendable {
        var report: OptimizationReport.Job
        var plan: OptimizerPlan
        var meter: JobMeter
        var began: ContinuousClock.Instant
    }

    /// How many ended jobs are remembered.
    private static let completedMax = 64

    private(set) var running: [Running] = []
    /// The latest first.
    private(set) var completed: [OptimizationReport.Job] = []
    /// How many ended well, and how many seconds they took.
    private(set) var doneCount = 0
    private(set) var doneSeconds = 0.0

    /// Notes the begin of a job. Returns its id.
    mutating func begin(_ plan: OptimizerPlan, _ segments: [OptimizationReport.Segment], _ meter: JobMeter) -> String {
        let uuid = UUIDBytes.random().description
        let report = OptimizationReport.Job(
            uuid: uuid, reason: plan.reason.rawValue, segments: segments, status: .optimizing,
            startedAt: unixMilliseconds())
        running.append(Running(report: report, plan: plan, meter: meter, began: .now))
        return uuid
    }

    mutating func end(_ uuid: String, _ status: OptimizationReport.Status) {
        guard let place = running.firstIndex(where: { $0.report.uuid == uuid }) else { return }
        let ended = running.remove(at: place)
        ended.meter.end()
        var job = ended.current
        let seconds = (ContinuousClock.now - ended.began).inSeconds
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

extension OptimizationLog.Running {
    /// The report as of now.
    var current: OptimizationReport.Job {
        var job = report
        (job.stages, job.cost) = meter.reading
        return job
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
        var busy = Set(log.running.flatMap { $0.report.segments.map(\.uuid) })
        var queued: [OptimizationReport.Pending] = []
        for plan in pendingPlans(view, running: log.running.map(\.plan)) {
            let segments = view.described(plan.sources)
            busy.formUnion(segments.map(\.uuid))
            // How many threads a build will have does not matter much here.
            let memory = recipe(plan, view, threads: 1)?.estimatedMemory ?? 0
            queued.append(.init(reason: plan.reason.rawValue, segments: segments, estimatedMemory: memory))
        }
        let idle = view.described(view.segments.map(\.entry.uuid)).filter { !busy.contains($0.uuid) }
        return OptimizationReport(
            running: log.running.map(\.current), queued: queued, completed: log.completed, idle: idle)
    }

    /// How many jobs are running.
    package var runningOptimizations: Int { optimizations.withLock { $0.running.count } }

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
