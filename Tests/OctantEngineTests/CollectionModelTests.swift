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

@Suite("Collection against a model")
struct CollectionModelTests {
    @Test(
        "random operations leave what a dictionary holds, through flushes, merges, vacuum and reopening",
        arguments: [1, 2, 3, 4] as [UInt64])
    func randomOperations(seed: UInt64) throws {
        let folder = TemporaryFolder()
        var requests = RandomRequests(generator: SeededGenerator(seed: seed), allKinds: true)
        var model = Model()
        var database = try openTiny(folder.path)
        try database.createCollection("c", allKindsConfig())
        var collection = try database.collection("c")
        for step in 0..<700 {
            let operation = requests.operation()
            let before = model
            if model.apply(operation) {
                try collection.update(operation)
            } else {
                model = before
                #expect(throws: OctantError.self) { try collection.update(operation) }
            }
            if step % 31 == 0 { try changeSettings(collection, &requests) }
            if step % 23 == 11 { try changeVectors(collection, &model, &requests) }
            if step % 70 == 69 { try expectEqual(collection, model, &requests, "seed \(seed), step \(step)") }
            if step % 140 == 139 {
                database.close()
                database = try openTiny(folder.path)
                collection = try database.collection("c")
                try expectEqual(collection, model, &requests, "seed \(seed), reopened at \(step)")
            }
        }
        database.close()
    }

    /// Adds the vector "x", or removes it from all points.
    private func changeVectors(
        _ collection: Collection, _ model: inout Model, _ requests: inout RandomRequests
    ) throws {
        guard let present = requests.extra else {
            let definition = requests.definition()
            try collection.addVector("x", definition)
            requests.extra = definition
            return
        }
        try collection.addVector("x", present)
        #expect(throws: OctantError.self) {
            try collection.addVector("x", .dense(VectorParams(size: 77, distance: .dot)))
        }
        try collection.removeVector("x")
        #expect(throws: OctantError.unknownVector("x")) { try collection.removeVector("x") }
        for id in model.points.keys { model.points[id]?.vectors["x"] = nil }
        requests.extra = nil
    }

    @Test("a search finds the limit of points where most of a graph's points are dead")
    func mostlyDead() throws {
        let folder = TemporaryFolder()
        let database = try openQuiet(folder.path, FaultInjectingFileSystem(syncs: false))
        defer { database.close() }
        var config = tinyConfig()
        config.optimizer.deletedThreshold = 1
        config.optimizer.indexingThreshold = 8
        try database.createCollection("c", config)
        let collection = try database.collection("c")
        var generator = SeededGenerator(seed: 6)
        for start in stride(from: 0, to: 3000, by: 100) as StrideTo<UInt64> {
            try collection.update(
                .upsert(
                    (start..<start + 100).map {
                        let vector = Vector.dense(randomVector(4, &generator))
                        return Point(id: .number($0), vectors: NamedVectors([.init(name: "a", vector: vector)]))
                    }))
        }
        settle(collection)
        #expect(collection.shard.view.segments.contains { $0.isIndexed })
        try collection.update(.delete(.ids((0..<3000).filter { $0 % 150 != 0 }.map { .number($0) })))
        for _ in 0..<10 {
            let query = Query.nearest(.vector(.dense(randomVector(4, &generator))))
            for limit in [1, 10, 20, 50] {
                let found = try collection.query(QueryRequest(query: query, using: "a", limit: limit))
                #expect(found.count == min(limit, 20))
            }
        }
    }

    private func changeSettings(_ collection: Collection, _ requests: inout RandomRequests) throws {
        switch Int.random(in: 0..<6, using: &requests.generator) {
        case 0: try collection.createFieldIndex(PayloadPath("n"), FieldIndexSchema(type: .integer))
        case 1: try collection.createFieldIndex(PayloadPath("t"), FieldIndexSchema(type: .keyword))
        case 2: try collection.deleteFieldIndex(PayloadPath("n"))
        case 3: try collection.deleteFieldIndex(PayloadPath("t"))
        case 4:
            var patch = CollectionPatch()
            var hnsw = HNSWConfigDiff()
            hnsw.m = [0, 4, 6][Int.random(in: 0..<3, using: &requests.generator)]
            patch.hnsw = hnsw
            try collection.patch(patch)
        default:
            var patch = CollectionPatch()
            patch.vectors = [VectorPatch(name: "a", onDisk: Bool.random(using: &requests.generator))]
            patch.quantization =
                Bool.random(using: &requests.generator) ? .disabled : .set(.scalar(ScalarQuantization(quantile: 0.99)))
            try collection.patch(patch)
        }
    }
}
