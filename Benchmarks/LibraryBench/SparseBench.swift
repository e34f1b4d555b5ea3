import BenchSupport
import Octant

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// Sparse vectors of the data set: writes them to an empty collection, then compares all queries with the exact answer.
struct SparseBench {
    private let data: String
    private let database: Database

    init(data: String, storage: String) throws {
        self.data = data
        database = try Database.open(DatabaseOptions(path: storage))
    }

    private func rows(_ name: String) throws -> [SparseVector] {
        let ends = try Array2D(path: "\(data)/\(name)_indptr.i32.npy", type: "<i4", bytes: 4)
        let indices = try Array2D(path: "\(data)/\(name)_indices.i32.npy", type: "<i4", bytes: 4)
        let values = try Array2D(path: "\(data)/\(name)_values.f16.npy", type: "<f2", bytes: 2)
        return (1..<ends.rows).map { row in
            let range = Int(ends.integers(row - 1)[0])..<Int(ends.integers(row)[0])
            return SparseVector(
                indices: range.map { UInt32(bitPattern: indices.integers($0)[0]) },
                values: range.map { values.halves($0)[0] })
        }
    }

    /// Writes the vectors if the collection is not there yet. Then measures all queries for each line that is read.
    func run() throws {
        let points = try rows("sparse")
        if !database.collectionExists("sparse") {
            let params = CollectionParams(vectors: .named([]), sparseVectors: [NamedSparseVectorParams(name: "s")])
            try database.createCollection("sparse", CollectionConfig(params: params))
            let collection = try database.collection("sparse")
            let wall = wallSeconds()
            for start in stride(from: 0, to: points.count, by: 1000) {
                try collection.update(
                    .upsert(
                        (start..<min(start + 1000, points.count)).map { row in
                            let vectors = NamedVectors([.init(name: "s", vector: .sparse(points[row]))])
                            return Point(id: .number(UInt64(row)), vectors: vectors)
                        }))
            }
            report([("kind", "\"load\""), ("write_s", decimal(wallSeconds() - wall))])
            sleep(3)
        }
        let collection = try database.collection("sparse")
        let queries = try rows("sparse_queries").map {
            QueryRequest(query: .nearest(.vector(.sparse($0))), using: "s", limit: 10)
        }
        let scores = try Array2D(path: data + "/gt_sparse_top10_dot.f32.npy", type: "<f4", bytes: 4)
        let ids = try Array2D(path: data + "/gt_sparse_top10.i32.npy", type: "<i4", bytes: 4)
        report([("kind", "\"ready\""), ("segments", "\(collection.info().segmentsCount)")])
        while readLine() != nil { try measure(collection, queries, scores, ids) }
        database.close()
    }

    private func measure(
        _ collection: Collection, _ requests: [QueryRequest], _ scores: Array2D, _ ids: Array2D
    ) throws {
        let info = collection.info()
        for request in requests.prefix(100) { _ = try collection.query(request) }
        var found: [[ScoredPoint]] = []
        let (cpu, wall) = (processSeconds(), wallSeconds())
        for request in requests { found.append(try collection.query(request)) }
        let (cpuTime, wallTime) = (processSeconds() - cpu, wallSeconds() - wall)
        var (wrong, same) = (0, 0)
        for (row, points) in found.enumerated() {
            let expected = scores.floats(row).map { $0.isFinite ? $0 : 0 }
            let padded = points.map(\.score) + [Float](repeating: 0, count: max(0, expected.count - points.count))
            wrong += zip(padded, expected).count { abs($0 - $1) > 1e-3 * max(1, $1) }
            let wanted = Set(ids.integers(row).filter { $0 >= 0 }.map { PointID.number(UInt64($0)) })
            same += points.count { wanted.contains($0.id) }
        }
        report([
            ("kind", "\"sparse\""), ("points", "\(info.pointsCount)"), ("segments", "\(info.segmentsCount)"),
            ("in_segments", "\(info.indexedVectorsCount)"), ("wrong_scores", "\(wrong)"), ("same_ids", "\(same)"),
            ("cpu_us", decimal(cpuTime / Double(requests.count) * 1e6)),
            ("wall_us", decimal(wallTime / Double(requests.count) * 1e6)),
        ])
    }
}
