import Octant
import OctantModel
import OctantStorage
import Testing

@testable import OctantEngine
@testable import OctantVectors

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// Segments whose float rows are packed answer as if they were not, bit for bit.
@Suite("Packed floats in segments")
struct PackedSegmentTests {
    private static let width = 45

    /// What vectors are like.
    private enum Kind: String, CaseIterable {
        /// Like embeddings, with zeros.
        case smooth
        /// The same, but for a few that must be kept whole.
        case mixed
        /// Of any size, so that packing is not worth it.
        case wild
    }

    private static let vectors: [NamedVectorParams] = Kind.allCases.flatMap { kind in
        Distance.allCases.map { distance in
            NamedVectorParams(
                name: "\(kind.rawValue) \(distance)",
                params: VectorParams(size: width, distance: distance, onDisk: distance == .euclid))
        }
    }

    private static func config(threshold: Int = 1) -> CollectionConfig {
        var config = CollectionConfig(params: CollectionParams(vectors: .named(vectors)))
        config.optimizer.indexingThreshold = threshold
        config.hnsw.m = 8
        config.hnsw.efConstruct = 32
        return config
    }

    private static func numbers(_ kind: Kind, _ id: UInt64, _ generator: inout SeededGenerator) -> [Float] {
        (0..<width).map { place in
            let x = Float.random(in: -1...1, using: &generator)
            switch kind {
            case .smooth: return place % 11 == 3 ? 0 : x
            case .mixed: return id % 50 == 9 && place % 5 == 0 ? x * 1e-9 : x
            case .wild:
                return x * Float(sign: .plus, exponent: Int.random(in: -30...30, using: &generator), significand: 1)
            }
        }
    }

    private static func points(_ ids: Range<UInt64>, _ generator: inout SeededGenerator) -> [Point] {
        ids.map { id in
            let entries = vectors.enumerated().compactMap { place, vector -> NamedVectors.Entry? in
                // Some points are without some vectors.
                guard id % 23 != UInt64(place), let kind = vector.name.split(separator: " ").first else { return nil }
                let numbers = numbers(Kind(rawValue: String(kind)) ?? .smooth, id, &generator)
                return .init(name: vector.name, vector: .dense(numbers))
            }
            return Point(id: .number(id), vectors: NamedVectors(entries))
        }
    }

    private func all(_ collection: Collection) throws -> [PointID: NamedVectors] {
        let page = try collection.scroll(ScrollRequest(limit: 10_000, withVector: .all))
        return Dictionary(uniqueKeysWithValues: page.points.map { ($0.id, $0.vectors ?? NamedVectors()) })
    }

    /// Exact scores and ids are those of a plain loop over what is read back, and walks give scores of the same bits.
    private func check(_ collection: Collection, _ given: [PointID: NamedVectors], _ note: String) throws {
        #expect(try all(collection) == given, "\(note)")
        var generator = SeededGenerator(seed: 91)
        for vector in Self.vectors {
            let distance = vector.params.distance
            let query = Self.numbers(.smooth, 0, &generator)
            guard case .dense(let compared) = try vector.params.prepared(.dense(query), name: vector.name) else {
                continue
            }
            var scores: [PointID: Float] = [:]
            for (id, vectors) in given {
                guard case .dense(let components)? = vectors[vector.name] else { continue }
                let similarity = DenseKernels.similarity(distance, compared, components, Self.width)
                scores[id] = DenseKernels.reportedScore(distance, similarity: similarity)
            }
            let isLarger = distance == .cosine || distance == .dot
            let best = scores.sorted {
                $0.value != $1.value ? ($0.value > $1.value) == isLarger : $0.key < $1.key
            }.prefix(10)
            for exact in [true, false] {
                let found = try collection.query(
                    QueryRequest(
                        query: .nearest(.vector(.dense(query))), using: vector.name,
                        params: SearchParams(hnswEF: 400, exact: exact), limit: 10))
                for point in found {
                    #expect(point.score.bitPattern == scores[point.id]?.bitPattern, "\(note): \(vector.name)")
                }
                if exact { #expect(found.map(\.id) == best.map(\.key), "\(note): \(vector.name)") }
            }
        }
    }

    private func flush(_ collection: Collection) throws {
        collection.shard.freeze()
        while try collection.shard.flushFrozen() {}
        settle(collection, "packed floats")
    }

    /// What of the vectors is packed.
    private func checkForms(_ collection: Collection) throws {
        let segments = collection.shard.view.segments
        #expect(!segments.isEmpty)
        for segment in segments where segment.rowCount > 100 {
            for vector in Self.vectors {
                let file = try #require(segment.entry.file(.vectors, vector.name))
                let field = try #require(segment.field(vector.name))
                let plain = segment.rowCount * Self.width * 4
                #expect(field.byteCount == plain)
                guard !vector.name.hasPrefix("wild") else {
                    #expect(file.parameters == "" && field.rows.byteCount == plain)
                    continue
                }
                #expect(file.parameters.hasPrefix("float32 packed exceptions="))
                #expect(RowElement(recipe: file.parameters, vector.params.distance)?.recipe == file.parameters)
                #expect(field.rows.byteCount < plain / 20 * 19)
                let whole = try #require(field.rows.whole)
                #expect(whole.count > 0 || vector.name.hasPrefix("smooth"))
            }
        }
    }

    @Test("what was found in memory is found in segments, in merged ones and after a restart, bit for bit")
    func sameBits() throws {
        let folder = TemporaryFolder()
        var database = try Database.open(DatabaseOptions(path: folder.path))
        try database.createCollection("c", Self.config())
        var collection = try database.collection("c")
        var generator = SeededGenerator(seed: 90)
        try collection.update(.upsert(Self.points(0..<700, &generator)))
        let given = try all(collection)
        try check(collection, given, "in memory")
        try flush(collection)
        try checkForms(collection)
        try check(collection, given, "in a segment")

        // Rows move from the segment to a memtable and into another segment; packed ones and plain ones are merged.
        try collection.update(.setPayload(["n": .integer(1)], .ids((0..<200).map { .number($0) }), key: nil))
        try collection.update(.upsert(Self.points(650..<1000, &generator)))
        let more = try all(collection)
        for (id, vectors) in given where id < .number(650) { #expect(more[id] == vectors) }
        try check(collection, more, "in both")
        try flush(collection)
        try checkForms(collection)
        try check(collection, more, "merged")
        database.close()

        let report = try Database.verify(path: folder.path)
        #expect(report.isClean, "\(report.findings)")
        database = try Database.open(DatabaseOptions(path: folder.path))
        defer { database.close() }
        collection = try database.collection("c")
        try check(collection, more, "opened again")
    }

    @Test("without an index, scans of packed rows give the same bits")
    func flat() throws {
        let folder = TemporaryFolder()
        let database = try Database.open(DatabaseOptions(path: folder.path))
        defer { database.close() }
        try database.createCollection("c", Self.config(threshold: 0))
        let collection = try database.collection("c")
        var generator = SeededGenerator(seed: 92)
        for part in 0..<3 as Range<UInt64> {
            try collection.update(.upsert(Self.points(part * 150..<(part + 1) * 150, &generator)))
            try flush(collection)
        }
        try checkForms(collection)
        try check(collection, try all(collection), "flat")
    }

    @Test("forms have one name each, and others are refused")
    func names() throws {
        for slots in [0, 1, 2, 64] {
            let element = RowElement.packedFloat32(try #require(PackedFloatForm(slots: slots)))
            #expect(RowElement(recipe: element.recipe, .dot) == element)
        }
        for name in ["65", "-1", "02", "+2", "", "2 ", "2x", "255"] {
            #expect(RowElement(recipe: "float32 packed exceptions=" + name, .dot) == nil)
        }
        #expect(RowElement(recipe: "float32 packed", .dot) == nil)
        #expect(RowElement(recipe: "float32", .dot) == nil)
    }

    @Test("files of packed rows that are too short, too long or of another form are refused by name")
    func refused() throws {
        let temporary = TemporaryFolder()
        let folder = SegmentFolder(path: temporary.path, uuid: .random(), fileSystem: LocalFileSystem())
        let vector = NamedVectorParams(name: "v", params: VectorParams(size: 40, distance: .dot))
        let config = CollectionConfig(params: CollectionParams(vectors: .named([vector])))
        let form = try #require(PackedFloatForm(slots: 2))
        let row = form.rowBytes(40)
        let cases: [(bytes: Int, parameters: String, isRight: Bool)] = [
            (3 * row, "float32 packed exceptions=2", true), (3 * row + 160, "float32 packed exceptions=2", true),
            (3 * row + 4 * 160, "float32 packed exceptions=2", false),
            (3 * row - 4, "float32 packed exceptions=2", false), (3 * row, "float32 packed exceptions=60", false),
            (3 * row, "float32 packed exceptions=99", false), (3 * row, "float32 folded", false),
        ]
        for (number, item) in cases.enumerated() {
            let writer = try BlockFileWriter(
                path: folder.path + "/\(number)", type: "VECS", uuid: folder.uuid, rows: 3,
                fileSystem: folder.fileSystem)
            try writer.append([UInt8](repeating: 0, count: item.bytes))
            let file = SegmentEntry.FileEntry(
                role: .vectors, subject: "v", parameters: item.parameters, summary: try writer.finish())
            let entry = SegmentEntry(uuid: folder.uuid, rowCount: 3, files: [file], lastLSN: 0)
            do {
                let field = try SegmentVectors(vector, config: config, entry: entry, folder: folder)
                #expect(item.isRight)
                #expect(field.stored(1)?.vector == .dense([Float](repeating: 0, count: 40)))
            } catch {
                #expect(!item.isRight)
                #expect("\(error)".contains("/\(number)"))
            }
        }
    }
}
