extension JSONFields {
    /// Checks `strict_mode_config`: names are those of the protocol, numbers within their bounds.
    func strictMode() throws(OctantError) -> JSONObject? {
        guard let strict = try fields("strict_mode_config") else { return nil }
        try strict.refuseUnknown(
            Self.strictNumbers.union(Self.strictFlags).union(Self.strictMaps).union(Self.strictRest))
        for key in Self.strictFlags { _ = try strict.bool(key) }
        for key in Self.strictNumbers {
            _ = try strict.int(key, from: Self.strictFromZero.contains(key) ? 0 : 1)
        }
        _ = try strict.double("search_max_oversampling")
        _ = try strict.int("max_resident_memory_percent", from: 1, to: 100)
        // A null stands for nothing said, here and in the limits of each vector.
        var object = JSONObject(strict.object.pairs.filter { $0.value != .null })
        for (key, limit) in [("multivector_config", "max_vectors"), ("sparse_config", "max_length")] {
            guard let names = try strict.fields(key) else { continue }
            var limits = JSONObject()
            for (name, value) in names.object.pairs {
                var one = JSONObject()
                one.put(limit, try JSONFields(value, path: names.path("?")).int(limit, from: 1))
                limits[name] = .object(one)
            }
            object[key] = .object(limits)
        }
        return object
    }

    private static let strictFlags: Set<String> = [
        "enabled", "unindexed_filtering_retrieve", "unindexed_filtering_update", "search_allow_exact",
    ]
    private static let strictNumbers: Set<String> = [
        "max_query_limit", "max_timeout", "search_max_hnsw_ef", "upsert_max_batchsize", "search_max_batchsize",
        "max_collection_vector_size_bytes", "max_collection_payload_size_bytes", "read_rate_limit",
        "write_rate_limit", "max_points_count", "filter_max_conditions", "condition_max_size",
        "max_payload_index_count",
    ]
    private static let strictFromZero: Set<String> = [
        "search_max_hnsw_ef", "upsert_max_batchsize", "search_max_batchsize", "max_collection_vector_size_bytes",
        "max_collection_payload_size_bytes", "filter_max_conditions", "condition_max_size", "max_payload_index_count",
    ]
    private static let strictMaps: Set<String> = ["multivector_config", "sparse_config"]
    private static let strictRest: Set<String> = ["search_max_oversampling", "max_resident_memory_percent"]
}
