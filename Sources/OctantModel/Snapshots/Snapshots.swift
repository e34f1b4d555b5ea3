/// A stored snapshot, as lists show it.
public struct SnapshotDescription: Sendable, Hashable {
    /// The name of its file.
    public var name: String
    /// When it was taken, UTC to the second, such as `2026-11-23T16:00:00`; `nil` for a file that is no snapshot of ours.
    public var creationTime: String?
    /// Bytes of its file.
    public var size: Int
    /// The SHA-256 of its file, 64 hexadecimal digits; `nil` if it is not known.
    public var checksum: String?

    /// A description of these.
    public init(name: String, creationTime: String? = nil, size: Int, checksum: String? = nil) {
        self.name = name
        self.creationTime = creationTime
        self.size = size
        self.checksum = checksum
    }
}

/// What a snapshot is of.
public enum SnapshotScope: Sendable, Hashable {
    /// All collections and aliases.
    case storage
    /// One collection, by name or alias.
    case collection(String)
    /// One shard of a collection. A collection has one, number 0, so that this is all of its points.
    case shard(collection: String, id: Int)
}

/// Which data wins when a snapshot is recovered on one of several replicas.
///
/// There is but one replica here: each of these puts the snapshot in place of what is there.
public enum SnapshotPriority: String, Sendable {
    /// The snapshot's, without telling other replicas.
    case noSync = "no_sync"
    /// The snapshot's.
    case snapshot
    /// That of the other replicas.
    case replica
}

/// The rule for names of snapshots, the only text of a client's that becomes part of a path.
public enum SnapshotName {
    /// The most bytes of a name.
    public static let bytesMax = 255

    /// Whether a file of this name could be a snapshot: letters, digits, `.`, `_` and `-`, at most 255 of them, and not
    /// `.` or `..`.
    public static func isValid(_ name: String) -> Bool {
        guard (1...bytesMax).contains(name.utf8.count), name != ".", name != ".." else { return false }
        return name.utf8.allSatisfy(isAllowed)
    }

    /// Whether names may contain this byte.
    package static func isAllowed(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-"):
            true
        default: false
        }
    }
}
