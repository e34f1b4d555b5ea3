import OctantModel

extension OpenAPISchemas {
    private static let memory = names(MemoryPlacement.self)
    private static let unpinned = #"{"enum":["cold","cached"]}"#

    private static let vectorParams = object([
        ("size!", count(1, Limits.dimensionMax)), ("distance!", names(Distance.self)),
        ("hnsw_config?", ref("HnswConfig")), ("quantization_config?", ref("QuantizationConfig")), ("on_disk?", flag),
        ("memory?", unpinned), ("datatype?", datatype), ("multivector_config?", multivector),
    ])

    private static let datatype = #"{"enum":["float32","float16","uint8","turbo4","turbo8"]}"#
    private static let weightDatatype = #"{"enum":["float32","float16","uint8"]}"#
    private static let multivector = object([("comparator!", #"{"const":"max_sim"}"#)])
    private static let payloadStorage = object([("memory?", unpinned)])
    private static let quantile = #"{"type":"number","minimum":0.5,"maximum":1}"#
    private static let codes = [("always_ram?", flag), ("memory?", memory)]
    private static let quantizationPatch = anyOf(ref("QuantizationConfig"), #"{"const":"Disabled"}"#)

    private static let common: [(String, String)] = [
        ("hnsw_config?", ref("HnswConfig")), ("optimizers_config?", ref("OptimizersConfig")),
        ("strict_mode_config?", ref("StrictModeConfig")), ("metadata?", ref("Payload")),
    ]

    /// The settings of collections.
    static let settings: [(name: String, schema: String)] = [
        ("VectorParams", vectorParams),
        (
            "HnswConfig",
            object([
                ("m?", count(0, 10_000)), ("ef_construct?", count(4)), ("full_scan_threshold?", count(10)),
                ("max_indexing_threads?", count()), ("on_disk?", flag), ("memory?", memory), ("payload_m?", count()),
                ("inline_storage?", flag),
            ])
        ),
        (
            "QuantizationConfig",
            anyOf(
                object([("scalar!", object([("type!", #"{"const":"int8"}"#), ("quantile?", quantile)] + codes))]),
                object([
                    ("product!", object([("compression!", names(ProductQuantization.Compression.self))] + codes))
                ]),
                object([
                    (
                        "binary!",
                        object(
                            [
                                ("encoding?", names(BinaryQuantization.Encoding.self)),
                                ("query_encoding?", names(BinaryQuantization.QueryEncoding.self)),
                            ] + codes)
                    )
                ]),
                object([("turbo!", object([("bits?", names(TurboQuantization.Bits.self))] + codes))]))
        ),
        (
            "SparseVectorParams",
            object([
                (
                    "index?",
                    object([
                        ("full_scan_threshold?", count()), ("on_disk?", flag), ("memory?", memory),
                        ("datatype?", weightDatatype),
                    ])
                ), ("modifier?", #"{"enum":["none","idf"]}"#),
            ])
        ),
        (
            "VectorParamsDiff",
            object([
                ("hnsw_config?", ref("HnswConfig")), ("quantization_config?", quantizationPatch), ("on_disk?", flag),
                ("memory?", unpinned),
            ])
        ),
        (
            "CollectionParamsDiff",
            object([
                ("replication_factor?", count(1)), ("write_consistency_factor?", count(1)),
                ("read_fan_out_factor?", count()), ("read_fan_out_delay_ms?", count()), ("on_disk_payload?", flag),
                ("payload?", payloadStorage),
            ])
        ),
        (
            "OptimizersConfig",
            object([
                ("deleted_threshold?", #"{"type":"number","minimum":0,"maximum":1}"#),
                ("vacuum_min_vector_number?", count(100)), ("default_segment_number?", count()),
                ("max_segment_size?", count(1)), ("memmap_threshold?", count()), ("indexing_threshold?", count()),
                ("flush_interval_sec?", count()),
                ("max_optimization_threads?", #"{"anyOf":[{"type":"integer","minimum":0},{"const":"auto"}]}"#),
                ("prevent_unoptimized?", flag),
            ])
        ),
        (
            "WalConfig",
            object([
                ("wal_capacity_mb?", count(1)), ("wal_segments_ahead?", count()), ("wal_retain_closed?", count(1)),
            ])
        ),
        (
            "StrictModeConfig",
            object(
                [
                    ("enabled?", flag), ("max_query_limit?", count(1)), ("max_timeout?", count(1)),
                    ("unindexed_filtering_retrieve?", flag), ("unindexed_filtering_update?", flag),
                    ("search_max_hnsw_ef?", count()), ("search_allow_exact?", flag),
                    ("search_max_oversampling?", number),
                    ("upsert_max_batchsize?", count()), ("search_max_batchsize?", count()),
                    ("max_collection_vector_size_bytes?", count()), ("max_collection_payload_size_bytes?", count()),
                    ("read_rate_limit?", count(1)), ("write_rate_limit?", count(1)), ("max_points_count?", count(1)),
                    ("filter_max_conditions?", count()), ("condition_max_size?", count()),
                    ("multivector_config?", map(of: object([("max_vectors?", count(1))]))),
                    ("sparse_config?", map(of: object([("max_length?", count(1))]))),
                    ("max_payload_index_count?", count()),
                    ("max_resident_memory_percent?", count(1, 100)),
                ], closed: true)
        ),
        (
            "CreateCollection",
            object(
                [
                    (
                        "vectors?",
                        anyOf(ref("VectorParams"), map(of: ref("VectorParams")))
                    ),
                    ("sparse_vectors?", map(of: anyOf(ref("SparseVectorParams"), #"{"type":"null"}"#))),
                    ("shard_number?", count(1)), ("sharding_method?", #"{"const":"auto"}"#),
                    ("replication_factor?", count(1)), ("write_consistency_factor?", count(1)),
                    ("on_disk_payload?", flag), ("payload?", payloadStorage),
                    ("quantization_config?", ref("QuantizationConfig")), ("wal_config?", ref("WalConfig")),
                ] + common)
        ),
        (
            "UpdateCollection",
            object(
                [
                    ("vectors?", map(of: ref("VectorParamsDiff"))), ("params?", ref("CollectionParamsDiff")),
                    ("quantization_config?", quantizationPatch),
                    ("sparse_vectors?", map(of: ref("SparseVectorParams"))),
                ] + common)
        ),
        (
            "QuotaConfig",
            object(
                [
                    ("enabled", flag), ("max_resident_memory_percent?", count(1, 100)),
                    ("max_disk_usage_percent?", count(1, 100)), ("release_margin_percent?", count(0, 100)),
                ], closed: true)
        ),
        (
            "CreateFieldIndex",
            object([
                ("field_name!", #"{"type":"string","minLength":1}"#),
                (
                    "field_schema",
                    anyOf(names(FieldIndexType.self), ref("FieldIndexParams"))
                ),
            ])
        ),
        ("FieldIndexParams", #"{"anyOf":[\#(FieldIndexType.allCases.map(indexParams).joined(separator: ","))]}"#),
        (
            "AddVector",
            object([
                (
                    "dense?",
                    object([
                        ("size!", count(1, Limits.dimensionMax)), ("distance!", names(Distance.self)),
                        ("multivector_config?", multivector), ("datatype?", datatype),
                    ])
                ), ("sparse?", object([("modifier?", #"{"enum":["none","idf"]}"#), ("datatype?", weightDatatype)])),
            ])
        ),
    ]

    /// The options of a field index of a type.
    private static func indexParams(_ type: FieldIndexType) -> String {
        var members = [("type!", #"{"const":"\#(type.rawValue)"}"#), ("memory?", memory)]
        members += type.flags.map { ("\($0)?", flag) }
        if type == .text {
            members += [
                ("tokenizer?", names(TextAnalysis.Tokenizer.self)), ("min_token_len?", count()),
                ("max_token_len?", count()), ("lowercase?", flag), ("ascii_folding?", flag),
                ("phrase_matching?", flag), ("stopwords?", anyOf(text, free)), ("stemmer?", free),
            ]
        }
        return object(members)
    }

    /// What GET of a collection shows of its vectors and shards.
    static let collectionParams = object([
        ("vectors", anyOf(ref("VectorParams"), map(of: ref("VectorParams")))),
        ("sparse_vectors", map(of: ref("SparseVectorParams"))), ("shard_number!", count(1)),
        ("sharding_method", #"{"const":"auto"}"#), ("replication_factor!", count(1)),
        ("write_consistency_factor!", count(1)), ("on_disk_payload!", flag), ("payload", payloadStorage),
        ("read_fan_out_factor", count()), ("read_fan_out_delay_ms", count()),
    ])
}
