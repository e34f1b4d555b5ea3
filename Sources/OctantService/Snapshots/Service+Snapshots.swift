package import Octant
package import OctantModel

extension Service {
    // MARK: Making and keeping

    /// Makes a snapshot and keeps it. Blocks.
    ///
    /// - Parameter incremental: Leaves out what the newest one that is stored has.
    package func createSnapshot(
        _ scope: SnapshotScope, incremental: Bool = false
    ) throws(OctantError) -> SnapshotDescription {
        guard !incremental || snapshots.store == nil else {
            throw OctantError(
                .badRequest, "Incremental snapshots need those before them here: they are not made where S3 keeps them")
        }
        return try snapshotCounts.counting(scope, .creation) { () throws(OctantError) in
            guard let store = snapshots.store else {
                return try database.createSnapshot(scope, incremental: incremental)
            }
            // One at a time, because a name that is free must stay so until it is taken.
            return try storing.withLock { (_) throws(OctantError) in try createSnapshot(scope, in: store) }
        }
    }

    private func createSnapshot(
        _ scope: SnapshotScope, in store: any SnapshotObjectStore
    ) throws(OctantError) -> SnapshotDescription {
        let made = try database.createSnapshot(scope)
        // What is kept elsewhere does not stay here, whether or not it got there.
        defer {
            do throws(OctantError) { try database.deleteSnapshot(scope, name: made.name) } catch {
                snapshots.log("snapshot \(made.name) cannot be removed after it was stored: \(error)")
            }
        }
        // The name is new here, but may be that of an earlier one that was moved.
        var kept = made
        var number = 2
        while try store.contains(scope, name: kept.name) {
            kept.name = "\(made.name.dropLast(Self.suffix.count))-\(number)\(Self.suffix)"
            number += 1
        }
        try store.put(scope, kept, path: try database.snapshotFile(scope, name: made.name))
        return kept
    }

    /// How names of snapshots end.
    private static let suffix = ".snapshot"

    /// The snapshots that are kept.
    package func listSnapshots(_ scope: SnapshotScope) throws(OctantError) -> [SnapshotDescription] {
        guard let store = snapshots.store else { return try database.snapshots(scope) }
        try database.checkExists(scope)
        return try store.list(scope)
    }

    /// Removes a snapshot.
    package func deleteSnapshot(_ scope: SnapshotScope, name: String) throws(OctantError) {
        try Names.checkSnapshot(name)
        guard let store = snapshots.store else { return try database.deleteSnapshot(scope, name: name) }
        try database.checkExists(scope)
        try store.delete(scope, name: name)
    }

    /// A snapshot, to be sent.
    package func downloadSnapshot(_ scope: SnapshotScope, name: String) throws(OctantError) -> SnapshotDownload {
        try Names.checkSnapshot(name)
        if let store = snapshots.store {
            try database.checkExists(scope)
            return try store.get(scope, name: name)
        }
        let file = try TransferFile.open(try database.snapshotFile(scope, name: name))
        let length = try file.size()
        return SnapshotDownload(name: name, length: length) { (sink) throws(OctantError) in
            defer { file.close() }
            try file.read(0..<length, sink)
        }
    }

    /// The state of a shard as it is now, to be sent; nothing of it stays here.
    package func streamSnapshot(_ scope: SnapshotScope) throws(OctantError) -> SnapshotDownload {
        try database.checkExists(scope)
        let name: String
        switch scope {
        case .storage: name = "full"
        case .collection(let collection): name = collection
        case .shard(let collection, let id): name = "\(collection)-shard-\(id)"
        }
        return SnapshotDownload(name: name + ".snapshot", length: nil) { (sink) throws(OctantError) in
            try self.snapshotCounts.counting(scope, .creation) { () throws(OctantError) in
                try self.database.streamSnapshot(scope, to: sink)
            }
        }
    }

    // MARK: Recovery

    /// Puts the state of a snapshot in the place of what is there. Blocks.
    package func recover(_ scope: SnapshotScope, _ request: SnapshotRecovery) throws(OctantError) {
        try checkTarget(scope)
        switch request.location {
        case .file(let path):
            let file = try SnapshotLocation.file(path, in: database.snapshotsPath)
            try recover(scope, path: file, checksum: request.checksum, priority: request.priority)
        case .remote(let url):
            guard let source = snapshots.source else { throw .urlRecoveryIsOff }
            let file = try TransferFile.create(try database.temporarySnapshotFile())
            defer { file.discard() }
            try source.fetch(url, apiKey: request.apiKey, into: file)
            try file.finish()
            try recover(scope, path: file.path, checksum: request.checksum, priority: request.priority)
        }
    }

    /// As ``recover(_:_:)``, from a file that is here.
    package func recover(
        _ scope: SnapshotScope, path: String, checksum: String?, priority: SnapshotPriority
    ) throws(OctantError) {
        try quiet(path) { () throws(OctantError) in
            try snapshotCounts.counting(scope, .recovery) { () throws(OctantError) in
                try database.recover(scope, from: path, checksum: checksum, priority: priority)
            }
        }
    }

    /// Refuses names that a collection which is not there yet could not have.
    package func checkTarget(_ scope: SnapshotScope) throws(OctantError) {
        switch scope {
        case .collection(let name) where !database.collectionExists(name):
            try Names.checkNew(name, what: "collection")
        case .shard: try database.checkExists(scope)
        default: break
        }
    }

    /// Refuses an upload for which the disk has no room.
    package func checkRoom(forUpload length: Int) throws(OctantError) {
        try TransferFile.checkRoom(for: length, in: database.snapshotsPath)
    }

    /// A new file for an upload of so many bytes, if that is known.
    package func uploadFile(_ length: Int?) throws(OctantError) -> TransferFile {
        let file = try TransferFile.create(try database.temporarySnapshotFile())
        do throws(OctantError) {
            if let length { try file.reserve(length) }
        } catch {
            file.discard()
            throw error
        }
        return file
    }
}

extension Names {
    /// Refuses names that no snapshot has: nothing else may become part of a path.
    package static func checkSnapshot(_ name: String) throws(OctantError) {
        guard SnapshotName.isValid(name) else {
            throw OctantError(.notFound, "Snapshot \(String(name.prefix(255))) not found")
        }
    }
}

extension SnapshotDescription {
    /// As answers show it.
    package var json: JSONObject {
        [
            "name": .string(name), "creation_time": creationTime.map { .string($0) } ?? .null,
            "size": .integer(Int64(size)), "checksum": checksum.map { .string($0) } ?? .null,
        ]
    }
}
