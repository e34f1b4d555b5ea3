import OctantEngine
public import OctantModel
import OctantStorage

/// Snapshots: the state of collections after one operation, in a file that can be carried elsewhere.
///
/// Taking one goes on beside searches, writes and background work, and holds up none of them. What is taken is exactly
/// the state after one operation, among them all writes that were acknowledged before.
extension Database {
    /// The folder of stored snapshots.
    public var snapshotsPath: String { stored.root }

    /// Takes a snapshot and stores it; it is on disk when this returns.
    ///
    /// - Throws: `notFound` if there is no such collection, `insufficientStorage` if there is no room, `unavailable` if
    ///   the data is damaged (nothing is stored then) or the database closes.
    public func createSnapshot(_ scope: SnapshotScope) throws(OctantError) -> SnapshotDescription {
        try createSnapshot(scope, incremental: false)
    }

    /// As ``createSnapshot(_:)``; an incremental snapshot leaves out the files that the newest stored one of the same
    /// scope has, or those that one builds on. To be recovered it needs them all, in the folder of snapshots or its own.
    ///
    /// Segments are files that never change, so that it holds what was written since, and what the optimizer rewrote.
    /// Without a stored snapshot it is complete.
    public func createSnapshot(
        _ scope: SnapshotScope, incremental: Bool
    ) throws(OctantError) -> SnapshotDescription {
        try asSnapshotJob { () throws(OctantError) in
            let place = try place(of: scope)
            let result = Monitor<Result<SnapshotDescription, OctantError>?>(nil)
            Thread.runInBackground(name: "octant-snapshot") { [self] in
                let made = storing.withLock { _ in
                    Result { () throws(OctantError) in try storeSnapshot(of: place, incremental) }
                }
                result.withLock { $0 = made }
            }
            guard let made = result.withLock({ $0 }) else { throw Self.closed }
            return try made.get()
        }
    }

    /// The stored snapshots, by name.
    public func snapshots(_ scope: SnapshotScope) throws(OctantError) -> [SnapshotDescription] {
        let place = try place(of: scope)
        return try files { () throws(StorageError) in try stored.list(place) }
    }

    /// Deletes a stored snapshot. Throws `notFound` if there is none of this name, `badRequest` if an incremental snapshot
    /// builds on it.
    public func deleteSnapshot(_ scope: SnapshotScope, name: String) throws(OctantError) {
        try asSnapshotJob { () throws(OctantError) in
            let place = try place(of: scope)
            // No snapshot that builds on it gets its name meanwhile.
            let refused = naming.withLock { _ -> OctantError? in
                do throws(OctantError) { try deleteStored(place, name) } catch { return error }
                return nil
            }
            if let refused { throw refused }
        }
    }

    /// The path of a stored snapshot, to be read. Throws `notFound` if there is none of this name.
    public func snapshotFile(_ scope: SnapshotScope, name: String) throws(OctantError) -> String {
        let place = try place(of: scope)
        guard let path = try files({ () throws(StorageError) in try stored.path(place, name) }) else {
            throw .unknownSnapshot(name)
        }
        return path
    }

    /// Takes a snapshot and hands its bytes to `sink`, in order, without storing them.
    ///
    /// - Throws: as ``createSnapshot(_:)``, and what `sink` throws, which ends it. What came by then is no snapshot.
    public func streamSnapshot(
        _ scope: SnapshotScope, to sink: (UnsafeRawBufferPointer) throws(OctantError) -> Void
    ) throws(OctantError) {
        let place = try place(of: scope)
        _ = try writeArchive(of: place, at: unixMilliseconds(), isStored: false, .zero, to: sink)
    }

    /// A path for a snapshot that is being received: a new name in a folder of ours that is swept at the next opening.
    public func temporarySnapshotFile() throws(OctantError) -> String {
        if isClosed { throw Self.closed }
        return try files { () throws(StorageError) in try stored.temporaryFile() }
    }

    /// Removes a file that ``temporarySnapshotFile()`` named; a missing one is fine.
    public func discardTemporarySnapshotFile(_ path: String) { stored.discard(path) }

    // MARK: Steps

    private func deleteStored(_ place: SnapshotStore.Place, _ name: String) throws(OctantError) {
        if let other = try files({ () throws(StorageError) in try stored.dependents(place, name) }).first {
            throw OctantError(.badRequest, "Snapshot \(name) is needed by the incremental snapshot \(other)")
        }
        guard try files({ () throws(StorageError) in try stored.delete(place, name) }) else {
            throw .unknownSnapshot(name)
        }
    }

    private func storeSnapshot(
        of place: SnapshotStore.Place, _ incremental: Bool
    ) throws(OctantError) -> SnapshotDescription {
        let temporary = try files { () throws(StorageError) in try stored.temporaryFile() }
        do throws(OctantError) {
            let now = unixMilliseconds()
            let file = try files { () throws(StorageError) in try SnapshotFile(temporary, fileSystem) }
            let base = try files { () throws(StorageError) in try incremental ? stored.newest(place) : nil }
            let archive = try writeArchive(of: place, at: now, isStored: true, base?.archive ?? .zero) {
                (bytes) throws(OctantError) in
                try files { () throws(StorageError) in try file.append(bytes) }
            }
            try files { () throws(StorageError) in try file.finish() }
            // Names do not change meanwhile: a collection that was dropped gets no snapshot any more.
            return try naming.withLock { (_) throws(OctantError) in
                if isClosed { throw Self.closed }
                if let name = place.collection, state.withLock({ $0.catalog.collections[name] }) == nil {
                    throw .unknownCollection(name)
                }
                if let base, try !files({ () throws(StorageError) in try stored.holds(base.archive, place) }) {
                    throw OctantError(.unavailable, "the snapshot that this one builds on was deleted meanwhile")
                }
                return try files { () throws(StorageError) in
                    try stored.publish(
                        temporary, as: place, at: now, size: archive.size, checksum: archive.checksum)
                }
            }
        } catch {
            stored.discard(temporary)
            throw error
        }
    }

    private func writeArchive(
        of place: SnapshotStore.Place, at milliseconds: Int64, isStored: Bool, _ base: UUIDBytes,
        to sink: SnapshotWriter.Sink
    ) throws(OctantError) -> SnapshotWriter {
        let kind: SnapshotHeader.Kind = place == .storage ? .storage : .collection
        let header = SnapshotHeader(kind: kind, archive: .random(), creation: milliseconds, base: base)
        let bases = try files { () throws(StorageError) in
            try stored.bases(of: header, at: stored.root + "/", place)
        }
        var writer = try SnapshotWriter(
            header,
            isCancelled: { [weak self] in self?.isClosed ?? true }, to: sink)
        var names: Set<String> = []
        let catalog = state.withLock { $0.catalog }
        for name in place.collection.map({ [$0] }) ?? catalog.collections.keys.sorted() {
            let pinned: PinnedShard
            let collection: Collection
            do throws(OctantError) {
                collection = try self.collection(name)
                pinned = try files { () throws(StorageError) in try collection.shard.pin(linksIn: pinsPath) }
            } catch {
                // One that was dropped meanwhile is left out, with its aliases.
                if place == .storage, state.withLock({ $0.catalog.collections[name] == nil }), !isClosed { continue }
                throw error
            }
            defer { pinned.release() }
            if isStored { try files { () throws(StorageError) in try stored.checkRoom(pinned.byteCount) } }
            try writer.add(collection.name, collection.shard.uuid, pinned, without: { bases.hold($0) }, to: sink)
            names.insert(name)
        }
        if place == .storage { try writer.add(aliases: catalog.aliases.filter { names.contains($0.value) }, to: sink) }
        try writer.finish(to: sink)
        return writer
    }

    // MARK: For recovering too

    /// The folder of links that hold files for snapshots that run; emptied at opening.
    var pinsPath: String { path + "/pins" }

    static let closed = OctantError(.unavailable, "the database is closed")

    var isClosed: Bool { state.withLock { $0.closed } }

    /// Throws `notFound` if there is no such collection or shard.
    package func checkExists(_ scope: SnapshotScope) throws(OctantError) { _ = try place(of: scope) }

    /// Where snapshots of this scope are, by the collection's own name. Throws `notFound` if there is no such collection
    /// or shard.
    func place(of scope: SnapshotScope) throws(OctantError) -> SnapshotStore.Place {
        if isClosed { throw Self.closed }
        func known(_ nameOrAlias: String) throws(OctantError) -> String {
            let name = state.withLock { state -> String? in
                let name = state.catalog.aliases[nameOrAlias] ?? nameOrAlias
                return state.catalog.collections[name] == nil ? nil : name
            }
            guard let name else { throw .unknownCollection(nameOrAlias) }
            return name
        }
        switch scope {
        case .storage: return .storage
        case .collection(let name): return .collection(try known(name))
        case .shard(let collection, let id):
            let name = try known(collection)
            guard id == 0 else { throw OctantError(.notFound, "Shard \(id) not found") }
            return .shard(name, id)
        }
    }

    /// Runs work that closing waits for.
    func asSnapshotJob<Result>(_ body: () throws(OctantError) -> Result) throws(OctantError) -> Result {
        let begun = naming.withLock { _ -> Bool in
            if isClosed { return false }
            snapshotJobs.withLock { $0 += 1 }
            return true
        }
        guard begun else { throw Self.closed }
        defer { snapshotJobs.change { $0 -= 1 } }
        return try body()
    }

    /// Runs file work and turns its error into one that clients understand.
    func files<Result>(_ body: () throws(StorageError) -> Result) throws(OctantError) -> Result {
        do throws(StorageError) { return try body() } catch { throw OctantError(error) }
    }
}

extension OctantError {
    /// The error for a snapshot nobody took.
    static func unknownSnapshot(_ name: String) -> OctantError {
        OctantError(.notFound, "Snapshot \(name) not found")
    }
}
