import Octant
import OctantEngine
import OctantModel
import OctantStorage
import Testing

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// Data folders as released versions wrote them, in `Tests/Fixtures/format/v<format>`. They are opened by all later
/// versions and never written again.
///
/// `OCTANT_WRITE_GOLDEN=1 swift test --filter GoldenFolderTests` writes the folder of the present format, if it does not
/// exist. Spare log files are left out and the unwritten ends of log files cut off: both hold no data.
@Suite("Golden data folders", .serialized)
struct GoldenFolderTests {
    static let fixtures: String = {
        let file = "\(#filePath)"
        let tests = file.split(separator: "/", omittingEmptySubsequences: false).dropLast(2).joined(separator: "/")
        return tests + "/Fixtures/format"
    }()

    /// What is done to the collection `points`; the model does the same.
    private static func bulk() throws -> [UpdateOperation] {
        var generator = SeededGenerator(seed: 2024)
        let points = (0..<300 as Range<UInt64>).map { number -> Point in
            var entries = [NamedVectors.Entry(name: "a", vector: .dense(quarters(4, &generator)))]
            if number % 3 != 0 { entries.append(.init(name: "b", vector: .dense(quarters(1, &generator)))) }
            let id = number % 4 == 1 ? PointID.uuid(UUIDValue(high: number, low: 7)) : .number(number)
            var object: JSONObject = ["n": .integer(Int64(number % 17)), "t": .string("t\(number % 5)")]
            if number % 10 == 0 {
                object["list"] = .array([.null, .bool(true), .double(0.5), .object(["ü": .string("雪")])])
            }
            return Point(id: id, vectors: NamedVectors(entries), payload: Payload(object))
        }
        return [.upsert(points)]
    }

    private static func deaths() -> [UpdateOperation] {
        [.delete(.ids([.number(0), .number(2), .uuid(UUIDValue(high: 5, low: 7))]))]
    }

    /// What only the log holds: one operation of each kind.
    private static func tail() throws -> [UpdateOperation] {
        [
            .upsert([
                Point(
                    id: .number(10_000), vectors: NamedVectors([.init(name: "a", vector: .dense([1, 2, 3, 4]))]),
                    payload: Payload(["new": .unsigned(.max)]))
            ]),
            .setPayload(["n": .integer(-1)], .ids([.number(3)]), key: nil),
            .overwritePayload(Payload(["only": .string("this")]), .ids([.number(4)])),
            .deletePayload([try PayloadPath("t")], .ids([.number(6)])),
            .clearPayload(.ids([.number(7)])),
            .updateVectors([(.number(8), NamedVectors([.init(name: "b", vector: .dense([0.25]))]))]),
            .deleteVectors(["a"], .ids([.number(10)])),
            .delete(.ids([.number(11)])),
        ]
    }

    /// Components that are exact in every format.
    private static func quarters(_ count: Int, _ generator: inout SeededGenerator) -> [Float] {
        (0..<count).map { _ in Float(Int.random(in: -40...40, using: &generator)) / 4 }
    }

    /// All that is done, in order.
    static func operations() throws -> [UpdateOperation] { try bulk() + deaths() + tail() }

    /// Writes a folder of the present format and leaves it open.
    static func write(to path: String) throws -> Database {
        let database = try Database.open(DatabaseOptions(path: path))
        try database.createCollection("points", tinyConfig())
        var empty = CollectionConfig(params: CollectionParams(vectors: .named([])))
        empty.wal.capacityMB = 1
        try database.createCollection("no vectors", empty)
        try database.updateAliases([.create(alias: "alias", collection: "points")])
        let collection = try database.collection("points")
        try collection.createFieldIndex(PayloadPath("n"), FieldIndexSchema(type: .integer))
        try collection.createFieldIndex(PayloadPath("t"), FieldIndexSchema(type: .keyword))
        for operation in try bulk() { try collection.update(operation) }
        settle(collection, "golden")
        for operation in deaths() { try collection.update(operation) }
        collection.shard.freeze()
        while try collection.shard.flushFrozen() {}
        for operation in try tail() { try collection.update(operation) }
        return database
    }

    /// Copies a folder without spare log files and without the unwritten ends of log files.
    static func copyCompact(_ from: String, _ to: String) throws {
        let files = LocalFileSystem()
        try files.makeDirectories(to)
        for name in try files.list(from) where !name.hasPrefix("spare-") && name != "LOCK" {
            let source = from + "/" + name
            if try files.kind(source) == .directory {
                try copyCompact(source, to + "/" + name)
                continue
            }
            var bytes = try files.readAll(source)
            if name.hasSuffix(".wal") {
                let end = (bytes.lastIndex { $0 != 0 } ?? 0) + 1
                bytes.removeLast(bytes.count - min(bytes.count, (end + 71) & ~63))
            }
            let file = try files.open(to + "/" + name, .create)
            defer { file.close() }
            try bytes.withUnsafeBytes { try file.write($0, at: 0) }
        }
    }

    /// Version control keeps no empty folders: a fixture may lack them.
    static func copyFixture(_ version: String) throws -> TemporaryFolder {
        let folder = TemporaryFolder()
        let files = LocalFileSystem()
        try copyTree(fixtures + "/" + version, folder.path)
        for name in try files.list(folder.path + "/c") {
            for part in ["seg", "del", "wal"] { try files.makeDirectories("\(folder.path)/c/\(name)/s0/\(part)") }
            let logs = "\(folder.path)/c/\(name)/s0/wal"
            for log in try files.list(logs) {
                let file = try files.open(logs + "/" + log, .readWrite)
                defer { file.close() }
                try file.allocate(1 << 20)
            }
        }
        return folder
    }

    @Test("format 1 opens, holds what was written, and can be written on")
    func version1() throws {
        let files = LocalFileSystem()
        let present = Self.fixtures + "/v1"
        if getenv("OCTANT_WRITE_GOLDEN") != nil, try files.kind(present) == nil {
            let folder = TemporaryFolder()
            try Self.write(to: folder.path).close()
            try Self.copyCompact(folder.path, present)
        }
        let folder = try Self.copyFixture("v1")
        var model = Model()
        for operation in try Self.operations() { _ = model.apply(operation) }
        let report = try Database.verify(path: folder.path)
        #expect(report.isClean && report.collections == 2, "\(report.findings)")
        for round in 0..<2 {
            let database = try openQuiet(folder.path, FaultInjectingFileSystem(syncs: false))
            defer { database.close() }
            #expect(database.collectionNames == ["no vectors", "points"])
            #expect(try database.aliases() == [AliasDescription(alias: "alias", collection: "points")])
            #expect(try database.collection("no vectors").count() == 0)
            let collection = try database.collection("alias")
            if round == 0 {
                #expect(collection.config == tinyConfig())
                #expect(collection.shard.view.fieldIndexes.map(\.key.description) == ["n", "t"])
                #expect(collection.shard.view.segments.contains { $0.isIndexed })
                #expect(collection.shard.view.segments.contains { $0.tombstones.killedCount > 0 })
            }
            var requests = RandomRequests(generator: SeededGenerator(seed: 1))
            try expectEqual(collection, model, &requests, "golden 1, round \(round)")
            let operation = UpdateOperation.upsert([Point(id: .number(UInt64(50_000 + round)), vectors: NamedVectors())]
            )
            try collection.update(operation)
            _ = model.apply(operation)
        }
    }
}
