#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif
import BenchSupport
import OctantModel
import OctantVectors

/// The data, the indexes, and the measuring.
final class Bench {
    let arguments: Arguments
    let vectors: HugeRegion
    let rows: DenseRows
    let queries: Array2D
    let truth: Array2D
    let codes: Int8Codes
    var indexes: [String: DenseIndex] = [:]

    init(_ arguments: Arguments) throws {
        self.arguments = arguments
        let half = try Array2D(path: arguments.data + "/vectors.f16.npy", type: "<f2", bytes: 2)
        queries = try Array2D(path: arguments.data + "/queries.f32.npy", type: "<f4", bytes: 4)
        truth = try Array2D(path: arguments.data + "/gt_top100.i32.npy", type: "<i4", bytes: 4)
        let d = half.columns
        vectors = try HugeRegion(byteCount: half.rows * d * 4)
        let base = vectors.base.assumingMemoryBound(to: Float.self)
        DenseKernels.halves(
            half.region.base.assumingMemoryBound(to: UInt16.self), count: half.rows * d, out: base)
        for row in 0..<half.rows { DenseKernels.normalize(base + row * d, d) }
        let q = queries.region.base.assumingMemoryBound(to: Float.self)
        for row in 0..<queries.rows { DenseKernels.normalize(q + row * d, d) }
        rows = DenseRows(base: base, count: half.rows, dimension: d)
        let cpu = processSeconds()
        let wall = wallSeconds()
        codes = try Int8Codes.make(rows: rows, distance: .cosine, threads: arguments.threads)
        report([
            "kind": "codes", "wall_s": number(wallSeconds() - wall), "cpu_s": number(processSeconds() - cpu),
            "kernels": DenseKernels.levelName,
        ])
    }

    func run() throws {
        if arguments.packed { return try runPacked() }
        if arguments.memtable { return runMemtable() }
        if arguments.elements {
            let bench = ElementBench(
                rows: rows, queries: queries.region.base.assumingMemoryBound(to: Float.self), queryCount: queries.rows)
            return try bench.run(passes: max(arguments.passes, 3)).forEach { report($0) }
        }
        for name in arguments.builds { try build(name) }
        if arguments.serve { return serve() }
        for (name, index) in indexes.sorted(by: { $0.key < $1.key }) {
            for mode in arguments.modes where mode != .flat && mode != .flatCodes {
                for ef in arguments.efs { measure(index, name, mode, ef) }
            }
        }
        for mode in arguments.modes where mode == .flat || mode == .flatCodes {
            let index = DenseIndex(distance: .cosine, rows: rows, codes: .int8(codes), graph: nil, owner: vectors)
            measure(index, "-", mode, 0)
        }
    }

    /// Lines "mode ef" on standard input; each is answered by one line.
    private func serve() {
        print("ready")
        fflush(nil)
        while let line = readLine() {
            let words = line.split(separator: " ").map(String.init)
            guard words.count == 3, let mode = Arguments.Mode(rawValue: words[1]), let ef = Int(words[2])
            else { return }
            guard
                let index = indexes[words[0]]
                    ?? (words[0] == "-"
                        ? DenseIndex(distance: .cosine, rows: rows, codes: .int8(codes), graph: nil, owner: vectors)
                        : nil)
            else { return }
            measure(index, words[0], mode, ef)
        }
    }

    private func build(_ name: String) throws {
        let before = status("VmRSS")
        resetPeak()
        let cpu = processSeconds()
        let wall = wallSeconds()
        let builder = try HNSWBuilder(
            parameters: .init(m: arguments.m, efConstruct: arguments.efConstruct), count: rows.count)
        try builder.build(
            source: name == "codes" ? .codes(codes) : .rows(rows, .cosine), threads: arguments.threads)
        let graph = try builder.makeGraph()
        report([
            "kind": "build", "graph": name, "threads": "\(arguments.threads)", "m": "\(arguments.m)",
            "ef_construct": "\(arguments.efConstruct)", "wall_s": number(wallSeconds() - wall),
            "cpu_s": number(processSeconds() - cpu), "rss_before_mb": number(before),
            "peak_over_data_mb": number(status("VmHWM") - before), "graph_mb": number(Double(graph.bytes.count) / 1e6),
        ])
        indexes[name] = DenseIndex(distance: .cosine, rows: rows, codes: .int8(codes), graph: graph, owner: vectors)
    }

    private func measure(_ index: DenseIndex, _ graph: String, _ mode: Arguments.Mode, _ ef: Int) {
        var options = DenseIndex.Options(limit: 10, ef: ef)
        options.useCodes = mode != .f32
        options.rescore = mode != .codesOnly
        if mode == .flat { options.mode = .exact }
        let flat = mode == .flat || mode == .flatCodes
        let count = flat ? min(arguments.flatQueries, queries.rows) : queries.rows
        let base = queries.region.base.assumingMemoryBound(to: Float.self)
        let gold = truth.region.base.assumingMemoryBound(to: Int32.self)
        // `half` and `tenth` let so many of the rows pass, `list-tenth` scans a list of them; recall is not measured then.
        let keep: UInt32 = mode == .half ? 50 : mode == .tenth ? 10 : 100
        let passing: RowPredicate = { rows, n, out in
            for i in 0..<n { out[i] = (rows[i] &* 2_654_435_761) >> 16 % 100 < keep }
        }
        let admit = keep < 100 ? passing : nil
        let list = mode == .listTenth ? (0..<UInt32(rows.count)).filter { ($0 &* 2_654_435_761) >> 16 % 100 < 10 } : []
        func ask(_ query: UnsafePointer<Float>) -> [ScoredRow] {
            guard mode == .listTenth else { return index.search(query: query, options: options, admit: admit) }
            return list.withUnsafeBufferPointer { index.scan(rows: $0, query: query, options: options) }
        }
        var hits = 0
        var latencies = [Double](repeating: 0, count: count)
        var bestP95 = Double.infinity
        var p50 = 0.0
        var p99 = 0.0
        var cpu = 0.0
        for q in 0..<min(count, flat ? 5 : 100) {
            _ = ask(base + q * rows.dimension)
        }
        for pass in 0..<arguments.passes {
            let start = processSeconds()
            for q in 0..<count {
                let t = wallSeconds()
                let found = ask(base + q * rows.dimension)
                latencies[q] = wallSeconds() - t
                guard pass == 0 else { continue }
                for row in found {
                    for k in 0..<10 where gold[q * truth.columns + k] == Int32(row.row) { hits += 1 }
                }
            }
            cpu += processSeconds() - start
            latencies.sort()
            if latencies[count * 95 / 100] < bestP95 {
                bestP95 = latencies[count * 95 / 100]
                p50 = latencies[count / 2]
                p99 = latencies[count * 99 / 100]
            }
        }
        report([
            "kind": "search", "graph": graph, "mode": mode.rawValue, "ef": "\(ef)",
            "recall": number(Double(hits) / Double(count * 10), 4),
            "cpu_us": number(cpu / Double(arguments.passes * count) * 1e6), "p50_us": number(p50 * 1e6),
            "p99_us": number(p99 * 1e6),
        ])
    }

    func number(_ value: Double, _ digits: Int = 2) -> String {
        let factor = digits == 4 ? 10000.0 : 100.0
        return "\((value * factor).rounded() / factor)"
    }

    private func report(_ fields: KeyValuePairs<String, String>) {
        if arguments.json || arguments.serve {
            let texts = fields.map { "\"\($0.key)\": " + (Double($0.value) == nil ? "\"\($0.value)\"" : $0.value) }
            print("{" + texts.joined(separator: ", ") + "}")
        } else {
            print(fields.map { "\($0.key) \($0.value)" }.joined(separator: "  "))
        }
        fflush(nil)
    }
}
