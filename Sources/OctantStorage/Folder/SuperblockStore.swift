/// The two superblock slots of a data folder, `SUPER-a` and `SUPER-b`, written in turn.
package struct SuperblockStore: Sendable {
    /// What a folder is, found out without writing to it.
    package enum State: Sendable, Equatable {
        /// There is no folder at this path.
        case missing
        /// An empty folder, or one whose creation was interrupted.
        case empty
        /// A folder of ours. `readOnly`: it has features that only allow reading.
        case present(Superblock, readOnly: Bool)
    }

    /// The superblock in force.
    package private(set) var current: Superblock
    /// Whether the folder may only be read.
    package let readOnly: Bool

    private let directory: String
    private let fileSystem: any FileSystem
    static let slots = ["SUPER-a", "SUPER-b"]

    /// Looks at a folder without writing a byte.
    ///
    /// Throws `.incompatible` for a newer major format, an unknown incompatible feature, or a non-empty folder that
    /// is not ours; `.corrupt` when no slot verifies.
    package static func inspect(
        directory: String, fileSystem: any FileSystem
    ) throws(StorageError) -> State {
        guard let kind = try fileSystem.kind(directory) else { return .missing }
        guard kind == .directory else { throw StorageError(.incompatible, "\(directory) is not a folder") }
        let names = try fileSystem.list(directory)
        var newest: Superblock?
        var damage: StorageError?
        for slot in slots where names.contains(slot) {
            let path = directory + "/" + slot
            do throws(StorageError) {
                let bytes = try fileSystem.readAll(path, limit: 1 << 20)
                let block = try Superblock.decode(bytes, path: path)
                if block.generation > newest?.generation ?? 0 || newest == nil { newest = block }
            } catch {
                guard error.code == .corrupt else { throw error }
                damage = error
            }
        }
        if let newest { return .present(newest, readOnly: try check(newest, directory)) }
        if let damage { throw damage }
        let foreign = names.first { $0 != "LOCK" && $0 != "lost+found" && !slots.map { $0 + ".tmp" }.contains($0) }
        if let foreign {
            throw StorageError(
                .incompatible, "\(directory) is not an Octant data folder and not empty (it contains \(foreign))")
        }
        return .empty
    }

    /// Opens the folder's superblock, creating folder and superblock when there is nothing. Take the `FolderLock`
    /// between `inspect` and this call.
    package init(openingOrCreating directory: String, fileSystem: any FileSystem) throws(StorageError) {
        self.directory = directory
        self.fileSystem = fileSystem
        switch try SuperblockStore.inspect(directory: directory, fileSystem: fileSystem) {
        case .present(let block, let readOnly):
            current = block
            self.readOnly = readOnly
        case .missing, .empty:
            try fileSystem.makeDirectories(directory)
            current = Superblock(instance: .random(), generation: 0)
            readOnly = false
            try write(current)
            try write(current)
        }
    }

    /// Changes feature flags or the minor version: writes the next generation into the other slot.
    package mutating func update(_ change: (inout Superblock) -> Void) throws(StorageError) {
        guard !readOnly else { throw StorageError(.incompatible, "\(directory) may only be read by this version") }
        var next = current
        change(&next)
        next.instance = current.instance
        next.generation = current.generation
        try write(next)
    }

    private mutating func write(_ block: Superblock) throws(StorageError) {
        var next = block
        next.generation = block.generation &+ 1
        let slot = SuperblockStore.slots[Int(next.generation % 2)]
        try fileSystem.writeAtomically(directory + "/" + slot, next.encoded())
        current = next
    }

    /// Refuses what this code cannot read; returns whether it may only read.
    static func check(_ block: Superblock, _ directory: String) throws(StorageError) -> Bool {
        guard block.major <= Superblock.currentMajor else {
            throw StorageError(
                .incompatible,
                "\(directory) has format \(block.major).\(block.minor); this version reads up to format "
                    + "\(Superblock.currentMajor). Nothing was changed")
        }
        let unknown = block.incompatible & ~Superblock.knownIncompatible
        guard unknown == 0 else {
            throw StorageError(
                .incompatible, "\(directory) uses unknown format features (flags \(unknown)). Nothing was changed")
        }
        return block.readOnlyCompatible & ~Superblock.knownReadOnlyCompatible != 0
    }
}
