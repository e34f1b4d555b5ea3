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

/// A data folder with a structure of every kind, as a released version wrote it: each family and width of codes, each
/// datatype, sparse and multivectors, each type of field index. Written as ``GoldenFolderTests`` say.
@Suite("Golden data folder of every kind", .serialized)
struct GoldenKindsTests {
    /// A dense vector: what its configuration has besides size and distance, and the largest error of what is read back,
    /// relative to the vector's length.
    private struct Kind {
        let name: String
        let distance: String
        let options: String
        var loss: Float = 1e-5
    }

    private static let width = 16
    private static let stored: UInt64 = 200
    private static let logged: UInt64 = 5
    /// What 8-bit integers hold: read back as they were given.
    private static let integers = "u8"

    private static let kinds: [Kind] =
        [
            Kind(name: "f32", distance: "Cosine", options: ""),
            Kind(name: "mapped", distance: "Euclid", options: #", "on_disk": true, "hnsw_config": {"on_disk": true}"#),
            Kind(name: "int8", distance: "Cosine", options: quantized(#"{"scalar": {"type": "int8"}}"#)),
            Kind(
                name: "halves", distance: "Euclid",
                options: quantized(#"{"scalar": {"type": "int8", "quantile": 0.95, "always_ram": true}}"#)),
            Kind(name: "f16", distance: "Euclid", options: #", "datatype": "float16""#, loss: 1e-3),
            Kind(name: integers, distance: "Manhattan", options: #", "datatype": "uint8""#, loss: 0),
            Kind(name: "t4", distance: "Cosine", options: #", "datatype": "turbo4""#, loss: 0.25),
            Kind(name: "t8", distance: "Cosine", options: #", "datatype": "turbo8""#, loss: 0.05),
        ]
        + ["x4", "x16"].map {
            Kind(
                name: "product \($0)", distance: "Euclid",
                options: quantized(#"{"product": {"compression": "\#($0)"}}"#))
        }
        + ["one_bit", "one_and_half_bits", "two_bits"].map {
            Kind(name: $0, distance: "Cosine", options: quantized(#"{"binary": {"encoding": "\#($0)"}}"#))
        }
        + ["bits1", "bits1_5", "bits2", "bits4", "bits8"].map {
            Kind(name: $0, distance: "Cosine", options: quantized(#"{"turbo": {"bits": "\#($0)"}}"#))
        }

    private static let fieldIndexes = [
        ("keyword", #"{"type": "keyword"}"#), ("integer", #"{"type": "integer"}"#), ("float", #"{"type": "float"}"#),
        ("bool", #"{"type": "bool"}"#), ("datetime", #"{"type": "datetime"}"#), ("uuid", #"{"type": "uuid"}"#),
        ("geo", #"{"type": "geo"}"#), ("text", #"{"type": "text", "tokenizer": "word", "phrase_matching": true}"#),
    ]

    private static func quantized(_ json: String) -> String { #", "quantization_config": \#(json)"# }

    private static func config() throws -> CollectionConfig {
        var vectors = kinds.map {
            #""\#($0.name)": {"size": \#(width), "distance": "\#($0.distance)"\#($0.options)}"#
        }
        vectors.append(
            #""multi": {"size": \#(width), "distance": "Cosine", "multivector_config": {"comparator": "max_sim"}}"#)
        let body = """
            {"vectors": {\(vectors.joined(separator: ", "))}, "sparse_vectors": {"sparse": {"modifier": "idf"}},
             "hnsw_config": {"m": 8, "ef_construct": 64, "full_scan_threshold": 10},
             "optimizers_config": {"indexing_threshold": 1, "default_segment_number": 1}, "wal_config": {"wal_capacity_mb": 1}}
            """
        return try CreateCollection(json: try JSONParser.parse(body)).config()
    }

    /// The same for every run: the points in order of their ids.
    private static func points() throws -> [Point] {
        var generator = SeededGenerator(seed: 77)
        return try (0..<stored + logged).map { number in
            var vectors = NamedVectors()
            for kind in kinds {
                vectors[kind.name] = .dense(
                    kind.name == integers
                        ? (0..<width).map { _ in Float(Int.random(in: 0...255, using: &generator)) }
                        : randomVector(width, &generator))
            }
            vectors["multi"] = .multiDense((0...number % 3).map { _ in randomVector(width, &generator) })
            vectors["sparse"] = .sparse(
                SparseVector(indices: [3, 50 + UInt32(number % 7), 1000 + UInt32(number)], values: [0.5, 1, 2]))
            let payload = try JSONParser.parse(
                """
                {"keyword": "k\(number % 9)", "integer": \(number % 11), "float": \(Double(number % 13) / 4),
                 "bool": \(number % 2 == 0), "datetime": "2024-01-\(number % 20 + 10)T00:00:00Z",
                 "uuid": "00000000-0000-4000-8000-0000000000\(number % 30 + 10)",
                 "geo": {"lon": \(Double(number % 40)), "lat": \(Double(number % 30))},
                 "text": "number \(number) of the golden \(number % 2 == 0 ? "even" : "odd") points"}
                """)
            guard case .object(let object) = payload else { return Point(id: .number(number), vectors: vectors) }
            return Point(id: .number(number), vectors: vectors, payload: Payload(object))
        }
    }

    /// A filter for each field index, and what it says of a point's number.
    private static let filters: [(json: String, passes: @Sendable (UInt64) -> Bool)] = [
        (#"{"key": "keyword", "match": {"value": "k4"}}"#, { $0 % 9 == 4 }),
        (#"{"key": "integer", "range": {"gte": 3, "lt": 6}}"#, { (3..<6).contains($0 % 11) }),
        (#"{"key": "float", "range": {"gt": 2.5}}"#, { $0 % 13 > 10 }),
        (#"{"key": "bool", "match": {"value": true}}"#, { $0 % 2 == 0 }),
        (#"{"key": "datetime", "range": {"lte": "2024-01-12T00:00:00Z"}}"#, { $0 % 20 <= 2 }),
        (#"{"key": "uuid", "match": {"value": "00000000-0000-4000-8000-000000000015"}}"#, { $0 % 30 == 5 }),
        (
            #"{"key": "geo", "geo_bounding_box": {"top_left": {"lon": 4.5, "lat": 9.5}, "bottom_right": {"lon": 9.5, "lat": 4.5}}}"#,
            { (5..<10).contains($0 % 40) && (5..<10).contains($0 % 30) }
        ),
        (#"{"key": "text", "match": {"phrase": "golden odd"}}"#, { $0 % 2 == 1 }),
    ]

    private static func write(to path: String) throws {
        let database = try Database.open(DatabaseOptions(path: path))
        defer { database.close() }
        try database.createCollection("kinds", try config())
        let collection = try database.collection("kinds")
        for (key, schema) in fieldIndexes {
            _ = try collection.createFieldIndex(
                PayloadPath(key), try FieldIndexSchema(json: try JSONParser.parse(schema)))
        }
        let points = try points()
        try collection.update(.upsert(Array(points.prefix(Int(stored)))))
        collection.shard.freeze()
        while try collection.shard.flushFrozen() {}
        settle(collection, "golden kinds")
        try collection.update(.upsert(Array(points.suffix(Int(logged)))))
    }

    /// What a vector is when it is read back, if nothing is lost.
    private static func kept(_ vector: [Float], _ kind: Kind) -> [Float] {
        guard kind.distance == "Cosine" else { return vector }
        let length = length(vector)
        return vector.map { $0 / length }
    }

    private static func length(_ vector: [Float]) -> Float { vector.reduce(0) { $0 + $1 * $1 }.squareRoot() }

    @Test("a folder with every kind of codes, vectors and indexes opens, and everything in it is found")
    func version1() throws {
        let present = GoldenFolderTests.fixtures + "/v1-kinds"
        if getenv("OCTANT_WRITE_GOLDEN") != nil, try LocalFileSystem().kind(present) == nil {
            let folder = TemporaryFolder()
            try Self.write(to: folder.path)
            try GoldenFolderTests.copyCompact(folder.path, present)
        }
        let folder = try GoldenFolderTests.copyFixture("v1-kinds")
        let report = try Database.verify(path: folder.path)
        #expect(report.isClean, "\(report.findings)")
        let database = try openQuiet(folder.path, FaultInjectingFileSystem(syncs: false))
        defer { database.close() }
        let collection = try database.collection("kinds")
        #expect(try collection.config == Self.config())
        #expect(collection.shard.view.segments.contains { $0.isIndexed })
        let points = try Self.points()
        try check(points, in: collection)
        for kind in Self.kinds { try checkSearches(kind, points, collection) }
        try checkOtherVectors(collection)
        for filter in Self.filters {
            let parsed = try Filter(json: try JSONParser.parse(#"{"must": [\#(filter.json)]}"#))
            let expected = (0..<Self.stored + Self.logged).filter(filter.passes).count
            #expect(try collection.count(parsed) == expected, "\(filter.json)")
        }
    }

    private func check(_ points: [Point], in collection: Collection) throws {
        let records = try collection.retrieve(points.map(\.id), withVector: .all)
        try #require(records.count == points.count)
        for (record, point) in zip(records, points) {
            let vectors = try #require(record.vectors)
            #expect(record.payload == point.payload && vectors["sparse"] == point.vectors["sparse"])
            for kind in Self.kinds {
                guard case .dense(let found)? = vectors[kind.name],
                    case .dense(let given)? = point.vectors[kind.name]
                else {
                    Issue.record("\(point.id) has no vector \(kind.name)")
                    continue
                }
                let expected = Self.kept(given, kind)
                let error = Self.length(zip(found, expected).map { $0 - $1 }) / Self.length(expected)
                #expect(error <= kind.loss, "\(kind.name) of \(point.id): error \(error)")
            }
        }
    }

    /// Every point is nearest to itself, by codes and their rescoring, by the graph and exactly.
    private func checkSearches(_ kind: Kind, _ points: [Point], _ collection: Collection) throws {
        for point in points.reversed().enumerated().filter({ $0.offset % 12 == 0 }).map(\.element) {
            guard let vector = point.vectors[kind.name] else { continue }
            for exact in [false, true] {
                var request = QueryRequest(query: .nearest(.vector(vector)), using: kind.name, limit: 3)
                request.params.exact = exact
                request.params.hnswEF = 100
                request.params.quantization = QuantizationSearchParams(rescore: true, oversampling: 8)
                let first = try collection.query(request).first?.id
                #expect(first == point.id, "\(kind.name), exact \(exact)")
            }
        }
    }

    private func checkOtherVectors(_ collection: Collection) throws {
        for point in try Self.points().filter({ $0.id.description.hasSuffix("3") }) {
            for name in ["multi", "sparse"] {
                guard let vector = point.vectors[name] else { continue }
                let found = try collection.query(QueryRequest(query: .nearest(.vector(vector)), using: name, limit: 1))
                #expect(found.first?.id == point.id, "\(name)")
            }
        }
    }
}
