import Octant
import OctantEngine
import OctantModel
import OctantStorage
import Testing

/// `inline_storage` of collections: what is made, when it is used, and that answers do not tell.
@Suite("Inline storage")
struct InlineStorageTests {
    private static let width = 64
    private static let count = 700

    private static func config(
        inline: Bool?, codes: QuantizationConfig? = .scalar(ScalarQuantization(quantile: 0.99)), graph: Bool = true
    ) -> CollectionConfig {
        var config = CollectionConfig(
            params: CollectionParams(
                vectors: .single(VectorParams(size: width, distance: .cosine, onDisk: true))))
        config.hnsw.onDisk = graph
        config.hnsw.inlineStorage = inline
        config.hnsw.m = 8
        config.hnsw.efConstruct = 50
        config.quantization = codes
        config.wal.capacityMB = 1
        config.optimizer.indexingThreshold = 1
        return config
    }

    private static func vector(_ id: Int) -> [Float] {
        var generator = SeededGenerator(seed: UInt64(id) + 1)
        return randomVector(width, &generator)
    }

    private static func points(_ ids: Range<Int>) -> [Point] {
        ids.map { id in
            Point(
                id: .number(UInt64(id)), vectors: NamedVectors(.dense(vector(id))),
                payload: Payload(["n": .integer(Int64(id % 3))]))
        }
    }

    private func open(_ folder: TemporaryFolder) throws -> Database {
        var options = DatabaseOptions(path: folder.path)
        options.searchThreads = 1
        options.optimizerThreads = 1
        options.scrubBytesPerSecond = 0
        return try Database.open(options)
    }

    private func flush(_ collection: Collection) throws {
        collection.shard.freeze()
        while try collection.shard.flushFrozen() {}
        settle(collection)
    }

    private func fill(_ database: Database, _ name: String, _ config: CollectionConfig) throws -> Collection {
        try database.createCollection(name, config)
        let collection = try database.collection(name)
        try collection.update(.upsert(Self.points(0..<Self.count)))
        try flush(collection)
        return collection
    }

    private func patch(_ collection: Collection, _ json: String) throws {
        try collection.patch(try CollectionPatch(json: try JSONParser.parse(Array(json.utf8))))
        settle(collection)
    }

    private func inlineFiles(_ collection: Collection) -> [SegmentEntry.FileEntry] {
        collection.shard.newest.segments.flatMap { $0.entry.files.filter { $0.role == .inlineGraph } }
    }

    /// Whether walks use what was made.
    private func isUsed(_ collection: Collection) -> Bool {
        let segments = collection.shard.newest.segments
        return !segments.isEmpty && segments.allSatisfy { $0.fields.allSatisfy { $0.index.inline != nil } }
    }

    private struct Answer: Equatable {
        var ids: [PointID]
        var scores: [Float]
    }

    private func answers(_ collection: Collection) throws -> [Answer] {
        var all: [Answer] = []
        for number in 0..<12 {
            for rescore in [nil, true] as [Bool?] {
                var params = SearchParams(hnswEF: 60)
                if let rescore { params.quantization = QuantizationSearchParams(rescore: rescore) }
                var request = QueryRequest(
                    query: .nearest(.vector(.dense(Self.vector(10_000 + number)))), params: params, limit: 10)
                for isFiltered in [false, true] {
                    if isFiltered {
                        request.filter = Filter(
                            must: [.field(FieldCondition(key: try PayloadPath("n"), match: .value(.integer(1))))])
                    }
                    let found = try collection.query(request)
                    all.append(Answer(ids: found.map(\.id), scores: found.map(\.score)))
                }
            }
        }
        return all
    }

    @Test("made by the configuration, with the answers and scores of a collection without")
    func made() throws {
        let kinds: [QuantizationConfig] = [
            .scalar(ScalarQuantization(quantile: 0.99)), .scalar(ScalarQuantization()),
            .product(ProductQuantization(compression: .x8)), .binary(BinaryQuantization()),
            .turbo(TurboQuantization(bits: .bits4)),
        ]
        for codes in kinds {
            let folder = TemporaryFolder()
            let database = try open(folder)
            let plain = try fill(database, "plain", Self.config(inline: nil, codes: codes))
            let inline = try fill(database, "inline", Self.config(inline: true, codes: codes))
            #expect(inlineFiles(plain).isEmpty && !isUsed(plain))
            #expect(inlineFiles(inline).count == 1 && isUsed(inline), "\(codes)")
            let expected = try answers(plain)
            #expect(try answers(inline) == expected, "\(codes)")
            // The exact answer, as the oracle of both.
            for number in 0..<5 {
                let request = QueryRequest(
                    query: .nearest(.vector(.dense(Self.vector(20_000 + number)))), params: SearchParams(exact: true),
                    limit: 10)
                #expect(try plain.query(request) == inline.query(request))
            }
            database.close()
            let again = try open(folder)
            defer { again.close() }
            let opened = try again.collection("inline")
            #expect(isUsed(opened) && opened.info().status == .green)
            #expect(try answers(opened) == expected, "\(codes) after a restart")
        }
    }

    @Test("switched on and off while the collection is there, without building the graph anew")
    func patched() throws {
        let folder = TemporaryFolder()
        let database = try open(folder)
        defer { database.close() }
        let collection = try fill(database, "c", Self.config(inline: nil))
        let expected = try answers(collection)
        func graphs() throws -> [[UInt8]] {
            try collection.shard.newest.segments.map { segment in
                let file = try #require(segment.entry.file(.graph))
                return try LocalFileSystem().readAll("\(segment.folder.path)/\(file.summary.name)").dropHeader()
            }
        }
        let before = try graphs()
        try patch(collection, #"{"hnsw_config":{"inline_storage":true}}"#)
        #expect(inlineFiles(collection).count == 1 && isUsed(collection))
        #expect(try answers(collection) == expected)
        #expect(try graphs() == before)
        // Codes in memory: it is of no use.
        try patch(collection, #"{"quantization_config":{"scalar":{"type":"int8","quantile":0.99,"always_ram":true}}}"#)
        #expect(inlineFiles(collection).isEmpty)
        try patch(collection, #"{"quantization_config":{"scalar":{"type":"int8","quantile":0.99}}}"#)
        #expect(isUsed(collection))
        #expect(try answers(collection) == expected)
        // Other codes: it is made of those.
        let parameters = try #require(inlineFiles(collection).first?.parameters)
        try patch(collection, #"{"quantization_config":{"turbo":{"bits":"bits2"}}}"#)
        #expect(isUsed(collection) && inlineFiles(collection).first?.parameters != parameters)
        // More points grow it with the graph.
        try collection.update(.upsert(Self.points(Self.count..<Self.count + 300)))
        try collection.update(.delete(.ids((0..<40).map { .number(UInt64($0)) })))
        try flush(collection)
        #expect(isUsed(collection))
        #expect(try collection.count() == Self.count + 260)
        let own = QueryRequest(
            query: .nearest(.vector(.dense(Self.vector(Self.count + 7)))), params: SearchParams(hnswEF: 100), limit: 1)
        #expect(try collection.query(own).map(\.id) == [.number(UInt64(Self.count + 7))])
        try patch(collection, #"{"hnsw_config":{"on_disk":false}}"#)
        #expect(inlineFiles(collection).isEmpty && !isUsed(collection))
        try patch(collection, #"{"hnsw_config":{"on_disk":true}}"#)
        #expect(isUsed(collection))
        try patch(collection, #"{"hnsw_config":{"inline_storage":false}}"#)
        #expect(inlineFiles(collection).isEmpty && !isUsed(collection))
        #expect(collection.info().status == .green)
    }

    @Test("what it cannot be done for is said, and what has codes or graph in memory")
    func warnings() throws {
        let folder = TemporaryFolder()
        let database = try open(folder)
        defer { database.close() }
        func warning(_ config: CollectionConfig) throws -> String? {
            defer { _ = try? database.deleteCollection("w") }
            try database.createCollection("w", config)
            let warnings = try database.collection("w").info().warnings
            #expect(warnings.count <= 1)
            return warnings.first
        }
        #expect(try warning(Self.config(inline: true)) == nil)
        #expect(try warning(Self.config(inline: nil, codes: nil)) == nil)
        #expect(try warning(Self.config(inline: true, codes: nil))?.contains("requires quantization") == true)
        #expect(try warning(Self.config(inline: true, graph: false))?.contains("on a graph on disk") == true)
        let pinned = QuantizationConfig.scalar(ScalarQuantization(alwaysRAM: true))
        #expect(try warning(Self.config(inline: true, codes: pinned))?.contains("quantized vectors on disk") == true)
        var multi = Self.config(inline: true)
        multi.params.vectors = .single(VectorParams(size: 4, distance: .dot, multivector: .maxSim))
        #expect(try warning(multi)?.contains("multivectors") == true)
    }

    @Test("explain counts the walk and the rescoring through it as those of a collection without")
    func explained() throws {
        let folder = TemporaryFolder()
        let database = try open(folder)
        defer { database.close() }
        let plain = try fill(database, "plain", Self.config(inline: nil))
        let inline = try fill(database, "inline", Self.config(inline: true))
        for number in 0..<12 {
            var params = SearchParams(hnswEF: 60)
            params.quantization = QuantizationSearchParams(rescore: true)
            let request = QueryRequest(
                query: .nearest(.vector(.dense(Self.vector(30_000 + number)))), params: params, limit: 10)
            let (points, explanation) = try inline.explain(request)
            #expect(points.map(\.id) == (try inline.query(request).map(\.id)))
            let part = try #require(explanation.searches.first?.parts.first { $0.segment != nil })
            #expect(part.plan == .walk && part.ef == 60 && !part.gaveUpWalk)
            #expect(part.scoredByCodes >= 60)
            #expect(part.rescored >= 10)
            #expect(part.scoredByOriginals == part.rescored)
            let other = try plain.explain(request).explanation
            let expected = try #require(other.searches.first?.parts.first { $0.segment != nil })
            #expect(part.scoredByCodes == expected.scoredByCodes && part.rescored == expected.rescored)
        }
    }

    @Test("the memory report has its bytes on disk, none in memory, and as mapped what searches have read")
    func report() throws {
        let folder = TemporaryFolder()
        var options = DatabaseOptions(path: folder.path)
        options.scrubBytesPerSecond = 0
        do {
            let database = try Database.open(options)
            defer { database.close() }
            _ = try fill(database, "c", Self.config(inline: true))
        }
        let database = try Database.open(options)
        defer { database.close() }
        let collection = try database.collection("c")
        let structures = collection.memoryReport().parts.flatMap(\.structures).filter { $0.kind == "inline_graph" }
        let file = try #require(inlineFiles(collection).first)
        #expect(structures.count == 1 && structures.first?.residence == .cold)
        #expect(structures.first?.use.disk == Int(file.summary.size))
        #if os(Linux)
        #expect(structures.first?.use.resident == 0)
        #endif
        // A record each: 8 + 16 × 4 bytes, rounded; 256 bytes of an original; 16 × 64 bytes of codes.
        #expect(Int(file.summary.size) > Self.count * 2048 && Int(file.summary.size) < Self.count * 2048 + 200_000)
        _ = try answers(collection)
        #if os(Linux)
        let used = collection.memoryReport().parts.flatMap(\.structures).first { $0.kind == "inline_graph" }
        #expect((used?.use.mapped ?? 0) > 0)
        #endif
    }

    @Test("damage of it is found by verifying and scrubbing, changes no answer, and is repaired")
    func damaged() throws {
        let folder = TemporaryFolder()
        var expected: [Answer] = []
        var path = ""
        do {
            let database = try open(folder)
            defer { database.close() }
            let collection = try fill(database, "c", Self.config(inline: true))
            expected = try answers(collection)
            let segment = try #require(collection.shard.newest.segments.first)
            path = "\(segment.folder.path)/\(try #require(inlineFiles(collection).first).summary.name)"
        }
        // Nearly every record has a wrong byte; the block that opening looks at has none.
        let files = LocalFileSystem()
        var bytes = try files.readAll(path)
        for place in stride(from: 4096 + 65_536, to: bytes.count - 4096, by: 700) { bytes[place] ^= 0x10 }
        try write(bytes, to: path)
        #expect(try !Database.verify(path: folder.path).isClean)
        do {
            let database = try open(folder)
            defer { database.close() }
            let collection = try database.collection("c")
            #expect(isUsed(collection))
            #expect(try answers(collection) == expected)
            #expect(collection.shard.newest.segments.allSatisfy { $0.fields[0].index.inline?.isIntact == false })
            #expect(database.scrubber.pass().contains { $0.message.contains(path) })
            #expect(try answers(collection) == expected)
        }
        let report = try Database.repair(path: folder.path, isPlan: false)
        #expect(report.left.isEmpty && report.steps.contains { $0.action.contains("inline graph") })
        #expect(try Database.verify(path: folder.path).isClean)
        let database = try open(folder)
        defer { database.close() }
        let collection = try database.collection("c")
        settle(collection)
        for _ in 0..<10_000 where !isUsed(collection) { settle(collection) }
        #expect(isUsed(collection))
        #expect(try answers(collection) == expected)
    }

    @Test("a snapshot takes it along")
    func snapshot() throws {
        let folder = TemporaryFolder()
        let database = try open(folder)
        defer { database.close() }
        let collection = try fill(database, "c", Self.config(inline: true))
        let expected = try answers(collection)
        let made = try database.createSnapshot(.collection("c"))
        let path = try database.snapshotFile(.collection("c"), name: made.name)
        try database.recover(.collection("copy"), from: path, checksum: made.checksum, priority: .snapshot)
        let copy = try database.collection("copy")
        #expect(isUsed(copy))
        #expect(inlineFiles(copy).map(\.summary.crc) == inlineFiles(collection).map(\.summary.crc))
        #expect(try answers(copy) == expected)
    }
}

extension [UInt8] {
    /// The data of a block file whose header names its segment.
    fileprivate func dropHeader() -> [UInt8] { Array(dropFirst(4096).dropLast(32)) }
}
