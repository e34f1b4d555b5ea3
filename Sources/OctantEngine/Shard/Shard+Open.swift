package import OctantModel
package import OctantStorage

extension Shard {
    private static let logFolder = "/s0/wal"

    /// Makes the folder of a new collection: an empty manifest, nothing else.
    package static func create(
        path: String, uuid: UUIDBytes, config: CollectionConfig, fileSystem: any FileSystem
    ) throws(StorageError) {
        for folder in ["", "/s0", "/s0/seg", "/s0/del", logFolder] { try fileSystem.makeDirectories(path + folder) }
        let store = GenerationStore(directory: path, prefix: "MANIFEST", owner: uuid, fileSystem: fileSystem)
        _ = try store.loadNewest()
        _ = try store.publish(Manifest(config: config).encoded())
    }

    /// Opens a collection's folder: newest manifest, its segments, then the log from the checkpoint on.
    ///
    /// Throws `corrupt` naming file and offset if something that was acknowledged cannot be read; nothing is deleted then.
    package static func open(
        path: String, uuid: UUIDBytes, fileSystem: any FileSystem, limits: ShardLimits = ShardLimits(),
        log: @escaping @Sendable (String) -> Void
    ) throws(StorageError) -> Shard {
        let store = GenerationStore(directory: path, prefix: "MANIFEST", owner: uuid, fileSystem: fileSystem)
        let manifest: Manifest
        switch try store.loadNewest() {
        case .empty: throw StorageError(.corrupt, "\(path): no manifest")
        case .newest(let generation): manifest = try Manifest(generation.body)
        case .fallback(_, let damaged):
            throw damaged.first ?? StorageError(.corrupt, "\(path): the newest manifest is damaged")
        }
        try sweep(path, manifest, fileSystem)
        var segments: [Segment] = []
        for entry in manifest.segments {
            let folder = SegmentFolder(
                path: "\(path)/s0/seg/\(entry.uuid)", uuid: entry.uuid, fileSystem: fileSystem,
                lowMemory: limits.lowMemory)
            segments.append(
                try Segment(
                    entry, folder: folder, config: manifest.config, fieldIndexes: manifest.fieldIndexes,
                    deletionsPath: path + "/s0/del"))
        }
        guard let table = Memtable(capacity: limits.memtableRows, params: manifest.config.params) else {
            throw StorageError(.io(12), "\(path): out of memory")
        }
        let live = segments.reduce(0) { $0 + $1.rowCount - $1.tombstones.killedCount }
        let view = ReadView(
            config: manifest.config, fieldIndexes: manifest.fieldIndexes, segments: segments,
            memtables: [MemtableSlot(table: table, through: nil)], checkpoint: manifest.checkpoint,
            lsn: manifest.checkpoint, liveCount: live,
            checkpointLiveCount: live)
        let shard = Shard(
            path: path, uuid: uuid, fileSystem: fileSystem, limits: limits, store: store, manifest: manifest,
            view: view,
            log: log)
        try shard.recoverLog(manifest)
        return shard
    }

    /// Replays the log into memory, writing checkpoints on the way so that memory stays bounded, and starts writing.
    private func recoverLog(_ manifest: Manifest) throws(StorageError) {
        var options = WriteAheadLog.Options()
        options.fileBytes = limits.logFileBytes ?? max(1, min(manifest.config.wal.capacityMB, 1024)) << 20
        options.retainClosed = max(1, manifest.config.wal.retainClosed)
        do {
            let (wal, report) = try WriteAheadLog.open(
                directory: path + Self.logFolder, fileSystem: fileSystem, collection: uuid, shard: 0,
                after: manifest.checkpoint, options: options
            ) { record in
                let operation = try UpdateOperation(logType: record.type, record.payload)
                _ = applying.withLock { _ in apply(operation, at: record.lsn) }
                noteLogged(bytes: record.payload.count)
                while newest.memtables.count > limits.frozenMax { _ = try flushFrozen() }
            }
            if let dropped = report.dropped {
                log("\(path): an unsynced tail of at least \(report.framesDropped) frames was dropped at \(dropped)")
            }
            start(wal)
        } catch let error as StorageError {
            throw error
        } catch {
            throw StorageError(.corrupt, "\(path): \(error)")
        }
    }

    /// Moves what the manifest does not name out of the way: leftovers of work that a crash cut short.
    private static func sweep(
        _ path: String, _ manifest: Manifest, _ fileSystem: any FileSystem
    ) throws(StorageError) {
        let segments = Set(manifest.segments.map(\.uuid.description))
        for name in try fileSystem.list(path + "/s0/seg") where !segments.contains(name) {
            try fileSystem.removeTree("\(path)/s0/seg/\(name)")
        }
        let bitmaps = Set(manifest.segments.compactMap(\.deletions?.name))
        for name in try fileSystem.list(path + "/s0/del") where !bitmaps.contains(name) {
            try fileSystem.unlink("\(path)/s0/del/\(name)")
        }
        for entry in manifest.segments {
            let folder = "\(path)/s0/seg/\(entry.uuid)"
            let named = Set(entry.files.map(\.summary.name))
            for name in try fileSystem.list(folder) where !named.contains(name) {
                try fileSystem.unlink(folder + "/" + name)
            }
        }
    }
}
