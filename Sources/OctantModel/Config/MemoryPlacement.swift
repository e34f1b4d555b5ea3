/// Where data that is on disk is kept while its collection is open.
public enum MemoryPlacement: String, Sendable, Hashable, CaseIterable {
    /// On disk until it is read.
    case cold
    /// Read ahead when it is opened; the system may drop it again.
    case cached
    /// Resident.
    case pinned
}

// The older flags say the same with two levels. Where both are set, `memory` decides.

extension VectorParams {
    /// Whether the original vectors stay on disk until they are read.
    public var isOnDisk: Bool { memory.map { $0 == .cold } ?? onDisk ?? false }
}

extension HNSWConfig {
    /// Whether the graph stays on disk until it is read.
    public var isOnDisk: Bool { memory.map { $0 == .cold } ?? onDisk ?? false }
}

extension SparseIndexConfig {
    /// Whether the index stays on disk until it is read.
    public var isOnDisk: Bool { memory.map { $0 == .cold } ?? onDisk ?? false }
}

extension CollectionParams {
    /// Whether payload stays on disk until it is read.
    public var payloadIsOnDisk: Bool { payloadMemory.map { $0 == .cold } ?? onDiskPayload }
}

extension QuantizationConfig {
    /// Whether codes are kept resident, beside original vectors that are on disk or not.
    public func isResident(originalsOnDisk: Bool) -> Bool {
        memory.map { $0 != .cold } ?? (alwaysRAM == true || !originalsOnDisk)
    }
}
