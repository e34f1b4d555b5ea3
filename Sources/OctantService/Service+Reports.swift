package import OctantModel

extension Service {
    // MARK: Background work and findings

    /// What background work does to a collection.
    package func optimizations(_ collection: String) throws(OctantError) -> OptimizationReport {
        try database.collection(collection).optimizations()
    }

    /// Where a collection's bytes are, beside the memory of the process.
    package func memoryReport(_ collection: String) throws(OctantError) -> JSONObject {
        try database.collection(collection).memoryReport().json(database.processMemory())
    }

    /// Begins to tune a collection.
    package func tune(_ collection: String, _ request: TuneRequest) throws(OctantError) {
        try database.collection(collection).startTuning(request)
    }

    /// The tuning that was begun last.
    package func tuning(_ collection: String) throws(OctantError) -> JSONObject {
        guard let job = try database.collection(collection).tuningJob else { return ["state": .string("none")] }
        var object: JSONObject = ["state": .string("running"), "progress": .object(job.progress.json)]
        switch job.state {
        case .running: break
        case .done(let report):
            object["state"] = .string("done")
            object["report"] = .object(report.json)
        case .failed(let error):
            object["state"] = .string("failed")
            object["error"] = .string(error.description)
        }
        return object
    }

    /// Ends tuning, and forgets the parameters of searches that an applied recommendation left.
    package func endTuning(_ collection: String) throws(OctantError) {
        try database.collection(collection).endTuning()
    }

    /// What the server found that a user could make better.
    package var issuesReport: JSONObject { issues.report(database) }

    // MARK: Quotas

    /// The quota in force: none.
    static let quotaConfig: JSONObject = [
        "enabled": .bool(false), "max_resident_memory_percent": .null, "max_disk_usage_percent": .null,
        "release_margin_percent": .null,
    ]

    /// The quota in force, and what is used.
    package var quotaReport: JSONObject {
        var usage: JSONObject = ["resident_memory_percent": .null, "disk_usage_percent": .null]
        if let used = SystemStatus.memory?.resident, let all = SystemStatus.memoryLimit, all > 0 {
            usage["resident_memory_percent"] = .integer(Int64(Double(used) * 100 / Double(all)))
        }
        if let percent = SystemStatus.diskUsagePercent(database.path) {
            usage["disk_usage_percent"] = .integer(Int64(percent))
        }
        return ["config": .object(Self.quotaConfig), "usage": .object(usage)]
    }

    /// Takes a quota that limits nothing. One that does is refused: nothing would hold it.
    package func updateQuotas(_ json: JSONValue) throws(OctantError) {
        let fields = try JSONFields(json, path: "")
        try fields.refuseUnknown([
            "enabled", "max_resident_memory_percent", "max_disk_usage_percent", "release_margin_percent",
        ])
        for key in ["max_resident_memory_percent", "max_disk_usage_percent"] {
            _ = try fields.int(key, from: 1, to: 100)
        }
        _ = try fields.int("release_margin_percent", from: 0, to: 100)
        if try fields.bool("enabled") == true {
            throw OctantError(.notImplemented, "Quotas are not supported yet; only `enabled: false` is accepted")
        }
    }

    // MARK: Clusters

    /// The answer to everything that only a cluster can do.
    package static let standalone = OctantError(
        .methodNotAllowed, "Qdrant is running in standalone mode: this operation needs a cluster")
}
