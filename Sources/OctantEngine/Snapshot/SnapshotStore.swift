package import OctantModel
package import OctantStorage

/// The folder of stored snapshots: archives, and the checksum of each in a file beside it.
///
///     <root>/<archive>                        of the whole storage
///     <root>/<collection>/<archive>           of a collection
///     <root>/<collection>/shards/<id>/…       of a shard
///     <root>/.tmp-<instance>/                 what is being written or uploaded
///
/// A collection's folder has its name where the rule for names of snapshots allows that, and else a digest of it: so no
/// text of a client's leads out of the folder, and the snapshots of a collection stay its own when it is recovered.
package struct SnapshotStore: Sendable {
    /// What the snapshots are of.
    package enum Place: Sendable, Hashable {
        case storage
        case collection(String)
        case shard(String, Int)

        /// The collection, if it is one or of one.
        package var collection: String? {
            switch self {
            case .storage: nil
            case .collection(let name), .shard(let name, _): name
            }
        }
    }

    /// The folder of all.
    package let root: String
    private let temporary: String
    private let fileSystem: any FileSystem

    private static let suffix = ".snapshot"
    private static let checksumSuffix = ".checksum"
    /// The number that cluster status gives this server.
    private static let peer = 0
    /// Bytes of a collection's name that its files' names begin with, at most: the rest of a name needs room too.
    private static let prefixMax = 160
    /// Bytes that a snapshot leaves free.
    private static let spared = 16 << 20

    /// The store in `root`, of the data folder with this instance UUID.
    package init(root: String, instance: UUIDBytes, fileSystem: any FileSystem) {
        self.root = root
        temporary = "\(root)/.tmp-\(instance)"
        self.fileSystem = fileSystem
    }

    // MARK: Names

    func folder(_ place: Place) -> String {
        switch place {
        case .storage: root
        case .collection(let name): root + "/" + Self.folderName(name)
        case .shard(let name, let id): "\(root)/\(Self.folderName(name))/shards/\(id)"
        }
    }

    static func folderName(_ collection: String) -> String {
        if SnapshotName.isValid(collection), !collection.hasPrefix(".") { return collection }
        var hash = SHA256()
        hash.update(Array(collection.utf8))
        return ".name-" + hash.text
    }

    private static func name(_ place: Place, _ milliseconds: Int64, _ attempt: Int) -> String {
        let moment = Timestamp.text(milliseconds: milliseconds).utf8.prefix(19).map { byte in
            SnapshotName.isAllowed(byte) && byte != UInt8(ascii: "T") ? byte : UInt8(ascii: "-")
        }
        let what =
            switch place {
            case .storage: "full-snapshot"
            case .collection(let name): "\(prefix(name))-\(peer)"
            case .shard(let name, let id): "\(prefix(name))-shard-\(id)"
            }
        let number = attempt == 0 ? "" : "-\(attempt + 1)"
        return "\(what)-\(String(decoding: moment, as: UTF8.self))\(number)\(suffix)"
    }

    private static func prefix(_ collection: String) -> String {
        let bytes = collection.utf8.prefix(prefixMax).map { SnapshotName.isAllowed($0) ? $0 : UInt8(ascii: "_") }
        return String(decoding: bytes, as: UTF8.self)
    }

    // MARK: Reading

    /// The stored snapshots, by name.
    package func list(_ place: Place) throws(StorageError) -> [SnapshotDescription] {
        let folder = folder(place)
        guard try fileSystem.kind(folder) == .directory else { return [] }
        var found: [SnapshotDescription] = []
        for name in try fileSystem.list(folder) where name.hasSuffix(Self.suffix) && SnapshotName.isValid(name) {
            if let description = try describe(folder, name) { found.append(description) }
        }
        return found
    }

    /// The path of a stored snapshot; `nil` if there is none of this name.
    package func path(_ place: Place, _ name: String) throws(StorageError) -> String? {
        guard SnapshotName.isValid(name), name.hasSuffix(Self.suffix) else { return nil }
        let path = folder(place) + "/" + name
        guard case .file? = try fileSystem.kind(path) else { return nil }
        return path
    }

    private func describe(_ folder: String, _ name: String) throws(StorageError) -> SnapshotDescription? {
        let path = folder + "/" + name
        guard case .file(let size)? = try fileSystem.kind(path) else { return nil }
        var description = SnapshotDescription(name: name, size: size)
        // A file that somebody else put there may be anything, and may go while it is looked at.
        if let bytes = try? fileSystem.readAll(path + Self.checksumSuffix, limit: 256) {
            let text = bytes.prefix(64)
            if text.count == 64, text.allSatisfy({ Character(Unicode.Scalar($0)).isHexDigit }) {
                description.checksum = String(decoding: text, as: UTF8.self)
            }
        }
        if let reader = try? SnapshotReader(path: path, fileSystem: fileSystem) {
            description.creationTime = String(Timestamp.text(milliseconds: reader.header.creation).prefix(19))
            reader.close()
        }
        return description
    }

    /// The archive taken last; `nil` if there is none.
    package func newest(_ place: Place) throws(StorageError) -> SnapshotHeader? {
        try headers(place).map(\.header).max { $0.creation < $1.creation }
    }

    /// Whether an archive is still stored.
    package func holds(_ archive: UUIDBytes, _ place: Place) throws(StorageError) -> Bool {
        try headers(place).contains { $0.header.archive == archive }
    }

    /// The archives that build on this one.
    package func dependents(_ place: Place, _ name: String) throws(StorageError) -> [String] {
        let headers = try headers(place)
        guard let archive = headers.first(where: { $0.name == name })?.header.archive else { return [] }
        return headers.filter { $0.header.base == archive }.map(\.name)
    }

    private func headers(_ place: Place) throws(StorageError) -> [(name: String, header: SnapshotHeader)] {
        let kind: SnapshotHeader.Kind = place == .storage ? .storage : .collection
        var found: [(name: String, header: SnapshotHeader)] = []
        for description in try list(place) {
            guard let reader = try? SnapshotReader(path: folder(place) + "/" + description.name, fileSystem: fileSystem)
            else { continue }
            if reader.header.kind == kind { found.append((description.name, reader.header)) }
            reader.close()
        }
        return found
    }

    /// The archives that one may build on, if it leaves out files.
    package func bases(of header: SnapshotHeader, at path: String, _ place: Place) throws(StorageError) -> SnapshotBases
    {
        try SnapshotBases(header.base, in: [folder(place), parentPath(path)], fileSystem: fileSystem)
    }

    // MARK: Writing

    /// A path for a file that is not complete yet; its folder is swept at the next opening.
    package func temporaryFile() throws(StorageError) -> String {
        try fileSystem.makeDirectories(temporary)
        return "\(temporary)/\(UUIDBytes.random())"
    }

    /// Removes a file that ``temporaryFile()`` named; a missing one is fine.
    package func discard(_ path: String) {
        guard path.hasPrefix(temporary + "/") else { return }
        // The next opening removes what stays.
        for path in [path, path + Self.checksumSuffix] { try? fileSystem.unlink(path) }
    }

    /// Throws `diskFull` if there is no room for so many bytes more, and some to spare.
    package func checkRoom(_ byteCount: Int) throws(StorageError) {
        try fileSystem.makeDirectories(temporary)
        try fileSystem.checkRoom(temporary, byteCount + Self.spared)
    }

    /// Gives a complete, synced archive its name, with its checksum beside it. One at a time: the name must stay free.
    package func publish(
        _ temporary: String, as place: Place, at milliseconds: Int64, size: Int, checksum: String
    ) throws(StorageError) -> SnapshotDescription {
        let folder = folder(place)
        try fileSystem.makeDirectories(folder)
        var attempt = 0
        while try fileSystem.kind(folder + "/" + Self.name(place, milliseconds, attempt)) != nil { attempt += 1 }
        let name = Self.name(place, milliseconds, attempt)
        let path = folder + "/" + name
        // First the checksum: a snapshot that is there has one.
        try fileSystem.writeAtomically(path + Self.checksumSuffix, Array(checksum.utf8))
        do throws(StorageError) {
            try fileSystem.rename(temporary, to: path)
            try fileSystem.syncDirectory(folder)
        } catch {
            for path in [path, path + Self.checksumSuffix] { try? fileSystem.unlink(path) }
            throw error
        }
        return SnapshotDescription(
            name: name, creationTime: String(Timestamp.text(milliseconds: milliseconds).prefix(19)), size: size,
            checksum: checksum)
    }

    /// Removes a snapshot; `false` if there is none of this name.
    package func delete(_ place: Place, _ name: String) throws(StorageError) -> Bool {
        guard let path = try path(place, name) else { return false }
        try fileSystem.unlink(path)
        if try fileSystem.kind(path + Self.checksumSuffix) != nil {
            try fileSystem.unlink(path + Self.checksumSuffix)
        }
        try fileSystem.syncDirectory(folder(place))
        return true
    }

    /// Removes all snapshots of a collection and its shards.
    package func deleteAll(of collection: String) throws(StorageError) {
        try fileSystem.removeTree(folder(.collection(collection)))
    }

    /// Removes what was being written or uploaded when the last process ended.
    package func sweep() throws(StorageError) { try fileSystem.removeTree(temporary) }
}

extension FileSystem {
    /// Throws `diskFull` if fewer than `byteCount` bytes are free where `path` lies.
    package func checkRoom(_ path: String, _ byteCount: Int) throws(StorageError) {
        let available = try freeSpace(path).available
        guard available >= UInt64(max(0, byteCount)) else {
            throw StorageError(.diskFull, "\(path): \(byteCount) bytes are needed, \(available) are free")
        }
    }
}

/// A new file that is written front to back, synced in pieces so that the disk is never asked for much at once, and
/// kept out of the system's cache.
package final class SnapshotFile {
    private let file: any File
    private var written = 0
    private var settled = 0

    private static let settleBytes = 16 << 20

    /// Makes the file.
    package init(_ path: String, _ fileSystem: any FileSystem) throws(StorageError) {
        file = try fileSystem.open(path, .create)
    }

    /// Adds bytes at the end.
    package func append(_ bytes: UnsafeRawBufferPointer) throws(StorageError) {
        try file.write(bytes, at: written)
        written += bytes.count
        if written - settled >= Self.settleBytes { try settle() }
    }

    /// Syncs and closes the file.
    package func finish() throws(StorageError) {
        try settle()
        try file.sync()
        file.close()
    }

    private func settle() throws(StorageError) {
        try file.syncData()
        file.dropCached(settled..<written)
        settled = written
    }
}
