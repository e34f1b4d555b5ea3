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

/// Waits until background work has nothing to do; records an issue if it does not end in two minutes. Seldom enough that
/// the question does not take the processor from the work.
func settle(_ collection: Collection, _ note: String = "") {
    for round in 0..<12_000 {
        if collection.info().status == .green { return }
        usleep(round < 20 ? 1000 : 10_000)
    }
    Issue.record("\(note): background work does not end: \(collection.info().status)")
}

@Suite("Background work settles")
struct SettlingTests {
    private func collection(
        _ change: (inout CollectionConfig) -> Void = { _ in }, _ body: (Collection) throws -> Void
    ) throws {
        let folder = TemporaryFolder()
        let database = try openQuiet(folder.path, FaultInjectingFileSystem(syncs: false))
        defer { database.close() }
        var config = tinyConfig()
        change(&config)
        try database.createCollection("c", config)
        try body(try database.collection("c"))
    }

    private func fill(_ collection: Collection, _ names: [String], count: UInt64 = 600) throws {
        var generator = SeededGenerator(seed: 1)
        let widths = ["a": 4, "b": 1, "never": 2]
        for start in stride(from: 0, to: count, by: 40) {
            let points = (start..<start + 40).map { id in
                Point(
                    id: .number(id),
                    vectors: NamedVectors(
                        names.map { .init(name: $0, vector: .dense(randomVector(widths[$0] ?? 1, &generator))) }),
                    payload: Payload(["n": .integer(Int64(id))]))
            }
            try collection.update(.upsert(points))
        }
    }

    private func expectSettled(_ collection: Collection, _ note: String) {
        settle(collection, note)
        #expect(!collection.shard.optimizeOnce(threads: 1), "\(note): the optimizer finds work again")
    }

    @Test("for every setting and every set of vectors that points may have")
    func settings() throws {
        let changes: [(String, (inout CollectionConfig) -> Void)] = [
            ("defaults", { _ in }), ("m = 0", { $0.hnsw.m = 0 }),
            ("never index", { $0.optimizer.indexingThreshold = 0 }),
            ("no work", { $0.optimizer.maxOptimizationThreads = 0 }),
            ("several segments", { $0.optimizer.defaultSegmentNumber = 3 }),
            ("small segments", { $0.optimizer.maxSegmentSize = 4 }),
        ]
        for (note, change) in changes {
            for names in [[], ["a"], ["b"], ["a", "b"], ["a", "b", "never"]] {
                try collection(change) { collection in
                    try fill(collection, names)
                    expectSettled(collection, "\(note), vectors \(names)")
                    #expect(try collection.count() == 600)
                }
            }
        }
    }

    @Test("a collection without vectors settles, and is read and filtered")
    func noVectors() throws {
        try collection({ $0.params.vectors = .named([]) }) { collection in
            try fill(collection, [])
            expectSettled(collection, "no vectors")
            #expect(collection.shard.view.segments.count <= 5)
            let filter = Filter(must: [.field(.init(key: try PayloadPath("n"), range: .init(gte: 10, lt: 20)))])
            #expect(try collection.count(filter) == 10)
        }
    }

    @Test("deleting all points removes all segments, without another write")
    func allDeleted() throws {
        try collection { collection in
            try fill(collection, ["a", "b"])
            settle(collection)
            try collection.update(.delete(.filter(Filter(mustNot: [.hasID([])]))))
            expectSettled(collection, "all deleted")
            #expect(try collection.count() == 0)
            #expect(collection.shard.view.segments.isEmpty)
            try fill(collection, ["a"], count: 40)
            #expect(try collection.count() == 40)
        }
    }

    @Test("deletions alone are vacuumed")
    func vacuumAfterDeletes() throws {
        try collection { collection in
            try fill(collection, ["a", "b"])
            settle(collection)
            try collection.update(.delete(.ids((0..<400).map { .number($0) })))
            expectSettled(collection, "vacuum")
            #expect(collection.shard.view.segments.reduce(0) { $0 + $1.rowCount } <= 250)
        }
    }

    @Test("operations that add no rows move the checkpoint too, so that the log stays bounded")
    func logBound() throws {
        let folder = TemporaryFolder()
        var limits = tinyLimits()
        limits.logBytes = 8192
        let database = try Database.open(
            DatabaseOptions(path: folder.path), fileSystem: FaultInjectingFileSystem(syncs: false), limits: limits)
        defer { database.close() }
        try database.createCollection("c", tinyConfig())
        let collection = try database.collection("c")
        for number in 0..<500 as Range<UInt64> { try collection.update(.delete(.ids([.number(number)]))) }
        for _ in 0..<5000 where collection.shard.view.checkpoint < 200 { usleep(1000) }
        #expect(collection.shard.view.checkpoint >= 200)
    }
}
