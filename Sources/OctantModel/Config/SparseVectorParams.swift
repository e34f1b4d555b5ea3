/// A sparse vector of each point.
public struct SparseVectorParams: Sendable, Hashable {
    /// The inverted index as it was asked for; `nil` if nothing was said.
    public var index: SparseIndexConfig?
    /// What is done to a query's weights; `nil` if nothing was said, which is ``SparseModifier/none``.
    public var modifier: SparseModifier?

    /// Parameters.
    public init(index: SparseIndexConfig? = nil, modifier: SparseModifier? = nil) {
        self.index = index
        self.modifier = modifier
    }
}

/// What is done to the weights of a sparse query.
public enum SparseModifier: String, Sendable, Hashable {
    /// Nothing.
    case none
    /// Each weight is multiplied by the inverse document frequency of its dimension.
    case idf
}

/// The inverted index of a sparse vector.
public struct SparseIndexConfig: Sendable, Hashable {
    /// Points passing a filter up to which they are scored one by one; unset: 5000.
    public var fullScanThreshold: Int?
    /// Whether the index stays on disk until it is read.
    public var onDisk: Bool?
    /// Placement of the index; wins over ``onDisk``. Unset: ``MemoryPlacement/pinned``.
    public var memory: MemoryPlacement?
    /// The form of the weights in the index (stored; this engine keeps them as they were given).
    public var datatype: VectorDatatype?

    /// Parameters.
    public init(
        fullScanThreshold: Int? = nil, onDisk: Bool? = nil, datatype: VectorDatatype? = nil,
        memory: MemoryPlacement? = nil
    ) {
        self.memory = memory
        self.fullScanThreshold = fullScanThreshold
        self.onDisk = onDisk
        self.datatype = datatype
    }
}

/// The form of a vector's components.
public enum VectorDatatype: String, Sendable, Hashable {
    /// Four bytes, IEEE 754.
    case float32
    /// Two bytes, IEEE 754.
    case float16
    /// One byte, whole numbers from 0 to 255.
    case uint8
    /// Half a byte: rotated codes, so that what is read back is an approximation.
    case turbo4
    /// One byte: rotated codes, finer ones.
    case turbo8

    /// Whether only rotated codes are kept.
    package var isTurbo: Bool { self == .turbo4 || self == .turbo8 }
}

/// A sparse vector's name and parameters.
public struct NamedSparseVectorParams: Sendable, Hashable {
    /// The name, not empty.
    public var name: String
    /// The parameters.
    public var params: SparseVectorParams

    /// A named sparse vector.
    public init(name: String, params: SparseVectorParams = SparseVectorParams()) {
        self.name = name
        self.params = params
    }
}

extension CollectionParams {
    /// The vectors with one row for each point.
    package var denseVectors: [NamedVectorParams] { vectors.all.filter { $0.params.multivector == nil } }

    /// The vectors with several rows for each point.
    package var multivectors: [NamedVectorParams] { vectors.all.filter { $0.params.multivector != nil } }

    /// The parameters of the sparse vector of this name.
    public func sparse(_ name: String) -> SparseVectorParams? { sparseVectors.first { $0.name == name }?.params }

    /// How the vectors of this name are compared, ``Distance/dot`` for sparse ones; `nil` if there are none.
    package func distance(_ name: String) -> Distance? {
        vectors[name]?.distance ?? sparse(name).map { _ in .dot }
    }

    /// Whether points may have a vector of this name, of whatever kind.
    public func hasVector(_ name: String) -> Bool { vectors[name] != nil || sparse(name) != nil }
}

/// A change of one sparse vector's parameters: what is unset stays.
public struct SparseVectorPatch: Sendable, Hashable {
    /// The vector's name.
    public var name: String
    /// What is set here replaces what was set before.
    public var params: SparseVectorParams

    /// A change of the vector of this name.
    public init(name: String, params: SparseVectorParams) {
        self.name = name
        self.params = params
    }
}

extension SparseVectorParams {
    /// These parameters with the set fields of `change`.
    func applying(_ change: SparseVectorParams) -> SparseVectorParams {
        var merged = self
        if let modifier = change.modifier { merged.modifier = modifier }
        if let index = change.index {
            var whole = self.index ?? SparseIndexConfig()
            if let value = index.fullScanThreshold { whole.fullScanThreshold = value }
            if let value = index.onDisk { whole.onDisk = value }
            if let value = index.memory { whole.memory = value }
            if let value = index.datatype { whole.datatype = value }
            merged.index = whole
        }
        return merged
    }
}
