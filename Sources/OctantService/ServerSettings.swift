package import OctantModel

/// The settings of a server process.
package struct ServerSettings: Sendable {
    /// Where to listen; unset: loopback alone while no key is set, else everywhere.
    package var host: String?
    /// The port of REST.
    package var httpPort = 6333
    /// The port of gRPC; unset: none.
    package var grpcPort: Int? = 6334
    /// Megabytes of a gRPC message.
    package var maxGRPCMessageSizeMB = 256
    /// Megabytes of a request body.
    package var maxRequestSizeMB = 32
    /// Megabytes that all requests in flight may have together; unset: a quarter of what the process may have.
    package var maxInFlightMB: Int?
    /// What the names of metrics begin with.
    package var metricsPrefix = ""
    /// Whether web pages of other origins may ask.
    package var enableCORS = true
    /// The folder of collections.
    package var storagePath = "./storage"
    /// The folder of snapshots.
    package var snapshotsPath = "./snapshots"
    /// Where snapshots are kept; unset: in their folder.
    package var snapshotBucket: S3Settings?
    /// Whether snapshots may be recovered from URLs; unset: if callers must show a key.
    package var enableSnapshotURLRecovery: Bool?
    /// Which URLs those may be.
    package var snapshotURLs = SnapshotURLRules()
    /// What collections get that do not say otherwise.
    package var defaults = CollectionDefaults()
    /// How the process is to spare memory.
    package var lowMemoryMode: LowMemoryMode = .disabled
    /// Threads of searches; 0: one per core.
    package var maxSearchThreads = 0
    /// Cores of background work; 0: chosen by the engine; negative: so many fewer than there are.
    package var optimizerCPUBudget = 0
    /// Megabytes that jobs of the optimizer may be expected to need together; 0: chosen by the engine.
    package var optimizerMemoryMB = 0
    /// The least important messages to print: TRACE, DEBUG, INFO, WARN, ERROR, OFF.
    package var logLevel = "INFO"
    /// Keys that allow everything.
    package var apiKeys: [String] = []
    /// A key that allows reads.
    package var readOnlyKey: String?

    /// The built-in defaults.
    package init() {}

    /// Bytes that all requests in flight may have together.
    package var inFlightBytesMax: Int {
        maxInFlightMB.map { $0 << 20 } ?? SystemStatus.memoryLimit.map { $0 / 4 } ?? 1 << 30
    }

    /// Whether callers must show a key.
    package var isKeyed: Bool { !apiKeys.isEmpty || readOnlyKey != nil }

    /// The addresses to listen on: loopback alone unless something else was asked for or a key protects the server.
    package var hosts: [String] {
        if let host { return [host] }
        return isKeyed ? ["0.0.0.0"] : ["127.0.0.1", "::1"]
    }
}

extension ServerSettings {
    /// Reads settings from configuration files, the weakest first, and the environment, which is stronger than all.
    ///
    /// What this version does not know is named in a warning; what it must not pass over, and values of a wrong
    /// type, are errors.
    package static func load(
        files: [JSONObject], environment: [(name: String, value: String)]
    ) throws(OctantError) -> (settings: ServerSettings, warnings: [String]) {
        var merged = JSONObject()
        for file in files { merged = merge(merged, file) }
        for (name, value) in environment.sorted(by: { $0.name < $1.name }) where name.hasPrefix("QDRANT__") {
            let path = name.lowercased().split(separator: "_", omittingEmptySubsequences: true)
            guard !path.isEmpty, let steps = steps(ofVariable: name) else { continue }
            merged = merge(merged, nest(steps[...], scalar(value)))
        }
        var settings = ServerSettings()
        do throws(OctantError) {
            try settings.read(JSONFields(merged, path: ""))
        } catch {
            let prefix = "Format error in JSON body: "
            let text = error.message.hasPrefix(prefix) ? String(error.message.dropFirst(prefix.count)) : error.message
            throw OctantError(.format, "Configuration error: \(text)")
        }
        let unknown = leaves(merged, prefix: "").filter { !isKnown($0) }
        let warnings =
            unknown.isEmpty
            ? [] : ["Settings without effect in this version: " + unknown.sorted().joined(separator: ", ")]
        return (settings, warnings)
    }

    /// `QDRANT__SERVICE__HTTP_PORT` is `service`, `http_port`.
    private static func steps(ofVariable name: String) -> [String]? {
        var steps: [String] = []
        var step = ""
        var rest = Substring(name.lowercased().dropFirst("qdrant__".count))
        while let letter = rest.first {
            if rest.hasPrefix("__") {
                steps.append(step)
                step = ""
                rest = rest.dropFirst(2)
            } else {
                step.append(letter)
                rest = rest.dropFirst()
            }
        }
        steps.append(step)
        return steps.contains("") ? nil : steps
    }

    private static func nest(_ steps: ArraySlice<String>, _ value: JSONValue) -> JSONObject {
        guard let first = steps.first else { return JSONObject() }
        let rest = steps.dropFirst()
        return JSONObject([(key: first, value: rest.isEmpty ? value : .object(nest(rest, value)))])
    }

    /// The value of a text as YAML would read it.
    package static func scalar(_ text: String) -> JSONValue {
        switch text {
        case "true", "True", "TRUE": return .bool(true)
        case "false", "False", "FALSE": return .bool(false)
        case "null", "~", "": return .null
        default: break
        }
        if let integer = Int64(text) { return .integer(integer) }
        let isDecimal = text.utf8.allSatisfy { (0x30...0x39).contains($0) || ".-+eE".utf8.contains($0) }
        if isDecimal, let double = Double(text), double.isFinite { return .double(double) }
        return .string(text)
    }

    private static func merge(_ weak: JSONObject, _ strong: JSONObject) -> JSONObject {
        var merged = weak
        for (key, value) in strong.pairs {
            if case .object(let inner) = value, case .object(let outer)? = merged[key] {
                merged[key] = .object(merge(outer, inner))
            } else {
                merged[key] = value
            }
        }
        return merged
    }

    private static func leaves(_ object: JSONObject, prefix: String) -> [String] {
        object.pairs.flatMap { key, value -> [String] in
            if case .object(let inner) = value { return leaves(inner, prefix: prefix + key + ".") }
            return value == .null ? [] : [prefix + key]
        }
    }

    private static func isKnown(_ path: String) -> Bool {
        known.contains(path) || knownOfSnapshots.contains(path) || knownSections.contains { path.hasPrefix($0) }
    }

    private static let known: Set<String> = [
        "log_level", "telemetry_disabled", "service.host", "service.http_port", "service.grpc_port",
        "service.max_grpc_message_size_mb",
        "service.max_request_size_mb", "service.max_in_flight_mb",
        "service.enable_cors", "service.api_key", "service.alt_api_key", "service.read_only_api_key",
        "service.metrics_prefix", "service.enable_tls", "service.jwt_rbac", "cluster.enabled", "storage.storage_path",
        "storage.snapshots_path", "storage.on_disk_payload", "storage.payload.memory", "storage.low_memory_mode",
        "storage.collection.vectors.on_disk", "storage.collection.vectors.memory",
        "storage.performance.max_search_threads",
        "storage.performance.optimizer_cpu_budget", "storage.performance.optimizer_memory_mb",
    ]
    private static let knownSections = ["storage.optimizers.", "storage.hnsw_index.", "storage.wal."]

    private static func metricsPrefix(_ service: JSONFields) throws(OctantError) -> String? {
        guard let prefix = try service.text("metrics_prefix") else { return nil }
        let isPlain = prefix.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"):
                true
            default: false
            }
        }
        guard isPlain else {
            throw OctantError(.format, "service.metrics_prefix may hold letters, digits and underscores only")
        }
        return prefix
    }

    private mutating func read(_ top: JSONFields) throws(OctantError) {
        if let level = try top.text("log_level") { logLevel = level }
        if let service = try top.fields("service") {
            // Whoever asks for these relies on them: starting without would leave the server open.
            for flag in ["enable_tls", "jwt_rbac"] where try service.bool(flag) == true {
                throw OctantError(.format, "service.\(flag) is not supported yet")
            }
            host = try service.text("host") ?? host
            httpPort = try service.int("http_port", from: 0, to: 65_535) ?? httpPort
            grpcPort =
                service.object["grpc_port"] == .null
                ? nil : try service.int("grpc_port", from: 0, to: 65_535) ?? grpcPort
            maxGRPCMessageSizeMB =
                try service.int("max_grpc_message_size_mb", from: 1, to: 4095) ?? maxGRPCMessageSizeMB
            maxRequestSizeMB = try service.int("max_request_size_mb", from: 1, to: 4096) ?? maxRequestSizeMB
            maxInFlightMB = try service.int("max_in_flight_mb", from: 1, to: 1 << 30) ?? maxInFlightMB
            enableCORS = try service.bool("enable_cors") ?? enableCORS
            metricsPrefix = try Self.metricsPrefix(service) ?? metricsPrefix
            try readURLRules(service)
            for key in ["api_key", "alt_api_key"] {
                if let value = try service.text(key), !value.isEmpty { apiKeys.append(value) }
            }
            if let value = try service.text("read_only_api_key"), !value.isEmpty { readOnlyKey = value }
        }
        if let cluster = try top.fields("cluster"), try cluster.bool("enabled") == true {
            throw OctantError(.format, "cluster.enabled is not supported yet")
        }
        guard let storage = try top.fields("storage") else { return }
        storagePath = try storage.text("storage_path") ?? storagePath
        snapshotsPath = try storage.text("snapshots_path") ?? snapshotsPath
        try readSnapshotStorage(storage)
        defaults.onDiskPayload = try storage.bool("on_disk_payload") ?? defaults.onDiskPayload
        try readPlacement(storage)
        if let hnsw = try storage.fields("hnsw_index") {
            defaults.hnsw = defaults.hnsw.applying(try HNSWConfigDiff(hnsw))
        }
        if let optimizers = try storage.fields("optimizers") {
            defaults.optimizer = defaults.optimizer.applying(try OptimizerConfigDiff(optimizers))
        }
        if let wal = try storage.fields("wal") { defaults.wal = defaults.wal.applying(try WALConfigDiff(wal)) }
        if let performance = try storage.fields("performance") {
            maxSearchThreads = try performance.int("max_search_threads", to: 1024) ?? maxSearchThreads
            optimizerMemoryMB = try performance.int("optimizer_memory_mb", to: 1 << 30) ?? optimizerMemoryMB
            switch performance["optimizer_cpu_budget"] {
            case nil: break
            case .integer(let cores)? where (-1024...1024).contains(cores): optimizerCPUBudget = Int(cores)
            case let other?:
                throw JSONFields.mismatch(other, "a number of cores", performance.path("optimizer_cpu_budget"))
            }
        }
    }
}

extension ServerSettings {
    /// Where structures are kept, of collections that do not say otherwise and of all.
    private mutating func readPlacement(_ storage: JSONFields) throws(OctantError) {
        if let payload = try storage.fields("payload") {
            defaults.payloadMemory = try payload.memory(unpinned: "payload") ?? defaults.payloadMemory
        }
        if let vectors = try storage.fields("collection")?.fields("vectors") {
            defaults.vectorsOnDisk = try vectors.bool("on_disk") ?? defaults.vectorsOnDisk
            defaults.vectorsMemory = try vectors.memory(unpinned: "vectors") ?? defaults.vectorsMemory
        }
        guard let name = try storage.text("low_memory_mode") else { return }
        guard let mode = LowMemoryMode(rawValue: name) else {
            throw .json(
                "\(storage.path("low_memory_mode")): unknown variant `\(name)`, expected one of "
                    + LowMemoryMode.allCases.map { "`\($0.rawValue)`" }.joined(separator: ", "))
        }
        lowMemoryMode = mode
    }
}

extension JSONFields {
    /// Text, or a number or bool that was meant as text.
    func text(_ key: String) throws(OctantError) -> String? {
        switch self[key] {
        case nil: nil
        case .string(let text)?: text
        case .integer(let value)?: String(value)
        case .double(let value)?: String(value)
        case .bool(let value)?: String(value)
        case let other?: throw Self.mismatch(other, "a string", path(key))
        }
    }
}
