/// A request to create a collection: what is unset has the server's defaults.
public struct CreateCollection: Sendable, Hashable {
    /// The vectors of each point; none by default.
    public var vectors: VectorsConfig = .named([])
    /// The sparse vectors of each point; none by default.
    public var sparseVectors: [NamedSparseVectorParams] = []
    /// How many shards.
    public var shardNumber: Int?
    /// Copies of each shard.
    public var replicationFactor: Int?
    /// Copies that must acknowledge a write.
    public var writeConsistencyFactor: Int?
    /// Whether payload stays on disk until it is read.
    public var onDiskPayload: Bool?
    /// Placement of payload, in more levels.
    public var payloadMemory: MemoryPlacement?
    /// How points are spread over shards.
    public var shardingMethod: ShardingMethod?
    /// What differs from the server's graph parameters.
    public var hnsw: HNSWConfigDiff?
    /// What differs from the server's optimizer parameters.
    public var optimizer: OptimizerConfigDiff?
    /// What differs from the server's log parameters.
    public var wal: WALConfigDiff?
    /// Compression of vectors.
    public var quantization: QuantizationConfig?
    /// The strict-mode object.
    public var strictMode: Payload?
    /// Free-form data of the user.
    public var metadata: Payload?

    /// A request for a collection without vectors.
    public init() {}

    /// The configuration this request asks for where `defaults` hold.
    public func config(defaults: CollectionDefaults = CollectionDefaults()) -> CollectionConfig {
        var params = CollectionParams(
            vectors: defaults.placing(vectors), sparseVectors: sparseVectors, shardNumber: shardNumber ?? 1,
            replicationFactor: replicationFactor ?? 1, writeConsistencyFactor: writeConsistencyFactor ?? 1,
            onDiskPayload: onDiskPayload ?? defaults.onDiskPayload)
        // A placement by the older flag is the collection's own word too.
        params.payloadMemory = payloadMemory ?? (onDiskPayload == nil ? defaults.payloadMemory : nil)
        params.shardingMethod = shardingMethod
        return CollectionConfig(
            params: params, hnsw: defaults.hnsw.applying(hnsw), optimizer: defaults.optimizer.applying(optimizer),
            wal: defaults.wal.applying(wal), quantization: quantization, strictMode: strictMode, metadata: metadata)
    }
}

/// What a server gives to collections that do not say otherwise.
public struct CollectionDefaults: Sendable, Hashable {
    /// Graph parameters.
    public var hnsw = HNSWConfig()
    /// Optimizer parameters.
    public var optimizer = OptimizerConfig()
    /// Log parameters.
    public var wal = WALConfig()
    /// Placement of payload.
    public var onDiskPayload = true
    /// Placement of payload in more levels; wins over ``onDiskPayload``.
    public var payloadMemory: MemoryPlacement?
    /// Placement of original vectors.
    public var vectorsOnDisk: Bool?
    /// Placement of original vectors in more levels; wins over ``vectorsOnDisk``.
    public var vectorsMemory: MemoryPlacement?

    /// Qdrant's defaults.
    public init() {}

    /// `vectors`, each that says nothing of its placement with that of the defaults.
    func placing(_ vectors: VectorsConfig) -> VectorsConfig {
        func placed(_ params: VectorParams) -> VectorParams {
            guard params.onDisk == nil, params.memory == nil else { return params }
            var placed = params
            placed.onDisk = vectorsOnDisk
            placed.memory = vectorsMemory
            return placed
        }
        switch vectors {
        case .single(let params): return .single(placed(params))
        case .named(let named): return .named(named.map { .init(name: $0.name, params: placed($0.params)) })
        }
    }
}

/// A change of log parameters: what is unset stays.
public struct WALConfigDiff: Sendable, Hashable {
    /// See ``WALConfig/capacityMB``; at least 1.
    public var capacityMB: Int?
    /// See ``WALConfig/segmentsAhead``.
    public var segmentsAhead: Int?
    /// See ``WALConfig/retainClosed``; at least 1.
    public var retainClosed: Int?

    /// No change.
    public init() {}
}

extension WALConfig {
    /// These parameters with the set fields of `diff`.
    public func applying(_ diff: WALConfigDiff?) -> WALConfig {
        guard let diff else { return self }
        var merged = self
        if let value = diff.capacityMB { merged.capacityMB = value }
        if let value = diff.segmentsAhead { merged.segmentsAhead = value }
        if let value = diff.retainClosed { merged.retainClosed = value }
        return merged
    }
}
