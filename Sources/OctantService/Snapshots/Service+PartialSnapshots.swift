package import Octant
package import OctantModel

/// Partial snapshots: only what another server lacks of a shard.
extension Service {
    /// What a shard has, for a server that is asked what it lacks. Blocks.
    package func snapshotManifest(_ scope: SnapshotScope) throws(OctantError) -> SnapshotManifest {
        try database.snapshotManifest(scope)
    }

    /// What the shard that a manifest is of lacks of ours, to be sent; `nil`: nothing. Blocks.
    package func partialSnapshot(
        _ scope: SnapshotScope, lacking manifest: SnapshotManifest
    ) throws(OctantError) -> SnapshotDownload? {
        let name = try database.collectionName(of: scope)
        let creation = partialSnapshots.creation(name)
        guard let partial = try database.partialSnapshot(scope, lacking: manifest) else { return nil }
        return SnapshotDownload(name: "\(name)-shard-0-partial.snapshot", length: nil) { (sink) throws(OctantError) in
            defer { withExtendedLifetime(creation) {} }
            try self.snapshotCounts.counting(scope, .creation) { () throws(OctantError) in try partial.send(to: sink) }
        }
    }

    /// The right to recover a partial snapshot, which one caller has at a time; `nil`: another is at it.
    package func claimPartialRecovery(_ scope: SnapshotScope) throws(OctantError) -> PartialRecoveryClaim? {
        partialSnapshots.claim(try database.collectionName(of: scope))
    }

    /// Recovers a partial snapshot from a file that is here. Blocks, and ends the claim.
    package func recoverPartial(
        _ scope: SnapshotScope, path: String, checksum: String?, _ claim: PartialRecoveryClaim
    ) throws(OctantError) {
        defer { claim.end() }
        try quiet(path) { () throws(OctantError) in
            try snapshotCounts.counting(scope, .recovery) { () throws(OctantError) in
                try database.recoverPartial(scope, from: path, checksum: checksum)
            }
        }
        partialSnapshots.recovered(claim.name)
    }

    /// Asks another server for what a shard lacks of its own there, and recovers it. Blocks, and ends the claim.
    ///
    /// - Returns: whether anything differed.
    package func recoverPartial(
        _ scope: SnapshotScope, _ request: PartialRecovery, _ claim: PartialRecoveryClaim
    ) throws(OctantError) -> Bool {
        defer { claim.end() }
        guard let source = snapshots.source else { throw .urlRecoveryIsOff }
        let file = try TransferFile.create(try database.temporarySnapshotFile())
        defer { file.discard() }
        let target = "/collections/\(Percent.encode(claim.name))/shards/0/snapshot/partial/create"
        let differed = try quiet(file.path) { () throws(OctantError) in
            try snapshotCounts.counting(scope, .recovery) { () throws(OctantError) in
                try database.recoverPartial(scope) { (manifest) throws(OctantError) in
                    let found = try source.fetchPartial(
                        request.peerURL, target: target, manifest: Array(manifest.text.utf8), apiKey: request.apiKey,
                        into: file)
                    guard found else { return nil }
                    try file.finish()
                    return file.path
                }
            }
        }
        partialSnapshots.recovered(claim.name)
        return differed
    }

    /// Where a file lies here is nobody's business who sent it.
    func quiet<Value>(_ path: String, _ body: () throws(OctantError) -> Value) throws(OctantError) -> Value {
        do throws(OctantError) { return try body() } catch {
            throw OctantError(error.code, error.message.replacing(path, with: "the file"))
        }
    }
}

extension OctantError {
    static let urlRecoveryIsOff = OctantError(
        .forbidden, "Recovery of snapshots from URLs is off: set service.enable_snapshot_url_recovery to allow it")
}
