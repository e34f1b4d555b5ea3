import OctantEngine
public import OctantModel
import OctantStorage

/// Recovering snapshots: everything is brought beside what is there, verified whole, and then put in its place at once.
extension Database {
    /// Puts the content of a snapshot in place of what is there. A collection that is absent is made.
    ///
    /// Until the instant of the switch reads and writes meet the old data, after it the new; writes made meanwhile go
    /// with the old. A failure leaves the old data as it was. Whoever still holds a collection that was replaced finds
    /// it closed, as if it had been dropped.
    ///
    /// - Parameters:
    ///   - scope: what to recover. A collection's snapshot can be recovered under any name; a collection that exists
    ///     must have the same dense vectors. A shard's collection must exist. Of the storage, all collections and
    ///     aliases in the snapshot are recovered, and others stay.
    ///   - path: the archive.
    ///   - checksum: the archive's SHA-256 in hexadecimal; `nil`: not compared.
    ///   - priority: there is one replica, so that each means the same.
    /// - Throws: `badRequest` if there is no archive at `path`; `badInput` if it is damaged, not what `checksum` says, or
    ///   not of this scope; `insufficientStorage` if there is no room.
    public func recover(
        _ scope: SnapshotScope, from path: String, checksum: String?, priority: SnapshotPriority
    ) throws(OctantError) {
        try recover(scope, from: path, checksum: checksum, replacingAny: false)
    }

    /// As ``recover(_:from:checksum:priority:)``; with `replacingAny`, whatever vectors the collections there have.
    package func recover(
        _ scope: SnapshotScope, from path: String, checksum: String?, replacingAny: Bool
    ) throws(OctantError) {
        try recover(Recovery(scope: scope, replacesAny: replacingAny), from: path, checksum: checksum)
    }

    /// Puts the content of a partial snapshot, and of the files that it leaves out, in place of what is there.
    func recover(
        _ scope: SnapshotScope, from path: String, checksum: String?, held: HeldFiles
    ) throws(OctantError) {
        try recover(Recovery(scope: scope, replacesAny: false, held: held), from: path, checksum: checksum)
    }

    private func recover(_ recovery: Recovery, from path: String, checksum: String?) throws(OctantError) {
        try asSnapshotJob { () throws(OctantError) in
            var recovery = recovery
            do throws(OctantError) {
                try extract(&recovery, from: path, checksum: checksum)
                try open(&recovery)
                try switchOver(&recovery)
            } catch {
                for shard in recovery.shards { shard.close() }
                // After a failed publication the catalog on disk may name the folders.
                if store.failure == nil {
                    for restore in recovery.restores { try? restore.remove() }  // else at the next opening
                }
                throw error
            }
        }
    }

    /// Brings the archive's files into folders that nothing names, and reads it to its end.
    private func extract(
        _ recovery: inout Recovery, from path: String, checksum: String?
    ) throws(OctantError) {
        guard case .file? = try files({ () throws(StorageError) in try fileSystem.kind(path) }) else {
            throw OctantError(.badRequest, "Snapshot file \"\(path)\" does not exist")
        }
        var reader = try archive { () throws(StorageError) in
            try SnapshotReader(path: path, fileSystem: fileSystem)
        }
        defer { reader.close() }
        try recovery.check(reader.header)
        try files { () throws(StorageError) in try fileSystem.checkRoom(self.path, reader.size) }
        let leftOut = try archive { () throws(StorageError) in
            if let held = recovery.held { return LeftOutFiles.held(held) }
            return .archives(try stored.bases(of: reader.header, at: path, recovery.place(in: self)))
        }
        while true {
            switch try archive({ () throws(StorageError) in try reader.next() }) {
            case .collection(let section):
                try checkReplaceable(section, recovery)
                let isCancelled: @Sendable () -> Bool = { [self] in isClosed }
                try recovery.held?.verify(section, isCancelled: isCancelled)
                let restore = ShardRestore(section, parent: self.path + "/c", fileSystem: fileSystem)
                // Before its first file: what fails is removed too.
                recovery.restores.append(restore)
                try archive { () throws(StorageError) in
                    try restore.extract(from: &reader, leftOut: leftOut, isCancelled: isCancelled)
                }
            case .aliases(let aliases): recovery.aliases = aliases
            case .end:
                guard let checksum, checksum.lowercased() != reader.checksum else { return }
                throw OctantError(
                    .badInput, "Snapshot checksum mismatch: expected \(checksum), the file has \(reader.checksum)")
            }
        }
    }

    private func open(_ recovery: inout Recovery) throws(OctantError) {
        for restore in recovery.restores {
            let shard = try archive { () throws(StorageError) in try restore.open(limits: limits, log: log) }
            recovery.shards.append(shard)
        }
    }

    /// Runs work on an archive: that it is damaged is the fault of who sent it.
    private func archive<Result>(_ body: () throws(StorageError) -> Result) throws(OctantError) -> Result {
        do throws(StorageError) { return try body() } catch {
            switch error.code {
            case .corrupt, .incompatible:
                throw OctantError(.badInput, "Snapshot cannot be recovered: \(error.message)")
            default: throw OctantError(error)
            }
        }
    }

    /// Puts the recovered collections in their places, all in one publication.
    private func switchOver(_ recovery: inout Recovery) throws(OctantError) {
        let recovered = recovery
        var replaced: [(path: String, entry: Entry)] = []
        try naming.withLock { (_) throws(OctantError) in
            if isClosed { throw Self.closed }
            var catalog = state.withLock { $0.catalog }
            var entries: [String: Entry] = [:]
            var names: [(name: String, old: UUIDBytes?)] = []
            for (restore, shard) in zip(recovered.restores, recovered.shards) {
                try checkReplaceable(restore.section, recovered)
                let name = try self.name(for: restore.section, recovered.scope)
                guard entries[name] == nil else {
                    throw OctantError(.badInput, "Snapshot cannot be recovered: it has `\(name)` twice")
                }
                names.append((name, catalog.collections[name]))
                catalog.collections[name] = restore.uuid
                entries[name] = .open(Collection(name: name, shard: shard, compute: compute, timer: timer))
            }
            catalog.aliases.merge(recovered.aliases) { _, new in new }
            try catalog.checkNames()
            do throws(StorageError) { _ = try store.publish(catalog.encoded()) } catch {
                if store.failure != nil {
                    fence(names.map(\.name), "nobody knows whether it was replaced by a snapshot", error)
                }
                throw OctantError(error)
            }
            let old = state.withLock { state -> [String: Entry] in
                let old = state.entries
                state.catalog = catalog
                state.entries.merge(entries) { _, new in new }
                return old
            }
            for (name, uuid) in names {
                if let uuid, let entry = old[name] { replaced.append(("\(path)/c/\(uuid)", entry)) }
            }
            for shard in recovered.shards { background.add(shard) }
            // Before names may change again: a collection dropped in between would be looked for in its old folder.
            for (path, entry) in replaced { retire(path, entry) }
        }
    }

    /// It is not known whether a restart will find these collections or what was to replace them: what they took from now
    /// on could be lost.
    func fence(_ names: [String], _ reason: String, _ error: StorageError) {
        for case .open(let collection)? in names.map({ name in state.withLock { $0.entries[name] } }) {
            collection.shard.fence(reason, error)
        }
    }

    /// Closes a collection that no catalog names any more and removes its folder.
    private func retire(_ folder: String, _ entry: Entry) {
        if case .open(let collection) = entry {
            background.remove(collection.shard)
            collection.shard.close(forGood: true)
        }
        do throws(StorageError) { try fileSystem.removeTree(folder) } catch {
            log("\(folder) cannot be removed: \(error)")  // at the next opening
        }
    }

    /// The name itself, or that of the collection of which it is an alias.
    fileprivate func resolved(_ name: String) -> String { state.withLock { $0.catalog.aliases[name] ?? name } }

    /// The name under which a section comes back.
    private func name(for section: SnapshotSection, _ scope: SnapshotScope) throws(OctantError) -> String {
        switch scope {
        case .storage: return section.name
        case .collection(let name): return resolved(name)
        case .shard: return try place(of: scope).collection ?? section.name
        }
    }

    /// Throws if a section must not replace what is there.
    private func checkReplaceable(_ section: SnapshotSection, _ recovery: Recovery) throws(OctantError) {
        let name = try self.name(for: section, recovery.scope)
        guard recovery.scope != .storage, !recovery.replacesAny,
            case .open(let present)? = state.withLock({ $0.entries[name] })
        else { return }
        let (old, new) = (present.config.params.shapes, section.manifest.config.params.shapes)
        guard new != old else { return }
        throw OctantError(
            .badInput,
            "Snapshot is not compatible with existing collection: Collection vectors: \(old) Snapshot Vectors: \(new)")
    }
}

/// A recovery on its way.
private struct Recovery: Sendable {
    let scope: SnapshotScope
    let replacesAny: Bool
    /// Of a partial snapshot: the files that it leaves out.
    let held: HeldFiles?
    var restores: [ShardRestore] = []
    var shards: [Shard] = []
    var aliases: [String: String] = [:]

    init(scope: SnapshotScope, replacesAny: Bool, held: HeldFiles? = nil) {
        self.scope = scope
        self.replacesAny = replacesAny
        self.held = held
    }

    /// Where snapshots of what is recovered are stored, whether it exists or not.
    func place(in database: Database) -> SnapshotStore.Place {
        switch scope {
        case .storage: .storage
        case .collection(let name): .collection(database.resolved(name))
        case .shard(let name, let id): .shard(database.resolved(name), id)
        }
    }

    /// Throws if an archive is of something else than the scope.
    func check(_ header: SnapshotHeader) throws(OctantError) {
        let expected: SnapshotHeader.Kind = held != nil ? .partial : scope == .storage ? .storage : .collection
        guard header.kind == expected else {
            let what =
                switch header.kind {
                case .storage: "a snapshot of the whole storage"
                case .collection: "a snapshot of one collection"
                case .partial: "a partial snapshot of one shard"
                }
            throw OctantError(.badInput, "Snapshot cannot be recovered: it is \(what)")
        }
    }
}

extension Catalog {
    /// Throws if an alias is the name of a collection, or names none.
    fileprivate func checkNames() throws(OctantError) {
        for (alias, name) in aliases.sorted(by: { $0.key < $1.key }) {
            if collections[alias] != nil {
                throw OctantError(.badInput, "Snapshot cannot be recovered: `\(alias)` is a collection and an alias")
            }
            if collections[name] == nil { throw .unknownCollection(name) }
        }
    }
}

extension CollectionParams {
    /// What its dense vectors are like.
    fileprivate var shapes: [String] {
        vectors.all.sorted { $0.name < $1.name }.map {
            "\($0.name):\($0.params.size):\($0.params.distance.rawValue)"
                + ($0.params.multivector == nil ? "" : ":multi")
        }
    }
}
