import OctantModel

/// The JSON Schemas that the OpenAPI document names.
enum OpenAPISchemas {
    /// All of them, by name.
    static var all: [(name: String, schema: String)] {
        values + settings + requests + answers + tuning + explanation + snapshots
    }

    static func ref(_ name: String) -> String { OperationDescription.ref(name) }
    static func list(_ name: String) -> String { OperationDescription.list(name) }

    static func array(_ items: String) -> String { #"{"type":"array","items":"# + items + "}" }

    static func anyOf(_ schemas: String...) -> String {
        #"{"anyOf":["# + schemas.joined(separator: ",") + "]}"
    }

    static func map(of schema: String) -> String {
        #"{"type":"object","additionalProperties":"# + schema + "}"
    }

    /// A list of names, of those a type has.
    static func names<Names: CaseIterable & RawRepresentable>(
        _ type: Names.Type
    ) -> String where Names.RawValue == String {
        #"{"enum":["# + type.allCases.map { "\"\($0.rawValue)\"" }.joined(separator: ",") + "]}"
    }

    /// An object of members; those whose names end in `!` must be there, those in `?` may be null.
    static func object(_ members: [(String, String)], closed: Bool = false) -> String {
        var required: [String] = []
        let properties = members.map { name, schema -> String in
            switch name.last {
            case "!":
                required.append("\"\(name.dropLast())\"")
                return "\"\(name.dropLast())\":\(schema)"
            case "?": return "\"\(name.dropLast())\":{\"anyOf\":[\(schema),{\"type\":\"null\"}]}"
            default: return "\"\(name)\":\(schema)"
            }
        }
        var text = #"{"type":"object","properties":{"# + properties.joined(separator: ",") + "}"
        if !required.isEmpty { text += #","required":["# + required.joined(separator: ",") + "]" }
        if closed { text += #","additionalProperties":false"# }
        return text + "}"
    }

    static func count(_ from: Int = 0, _ to: Int? = nil) -> String {
        #"{"type":"integer","minimum":\#(from)"# + (to.map { #","maximum":\#($0)"# } ?? "") + "}"
    }

    static let flag = #"{"type":"boolean"}"#
    static let text = #"{"type":"string"}"#
    static let number = #"{"type":"number"}"#
    static let share = #"{"type":"number","minimum":0,"maximum":1}"#
    static let free = #"{"type":"object"}"#
    static let date = #"{"type":"string","format":"date-time"}"#
    static let texts = #"{"type":"array","items":{"type":"string"}}"#
    static let ids = list("PointId")

    // MARK: Values

    private static let values: [(name: String, schema: String)] = [
        (
            "PointId",
            anyOf(
                #"{"type":"integer","minimum":0,"maximum":18446744073709551615}"#,
                #"{"type":"string","format":"uuid"}"#)
        ),
        ("Payload", free),
        ("DenseVector", #"{"type":"array","items":{"type":"number"}}"#),
        (
            "SparseVector",
            object([
                ("indices!", #"{"type":"array","items":{"type":"integer","minimum":0}}"#),
                ("values!", ref("DenseVector")),
            ])
        ),
        ("Document", object([("text!", text), ("model!", text), ("options?", ref("Bm25Config"))], closed: true)),
        (
            "Bm25Config",
            object(
                [
                    ("k?", #"{"type":"number","minimum":0}"#), ("b?", #"{"type":"number","minimum":0,"maximum":1}"#),
                    ("avg_len?", #"{"type":"number","exclusiveMinimum":0}"#), ("language?", text),
                    ("tokenizer?", names(TextAnalysis.Tokenizer.self)), ("lowercase?", flag), ("ascii_folding?", flag),
                    ("stopwords?", anyOf(text, free)), ("stemmer?", free), ("min_token_len?", count()),
                    ("max_token_len?", count()),
                ], closed: true)
        ),
        ("Vector", anyOf(ref("DenseVector"), ref("SparseVector"), list("DenseVector"), ref("Document"))),
        (
            "Vectors",
            anyOf(ref("DenseVector"), list("DenseVector"), ref("Document"), map(of: ref("Vector")))
        ),
        (
            "Filter",
            object(
                [
                    ("must?", ref("Conditions")), ("should?", ref("Conditions")), ("must_not?", ref("Conditions")),
                    ("min_should?", object([("conditions!", list("Condition")), ("min_count!", count())])),
                ], closed: true)
        ),
        ("Conditions", #"{"anyOf":[\#(list("Condition")),\#(ref("Condition"))]}"#),
        ("Condition", free),
        (
            "PayloadSelector",
            #"{"anyOf":[{"type":"boolean"},{"type":"array","items":{"type":"string"}},{"type":"object"}]}"#
        ),
        ("VectorSelector", #"{"anyOf":[{"type":"boolean"},{"type":"array","items":{"type":"string"}}]}"#),
        ("Error", object([("status!", object([("error!", text)])), ("time!", number)])),
        ("VersionInfo", object([("title!", text), ("version!", text)])),
    ]

    // MARK: Requests

    private static let selection: [(String, String)] = [("points?", ids), ("filter?", ref("Filter"))]
    private static let selectors: [(String, String)] = [
        ("with_payload?", ref("PayloadSelector")), ("with_vector?", ref("VectorSelector")),
    ]
    private static let ranked: [(String, String)] = [
        ("filter?", ref("Filter")), ("params?", ref("SearchParams")), ("score_threshold?", number),
        ("limit?", count(1)), ("offset?", count()),
    ]

    private static let point = object([
        ("id!", ref("PointId")), ("vector!", ref("Vectors")), ("payload?", ref("Payload")),
    ])
    private static let condition: [(String, String)] = [
        ("update_filter?", ref("Filter")), ("update_mode?", names(UpdateMode.self)),
    ]

    private static let lookupFrom = object([("collection!", text), ("vector?", text)])

    private static let requests: [(name: String, schema: String)] = [
        (
            "SearchParams",
            object([
                ("hnsw_ef?", count(1)), ("exact?", flag), ("indexed_only?", flag),
                (
                    "quantization?",
                    object([
                        ("ignore?", flag), ("rescore?", flag),
                        ("oversampling?", #"{"type":"number","minimum":1}"#),
                    ])
                ),
                ("acorn?", object([("enable?", flag), ("max_selectivity?", share)])),
                ("recall?", #"{"type":"number","exclusiveMinimum":0,"maximum":1}"#),
                ("idf?", anyOf(#"{"const":"global"}"#, object([("corpus!", ref("Filter"))], closed: true))),
            ])
        ),
        ("PointsSelector", object(selection)),
        ("RetrieveRequest", object([("ids!", ids)] + selectors)),
        ("PointStruct", point),
        (
            "UpsertRequest",
            object(
                [
                    ("points", list("PointStruct")),
                    (
                        "batch",
                        object([
                            ("ids!", ids), ("vectors!", "{}"),
                            ("payloads?", #"{"type":"array","items":{"type":["object","null"]}}"#),
                        ])
                    ),
                ] + condition)
        ),
        (
            "UpdateVectorsRequest",
            object([
                (
                    "points!",
                    #"{"type":"array","minItems":1,"items":"#
                        + object([("id!", ref("PointId")), ("vector!", ref("Vectors"))]) + "}"
                ),
                ("update_filter?", ref("Filter")),
            ])
        ),
        (
            "DeleteVectorsRequest",
            object(selection + [("vector!", #"{"type":"array","minItems":1,"items":{"type":"string"}}"#)])
        ),
        ("SetPayloadRequest", object(selection + [("payload!", ref("Payload")), ("key?", text)])),
        ("DeletePayloadRequest", object(selection + [("keys!", texts)])),
        ("BatchRequest", object([("operations!", array(ref("BatchOperation")))])),
        (
            "BatchOperation",
            object(
                [
                    ("upsert", ref("UpsertRequest")), ("delete", ref("PointsSelector")),
                    ("set_payload", ref("SetPayloadRequest")), ("overwrite_payload", ref("SetPayloadRequest")),
                    ("delete_payload", ref("DeletePayloadRequest")), ("clear_payload", ref("PointsSelector")),
                    ("update_vectors", ref("UpdateVectorsRequest")), ("delete_vectors", ref("DeleteVectorsRequest")),
                ], closed: true
            ).dropLast() + #","minProperties":1,"maxProperties":1}"#
        ),
        (
            "ScrollRequest",
            object(
                [("filter?", ref("Filter")), ("offset?", ref("PointId")), ("limit?", count(1)), ("order_by?", "{}")]
                    + selectors)
        ),
        ("CountRequest", object([("filter?", ref("Filter")), ("exact?", flag)])),
        ("FacetRequest", object([("key!", text), ("filter?", ref("Filter")), ("limit?", count(1)), ("exact?", flag)])),
        (
            "QueryRequest",
            object(
                [
                    ("query?", #"{"anyOf":[\#(ref("PointId")),\#(ref("Vector")),{"type":"object"}]}"#),
                    ("using?", text),
                    ("prefetch?", "{}"), ("lookup_from?", lookupFrom),
                ] + ranked + selectors)
        ),
        (
            "QueryGroupsRequest",
            object(
                [
                    ("query?", #"{"anyOf":[\#(ref("PointId")),\#(ref("Vector")),{"type":"object"}]}"#),
                    ("using?", text),
                    ("prefetch?", "{}"), ("lookup_from?", lookupFrom),
                    ("group_by!", text), ("group_size?", count(1)),
                    (
                        "with_lookup?",
                        anyOf(
                            text,
                            object([
                                ("collection!", text), ("with_payload?", ref("PayloadSelector")),
                                ("with_vectors?", ref("VectorSelector")),
                            ]))
                    ),
                ] + ranked + selectors)
        ),
        (
            "MatrixRequest",
            object([("filter?", ref("Filter")), ("sample?", count(2)), ("limit?", count(1)), ("using?", text)])
        ),
        (
            "SearchRequest",
            object(
                [
                    ("vector!", #"{"anyOf":[\#(ref("DenseVector")),{"type":"object","required":["name","vector"]}]}"#),
                    ("limit!", count(1)),
                ]
                    + ranked.filter { $0.0 != "limit?" } + selectors)
        ),
        (
            "AliasActions",
            object([
                (
                    "actions!",
                    #"{"type":"array","items":{"anyOf":["#
                        + [
                            object([("create_alias!", object([("collection_name!", text), ("alias_name!", text)]))]),
                            object([("delete_alias!", object([("alias_name!", text)]))]),
                            object([("rename_alias!", object([("old_alias_name!", text), ("new_alias_name!", text)]))]),
                        ].joined(separator: ",") + "]}}"
                )
            ])
        ),
    ]

    // MARK: Answers

    private static let job = object([
        ("uuid!", #"{"type":"string","format":"uuid"}"#), ("optimizer!", text),
        ("status!", #"{"anyOf":[{"enum":["optimizing","done"]},{"type":"object"}]}"#),
        ("segments!", list("SegmentInfo")),
        (
            "progress!",
            object([
                ("name!", text), ("started_at?", date), ("finished_at?", date), ("duration_sec?", number),
                ("done?", count()), ("total?", count()),
                (
                    "children",
                    array(
                        object([
                            ("name!", text), ("started_at?", date), ("finished_at?", date), ("duration_sec?", number),
                            ("done?", count()), ("total?", count()), ("resumed?", count()),
                        ]))
                ),
            ])
        ), ("memory!", object([("estimated_bytes!", count()), ("peak_bytes!", count())])),
        ("extra_disk_bytes!", count()),
    ])

    private static let answers: [(name: String, schema: String)] = [
        (
            "UpdateResult",
            object(
                [
                    ("operation_id!", count()), ("status!", #"{"enum":["acknowledged","completed","wait_timeout"]}"#),
                ], closed: true)
        ),
        ("Record", object([("id!", ref("PointId")), ("payload?", ref("Payload")), ("vector?", ref("Vectors"))])),
        (
            "ScoredPoint",
            object([
                ("id!", ref("PointId")), ("version!", count()), ("score!", number), ("payload?", ref("Payload")),
                ("vector?", ref("Vectors")),
            ])
        ),
        ("ScrollResult", object([("points!", list("Record")), ("next_page_offset?", ref("PointId"))])),
        ("QueryResult", object([("points!", list("ScoredPoint"))])),
        (
            "GroupsResult",
            object([
                ("groups!", array(object([("id!", "{}"), ("hits!", list("ScoredPoint"))])))
            ])
        ),
        (
            "FacetResult",
            object([
                ("hits!", array(object([("value!", "{}"), ("count!", count())])))
            ])
        ),
        ("CollectionList", object([("collections!", array(object([("name!", text)])))])),
        (
            "CollectionInfo",
            object([
                ("status!", #"{"enum":["green","yellow","grey","red"]}"#),
                ("optimizer_status!", #"{"anyOf":[{"const":"ok"},\#(object([("error!", text)]))]}"#),
                ("warnings", array(object([("message!", text)]))),
                ("indexed_vectors_count!", count()), ("points_count!", count()), ("segments_count!", count()),
                (
                    "config!",
                    object([
                        ("params!", collectionParams), ("hnsw_config!", ref("HnswConfig")),
                        ("optimizer_config!", ref("OptimizersConfig")),
                        ("wal_config!", ref("WalConfig")), ("quantization_config?", ref("QuantizationConfig")),
                        ("strict_mode_config", ref("StrictModeConfig")), ("metadata", free),
                    ])
                ),
                (
                    "payload_schema!",
                    map(
                        of: object([
                            ("data_type!", names(FieldIndexType.self)), ("params", ref("FieldIndexParams")),
                            ("points!", count()),
                        ]))
                ),
                ("update_queue!", object([("length!", count()), ("deferred_points?", count())])),
            ])
        ),
        (
            "CollectionClusterInfo",
            object([
                ("peer_id!", count()), ("shard_count!", count(1)),
                ("local_shards!", #"{"type":"array","items":{"type":"object"}}"#),
                ("remote_shards!", #"{"type":"array"}"#), ("shard_transfers!", #"{"type":"array"}"#),
            ])
        ),
        (
            "Aliases",
            object([
                ("aliases!", array(object([("alias_name!", text), ("collection_name!", text)])))
            ])
        ),
        ("ClusterStatus", object([("status!", #"{"const":"disabled"}"#)])),
        ("SegmentInfo", object([("uuid!", #"{"type":"string","format":"uuid"}"#), ("points_count!", count())])),
        (
            "MemoryUse",
            object([
                ("anonymous_bytes!", count()), ("mapped_bytes!", count()), ("page_cache_bytes!", count()),
                ("disk_bytes!", count()),
            ])
        ),
        (
            "MemoryOfPart",
            object([
                ("uuid", #"{"type":"string","format":"uuid"}"#), ("rows!", count()), ("total!", ref("MemoryUse")),
                ("structures!", array(object([("kind!", text), ("name", text), ("held", names(Residence.self))]))),
            ])
        ),
        (
            "MemoryReport",
            object([
                ("total!", ref("MemoryUse")), ("log!", ref("MemoryUse")), ("segments!", list("MemoryOfPart")),
                ("memtables!", list("MemoryOfPart")),
                (
                    "process!",
                    object([
                        ("resident_bytes!", count()), ("anonymous_bytes!", count()), ("locked_bytes!", count()),
                        ("collections!", ref("MemoryUse")), ("base_bytes!", count()),
                        ("explained!", #"{"type":"number"}"#), ("disk_reads!", count()),
                    ])
                ),
            ])
        ),
        ("Optimization", job),
        (
            "Optimizations",
            object(
                [
                    (
                        "summary!",
                        object([
                            ("queued_optimizations!", count()), ("queued_segments!", count()),
                            ("queued_points!", count()),
                            ("idle_segments!", count()),
                        ])
                    ), ("running!", list("Optimization")),
                    (
                        "queued",
                        array(
                            object([
                                ("optimizer!", text), ("segments!", list("SegmentInfo")),
                                ("memory!", object([("estimated_bytes!", count())])),
                            ]))
                    ),
                    ("completed", list("Optimization")), ("idle_segments", list("SegmentInfo")),
                ], closed: true)
        ),
        (
            "Issues",
            object([
                (
                    "issues!",
                    array(
                        object([
                            ("id!", text), ("description!", text), ("solution!", free), ("timestamp!", date),
                            ("related_collection?", text),
                        ]))
                )
            ])
        ),
        (
            "QuotaStatus",
            object([
                ("config!", ref("QuotaConfig")),
                (
                    "usage!",
                    object([("resident_memory_percent?", count(0, 100)), ("disk_usage_percent?", count(0, 100))])
                ),
            ])
        ),
        (
            "Telemetry",
            object(
                [
                    ("id!", text), ("app!", object([("name!", text), ("version!", text), ("startup!", date)])),
                    ("collections!", object([("number_of_collections!", count())])), ("cluster!", free),
                    ("requests!", free),
                    ("quota!", free), ("memory", free), ("hardware", free), ("search_pool", free),
                ], closed: true)
        ),
    ]
}
