package import OctantModel
package import OctantStorage

/// Makes a damaged collection one that opens, of what can be verified. Nothing is deleted: what is replaced goes to
/// `quarantine/repair-…` in the collection's folder.
///
/// New files are written first, then one manifest is published, then the old files are moved: a crash at any point leaves
/// the collection as it was before or as it is after.
package struct CollectionRepair {
    private let check: CollectionCheck
    private let fileSystem: any FileSystem
    private let isPlan: Bool
    private let quarantine: Quarantine
    /// What was done.
    package private(set) var steps: [RepairReport.Step] = []
    /// What was left.
    package private(set) var left: [RepairReport.Step] = []

    private var moves: [String] = []
    private var lostPoints: [PointID] = []
    private var newLog: LogRepair?

    /// A repair of what `check` found; with `isPlan` nothing is written.
    package init(_ check: CollectionCheck, fileSystem: any FileSystem, isPlan: Bool) {
        self.check = check
        self.fileSystem = fileSystem
        self.isPlan = isPlan
        quarantine = Quarantine(of: check.path, fileSystem: fileSystem)
    }

    /// Does it. Throws if the disk fails; what was published by then holds.
    package mutating func run() throws(StorageError) {
        guard var manifest = check.manifest else {
            left.append(
                .init(
                    collection: check.name, action: "no manifest can be read: \(check.path) stays as it is",
                    lost: "everything that the collection held, unless a snapshot has it"))
            return
        }
        let original = manifest
        if check.isFallback {
            note("the manifest before the damaged one is taken", lost: "changes of settings and field indexes since")
        }
        var segments: [SegmentEntry] = []
        for segment in check.segments {
            if let kept = try repair(segment, original) { segments.append(kept) }
        }
        manifest.segments = segments
        let log = LogRepair(collection: check, manifest: manifest, fileSystem: fileSystem)
        if try log.isUnfinished {
            note("the exchange of the log that was cut short is finished")
            newLog = log
        } else if check.logError != nil {
            try repairLog(&manifest)
        }
        if check.poison != nil {
            note("\(ReplayMarker.name) is set aside: the next opening tries the operation again")
            moves.append(check.path + "/" + ReplayMarker.name)
        }
        for (path, _) in check.damagedManifests where !check.isFallback { moves.append(path) }
        for leftover in check.leftovers where check.isFallback { moves.append(leftover) }
        guard !steps.isEmpty || !moves.isEmpty else { return }
        let isChanged =
            check.isFallback || manifest.segments != original.segments
            || manifest.checkpoint != original.checkpoint
        try publish(isChanged ? manifest : nil)
    }

    private mutating func note(_ action: String, lost: String? = nil) {
        steps.append(.init(collection: check.name, action: action, lost: lost))
    }

    // MARK: Segments

    private mutating func repair(_ segment: SegmentCheck, _ manifest: Manifest) throws(StorageError) -> SegmentEntry? {
        if segment.isIntact { return segment.entry }
        let folder = "\(check.path)/s0/seg/\(segment.entry.uuid)"
        var entry = segment.entry
        let originals = segment.files.filter { !$0.file.role.isDerived && !$0.isIntact }
        guard originals.isEmpty else { return try salvage(segment, manifest, originals) }
        for file in segment.files where !file.isIntact {
            let path = folder + "/" + file.file.summary.name
            entry.files.removeAll { $0 == file.file }
            if try fileSystem.kind(path) != nil { moves.append(path) }
            if file.file.role == .fieldIndex, try rebuildIndex(file.file, &entry, segment, manifest) {
                note("the field index of '\(file.file.subject)' is made anew from the payload: \(path)")
            } else {
                note("\(file.file.role.title) '\(file.file.subject)' is left out, the optimizer makes it anew: \(path)")
            }
        }
        if segment.deletions != nil {
            if let deletions = entry.deletions {
                let path = "\(check.path)/s0/del/\(deletions.name)"
                if try fileSystem.kind(path) != nil { moves.append(path) }
            }
            try renewDeletions(&entry, segment, manifest)
        }
        return entry
    }

    private func checker(_ manifest: Manifest) -> SegmentChecker {
        SegmentChecker(
            collectionPath: check.path, fileSystem: fileSystem, config: manifest.config, pace: { _ in true })
    }

    private func rebuildIndex(
        _ file: SegmentEntry.FileEntry, _ entry: inout SegmentEntry, _ segment: SegmentCheck, _ manifest: Manifest
    ) throws(StorageError) -> Bool {
        guard let payload = entry.file(.payload),
            let index = manifest.fieldIndexes.first(where: {
                $0.key.description == file.subject && $0.schema.recipe == file.parameters
            }), index.schema.isAvailable
        else { return false }
        if isPlan { return true }
        let folder = checker(manifest).folder(of: entry)
        let payloads = try PayloadFile(try folder.open(payload, "PAYL"), rowCount: entry.rowCount)
        let rows = (0..<UInt32(entry.rowCount)).lazy.map { payloads.bytes($0) }
        entry.files.append(
            try SegmentWriter.writeIndex(index, folder: folder, rowCount: entry.rowCount, payloads: rows))
        try fileSystem.syncDirectory(folder.path)
        return true
    }

    /// Copies what can be read into a new segment; sets the whole aside if nothing can be.
    private mutating func salvage(
        _ segment: SegmentCheck, _ manifest: Manifest, _ originals: [FileCheck]
    ) throws(StorageError) -> SegmentEntry? {
        let folder = checker(manifest).folder(of: segment.entry)
        let work = RowSalvage(
            check: segment, folder: folder, deletionsPath: check.path + "/s0/del", manifest: manifest)
        let names = originals.map(\.file.role.title).joined(separator: ", ")
        if try fileSystem.kind(folder.path) != nil { moves.append(folder.path) }
        if let deletions = segment.entry.deletions {
            let path = "\(check.path)/s0/del/\(deletions.name)"
            if try fileSystem.kind(path) != nil { moves.append(path) }
        }
        guard let opened = work.open(), let damaged = work.damagedRows() else {
            let count = segment.entry.rowCount - segment.entry.deletedCount
            note(
                "segment \(segment.entry.uuid) is set aside: its \(names) cannot be read",
                lost: "\(count) points as they were in this segment")
            return nil
        }
        let lost = damaged.sorted().filter { opened.tombstones.deathLSN(UInt32($0)) == 0 }
        lostPoints += lost.map { opened.id(UInt32($0)) }
        let kept = opened.rowCount - opened.tombstones.killedCount - lost.count
        note(
            "segment \(segment.entry.uuid): \(kept) points are copied into a new segment, the damaged one is set aside "
                + "(\(names))",
            lost: lost.isEmpty ? nil : "\(lost.count) points in damaged blocks: \(Self.listed(lostPoints))")
        return isPlan ? segment.entry : try work.write(opened, without: damaged)
    }

    /// Says which rows of a segment are dead though its bitmap is lost: those that cannot be found by id, and those that
    /// another segment has a newer version of.
    private mutating func renewDeletions(
        _ entry: inout SegmentEntry, _ segment: SegmentCheck, _ manifest: Manifest
    ) throws(StorageError) {
        entry.deletions = nil
        entry.deletedCount = 0
        let checker = checker(manifest)
        func ids(_ entry: SegmentEntry) throws(StorageError) -> (BlockFile, IDMap)? {
            guard let file = entry.file(.ids) else { return nil }
            let mapped = try checker.folder(of: entry).open(file, "IDMP")
            return (mapped, try IDMap(mapped.data))
        }
        guard let (own, map) = try ids(entry) else { return }
        var dead = Set(0..<entry.rowCount)
        for place in 0..<map.listedCount { dead.remove(Int(map.row(atPlace: place))) }
        for other in check.segments where other.entry.uuid != entry.uuid {
            guard other.files.allSatisfy({ $0.file.role != .ids || $0.isIntact }), let found = try ids(other.entry)
            else { continue }
            for place in 0..<map.listedCount {
                let row = map.row(atPlace: place)
                guard let newer = found.1.row(of: map.id(row)), found.1.version(newer) > map.version(row) else {
                    continue
                }
                dead.insert(Int(row))
            }
            withExtendedLifetime(found.0) {}
        }
        withExtendedLifetime(own) {}
        let known = segment.entry.deletedCount
        note(
            "which points of segment \(entry.uuid) were deleted is not known any more: \(dead.count) of \(known) "
                + "deletions follow from other files",
            lost: known > dead.count ? "\(known - dead.count) deletions: so many points are there again" : nil)
        guard !isPlan, !dead.isEmpty else { return }
        var words = [UInt64](repeating: 0, count: (entry.rowCount + 63) / 64)
        for row in dead { words[row >> 6] |= 1 << UInt64(row & 63) }
        let name = "\(entry.uuid).\(manifest.checkpoint)-repaired-\(dead.count)"
        try fileSystem.removeTree("\(check.path)/s0/del/\(name)")
        let writer = try BlockFileWriter(
            path: "\(check.path)/s0/del/\(name)", type: "DELS", uuid: entry.uuid, rows: UInt64(entry.rowCount),
            fileSystem: fileSystem)
        try writer.append(words.map(\.littleEndian).withUnsafeBytes { Array($0) })
        entry.deletions = try writer.finish()
        entry.deletedCount = dead.count
        try fileSystem.syncDirectory(check.path + "/s0/del")
    }

    // MARK: Log

    private mutating func repairLog(_ manifest: inout Manifest) throws(StorageError) {
        let repair = LogRepair(collection: check, manifest: manifest, fileSystem: fileSystem)
        guard let part = repair.find() else {
            left.append(.init(collection: check.name, action: "the log cannot be listed: \(check.path)/s0/wal"))
            return
        }
        if part.checkpoint > manifest.checkpoint {
            note(
                "the log begins with operation \(part.checkpoint + 1), segments hold those up to "
                    + "\(manifest.checkpoint): it is replayed from where it begins",
                lost: "operations \(manifest.checkpoint + 1) to \(part.checkpoint)")
        }
        let reason = (part.error ?? check.logError)?.message ?? ""
        note(
            "the log is written anew up to operation \(part.last), the damaged one is set aside",
            lost: part.error == nil && check.logError?.code != .corrupt
                ? nil : "operations from \(part.last + 1) on, as many as there were: \(reason)")
        manifest.checkpoint = part.checkpoint
        guard !isPlan else { return }
        try repair.write(part)
        newLog = repair
    }

    // MARK: Publishing

    private mutating func publish(_ manifest: Manifest?) throws(StorageError) {
        guard !isPlan else { return }
        let folder = try quarantine.repairFolder()
        if !lostPoints.isEmpty {
            let text = lostPoints.map { "\($0)\n" }.joined()
            try fileSystem.writeAtomically(folder + "/lost-points.txt", Array(text.utf8))
        }
        // A publication removes older manifests.
        let damaged = Set(check.damagedManifests.map(\.path))
        for name in try fileSystem.list(check.path) where name.hasPrefix("MANIFEST-") {
            let path = check.path + "/" + name
            guard !damaged.contains(path) else { continue }
            try fileSystem.writeAtomically(folder + "/" + name, try fileSystem.readAll(path))
        }
        // The log first: a manifest with a later checkpoint opens with the old log just as well, the new one does not
        // open with a manifest from before.
        if let manifest {
            let store = GenerationStore(
                directory: check.path, prefix: "MANIFEST", owner: check.uuid, fileSystem: fileSystem)
            if case .fallback = try store.loadNewest() { try store.acceptFallback() }
            _ = try store.publish(manifest.encoded())
        }
        try newLog?.exchange(quarantine, target: folder + "/wal")
        if check.isFallback { moves += check.damagedManifests.map { $0.path + ".damaged" } }
        for path in moves where try fileSystem.kind(path) != nil {
            try quarantine.move(path, to: try freeName(folder, lastPathComponent(path)))
        }
        try fileSystem.syncDirectory(folder)
        try fileSystem.syncDirectory(check.path)
        note("what was replaced is in \(folder)")
    }

    private func freeName(_ folder: String, _ name: String) throws(StorageError) -> String {
        var number = 1
        var path = folder + "/" + name
        while try fileSystem.kind(path) != nil {
            number += 1
            path = "\(folder)/\(name).\(number)"
        }
        return path
    }

    private static func listed(_ ids: [PointID]) -> String {
        let head = ids.prefix(10).map { "\($0)" }.joined(separator: ", ")
        return ids.count > 10 ? head + ", … (all in lost-points.txt)" : head
    }
}
