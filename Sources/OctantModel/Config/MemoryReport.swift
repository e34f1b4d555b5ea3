/// Bytes of a structure, by where they are.
public struct MemoryUse: Sendable, Hashable {
    /// Of this process alone and in memory: copies of files, and what is not in files yet.
    public var anonymous = 0
    /// Of a mapped file, and in the memory of this process.
    public var mapped = 0
    /// Of a mapped file, and in the system's page cache, whether this process has touched them or not.
    public var cached = 0
    /// On disk.
    public var disk = 0

    /// Nothing.
    public init(anonymous: Int = 0, mapped: Int = 0, cached: Int = 0, disk: Int = 0) {
        self.anonymous = anonymous
        self.mapped = mapped
        self.cached = cached
        self.disk = disk
    }

    /// In the memory of this process.
    public var resident: Int { anonymous + mapped }

    /// The sum of each.
    public static func + (a: MemoryUse, b: MemoryUse) -> MemoryUse {
        MemoryUse(
            anonymous: a.anonymous + b.anonymous, mapped: a.mapped + b.mapped, cached: a.cached + b.cached,
            disk: a.disk + b.disk)
    }
}

/// Where the bytes of a collection are.
public struct MemoryReport: Sendable {
    /// A structure of a segment or a memtable.
    public struct Structure: Sendable {
        /// What it is: `vectors`, `codes`, `graph`, `payload`, `field_index`, `sparse`, `ids` and so on.
        public var kind: String
        /// The vector or key it belongs to; empty: to the points.
        public var subject: String
        /// How its file is held; `nil` for what has none or is always the same.
        public var residence: Residence?
        public var use: MemoryUse

        public init(kind: String, subject: String = "", residence: Residence? = nil, use: MemoryUse) {
            self.kind = kind
            self.subject = subject
            self.residence = residence
            self.use = use
        }
    }

    /// A segment or a memtable.
    public struct Part: Sendable {
        /// The segment's UUID; `nil`: a memtable.
        public var uuid: String?
        /// Rows, dead ones included.
        public var rows: Int
        public var structures: [Structure]

        public init(uuid: String?, rows: Int, structures: [Structure]) {
            self.uuid = uuid
            self.rows = rows
            self.structures = structures
        }

        /// The sum of its structures.
        public var total: MemoryUse { structures.reduce(MemoryUse()) { $0 + $1.use } }
    }

    public var parts: [Part]
    /// The log: its files, and what waits in memory to be applied.
    public var log: MemoryUse

    public init(parts: [Part], log: MemoryUse) {
        self.parts = parts
        self.log = log
    }

    /// The sum of all.
    public var total: MemoryUse { parts.reduce(log) { $0 + $1.total } }
}

/// The memory of the process, as the system counts it.
public struct ProcessMemory: Sendable {
    /// In memory.
    public var resident: Int
    /// Of that, what no file backs.
    public var anonymous: Int
    /// Of that, what cannot be evicted because it is locked.
    public var locked: Int
    /// What all collections have in memory.
    public var collections: MemoryUse
    /// What the process had in memory before it opened a collection: code, stacks, the allocator.
    public var base: Int
    /// Pages asked for from disk by searches that were not in memory, since the start.
    public var diskReads: Int

    public init(resident: Int, anonymous: Int, locked: Int, collections: MemoryUse, base: Int, diskReads: Int) {
        self.resident = resident
        self.anonymous = anonymous
        self.locked = locked
        self.collections = collections
        self.base = base
        self.diskReads = diskReads
    }

    /// The share of what is resident that base and collections explain. What is missing to 1 is what searches and
    /// writes have taken from the allocator since; it is above 1 if the base has shrunk.
    public var explained: Double { resident > 0 ? Double(base + collections.resident) / Double(resident) : 1 }
}
