import OctantModel
import Testing

func create(_ text: String) throws(OctantError) -> CreateCollection {
    try CreateCollection(json: JSONParser.parse(text))
}

func message(_ body: () throws(OctantError) -> Void) -> String {
    do throws(OctantError) {
        try body()
        return "no error"
    } catch {
        return error.description
    }
}

@Suite struct ConfigJSONTests {
    @Test("A configuration survives the way to JSON and back")
    func roundTrip() throws {
        for text in [
            #"{"vectors":{"size":384,"distance":"Cosine"}}"#, "{}",
            #"""
            {"vectors":{"a":{"size":4,"distance":"Dot","on_disk":true,"hnsw_config":{"m":8,"payload_m":4}},
             "b":{"size":3,"distance":"Euclid","quantization_config":{"scalar":{"type":"int8","quantile":0.99}}}},
             "shard_number":2,"on_disk_payload":false,"hnsw_config":{"m":32,"ef_construct":200,"inline_storage":false},
             "optimizers_config":{"indexing_threshold":0,"max_optimization_threads":"auto","max_segment_size":1000},
             "wal_config":{"wal_capacity_mb":1},"quantization_config":{"scalar":{"type":"int8","always_ram":true}},
             "strict_mode_config":{"enabled":false},"metadata":{"who":"me","n":[1,2]}}
            """#,
        ] {
            let config = try create(text).config()
            #expect(try CollectionConfig(json: config.json) == config)
            #expect(try CollectionConfig(json: JSONParser.parse(config.json.text)) == config)
        }
        var config = CollectionConfig(params: CollectionParams(vectors: .named([])))
        config.optimizer.indexingThreshold = nil
        config.hnsw.onDisk = nil
        config.params.readFanOutFactor = 3
        config.params.readFanOutDelayMilliseconds = 0
        #expect(try CollectionConfig(json: config.json) == config)
    }

    @Test("The defaults are Qdrant's")
    func defaults() throws {
        let config = try create(#"{"vectors":{"size":4,"distance":"Dot"}}"#).config()
        #expect(
            config.json.text
                == #"{"params":{"vectors":{"size":4,"distance":"Dot"},"shard_number":1,"replication_factor":1,"#
                + #""write_consistency_factor":1,"on_disk_payload":true},"hnsw_config":{"m":16,"ef_construct":100,"#
                + #""full_scan_threshold":10000,"max_indexing_threads":0,"on_disk":false},"optimizer_config":{"#
                + #""deleted_threshold":0.2,"vacuum_min_vector_number":1000,"default_segment_number":0,"#
                + #""max_segment_size":null,"memmap_threshold":null,"indexing_threshold":10000,"flush_interval_sec":5,"#
                + #""max_optimization_threads":null},"wal_config":{"wal_capacity_mb":32,"wal_segments_ahead":0,"#
                + #""wal_retain_closed":1},"quantization_config":null}"#)
    }

    @Test("The server's defaults hold where the request says nothing")
    func serverDefaults() throws {
        var defaults = CollectionDefaults()
        defaults.hnsw.m = 24
        defaults.hnsw.efConstruct = 64
        defaults.onDiskPayload = false
        let config = try create(#"{"hnsw_config":{"m":8}}"#).config(defaults: defaults)
        #expect(config.hnsw.m == 8)
        #expect(config.hnsw.efConstruct == 64)
        #expect(!config.params.onDiskPayload)
    }

    @Test(
        "Wrong values are refused by name",
        arguments: [
            (
                #"{"vectors":{"size":65537,"distance":"Cosine"}}"#,
                "Validation error in JSON body: [vectors.size: value 65537 invalid, must be from 1 to 65536]"
            ),
            (
                #"{"vectors":{"a":{"size":0,"distance":"Cosine"}}}"#,
                "Validation error in JSON body: [vectors.?.size: value 0 invalid, must be from 1 to 65536]"
            ),
            (#"{"vectors":{"size":4}}"#, "Format error in JSON body: vectors: missing field `distance`"),
            (
                #"{"vectors":{"size":4,"distance":"Hamming"}}"#,
                "Format error in JSON body: vectors.distance: unknown variant `Hamming`, expected one of `Cosine`, "
                    + "`Euclid`, `Dot`, `Manhattan`"
            ),
            (
                #"{"hnsw_config":{"ef_construct":3}}"#,
                "Validation error in JSON body: [hnsw_config.ef_construct: value 3 invalid, must be 4 or larger]"
            ),
            (
                #"{"vectors":{"s":{"size":4,"distance":"Dot"}},"sparse_vectors":{"s":{}}}"#,
                "Wrong input: Dense and sparse vector names must be unique - duplicate found with 's'"
            ),
            (
                #"{"sparse_vectors":{"":{}}}"#,
                "Validation error in JSON body: [sparse_vectors: Sparse vector name cannot be empty]"
            ),
            (
                #"{"sparse_vectors":{"s":{"modifier":"x"}}}"#,
                "Format error in JSON body: sparse_vectors.?.modifier: unknown variant `x`, expected `none` or `idf`"
            ),
            (
                #"{"quantization_config":{"ternary":{}}}"#,
                "Format error in JSON body: quantization_config: data did not match any variant of quantization config"
            ),
            (
                #"{"vectors":{"size":4,"distance":"Dot","datatype":"turbo16"}}"#,
                "Bad request: `vectors.datatype` \"turbo16\" is not supported yet"
            ),
            (
                #"{"vectors":{"size":4,"distance":"Dot","datatype":"turbo4","multivector_config":{"comparator":"max_sim"}}}"#,
                "Bad request: `vectors.datatype` \"turbo4\" of multivectors is not supported yet"
            ),
            (
                #"{"sparse_vectors":{"s":{"index":{"datatype":"turbo8"}}}}"#,
                "Bad request: `sparse_vectors.?.index.datatype` \"turbo8\" of sparse vectors is not supported yet"
            ),
            (
                #"{"vectors":{"size":4,"distance":"Dot","multivector_config":{"comparator":"min"}}}"#,
                "Format error in JSON body: vectors.multivector_config.comparator: unknown variant `min`, "
                    + "expected `max_sim`"
            ),
            (#"[]"#, "Format error in JSON body: invalid type: sequence, expected an object"),
        ])
    func refusals(text: String, expected: String) {
        #expect(message { () throws(OctantError) in _ = try create(text) } == expected)
    }

    @Test("A patch holds what it names and nothing else")
    func patch() throws {
        let patch = try CollectionPatch(
            json: JSONParser.parse(
                #"""
                {"vectors":{"":{"on_disk":true,"quantization_config":"Disabled"}},"hnsw_config":{"m":8},
                 "optimizers_config":{"max_optimization_threads":"auto","indexing_threshold":5},
                 "params":{"replication_factor":2},"quantization_config":"Disabled","metadata":{"a":null}}
                """#))
        #expect(patch.vectors == [VectorPatch(name: "", quantization: .disabled, onDisk: true)])
        #expect(patch.hnsw?.m == 8)
        #expect(patch.hnsw?.efConstruct == nil)
        #expect(patch.optimizer?.maxOptimizationThreads == .some(nil))
        #expect(patch.optimizer?.indexingThreshold == 5)
        #expect(patch.replicationFactor == 2)
        #expect(patch.quantization == .disabled)
        #expect(patch.metadata?["a"] == .null)
        #expect(patch.onDiskPayload == nil)
    }
}
