/// What a collection is: its vectors and how they are kept, indexed and compressed.
public struct CollectionConfig: Sendable, Hashable {
    /// Vectors, shards and payload placement.
    public var params: CollectionParams
    /// The graph's parameters.
    public var hnsw: HNSWConfig
    /// When and how background work runs.
    public var optimizer: OptimizerConfig
    /// The log's parameters.
    public var wal: WALConfig
    /// Compression of vectors, if any.
    public var quantization: QuantizationConfig?
    /// The strict-mode object as it was given (stored and echoed).
    public var strictMode: Payload?
    /// Free-form data of the user.
    public var metadata: Payload?

    /// A configuration; what is not given has Qdrant's defaults.
    public init(
        params: CollectionParams, hnsw: HNSWConfig = HNSWConfig(), optimizer: OptimizerConfig = OptimizerConfig(),
        wal: WALConfig = WALConfig(), quantization: QuantizationConfig? = nil, strictMode: Payload? = nil,
        metadata: Payload? = nil
    ) {
        self.params = params
        self.hnsw = hnsw
        self.optimizer = optimizer
        self.wal = wal
        self.quantization = quantization
        self.strictMode = strictMode
        self.metadata = metadata
    }
}

/// The part of a configuration that says what the data is.
public struct CollectionParams: Sendable, Hashable {
    /// The dense vectors of each point.
    public var vectors: VectorsConfig
    /// The sparse vectors of each point; no name is also one of ``vectors``.
    public var sparseVectors: [NamedSparseVectorParams]
    /// How many shards.
    public var shardNumber: Int
    /// Copies of each shard.
    public var replicationFactor: Int
    /// Copies that must acknowledge a write.
    public var writeConsistencyFactor: Int
    /// Whether payload stays on disk until it is read.
    public var onDiskPayload: Bool
    /// How many other copies a read asks too. Kept for clients; there are no other copies.
    public var readFanOutFactor: Int?
    /// Milliseconds before a read asks another copy. Kept for clients; there are no other copies.
    public var readFanOutDelayMilliseconds: Int?
    /// Placement of payload; wins over ``onDiskPayload``. Never ``MemoryPlacement/pinned``.
    public var payloadMemory: MemoryPlacement?
    /// How points are spread over shards, if that was said.
    public var shardingMethod: ShardingMethod?

    /// Parameters.
    public init(
        vectors: VectorsConfig, sparseVectors: [NamedSparseVectorParams] = [], shardNumber: Int = 1,
        replicationFactor: Int = 1, writeConsistencyFactor: Int = 1, onDiskPayload: Bool = true
    ) {
        self.vectors = vectors
        self.sparseVectors = sparseVectors
        self.shardNumber = shardNumber
        self.replicationFactor = replicationFactor
        self.writeConsistencyFactor = writeConsistencyFactor
        self.onDiskPayload = onDiskPayload
    }
}

/// How points are spread over shards.
public enum ShardingMethod: String, Sendable, Hashable {
    /// By their ids.
    case auto
}

/// The vectors of each point: a single unnamed one, or several by name.
public enum VectorsConfig: Sendable, Hashable {
    /// One unnamed vector.
    case single(VectorParams)
    /// Vectors by name, in the order they were given; may be empty.
    case named([NamedVectorParams])

    /// All vectors; the unnamed one has the name `""`.
    public var all: [NamedVectorParams] {
        switch self {
        case .single(let params): [NamedVectorParams(name: "", params: params)]
        case .named(let list): list
        }
    }

    /// The parameters of the vector of this name.
    public internal(set) subscript(name: String) -> VectorParams? {
        get { all.first { $0.name == name }?.params }
        set {
            guard let newValue else { return }
            switch self {
            case .single: self = .single(newValue)
            case .named(var list):
                for place in list.indices where list[place].name == name { list[place].params = newValue }
                self = .named(list)
            }
        }
    }
}

/// A vector's name and parameters.
public struct NamedVectorParams: Sendable, Hashable {
    /// The name; `""` for the unnamed vector.
    public var name: String
    /// The parameters.
    public var params: VectorParams

    /// A named vector.
    public init(name: String, params: VectorParams) {
        self.name = name
        self.params = params
    }
}

/// One dense vector of each point.
public struct VectorParams: Sendable, Hashable {
    /// Dimensions, 1 to 65536.
    public var size: Int
    /// How vectors are compared.
    public var distance: Distance
    /// What differs from the collection's graph parameters.
    public var hnsw: HNSWConfigDiff?
    /// Compression instead of the collection's.
    public var quantization: QuantizationConfig?
    /// Whether the original vectors stay on disk until they are read; unset: they are kept resident.
    public var onDisk: Bool?
    /// Placement of the original vectors; wins over ``onDisk``. Never ``MemoryPlacement/pinned``.
    public var memory: MemoryPlacement?
    /// The form of the components; unset: ``VectorDatatype/float32``.
    public var datatype: VectorDatatype?
    /// How multivectors are compared; `nil`: each point has one row of this vector.
    public var multivector: MultivectorComparator?

    /// Parameters.
    public init(
        size: Int, distance: Distance, hnsw: HNSWConfigDiff? = nil, quantization: QuantizationConfig? = nil,
        onDisk: Bool? = nil, datatype: VectorDatatype? = nil, multivector: MultivectorComparator? = nil,
        memory: MemoryPlacement? = nil
    ) {
        self.memory = memory
        self.datatype = datatype
        self.multivector = multivector
        self.size = size
        self.distance = distance
        self.hnsw = hnsw
        self.quantization = quantization
        self.onDisk = onDisk
    }
}

/// How two multivectors are compared.
public enum MultivectorComparator: String, Sendable, Hashable {
    /// The sum over the query's rows of the best similarity with a row of the other.
    case maxSim = "max_sim"
}

/// Parameters of the HNSW graph.
public struct HNSWConfig: Sendable, Hashable {
    /// Links per node; level 0 has twice as many; 0: no graph.
    public var m: Int = 16
    /// Candidates kept while building; also the default `ef` of a search.
    public var efConstruct: Int = 100
    /// Kilobytes of vectors below which a scan is used instead of the graph.
    public var fullScanThreshold: Int = 10_000
    /// Threads of one build; 0: chosen by the machine.
    public var maxIndexingThreads: Int = 0
    /// Whether the graph stays on disk until it is read.
    public var onDisk: Bool? = false
    /// Placement of the graph; wins over ``onDisk``.
    public var memory: MemoryPlacement?
    /// Links inside subgraphs per payload value (stored; this engine needs no such links).
    public var payloadM: Int?
    /// Whether codes of neighbours and originals are kept beside the links of a graph on disk; see ``InlineStorage``.
    public var inlineStorage: Bool?

    /// Qdrant's defaults.
    public init() {}

    /// These parameters with the set fields of `diff`.
    public func applying(_ diff: HNSWConfigDiff?) -> HNSWConfig {
        guard let diff else { return self }
        var merged = self
        if let value = diff.m { merged.m = value }
        if let value = diff.efConstruct { merged.efConstruct = value }
        if let value = diff.fullScanThreshold { merged.fullScanThreshold = value }
        if let value = diff.maxIndexingThreads { merged.maxIndexingThreads = value }
        if let value = diff.onDisk { merged.onDisk = value }
        if let value = diff.memory { merged.memory = value }
        if let value = diff.payloadM { merged.payloadM = value }
        if let value = diff.inlineStorage { merged.inlineStorage = value }
        return merged
    }
}

/// A change of graph parameters: what is unset stays.
public struct HNSWConfigDiff: Sendable, Hashable {
    /// See ``HNSWConfig/m``.
    public var m: Int?
    /// See ``HNSWConfig/efConstruct``; at least 4.
    public var efConstruct: Int?
    /// See ``HNSWConfig/fullScanThreshold``; at least 10.
    public var fullScanThreshold: Int?
    /// See ``HNSWConfig/maxIndexingThreads``.
    public var maxIndexingThreads: Int?
    /// See ``HNSWConfig/onDisk``.
    public var onDisk: Bool?
    /// See ``HNSWConfig/memory``.
    public var memory: MemoryPlacement?
    /// See ``HNSWConfig/payloadM``.
    public var payloadM: Int?
    /// See ``HNSWConfig/inlineStorage``.
    public var inlineStorage: Bool?

    /// No change.
    public init() {}

    /// This diff with the set fields of a later one.
    public func merging(_ later: HNSWConfigDiff) -> HNSWConfigDiff {
        var merged = self
        if let value = later.m { merged.m = value }
        if let value = later.efConstruct { merged.efConstruct = value }
        if let value = later.fullScanThreshold { merged.fullScanThreshold = value }
        if let value = later.maxIndexingThreads { merged.maxIndexingThreads = value }
        if let value = later.onDisk { merged.onDisk = value }
        if let value = later.memory { merged.memory = value }
        if let value = later.payloadM { merged.payloadM = value }
        if let value = later.inlineStorage { merged.inlineStorage = value }
        return merged
    }
}

/// When and how background work runs. Sizes are kilobytes of vectors.
public struct OptimizerConfig: Sendable, Hashable {
    /// Share of deleted points that makes a segment worth rewriting, 0–1.
    public var deletedThreshold: Double = 0.2
    /// Segments with fewer vectors are not rewritten for their deleted points.
    public var vacuumMinVectorNumber: Int = 1000
    /// Segments to aim at; 0: chosen by the engine.
    public var defaultSegmentNumber: Int = 0
    /// No merge makes a segment larger; unset: by the number of indexing threads.
    public var maxSegmentSize: Int?
    /// Stored; mapping is decided by `on_disk`.
    public var memmapThreshold: Int?
    /// Size from which a segment gets a graph; 0: never.
    public var indexingThreshold: Int? = 10_000
    /// Seconds between checkpoints of a quiet collection.
    public var flushIntervalSeconds: Int = 5
    /// Jobs at once; unset: chosen by the engine; 0: background work is off.
    public var maxOptimizationThreads: Int?
    /// Whether points beyond ``indexingThreshold`` are kept from reads until they are indexed; unset: no.
    public var preventsUnoptimized: Bool?

    /// Qdrant's defaults.
    public init() {}
}

/// A change of optimizer parameters: what is unset stays.
public struct OptimizerConfigDiff: Sendable, Hashable {
    /// See ``OptimizerConfig/deletedThreshold``.
    public var deletedThreshold: Double?
    /// See ``OptimizerConfig/vacuumMinVectorNumber``.
    public var vacuumMinVectorNumber: Int?
    /// See ``OptimizerConfig/defaultSegmentNumber``.
    public var defaultSegmentNumber: Int?
    /// See ``OptimizerConfig/maxSegmentSize``.
    public var maxSegmentSize: Int?
    /// See ``OptimizerConfig/memmapThreshold``.
    public var memmapThreshold: Int?
    /// See ``OptimizerConfig/indexingThreshold``.
    public var indexingThreshold: Int?
    /// See ``OptimizerConfig/flushIntervalSeconds``.
    public var flushIntervalSeconds: Int?
    /// See ``OptimizerConfig/maxOptimizationThreads``; `.some(nil)` is `"auto"`.
    public var maxOptimizationThreads: Int??
    /// See ``OptimizerConfig/preventsUnoptimized``.
    public var preventsUnoptimized: Bool?

    /// No change.
    public init() {}
}

extension OptimizerConfig {
    /// These parameters with the set fields of `diff`.
    public func applying(_ diff: OptimizerConfigDiff?) -> OptimizerConfig {
        guard let diff else { return self }
        var merged = self
        if let value = diff.deletedThreshold { merged.deletedThreshold = value }
        if let value = diff.vacuumMinVectorNumber { merged.vacuumMinVectorNumber = value }
        if let value = diff.defaultSegmentNumber { merged.defaultSegmentNumber = value }
        if let value = diff.maxSegmentSize { merged.maxSegmentSize = value }
        if let value = diff.memmapThreshold { merged.memmapThreshold = value }
        if let value = diff.indexingThreshold { merged.indexingThreshold = value }
        if let value = diff.flushIntervalSeconds { merged.flushIntervalSeconds = value }
        if let value = diff.maxOptimizationThreads { merged.maxOptimizationThreads = value }
        if let value = diff.preventsUnoptimized { merged.preventsUnoptimized = value }
        return merged
    }
}

/// Parameters of the write-ahead log.
public struct WALConfig: Sendable, Hashable {
    /// Megabytes of one log file.
    public var capacityMB: Int = 32
    /// Files prepared ahead.
    public var segmentsAhead: Int = 0
    /// Closed files kept for reuse.
    public var retainClosed: Int = 1

    /// Qdrant's defaults.
    public init() {}
}
