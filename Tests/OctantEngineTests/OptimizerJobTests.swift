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

/// A shard without background threads: its jobs are started by the test.
private struct Bench {
    let folder = TemporaryFolder()
    let files: GatedFileSystem

    init(gate prefix: String = "graph-") { files = GatedFileSystem(PausableFileSystem(), prefix: prefix) }

    func config(_ change: (inout CollectionConfig) -> Void = { _ in }) -> CollectionConfig {
        var config = CollectionConfig(
            params: CollectionParams(vectors: .single(VectorParams(size: 32, distance: .cosine))))
        config.wal.capacityMB = 8
        config.optimizer.indexingThreshold = 1
        config.hnsw.m = 8
        config.hnsw.efConstruct = 32
        change(&config)
        return config
    }

    /// A shard with so many flat segments of `rows` points.
    func shard(
        _ config: CollectionConfig, segments: Int = 1, rows: Int = 300, indexes: [Manifest.FieldIndexEntry] = []
    ) throws -> Shard {
        let uuid = UUIDBytes.random()
        let path = folder.path + "/" + uuid.description
        try Shard.create(path: path, uuid: uuid, config: config, fileSystem: files)
        let shard = try Shard.open(path: path, uuid: uuid, fileSystem: files, log: { _ in })
        for index in indexes { try shard.createFieldIndex(index) }
        var generator = SeededGenerator(seed: 5)
        for number in 0..<segments {
            var points: [Point] = []
            for row in 0..<rows {
                var vectors: [NamedVectors.Entry] = []
                for vector in config.params.vectors.all {
                    let components = randomVector(vector.params.size, &generator)
                    vectors.append(.init(name: vector.name, vector: .dense(components)))
                }
                for vector in config.params.sparseVectors {
                    let indices = [UInt32(row % 50), 60, 70 + UInt32(row)]
                    vectors.append(
                        .init(name: vector.name, vector: .sparse(SparseVector(indices: indices, values: [1, 2, 3]))))
                }
                let payload = Payload(["n": .integer(Int64(row)), "word": .string("word \(row % 40)")])
                points.append(
                    Point(
                        id: .number(UInt64(number * rows + row)), vectors: NamedVectors(vectors), payload: payload))
            }
            let answer = Monitor<Result<UpdateResult, OctantError>?>(nil)
            shard.submit(.upsert(points), wait: true) { result in answer.change { $0 = result } }
            _ = try answer.wait { $0 }.get()
            shard.freeze()
            while try shard.flushFrozen() {}
        }
        return shard
    }
}

/// The report of the only job that ended well.
private func onlyJob(_ shard: Shard) throws -> OptimizationReport.Job {
    let jobs = shard.optimizationReport.completed
    #expect(jobs.count == 1)
    let job = try #require(jobs.first)
    #expect(job.status == .done)
    return job
}

private func running(_ shard: Shard) -> Int { shard.optimizationReport.running.count }

/// Waits until the scheduler has nothing running.
private func end(_ scheduler: OptimizerScheduler, _ bench: Bench) {
    bench.files.open()
    scheduler.close()
}

@Suite("Jobs of the optimizer")
struct OptimizerJobTests {
    private let plenty = 1 << 40

    @Test("jobs of several shards run side by side, as many as there are threads")
    func sideBySide() throws {
        let bench = Bench()
        let shards = try (0..<3).map { _ in try bench.shard(bench.config()) }
        let scheduler = OptimizerScheduler(threads: 2, memory: plenty)
        bench.files.close()
        scheduler.startJobs(of: shards) {}
        bench.files.wait(for: 2)
        #expect(shards.map(running) == [1, 1, 0])
        scheduler.startJobs(of: shards) {}
        #expect(shards.map(running) == [1, 1, 0])
        #expect(shards[2].optimizationReport.queued.count == 1)
        end(scheduler, bench)
        scheduler.startJobs(of: shards) {}
        scheduler.close()
        for shard in shards {
            #expect(try onlyJob(shard).reason == "indexing")
            #expect(shard.view.segments.map(\.isIndexed) == [true])
            shard.close()
        }
    }

    @Test("a job that does not fit into memory beside others waits for its turn, and one that never fits runs alone")
    func memoryBudget() throws {
        let bench = Bench()
        let shards = try (0..<3).map { _ in try bench.shard(bench.config()) }
        let scheduler = OptimizerScheduler(threads: 3, memory: 1)
        bench.files.close()
        for turn in 0..<3 {
            scheduler.startJobs(of: shards) {}
            bench.files.wait(for: 1)
            #expect(shards.map(running) == (0..<3).map { $0 == turn ? 1 : 0 })
            bench.files.open()
            scheduler.close()
            bench.files.close()
        }
        bench.files.open()
        for shard in shards {
            #expect(try onlyJob(shard).cost.estimatedMemory > 1)
            shard.close()
        }
    }

    @Test("jobs of one shard run side by side, no more than max_optimization_threads")
    func oneShard() throws {
        for (most, expected) in [(nil, 3), (2, 2), (1, 1)] as [(Int?, Int)] {
            let bench = Bench(gate: "codes-")
            var config = bench.config { $0.optimizer.indexingThreshold = 0 }
            let shard = try bench.shard(config, segments: 3)
            // Codes of another kind are asked for: every segment is to be rewritten.
            config.quantization = .binary(BinaryQuantization())
            config.optimizer.maxOptimizationThreads = most
            try shard.reconfigure(config)
            let scheduler = OptimizerScheduler(threads: 4, memory: plenty)
            bench.files.close()
            scheduler.startJobs(of: [shard]) {}
            bench.files.wait(for: expected)
            let report = shard.optimizationReport
            #expect(report.running.count == expected && report.queued.count == 3 - expected)
            let sources = report.running.flatMap(\.segments) + report.queued.flatMap(\.segments)
            #expect(Set(sources.map(\.uuid)).count == 3)
            end(scheduler, bench)
            while !shard.optimizationReport.queued.isEmpty {
                scheduler.startJobs(of: [shard]) {}
                scheduler.close()
            }
            #expect(shard.optimizationReport.completed.count == 3)
            let ended = shard.optimizationReport.completed
            #expect(ended.allSatisfy { $0.reason == "config mismatch" && $0.status == .done })
            #expect(shard.view.liveCount == 900 && shard.view.segments.reduce(0) { $0 + $1.rowCount } == 900)
            #expect(shard.view.segments.allSatisfy { $0.entry.file(.codes)?.parameters.hasPrefix("packed") == true })
            shard.close()
        }
    }

    @Test("what was deleted and written while jobs ran is deleted and written after them")
    func meanwhile() throws {
        let bench = Bench(gate: "codes-")
        var config = bench.config { $0.optimizer.indexingThreshold = 0 }
        let shard = try bench.shard(config, segments: 2)
        config.quantization = .binary(BinaryQuantization())
        try shard.reconfigure(config)
        let scheduler = OptimizerScheduler(threads: 2, memory: plenty)
        bench.files.close()
        scheduler.startJobs(of: [shard]) {}
        bench.files.wait(for: 2)
        let answer = Monitor<Int>(0)
        shard.submit(.delete(.ids((250..<350).map { .number($0) })), wait: true) { _ in answer.change { $0 += 1 } }
        let point = Point(
            id: .number(0), vectors: NamedVectors([.init(name: "", vector: .dense([Float](repeating: 1, count: 32)))]))
        shard.submit(.upsert([point]), wait: true) { _ in answer.change { $0 += 1 } }
        answer.wait { $0 == 2 ? () : nil }
        #expect(running(shard) == 2)
        end(scheduler, bench)
        #expect(shard.view.liveCount == 500)
        var living = 0
        for source in shard.view.sources {
            let rows = 0..<UInt32(source.rowCount)
            living += rows.filter { source.tombstones.isLive($0, at: shard.view.lsn) }.count
        }
        #expect(living == 500)
        #expect(shard.view.locate(.number(300)) == nil && shard.view.locate(.number(249)) != nil)
        #expect(shard.view.locate(.number(0))?.source is Memtable)
        shard.close()
    }

    @Test("a job tells its stages, the memory it takes and the disk space it needs beside the old files")
    func report() throws {
        let keyword = Manifest.FieldIndexEntry(key: try PayloadPath("word"), schema: FieldIndexSchema(type: .keyword))
        let number = Manifest.FieldIndexEntry(key: try PayloadPath("n"), schema: FieldIndexSchema(type: .integer))
        let kinds: [(String, QuantizationConfig?)] = [
            ("int8", nil), ("quantile", .scalar(ScalarQuantization(quantile: 0.9))),
            ("product", .product(ProductQuantization(compression: .x8))), ("binary", .binary(BinaryQuantization())),
            ("turbo", .turbo(TurboQuantization())), ("inline int8", .scalar(ScalarQuantization(quantile: 0.9))),
            ("inline turbo", .turbo(TurboQuantization())),
        ]
        for (name, quantization) in kinds {
            let isInline = name.hasPrefix("inline")
            for width in [8, 128] {
                let bench = Bench()
                let config = bench.config {
                    $0.params.vectors = .single(VectorParams(size: width, distance: .euclid, onDisk: isInline))
                    $0.hnsw.onDisk = isInline
                    $0.hnsw.inlineStorage = isInline
                    $0.params.sparseVectors = [NamedSparseVectorParams(name: "s")]
                    $0.quantization = quantization
                }
                let shard = try bench.shard(config, segments: 2, rows: 2500, indexes: [keyword, number])
                let queued = try #require(shard.optimizationReport.queued.first)
                #expect(shard.optimizeOnce(threads: 2))
                let job = try onlyJob(shard)
                let note: Comment = "\(name), width \(width): \(job.cost)"
                #expect(job.cost.peakMemory > 0, note)
                #expect(job.cost.estimatedMemory >= job.cost.peakMemory * 9 / 10, note)
                #expect(job.cost.estimatedMemory <= job.cost.peakMemory * 2 + (1 << 20), note)
                #expect(queued.estimatedMemory > job.cost.estimatedMemory / 2, note)
                let segment = try #require(shard.view.segments.first)
                var bytes = 0
                for file in try bench.files.list(segment.folder.path) {
                    if case .file(let size)? = try bench.files.kind(segment.folder.path + "/" + file) { bytes += size }
                }
                #expect(shard.view.segments.count == 1 && job.cost.extraDisk == bytes, note)
                let beside = isInline ? ["inline graph"] : []
                // Where the codes are the engine's own, a scan takes the place of so small a graph.
                let graph = quantization == nil && width == 128 ? [] : ["graph"] + beside
                let names = ["verify", "ids", "payload", "vectors", "codes"] + graph + ["sparse vectors s"]
                #expect(
                    job.stages.map(\.name) == names + ["field index word", "field index n", "publish"]
                        || job.stages.map(\.name) == names + ["field index n", "field index word", "publish"], note)
                #expect(job.stages.allSatisfy { $0.total == 5000 && ($0.seconds ?? -1) >= 0 }, note)
                if !graph.isEmpty { #expect(job.stages.first { $0.name == "graph" }?.done == 5000, note) }
                shard.close()
            }
        }
    }

    @Test("after the end of the process in the middle of a job its half-written segment goes, and it is done again")
    func resumption() throws {
        let pausable = PausableFileSystem()
        let files = GatedFileSystem(pausable, prefix: "graph-")
        let folder = TemporaryFolder()
        let image = TemporaryFolder()
        let bench = Bench()
        files.close()
        let database = try openQuiet(folder.path, files)
        defer {
            files.open()
            database.close()
        }
        try database.createCollection("c", bench.config())
        var generator = SeededGenerator(seed: 9)
        for start in stride(from: UInt64(0), to: 600, by: 100) {
            let points = (start..<start + 100).map {
                Point(
                    id: .number($0),
                    vectors: NamedVectors([.init(name: "", vector: .dense(randomVector(32, &generator)))]))
            }
            try database.collection("c").update(.upsert(points))
        }
        files.wait(for: 1)
        try pausable.paused { try copyTree(folder.path, image.path) }
        func segments(_ path: String) throws -> Set<String> {
            let uuid = try #require(try LocalFileSystem().list(path + "/c").first)
            return Set(try LocalFileSystem().list("\(path)/c/\(uuid)/s0/seg"))
        }
        let before = try segments(image.path)
        let again = try openQuiet(image.path, FaultInjectingFileSystem(syncs: false))
        defer { again.close() }
        let collection = try again.collection("c")
        settle(collection)
        #expect(try collection.count() == 600)
        #expect(collection.info().indexedVectorsCount > 0)
        #expect(collection.optimizations().completed.contains { $0.reason == "indexing" && $0.status == .done })
        let view = collection.shard.view
        #expect(try segments(image.path) == Set(view.segments.map(\.entry.uuid.description)))
        // One at least was there that no manifest named.
        let named = Set(try database.collection("c").shard.newest.segments.map(\.entry.uuid.description))
        #expect(!before.subtracting(named).isEmpty)
    }
}

@Suite("Shares of the optimizer's threads")
struct BuildShareTests {
    @Test("threads beyond the share rest, go on when it grows, and end even if it never does")
    func resting() {
        let share = BuildShare(threads: 3)
        share.begin(workers: 3)
        share.pass()
        #expect(share.resting == 0)
        share.grant(1)
        let passed = Monitor(0)
        let stopped = Monitor(false)
        let threads = (0..<3).map { number in
            Thread(name: "worker-\(number)") {
                while !stopped.withLock({ $0 }) {
                    share.pass()
                    passed.change { $0 += 1 }
                }
            }
        }
        while share.resting < 2 { sched_yield() }
        #expect(share.resting <= 2)
        share.grant(3)
        while share.resting > 0 { sched_yield() }
        share.grant(1)
        // Each of them goes on now and then, with the rows it has taken.
        let before = passed.withLock { $0 }
        passed.wait { $0 > before + 10 ? () : nil }
        stopped.change { $0 = true }
        for thread in threads { thread.join() }
        #expect(share.resting == 0)
    }
}
