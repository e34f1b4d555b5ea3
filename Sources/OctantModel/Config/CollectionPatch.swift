/// A change of a collection's configuration: what is unset stays.
public struct CollectionPatch: Sendable {
    /// Changes of vectors by name (`""` is the unnamed one).
    public var vectors: [VectorPatch] = []
    /// Change of the graph's parameters.
    public var hnsw: HNSWConfigDiff?
    /// Change of the optimizer's parameters.
    public var optimizer: OptimizerConfigDiff?
    /// Change of compression.
    public var quantization: QuantizationPatch?
    /// New copies of each shard.
    public var replicationFactor: Int?
    /// New number of acknowledgements.
    public var writeConsistencyFactor: Int?
    /// New placement of payload.
    public var onDiskPayload: Bool?
    /// Replaces the set fields of the strict-mode object.
    public var strictMode: JSONObject?
    /// Merged into the metadata; a null removes its key.
    public var metadata: JSONObject?

    /// No change.
    public init() {}
}

/// A change of one vector's parameters.
public struct VectorPatch: Sendable, Hashable {
    /// The vector's name.
    public var name: String
    /// Change of its graph parameters.
    public var hnsw: HNSWConfigDiff?
    /// Change of its compression.
    public var quantization: QuantizationPatch?
    /// New placement of its originals.
    public var onDisk: Bool?

    /// A change of the vector of this name.
    public init(name: String, hnsw: HNSWConfigDiff? = nil, quantization: QuantizationPatch? = nil, onDisk: Bool? = nil) {
        self.name = name
        self.hnsw = hnsw
        self.quantization = quantization
        self.onDisk = onDisk
    }
}

/// A change of compression.
public enum QuantizationPatch: Sendable, Hashable {
    /// No compression from now on.
    case disabled
    /// This compression from now on.
    case set(QuantizationConfig)
}

/// What a collection is doing, as a client sees it.
public struct CollectionInfo: Sendable {
    /// The lights of `status`.
    public enum Status: String, Sendable {
        /// All is optimal.
        case green
        /// Background work is running.
        case yellow
        /// Background work is due and has not begun.
        case grey
        /// Background work failed, or the log did.
        case red
    }

    /// The light.
    public var status: Status
    /// Why background work failed; `nil` if it did not.
    public var optimizerError: String?
    /// Things the user should know.
    public var warnings: [String]
    /// Vectors that a graph (or, for small segments, nothing) covers.
    public var indexedVectorsCount: Int
    /// Points.
    public var pointsCount: Int
    /// Segments, the memtable included.
    public var segmentsCount: Int
    /// The configuration.
    public var config: CollectionConfig
    /// Field indexes by key, and how many points have an indexed value.
    public var payloadSchema: [(key: String, schema: FieldIndexSchema, points: Int)]
    /// Writes that are logged and not yet applied.
    public var updateQueueLength: Int

    /// A report.
    public init(
        status: Status, optimizerError: String?, warnings: [String], indexedVectorsCount: Int, pointsCount: Int,
        segmentsCount: Int, config: CollectionConfig, payloadSchema: [(key: String, schema: FieldIndexSchema, points: Int)],
        updateQueueLength: Int
    ) {
        self.status = status
        self.optimizerError = optimizerError
        self.warnings = warnings
        self.indexedVectorsCount = indexedVectorsCount
        self.pointsCount = pointsCount
        self.segmentsCount = segmentsCount
        self.config = config
        self.payloadSchema = payloadSchema
        self.updateQueueLength = updateQueueLength
    }
}
