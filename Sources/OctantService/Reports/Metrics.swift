import Octant
import OctantModel

extension Service {
    /// The counters in Prometheus' text form. `perCollection`: answers are counted by collection.
    package func metricsText(perCollection: Bool, anonymize: Bool) -> String {
        var text = MetricsText(prefix: metricsPrefix)
        text.add(
            "app_info", .gauge, "information about the server",
            [([("name", "octant"), ("version", Service.version)], "1")])
        text.add("app_status_recovery_mode", .gauge, "features enabled in the server", 0)
        let names = database.collectionNames
        text.add("collections_total", .gauge, "number of collections", names.count)
        if !anonymize {
            // A collection that is dropped meanwhile has no sample.
            addCollections(names.compactMap { try? database.collection($0) }, &text)
        }
        text.add("cluster_enabled", .gauge, "is cluster support enabled", 0)
        addAnswers(perCollection: perCollection && !anonymize, &text)
        let reads = database.diskReads
        text.add(
            "search_disk_reads_total", .counter, "pages that searches asked for and that were not in memory",
            reads.pages)
        text.add("search_disk_read_bytes_total", .counter, "bytes of these pages", reads.bytes)
        Self.addProcess(&text)
        return text.text
    }

    private func addCollections(_ collections: [Octant.Collection], _ text: inout MetricsText) {
        typealias Sample = MetricsText.Sample
        var (vectors, points, running, queued, excluded) = ([Sample](), [Sample](), [Sample](), [Sample](), [Sample]())
        var (total, deferred, replicas, dead) = (0, [Sample](), [Sample](), [Sample]())
        var (creating, recovering, created) = ([Sample](), [Sample](), [Sample]())
        for collection in collections {
            let id = ("id", collection.name)
            let info = collection.info()
            for (name, count) in collection.vectorCounts() {
                total += count
                vectors.append(([("collection", collection.name), ("vector", name)], "\(count)"))
            }
            points.append(([id], "\(info.pointsCount)"))
            running.append(([id], "\(collection.runningOptimizations)"))
            queued.append(([id], "\(info.updateQueueLength)"))
            deferred.append(([id], "\(info.deferredPoints ?? 0)"))
            excluded.append(([id, ("vector", "")], "0"))
            replicas.append(([id], "1"))
            dead.append(([id], "0"))
            let counts = snapshotCounts[collection.name]
            creating.append(([id], "\(counts.creating)"))
            recovering.append(([id], "\(counts.recovering)"))
            created.append(([id], "\(counts.created)"))
        }
        text.add("collections_vector_total", .gauge, "total number of vectors in all collections", total)
        text.add("collection_vectors", .gauge, "amount of vectors grouped by vector name", vectors)
        text.add("collection_points", .gauge, "approximate amount of points per collection", points)
        text.add("collection_running_optimizations", .gauge, "number of running optimization tasks", running)
        text.add("collection_update_queue_length", .gauge, "writes that are logged and not applied yet", queued)
        text.add(
            "collection_update_queue_deferred_points", .gauge, "points that reads do not see until they are indexed",
            deferred)
        text.add("collection_active_replicas_min", .gauge, "minimum number of active replicas", replicas)
        text.add("collection_active_replicas_max", .gauge, "maximum number of active replicas", replicas)
        text.add("collection_dead_replicas", .gauge, "total amount of shard replicas that are not active", dead)
        text.add("snapshot_creation_running", .gauge, "amount of snapshot creations currently running", creating)
        text.add(
            "snapshot_recovery_running", .gauge, "amount of snapshot recovery operations currently running", recovering)
        text.add("snapshot_created_total", .counter, "total amount of snapshots created", created)
    }

    private func addAnswers(perCollection: Bool, _ text: inout MetricsText) {
        let groups: [(collection: String?, entries: [Telemetry.Entry])] =
            perCollection ? telemetry.byCollection.map { ($0.collection, $0.entries) } : [(nil, telemetry.all)]
        var (rest, grpc) = (AnswerSamples(), AnswerSamples())
        for (collection, entries) in groups {
            let suffix = collection.map { [("collection", $0)] } ?? []
            for (key, tally) in entries {
                let status = ("status", String(key.status))
                if let method = key.method {
                    guard method.hasPrefix("/qdrant.") else { continue }
                    grpc.add([("endpoint", method), status] + suffix, key, tally)
                } else if let row = key.operation.row, row.isMeasured {
                    rest.add(
                        [("method", row.verb.rawValue), ("endpoint", row.endpoint), status] + suffix, key, tally)
                }
            }
        }
        rest.write("rest", &text)
        grpc.write("grpc", &text)
    }

    private static func addProcess(_ text: inout MetricsText) {
        if let memory = SystemStatus.memory {
            text.add("memory_active_bytes", .gauge, "memory in use that no file backs", memory.anonymous)
            text.add("memory_allocated_bytes", .gauge, "memory in use that no file backs", memory.anonymous)
            text.add("memory_resident_bytes", .gauge, "resident memory", memory.resident)
        }
        if let threads = SystemStatus.threads { text.add("process_threads", .gauge, "threads of the process", threads) }
        if let mappings = SystemStatus.mappings {
            text.add("process_open_mmaps", .gauge, "mappings of the process", mappings.open)
            text.add("system_max_mmaps", .gauge, "most mappings a process may have", mappings.max)
        }
        if let descriptors = SystemStatus.descriptors {
            text.add("process_open_fds", .gauge, "open file descriptors", descriptors.open)
            text.add("process_max_fds", .gauge, "most file descriptors the process may have", descriptors.max)
        }
        if let faults = SystemStatus.pageFaults {
            text.add("process_minor_page_faults_total", .counter, "page faults without a read", faults.minor)
            text.add("process_major_page_faults_total", .counter, "page faults with a read from disk", faults.major)
        }
    }
}

extension Operation.Row {
    /// Whether its answers are counted in metrics: those about points, whose durations say something.
    fileprivate var isMeasured: Bool {
        ["/collections/{collection}/points", "/collections/{collection}/index", "/collections/{collection}/facet"]
            .contains { path.hasPrefix($0) }
    }
}

/// What was answered over one protocol.
private struct AnswerSamples {
    private var counts: [MetricsText.Sample] = []
    private var (average, shortest, longest) = ([MetricsText.Sample](), [MetricsText.Sample](), [MetricsText.Sample]())
    private var histograms: [(labels: [(String, String)], tally: Telemetry.Tally)] = []

    mutating func add(_ labels: [(String, String)], _ key: Telemetry.Key, _ tally: Telemetry.Tally) {
        counts.append((labels, "\(tally.count)"))
        guard key.isSuccess else { return }
        average.append((labels, "\(tally.seconds / Double(max(tally.count, 1)))"))
        shortest.append((labels, "\(tally.shortest)"))
        longest.append((labels, "\(tally.longest)"))
        histograms.append((labels, tally))
    }

    func write(_ name: String, _ text: inout MetricsText) {
        text.add("\(name)_responses_total", .counter, "total number of responses", counts)
        text.add("\(name)_responses_avg_duration_seconds", .gauge, "average response duration", average)
        text.add("\(name)_responses_min_duration_seconds", .gauge, "minimum response duration", shortest)
        text.add("\(name)_responses_max_duration_seconds", .gauge, "maximum response duration", longest)
        text.addHistogram("\(name)_responses_duration_seconds", "response duration histogram", histograms)
    }
}

/// Builds Prometheus' text form.
private struct MetricsText {
    typealias Sample = (labels: [(String, String)], value: String)

    enum Kind: String { case gauge, counter, histogram }

    let prefix: String
    private(set) var text = ""

    init(prefix: String) { self.prefix = prefix }

    mutating func add(_ name: String, _ kind: Kind, _ help: String, _ value: Int) {
        add(name, kind, help, [([], "\(value)")])
    }

    mutating func add(_ name: String, _ kind: Kind, _ help: String, _ samples: [Sample]) {
        guard !samples.isEmpty else { return }
        head(name, kind, help)
        for sample in samples { line(name, sample.labels, sample.value) }
    }

    mutating func addHistogram(
        _ name: String, _ help: String, _ histograms: [(labels: [(String, String)], tally: Telemetry.Tally)]
    ) {
        guard !histograms.isEmpty else { return }
        head(name, .histogram, help)
        for (labels, tally) in histograms {
            var sum: UInt64 = 0
            for (bound, count) in zip(Telemetry.Tally.bounds, tally.buckets) {
                sum += count
                line(name + "_bucket", labels + [("le", "\(bound)")], "\(sum)")
            }
            line(name + "_bucket", labels + [("le", "+Inf")], "\(tally.count)")
            line(name + "_sum", labels, "\(tally.seconds)")
            line(name + "_count", labels, "\(tally.count)")
        }
    }

    private mutating func head(_ name: String, _ kind: Kind, _ help: String) {
        text += "# HELP \(prefix)\(name) \(help)\n# TYPE \(prefix)\(name) \(kind.rawValue)\n"
    }

    private mutating func line(_ name: String, _ labels: [(String, String)], _ value: String) {
        text += prefix + name
        if !labels.isEmpty {
            text += "{" + labels.map { "\($0.0)=\"\(Self.escaped($0.1))\"" }.joined(separator: ",") + "}"
        }
        text += " \(value)\n"
    }

    /// A label's value: backslash, quote and line feed are escaped.
    private static func escaped(_ value: String) -> String {
        var text = ""
        for letter in value.unicodeScalars {
            switch letter {
            case "\\": text += "\\\\"
            case "\"": text += "\\\""
            case "\n": text += "\\n"
            default: text.unicodeScalars.append(letter)
            }
        }
        return text
    }
}
