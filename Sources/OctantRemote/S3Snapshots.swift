#if Server
import Octant
package import OctantModel
package import OctantService

/// Snapshots in a bucket: `full/<name>`, `collections/<collection>/<name>` and `shards/<collection>/<shard>/<name>`, with
/// names of collections percent-encoded, and the checksum of each in an object beside it.
package struct S3Snapshots: SnapshotObjectStore {
    private static let checksumSuffix = ".checksum"

    private let bucket: S3Bucket

    /// In a bucket.
    package init(_ bucket: S3Bucket) { self.bucket = bucket }

    private static func folder(_ scope: SnapshotScope) -> String {
        switch scope {
        case .storage: "full/"
        case .collection(let name): "collections/\(Percent.encode(name))/"
        case .shard(let name, let id): "shards/\(Percent.encode(name))/\(id)/"
        }
    }

    package func put(
        _ scope: SnapshotScope, _ description: SnapshotDescription, path: String
    ) throws(OctantError) {
        let file = try TransferFile.open(path)
        defer { file.close() }
        let key = Self.folder(scope) + description.name
        // First the checksum: a snapshot that is there has one.
        if let checksum = description.checksum {
            let bytes = Array(checksum.utf8)
            try bucket.put(key + Self.checksumSuffix, size: bytes.count) { Array(bytes[$0]) }
        }
        do throws(OctantError) {
            try bucket.put(key, size: try file.size()) { (range) throws(OctantError) in
                var bytes: [UInt8] = []
                bytes.reserveCapacity(range.count)
                try file.read(range) { bytes += $0 }
                return bytes
            }
        } catch {
            // The first error is the one to report.
            try? bucket.delete(key + Self.checksumSuffix)
            throw error
        }
    }

    package func contains(_ scope: SnapshotScope, name: String) throws(OctantError) -> Bool {
        try bucket.exists(Self.folder(scope) + name)
    }

    package func list(_ scope: SnapshotScope) throws(OctantError) -> [SnapshotDescription] {
        let folder = Self.folder(scope)
        let objects = try bucket.list(prefix: folder)
        let keys = Set(objects.map(\.key))
        var found: [SnapshotDescription] = []
        for object in objects {
            let name = String(object.key.dropFirst(folder.count))
            guard SnapshotName.isValid(name), !name.hasSuffix(Self.checksumSuffix) else { continue }
            var description = SnapshotDescription(name: name, size: object.size)
            description.creationTime = String(object.modified.prefix(19))
            let checksum = object.key + Self.checksumSuffix
            if keys.contains(checksum) { description.checksum = try bucket.text(checksum) }
            found.append(description)
        }
        return found
    }

    package func get(_ scope: SnapshotScope, name: String) throws(OctantError) -> SnapshotDownload {
        guard let object = try bucket.get(Self.folder(scope) + name) else { throw Self.missing(name) }
        return SnapshotDownload(name: name, length: object.length) { (sink) throws(OctantError) in
            try object.read(sink)
        }
    }

    package func delete(_ scope: SnapshotScope, name: String) throws(OctantError) {
        let key = Self.folder(scope) + name
        guard try contains(scope, name: name) else { throw Self.missing(name) }
        try bucket.delete(key)
        try bucket.delete(key + Self.checksumSuffix)
    }

    private static func missing(_ name: String) -> OctantError {
        OctantError(.notFound, "Snapshot \(name) not found")
    }
}
#endif
