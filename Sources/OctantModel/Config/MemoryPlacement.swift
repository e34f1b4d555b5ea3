/// Where data that is on disk is kept while its collection is open.
public enum MemoryPlacement: String, Sendable, Hashable, CaseIterable {
    /// On disk until it is read.
    case cold
    /// Read ahead when it is opened; the system may drop it again.
    case cached
    /// Resident.
    case pinned
}

/// What a process does with structures that are to be in memory, so that it comes up where memory is short. Nothing of
/// it is stored: the next start without it finds the collections as they were.
public enum LowMemoryMode: String, Sendable, Hashable, CaseIterable {
    /// Every structure is placed as its collection says.
    case disabled
    /// Nothing is copied to memory or locked there: what would be is mapped and read ahead, and the system may drop it.
    case noResident = "no_resident"
    /// Nothing is read ahead either.
    case noPopulate = "no_populate"
}

/// How a structure's file is held while its segment is open.
public enum Residence: String, Sendable, Hashable, CaseIterable {
    /// Mapped; nothing is read ahead, and opening leaves nothing of it in memory.
    case cold
    /// Mapped in huge pages, where the file system can, and read ahead; the system may drop it.
    case cached
    /// Copied to memory with huge pages: what the engine does where nobody said otherwise.
    case copied
    /// Copied, and locked as far as the process may lock memory.
    case pinned

    /// The residence for a placement; `nil`: that of the older flag.
    init(_ placement: MemoryPlacement?, otherwise: Residence) {
        switch placement {
        case nil: self = otherwise
        case .cold?: self = .cold
        case .cached?: self = .cached
        case .pinned?: self = .pinned
        }
    }

    /// What is left of it in a process of little memory.
    public func limited(by mode: LowMemoryMode) -> Residence {
        switch (mode, self) {
        case (.noPopulate, _), (_, .cold): .cold
        case (.noResident, _): .cached
        case (.disabled, _): self
        }
    }
}

// The older flags say the same with two levels. Where both are set, `memory` decides.

extension VectorParams {
    /// Whether the original vectors stay on disk until they are read.
    public var isOnDisk: Bool { residence == .cold }

    /// How the original vectors are held: ``Residence/cold`` or ``Residence/cached``.
    public var residence: Residence { Residence(memory, otherwise: onDisk == true ? .cold : .cached) }
}

extension HNSWConfig {
    /// How the graph is held.
    public var residence: Residence { Residence(memory, otherwise: onDisk == true ? .cold : .copied) }
}

extension SparseIndexConfig {
    /// How the index is held.
    public var residence: Residence { Residence(memory, otherwise: onDisk == true ? .cold : .copied) }
}

extension CollectionParams {
    /// How payload is held: ``Residence/cold`` or ``Residence/cached``.
    public var payloadResidence: Residence { Residence(payloadMemory, otherwise: onDiskPayload ? .cold : .cached) }
}

extension QuantizationConfig {
    /// How the codes are held, beside originals that are on disk or not.
    public func residence(originalsOnDisk: Bool) -> Residence {
        Residence(memory, otherwise: alwaysRAM == true ? .pinned : originalsOnDisk ? .cold : .copied)
    }
}

extension FieldIndexSchema {
    /// How the index is held.
    public var residence: Residence {
        guard let options = params?.object else { return .copied }
        var placement: MemoryPlacement?
        if case .string(let name)? = options["memory"] { placement = MemoryPlacement(rawValue: name) }
        return Residence(placement, otherwise: options["on_disk"] == .bool(true) ? .cold : .copied)
    }
}
