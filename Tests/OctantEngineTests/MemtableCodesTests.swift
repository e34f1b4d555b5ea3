import Octant
import OctantEngine
import OctantModel
import OctantStorage
import Testing

@Suite("Codes of points in memory")
struct MemtableCodesTests {
    private static let width = 48

    /// Points around some centres, as embeddings lie.
    private struct Cloud {
        var generator: SeededGenerator
        let centers: [[Float]]

        init(seed: UInt64) {
            var generator = SeededGenerator(seed: seed)
            centers = (0..<20).map { _ in randomVector(width, &generator) }
            self.generator = generator
        }

        mutating func next() -> [Float] {
            let center = centers[Int.random(in: 0..<centers.count, using: &generator)]
            let noise = randomVector(width, &generator)
            return zip(center, noise).map { $0 + 0.6 * $1 }
        }
    }

    private func collection(
        _ distance: Distance, _ codes: QuantizationConfig?, _ body: (Collection) throws -> Void
    ) throws {
        let folder = TemporaryFolder()
        var limits = ShardLimits()
        limits.memtableRows = 8192
        let database = try Database.open(
            DatabaseOptions(path: folder.path), fileSystem: FaultInjectingFileSystem(syncs: false), limits: limits)
        defer { database.close() }
        var config = CollectionConfig(
            params: CollectionParams(
                vectors: .named([
                    .init(name: "v", params: VectorParams(size: Self.width, distance: distance)),
                    .init(name: "w", params: VectorParams(size: 2, distance: .dot)),
                ])))
        config.wal.capacityMB = 8
        config.optimizer.indexingThreshold = 0
        config.quantization = codes
        try database.createCollection("c", config)
        try body(try database.collection("c"))
    }

    private func request(_ query: [Float], exact: Bool = false, filter: Filter? = nil, limit: Int = 10) -> QueryRequest
    {
        QueryRequest(
            query: .nearest(.vector(.dense(query))), using: "v", filter: filter, params: SearchParams(exact: exact),
            limit: limit)
    }

    /// Every fifth point has no vector `v`.
    private func upsert(_ ids: Range<Int>, _ cloud: inout Cloud, into collection: Collection) throws {
        for start in stride(from: ids.lowerBound, to: ids.upperBound, by: 200) {
            var points: [Point] = []
            for id in start..<min(start + 200, ids.upperBound) {
                let name = id % 5 == 4 ? "w" : "v"
                let vector: [Float] = name == "v" ? cloud.next() : [1, 2]
                points.append(
                    Point(
                        id: .number(UInt64(id)),
                        vectors: NamedVectors([.init(name: name, vector: .dense(vector))]),
                        payload: Payload(["n": .integer(Int64(id % 3))])))
            }
            try collection.update(.upsert(points))
        }
    }

    private func plan(_ collection: Collection, _ request: QueryRequest) throws -> QueryExplanation.Plan? {
        try collection.explain(request).explanation.searches.first?.parts.first?.plan
    }

    @Test("what is found by codes has the scores of the originals, and is what a scan of these finds")
    func answers() throws {
        let kinds: [(QuantizationConfig, Double)] = [
            (.turbo(TurboQuantization(bits: .bits4)), 0.99), (.turbo(TurboQuantization(bits: .bits1)), 0.95),
            (.binary(BinaryQuantization()), 0.9), (.turbo(TurboQuantization(bits: .bits8)), 0.99),
        ]
        for distance in [Distance.cosine, .dot, .euclid, .manhattan] {
            for (codes, leastRecall) in kinds {
                try collection(distance, codes) { collection in
                    var cloud = Cloud(seed: 11)
                    try upsert(0..<1200, &cloud, into: collection)
                    let query = cloud.next()
                    #expect(try plan(collection, request(query)) == .scanOriginals)
                    try upsert(1200..<5000, &cloud, into: collection)
                    try collection.update(.delete(.ids((0..<500).map { .number(UInt64($0 * 3)) })))
                    try upsert(2000..<2200, &cloud, into: collection)
                    #expect(collection.shard.view.memtables.count == 1 && collection.shard.view.segments.isEmpty)
                    #expect(try plan(collection, request(query)) == .scanCodes)
                    #expect(try plan(collection, request(query, exact: true)) == .scanOriginals)
                    #expect(try plan(collection, request(query, limit: 1000)) == .scanOriginals)
                    let filter = Filter(must: [.field(.init(key: try PayloadPath("n"), range: .init(gte: 1, lt: 2)))])
                    var same = 0
                    for number in 0..<40 {
                        let query = cloud.next()
                        let chosen = number % 2 == 0 ? nil : filter
                        let exact = try collection.query(request(query, exact: true, filter: chosen))
                        let found = try collection.query(request(query, filter: chosen))
                        #expect(found.count == 10)
                        let scores = Dictionary(uniqueKeysWithValues: exact.map { ($0.id, $0.score) })
                        for point in found where scores[point.id] != nil {
                            let score = scores[point.id] ?? 0
                            #expect((score - point.score).magnitude <= 1e-5 * max(1, score.magnitude))
                            same += 1
                        }
                    }
                    #expect(Double(same) >= 400 * leastRecall, "\(distance) \(codes): \(same) of 400")
                }
            }
        }
    }

    @Test("without codes that grow, originals are scanned; with them, memory is reported")
    func kinds() throws {
        for codes in [nil, .scalar(ScalarQuantization()), .turbo(TurboQuantization())] as [QuantizationConfig?] {
            try collection(.cosine, codes) { collection in
                var cloud = Cloud(seed: 12)
                try upsert(0..<3000, &cloud, into: collection)
                var grows = false
                if case .turbo? = codes { grows = true }
                #expect(try plan(collection, request(cloud.next())) == (grows ? .scanCodes : .scanOriginals))
                let structures = collection.memoryReport().parts.flatMap(\.structures)
                let bytes = structures.filter { $0.kind == "codes" && $0.subject == "v" }.map(\.use.anonymous)
                #expect(grows ? (bytes.first ?? 0) >= 2400 * 24 : bytes.isEmpty)
            }
        }
    }
}
