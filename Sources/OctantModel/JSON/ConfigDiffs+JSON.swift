extension HNSWConfigDiff {
    /// Reads `hnsw_config` of a request.
    package init(_ fields: JSONFields) throws(OctantError) {
        self.init()
        m = try fields.int("m", to: 10_000)
        efConstruct = try fields.int("ef_construct", from: 4)
        fullScanThreshold = try fields.int("full_scan_threshold", or: "full_scan_threshold_kb", from: 10)
        maxIndexingThreads = try fields.int("max_indexing_threads")
        onDisk = try fields.bool("on_disk")
        memory = try fields.memory()
        payloadM = try fields.int("payload_m")
        inlineStorage = try fields.bool("inline_storage")
    }

    /// The set fields.
    package var json: JSONObject {
        var object = JSONObject()
        object.put("m", m)
        object.put("ef_construct", efConstruct)
        object.put("full_scan_threshold", fullScanThreshold)
        object.put("max_indexing_threads", maxIndexingThreads)
        object.put("on_disk", onDisk)
        object.put("memory", memory)
        object.put("payload_m", payloadM)
        object.put("inline_storage", inlineStorage)
        return object
    }
}

extension HNSWConfig {
    /// All fields, as GET of a collection shows them.
    package var json: JSONObject {
        var diff = HNSWConfigDiff()
        diff.m = m
        diff.efConstruct = efConstruct
        diff.fullScanThreshold = fullScanThreshold
        diff.maxIndexingThreads = maxIndexingThreads
        diff.onDisk = onDisk
        diff.memory = memory
        diff.payloadM = payloadM
        diff.inlineStorage = inlineStorage
        return diff.json
    }
}

extension OptimizerConfigDiff {
    /// Reads `optimizers_config` of a request.
    package init(_ fields: JSONFields) throws(OctantError) {
        self.init()
        deletedThreshold = try fields.double("deleted_threshold", from: 0, to: 1)
        vacuumMinVectorNumber = try fields.int("vacuum_min_vector_number", from: 100)
        defaultSegmentNumber = try fields.int("default_segment_number")
        maxSegmentSize = try fields.int("max_segment_size", or: "max_segment_size_kb", from: 1)
        memmapThreshold = try fields.int("memmap_threshold", or: "memmap_threshold_kb")
        indexingThreshold = try fields.int("indexing_threshold", or: "indexing_threshold_kb")
        flushIntervalSeconds = try fields.int("flush_interval_sec")
        preventsUnoptimized = try fields.bool("prevent_unoptimized")
        if let value = fields["max_optimization_threads"] {
            if value == .string("auto") {
                maxOptimizationThreads = .some(nil)
            } else {
                maxOptimizationThreads = try fields.int("max_optimization_threads")
            }
        }
    }
}

extension OptimizerConfig {
    /// All fields, as GET of a collection shows them.
    package var json: JSONObject {
        func orNull(_ value: Int?) -> JSONValue { value.map { .integer(Int64($0)) } ?? .null }
        var object = JSONObject()
        object.put("deleted_threshold", deletedThreshold)
        object.put("vacuum_min_vector_number", vacuumMinVectorNumber)
        object.put("default_segment_number", defaultSegmentNumber)
        object["max_segment_size"] = orNull(maxSegmentSize)
        object["memmap_threshold"] = orNull(memmapThreshold)
        object["indexing_threshold"] = orNull(indexingThreshold)
        object.put("flush_interval_sec", flushIntervalSeconds)
        object["max_optimization_threads"] = orNull(maxOptimizationThreads)
        if let preventsUnoptimized { object["prevent_unoptimized"] = .bool(preventsUnoptimized) }
        return object
    }
}

extension WALConfigDiff {
    /// Reads `wal_config` of a request.
    package init(_ fields: JSONFields) throws(OctantError) {
        self.init()
        capacityMB = try fields.int("wal_capacity_mb", from: 1)
        segmentsAhead = try fields.int("wal_segments_ahead")
        retainClosed = try fields.int("wal_retain_closed", from: 1)
    }
}

extension WALConfig {
    /// All fields, as GET of a collection shows them.
    package var json: JSONObject {
        [
            "wal_capacity_mb": .integer(Int64(capacityMB)), "wal_segments_ahead": .integer(Int64(segmentsAhead)),
            "wal_retain_closed": .integer(Int64(retainClosed)),
        ]
    }
}

extension QuantizationConfig {
    /// Reads `quantization_config` of a request.
    package init(_ fields: JSONFields) throws(OctantError) {
        try fields.refuse("product", "binary", "turbo")
        guard let scalar = try fields.fields("scalar") else {
            throw .json("\(fields.path): data did not match any variant of quantization config")
        }
        guard let type = try scalar.string("type") else { throw scalar.missing("type") }
        guard type == "int8" else {
            throw .json("\(scalar.path("type")): unknown variant `\(type)`, expected `int8`")
        }
        self = .scalar(
            ScalarQuantization(
                quantile: try scalar.double("quantile", from: 0.5, to: 1), alwaysRAM: try scalar.bool("always_ram"),
                memory: try scalar.memory()))
    }

    /// The configuration as it was given.
    package var json: JSONObject {
        switch self {
        case .scalar(let scalar):
            var object: JSONObject = ["type": .string("int8")]
            object.put("quantile", scalar.quantile)
            object.put("always_ram", scalar.alwaysRAM)
            object.put("memory", scalar.memory)
            return ["scalar": .object(object)]
        }
    }
}

extension QuantizationPatch {
    /// Reads a change: the text `Disabled` or a configuration.
    package init?(_ fields: JSONFields, _ key: String) throws(OctantError) {
        guard let value = fields[key] else { return nil }
        if case .string(let text) = value, text.lowercased() == "disabled" {
            self = .disabled
        } else {
            self = .set(try QuantizationConfig(try JSONFields(value, path: fields.path(key))))
        }
    }
}
