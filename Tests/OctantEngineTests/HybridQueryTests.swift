import Octant
import OctantModel
import Testing

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// Queries over sparse vectors and multivectors, alone and together.
@Suite("Hybrid queries")
struct HybridQueryTests {
    private struct Entry {
        var sparse: [UInt32: Float]
        var rows: [[Float]]
    }

    private final class World {
        let folder = TemporaryFolder()
        let database: Database
        let collection: Collection
        var entries: [Entry] = []
        var generator = SeededGenerator(seed: 41)

        init() throws {
            database = try Database.open(DatabaseOptions(path: folder.path))
            var config = plainConfig(4, .dot)
            config.params.vectors = .named([
                NamedVectorParams(
                    name: "m", params: VectorParams(size: 3, distance: .euclid, multivector: .maxSim))
            ])
            config.params.sparseVectors = [NamedSparseVectorParams(name: "s", params: SparseVectorParams())]
            config.optimizer.indexingThreshold = 1
            try database.createCollection("c", config)
            collection = try database.collection("c")
            for start in [0, 150] {
                var points: [Point] = []
                for number in start..<start + 150 {
                    let entry = Entry(sparse: sparse(), rows: rows())
                    entries.append(entry)
                    points.append(
                        Point(
                            id: .number(UInt64(number)),
                            vectors: NamedVectors([
                                .init(name: "s", vector: Self.vector(entry.sparse)),
                                .init(name: "m", vector: .multiDense(entry.rows)),
                            ])))
                }
                try collection.update(.upsert(points))
                while start == 0, collection.info().status != .green { usleep(1000) }
            }
        }

        deinit { database.close() }

        func sparse() -> [UInt32: Float] {
            var sparse: [UInt32: Float] = [:]
            for _ in 0..<4 {
                sparse[UInt32.random(in: 0..<30, using: &generator)] = Float.random(in: 0.1...1, using: &generator)
            }
            return sparse
        }

        func rows() -> [[Float]] {
            (0..<Int.random(in: 1...3, using: &generator)).map { _ in randomVector(3, &generator) }
        }

        static func vector(_ sparse: [UInt32: Float]) -> Vector {
            let indices = sparse.keys.sorted()
            return .sparse(SparseVector(indices: indices, values: indices.map { sparse[$0] ?? 0 }))
        }
    }

    private func dot(_ a: [UInt32: Float], _ b: [UInt32: Float]) -> Float? {
        let shared = Set(a.keys).intersection(b.keys)
        return shared.isEmpty ? nil : shared.reduce(0) { $0 + (a[$1] ?? 0) * (b[$1] ?? 0) }
    }

    private func maxSim(_ query: [[Float]], _ document: [[Float]]) -> Float {
        query.reduce(0) { sum, row in
            sum
                + (document.map { other in -zip(row, other).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) } }.max()
                    ?? 0)
        }
    }

    private func check(_ found: [ScoredPoint], _ expected: [(id: Int, score: Float)], ascending: Bool = false) {
        let best = expected.sorted { ascending ? $0.score < $1.score : $0.score > $1.score }.prefix(found.count)
        for (hit, want) in zip(found, best) { #expect(abs(hit.score - want.score) < 1e-4) }
    }

    @Test("sparse vectors are searched, rescored and recommended by")
    func sparse() throws {
        let world = try World()
        for _ in 0..<20 {
            let (a, b) = (world.sparse(), world.sparse())
            let (first, second) = (VectorInput.vector(World.vector(a)), VectorInput.vector(World.vector(b)))
            let prefetch = Prefetch(query: .nearest(first), using: "s", limit: 40)
            let near = world.entries.enumerated().compactMap { number, entry in
                dot(a, entry.sparse).map { (id: number, score: $0) }
            }
            let rescored = try world.collection.query(
                QueryRequest(prefetch: [prefetch], query: .nearest(second), using: "s", limit: 100))
            let prefetched = Set(
                try world.collection.query(QueryRequest(query: .nearest(first), using: "s", limit: 40)).map(\.id))
            let expected = world.entries.enumerated().compactMap { number, entry in
                prefetched.contains(.number(UInt64(number)))
                    ? dot(b, entry.sparse).map { (id: number, score: $0) } : nil
            }
            #expect(rescored.count == expected.count)
            check(rescored, expected)
            check(try world.collection.query(QueryRequest(query: .nearest(first), using: "s", limit: 40)), near)

            let sums = world.entries.enumerated().map { number, entry in
                (id: number, score: (dot(a, entry.sparse) ?? 0) - (dot(b, entry.sparse) ?? 0))
            }
            let recommendation = Recommendation(positive: [first], negative: [second], strategy: .sumScores)
            let recommended = try world.collection.query(
                QueryRequest(query: .recommend(recommendation), using: "s", limit: 25))
            #expect(recommended.count == 25)
            check(recommended, sums)

            var average = a.mapValues { 2 * $0 }
            for (index, value) in b { average[index, default: 0] -= value }
            let averaged = try world.collection.query(
                QueryRequest(
                    query: .recommend(Recommendation(positive: [first], negative: [second])), using: "s", limit: 25))
            check(
                averaged,
                world.entries.enumerated().compactMap { number, entry in
                    dot(average, entry.sparse).map { (id: number, score: $0) }
                })
        }
    }

    @Test("custom scores rank sparse vectors that share no index with the only example; a search leaves them out")
    func disjointSparse() throws {
        let world = try World()
        let a = world.sparse()
        let example = VectorInput.vector(World.vector(a))
        let sharing = world.entries.filter { dot(a, $0.sparse) != nil }.count
        #expect(sharing > 0 && sharing < world.entries.count)
        let searched = try world.collection.query(QueryRequest(query: .nearest(example), using: "s", limit: 1000))
        #expect(searched.count == sharing)
        for strategy in [Recommendation.Strategy.bestScore, .sumScores] {
            let one = Recommendation(positive: [example], negative: [], strategy: strategy)
            let found = try world.collection.query(QueryRequest(query: .recommend(one), using: "s", limit: 1000))
            #expect(found.count == world.entries.count)
        }
    }

    @Test("MMR searches for each candidate among those chosen")
    func mmrOfMultivectors() throws {
        let world = try World()
        for _ in 0..<10 {
            let query = world.rows()
            let request = QueryRequest(
                query: .mmr(.vector(.multiDense(query)), MMR(diversity: 0.7, candidatesLimit: 300)), using: "m",
                limit: 12)
            var left = world.entries.indices.sorted {
                maxSim(query, world.entries[$0].rows) > maxSim(query, world.entries[$1].rows)
            }
            var chosen = [left.removeFirst()]
            while chosen.count < 12 {
                let scores = left.map { place in
                    let rows = world.entries[place].rows
                    let closest = chosen.map { maxSim(rows, world.entries[$0].rows) }.max() ?? 0
                    return 0.3 * maxSim(query, rows) - 0.7 * closest
                }
                chosen.append(left.remove(at: scores.indices.max { scores[$0] < scores[$1] } ?? 0))
            }
            #expect(try world.collection.query(request).map(\.id) == chosen.map { .number(UInt64($0)) })
        }
    }

    @Test("frequencies weigh in a search and a matrix, not in what MMR compares")
    func frequencies() throws {
        let folder = TemporaryFolder()
        let database = try Database.open(DatabaseOptions(path: folder.path))
        defer { database.close() }
        var config = plainConfig(4, .dot)
        config.params.vectors = .named([])
        config.params.sparseVectors = [
            NamedSparseVectorParams(name: "s", params: SparseVectorParams(modifier: .idf))
        ]
        try database.createCollection("c", config)
        let collection = try database.collection("c")
        // Index 0 is in all points and weighs little; index 1 is in one.
        let values: [[UInt32: Float]] = [[0: 5], [0: 1, 1: 1], [0: 1], [0: 1, 2: 1]]
        try collection.update(
            .upsert(
                values.enumerated().map { number, sparse in
                    Point(
                        id: .number(UInt64(number)),
                        vectors: NamedVectors([.init(name: "s", vector: World.vector(sparse))]))
                }))
        let rare = log((4 - 1 + 0.5) / (1 + 0.5) + 1 as Float)
        let common = log((4 - 4 + 0.5) / (4 + 0.5) + 1 as Float)
        let matrix = try collection.matrix(MatrixRequest(sample: 4, limit: 3, using: "s"))
        let row = matrix.rows[1].map { (matrix.ids[$0.place], $0.score) }
        for (id, score) in row where id == .number(0) { #expect(abs(score - 5 * common) < 1e-5) }
        #expect(row.count == 3)
        let query = VectorInput.vector(World.vector([0: 1, 1: 1]))
        let nearest = try collection.query(QueryRequest(query: .nearest(query), using: "s", limit: 4))
        #expect(nearest.first?.id == .number(1) && abs((nearest.first?.score ?? 0) - rare - common) < 1e-5)
        let varied = try collection.query(
            QueryRequest(query: .mmr(query, MMR(diversity: 0, candidatesLimit: 4)), using: "s", limit: 2))
        #expect(varied.map(\.id) == [.number(0), .number(1)])
        #expect(abs((varied.last?.score ?? 0) - rare - common) < 1e-5)
    }

    @Test("multivectors are searched, rescored and recommended by")
    func multi() throws {
        let world = try World()
        for _ in 0..<20 {
            let (a, b) = (world.rows(), world.rows())
            let (first, second) = (VectorInput.vector(.multiDense(a)), VectorInput.vector(.multiDense(b)))
            let all = Prefetch(query: .nearest(first), using: "m", limit: 300)
            let rescored = try world.collection.query(
                QueryRequest(prefetch: [all], query: .nearest(second), using: "m", limit: 20))
            let distances = world.entries.enumerated().map { number, entry in
                (id: number, score: abs(maxSim(b, entry.rows)).squareRoot())
            }
            #expect(rescored.count == 20)
            check(rescored, distances, ascending: true)
            let pair = ContextPair(positive: first, negative: second)
            let found = try world.collection.query(QueryRequest(query: .context([pair]), using: "m", limit: 300))
            let scores = world.entries.enumerated().map { number, entry -> (id: Int, score: Float) in
                let gap = min(maxSim(a, entry.rows) - maxSim(b, entry.rows) - Float.ulpOfOne, 0)
                return (number, gap / (1 + abs(gap)))
            }
            #expect(found.count == 300)
            check(found, scores)
        }
    }

    @Test("kinds of vectors are fused, and chosen from by MMR")
    func fused() throws {
        let world = try World()
        let sparse = Prefetch(query: .nearest(.vector(World.vector(world.sparse()))), using: "s", limit: 10)
        let multi = Prefetch(query: .nearest(.vector(.multiDense(world.rows()))), using: "m", limit: 10)
        let lists = try [sparse, multi].map { prefetch in
            try world.collection.query(
                QueryRequest(query: prefetch.query, using: prefetch.using, limit: prefetch.limit)
            ).map(\.id)
        }
        var sums: [PointID: Float] = [:]
        for list in lists {
            for (rank, id) in list.enumerated() { sums[id, default: 0] += 1 / Float(rank + 2) }
        }
        let found = try world.collection.query(
            QueryRequest(prefetch: [sparse, multi], query: .fusion(.rrf()), limit: 30))
        #expect(Dictionary(uniqueKeysWithValues: found.map { ($0.id, $0.score) }) == sums)
        let varied = try world.collection.query(
            QueryRequest(
                query: .mmr(.vector(World.vector(world.sparse())), MMR(diversity: 0.5, candidatesLimit: 30)),
                using: "s", limit: 10))
        #expect(Set(varied.map(\.id)).count == 10)
        let matrix = try world.collection.matrix(MatrixRequest(sample: 10, limit: 3, using: "m"))
        #expect(matrix.rows.count == 10 && matrix.rows.allSatisfy { $0.count == 3 })
    }
}
