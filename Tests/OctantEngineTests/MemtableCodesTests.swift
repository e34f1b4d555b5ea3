import Octant
import OctantEngine
import OctantModel
import OctantStorage
import Testing

@Suite("Codes of points in memory")
struct MemtableCodesTests {
    private static let width = 48

    /// Points around some centres, as embeddings lie.
    private struct Cloud: Sendable {
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
        limits.memtableRows = 18_000
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

    private static let kinds: [(codes: QuantizationConfig, leastRecall: Double)] = [
        (.turbo(TurboQuantization(bits: .bits4)), 0.75), (.turbo(TurboQuantization(bits: .bits1)), 0.88),
        (.turbo(TurboQuantization(bits: .bits8)), 0.95), (.binary(BinaryQuantization()), 0.9),
        (.binary(BinaryQuantization(encoding: .twoBits)), 0.95),
    ]

    @Test(
        "codes find what a scan of the originals finds, though points are overwritten and deleted; scores as configured",
        arguments: [Distance.cosine, .dot, .euclid, .manhattan])
    func answers(_ distance: Distance) throws {
        for (codes, leastRecall) in Self.kinds {
            try collection(distance, codes) { collection in
                var cloud = Cloud(seed: 11)
                try upsert(0..<3200, &cloud, into: collection)
                #expect(try plan(collection, request(cloud.next())) == .scanOriginals)
                try upsert(3200..<4200, &cloud, into: collection)
                // Learnt from few rows, grown with searches, learnt anew from more.
                #expect(try plan(collection, request(cloud.next())) == .scanCodes)
                let count = distance == .cosine && codes == Self.kinds[1].codes ? 17_000 : 6000
                try upsert(4200..<count, &cloud, into: collection)
                try collection.update(.delete(.ids((0..<500).map { .number($0 * 3) })))
                try upsert(2000..<2200, &cloud, into: collection)
                #expect(collection.shard.view.memtables.count == 1 && collection.shard.view.segments.isEmpty)
                let same = try agreement(collection, &cloud, rescored: codes.rescoresByDefault)
                #expect(same >= leastRecall, "\(distance) \(codes): \(same)")
            }
        }
    }

    /// The share of what exact searches find that others find. Scores must be those of the originals where codes are only
    /// used to find them.
    private func agreement(_ collection: Collection, _ cloud: inout Cloud, rescored: Bool) throws -> Double {
        let filter = Filter(must: [.field(.init(key: try PayloadPath("n"), range: .init(gte: 1, lt: 2)))])
        var same = 0
        for number in 0..<40 {
            let query = cloud.next()
            let chosen = number % 2 == 0 ? nil : filter
            let exact = try collection.query(request(query, exact: true, filter: chosen))
            if number < 2 { #expect(exact.map(\.id) == (try oracle(collection, query, chosen))) }
            for wanted in [nil, QuantizationSearchParams(rescore: true), QuantizationSearchParams(ignore: true)] {
                var asked = request(query, filter: chosen)
                asked.params.quantization = wanted
                let found = try collection.query(asked)
                #expect(found.count == 10 && Set(found.map(\.id)).count == 10)
                if wanted?.ignore == true { #expect(found == exact) }
                let scores = Dictionary(uniqueKeysWithValues: exact.map { ($0.id, $0.score) })
                for point in found {
                    guard let score = scores[point.id] else { continue }
                    if wanted == nil { same += 1 }
                    guard wanted?.rescore ?? rescored else { continue }
                    #expect((score - point.score).magnitude <= 1e-5 * max(1, score.magnitude))
                }
            }
        }
        return Double(same) / 400
    }

    /// The ids of the nearest points by their own vectors, one after another.
    private func oracle(_ collection: Collection, _ query: [Float], _ filter: Filter?) throws -> [PointID] {
        let distance = try #require(collection.info().config.params.vectors["v"]?.distance)
        var query = query.map { Double($0) }
        if distance == .cosine {
            let length = query.reduce(0) { $0 + $1 * $1 }.squareRoot()
            query = query.map { $0 / length }
        }
        let page = try collection.scroll(ScrollRequest(filter: filter, limit: 20_000, withVector: .all))
        let scored = page.points.compactMap { point -> (id: PointID, score: Double)? in
            guard case .dense(let vector)? = point.vectors?["v"] else { return nil }
            let pairs = zip(vector.map { Double($0) }, query)
            return switch distance {
            case .cosine, .dot: (point.id, pairs.reduce(0) { $0 + $1.0 * $1.1 })
            case .euclid: (point.id, pairs.reduce(0) { $0 - ($1.0 - $1.1) * ($1.0 - $1.1) })
            case .manhattan: (point.id, pairs.reduce(0) { $0 - ($1.0 - $1.1).magnitude })
            }
        }
        return scored.sorted { $0.score > $1.score }.prefix(10).map(\.id)
    }

    @Test("which collections have such codes, from how many points, and what they take is reported")
    func kinds() throws {
        for codes in [nil, .scalar(ScalarQuantization()), .turbo(TurboQuantization())] as [QuantizationConfig?] {
            try collection(.cosine, codes) { collection in
                var cloud = Cloud(seed: 12)
                try upsert(0..<4500, &cloud, into: collection)
                let table = try #require(collection.shard.view.memtables.first?.table)
                let before = table.byteCount
                #expect(try plan(collection, request(cloud.next(), exact: true)) == .scanOriginals)
                #expect(table.byteCount == before)
                var grows = false
                if case .turbo? = codes { grows = true }
                for _ in 0..<9 {
                    #expect(try plan(collection, request(cloud.next())) == (grows ? .scanCodes : .scanOriginals))
                }
                // 4 bits of 48 components, in whole 16 bytes, and two numbers.
                #expect(table.byteCount == before + (grows ? 4500 * 40 : 0))
                let structures = collection.memoryReport().parts.flatMap(\.structures)
                let bytes = structures.filter { $0.kind == "codes" && $0.subject == "v" }.map(\.use.anonymous)
                #expect(grows ? (bytes.first ?? 0) >= 4500 * 40 : bytes.isEmpty)
            }
        }
    }

    @Test("codes change with the configuration")
    func patched() throws {
        try collection(.cosine, nil) { collection in
            var cloud = Cloud(seed: 13)
            try upsert(0..<4500, &cloud, into: collection)
            #expect(try plan(collection, request(cloud.next())) == .scanOriginals)
            for codes in [QuantizationConfig.binary(BinaryQuantization()), .turbo(TurboQuantization())] {
                var patch = CollectionPatch()
                patch.quantization = .set(codes)
                try collection.patch(patch)
                #expect(try plan(collection, request(cloud.next())) == .scanCodes)
                let same = try agreement(collection, &cloud, rescored: codes.rescoresByDefault)
                #expect(same >= 0.75, "\(codes): \(same)")
            }
        }
    }

    @Test("searches see right answers while points are added, overwritten and deleted")
    func concurrently() throws {
        try collection(.dot, .binary(BinaryQuantization(queryEncoding: .scalar8bits))) { collection in
            let done = Monitor(false)
            let failures = Monitor([String]())
            let readers = (0..<2).map { number in
                Thread(name: "reader-\(number)") {
                    var cloud = Cloud(seed: 14 + UInt64(number))
                    do {
                        repeat {
                            let found = try collection.query(request(cloud.next()))
                            let sorted = zip(found, found.dropFirst()).allSatisfy { $0.score >= $1.score }
                            let alone = Set(found.map(\.id)).count == found.count
                            if !sorted || !alone || found.contains(where: { !$0.score.isFinite }) {
                                failures.change { $0.append("\(found)") }
                            }
                        } while !done.withLock { $0 }
                    } catch { failures.change { $0.append("\(error)") } }
                }
            }
            var cloud = Cloud(seed: 14)
            for start in stride(from: 0, to: 8000, by: 200) {
                try upsert(start..<start + 200, &cloud, into: collection)
                try collection.update(.delete(.ids([.number(UInt64(start))])))
                if start > 0 { try upsert(start - 100..<start - 50, &cloud, into: collection) }
            }
            done.change { $0 = true }
            for reader in readers { reader.join() }
            #expect(failures.withLock { Array($0.prefix(3)) } == [])
            let same = try agreement(collection, &cloud, rescored: true)
            #expect(same >= 0.9, "\(same)")
        }
    }
}
