/// A change of a collection's configuration: what is unset stays.
public struct CollectionPatch: Sendable {
    /// Changes of vectors by name (`""` is the unnamed one).
    public var vectors: [VectorPatch] = []
    /// Changes of sparse vectors by name.
    public var sparseVectors: [SparseVectorPatch] = []
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
    /// New placement of payload, in more levels.
    public var payloadMemory: MemoryPlacement?
    /// New number of copies that a read asks too.
    public var readFanOutFactor: Int?
    /// New milliseconds before a read asks another copy.
    public var readFanOutDelayMilliseconds: Int?
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
    /// New placement of its originals, in more levels.
    public var memory: MemoryPlacement?

    /// A change of the vector of this name.
    public init(
        name: String, hnsw: HNSWConfigDiff? = nil, quantization: QuantizationPatch? = nil, onDisk: Bool? = nil,
        memory: MemoryPlacement? = nil
    ) {
        self.memory = memory
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

extension CollectionConfig {
    /// This configuration with the set fields of `patch`. Throws `badInput` for a vector that does not exist.
    public func applying(_ patch: CollectionPatch) throws(OctantError) -> CollectionConfig {
        var changed = self
        for vector in patch.vectors {
            guard var params = params.vectors[vector.name] else { throw .unknownVector(vector.name) }
            if let diff = vector.hnsw {
                // An empty change takes the vector's own parameters away.
                params.hnsw = diff == HNSWConfigDiff() ? nil : (params.hnsw ?? HNSWConfigDiff()).merging(diff)
            }
            if let onDisk = vector.onDisk { params.onDisk = onDisk }
            if let memory = vector.memory { params.memory = memory }
            if let quantization = vector.quantization { params.quantization = quantization.config }
            changed.params.vectors[vector.name] = params
        }
        for patch in patch.sparseVectors {
            guard let place = changed.params.sparseVectors.firstIndex(where: { $0.name == patch.name }) else {
                throw .unknownVector(patch.name)
            }
            let params = changed.params.sparseVectors[place].params
            changed.params.sparseVectors[place].params = params.applying(patch.params)
        }
        changed.hnsw = hnsw.applying(patch.hnsw)
        changed.optimizer = optimizer.applying(patch.optimizer)
        if let quantization = patch.quantization { changed.quantization = quantization.config }
        if let value = patch.replicationFactor { changed.params.replicationFactor = value }
        if let value = patch.writeConsistencyFactor { changed.params.writeConsistencyFactor = value }
        if let value = patch.onDiskPayload { changed.params.onDiskPayload = value }
        if let value = patch.payloadMemory { changed.params.payloadMemory = value }
        if let value = patch.readFanOutFactor { changed.params.readFanOutFactor = value }
        if let value = patch.readFanOutDelayMilliseconds { changed.params.readFanOutDelayMilliseconds = value }
        if let strict = patch.strictMode { changed.strictMode = Self.merging(changed.strictMode, strict) }
        if let metadata = patch.metadata { changed.metadata = Self.merging(changed.metadata, metadata) }
        return changed
    }

    /// The object with the members of another, where a null removes its key.
    private static func merging(_ old: Payload?, _ new: JSONObject) -> Payload {
        var object = old?.object ?? JSONObject()
        for (key, value) in new.pairs { object[key] = value == .null ? nil : value }
        return Payload(object)
    }
}

extension QuantizationPatch {
    fileprivate var config: QuantizationConfig? {
        switch self {
        case .disabled: nil
        case .set(let config): config
        }
    }
}
