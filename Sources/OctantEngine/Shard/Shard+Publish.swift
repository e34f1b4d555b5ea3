package import OctantModel
import OctantPayload
package import OctantStorage

/// Changing what is on disk: there is one way, a new manifest, for checkpoints, optimisations and configuration alike.
extension Shard {
    /// A replacement of parts by new segments.
    struct Replacement {
        /// The parts that go, in the order of the recipe's sources.
        var sources: [any RowSource]
        /// The segments that come; none if no row was left.
        var written: [WrittenSegment]
        /// The new checkpoint, if the parts include a memtable.
        var checkpoint: LSN?
        /// The ``ReadView/vectorsEpoch`` of the view that the recipe was made from.
        var vectorsEpoch: Int
        /// How far reads see from then on, at least, and how many points: the segment holds all that was kept from them.
        var reveals: (lsn: LSN, liveCount: Int)?
    }

    /// Publishes a manifest with the replacement, then swaps the parts in memory. Deaths that came after the recipe was
    /// made are carried over. Returns the segments that are gone, whose files may be removed.
    func publish(_ replacement: Replacement) throws(StorageError) {
        do throws(StorageError) { try publishAndSwap(replacement) } catch {
            // After a failed publication nobody knows which manifest a restart finds: then both must stay usable.
            if store.failure == nil {
                // The first error is the one to report.
                for written in replacement.written { try? fileSystem.removeTree(written.folder.path) }
            }
            throw error
        }
    }

    /// Throws if nothing may be published any more.
    func checkPublishable() throws(StorageError) {
        if let failure = readOnlyReason ?? damage.first ?? store.failure { throw failure }
        if background.withLock({ $0.closing }) { throw StorageError(.closed, "the collection is closed") }
    }

    private func publishAndSwap(_ replacement: Replacement) throws(StorageError) {
        let gone = replacement.sources.compactMap { $0 as? Segment }
        let obsolete = try publication.withLock { (manifest) throws(StorageError) -> [String] in
            if let failure = store.failure { throw failure }
            // Made of vectors that are no longer the collection's: the next attempt starts from those that are.
            guard state.withLock({ $0.vectorsEpoch }) == replacement.vectorsEpoch else {
                throw StorageError(.closed, "\(path): vectors were added or removed meanwhile")
            }
            var next = manifest
            let goneIDs = Set(gone.map(\.entry.uuid))
            next.segments.removeAll { goneIDs.contains($0.uuid) }
            if let checkpoint = replacement.checkpoint { next.checkpoint = checkpoint }
            var segments: [Segment] = []
            for written in replacement.written {
                let entry = try addMissingIndexes(written.entry, written.folder, next.fieldIndexes)
                for segment in gone { segment.releasePages() }
                var folder = written.folder
                folder.damage = damage
                folder.verification = limits.openingChecks
                let opened = try Segment(
                    entry, folder: folder, config: next.config, fieldIndexes: next.fieldIndexes)
                carryDeaths(replacement.sources, written, into: opened)
                next.segments.append(entry)
                segments.append(opened)
            }
            let obsolete = try writeDeletions(&next, extra: segments)
            _ = try store.publish(next.encoded())
            manifest = next
            applying.withLock { _ in
                for (segment, written) in zip(segments, replacement.written) {
                    carryDeaths(replacement.sources, written, into: segment)
                }
                state.withLock { state in
                    state.replaceDeferred(replacement, by: segments)
                    state.checkpoint = manifest.checkpoint
                    state.segments.removeAll { goneIDs.contains($0.entry.uuid) }
                    state.memtables.removeAll { slot in
                        replacement.sources.contains { ($0 as AnyObject) === (slot.table as AnyObject) }
                    }
                    state.segments += segments
                    state.settleDeferral()
                }
            }
            return obsolete
        }
        // No manifest names these any more; opening sweeps what stays behind, and readers keep their mappings.
        for path in obsolete { try? fileSystem.unlink(path) }
        for segment in gone { try? fileSystem.removeTree(segment.folder.path) }
    }

    /// Gives a new segment the deaths of the rows it was made of.
    private func carryDeaths(_ sources: [any RowSource], _ written: WrittenSegment, into segment: Segment) {
        for (source, mapping) in zip(sources, written.newRows) where source.tombstones.killedCount > 0 {
            for (row, newRow) in mapping.enumerated() where newRow != .max {
                let death = source.tombstones.deathLSN(UInt32(row))
                if death != 0 { segment.tombstones.kill(newRow, at: death) }
            }
        }
    }

    /// Writes the deletion bitmaps that changed, as of the manifest's checkpoint. Returns the files they replace.
    private func writeDeletions(_ manifest: inout Manifest, extra: [Segment]) throws(StorageError) -> [String] {
        let open = state.withLock { $0.segments } + extra
        var obsolete: [String] = []
        for place in manifest.segments.indices {
            let entry = manifest.segments[place]
            guard let segment = open.first(where: { $0.entry.uuid == entry.uuid }),
                segment.tombstones.killedCount != entry.deletedCount
            else { continue }
            let dead = segment.tombstones.deadCount(at: manifest.checkpoint)
            guard dead != entry.deletedCount else { continue }
            let name = "\(entry.uuid).\(manifest.checkpoint)-\(dead)"
            let path = deletionsPath + "/" + name
            try? fileSystem.unlink(path)  // of a publish that did not come through
            let writer = try BlockFileWriter(
                path: path, type: "DELS", uuid: entry.uuid, rows: UInt64(entry.rowCount), fileSystem: fileSystem)
            let words = segment.tombstones.bitmap(at: manifest.checkpoint).map(\.littleEndian)
            try writer.append(words.withUnsafeBytes { Array($0) })
            if let old = entry.deletions { obsolete.append(deletionsPath + "/" + old.name) }
            manifest.segments[place].deletions = try writer.finish()
            manifest.segments[place].deletedCount = dead
        }
        try fileSystem.syncDirectory(deletionsPath)
        return obsolete
    }

    /// The entry with every field index of the schema, built now where the recipe did not know of it.
    private func addMissingIndexes(
        _ entry: SegmentEntry, _ folder: SegmentFolder, _ schema: [Manifest.FieldIndexEntry]
    ) throws(StorageError) -> SegmentEntry {
        var entry = entry
        entry.files.removeAll { file in
            file.role == .fieldIndex
                && !schema.contains { $0.key.description == file.subject && $0.schema.recipe == file.parameters }
        }
        let missing = schema.filter { index in
            index.schema.isAvailable
                && !entry.files.contains { $0.role == .fieldIndex && $0.subject == index.key.description }
        }
        guard !missing.isEmpty, let payload = entry.file(.payload) else { return entry }
        let file = try folder.open(payload, "PAYL")
        do throws(StorageError) { try file.verifyLeavingCold() } catch {
            if error.code == .corrupt { damage.note(error) }
            throw error
        }
        let payloads = try PayloadFile(file, rowCount: entry.rowCount)
        for index in missing {
            let rows = (0..<UInt32(entry.rowCount)).lazy.map { payloads.bytes($0) }
            entry.files.append(
                try SegmentWriter.writeIndex(index, folder: folder, rowCount: entry.rowCount, payloads: rows))
        }
        try folder.fileSystem.syncDirectory(folder.path)
        return entry
    }

    // MARK: Checkpoint

    func requestFlush() {
        background.change { $0.flushRequested = true }
        wake()
    }

    /// Writes the oldest frozen memtable as a segment and moves the checkpoint past it. Returns whether there was one.
    package func flushFrozen() throws(StorageError) -> Bool {
        try flushing.withLock { _ throws(StorageError) in try flushOldest() }
    }

    private func flushOldest() throws(StorageError) -> Bool {
        if background.withLock({ $0.closing }) { return false }
        let view = newest
        guard view.memtables.count > 1, let through = view.memtables[0].through else {
            background.change { $0.flushRequested = false }
            return false
        }
        let table = view.memtables[0].table
        let indexes = publication.withLock { $0.fieldIndexes }
        let recipe = SegmentRecipe(
            sources: [.init(rows: table, rowCount: table.rowCount)], checkpoint: through, config: view.config,
            fieldIndexes: indexes, indexed: false, lowMemory: limits.lowMemory)
        do throws(StorageError) {
            try checkPublishable()
            let written = try SegmentWriter.write(
                recipe, directory: segmentsPath, fileSystem: fileSystem, isCancelled: { false })
            try publish(
                Replacement(
                    sources: [table], written: written.map { [$0] } ?? [], checkpoint: through,
                    vectorsEpoch: view.vectorsEpoch))
        } catch {
            background.change {
                if error.code != .closed { $0.refusal = error }
                $0.nextFlush = steadyMilliseconds() + Self.flushRetryMilliseconds
            }
            throw error
        }
        truncateLog(through: through)
        background.change {
            $0.refusal = nil
            $0.nextFlush = 0
        }
        return true
    }

    /// Writes the checkpoints that are due, and lets reads see what they then may.
    package func flushDue() {
        if !isFlushBackingOff {
            do { while try flushFrozen() {} } catch {
                if error.code != .closed { log("\(path): checkpoint failed: \(error)") }
            }
        }
        settleDeferral()
    }

    /// Milliseconds until a failed checkpoint is tried again.
    private static let flushRetryMilliseconds: UInt64 = 1000

    /// Whether a failed checkpoint still waits for its next attempt.
    private var isFlushBackingOff: Bool { background.withLock { steadyMilliseconds() < $0.nextFlush } }

    /// Freezes the open memtable, so that the next flush makes a checkpoint of all that was applied. Without rows it
    /// still moves the checkpoint, which deletions need.
    package func freeze() {
        applying.withLock { _ in
            var view = state.withLock { $0 }
            let covered = view.memtables.dropLast().last?.through ?? view.checkpoint
            guard view.lsn > covered else { return }
            _ = freezeMemtable(roomFor: 0, through: view.lsn, view: &view, keepingEmpty: true)
        }
    }

    /// Freezes the open memtable while memory is short.
    ///
    /// - Parameter small: also if it has little: worth it for many collections, but not often.
    package func freezeIfPressed(small: Bool) {
        guard limits.memoryGuard?.isPressed == true, let open = newest.memtables.last?.table else { return }
        if open.byteCount >= min(1 << 20, limits.memtableBytes / 2) || small && open.rowCount > 0 { freeze() }
    }

    /// Counts what was logged, and asks for a checkpoint when it is much: a restart has to read it.
    func noteLogged(bytes: Int) {
        let full = background.withLock { background -> Bool in
            background.loggedBytes += bytes + 64
            return background.loggedBytes >= limits.logBytes
        }
        if full { freeze() }
    }

    // MARK: Configuration

    /// Publishes a changed configuration and reopens the segments whose placement it changes.
    package func reconfigure(_ config: CollectionConfig) throws(StorageError) {
        try publication.withLock { (manifest) throws(StorageError) in
            try checkPublishable()
            var next = manifest
            next.config = config
            // First what can fail: the configuration in force and the published one must not differ.
            var reopened: [Segment] = []
            for segment in state.withLock({ $0.segments }) {
                reopened.append(
                    try Segment(
                        segment.entry, folder: segment.folder, config: config, fieldIndexes: next.fieldIndexes,
                        tombstones: segment.tombstones))
            }
            _ = try store.publish(next.encoded())
            manifest = next
            state.withLock {
                $0.config = config
                $0.segments = reopened
                $0.settleDeferral()
            }
            savedBuilds.prune(manifest.segments, config.jobSettings)
        }
        wake()
    }

    /// Builds a field index in every segment and publishes it; the same schema again does nothing.
    package func createFieldIndex(_ index: Manifest.FieldIndexEntry) throws(StorageError) {
        try changeIndexes { indexes in
            if indexes.contains(index) { return false }
            indexes.removeAll { $0.key == index.key }
            indexes.append(index)
            return true
        }
    }

    /// Drops the field index of a key.
    package func deleteFieldIndex(_ key: PayloadPath) throws(StorageError) {
        try changeIndexes { indexes in
            let count = indexes.count
            indexes.removeAll { $0.key == key }
            return indexes.count != count
        }
    }

    private func changeIndexes(
        _ change: (inout [Manifest.FieldIndexEntry]) -> Bool
    ) throws(StorageError) {
        try publication.withLock { (manifest) throws(StorageError) in
            var next = manifest
            guard change(&next.fieldIndexes) else { return }
            try checkPublishable()
            let open = state.withLock { $0.segments }
            var reopened: [Segment] = []
            for segment in open {
                guard let place = next.segments.firstIndex(where: { $0.uuid == segment.entry.uuid }) else { continue }
                next.segments[place] = try addMissingIndexes(
                    next.segments[place], segment.folder, next.fieldIndexes)
                reopened.append(try segment.reopeningIndexes(next.segments[place], next.fieldIndexes))
            }
            _ = try store.publish(next.encoded())
            manifest = next
            state.withLock {
                $0.segments = reopened
                $0.fieldIndexes = next.fieldIndexes
            }
        }
    }
}
