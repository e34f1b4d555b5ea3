package import OctantModel
package import OctantStorage

/// A collection's folder on its way out of an archive: files first, a manifest only when the whole archive was verified.
package struct ShardRestore: Sendable {
    /// The collection as the archive has it.
    package let section: SnapshotSection
    /// The folder's and the collection's UUID, a new one.
    package let uuid: UUIDBytes
    /// The folder.
    package let path: String
    private let fileSystem: any FileSystem

    /// A restore into a new folder below `parent`.
    package init(_ section: SnapshotSection, parent: String, fileSystem: any FileSystem) {
        self.section = section
        uuid = .random()
        path = "\(parent)/\(uuid)"
        self.fileSystem = fileSystem
    }

    /// Writes the files, verified and synced.
    package func extract(
        from reader: inout SnapshotReader, leftOut: LeftOutFiles, isCancelled: @escaping @Sendable () -> Bool
    ) throws(StorageError) {
        for folder in ["", "/s0", "/s0/seg", "/s0/del", "/s0/wal"] { try fileSystem.makeDirectories(path + folder) }
        try reader.extract(section, to: path, leftOut: leftOut, fileSystem: fileSystem, isCancelled: isCancelled)
    }

    /// Publishes the manifest and opens the collection, the folder's first and last state until it is given to somebody.
    package func open(
        limits: ShardLimits, log: @escaping @Sendable (String) -> Void
    ) throws(StorageError) -> Shard {
        let store = GenerationStore(directory: path, prefix: "MANIFEST", owner: uuid, fileSystem: fileSystem)
        _ = try store.loadNewest()
        _ = try store.publish(section.manifest.encoded())
        let shard = try Shard.open(path: path, uuid: uuid, fileSystem: fileSystem, limits: limits, log: log)
        do throws(StorageError) {
            for segment in shard.newest.segments {
                guard segment.tombstones.killedCount == segment.entry.deletedCount else {
                    throw StorageError(.corrupt, "\(segment.folder.path): the bitmap and the manifest differ")
                }
            }
            if !section.tuning.isEmpty {
                let content = try TuningStore.Content(section.tuning)
                try shard.tuning.update { $0 = content }
            }
        } catch {
            shard.close()
            throw error
        }
        return shard
    }

    /// Removes the folder.
    package func remove() throws(StorageError) { try fileSystem.removeTree(path) }
}
