extension VectorParams {
    /// Reads the parameters of one vector.
    package init(_ fields: JSONFields) throws(OctantError) {
        guard let size = try fields.int("size", from: 1, to: Limits.dimensionMax) else { throw fields.missing("size") }
        guard let name = try fields.string("distance") else { throw fields.missing("distance") }
        guard let distance = Distance(rawValue: name) else {
            throw .json(
                "\(fields.path("distance")): unknown variant `\(name)`, expected one of `Cosine`, `Euclid`, `Dot`, "
                    + "`Manhattan`")
        }
        self.init(
            size: size, distance: distance, hnsw: try fields.fields("hnsw_config").map(HNSWConfigDiff.init),
            quantization: try fields.quantization(), onDisk: try fields.bool("on_disk"),
            datatype: try fields.datatype(), multivector: try fields.multivector(),
            memory: try fields.memory(unpinned: VectorPatch.storage))
        if multivector != nil, let datatype, datatype.isTurbo {
            throw .unsupported("`\(fields.path("datatype"))` \"\(datatype.rawValue)\" of multivectors is")
        }
        if multivector != nil, datatype == .uint8, distance == .cosine {
            throw .unsupported("`\(fields.path("datatype"))` \"uint8\" of multivectors with Cosine is")
        }
    }

    /// The set fields.
    package var json: JSONObject {
        var object: JSONObject = ["size": .integer(Int64(size)), "distance": .string(distance.rawValue)]
        if let hnsw { object["hnsw_config"] = .object(hnsw.json) }
        if let quantization { object["quantization_config"] = .object(quantization.json) }
        object.put("on_disk", onDisk)
        object.put("memory", memory)
        if let datatype { object["datatype"] = .string(datatype.rawValue) }
        if let multivector {
            object["multivector_config"] = .object(["comparator": .string(multivector.rawValue)])
        }
        return object
    }
}

extension JSONFields {
    /// `quantization_config` (or `quantization`) of a request.
    func quantization() throws(OctantError) -> QuantizationConfig? {
        guard let (key, value) = first("quantization_config", "quantization") else { return nil }
        return try QuantizationConfig(try JSONFields(value, path: path(key)))
    }
}

extension VectorsConfig {
    /// Reads `vectors`: the parameters of the unnamed vector, or a map of names.
    package init(_ fields: JSONFields) throws(OctantError) {
        let pairs = fields.object.pairs
        let isSingle = pairs.contains { ($0.key == "size" || $0.key == "distance") && !$0.value.isObject }
        if isSingle {
            self = .single(try VectorParams(fields))
            return
        }
        var list: [NamedVectorParams] = []
        for (name, value) in pairs {
            try Self.check(name: name)
            // Map keys print as `?` in validation texts.
            let params = try VectorParams(try JSONFields(value, path: fields.path("?")))
            list.append(NamedVectorParams(name: name, params: params))
        }
        self = .named(list)
    }

    /// Refuses names that are too long or that could not be parts of a path.
    static func check(name: String, path: String = "vectors") throws(OctantError) {
        guard name.utf8.count <= Limits.vectorNameBytesMax else {
            throw .invalid(path, "vector name must be at most \(Limits.vectorNameBytesMax) bytes long")
        }
        if let bad = Limits.forbiddenCharacter(in: name) {
            throw .invalid(path, "vector name cannot contain \(bad)")
        }
    }

    /// As GET of a collection shows it.
    package var json: JSONObject {
        switch self {
        case .single(let params): params.json
        case .named(let list): JSONObject(list.map { (key: $0.name, value: .object($0.params.json)) })
        }
    }
}

extension VectorPatch {
    /// What cannot be pinned, as the refusal names it.
    static let storage = "dense vector storage"
}

extension JSONValue {
    /// Whether this is an object.
    var isObject: Bool {
        if case .object = self { return true }
        return false
    }
}

extension Limits {
    /// A character no new collection or vector may have in its name, as texts show it; `nil` if all are allowed.
    package static func forbiddenCharacter(in name: String) -> String? {
        for byte in name.utf8 {
            switch byte {
            case 0: return "\"\\0\""
            case 0x1F: return "\"\\u{1f}\""
            case UInt8(ascii: "<"), UInt8(ascii: ">"), UInt8(ascii: ":"), UInt8(ascii: "/"), UInt8(ascii: "|"),
                UInt8(ascii: "?"), UInt8(ascii: "*"):
                return "\"\(Character(UnicodeScalar(byte)))\""
            case UInt8(ascii: "\""): return "\"\\\"\""
            case UInt8(ascii: "\\"): return "\"\\\\\""
            default: continue
            }
        }
        return nil
    }
}

extension CreateCollection {
    /// Reads the body of a request to create a collection.
    package init(json: JSONValue) throws(OctantError) {
        try self.init(JSONFields(json, path: ""))
    }

    private init(_ fields: JSONFields) throws(OctantError) {
        self.init()
        try fields.refuse("init_from") { _, value in value == .object([:]) }
        try fields.refuse("sharding_method") { _, value in value == .string("auto") }
        shardingMethod = fields["sharding_method"].map { _ in .auto }
        try fields.refuse("read_fan_out_factor", "read_fan_out_delay_ms", "id_tracker")
        if let vectors = try fields.fields("vectors") { self.vectors = try VectorsConfig(vectors) }
        if let sparse = try fields.fields("sparse_vectors") {
            sparseVectors = try NamedSparseVectorParams.list(sparse)
            for vector in sparseVectors where self.vectors[vector.name] != nil {
                throw OctantError(
                    .badInput,
                    "Dense and sparse vector names must be unique - duplicate found with '\(vector.name)'")
            }
        }
        shardNumber = try fields.int("shard_number", from: 1, to: Int(UInt32.max))
        replicationFactor = try fields.int("replication_factor", from: 1, to: Int(UInt32.max))
        writeConsistencyFactor = try fields.int("write_consistency_factor", from: 1, to: Int(UInt32.max))
        onDiskPayload = try fields.bool("on_disk_payload")
        payloadMemory = try fields.fields("payload")?.memory(unpinned: "payload storage")
        hnsw = try fields.fields("hnsw_config").map(HNSWConfigDiff.init)
        wal = try fields.fields("wal_config").map(WALConfigDiff.init)
        if let (key, value) = fields.first("optimizers_config", "optimizer_config") {
            optimizer = try OptimizerConfigDiff(try JSONFields(value, path: fields.path(key)))
        }
        quantization = try fields.quantization()
        strictMode = try fields.strictMode().map(Payload.init)
        metadata = try fields.object("metadata").map(Payload.init)
    }
}

extension CollectionConfig {
    /// Reads a configuration in the form of ``json``.
    package init(json: JSONValue) throws(OctantError) {
        let fields = try JSONFields(json, path: "")
        guard let params = try fields.fields("params") else { throw fields.missing("params") }
        var members = params.object
        for (key, value) in fields.object.pairs where key != "params" { members[key] = value }
        let (fanOut, delay) = (params.object["read_fan_out_factor"], params.object["read_fan_out_delay_ms"])
        members["read_fan_out_factor"] = nil
        members["read_fan_out_delay_ms"] = nil
        let create = try CreateCollection(json: .object(members))
        self = create.config()
        self.params.readFanOutFactor = try fanOut.map { (value) throws(OctantError) in
            try JSONFields.int(value, path: "params.read_fan_out_factor")
        }
        self.params.readFanOutDelayMilliseconds = try delay.map { (value) throws(OctantError) in
            try JSONFields.int(value, path: "params.read_fan_out_delay_ms")
        }
        // In a whole configuration a null threshold is a value, not an absence.
        if let optimizer = try fields.fields("optimizer_config")?.object {
            if optimizer["indexing_threshold"] == .null { self.optimizer.indexingThreshold = nil }
        }
        if let hnsw = try fields.fields("hnsw_config"), hnsw["on_disk"] == nil { self.hnsw.onDisk = nil }
    }

    /// The configuration as GET of a collection shows it under `config`. The manifest has the same form.
    package var json: JSONValue {
        var params = JSONObject()
        params["vectors"] = .object(self.params.vectors.json)
        if !self.params.sparseVectors.isEmpty {
            params["sparse_vectors"] = .object(
                JSONObject(self.params.sparseVectors.map { (key: $0.name, value: .object($0.params.json)) }))
        }
        params.put("shard_number", self.params.shardNumber)
        params.put("replication_factor", self.params.replicationFactor)
        params.put("write_consistency_factor", self.params.writeConsistencyFactor)
        params.put("on_disk_payload", self.params.onDiskPayload)
        if let memory = self.params.payloadMemory { params["payload"] = .object(["memory": .string(memory.rawValue)]) }
        if let method = self.params.shardingMethod { params["sharding_method"] = .string(method.rawValue) }
        params.put("read_fan_out_factor", self.params.readFanOutFactor)
        params.put("read_fan_out_delay_ms", self.params.readFanOutDelayMilliseconds)
        var object: JSONObject = [
            "params": .object(params), "hnsw_config": .object(hnsw.json), "optimizer_config": .object(optimizer.json),
            "wal_config": .object(wal.json), "quantization_config": quantization.map { .object($0.json) } ?? .null,
        ]
        if let strictMode { object["strict_mode_config"] = .object(strictMode.object) }
        if let metadata { object["metadata"] = .object(metadata.object) }
        return .object(object)
    }
}

extension CollectionPatch {
    /// Reads the body of a PATCH of a collection.
    package init(json: JSONValue) throws(OctantError) {
        try self.init(JSONFields(json, path: ""))
    }

    private init(_ fields: JSONFields) throws(OctantError) {
        self.init()
        if let sparse = try fields.fields("sparse_vectors") {
            for (name, value) in sparse.object.pairs {
                let params = try SparseVectorParams(try JSONFields(value, path: sparse.path("?")))
                sparseVectors.append(SparseVectorPatch(name: name, params: params))
            }
        }
        if let vectors = try fields.fields("vectors") {
            for (name, value) in vectors.object.pairs {
                let change = try JSONFields(value, path: vectors.path("?"))
                self.vectors.append(
                    VectorPatch(
                        name: name, hnsw: try change.fields("hnsw_config").map(HNSWConfigDiff.init),
                        quantization: try QuantizationPatch(change, "quantization_config"),
                        onDisk: try change.bool("on_disk"),
                        memory: try change.memory(unpinned: VectorPatch.storage)))
            }
        }
        if let params = try fields.fields("params") {
            try params.refuse("id_tracker")
            payloadMemory = try params.fields("payload")?.memory(unpinned: "payload storage")
            readFanOutFactor = try params.int("read_fan_out_factor", to: Int(UInt32.max))
            readFanOutDelayMilliseconds = try params.int("read_fan_out_delay_ms")
            replicationFactor = try params.int("replication_factor", from: 1, to: Int(UInt32.max))
            writeConsistencyFactor = try params.int("write_consistency_factor", from: 1, to: Int(UInt32.max))
            onDiskPayload = try params.bool("on_disk_payload")
        }
        hnsw = try fields.fields("hnsw_config").map(HNSWConfigDiff.init)
        if let (key, value) = fields.first("optimizers_config", "optimizer_config") {
            optimizer = try OptimizerConfigDiff(try JSONFields(value, path: fields.path(key)))
        }
        let isAlias = fields["quantization_config"] == nil
        quantization = try QuantizationPatch(fields, isAlias ? "quantization" : "quantization_config")
        strictMode = try fields.strictMode()
        metadata = try fields.object("metadata")
    }
}
