#if Server
import OctantModel
import OctantProtocol
import Testing

@testable import OctantGRPC

@Suite struct ConfigDocumentTests {
    @Test("A configuration comes back from its message as it went")
    func roundTrip() throws {
        let json = #"""
            {"params":{"vectors":{"a":{"size":4,"distance":"Cosine","on_disk":true,"hnsw_config":{"m":8},
            "quantization_config":{"scalar":{"type":"int8","quantile":0.5,"always_ram":true}}},
            "memory":{"size":3,"distance":"Euclid","datatype":"float16","multivector_config":{"comparator":"max_sim"}}},
            "sparse_vectors":{"type":{"index":{"full_scan_threshold":7,"datatype":"uint8"},"modifier":"idf"}},
            "shard_number":1,"replication_factor":1,"write_consistency_factor":1,"on_disk_payload":true},
            "hnsw_config":{"m":20,"ef_construct":50,"full_scan_threshold":100,"max_indexing_threads":2,"on_disk":true},
            "optimizer_config":{"deleted_threshold":0.25,"vacuum_min_vector_number":200,"default_segment_number":3,
            "max_segment_size":5000,"memmap_threshold":null,"indexing_threshold":4000,"flush_interval_sec":9,
            "max_optimization_threads":2},"wal_config":{"wal_capacity_mb":8,"wal_segments_ahead":1,"wal_retain_closed":2},
            "quantization_config":null,"strict_mode_config":{"enabled":true,"max_query_limit":10,
            "multivector_config":{"memory":{"max_vectors":3}},"sparse_config":{"type":{"max_length":4}}},
            "metadata":{"datatype":"Float32","n":9007199254740993}}
            """#
        let config = try CollectionConfig(json: try JSONParser.parse(Array(json.utf8)))
        let message = try Qdrant_CollectionConfig(config)
        #expect(message.params.vectorsConfig.paramsMap.map["memory"]?.datatype == .float16)
        #expect(message.metadata["n"]?.integerValue == 9_007_199_254_740_993)
        var object = try ConfigDocument.object(of: message)
        object["metadata"] = config.metadata.map { .object($0.object) }
        object["quantization_config"] = .null
        let back = try CollectionConfig(json: .object(object))
        #expect(back == config)
    }

    @Test("Absent fields of a request are unset, and a zero is a zero")
    func absence() throws {
        var message = Qdrant_CreateCollection()
        message.vectorsConfig.params.size = 4
        message.vectorsConfig.params.distance = .dot
        let plain = try CreateCollection(message)
        #expect(plain.hnsw == nil && plain.optimizer == nil && plain.quantization == nil && plain.metadata == nil)
        message.hnswConfig.m = 0
        #expect(try CreateCollection(message).hnsw?.m == 0)
        message.vectorsConfig.params.size = 0
        #expect(
            throws: OctantError(
                .validation, "Validation error in JSON body: [vectors.size: value 0 invalid, must be from 1 to 65536]")
        ) {
            try CreateCollection(message)
        }
    }

    @Test("A change of the unnamed vector has the empty name; a scheme may be switched off")
    func changes() throws {
        var message = Qdrant_UpdateCollection()
        message.vectorsConfig.params.onDisk = true
        message.quantizationConfig.disabled = Qdrant_Disabled()
        let patch = try CollectionPatch(message)
        #expect(patch.vectors.map(\.name) == [""])
        #expect(patch.vectors.first?.onDisk == true)
        #expect(patch.quantization == .disabled)
    }
}
#endif
