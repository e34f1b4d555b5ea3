import OctantEngine
public import OctantModel
import OctantStorage

/// Partial snapshots: of a shard's state, only the files that another copy of the shard lacks.
///
/// The one that is to change says what it has, by a manifest. The other sends what differs, and the first puts its new state
/// together from that and from its own files, which never change. Copies that began as one snapshot, of which one is written
/// to, have most files in common.
extension Database {
    /// What a shard has. Writes that are in memory go to disk first, as at every checkpoint.
    ///
    /// - Parameter scope: a shard, or a collection, which has but one.
    /// - Throws: `notFound` if there is no such shard, `badRequest` for the whole storage.
    public func snapshotManifest(_ scope: SnapshotScope) throws(OctantError) -> SnapshotManifest {
        let pinned = try pin(try shard(of: scope), asLinks: false)
        defer { pinned.release() }
        return pinned.snapshotManifest
    }

    /// The state of a shard after all writes that were acknowledged before, without the files that `manifest` names.
    ///
    /// - Returns: `nil` if the shard that `manifest` is of has the same state.
    /// - Throws: as ``snapshotManifest(_:)``.
    public func partialSnapshot(
        _ scope: SnapshotScope, lacking manifest: SnapshotManifest
    ) throws(OctantError) -> PartialSnapshot? {
        let collection = try shard(of: scope)
        let pinned = try pin(collection, asLinks: false)
        guard pinned.snapshotManifest.state != manifest.state else {
            pinned.release()
            return nil
        }
        return PartialSnapshot(
            collection.name, collection.shard.uuid, pinned, held: Set(manifest.files),
            isCancelled: { [weak self] in self?.isClosed ?? true })
    }

    /// Brings a shard to the state of another, of which it takes only what it lacks.
    ///
    /// Until the instant of the switch reads and writes meet the old state, after it the other's, configuration and
    /// operation number included; what was written here since the states were one is gone. A failure leaves the old state as it
    /// was. Whoever still holds the collection finds it closed, as after ``recover(_:from:checksum:priority:)``.
    ///
    /// - Parameters:
    ///   - scope: the shard, or its collection.
    ///   - fetch: gets what this shard has, and returns the path of the archive that ``PartialSnapshot/send(to:)`` of the
    ///     other gave for it, or `nil` if that has the same state. The shard's files are kept meanwhile.
    /// - Returns: whether there was anything to recover.
    /// - Throws: what `fetch` throws; `notFound` if there is no such shard; `badInput` if the archive is damaged, no partial
    ///   snapshot, of other vectors, or leaves out what is not here; `unavailable` if a file of this shard is damaged;
    ///   `insufficientStorage` if there is no room.
    public func recoverPartial(
        _ scope: SnapshotScope, fetch: (SnapshotManifest) throws(OctantError) -> String?
    ) throws(OctantError) -> Bool {
        let pinned = try pin(try shard(of: scope), asLinks: true)
        defer { pinned.release() }
        guard let path = try fetch(pinned.snapshotManifest) else { return false }
        try recover(scope, from: path, checksum: nil, held: HeldFiles(pinned, fileSystem: fileSystem))
        return true
    }

    /// As ``recoverPartial(_:fetch:)``, of an archive that is there already. It must be for a manifest of which this shard still
    /// has the files: the optimizer replaces some now and then.
    ///
    /// - Parameters:
    ///   - path: the archive.
    ///   - checksum: the archive's SHA-256 in hexadecimal; `nil`: not compared.
    public func recoverPartial(_ scope: SnapshotScope, from path: String, checksum: String?) throws(OctantError) {
        let pinned = try pin(try shard(of: scope), asLinks: true)
        defer { pinned.release() }
        try recover(scope, from: path, checksum: checksum, held: HeldFiles(pinned, fileSystem: fileSystem))
    }

    /// The collection of a scope by its own name. Throws `notFound` if there is no such collection or shard.
    package func collectionName(of scope: SnapshotScope) throws(OctantError) -> String {
        guard let name = try place(of: scope).collection else {
            throw OctantError(.badRequest, "Partial snapshots are of a shard, not of the whole storage")
        }
        return name
    }

    private func shard(of scope: SnapshotScope) throws(OctantError) -> Collection {
        try collection(try collectionName(of: scope))
    }

    private func pin(_ collection: Collection, asLinks: Bool) throws(OctantError) -> PinnedShard {
        try files { () throws(StorageError) in try collection.shard.pin(linksIn: pinsPath, asLinks: asLinks) }
    }
}

/// What one copy of a shard has and another lacks, until it is let go of.
public final class PartialSnapshot: Sendable {
    private let name: String
    private let uuid: UUIDBytes
    private let shard: PinnedShard
    private let held: Set<SnapshotManifest.File>
    private let isCancelled: @Sendable () -> Bool

    fileprivate init(
        _ name: String, _ uuid: UUIDBytes, _ shard: PinnedShard, held: Set<SnapshotManifest.File>,
        isCancelled: @escaping @Sendable () -> Bool
    ) {
        self.name = name
        self.uuid = uuid
        self.shard = shard
        self.held = held
        self.isCancelled = isCancelled
    }

    deinit { shard.release() }

    /// Bytes of the files that are sent; the archive is a few kilobytes longer.
    public var byteCount: UInt64 {
        shard.snapshotManifest.files.reduce(0) { held.contains($1) ? $0 : $0 &+ $1.size }
    }

    /// Hands the bytes of the archive to `sink`, in order.
    ///
    /// - Throws: `unavailable` if a file is damaged or the database closes, and what `sink` throws, which ends it. What came by
    ///   then is no snapshot.
    public func send(to sink: (UnsafeRawBufferPointer) throws(OctantError) -> Void) throws(OctantError) {
        let header = SnapshotHeader(kind: .partial, archive: .random(), creation: unixMilliseconds())
        var writer = try SnapshotWriter(header, isCancelled: isCancelled, to: sink)
        try writer.add(name, uuid, shard, without: { held.contains(SnapshotManifest.File($0)) }, to: sink)
        try writer.finish(to: sink)
    }
}
