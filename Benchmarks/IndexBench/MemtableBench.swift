import BenchSupport
import OctantModel
import OctantVectors

extension Bench {
    /// Scans of as many rows as a memtable holds: of the floats, and of codes that grew with them.
    func runMemtable() {
        let base = vectors.base.assumingMemoryBound(to: Float.self)
        let widths: [(String, PackedWidth, Bool)] = [
            ("binary 1", .binary, true), ("binary 1.5", .binaryOneAndHalf, true), ("turbo 1", .one, true),
            ("turbo 1.5", .oneAndHalf, true), ("turbo 2", .two, true), ("turbo 4", .four, false),
            ("turbo 8", .eight, false), ("turbo 4, 1 of 16 rescored", .four, true),
        ]
        for count in [1024, 2048, 4096, 8192, 16_384] where count <= rows.count {
            let part = DenseRows(base: base, count: count, dimension: rows.dimension)
            let floats = DenseIndex(distance: .cosine, rows: part, codes: nil, graph: nil, owner: vectors)
            let exact = timedScan(floats, .init(limit: 10, ef: 10, mode: .exact))
            for (name, width, rescore) in widths {
                var start = processSeconds()
                let growing = GrowingCodes(
                    distance: .cosine, width: width, dimension: rows.dimension, capacity: count, vectors: base,
                    rowCount: count, isPresent: { _ in true })
                guard let growing else { continue }
                let learning = processSeconds() - start
                start = processSeconds()
                growing.grow(to: count, most: count)
                let encoding = (processSeconds() - start) / Double(count)
                let index = DenseIndex(
                    distance: .cosine, rows: part, codes: .packed(growing.codes(count)), graph: nil, owner: vectors)
                var options = DenseIndex.Options(limit: 10, ef: 10, rescore: rescore)
                if name.hasSuffix("rescored") { options.oversampling = Double(count / 160) }
                let coded = timedScan(index, options)
                let equal = zip(exact.found, coded.found).reduce(0) { $0 + Set($1.0).intersection($1.1).count }
                BenchSupport.report([
                    ("rows", "\(count)"), ("width", "\"\(name)\""),
                    ("recall", number(Double(equal) / Double(exact.found.count * 10), 4)),
                    ("floats_us", number(exact.seconds * 1e6)), ("codes_us", number(coded.seconds * 1e6)),
                    ("learn_ms", number(learning * 1e3)), ("encode_us_per_row", number(encoding * 1e6)),
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
