import Octant
import OctantModel
import Testing

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// A collection and the same points in an oracle.
final class QueryWorld {
    let database: Database
    let collection: Collection
    var oracle: QueryOracle
    var generator: SeededGenerator
    private let folder = TemporaryFolder()

    static let dimension = 6

    /// Points in segments and in memory, some of them deleted or replaced.
    init(_ distance: Distance, seed: UInt64, count: Int = 300) throws {
        generator = SeededGenerator(seed: seed)
        oracle = QueryOracle(distance: distance, entries: [])
        database = try Database.open(DatabaseOptions(path: folder.path))
        var config = plainConfig(Self.dimension, distance)
        config.optimizer.indexingThreshold = 1
        try database.createCollection("c", config)
        collection = try database.collection("c")
        try add(0..<count)
        try collection.createFieldIndex(PayloadPath("n"), FieldIndexSchema(type: .integer))
        while collection.info().status != .green { usleep(1000) }
        // Newer versions and new points stay in memory.
        try add(count - 20..<count + 40)
        let dead = (0..<20).map { PointID.number(UInt64($0 * 7)) }
        try collection.update(.delete(.ids(dead)))
        oracle.entries.removeAll { dead.contains($0.id) }
    }

    deinit { database.close() }

    private func add(_ numbers: Range<Int>) throws {
        let points = numbers.map { number in
            Point(
                id: .number(UInt64(number)), vectors: NamedVectors(.dense(randomVector(Self.dimension, &generator))),
                payload: Payload([
                    "n": .integer(Int64(number % 3)), "x": .double(Double(number % 50) / 8),
                    "tags": .array([.string("t\(number % 5)"), .string("t\(number % 4)")]),
                ]))
        }
        try collection.update(.upsert(points))
        for point in points {
            guard case .dense(let vector)? = point.vectors[""] else { continue }
            let entry = QueryOracle.Entry(
                id: point.id, vector: oracle.prepared(vector), payload: point.payload.object)
            oracle.entries.removeAll { $0.id == point.id }
            oracle.entries.append(entry)
        }
    }

    func vector() -> VectorInput { .vector(.dense(randomVector(Self.dimension, &generator))) }

    func input() -> VectorInput {
        guard Bool.random(using: &generator), let entry = oracle.entries.randomElement(using: &generator) else {
            return vector()
        }
        return .id(entry.id)
    }

    func inputs(_ count: ClosedRange<Int>) -> [VectorInput] {
        (0..<Int.random(in: count, using: &generator)).map { _ in input() }
    }

    func pairs(_ count: ClosedRange<Int>) -> [ContextPair] {
        (0..<Int.random(in: count, using: &generator)).map { _ in ContextPair(positive: input(), negative: input()) }
    }

    func filter() -> Filter? {
        guard Bool.random(using: &generator), let key = try? PayloadPath("n") else { return nil }
        let wanted = Int64.random(in: 0..<3, using: &generator)
        return Filter(must: [.field(FieldCondition(key: key, match: .value(.integer(wanted))))])
    }

    /// A query that needs no prefetch.
    func leaf() -> Query {
        switch Int.random(in: 0..<7, using: &generator) {
        case 0: .recommend(Recommendation(positive: inputs(1...3), negative: inputs(0...2)))
        case 1:
            .recommend(Recommendation(positive: inputs(1...2), negative: inputs(0...2), strategy: .bestScore))
        case 2:
            .recommend(Recommendation(positive: inputs(0...2), negative: inputs(1...2), strategy: .sumScores))
        case 3: .discover(target: input(), context: pairs(0...3))
        case 4: .context(pairs(1...3))
        case 5:
            .feedback(
                RelevanceFeedback(
                    target: input(),
                    feedback: inputs(1...3).map {
                        .init(example: $0, score: Float.random(in: 0...1, using: &generator))
                    },
                    a: 0.7, b: 2, c: 0.4))
        default: .nearest(input())
        }
    }

    func fusion(_ lists: Int) -> Fusion {
        switch Int.random(in: 0..<3, using: &generator) {
        case 0: .dbsf
        case 1: .rrf(k: 7, weights: (0..<lists).map { _ in Float.random(in: -0.2...2, using: &generator) })
        default: .rrf()
        }
    }

    /// A prefetch, nested up to `depth` levels. Limits beyond the number of points keep ties out of the comparison.
    func prefetch(_ depth: Int) -> Prefetch {
        var prefetch = Prefetch(filter: filter(), params: SearchParams(exact: true))
        prefetch.limit = Int.random(in: 5...60, using: &generator)
        if depth > 0, Bool.random(using: &generator) {
            prefetch.prefetch = (0..<Int.random(in: 1...2, using: &generator)).map { _ in self.prefetch(depth - 1) }
            if Bool.random(using: &generator) {
                prefetch.query = .fusion(fusion(prefetch.prefetch.count))
                return prefetch
            }
        }
        prefetch.query = leaf()
        return prefetch
    }
}

@Suite("Queries")
struct QueryTests {
    /// Compares scores place by place, so that equal scores may stand in any order.
    private func check(_ world: QueryWorld, _ request: QueryRequest, _ comment: Comment) throws {
        let found = try world.collection.query(request)
        let expected = world.oracle.run(request)
        #expect(found.count == expected.count, comment)
        for (hit, want) in zip(found, expected) {
            #expect(abs(Double(hit.score) - want.score) < 1e-3, comment)
        }
        #expect(Set(found.map(\.id)).isDisjoint(with: request.widened.referencedIDs))
        #expect(Set(found.map(\.id)).count == found.count)
    }

    @Test("every kind of query equals a slow oracle, for every distance", arguments: Distance.allCases)
    func kinds(_ distance: Distance) throws {
        let world = try QueryWorld(distance, seed: 11)
        for round in 0..<150 {
            var request = QueryRequest(query: world.leaf(), filter: world.filter(), params: SearchParams(exact: true))
            request.limit = Int.random(in: 1...40, using: &world.generator)
            request.offset = Int.random(in: 0...5, using: &world.generator)
            if Int.random(in: 0..<4, using: &world.generator) == 0 {
                request.scoreThreshold = Float.random(in: -1...2, using: &world.generator)
            }
            try check(world, request, "round \(round): \(request)")
        }
    }

    @Test("queries over nested prefetches equal a slow oracle", arguments: Distance.allCases)
    func nested(_ distance: Distance) throws {
        let world = try QueryWorld(distance, seed: 12)
        for round in 0..<150 {
            var request = QueryRequest(filter: world.filter(), limit: 25, offset: round % 4)
            request.prefetch = (0..<Int.random(in: 1...3, using: &world.generator)).map { _ in world.prefetch(2) }
            request.query =
                Bool.random(using: &world.generator) ? .fusion(world.fusion(request.prefetch.count)) : world.leaf()
            if round % 5 == 0 { request.scoreThreshold = 0.3 }
            try check(world, request, "round \(round): \(request)")
        }
    }

    @Test("examples from another collection are looked up there and are not left out")
    func lookup() throws {
        let world = try QueryWorld(.cosine, seed: 13)
        var config = plainConfig(QueryWorld.dimension, .dot)
        config.params.vectors = .named([
            NamedVectorParams(name: "v", params: VectorParams(size: QueryWorld.dimension, distance: .dot))
        ])
        try world.database.createCollection("other", config)
        let example = randomVector(QueryWorld.dimension, &world.generator)
        try world.database.collection("other").update(
            .upsert([
                Point(id: .number(1), vectors: NamedVectors([.init(name: "v", vector: .dense(example))]))
            ]))
        var request = QueryRequest(
            query: .nearest(.id(.number(1))), params: SearchParams(exact: true), limit: 400,
            lookupFrom: LookupLocation(collection: "other", vector: "v"))
        let found = try world.database.query(request, in: "c")
        let expected = world.oracle.run(QueryRequest(query: .nearest(.vector(.dense(example))), limit: 400))
        #expect(found.map(\.id) == expected.map(\.id))
        #expect(found.contains { $0.id == .number(1) })
        request.lookupFrom?.collection = "none"
        #expect(throws: OctantError(.notFound, "Collection `none` doesn't exist!")) {
            try world.database.query(request, in: "c")
        }
        request.lookupFrom?.collection = "other"
        request.query = .nearest(.id(.number(3)))
        #expect(throws: OctantError(.notFound, "No point with id 3 found")) {
            try world.database.query(request, in: "c")
        }
    }

    @Test("combinations that make no sense are refused with the protocol's words")
    func refusals() throws {
        let world = try QueryWorld(.dot, seed: 14, count: 30)
        let some = [Prefetch(query: .sample)]
        let order = OrderBy(key: try PayloadPath("n"))
        let cases: [(QueryRequest, String)] = [
            (
                QueryRequest(prefetch: some),
                "Bad request: A query is needed to merge the prefetches. "
                    + "Can't have prefetches without defining a query."
            ),
            (
                QueryRequest(scoreThreshold: 1),
                "Bad request: A query is needed to use the score_threshold. "
                    + "Can't have score_threshold without defining a query."
            ),
            (
                QueryRequest(query: .orderBy(order), scoreThreshold: 1),
                "Bad request: Can't use score_threshold with an order_by query."
            ),
            (
                QueryRequest(prefetch: some, query: .fusion(.rrf()), using: "a"),
                "Bad request: Fusion queries cannot be combined with the 'using' field."
            ),
            (QueryRequest(query: .fusion(.dbsf)), "Bad request: cannot apply Fusion without prefetches"),
            (
                QueryRequest(prefetch: some, query: .fusion(.rrf(weights: [1, 2]))),
                "Bad request: RRF weights length (2) must match the number of prefetches (1)"
            ),
            (
                QueryRequest(query: .recommend(Recommendation())),
                "Wrong input: Positive vectors should not be empty with `average` strategy"
            ),
            (QueryRequest(query: .nearest(.id(.number(999)))), "Not found: No point with id 999 found"),
            (
                QueryRequest(query: .context([ContextPair(positive: world.vector(), negative: .id(.number(999)))])),
                "Not found: No point with id 999 found"
            ),
            (
                QueryRequest(query: .nearest(world.vector()), using: "u"),
                "Wrong input: Not existing vector name error: u"
            ),
        ]
        for (request, message) in cases {
            let error = #expect(throws: OctantError.self) { try world.collection.query(request) }
            #expect(error?.description == message)
        }
        var deep = Prefetch(query: .sample)
        for _ in 0..<64 { deep = Prefetch(prefetch: [deep], query: .sample) }
        #expect(throws: OctantError(.badRequest, "prefetches depth 65 exceeds max depth 64")) {
            try world.collection.query(QueryRequest(prefetch: [deep], query: .sample))
        }
    }
}
