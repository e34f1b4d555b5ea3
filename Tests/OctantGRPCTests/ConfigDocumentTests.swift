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

    private static func message(_ schema: FieldIndexSchema) throws -> Qdrant_CreateFieldIndexCollection {
        var message = Qdrant_CreateFieldIndexCollection()
        message.fieldName = "k"
        if let params = try ConfigDocument.indexParams(schema) { message.fieldIndexParams = params }
        return message
    }

    @Test(
        "The options of a field index come back from their message as they went",
        arguments: [
            #"{"type":"keyword","is_tenant":true,"prefix":true,"on_disk":true,"memory":"cached","enable_hnsw":false}"#,
            #"{"type":"integer","lookup":false,"range":true,"is_principal":true,"memory":"pinned"}"#,
            #"{"type":"float","is_principal":true}"#, #"{"type":"geo","memory":"cold"}"#, #"{"type":"bool"}"#,
            #"{"type":"datetime","is_principal":false,"on_disk":false}"#, #"{"type":"uuid","is_tenant":true}"#,
            #"{"type":"text"}"#, #"{"type":"text","stemmer":{"type":"none"}}"#,
            #"{"type":"text","max_token_len":18446744073709551615}"#,
            #"""
            {"type":"text","tokenizer":"multilingual","min_token_len":2,"max_token_len":9,"lowercase":false,
            "ascii_folding":true,"phrase_matching":true,"stopwords":{"languages":["english"],"custom":["foo"]},
            "stemmer":{"type":"snowball","language":"german"},"on_disk":true,"enable_hnsw":true}
            """#,
        ])
    func fieldIndexes(text: String) throws {
        let schema = try FieldIndexSchema(json: try JSONParser.parse(Array(text.utf8)))
        let back = try FieldIndexSchema(try Self.message(schema))
        #expect(back.type == schema.type)
        // Messages keep no order of members.
        let (members, expected) = (back.params?.object.pairs ?? [], schema.params?.object.pairs ?? [])
        #expect(
            Dictionary(uniqueKeysWithValues: members.map { ($0.key, $0.value.text) })
                == Dictionary(uniqueKeysWithValues: expected.map { ($0.key, $0.value.text) }))
    }

    @Test("What the messages of field indexes say in other words means the same")
    func otherWordsOfFieldIndexes() throws {
        let stopwords = try FieldIndexSchema(json: .object(["type": .string("text"), "stopwords": .string("english")]))
        #expect(try Self.message(stopwords).fieldIndexParams.textIndexParams.stopwords.languages == ["english"])
        #expect(try FieldIndexSchema(try Self.message(stopwords)).text == stopwords.text)
        let plain = try FieldIndexSchema(json: .object(["type": .string("keyword"), "prefix": .bool(false)]))
        #expect(try !Self.message(plain).fieldIndexParams.keywordIndexParams.hasPrefix)

        var message = Qdrant_CreateFieldIndexCollection()
        #expect(throws: FieldIndexSchema.missing) { try FieldIndexSchema(message) }
        message.fieldType = .datetime
        #expect(try FieldIndexSchema(message) == FieldIndexSchema(type: .datetime))
        message.fieldIndexParams = Qdrant_PayloadIndexParams()
        #expect(try FieldIndexSchema(message) == FieldIndexSchema(type: .datetime))
        message.fieldIndexParams.keywordIndexParams.memory = .unknown
        #expect(try FieldIndexSchema(message).json == .object(["type": .string("keyword")]))
    }

    @Test("What the messages of field indexes may not say is refused")
    func refusedFieldIndexes() {
        func refused(_ change: (inout Qdrant_PayloadIndexParams) -> Void) -> OctantError? {
            var message = Qdrant_CreateFieldIndexCollection()
            change(&message.fieldIndexParams)
            do throws(OctantError) { _ = try FieldIndexSchema(message) } catch { return error }
            return nil
        }
        #expect(refused { $0.keywordIndexParams.memory = .UNRECOGNIZED(9) }?.code == .format)
        #expect(refused { $0.textIndexParams.tokenizer = .UNRECOGNIZED(9) }?.code == .format)
        #expect(refused { $0.textIndexParams.stemmer = Qdrant_StemmingAlgorithm() }?.code == .format)
        #expect(refused { $0.textIndexParams.stemmer.snowball = Qdrant_SnowballParams() }?.code == .format)
        #expect(refused { $0.textIndexParams.stopwords.languages = ["klingon"] }?.code == .format)
        #expect(refused { $0.textIndexParams.scoring = Qdrant_TextScoringParams() } != nil)
        #expect(refused { $0.boolIndexParams.nested = "a" } != nil)
    }

    @Test("The definition of a vector is read from its message")
    func vectors() throws {
        var message = Qdrant_CreateVectorNameRequest()
        (message.collectionName, message.vectorName, message.timeout) = ("c", "v", 5)
        #expect(throws: OctantError.self) { try VectorDefinition(message) }
        message.denseConfig.distance = .euclid
        #expect(
            throws: OctantError(
                .validation, "Validation error in JSON body: [dense.size: value 0 invalid, must be from 1 to 65536]")
        ) { try VectorDefinition(message) }
        message.denseConfig.size = 3
        message.denseConfig.datatype = .float16
        message.denseConfig.multivectorConfig.comparator = .maxSim
        let dense = VectorParams(size: 3, distance: .euclid, datatype: .float16, multivector: .maxSim)
        #expect(try VectorDefinition(message) == .dense(dense))
        message.denseConfig.multivectorConfig.comparator = .UNRECOGNIZED(7)
        #expect(throws: OctantError.self) { try VectorDefinition(message) }
        message.denseConfig.clearMultivectorConfig()
        message.denseConfig.datatype = .default
        #expect(try VectorDefinition(message) == .dense(VectorParams(size: 3, distance: .euclid)))
        message.denseConfig.distance = .unknownDistance
        #expect(throws: OctantError.self) { try VectorDefinition(message) }

        message.sparseConfig = Qdrant_SparseVectorCreationConfig()
        #expect(try VectorDefinition(message) == .sparse(SparseVectorParams()))
        message.sparseConfig.modifier = .idf
        message.sparseConfig.datatype = .uint8
        let index = SparseIndexConfig(datatype: .uint8)
        #expect(try VectorDefinition(message) == .sparse(SparseVectorParams(index: index, modifier: .idf)))
    }
}
#endif
