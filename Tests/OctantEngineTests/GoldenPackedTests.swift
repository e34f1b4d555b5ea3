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

/// A data folder with packed floats, as the first version that packed them wrote it. Written as ``GoldenFolderTests``
/// say.
@Suite("Golden data folder of packed floats", .serialized)
struct GoldenPackedTests {
    private static let width = 64

    private static func config() -> CollectionConfig {
        var config = CollectionConfig(
            params: CollectionParams(
                vectors: .named([
                    .init(name: "ram", params: VectorParams(size: width, distance: .dot)),
                    .init(name: "disk", params: VectorParams(size: width, distance: .euclid, onDisk: true)),
                ])))
        config.optimizer.indexingThreshold = 1
        config.wal.capacityMB = 1
        config.hnsw.m = 4
        config.hnsw.efConstruct = 16
        return config
    }

    /// Every fortieth point is kept whole, every seventh has an exception, and all have a zero and a subnormal number.
    private static func points() -> [Point] {
        var generator = SeededGenerator(seed: 41)
        return (0..<160 as Range<UInt64>).map { id in
            func vector() -> Vector {
                var numbers = randomVector(width, &generator)
                numbers[5] = id % 2 == 0 ? 0 : -0.0
                numbers[6] = 1e-40
                if id % 7 == 3 { numbers[7] = 1e-15 }
                if id % 40 == 9 { for place in 10..<30 { numbers[place] *= 1e-12 } }
                return .dense(numbers)
            }
            return Point(
                id: .number(id),
                vectors: NamedVectors([.init(name: "ram", vector: vector()), .init(name: "disk", vector: vector())]))
        }
    }

    private static func write(to path: String) throws {
        let database = try Database.open(DatabaseOptions(path: path))
        defer { database.close() }
        try database.createCollection("packed", config())
        let collection = try database.collection("packed")
        try collection.update(.upsert(points()))
        collection.shard.freeze()
        while try collection.shard.flushFrozen() {}
        settle(collection, "golden packed")
    }

    @Test("a folder of packed floats opens, and every number is as it was given")
    func version1() throws {
        let present = GoldenFolderTests.fixtures + "/v1-packed"
        if getenv("OCTANT_WRITE_GOLDEN") != nil, try LocalFileSystem().kind(present) == nil {
            let folder = TemporaryFolder()
            try Self.write(to: folder.path)
            try GoldenFolderTests.copyCompact(folder.path, present)
        }
        let folder = try GoldenFolderTests.copyFixture("v1-packed")
        let report = try Database.verify(path: folder.path)
        #expect(report.isClean, "\(report.findings)")
        let database = try openQuiet(folder.path, FaultInjectingFileSystem(syncs: false))
        defer { database.close() }
        let collection = try database.collection("packed")
        let files = collection.shard.view.segments.flatMap(\.entry.files).filter { $0.role == .vectors }
        #expect(files.count == 2 && files.allSatisfy { $0.parameters == "float32 packed exceptions=1" })
        for field in collection.shard.view.segments.flatMap(\.fields) { #expect(field.rows.whole?.count == 4) }
        let points = Self.points()
        let records = try collection.retrieve(points.map(\.id), withVector: .all)
        try #require(records.count == points.count)
        for (record, point) in zip(records, points) {
            for name in ["ram", "disk"] {
                guard case .dense(let found)? = record.vectors?[name], case .dense(let given)? = point.vectors[name]
                else {
                    Issue.record("\(point.id) has no vector \(name)")
                    continue
                }
                #expect(found.map(\.bitPattern) == given.map(\.bitPattern), "\(name) of \(point.id)")
            }
        }
        for point in points.prefix(20) {
            guard let vector = point.vectors["disk"] else { continue }
            let found = try collection.query(
                QueryRequest(
                    query: .nearest(.vector(vector)), using: "disk", params: SearchParams(exact: true), limit: 1))
            #expect(found.first?.id == point.id && found.first?.score == 0)
        }
    }
}
