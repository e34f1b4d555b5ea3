import Octant
import OctantEngine
import OctantModel
import OctantStorage
import Testing

/// Indexed segments that have codes to be scanned instead of a graph.
@Suite("Scanned segments")
struct ScannedSegmentTests {
    private static let width = 96
    private static let count = 1500

    private static func config(_ distance: Distance = .cosine) -> CollectionConfig {
        var config = CollectionConfig(
            params: CollectionParams(vectors: .single(VectorParams(size: width, distance: distance))))
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
                payload: Payload(["n": .integer(Int64(id % 3)), "m": .integer(Int64(id % 40))]))
        }
    }

    private func open(_ folder: TemporaryFolder) throws -> Database {
        var options = DatabaseOptions(path: folder.path)
        options.searchThreads = 2
        options.optimizerThreads = 1
        options.scrubBytesPerSecond = 0
        return try Database.open(options)
    }

    private func flush(_ collection: Collection) throws {
        collection.shard.freeze()
        while try collection.shard.flushFrozen() {}
        settle(collection)
    }

    private func fields(_ collection: Collection) -> [SegmentVectors] {
        collection.shard.newest.segments.flatMap(\.fields)
    }

    private func patch(_ collection: Collection, _ json: String) throws {
        try collection.patch(try CollectionPatch(json: try JSONParser.parse(Array(json.utf8))))
        settle(collection)
    }

    private func condition(_ key: String, _ value: Int64) throws -> Filter {
        Filter(must: [.field(FieldCondition(key: try PayloadPath(key), match: .value(.integer(value))))])
    }

    /// How many of the ten best the collection finds, of a hundred. Scores must be the exact ones, unless they are of the
    /// user's own codes.
    private func found(
        _ collection: Collection, _ filter: Filter?, ef: Int? = nil, byCodes: Bool = false
    ) throws -> Int {
        var found = 0
        for number in 0..<10 {
            var request = QueryRequest(
                query: .nearest(.vector(.dense(Self.vector(100_000 + number)))), params: SearchParams(exact: true),
                limit: 10)
            request.filter = filter
            let exact = try collection.query(request)
            request.params = SearchParams(hnswEF: ef)
            let answer = try collection.query(request)
            #expect(exact.count == 10 && answer.count == 10)
            for point in answer where !byCodes {
                if let same = exact.first(where: { $0.id == point.id }) { #expect(same.score == point.score) }
            }
            found += answer.filter { point in exact.contains { $0.id == point.id } }.count
        }
        return found
    }

    @Test(
        "are indexed without a graph, and find what exact searches do, deletions and filters included",
        arguments: [1, 3])
    func search(segments: Int) throws {
        for distance in [Distance.cosine, .euclid, .dot] {
            let folder = TemporaryFolder()
            let database = try open(folder)
            defer { database.close() }
            var config = Self.config(distance)
            config.optimizer.defaultSegmentNumber = segments
            try database.createCollection("c", config)
            let collection = try database.collection("c")
            for number in 0..<segments {
                let from = number * Self.count
                try collection.update(.upsert(Self.points(from..<from + Self.count)))
                try flush(collection)
            }
            let all = Self.count * segments
            #expect(fields(collection).contains(where: \.isScanned) && !fields(collection).contains(where: \.hasGraph))
            #expect(collection.info().indexedVectorsCount == all)
            #expect(collection.info().status == .green)
            try collection.update(.delete(.ids((0..<200).map { .number(UInt64($0)) })))
            // With as many rows scored again as the default says, of random vectors, which are as hard as can be.
            #expect(try found(collection, nil) >= 50)
            #expect(try found(collection, nil, ef: 600) >= 90)
            #expect(try found(collection, condition("n", 1), ef: 300) >= 90)
            #expect(try found(collection, condition("m", 7), ef: 300) >= 90)
            try collection.createFieldIndex(try PayloadPath("n"), FieldIndexSchema(type: .integer))
            try collection.createFieldIndex(try PayloadPath("m"), FieldIndexSchema(type: .integer))
            settle(collection)
            #expect(try found(collection, condition("n", 1), ef: 300) >= 90)
            #expect(try found(collection, condition("m", 7), ef: 300) >= 90)
            for segment in collection.shard.newest.segments { try segment.verifyBulk() }
        }
    }

    @Test("get a graph where the configuration asks for codes of its own, and lose it for none")
    func changes() throws {
        let folder = TemporaryFolder()
        let database = try open(folder)
        defer { database.close() }
        try database.createCollection("c", Self.config())
        let collection = try database.collection("c")
        try collection.update(.upsert(Self.points(0..<Self.count)))
        try flush(collection)
        #expect(fields(collection).allSatisfy { $0.isScanned && $0.isIndexed && !$0.hasGraph })
        try patch(collection, #"{"quantization_config":{"scalar":{"type":"int8"}}}"#)
        #expect(fields(collection).allSatisfy { $0.hasGraph && !$0.isScanned })
        #expect(try found(collection, nil, ef: 600, byCodes: true) >= 80)
        try patch(collection, #"{"quantization_config":"Disabled"}"#)
        // A graph that is there is good enough.
        #expect(fields(collection).allSatisfy { $0.isIndexed })
        #expect(try found(collection, nil, ef: 600) >= 90)
        try patch(collection, #"{"hnsw_config":{"m":0}}"#)
        #expect(fields(collection).allSatisfy { !$0.isIndexed })
        #expect(try found(collection, nil) == 100)
    }

    @Test("are those of fitting size whose codes are the engine's own")
    func policy() {
        func kind(_ rows: Int, _ change: (inout CollectionConfig, inout VectorParams) -> Void = { _, _ in }) -> String {
            var config = Self.config()
            var params = VectorParams(size: Self.width, distance: .cosine)
            change(&config, &params)
            switch IndexPolicy(NamedVectorParams(name: "", params: params), config: config).index(rows: rows) {
            case .scan?: return "scan"
            case .graph?: return "graph"
            case nil: return "none"
            }
        }
        #expect([1023, 1024, 16_384, 16_385].map { kind($0) } == ["graph", "scan", "scan", "graph"])
        #expect(kind(5000) { $1.size = 95 } == "graph")
        #expect(kind(5000) { $1.size = 10_000 } == "graph")
        #expect(kind(5000) { $1.distance = .manhattan } == "graph")
        #expect(kind(5000) { $1.onDisk = true } == "graph")
        #expect(kind(5000) { $1.datatype = .float16 } == "scan")
        #expect(kind(5000) { $1.datatype = .turbo4 } == "graph")
        #expect(kind(5000) { config, _ in config.quantization = .turbo(TurboQuantization()) } == "graph")
        #expect(kind(5000) { config, _ in config.hnsw.m = 0 } == "none")
    }
}
