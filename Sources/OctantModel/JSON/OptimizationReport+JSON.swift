extension OptimizationReport {
    /// The parts of a report that are shown only if asked for.
    package struct Details: Sendable {
        /// Jobs that are due.
        package var queued = false
        /// Jobs that have ended.
        package var completed = false
        /// Segments that need no work.
        package var idleSegments = false
        /// How many of the jobs that have ended.
        package var completedLimit = 16

        /// None of them.
        package init() {}
    }

    /// The report as clients see it.
    package func json(_ details: Details) -> JSONObject {
        func segments(_ list: [Segment]) -> JSONValue {
            .array(list.map { .object(["uuid": .string($0.uuid), "points_count": .integer(Int64($0.points))]) })
        }
        let waiting = queued.flatMap(\.segments)
        var object: JSONObject = [
            "summary": .object([
                "queued_optimizations": .integer(Int64(queued.count)),
                "queued_segments": .integer(Int64(waiting.count)),
                "queued_points": .integer(Int64(waiting.reduce(0) { $0 + $1.points })),
                "idle_segments": .integer(Int64(idle.count)),
            ]), "running": .array(running.map { .object($0.json(segments)) }),
        ]
        if details.queued {
            object["queued"] = .array(
                queued.map {
                    .object([
                        "optimizer": .string($0.reason), "segments": segments($0.segments),
                        "memory": .object(["estimated_bytes": .integer(Int64($0.estimatedMemory))]),
                    ])
                })
        }
        if details.completed {
            object["completed"] = .array(
                completed.prefix(max(0, details.completedLimit)).map { .object($0.json(segments)) })
        }
        if details.idleSegments { object["idle_segments"] = segments(idle) }
        return object
    }
}

extension OptimizationReport.Job {
    fileprivate func json(_ encode: ([OptimizationReport.Segment]) -> JSONValue) -> JSONObject {
        var progress: JSONObject = [
            "name": .string(reason), "started_at": .string(Timestamp.text(milliseconds: startedAt)),
        ]
        if let finishedAt { progress["finished_at"] = .string(Timestamp.text(milliseconds: finishedAt)) }
        progress.put("duration_sec", seconds)
        progress.put("total", segments.reduce(0) { $0 + $1.points })
        if finishedAt != nil, status == .done { progress.put("done", segments.reduce(0) { $0 + $1.points }) }
        if !stages.isEmpty { progress["children"] = .array(stages.map { .object($0.json) }) }
        return [
            "uuid": .string(uuid), "optimizer": .string(reason), "status": status.json, "segments": encode(segments),
            "progress": .object(progress),
            "memory": .object([
                "estimated_bytes": .integer(Int64(cost.estimatedMemory)),
                "peak_bytes": .integer(Int64(cost.peakMemory)),
            ]), "extra_disk_bytes": .integer(Int64(cost.extraDisk)),
        ]
    }
}

extension OptimizationReport.Stage {
    fileprivate var json: JSONObject {
        var object: JSONObject = [
            "name": .string(name), "started_at": .string(Timestamp.text(milliseconds: startedAt)),
        ]
        if let finishedAt { object["finished_at"] = .string(Timestamp.text(milliseconds: finishedAt)) }
        object.put("duration_sec", seconds)
        object.put("done", done)
        object.put("total", total)
        object.put("resumed", resumed)
        return object
    }
}

extension OptimizationReport.Status {
    fileprivate var json: JSONValue {
        switch self {
        case .optimizing: .string("optimizing")
        case .done: .string("done")
        case .cancelled(let reason): .object(["cancelled": .string(reason)])
        case .error(let reason): .object(["error": .string(reason)])
        }
    }
}
