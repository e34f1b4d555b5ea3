import Octant
import OctantEngine
import OctantModel
import OctantStorage
import Synchronization
import Testing

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// Vectors that lie near some of many centres, as real ones do.
private func clusteredVectors(_ count: Int, _ dimension: Int, seed: UInt64) -> [[Float]] {
    var centres = SeededGenerator(seed: 7)
    let middles = (0..<60).map { _ in randomVector(dimension, &centres) }
    var generator = SeededGenerator(seed: seed)
    return (0..<count).map { _ in
        let middle = middles[Int(generator.next() % UInt64(middles.count))]
        return zip(middle, randomVector(dimension, &generator)).map { $0 + 0.6 * $1 }
    }
}

private let tuningDimension = 24

/// An indexed collection of clustered vectors.
private func indexed(
    _ database: Database, count: Int = 1500, _ change: (inout CollectionConfig) -> Void = { _ in }
) throws -> Collection {
    var config = plainConfig(tuningDimension, .euclid)
    config.optimizer.indexingThreshold = 1
    config.hnsw.m = 8
    config.hnsw.efConstruct = 32
    change(&config)
    try database.createCollection("c", config)
    let collection = try database.collection("c")
    let vectors = clusteredVectors(count, tuningDimension, seed: 1)
    for start in stride(from: 0, to: count, by: 500) {
        try collection.update(
            .upsert(
                (start..<min(start + 500, count)).map {
                    Point(id: .number(UInt64($0)), vectors: NamedVectors(.dense(vectors[$0])))
                }))
    }
    waitForIndex(collection)
    return collection
}

/// Waits for background work, which yields to everything else on the machine.
private func waitForIndex(_ collection: Collection) {
    for _ in 0..<200_000 {
        if collection.info().status == .green { return }
        usleep(1000)
    }
    Issue.record("background work does not end")
}

private func opened(_ folder: TemporaryFolder) throws -> Database {
    var options = DatabaseOptions(path: folder.path)
    options.searchThreads = 1
    options.optimizerThreads = 1
    return try Database.open(options, fileSystem: FaultInjectingFileSystem(syncs: false), limits: ShardLimits())
}

private func recall(_ collection: Collection, _ queries: [[Float]], _ params: SearchParams, limit: Int = 10) throws
    -> Double
{
    var hits = 0
    for query in queries {
        let exact = try collection.query(
            QueryRequest(query: .nearest(.vector(.dense(query))), params: SearchParams(exact: true), limit: limit))
        let found = try collection.query(
            QueryRequest(query: .nearest(.vector(.dense(query))), params: params, limit: limit))
        hits += Set(exact.map(\.id)).intersection(found.map(\.id)).count
    }
    return Double(hits) / Double(queries.count * limit)
}

@Suite("Tuning")
struct TuningTests {
    private func options(_ configurations: Bool) -> TuningOptions {
        var options = TuningOptions()
        options.queries = clusteredVectors(80, tuningDimension, seed: 2)
        options.triesConfigurations = configurations
        options.cpuBudget = 1
        return options
    }

    @Test("exact answers of many queries at once are those of a slow scan", arguments: Distance.allCases)
    func exactAnswers(distance: Distance) throws {
        let folder = TemporaryFolder()
        let database = try opened(folder)
        defer { database.close() }
        try database.createCollection("c", plainConfig(5, distance))
        let collection = try database.collection("c")
        var generator = SeededGenerator(seed: 3)
        // Small whole numbers, so that many scores are equal.
        let vectors = (0..<700).map { _ in (0..<5).map { _ in Float(Int.random(in: -2...2, using: &generator)) } }
        try collection.update(
            .upsert(
                vectors.enumerated().map {
                    Point(id: .number(UInt64($0.offset)), vectors: NamedVectors(.dense($0.element)))
                }))
        try collection.update(.delete(.ids((0..<100).map { .number(UInt64($0 * 3)) })))
        let view = collection.shard.view
        let sample = try QuerySample(
            given: (0..<20).map { _ in randomVector(5, &generator) }, using: "", view: view)
        let pacer = Pacer(budget: 1) { false }
        let answers = try ExactAnswers.compute(sample, limits: [1, 10, 5000], view: view, pacer: pacer)
        for (limit, answer) in zip([1, 10, 5000], answers) {
            for (number, entry) in sample.entries.enumerated() {
                let found = try collection.query(
                    QueryRequest(
                        query: .nearest(.vector(.dense(entry.vector))), params: SearchParams(exact: true),
                        limit: limit))
                // Very many are not kept; what is, is found.
                if limit < 100 { #expect(answer.recall(of: found.map(\.id), query: number) == 1) }
                #expect(answer.wanted[number] == min(limit, 600) || limit == 5000)
                #expect(answer.recall(of: [], query: number) == 0)
            }
        }
    }

    @Test("a stored vector that stands in for a query does not find its own point")
    func leaveOneOut() throws {
        let folder = TemporaryFolder()
        let database = try opened(folder)
        defer { database.close() }
        let collection = try indexed(database, count: 600)
        let view = collection.shard.view
        let sample = try QuerySample(stored: 50, using: "", view: view, seed: 4)
        #expect(sample.entries.count == 50 && Set(sample.entries.compactMap(\.own)).count == 50)
        let answers = try ExactAnswers.compute(sample, limits: [10], view: view, pacer: Pacer(budget: 1) { false })
        for (number, entry) in sample.entries.enumerated() {
            let own = try #require(entry.own)
            #expect(!answers[0].accepted[number].contains(own) && answers[0].wanted[number] == 10)
        }
        let few = try QuerySample(stored: 5000, using: "", view: view, seed: 4)
        #expect(few.entries.count == 600)
    }

    @Test("what is recommended reaches its recall on other queries")
    func recommendation() throws {
        let folder = TemporaryFolder()
        let database = try opened(folder)
        defer { database.close() }
        let collection = try indexed(database)
        let steps = Mutex<[TuningProgress]>([])
        let report = try collection.tune(
            TuningGoal(recall: 0.95), options: options(false),
            onProgress: { progress in steps.withLock { $0.append(progress) } })
        let choice = try #require(report.recommendation)
        #expect(report.meetsGoal && choice.safeRecall >= 0.95 && choice.source == .measured)
        #expect(report.rows == 1500 && report.queries == 80 && report.queriesWereGiven)
        #expect(report.points.allSatisfy { $0.memoryBytes > 1500 * tuningDimension * 4 })
        #expect(report.points.last?.search.exact == true && report.points.last?.recall == 1)
        let others = clusteredVectors(120, tuningDimension, seed: 5)
        #expect(try recall(collection, others, choice.search.params) >= 0.94)
        let made = steps.withLock { $0 }
        #expect(!made.isEmpty && made.allSatisfy { $0.done <= $0.total })
        #expect(throws: OctantError.self) { try collection.tune(TuningGoal(recall: 2)) }
    }

    @Test(
        "configurations are tried on a sample, and what is chosen is measured whole; its memory is what it then takes")
    func configurations() throws {
        let folder = TemporaryFolder()
        let database = try opened(folder)
        defer { database.close() }
        let collection = try indexed(database)
        var options = options(true)
        options.sampleRows = 1000
        // Half of the originals' bytes: only configurations with the originals on disk fit.
        let goal = TuningGoal(recall: 0.9, memoryBytes: 1500 * (tuningDimension * 2 + 130))
        let report = try collection.tune(goal, options: options)
        let choice = try #require(report.recommendation)
        #expect(report.meetsGoal && choice.source == .measured, "\(report.statement)")
        #expect(choice.configuration.originalsOnDisk == true)
        #expect(Set(report.points.map(\.configuration.name)).count > 4)
        #expect(report.points.contains { $0.source == .predicted })
        try collection.patch(try #require(choice.configuration.patch(using: "")))
        waitForIndex(collection)
        let again = try collection.tune(goal, options: self.options(false))
        let now = try #require(again.points.first)
        #expect(abs(now.memoryBytes - choice.memoryBytes) * 50 < choice.memoryBytes)
        #expect(again.meetsGoal)
        let others = clusteredVectors(120, tuningDimension, seed: 6)
        #expect(try recall(collection, others, choice.search.params) >= 0.89)
    }

    @Test("what was measured is kept: the same call again measures nothing anew")
    func resumption() throws {
        let folder = TemporaryFolder()
        let database = try opened(folder)
        defer { database.close() }
        let collection = try indexed(database, count: 1200)
        var options = options(true)
        options.sampleRows = 1000
        let first = try collection.tune(TuningGoal(recall: 0.9), options: options)
        let kept = collection.shard.tuning.content.readings
        let second = try collection.tune(TuningGoal(recall: 0.9), options: options)
        #expect(collection.shard.tuning.content.readings == kept)
        // Times too: they would differ if anything had been measured again.
        #expect(first.points.filter { !$0.search.exact } == second.points.filter { !$0.search.exact })
        try collection.update(.delete(.ids([.number(1)])))
        _ = try collection.tune(TuningGoal(recall: 0.9), options: options)
        #expect(collection.shard.tuning.content.readings.count > kept.count)
    }

    @Test("a run that is cancelled ends with an error and leaves no files of trials")
    func cancellation() throws {
        let folder = TemporaryFolder()
        let database = try opened(folder)
        defer { database.close() }
        let collection = try indexed(database, count: 1200)
        let steps = Atomic<Int>(0)
        #expect(throws: OctantError(.unavailable, "Tuning was cancelled before it was done")) {
            try collection.tune(
                TuningGoal(recall: 0.9), options: options(true),
                isCancelled: { steps.load(ordering: .relaxed) > 3 },
                onProgress: { _ in steps.add(1, ordering: .relaxed) })
        }
        let files = try LocalFileSystem().list(collection.shard.tuning.directory)
        #expect(!files.contains("build"))
        #expect(try collection.count() == 1200)
        // The next run goes on.
        #expect(try collection.tune(TuningGoal(recall: 0.5), options: options(true)).meetsGoal)
    }

    @Test("vectors that cannot be measured are refused, and an empty collection has nothing to choose from")
    func impossible() throws {
        let folder = TemporaryFolder()
        let database = try opened(folder)
        defer { database.close() }
        try database.createCollection("c", plainConfig(4))
        let collection = try database.collection("c")
        var options = TuningOptions()
        options.using = "other"
        #expect(throws: OctantError.unknownVector("other")) { try collection.tune(TuningGoal(), options: options) }
        options.using = ""
        options.queries = [[1, 2]]
        #expect(throws: OctantError.self) { try collection.tune(TuningGoal(), options: options) }
        options.queries = []
        options.triesConfigurations = false
        _ = try collection.tune(TuningGoal(recall: 0.9), options: options)
    }
}

@Suite("Recall as a parameter")
struct RecallParameterTests {
    @Test("searches reach the recall they name, by pools that do not shrink, also after opening again")
    func reached() throws {
        let folder = TemporaryFolder()
        let others = clusteredVectors(120, tuningDimension, seed: 8)
        func check(_ collection: Collection) throws {
            for wanted in [0.9, 0.95, 0.99] {
                let reached = try recall(collection, others, SearchParams(recall: wanted))
                #expect(reached >= wanted - 0.01, "\(wanted): \(reached)")
            }
            #expect(try recall(collection, others, SearchParams(recall: 1)) == 1)
            // A pool that is named wins.
            let one = SearchParams(hnswEF: 10)
            #expect(
                try recall(collection, others, SearchParams(hnswEF: 10, recall: 0.99))
                    == recall(collection, others, one))
        }
        do {
            let database = try opened(folder)
            defer { database.close() }
            let collection = try indexed(database)
            try check(collection)  // without a curve
            var options = TuningOptions()
            options.queries = clusteredVectors(120, tuningDimension, seed: 9)
            options.triesConfigurations = false
            _ = try collection.tune(TuningGoal(), options: options)
            let curves = try #require(collection.shard.tuning.content.curves.first).curves
            let pools = stride(from: 0.5, to: 0.99, by: 0.01).map { curves.ef(for: $0, limit: 10) ?? .max }
            // So few points are found by the smallest pool; that pools grow is tested on curves.
            #expect(pools == pools.sorted() && pools.last != .max)
            try check(collection)
        }
        let database = try opened(folder)
        defer { database.close() }
        let collection = try database.collection("c")
        #expect(collection.shard.tuning.content.curves.count == 1)
        try check(collection)
    }

    @Test("a curve that searches ask for is measured in the background, by stored vectors and then by their queries")
    func background() throws {
        let folder = TemporaryFolder()
        let database = try opened(folder)
        defer { database.close() }
        let collection = try indexed(database, count: 1200)
        func waitForCurve(given: Bool) {
            for _ in 0..<100_000 {
                if collection.shard.tuning.content.curves.first?.basis.queriesWereGiven == given { return }
                usleep(2000)
            }
            Issue.record("no curve was measured")
        }
        #expect(collection.shard.tuning.content.curves.isEmpty)
        let queries = clusteredVectors(120, tuningDimension, seed: 10)
        _ = try recall(collection, [queries[0]], SearchParams(recall: 0.9))
        waitForCurve(given: false)
        _ = try recall(collection, queries, SearchParams(recall: 0.9))
        _ = try recall(collection, [queries[0]], SearchParams(recall: 0.9))
        waitForCurve(given: true)
    }

    @Test("what is kept reads back as it was, and damage is refused or forgotten")
    func stored() throws {
        var content = TuningStore.Content()
        content.curves = [
            .init(
                using: "a", basis: .init(configuration: "x", rows: 7, parts: 2, queriesWereGiven: true),
                curves: RecallCurves([
                    RecallCurve(limit: 10, entries: [.init(ef: 10, recall: 0.5, error: 0.1)]),
                    RecallCurve(limit: 100, entries: []),
                ]))
        ]
        content.defaults = [
            .init(using: "a", search: TuningSearch(hnswEF: 70, rescore: true, oversampling: 2)),
            .init(using: "", search: TuningSearch(exact: true)),
        ]
        let reading = RecallMeter.Reading(recall: 0.5, recallError: 0.1, p50Microseconds: 3, p95Microseconds: 4)
        content.readings = [9: .init(reading: reading, memoryBytes: 12)]
        let bytes = content.encoded()
        #expect(try TuningStore.Content(bytes) == content)
        for length in 0..<bytes.count {
            #expect(throws: StorageError.self) { try TuningStore.Content(Array(bytes.prefix(length))) }
        }
        var generator = SeededGenerator(seed: 11)
        for _ in 0..<2000 {
            var damaged = bytes
            damaged[Int(generator.next() % UInt64(bytes.count))] = UInt8(truncatingIfNeeded: generator.next())
            _ = try? TuningStore.Content(damaged)  // must not trap
        }
        let folder = TemporaryFolder()
        func store() -> TuningStore { TuningStore(parent: folder.path, fileSystem: LocalFileSystem()) { _ in } }
        #expect(store().content == TuningStore.Content())
        let written = content
        try store().update { $0 = written }
        #expect(store().content == content)
        let name = try #require(try LocalFileSystem().list(folder.path + "/tuning").first)
        #expect(truncate(folder.path + "/tuning/" + name, 70) == 0)
        #expect(store().content == TuningStore.Content())
        try store().update { $0 = written }
        #expect(store().content == content)
    }
}
