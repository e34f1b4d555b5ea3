import BenchSupport
import OctantModel
import OctantVectors

extension Bench {
    /// Scans of as many rows as a memtable holds: of the floats, and of codes that grew with them.
    func runMemtable() {
        let base = vectors.base.assumingMemoryBound(to: Float.self)
        let widths: [(String, PackedWidth)] = [
            ("binary 1", .binary), ("binary 1.5", .binaryOneAndHalf), ("1", .one), ("1.5", .oneAndHalf), ("2", .two),
            ("4", .four), ("8", .eight),
        ]
        for count in [4096, 16_384] where count <= rows.count {
            let part = DenseRows(base: base, count: count, dimension: rows.dimension)
            for (name, width) in widths {
                let growing = GrowingCodes(
                    distance: .cosine, width: width, dimension: rows.dimension, capacity: count, vectors: base)
                let start = processSeconds()
                for row in 0..<UInt32(count) { growing.add(row) }
                let encoding = (processSeconds() - start) / Double(count)
                guard let codes = growing.codes(count) else { continue }
                let index = DenseIndex(distance: .cosine, rows: part, codes: codes, graph: nil, owner: vectors)
                let exact = timedScan(index, .init(limit: 10, ef: 10, mode: .exact))
                let coded = timedScan(index, .init(limit: 10, ef: 10, oversampling: Double(count / 160)))
                let equal = zip(exact.found, coded.found).reduce(0) { $0 + Set($1.0).intersection($1.1).count }
                BenchSupport.report([
                    ("rows", "\(count)"), ("width", "\"\(name)\""),
                    ("recall", number(Double(equal) / Double(exact.found.count * 10), 4)),
                    ("floats_us", number(exact.seconds * 1e6)), ("codes_us", number(coded.seconds * 1e6)),
                    ("encode_us_per_row", number(encoding * 1e6)),
                ])
            }
        }
    }

    private func timedScan(
        _ index: DenseIndex, _ options: DenseIndex.Options
    ) -> (found: [[UInt32]], seconds: Double) {
        let base = queries.region.base.assumingMemoryBound(to: Float.self)
        var found: [[UInt32]] = []
        var best = Double.infinity
        for pass in 0..<arguments.passes {
            let start = processSeconds()
            for q in 0..<min(arguments.flatQueries, queries.rows) {
                let answer = index.scanAll(query: base + q * rows.dimension, options: options).map(\.row)
                if pass == 0 { found.append(answer) }
            }
            best = min(best, (processSeconds() - start) / Double(found.count))
        }
        return (found, best)
    }
}
