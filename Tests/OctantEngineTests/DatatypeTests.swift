import Octant
import OctantModel
import OctantStorage
import OctantVectors
import Testing

@testable import OctantEngine

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

@Suite("Datatypes in segments")
struct DatatypeTests {
    private static let dimension = 19
    private static let datatypes: [VectorDatatype] = [.float32, .float16, .uint8, .turbo4, .turbo8]
    private static let dense: [NamedVectorParams] = datatypes.flatMap { datatype in
        Distance.allCases.map { distance in
            NamedVectorParams(
                name: "\(datatype.rawValue) \(distance)",
                params: VectorParams(size: dimension, distance: distance, datatype: datatype))
        }
    }
    private static let multi: [NamedVectorParams] = [VectorDatatype.float16, .uint8].map { datatype in
        NamedVectorParams(
            name: "\(datatype.rawValue) rows",
            params: VectorParams(size: 5, distance: .euclid, datatype: datatype, multivector: .maxSim))
    }

    private static func config() -> CollectionConfig {
        var config = CollectionConfig(params: CollectionParams(vectors: .named(dense + multi)))
        config.optimizer.indexingThreshold = 1
        config.hnsw.m = 16
        config.hnsw.efConstruct = 32
        return config
    }

    /// Numbers that the datatype has to round and clamp.
    private static func numbers(_ count: Int, _ params: VectorParams, _ generator: inout SeededGenerator) -> [Float] {
        let range: ClosedRange<Float> = params.datatype == .uint8 ? -20...300 : -3...3
        return (0..<count).map { _ in Float.random(in: range, using: &generator) }
    }

    private static func points(_ ids: Range<UInt64>, _ generator: inout SeededGenerator) -> [Point] {
        ids.map { id in
            var entries: [NamedVectors.Entry] = []
            for (place, vector) in (dense + multi).enumerated() where id < 30 || id % 13 != UInt64(place) {
                let params = vector.params
                if params.multivector != nil {
                    let rows = (0...id % 3).map { _ in numbers(params.size, params, &generator) }
                    entries.append(.init(name: vector.name, vector: .multiDense(rows)))
                } else {
                    var components = numbers(params.size, params, &generator)
                    if id == 5 { components = components.map { _ in 0 } }
                    entries.append(.init(name: vector.name, vector: .dense(components)))
                }
            }
            return Point(id: .number(id), vectors: NamedVectors(entries))
        }
    }

    private func all(_ collection: Collection) throws -> [PointID: NamedVectors] {
        let page = try collection.scroll(ScrollRequest(limit: 10_000, withVector: .all))
        var vectors: [PointID: NamedVectors] = [:]
        for record in page.points { vectors[record.id] = record.vectors }
        return vectors
    }

    /// The answers to queries of several kinds, by name.
    private func answers(_ collection: Collection, exact: Bool = true) throws -> [String: [ScoredPoint]] {
        var generator = SeededGenerator(seed: 42)
        var answers: [String: [ScoredPoint]] = [:]
        for vector in Self.dense + Self.multi {
            let params = vector.params
            func input() -> VectorInput {
                let components = Self.numbers(params.size, params, &generator)
                return .vector(params.multivector == nil ? .dense(components) : .multiDense([components, components]))
            }
            var queries: [(String, Query)] = [
                ("nearest", .nearest(input())), ("of a point", .nearest(.id(.number(7)))),
                ("mmr", .mmr(input(), MMR(diversity: 0.4, candidatesLimit: 30))),
                ("context", .context([ContextPair(positive: input(), negative: .id(.number(9)))])),
            ]
            queries.append(
                (
                    "recommend",
                    .recommend(Recommendation(positive: [.id(.number(20)), input()], negative: [.id(.number(21))]))
                ))
            for (kind, query) in queries {
                let search = SearchParams(hnswEF: exact ? nil : 400, exact: exact)
                answers["\(vector.name), \(kind)"] = try collection.query(
                    QueryRequest(query: query, using: vector.name, params: search, limit: 10))
            }
        }
        return answers
    }

    private func expectAlike(
        _ found: [String: [ScoredPoint]], _ expected: [String: [ScoredPoint]], _ note: String
    ) {
        for (name, points) in expected {
            guard let others = found[name] else { continue }
            #expect(others.count == points.count, "\(note): \(name)")
            for (a, b) in zip(others, points) {
                #expect(abs(a.score - b.score) <= 2e-6 * max(1, abs(b.score)), "\(note): \(name)")
            }
            // Divided by its length, a byte may differ in its last bit: neighbours may change places.
            if !name.hasPrefix("uint8 cosine") { #expect(others.map(\.id) == points.map(\.id), "\(note): \(name)") }
        }
    }

    @Test("vectors of two bytes and of one are kept in as many, come back as they were, and are found alike")
    func roundTrip() throws {
        let folder = TemporaryFolder()
        var database = try Database.open(DatabaseOptions(path: folder.path))
        try database.createCollection("c", Self.config())
        var collection = try database.collection("c")
        var generator = SeededGenerator(seed: 7)
        let points = Self.points(0..<300, &generator)
        try collection.update(.upsert(points))
        let given = try all(collection)
        let expected = try answers(collection)
        try checkRounding(points, given)

        collection.shard.freeze()
        while try collection.shard.flushFrozen() {}
        while collection.info().status != .green { usleep(1000) }
        try checkBytes(collection)
        #expect(try all(collection) == given)
        expectAlike(try answers(collection), expected, "in a segment")
        try checkWalks(collection, expected)

        // Rows move from the segment to a memtable and into another segment.
        try collection.update(.setPayload(["n": .integer(1)], .ids((0..<60).map { .number($0) }), key: nil))
        try collection.update(.upsert(Self.points(280..<340, &generator)))
        let more = try all(collection)
        for (id, vectors) in given where id < .number(280) { #expect(more[id] == vectors) }
        let both = try answers(collection)
        collection.shard.freeze()
        while try collection.shard.flushFrozen() {}
        while collection.info().status != .green { usleep(1000) }
        #expect(try all(collection) == more)
        expectAlike(try answers(collection), both, "merged")
        try checkBytes(collection)
        database.close()

        database = try Database.open(DatabaseOptions(path: folder.path))
        collection = try database.collection("c")
        #expect(try all(collection) == more)
        expectAlike(try answers(collection), both, "opened again")
        database.close()
    }

    /// Dot products are of the numbers as they were given, rounded to the datatype.
    private func checkRounding(_ points: [Point], _ given: [PointID: NamedVectors]) throws {
        for point in points {
            for name in ["float16 dot", "uint8 dot", "uint8 cosine"] {
                guard case .dense(let components)? = point.vectors[name] else { continue }
                let rounded = components.map {
                    name == "float16 dot" ? $0.roundedToHalf : min(max($0, 0), 255).rounded(.towardZero)
                }
                #expect(given[point.id]?[name] == .dense(rounded))
            }
        }
    }

    private func checkBytes(_ collection: Collection) throws {
        let segments = collection.shard.view.segments
        #expect(!segments.isEmpty)
        for segment in segments {
            for vector in Self.dense {
                let field = try #require(segment.field(vector.name))
                let width: [VectorDatatype: Int] = [.float32: 76, .float16: 38, .uint8: 19, .turbo4: 24, .turbo8: 40]
                let datatype = try #require(vector.params.datatype)
                #expect(field.byteCount == segment.rowCount * (try #require(width[datatype])))
                let file = try #require(segment.entry.file(.vectors, vector.name))
                #expect(file.parameters == (datatype == .float32 ? "" : datatype.rawValue))
                let tail = vector.params.element.tailBytes
                #expect(file.summary.size < 4096 + UInt64(field.byteCount + tail) + 64)
            }
        }
    }

    /// Walks of the graph find nearly all of what scans find.
    private func checkWalks(_ collection: Collection, _ expected: [String: [ScoredPoint]]) throws {
        let walked = try answers(collection, exact: false)
        for (name, points) in expected where name.hasSuffix("nearest") {
            let ids = Set(walked[name]?.map(\.id) ?? [])
            #expect(points.filter { ids.contains($0.id) }.count >= points.count - 2, "\(name)")
        }
    }

    @Test(
        "files of floats, as datatypes once were written, hold the same vectors and become compact ones",
        arguments: [VectorDatatype.float16, .uint8], [Distance.cosine, .dot])
    func floatsOnDisk(_ datatype: VectorDatatype, _ distance: Distance) throws {
        var generator = SeededGenerator(seed: 3)
        let vector = NamedVectorParams(name: "v", params: VectorParams(size: 7, distance: distance, datatype: datatype))
        let given = try (0..<5).map { _ -> [Float] in
            guard
                case .dense(let components) = try vector.params.prepared(
                    .dense(Self.numbers(7, vector.params, &generator)), name: "v")
            else { return [] }
            return components
        }
        let temporary = TemporaryFolder()
        let folder = SegmentFolder(path: temporary.path, uuid: .random(), fileSystem: LocalFileSystem())
        var files = [
            try write(.vectors, "VECS", given.flatMap { vector.params.comparable($0) }, "", folder, rows: given.count)
        ]
        let divided = vector.params.isUnnormalizedCosine
        let lengths = given.map { $0.reduce(0) { $0 + $1 * $1 }.squareRoot() }
        if divided { files.append(try write(.lengths, "LENS", lengths, "", folder, rows: given.count)) }
        let entry = SegmentEntry(uuid: folder.uuid, rowCount: given.count, files: files, lastLSN: 0)
        let config = CollectionConfig(params: CollectionParams(vectors: .named([vector])))
        let field = try SegmentVectors(vector, config: config, entry: entry, folder: folder)
        let encoder = RowEncoder(vector.params)
        for (row, components) in given.enumerated() {
            let stored = try #require(field.stored(UInt32(row)))
            #expect(stored.vector == .dense(components))
            #expect(stored.comparable == .dense(vector.params.comparable(components)))
            #expect(stored.length == (divided ? lengths[row] : nil))
            var expected = [UInt8](repeating: 0, count: vector.params.rowBytes)
            vector.params.element.encode(components, 7, into: &expected)
            #expect(encoder.encode(stored).map { Array($0) } == expected)
        }
        files[0].parameters = "float8"
        let other = SegmentEntry(uuid: folder.uuid, rowCount: given.count, files: files, lastLSN: 0)
        #expect(throws: StorageError.self) {
            try SegmentVectors(vector, config: config, entry: other, folder: folder)
        }
    }

    private func write(
        _ role: SegmentEntry.Role, _ type: BlockFileType, _ numbers: [Float], _ parameters: String,
        _ folder: SegmentFolder, rows: Int
    ) throws -> SegmentEntry.FileEntry {
        let writer = try BlockFileWriter(
            path: folder.path + "/\(role)", type: type, uuid: folder.uuid, rows: UInt64(rows),
            fileSystem: folder.fileSystem)
        try numbers.withUnsafeBytes { try writer.append($0) }
        return .init(role: role, subject: "v", parameters: parameters, summary: try writer.finish())
    }
}
