import Octant
import OctantEngine
import OctantModel
import OctantStorage
import Testing

@Suite("Queries explained, over one segment and many")
struct ExplainTests {
    private static let width = 8

    private static func vector(_ generator: inout SeededGenerator) -> [Float] {
        (0..<width).map { _ in Float.random(in: -1...1, using: &generator) }
    }

    /// A settled collection of 2,000 points in `number` segments, with some points in memory besides.
    private func collection(_ number: Int, _ body: (Collection) throws -> Void) throws {
        let folder = TemporaryFolder()
        var options = DatabaseOptions(path: folder.path)
        options.optimizerThreads = 1
        var limits = ShardLimits()
        limits.memtableRows = 700
        let database = try Database.open(options, fileSystem: FaultInjectingFileSystem(syncs: false), limits: limits)
        defer { database.close() }
        var config = CollectionConfig(
            params: CollectionParams(vectors: .single(VectorParams(size: Self.width, distance: .euclid))))
        config.wal.capacityMB = 1
        config.optimizer.indexingThreshold = 2
        config.optimizer.defaultSegmentNumber = number
        try database.createCollection("c", config)
        let collection = try database.collection("c")
        try collection.createFieldIndex(PayloadPath("n"), FieldIndexSchema(type: .integer))
        var generator = SeededGenerator(seed: 21)
        for start in stride(from: 0, to: 2000, by: 250) {
            try collection.update(
                .upsert(
                    (start..<start + 250).map {
                        Point(
                            id: .number(UInt64($0)), vectors: NamedVectors(.dense(Self.vector(&generator))),
                            payload: Payload(["n": .integer(Int64($0))]))
                    }))
            settle(collection, "\(number) segments")
        }
        try body(collection)
    }

    private func request(
        _ generator: inout SeededGenerator, exact: Bool = false, filter: Filter? = nil
    ) -> QueryRequest {
        QueryRequest(
            query: .nearest(.vector(.dense(Self.vector(&generator)))), filter: filter,
            params: SearchParams(hnswEF: 64, exact: exact), limit: 10)
    }

    @Test("The collection ends with the segments wanted, and finds in them what an exact search finds")
    func segments() throws {
        for number in [2, 5] {
            try collection(number) { collection in
                #expect(collection.shard.view.segments.count == number)
                var generator = SeededGenerator(seed: 3)
                var same = 0
                for _ in 0..<30 {
                    var query = request(&generator)
                    let found = try collection.query(query).map(\.id)
                    query.params.exact = true
                    let exact = try collection.query(query).map(\.id)
                    #expect(exact.count == 10)
                    same += Set(found).intersection(exact).count
                }
                #expect(same >= 294, "\(number) segments: \(same) of 300")
            }
        }
    }

    @Test("An explained query gives the points of the query, and counts that fit its plan", arguments: [1, 4])
    func counts(number: Int) throws {
        try collection(number) { collection in
            var generator = SeededGenerator(seed: 4)
            for _ in 0..<10 {
                let query = request(&generator)
                let (points, explanation) = try collection.explain(query)
                #expect(points.map(\.id) == (try collection.query(query).map(\.id)))
                let search = try #require(explanation.searches.first)
                #expect(explanation.searches.count == 1 && search.limit == 10)
                let parts = search.parts.filter { $0.segment != nil }
                #expect(parts.count == number && parts.allSatisfy { $0.plan == .walk && $0.ef == 64 })
                #expect(parts.reduce(0) { $0 + $1.points } == 2000)
                for part in parts {
                    #expect(part.scoredByCodes >= 8 && part.scoredByOriginals == part.rescored && !part.gaveUpWalk)
                }
                let rescored = parts.reduce(0) { $0 + $1.rescored }
                #expect(rescored >= 10 && rescored < 400)

                let exact = try collection.explain(request(&generator, exact: true)).explanation
                for part in exact.searches[0].parts {
                    #expect(part.plan == .scanOriginals && part.scoredByOriginals == part.points)
                    #expect(part.scoredByCodes == 0 && part.rescored == 0)
                }
                let few = try Filter(json: JSONParser.parse(#"{"must": [{"key": "n", "range": {"gte": 1990}}]}"#))
                let filtered = try collection.explain(request(&generator, filter: few)).explanation
                #expect(filtered.searches[0].parts.allSatisfy { $0.plan == .scanList })
                #expect(filtered.searches[0].parts.reduce(0) { $0 + $1.scoredByOriginals } == 10)
            }
        }
    }
}
