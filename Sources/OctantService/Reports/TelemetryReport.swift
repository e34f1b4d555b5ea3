import Octant
package import OctantModel

extension Service {
    /// What a telemetry report is to hold.
    package struct TelemetryOptions: Sendable {
        /// 0: counts; 1: summaries of collections, memory; 2: their configurations; from 3: their shards.
        package var detailsLevel = 0
        /// Names of collections are replaced by hashes.
        package var anonymize = false
        /// Answers are also counted by collection.
        package var perCollection = false

        /// The least.
        package init() {}
    }

    /// The structured report about the running server.
    package func telemetryReport(_ options: TelemetryOptions) -> JSONObject {
        var report: JSONObject = [
            "id": .string(telemetry.id), "app": .object(app), "collections": .object(collections(options)),
            "cluster": .object(["enabled": .bool(false)]),
            "requests": .object([
                "rest": .object(requests(options) { $0.method == nil }),
                "grpc": .object(requests(options) { $0.method != nil }),
            ]),
            "quota": .object([
                "config": .object(Self.quotaConfig),
                "exceeded": .object(["resident_memory": .null, "disk_usage": .null]),
            ]),
        ]
        guard options.detailsLevel >= 1 else { return report }
        let memory = SystemStatus.memory
        report["memory"] = .object([
            "active_bytes": .integer(Int64(memory?.anonymous ?? 0)),
            "allocated_bytes": .integer(Int64(memory?.anonymous ?? 0)), "metadata_bytes": .integer(0),
            "resident_bytes": .integer(Int64(memory?.resident ?? 0)), "retained_bytes": .integer(0),
        ])
        report["hardware"] = .object(["collection_data": .object([:])])
        report["search_pool"] = .object([
            "mode": .string("shared"), "high_cpu_threads": .integer(Int64(database.searchThreadCount)),
            "high_io_threads": .integer(0),
        ])
        return report
    }

    private var app: JSONObject {
        [
            "name": .string("octant"), "version": .string(Service.version),
            "features": .object([
                "debug": .bool(false), "service_debug_feature": .bool(false), "recovery_mode": .bool(false),
                "gpu": .bool(false), "rocksdb": .bool(false), "staging": .bool(false),
            ]), "startup": .string(telemetry.startup),
        ]
    }

    private func collections(_ options: TelemetryOptions) -> JSONObject {
        let names = database.collectionNames
        var object: JSONObject = ["number_of_collections": .integer(Int64(names.count))]
        guard options.detailsLevel >= 1 else { return object }
        object["collections"] = .array(
            names.compactMap { name in
                // A collection that is dropped meanwhile, or damaged, has no entry.
                guard let collection = try? database.collection(name) else { return nil }
                return .object(Self.describe(collection, partialSnapshots[name], options))
            })
        object["snapshots"] = .array(
            names.map { name in
                let counts = snapshotCounts[name]
                return .object([
                    "id": .string(options.name(name)), "running_snapshots": .integer(Int64(counts.creating)),
                    "running_snapshot_recovery": .integer(Int64(counts.recovering)),
                    "total_snapshot_creations": .integer(Int64(counts.created)),
                ])
            })
        return object
    }

    private static func describe(
        _ collection: Octant.Collection, _ partial: PartialSnapshots.Status, _ options: TelemetryOptions
    ) -> JSONObject {
        let info = collection.info()
        let counts = collection.vectorCounts()
        let vectors = counts.reduce(0) { $0 + $1.count }
        let status: JSONValue = info.optimizerError.map { .object(["error": .string($0)]) } ?? .string("ok")
        var config = JSONObject()
        if case .object(let members) = info.config.json { config = members }
        if options.detailsLevel == 1 {
            return [
                "vectors": .integer(Int64(vectors)), "optimizers_status": status, "params": config["params"] ?? .null,
            ]
        }
        var object: JSONObject = [
            "id": .string(options.name(collection.name)),
            "init_time_ms": .integer(milliseconds(collection.openingTime)), "config": .object(config),
        ]
        guard options.detailsLevel >= 3 else { return object }
        let totals = collection.optimizationTotals
        var queue: JSONObject = ["length": .integer(Int64(info.updateQueueLength))]
        if let count = info.deferredPoints { queue["deferred_points"] = .integer(Int64(count)) }
        let local: JSONObject = [
            "variant_name": .string("local"), "status": .string(info.status.rawValue),
            "total_optimized_points": .integer(Int64(info.indexedVectorsCount)),
            "num_points": .integer(Int64(info.pointsCount)), "num_vectors": .integer(Int64(vectors)),
            "num_vectors_by_name": .object(JSONObject(counts.map { ($0.name, .integer(Int64($0.count))) })),
            "optimizations": .object([
                "status": status,
                "optimizations": .object([
                    "count": .integer(Int64(totals.count)),
                    "total_duration_micros": .integer(Self.microseconds(totals.seconds)),
                ]),
            ]), "async_scorer": .bool(false),
            "update_queue": .object(queue),
        ]
        object["shards"] = .array([
            .object([
                "id": .integer(0), "key": .null, "local": .object(local), "remote": .array([]),
                "replicate_states": .object(["0": .string("Active")]),
                "partial_snapshot": .object([
                    "ongoing_create_snapshot_requests": .integer(Int64(partial.creating)),
                    "is_recovering": .bool(partial.isRecovering),
                    "recovery_timestamp": .integer(Int64(partial.recoveryTime)),
                ]),
            ])
        ])
        object["transfers"] = .array([])
        object["resharding"] = .array([])
        return object
    }

    /// The answers over one protocol.
    private func requests(_ options: TelemetryOptions, _ isOurs: (Telemetry.Key) -> Bool) -> JSONObject {
        let all = telemetry.all.filter { isOurs($0.key) }
        var requests: JSONObject = ["responses": .object(Self.responses(all))]
        if options.perCollection {
            requests["per_collection_responses"] = .object(
                JSONObject(
                    telemetry.byCollection.compactMap { name, entries in
                        let ours = entries.filter { isOurs($0.key) }
                        return ours.isEmpty ? nil : (options.name(name), .object(Self.responses(ours)))
                    }))
        }
        return requests
    }

    private static func responses(_ entries: [Telemetry.Entry]) -> JSONObject {
        var labels = JSONObject()
        for (key, tally) in entries {
            guard let label = key.method ?? key.operation.row?.label else { continue }
            var statuses = JSONObject()
            if case .object(let seen)? = labels[label] { statuses = seen }
            statuses[String(key.status)] = .object([
                "count": .integer(Int64(clamping: tally.count)),
                "avg_duration_micros": .double(tally.seconds * 1e6 / Double(max(tally.count, 1))),
                "min_duration_micros": .double(tally.shortest * 1e6),
                "max_duration_micros": .double(tally.longest * 1e6),
                "total_duration_micros": .integer(microseconds(tally.seconds)),
                "last_responded": .string(Timestamp.text(milliseconds: tally.lastAt)),
            ])
            labels[label] = .object(statuses)
        }
        return labels
    }

    private static func milliseconds(_ duration: Duration) -> Int64 {
        let (seconds, attoseconds) = duration.components
        return seconds * 1000 + attoseconds / 1_000_000_000_000_000
    }

    private static func microseconds(_ seconds: Double) -> Int64 {
        Int64(exactly: (seconds * 1e6).rounded()) ?? .max
    }
}

extension Service.TelemetryOptions {
    /// A name as the report shows it. Anonymous ones are hashed by FNV-1a (Fowler, Noll, Vo), 64 bits.
    fileprivate func name(_ name: String) -> String {
        guard anonymize else { return name }
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for byte in name.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
        return String(hash, radix: 16)
    }
}
