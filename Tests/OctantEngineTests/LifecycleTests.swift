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

@Suite("Opening, closing and names")
struct LifecycleTests {
    private func open(_ path: String) throws -> Database {
        try openQuiet(path, FaultInjectingFileSystem(syncs: false))
    }

    @Test("a configuration that could not be read back is refused, at creation and as a change")
    func unreadableConfig() throws {
        let folder = TemporaryFolder()
        let database = try open(folder.path)
        defer { database.close() }
        var config = tinyConfig()
        config.optimizer.vacuumMinVectorNumber = 1
        #expect(throws: OctantError.self) { try database.createCollection("c", config) }
        #expect(database.collectionNames.isEmpty)
        try database.createCollection("c", tinyConfig())
        var patch = CollectionPatch()
        var optimizer = OptimizerConfigDiff()
        optimizer.vacuumMinVectorNumber = 1
        patch.optimizer = optimizer
        let collection = try database.collection("c")
        #expect(throws: OctantError.self) { try collection.patch(patch) }
        #expect(collection.config == tinyConfig())
    }

    @Test("a creation that fails at any call leaves no collection, and the name can be used", arguments: [false, true])
    func failedCreation(forever: Bool) throws {
        for number in 1..<40 {
            let folder = TemporaryFolder()
            let files = FaultInjectingFileSystem(syncs: false)
            let database = try openQuiet(folder.path, files)
            files.fail(nil, at: number, forever ? .forever(EIO) : .once(EIO))
            let created = (try? database.createCollection("c", tinyConfig())) != nil
            files.reset()
            if created {
                try database.collection("c").update(.upsert([Point(id: .number(1), vectors: NamedVectors())]))
            }
            database.close()
            let again = try open(folder.path)
            if !again.collectionExists("c") {
                #expect(!created, "call \(number)")
                try again.createCollection("c", tinyConfig())
            }
            #expect(try again.collection("c").count() == (created ? 1 : 0), "call \(number)")
            again.close()
        }
    }

    @Test("a lost catalog is an error, and no collection is removed")
    func lostCatalog() throws {
        let folder = TemporaryFolder()
        var database = try open(folder.path)
        try database.createCollection("c", tinyConfig())
        try database.collection("c").update(.upsert([Point(id: .number(1), vectors: NamedVectors())]))
        database.close()
        try LocalFileSystem().rename(folder.path + "/catalog", to: folder.path + "/elsewhere")
        #expect(throws: OctantError.self) { try open(folder.path) }
        #expect(throws: OctantError.self) { try open(folder.path) }
        try LocalFileSystem().removeTree(folder.path + "/catalog")
        try LocalFileSystem().rename(folder.path + "/elsewhere", to: folder.path + "/catalog")
        database = try open(folder.path)
        #expect(try database.collection("c").count() == 1)
        database.close()
    }

    @Test("after closing, operations answer with an error and none waits for ever")
    func useAfterClose() async throws {
        let folder = TemporaryFolder()
        let database = try open(folder.path)
        try database.createCollection("c", tinyConfig())
        let collection = try database.collection("c")
        try await collection.update(.upsert([Point(id: .number(1), vectors: NamedVectors())]))
        database.close()
        database.close()
        #expect(throws: OctantError.self) { try database.createCollection("d", tinyConfig()) }
        #expect(throws: OctantError.self) { try database.collection("c") }
        #expect(try await collection.query(QueryRequest(limit: 3)).count == 1)
        await #expect(throws: OctantError.self) { try await collection.update(.upsert([])) }
    }

    @Test("a database nobody holds any more gives its folder free")
    func dropped() throws {
        let folder = TemporaryFolder()
        for number in 0..<3 as Range<UInt64> {
            let database = try open(folder.path)
            if number == 0 { try database.createCollection("c", tinyConfig()) }
            try database.collection("c").update(.upsert([Point(id: .number(number), vectors: NamedVectors())]))
            #expect(try database.collection("c").count() == Int(number) + 1)
        }
    }

    @Test("limits of nothing, of less, and beyond all points are answered")
    func limits() throws {
        let folder = TemporaryFolder()
        let database = try open(folder.path)
        defer { database.close() }
        try database.createCollection("c", tinyConfig())
        let collection = try database.collection("c")
        let nearest = Query.nearest(.vector(.dense([1, 0, 0, 0])))
        #expect(try collection.query(QueryRequest(query: nearest, using: "a", limit: 10)).isEmpty)
        #expect(try collection.scroll(ScrollRequest(limit: 10)).points.isEmpty)
        let points = (0..<5 as Range<UInt64>).map {
            Point(id: .number($0), vectors: NamedVectors([.init(name: "a", vector: .dense([1, 2, 3, Float($0)]))]))
        }
        try collection.update(.upsert(points))
        for (limit, offset, expected) in [(0, 0, 0), (-1, 0, 0), (.max, 0, 5), (.max, .max, 0), (3, -1, 0), (2, 4, 1)] {
            let request = QueryRequest(query: nearest, using: "a", limit: limit, offset: offset)
            #expect(try collection.query(request).count == expected, "limit \(limit), offset \(offset)")
            let plain = QueryRequest(limit: limit, offset: offset)
            #expect(try collection.query(plain).count == expected, "limit \(limit), offset \(offset)")
        }
        #expect(try collection.scroll(ScrollRequest(limit: .max)).points.count == 5)
        #expect(try collection.scroll(ScrollRequest(limit: -5)).points.count == 1)
    }

    @Test("wide vectors are stored and found, through a checkpoint")
    func wide() throws {
        let folder = TemporaryFolder()
        let database = try open(folder.path)
        defer { database.close() }
        var config = plainConfig(65_536, .dot)
        config.wal.capacityMB = 1
        try database.createCollection("c", config)
        let collection = try database.collection("c")
        for id in 0..<40 as Range<UInt64> {
            var vector = [Float](repeating: 0, count: 65_536)
            vector[Int(id) * 1000] = 1
            try collection.update(.upsert([Point(id: .number(id), vectors: NamedVectors(.dense(vector)))]))
        }
        collection.shard.freeze()
        while try collection.shard.flushFrozen() {}
        var query = [Float](repeating: 0, count: 65_536)
        query[17_000] = 1
        #expect(
            try collection.query(QueryRequest(query: .nearest(.vector(.dense(query))), limit: 1))[0].id == .number(17))
    }
}
