import Octant
import OctantModel
import OctantStorage
import Testing

@testable import OctantEngine

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

@Suite("Vectors of turbo4 and turbo8")
struct TurboDatatypeTests {
    private static let width = 64

    private func config(_ datatype: VectorDatatype, _ distance: Distance) -> CollectionConfig {
        var config = CollectionConfig(
            params: CollectionParams(
                vectors: .single(VectorParams(size: Self.width, distance: distance, datatype: datatype))))
        config.optimizer.indexingThreshold = 1
        config.hnsw.efConstruct = 64
        return config
    }

    private func vectors(_ collection: Collection) throws -> [PointID: NamedVectors] {
        let page = try collection.scroll(ScrollRequest(limit: 10_000, withVector: .all))
        return Dictionary(
            uniqueKeysWithValues: page.points.compactMap { point in point.vectors.map { (point.id, $0) } })
    }

    private func settle(_ collection: Collection) throws {
        collection.shard.freeze()
        while try collection.shard.flushFrozen() {}
        while collection.info().status != .green { usleep(1000) }
    }

    private func upsert(_ ids: Range<UInt64>, _ generator: inout SeededGenerator, into collection: Collection) throws {
        let centers = (0..<10).map { _ in randomVector(Self.width, &generator) }
        try collection.update(
            .upsert(
                ids.map { id in
                    let noise = randomVector(Self.width, &generator)
                    let vector = zip(centers[Int(id % 10)], noise).map { $0 + 0.5 * $1 }
                    return Point(
                        id: .number(id), vectors: NamedVectors([.init(name: "", vector: .dense(vector))]))
                }))
    }

    /// The share of what exact searches find that others find.
    private func recall(_ collection: Collection, seed: UInt64) throws -> Double {
        var generator = SeededGenerator(seed: seed)
        var same = 0
        for _ in 0..<30 {
            let query = randomVector(Self.width, &generator)
            func ids(_ exact: Bool) throws -> Set<PointID> {
                Set(
                    try collection.query(
                        QueryRequest(
                            query: .nearest(.vector(.dense(query))),
                            params: SearchParams(hnswEF: 512, exact: exact), limit: 10)
                    ).map(\.id))
            }
            same += try ids(true).intersection(ids(false)).count
        }
        return Double(same) / 300
    }

    @Test(
        "what was read from memory is read from the log, from segments, and from merged ones",
        arguments: [VectorDatatype.turbo4, .turbo8], Distance.allCases)
    func sameBytes(_ datatype: VectorDatatype, _ distance: Distance) throws {
        let folder = TemporaryFolder()
        var generator = SeededGenerator(seed: 21)
        var database = try Database.open(DatabaseOptions(path: folder.path))
        try database.createCollection("c", config(datatype, distance))
        var collection = try database.collection("c")
        try upsert(0..<1000, &generator, into: collection)
        let given = try vectors(collection)
        #expect(try recall(collection, seed: 1) >= 0.95)
        database.close()

        database = try Database.open(DatabaseOptions(path: folder.path))
        collection = try database.collection("c")
        #expect(try vectors(collection) == given)
        try settle(collection)
        #expect(try vectors(collection) == given)
        #expect(try recall(collection, seed: 2) >= 0.95)
        // No other copy, but of Manhattan distances.
        let files = collection.shard.view.segments.flatMap(\.entry.files)
        #expect(files.contains { $0.role == .graph })
        #expect(files.contains { $0.role == .codes } == (distance == .manhattan))

        // Through memory again, and into another segment.
        try collection.update(.setPayload(["n": .integer(1)], .ids((0..<300).map { .number($0) }), key: nil))
        #expect(try vectors(collection) == given)
        try settle(collection)
        #expect(try vectors(collection) == given)
        database.close()
    }

    @Test("codes over them come and go with the configuration", arguments: [VectorDatatype.turbo4, .turbo8])
    func patched(_ datatype: VectorDatatype) throws {
        let folder = TemporaryFolder()
        let database = try Database.open(DatabaseOptions(path: folder.path))
        defer { database.close() }
        try database.createCollection("c", config(datatype, .cosine))
        let collection = try database.collection("c")
        var generator = SeededGenerator(seed: 22)
        try upsert(0..<1000, &generator, into: collection)
        let given = try vectors(collection)
        try settle(collection)
        let codes: [QuantizationPatch] = [
            .set(.scalar(ScalarQuantization())), .set(.binary(BinaryQuantization())),
            .set(.product(.init(compression: .x4))),
            .disabled,
        ]
        for (number, change) in codes.enumerated() {
            var patch = CollectionPatch()
            patch.quantization = change
            try collection.patch(patch)
            while collection.info().status != .green { usleep(1000) }
            let files = collection.shard.view.segments.flatMap(\.entry.files)
            #expect(files.contains { $0.role == .codes } == (change != .disabled))
            #expect(try vectors(collection) == given)
            #expect(try recall(collection, seed: UInt64(number)) >= 0.7, "\(change)")
        }
    }

    @Test("numbers whose codes would not be finite are refused")
    func refused() throws {
        let folder = TemporaryFolder()
        let database = try Database.open(DatabaseOptions(path: folder.path))
        defer { database.close() }
        try database.createCollection("c", config(.turbo4, .dot))
        let collection = try database.collection("c")
        let vector = [Float](repeating: 3e38, count: Self.width)
        #expect(throws: OctantError.self) {
            try collection.update(
                .upsert([Point(id: .number(1), vectors: NamedVectors([.init(name: "", vector: .dense(vector))]))]))
        }
    }
}
