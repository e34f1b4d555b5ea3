extension Operation {
    /// What a snapshot is of.
    package enum SnapshotLevel: Sendable, Hashable { case collection, shard, storage }

    /// What is done with snapshots.
    package enum SnapshotAction: Sendable, Hashable {
        case list, create, download, delete, upload, recover, stream
        /// With partial snapshots: what another server needs to know, what it lacks, that it is recovered from what is sent
        /// along or from another server.
        case manifest, createPartial, uploadPartial, recoverPartial
    }

    /// Whether a file comes with the request.
    package var isUpload: Bool { [.upload, .uploadPartial].contains(snapshot?.action) }

    /// The parts of an operation on snapshots; `nil`: it is about something else.
    package var snapshot: (level: SnapshotLevel, action: SnapshotAction)? {
        switch self {
        case .listSnapshots: (.collection, .list)
        case .createSnapshot: (.collection, .create)
        case .downloadSnapshot: (.collection, .download)
        case .deleteSnapshot: (.collection, .delete)
        case .uploadSnapshot: (.collection, .upload)
        case .recoverSnapshot: (.collection, .recover)
        case .listFullSnapshots: (.storage, .list)
        case .createFullSnapshot: (.storage, .create)
        case .downloadFullSnapshot: (.storage, .download)
        case .deleteFullSnapshot: (.storage, .delete)
        case .listShardSnapshots: (.shard, .list)
        case .createShardSnapshot: (.shard, .create)
        case .downloadShardSnapshot: (.shard, .download)
        case .deleteShardSnapshot: (.shard, .delete)
        case .uploadShardSnapshot: (.shard, .upload)
        case .recoverShardSnapshot: (.shard, .recover)
        case .streamShardSnapshot: (.shard, .stream)
        case .partialSnapshotManifest: (.shard, .manifest)
        case .createPartialSnapshot: (.shard, .createPartial)
        case .uploadPartialSnapshot: (.shard, .uploadPartial)
        case .recoverPartialSnapshot: (.shard, .recoverPartial)
        default: nil
        }
    }

    /// The row of an operation on snapshots.
    ///
    /// Who may read points may read snapshots of them. What changes the data of a collection, or holds every collection,
    /// belongs to those who manage the server.
    var snapshotRow: Row? {
        guard let (level, action) = snapshot else { return nil }
        let place =
            switch level {
            case .collection: "/collections/{collection}"
            case .shard: "/collections/{collection}/shards/{shard}"
            case .storage: ""
            }
        let (path, partial) = (place + "/snapshots", place + "/snapshot/partial")
        let changes: AccessRight = level == .storage ? .manage : .write
        return switch action {
        case .list: Row(verb: .get, path: path, access: .read)
        case .create: Row(verb: .post, path: path, access: changes)
        case .download: Row(verb: .get, path: path + "/{snapshot}", access: .read)
        case .delete: Row(verb: .delete, path: path + "/{snapshot}", access: changes)
        case .upload: Row(verb: .post, path: path + "/upload", access: .manage)
        case .recover: Row(verb: .put, path: path + "/recover", access: .manage)
        case .stream: Row(verb: .get, path: place + "/snapshot", access: .read)
        case .manifest: Row(verb: .get, path: partial + "/manifest", access: .read)
        case .createPartial: Row(verb: .post, path: partial + "/create", access: .read)
        case .uploadPartial: Row(verb: .post, path: partial + "/recover", access: .manage)
        case .recoverPartial: Row(verb: .post, path: partial + "/recover_from", access: .manage)
        }
    }
}
