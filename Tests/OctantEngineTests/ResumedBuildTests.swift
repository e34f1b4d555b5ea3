import Octant
import OctantModel
import OctantStorage
import Testing

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

@testable import OctantEngine

/// Jobs that go on after a restart, with real threads on a real disk.
@Suite("Builds that go on after a restart")
struct ResumedBuildTests {
    private static let width = 16
    private static let count: UInt64 = 3000

    private func open(_ path: String, _ files: any FileSystem, saves: Bool = true) throws -> Database {
        var options = DatabaseOptions(path: path)
        options.searchThreads = 1
        options.optimizerThreads = 3
        var limits = ShardLimits()
        limits.buildSaves.intervalMilliseconds = saves ? 0 : 1 << 40
        (limits.buildSaves.rowsMin, limits.buildSaves.costFactor) = (200, 0)
        return try Database.open(options, fileSystem: files, limits: limits)
    }

    private func vectors() -> [[Float]] {
        var generator = SeededGenerator(seed: 41)
        let centres = (0..<20).map { _ in randomVector(Self.width, &generator) }
        return (0..<Self.count).map { id in
            zip(centres[Int(id % 20)], randomVector(Self.width, &generator)).map { $0 + 0.4 * $1 }
        }
    }

    private func fill(_ database: Database, _ vectors: [[Float]]) throws {
        var config = CollectionConfig(
            params: CollectionParams(vectors: .single(VectorParams(size: Self.width, distance: .euclid))))
        config.optimizer.maxOptimizationThreads = 0
        config.optimizer.indexingThreshold = 10
        config.hnsw.m = 8
        config.hnsw.efConstruct = 48
        try database.createCollection("c", config)
        let collection = try database.collection("c")
        for start in stride(from: 0, to: vectors.count, by: 500) {
            try collection.update(
                .upsert(
                    (start..<start + 500).map { id in
                        Point(
                            id: .number(UInt64(id)),
                            vectors: NamedVectors([.init(name: "", vector: .dense(vectors[id]))]))
                    }))
        }
        collection.shard.freeze()
        while try collection.shard.flushFrozen() {}
        // All of it in one job.
        config.optimizer.maxOptimizationThreads = nil
        try collection.shard.reconfigure(config)
    }

    private func recall(_ collection: Collection, _ vectors: [[Float]]) throws -> Double {
        var found = 0
        for query in vectors.prefix(60).map({ $0.map { $0 + 0.05 } }) {
            let answers = try [true, false].map { exact in
                Set(
                    try collection.query(
                        QueryRequest(
                            query: .nearest(.vector(.dense(query))), params: SearchParams(hnswEF: 32, exact: exact),
                            limit: 10)
                    ).map(\.id))
            }
            found += answers[0].intersection(answers[1]).count
        }
        return Double(found) / 600
    }

    private func stages(_ collection: Collection) -> [OptimizationReport.Stage] {
        collection.optimizations().completed.filter { $0.status == .done }.flatMap(\.stages)
    }

    @Test("a collection that closes saves what was built; it goes on, and finds as much as one that nothing stopped")
    func closing() throws {
        let vectors = vectors()
        let folder = TemporaryFolder()
        let files = GatedFileSystem(PausableFileSystem(), folder: "builds")
        files.close()
        let database = try open(folder.path, files)
        try fill(database, vectors)
        // The first save is held up; then the collection begins to close.
        files.wait(for: 1)
        let shard = try database.collection("c").shard
        #expect(shard.optimizationReport.running.count == 1)
        let closer = Thread(name: "closer") { database.close() }
        while !shard.background.withLock({ $0.closing }) { usleep(1000) }
        files.open()
        closer.join()
        let saved = try LocalFileSystem().list(shard.savedBuilds.path)
        #expect(saved.count == 1 && saved == shard.savedBuilds.names)
        #expect(shard.optimizationReport.completed.first?.status != .done)

        let again = try open(folder.path, FaultInjectingFileSystem(syncs: false))
        defer { again.close() }
        let collection = try again.collection("c")
        settle(collection)
        let graph = try #require(stages(collection).first { $0.resumed != nil })
        #expect((graph.resumed ?? 0) >= 200 && (graph.resumed ?? 0) < 3000 && graph.done == 3000)
        #expect(try LocalFileSystem().list(collection.shard.savedBuilds.path).isEmpty)
        #expect(try collection.count() == Int(Self.count))

        let other = TemporaryFolder()
        let whole = try open(other.path, FaultInjectingFileSystem(syncs: false), saves: false)
        defer { whole.close() }
        try fill(whole, vectors)
        settle(try whole.collection("c"))
        #expect(stages(try whole.collection("c")).allSatisfy { $0.resumed == nil })
        let recalls = [try recall(collection, vectors), try recall(try whole.collection("c"), vectors)]
        #expect(recalls[0] > 0.9 && recalls[0] > recalls[1] - 0.03, "\(recalls)")
    }

    @Test("the process ends while threads insert: the image goes on from what was saved last")
    func killed() throws {
        let vectors = vectors()
        let (folder, image) = (TemporaryFolder(), TemporaryFolder())
        let pausable = PausableFileSystem()
        let files = GatedFileSystem(pausable, prefix: "graph-")
        files.close()
        let database = try open(folder.path, files)
        defer {
            files.open()
            database.close()
        }
        try fill(database, vectors)
        // The graph is complete, and what was saved of it on disk.
        files.wait(for: 1)
        try pausable.paused { try copyTree(folder.path, image.path) }
        let again = try open(image.path, FaultInjectingFileSystem(syncs: false))
        defer { again.close() }
        let collection = try again.collection("c")
        settle(collection)
        let graph = try #require(stages(collection).first { $0.resumed != nil })
        #expect((graph.resumed ?? 0) > 1500 && graph.done == 3000)
        #expect(try recall(collection, vectors) > 0.9)
    }

    @Test("verify takes a saved graph for what it is; repair and snapshots leave it alone; dropping removes it")
    func integrity() throws {
        let folder = TemporaryFolder()
        let files = GatedFileSystem(PausableFileSystem(), folder: "builds")
        files.close()
        let database = try open(folder.path, files)
        try fill(database, vectors())
        files.wait(for: 1)
        let shard = try database.collection("c").shard
        let closer = Thread(name: "closer") { database.close() }
        while !shard.background.withLock({ $0.closing }) { usleep(1000) }
        files.open()
        closer.join()
        let path = shard.savedBuilds.path + "/" + (shard.savedBuilds.names.first ?? "")
        #expect(try Database.verify(path: folder.path).findings.isEmpty)
        let plan = try Database.repair(path: folder.path, isPlan: false)
        #expect(plan.steps.isEmpty && plan.left.isEmpty)
        #expect(try LocalFileSystem().kind(path) != nil)

        let bytes = try LocalFileSystem().readAll(path)
        let file = try LocalFileSystem().open(path, .readWrite)
        try [bytes[bytes.count / 2] ^ 1].withUnsafeBytes { try file.write($0, at: bytes.count / 2) }
        file.close()
        let findings = try Database.verify(path: folder.path).findings
        #expect(findings.count == 1 && findings.first?.file == path && findings.first?.weight == .note)

        let again = try open(folder.path, FaultInjectingFileSystem(syncs: false))
        defer { again.close() }
        #expect(try again.deleteCollection("c"))
        #expect(try LocalFileSystem().kind(shard.path) == nil)
    }
}
