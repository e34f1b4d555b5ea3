import Octant
import OctantEngine
import OctantModel
import OctantStorage

extension SimulatedLife {
    private var snapshotsPath: String { Self.root + "/snapshots" }

    /// The archives of a collection, as they lie on the disk.
    func archives(_ place: Int) throws -> [StoredArchive] {
        try StoredArchive.all(of: histories[place].name, in: snapshotsPath, disk)
    }

    // MARK: Taking

    /// Takes a snapshot of all there is, or of what the last one lacks.
    func takeSnapshot(_ place: Int, incremental: Bool) throws {
        guard let collection = try opened(place), let database else { return }
        let name = histories[place].name
        note("\(incremental ? "incremental " : "")snapshot of \(name)")
        count("snapshot")
        let bound = histories[place].promise.synced
        var snapshot = History.Snapshot(
            origin: collection.shard.uuid, states: histories[place].states,
            settings: History.Settings(collection.config, collection.shard.view.fieldIndexes))
        let number = histories[place].promise.possibleSnapshots.count
        histories[place].promise.possibleSnapshots.append(snapshot)
        let made: SnapshotDescription
        do {
            made = try database.createSnapshot(.collection(name), incremental: incremental)
        } catch {
            noteError(error.message)
            try demand(mayFail, "a snapshot failed without a fault: \(error.message)")
            return
        }
        guard let archive = try archives(place).first(where: { $0.name == made.name }) else {
            throw Violation(description: "\(name): the snapshot \(made.name) is not there")
        }
        let extra = histories[place].newest.extra
        guard let state = snapshot.states.last(where: { $0.lsn == archive.lsn && $0.extra == extra }) else {
            throw Violation(description: "\(archive.path) holds operation \(archive.lsn), which nothing is known of")
        }
        try demand(state.sequence >= bound, "\(archive.path) lacks operations that were acknowledged before")
        try demand(archive.extra == extra, "\(archive.path) has other vectors")
        snapshot.states = [state]
        snapshot.archive = archive.header.archive
        snapshot.checksum = made.checksum
        histories[place].promise.possibleSnapshots.remove(at: number)
        histories[place].promise.snapshots[made.name] = snapshot
        if archive.header.base != .zero { count("incremental snapshot") }
    }

    /// Deletes one of the snapshots, unless another builds on it.
    func deleteSnapshot(_ place: Int) throws {
        let archives = try archives(place)
        guard let database, try opened(place) != nil, let picked = archives.randomElement(using: &random)
        else { return }
        note("delete \(picked.path)")
        count("delete snapshot")
        let isNeeded = archives.contains { $0.header.base == picked.header.archive }
        let snapshot = try histories[place].snapshot(picked)
        let known = histories[place].promise.snapshots.removeValue(forKey: picked.name)
        if known != nil { histories[place].promise.possibleSnapshots.append(snapshot) }
        do {
            try database.deleteSnapshot(.collection(histories[place].name), name: picked.name)
            try demand(!isNeeded, "\(picked.path) was deleted, which another builds on")
            histories[place].promise.possibleSnapshots.removeAll { $0.archive == picked.header.archive }
        } catch let error as OctantError {
            if isNeeded, error.code == .badRequest {
                guard let known else { return }
                histories[place].promise.possibleSnapshots.removeLast()
                histories[place].promise.snapshots[picked.name] = known
                return
            }
            noteError(error.message)
            try demand(mayFail, "deleting \(picked.path) failed without a fault: \(error.message)")
        }
    }

    // MARK: Recovering

    /// Recovers one of a collection's snapshots, under its own or another name.
    func recoverSnapshot(of source: Int, as target: Int) throws {
        let archives = try archives(source)
        guard let picked = archives.randomElement(using: &random), let database else { return }
        let snapshot = try histories[source].snapshot(picked)
        guard let state = snapshot.states.first else { return }
        let name = histories[target].name
        let present = try opened(target)
        note("recover \(picked.path), operation \(state.lsn), as \(name)")
        count(source == target ? "recover in place" : "recover elsewhere")
        let isRefused =
            present.map { $0.config.params.denseShapes != picked.shapes } ?? false || lacksBase(picked, archives)
        let before = histories[target].promise
        let replacement = History.Replacement(old: present?.shard.path, state: state, settings: snapshot.settings)
        histories[target].promise.replacement = replacement
        if present == nil { histories[target].promise.existence = .creating }
        do {
            try database.recover(
                .collection(name), from: picked.path, checksum: snapshot.checksum, priority: .snapshot)
            try demand(!isRefused, "\(picked.path) does not fit, and was recovered as \(name)")
            if crash == nil { try adoptRecovered(target, replacement) }
        } catch let error as OctantError {
            if isRefused, error.code == .badInput {
                count("recovery refused")
                histories[target].promise.existence = before.existence
                histories[target].promise.replacement = nil
            } else {
                noteError(error.message)
                try demand(mayFail, "recovering \(picked.path) failed without a fault: \(error.message)")
                guard let present, present.shard.failure == nil else {
                    // The catalog may name the recovered collection.
                    mustReopen = true
                    return
                }
                histories[target].promise.replacement = nil
            }
            guard crash == nil, let present else { return }
            let isUntouched = try database.collection(name).shard.path == present.shard.path
            try demand(isUntouched, "\(name) was replaced by a recovery that failed")
            try check(target, searches: false)
        }
    }

    /// Brings one collection to the state of another, from what it lacks.
    func recoverPartial(of source: Int, as target: Int) throws {
        guard let database, let from = try opened(source), let present = try opened(target) else { return }
        let (sender, name) = (from.name, histories[target].name)
        note("recover what \(name) lacks of \(sender)")
        count("recover partial")
        let isRefused = present.config.params.denseShapes != from.config.params.denseShapes
        let newest = histories[source].newest
        var lsn: LSN?
        let replacement = History.Replacement(
            old: present.shard.path, state: newest,
            settings: History.Settings(from.config, from.shard.view.fieldIndexes))
        histories[target].promise.replacement = replacement
        var path = ""
        defer { database.discardTemporarySnapshotFile(path) }
        do {
            let differed = try database.recoverPartial(.collection(name)) { (manifest) throws(OctantError) in
                let partial = try database.partialSnapshot(.collection(sender), lacking: manifest)
                guard let partial else { return nil }
                lsn = from.shard.view.lsn
                var bytes: [UInt8] = []
                try partial.send { bytes.append(contentsOf: $0) }
                path = try database.temporarySnapshotFile()
                do throws(StorageError) {
                    let file = try SnapshotFile(path, files)
                    try bytes.withRawBytes { (raw) throws(StorageError) in try file.append(raw) }
                    try file.finish()
                } catch { throw OctantError(error) }
                return path
            }
            if differed {
                try demand(lsn == newest.lsn, "\(sender) after operation \(newest.lsn) was sent as of \(lsn ?? 0)")
                try demand(!isRefused, "\(sender) does not fit, and was recovered as \(name)")
                count("partial that differed")
                if crash == nil { try adoptRecovered(target, replacement) }
            } else {
                histories[target].promise.replacement = nil
            }
        } catch let error as OctantError {
            if isRefused, error.code == .badInput {
                histories[target].promise.replacement = nil
            } else {
                noteError(error.message)
                try demand(mayFail, "a partial recovery as \(name) failed without a fault: \(error.message)")
                guard present.shard.failure == nil else {
                    mustReopen = true
                    return
                }
                histories[target].promise.replacement = nil
            }
            guard crash == nil else { return }
            let isUntouched = try database.collection(name).shard.path == present.shard.path
            try demand(isUntouched, "\(name) was replaced by a partial recovery that failed")
            try check(target, searches: false)
        }
    }

    /// Whether an archive leaves out files that none of those it builds on has, for one of these is gone.
    private func lacksBase(_ archive: StoredArchive, _ archives: [StoredArchive]) -> Bool {
        var wanted = archive.header.base
        while wanted != .zero {
            guard let base = archives.first(where: { $0.header.archive == wanted }) else { return true }
            wanted = base.header.base
        }
        return false
    }

    private func adoptRecovered(_ place: Int, _ replacement: History.Replacement) throws {
        let name = histories[place].name
        guard let collection = try database?.collection(name) else { return }
        try demand(collection.shard.path != replacement.old, "\(name) is the one of before its recovery")
        let settings = History.Settings(collection.config, collection.shard.view.fieldIndexes)
        try demand(settings == replacement.settings, "recovered \(settings), not \(replacement.settings)")
        histories[place].replace(with: replacement)
        adoptVectors(place, collection)
        try demand(collection.config.params.extra == replacement.state.extra, "\(name) has other vectors recovered")
        try check(place, searches: true)
    }

    /// Has random requests be such as the collection's vectors allow.
    func adoptVectors(_ place: Int, _ collection: Collection) {
        requests[place].extra = collection.config.params.extra
        requests[place].allKinds = collection.config.params.sparse("s") != nil
    }

    // MARK: Checks

    /// That all snapshots that were acknowledged are there, and no others.
    func checkSnapshots(_ place: Int) throws {
        let found = try archives(place)
        for archive in found { _ = try histories[place].snapshot(archive) }
        for name in histories[place].promise.snapshots.keys.sorted() {
            try demand(found.contains { $0.name == name }, "the snapshot \(name) is gone")
        }
    }

    /// After an opening without faults: no folder of a collection that is not there, nothing half written.
    func checkLeftovers() throws {
        let folders = try disk.list(Self.root + "/c")
        try demand(
            folders.count == database?.collectionNames.count, "folders \(folders) of \(histories.map(\.name))")
        try demand(disk.kind(Self.root + "/pins") == nil, "links of a snapshot are left")
        let left = disk.paths.filter { $0.hasPrefix(snapshotsPath + "/.tmp") }
        try demand(left.isEmpty, "\(left) are left")
        for place in histories.indices {
            guard let shard = try opened(place)?.shard else { continue }
            let saved = (try? disk.list(shard.savedBuilds.path)) ?? []
            try demand(saved == shard.savedBuilds.names.sorted(), "graphs \(saved), not \(shard.savedBuilds.names)")
        }
    }
}
