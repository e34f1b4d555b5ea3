import BenchSupport
import OctantModel
import OctantVectors

extension Bench {
    /// Every width of packed codes: what they lose, what scans and walks find by them, and their time.
    func runPacked() throws {
        let builder = try HNSWBuilder(
            parameters: .init(m: arguments.m, efConstruct: arguments.efConstruct), count: rows.count)
        try builder.build(source: .codes(codes), threads: arguments.threads)
        let graph = try builder.makeGraph()
        let widths: [(String, PackedWidth)] = [
            ("binary 1, binary query", .binary), ("binary 1.5, binary query", .binaryOneAndHalf), ("1", .one),
            ("1.5", .oneAndHalf), ("2", .two), ("4", .four), ("8", .eight),
        ]
        for (name, width) in widths {
            let cpu = processSeconds()
            let packed = try PackedCodes.make(
                rows: rows, distance: .cosine, width: width, threads: arguments.threads)
            let encoding = processSeconds() - cpu
            let index = DenseIndex(distance: .cosine, rows: rows, codes: .packed(packed), graph: graph, owner: vectors)
            var fields: [(String, String)] = [
                ("width", "\"\(name)\""), ("encode_cpu_s", number(encoding)),
                ("bytes_per_row", "\(packed.parameters.shape.stride)"), ("lost", number(lost(packed), 4)),
                ("deviation", number(Double(packed.deviation), 4)),
            ]
            let flat = min(arguments.flatQueries, queries.rows)
            for (label, oversampling) in [("", nil), ("_x2", 2.0), ("_x4", 4.0), ("_bound", 0.0)] as [(String, Double?)]
            {
                var options = DenseIndex.Options(limit: 10, ef: 64, rescore: oversampling != nil)
                // 0: the bound says how many are scored again.
                options.readsFew = oversampling != 0
                options.oversampling = oversampling == 0 ? nil : oversampling
                let scan = try ask(flat) { index.scanAll(query: $0, options: options) }
                fields.append(("scan_recall" + label, number(scan.recall, 4)))
                if oversampling == nil {
                    fields.append(("scan_ns_per_row", number(scan.seconds / Double(rows.count) * 1e9)))
                }
                let walk = try ask(queries.rows) { index.search(query: $0, options: options) }
                fields.append(("ef64_recall" + label, number(walk.recall, 4)))
                fields.append(("ef64_cpu_us" + label, number(walk.seconds * 1e6)))
            }
            BenchSupport.report(fields)
        }
    }

    /// The share of the rows' squared lengths that decoding does not give back.
    private func lost(_ packed: PackedCodes) -> Double {
        var out = [Float](repeating: 0, count: rows.dimension)
        var sum = 0.0
        var whole = 0.0
        for row in stride(from: 0, to: rows.count, by: max(1, rows.count / 2000)) {
            let x = rows.copy(UInt32(row))
            packed.decode(UInt32(row), into: &out)
            for i in 0..<rows.dimension {
                sum += Double((x[i] - out[i]) * (x[i] - out[i]))
                whole += Double(x[i] * x[i])
            }
        }
        return sum / whole
    }

    /// Recall and processor seconds per query, best of the passes.
    private func ask(
        _ count: Int, _ search: (UnsafePointer<Float>) -> [ScoredRow]
    ) throws -> (recall: Double, seconds: Double) {
        let base = queries.region.base.assumingMemoryBound(to: Float.self)
        let gold = truth.region.base.assumingMemoryBound(to: Int32.self)
        var hits = 0
        var best = Double.infinity
        for pass in 0..<arguments.passes {
            let start = processSeconds()
            for q in 0..<count {
                let found = search(base + q * rows.dimension)
                guard pass == 0 else { continue }
                for row in found {
                    for k in 0..<10 where gold[q * truth.columns + k] == Int32(row.row) { hits += 1 }
                }
            }
            best = min(best, (processSeconds() - start) / Double(count))
        }
        return (Double(hits) / Double(count * 10), best)
    }
}
