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

/// Archives as released versions wrote them, in `Tests/Fixtures/format`. They are recovered by all later versions and
/// never written again.
///
/// `OCTANT_WRITE_GOLDEN=1 swift test --filter SnapshotGoldenTests` writes those of the present format that do not exist.
@Suite("Golden snapshots", .serialized)
struct SnapshotGoldenTests {
    private static func archive(_ name: String) throws -> String {
        let path = "\(GoldenFolderTests.fixtures)/\(name).snapshot"
        if getenv("OCTANT_WRITE_GOLDEN") != nil, try LocalFileSystem().kind(path) == nil {
            let folder = TemporaryFolder()
            let database = try GoldenFolderTests.write(to: folder.path)
            defer { database.close() }
            var bytes: [UInt8] = []
            try database.streamSnapshot(.storage) { bytes.append(contentsOf: $0) }
            try OctantEngineTests.write(bytes, to: path)
        }
        return path
    }

    @Test("an archive of format 1 is recovered and holds what was written")
    func version1() throws {
        let world = try SnapshotWorld()
        try world.database.recover(.storage, from: Self.archive("snapshot-v1"), checksum: nil, priority: .snapshot)
        #expect(world.database.collectionNames == ["no vectors", "points"])
        #expect(try world.database.aliases() == [AliasDescription(alias: "alias", collection: "points")])
        #expect(try world.database.collection("no vectors").count() == 0)
        var model = Model()
        for operation in try GoldenFolderTests.operations() { _ = model.apply(operation) }
        let collection = try world.database.collection("alias")
        #expect(collection.config == tinyConfig())
        #expect(collection.shard.view.fieldIndexes.map(\.key.description) == ["n", "t"])
        #expect(collection.shard.view.segments.contains { $0.isIndexed })
        var requests = RandomRequests(generator: SeededGenerator(seed: 1))
        try expectEqual(collection, model, &requests, "golden snapshot 1")
        let operation = UpdateOperation.upsert([Point(id: .number(50_000), vectors: NamedVectors())])
        try collection.update(operation)
        _ = model.apply(operation)
        try expectEqual(collection, model, &requests, "golden snapshot 1, written on")
    }
}
