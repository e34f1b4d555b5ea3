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
