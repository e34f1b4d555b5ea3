import Octant
import OctantEngine
import OctantModel
import OctantStorage
import Testing

/// A database for tests of snapshots, with a folder that goes away with it.
final class SnapshotWorld {
    let folder = TemporaryFolder()
    let database: Database

    init(_ fileSystem: any FileSystem = FaultInjectingFileSystem(syncs: false)) throws {
        database = try openQuiet(folder.path + "/data", fileSystem)
    }

    deinit { database.close() }

    /// The names of the folders of collections.
    func folders() throws -> [String] { try LocalFileSystem().list(folder.path + "/data/c") }

    /// Files that are being written or uploaded.
    func temporaries() throws -> [String] {
        let files = LocalFileSystem()
        guard try files.kind(database.snapshotsPath) == .directory else { return [] }
        return try files.list(database.snapshotsPath).filter { $0.hasPrefix(".tmp-") }.flatMap {
            try files.list(database.snapshotsPath + "/" + $0)
        }
    }

    /// A collection of `count` points that all have this value, with all that is pending on them.
    func fill(_ name: String, _ count: UInt64, value: Int64) throws {
        if !database.collectionExists(name) { try database.createCollection(name, tinyConfig()) }
        let collection = try database.collection(name)
        for start in stride(from: 0, to: count, by: 50) {
            try collection.update(.upsert((start..<min(count, start + 50)).map { Self.point($0, value) }))
        }
    }

    static func point(_ id: UInt64, _ value: Int64) -> Point {
        Point(
            id: .number(id),
            vectors: NamedVectors([
                .init(name: "a", vector: .dense([Float(value), 1, 1, 1])),
                .init(name: "b", vector: .dense([Float(id)])),
            ]), payload: Payload(["n": .integer(value)]))
    }

    /// The values of the points, each once, and how many points there are; every point is checked to be whole.
    static func values(_ collection: Collection, _ note: String = "") throws -> (values: Set<Int64>, count: Int) {
        var values: Set<Int64> = []
        let page = try collection.scroll(ScrollRequest(limit: 100_000, withVector: .all))
        for record in page.points {
            guard case .integer(let value)? = record.payload?.object["n"], case .number(let id) = record.id else {
                Issue.record("\(note): \(record.id) has no value")
                continue
            }
            values.insert(value)
            if record.vectors?["a"] != .dense([Float(value), 1, 1, 1]) || record.vectors?["b"] != .dense([Float(id)]) {
                Issue.record("\(note): \(record.id) is mixed")
            }
        }
        return (values, page.points.count)
    }

    /// The LSN that a stored snapshot of one collection records.
    static func lsn(_ path: String) throws -> UInt64 {
        let contents = try SnapshotReader.contents(of: path, fileSystem: LocalFileSystem())
        return try #require(contents.sections.first).lsn
    }
}

/// The SHA-256 of a file.
func digest(of path: String) throws -> String {
    var hash = SHA256()
    hash.update(try LocalFileSystem().readAll(path))
    return hash.text
}

/// Writes a file as it is.
func write(_ bytes: [UInt8], to path: String) throws {
    let file = try LocalFileSystem().open(path, .createOrTruncate)
    defer { file.close() }
    try bytes.withUnsafeBytes { try file.write($0, at: 0) }
}
