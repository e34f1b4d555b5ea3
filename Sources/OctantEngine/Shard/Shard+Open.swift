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
    /// If the newest manifest is damaged and the one before it still has all its files and its log, or if replaying an
    /// operation ended the process several times, the collection opens for reading only (``readOnlyReason``) and nothing in
    /// its folder is changed.
    ///
    /// Throws `corrupt` naming file and offset if something that was acknowledged cannot be read; nothing is deleted then.
    package static func open(
        path: String, uuid: UUIDBytes, fileSystem: any FileSystem, limits: ShardLimits = ShardLimits(),
        log: @escaping @Sendable (String) -> Void
    ) throws(StorageError) -> Shard {
        let store = GenerationStore(directory: path, prefix: "MANIFEST", owner: uuid, fileSystem: fileSystem)
        switch try store.loadNewest() {
        case .empty: throw StorageError(.corrupt, "\(path): no manifest")
        case .newest(let generation):
            return try open(
                path: path, uuid: uuid, store, try Manifest(generation.body), nil, fileSystem, limits, log)
        case .fallback(let generation, let damaged):
            // A read that failed says nothing about the bytes: the newest may be sound, and is to be tried again.
            if let failed = damaged.first(where: { $0.code != .corrupt }) { throw failed }
            let damage = damaged.first ?? StorageError(.corrupt, "\(path): the newest manifest is damaged")
            let reason = StorageError(
                .corrupt, "read-only, as of the manifest before the newest, which is damaged: \(damage)")
            do throws(StorageError) {
                return try open(
                    path: path, uuid: uuid, store, try Manifest(generation.body), reason, fileSystem, limits, log)
            } catch {
                throw StorageError(error.code, "\(damage); the manifest before it cannot be used: \(error)")
            }
        }
    }

    private static func open(
        path: String, uuid: UUIDBytes, _ store: GenerationStore, _ manifest: Manifest, _ reason: StorageError?,
        _ fileSystem: any FileSystem, _ limits: ShardLimits, _ log: @escaping @Sendable (String) -> Void
    ) throws(StorageError) -> Shard {
        if try fileSystem.kind(path + LogRepair.completeMark) != nil {
            throw StorageError(.corrupt, "\(path): a repair of the log was cut short: run `octant repair` again")
        }
        let earlier = try ReplayMarker.read(path, fileSystem)
        let poison = ReplayMarker.poison(earlier)
        var reason = reason
        if let poison {
            reason = StorageError(
                .corrupt,
                "\(path): read-only as of before operation \(poison): the process ended \(ReplayMarker.repeatsMax) "
                    + "times in a row while it was applied")
        }
        let leftovers = reason == nil ? try Self.leftovers(path, manifest, fileSystem) : []
        let damage = DamageLog(log: log)
        var segments: [Segment] = []
        for entry in manifest.segments {
            var folder = SegmentFolder(
                path: "\(path)/s0/seg/\(entry.uuid)", uuid: entry.uuid, fileSystem: fileSystem,
                lowMemory: limits.lowMemory)
            folder.verification = limits.openingChecks
            folder.damage = damage
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
            view: view, damage: damage, readOnlyReason: reason, log: log)
        if let reason {
            log("\(reason)")
            try shard.readLog(manifest, before: poison)
            shard.queue.change { $0.failure = reason }
        } else {
            try shard.recoverLog(manifest, after: earlier)
            shard.sweep(leftovers)
            let current = shard.publication.withLock { $0 }
            shard.savedBuilds.load(current.segments, current.config.jobSettings)
        }
        return shard
    }

    /// How the log of a collection is kept.
    package static func logOptions(_ config: CollectionConfig, fileBytes: Int? = nil) -> WriteAheadLog.Options {
        var options = WriteAheadLog.Options()
        options.fileBytes = fileBytes ?? max(1, min(config.wal.capacityMB, 1024)) << 20
        options.retainClosed = max(1, config.wal.retainClosed)
        return options
    }

    /// Replays the log into memory, writing checkpoints on the way so that memory stays bounded, and starts writing.
    private func recoverLog(_ manifest: Manifest, after earlier: ReplayMarker.Content?) throws(StorageError) {
        var marker: ReplayMarker?
        do {
            // Without room for the marker the log can be replayed all the same.
            defer { marker?.finish() }
            let (wal, report) = try WriteAheadLog.open(
                directory: path + Self.logFolder, fileSystem: fileSystem, collection: uuid, shard: 0,
                after: manifest.checkpoint, options: Self.logOptions(manifest.config, fileBytes: limits.logFileBytes)
            ) { record in
                if marker == nil { marker = try? ReplayMarker(path, after: earlier, fileSystem) }
                try? marker?.note(record.lsn)
                let operation = try UpdateOperation(logType: record.type, record.payload)
                _ = applying.withLock { _ in apply(operation, at: record.lsn) }
                try? marker?.note(0)
                noteLogged(bytes: record.payload.count)
                while newest.memtables.count > limits.frozenMax { _ = try flushFrozen() }
            }
            if earlier != nil, marker == nil { try? fileSystem.unlink(path + "/" + ReplayMarker.name) }
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

    private struct ReplayStopped: Error {}

    /// Replays the log into memory up to the operation before `end`, or all of it, and writes nothing.
    private func readLog(_ manifest: Manifest, before end: LSN?) throws(StorageError) {
        do {
            _ = try WriteAheadLog.inspect(
                directory: path + Self.logFolder, fileSystem: fileSystem, collection: uuid, shard: 0,
                after: manifest.checkpoint, options: Self.logOptions(manifest.config, fileBytes: limits.logFileBytes)
            ) { record in
                if let end, record.lsn >= end { throw ReplayStopped() }
                let operation = try UpdateOperation(logType: record.type, record.payload)
                _ = applying.withLock { _ in apply(operation, at: record.lsn) }
            }
        } catch is ReplayStopped {
        } catch let error as StorageError {
            throw error
        } catch {
            throw StorageError(.corrupt, "\(path): \(error)")
        }
    }

    /// What the manifest does not name: leftovers of work that a crash cut short.
    package static func leftovers(
        _ path: String, _ manifest: Manifest, _ fileSystem: any FileSystem
    ) throws(StorageError) -> [String] {
        var found: [String] = []
        let segments = Set(manifest.segments.map(\.uuid.description))
        for name in try fileSystem.list(path + "/s0/seg") where !segments.contains(name) {
            found.append("\(path)/s0/seg/\(name)")
        }
        let bitmaps = Set(manifest.segments.compactMap(\.deletions?.name))
        for name in try fileSystem.list(path + "/s0/del") where !bitmaps.contains(name) {
            found.append("\(path)/s0/del/\(name)")
        }
        for entry in manifest.segments {
            let folder = "\(path)/s0/seg/\(entry.uuid)"
            let named = Set(entry.files.map(\.summary.name))
            for name in try fileSystem.list(folder) where !named.contains(name) { found.append(folder + "/" + name) }
        }
        return found
    }

    /// Moves leftovers to quarantine, now that everything could be opened without them; but for what was written under the
    /// same name while the log was replayed.
    private func sweep(_ leftovers: [String]) {
        let quarantine = Quarantine(of: path, fileSystem: fileSystem)
        defer { quarantine.purge() }
        guard !leftovers.isEmpty else { return }
        let manifest = publication.withLock { $0 }
        guard let present = try? Self.leftovers(path, manifest, fileSystem) else { return }
        for leftover in leftovers where present.contains(leftover) {
            log("\(leftover): not named by the manifest, moved to quarantine")
            // Costs room until the next opening.
            do throws(StorageError) { try quarantine.take(leftover) } catch { log("\(error)") }
        }
        // Names of bitmaps come again: a move that is not on disk yet must not take the next file of the same name.
        for folder in [quarantine.path, deletionsPath] { try? fileSystem.syncDirectory(folder) }
    }
}
