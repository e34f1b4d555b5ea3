#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif
import BenchSupport
import OctantModel
import OctantVectors

/// `octant-index-bench product --data FOLDER`: product codes of every width by scans of all rows.
///
/// Prints for each the relative squared error of reconstruction, CPU seconds of training and encoding, recall@10 of the
/// codes' own ten best and of the best of 10, 20 and 40 scored again, and ns of CPU a row (the whole query, its tables
/// included) beside a scan of the floats in the same run.
struct ProductBench {
    let bench: Bench

    func run() throws {
        let floats = DenseIndex(
            distance: .cosine, rows: bench.rows, codes: nil, graph: nil, owner: bench.vectors)
        for width in [1, 2, 4, 8, 16] {
            guard let shape = ProductShape(distance: .cosine, dimension: bench.rows.dimension, width: width) else {
                continue
            }
            let start = processSeconds()
            let parameters = ProductParameters.train(
                rows: bench.rows, shape: shape, threads: bench.arguments.threads)
            let trained = processSeconds()
            let codes = try ProductCodes.make(
                rows: bench.rows, parameters: parameters, threads: bench.arguments.threads)
            let encoded = processSeconds()
            let index = DenseIndex(
                distance: .cosine, rows: bench.rows, codes: .product(codes), graph: nil, owner: bench.vectors)
            var line = "x\(4 * width)  error \(digits(error(codes), 5))"
            line += "  deviation \(digits(Double(codes.deviation), 5))"
            line += "  train_s \(digits(trained - start, 2))  encode_s \(digits(encoded - trained, 2))  recall"
            for oversampling in [nil, 1, 2, 4] as [Double?] {
                var options = DenseIndex.Options(limit: 10, ef: 0)
                options.rescore = oversampling != nil
                options.readsFew = true
                options.oversampling = oversampling
                line += " \(digits(recall(index, options), 4))"
            }
            line += " default \(digits(recall(index, DenseIndex.Options(limit: 10, ef: 0)), 4))"
            var plain = DenseIndex.Options(limit: 10, ef: 0)
            plain.rescore = false
            var exact = DenseIndex.Options(limit: 10, ef: 0)
            exact.mode = .exact
            var times: [[Double]] = [[], []]
            for _ in 0..<bench.arguments.passes {
                times[0].append(nanoseconds(index, plain))
                times[1].append(nanoseconds(floats, exact))
            }
            let medians = times.map { $0.sorted()[$0.count / 2] }
            line += "  ns_row \(digits(medians[0], 2))  floats_ns_row \(digits(medians[1], 2))"
            print(line)
            fflush(nil)
        }
    }

    private func error(_ codes: ProductCodes) -> Double {
        let n = bench.rows.dimension
        var decoded = [Float](repeating: 0, count: n)
        var error = 0.0
        var size = 0.0
        for row in stride(from: UInt32(0), to: UInt32(bench.rows.count), by: 7) {
            codes.decode(row, into: &decoded)
            error -= Double(DenseKernels.similarity(.euclid, decoded, bench.rows.copy(row), n))
            size += Double(DenseKernels.similarity(.dot, bench.rows.copy(row), bench.rows.copy(row), n))
        }
        return error / size
    }

    private func recall(_ index: DenseIndex, _ options: DenseIndex.Options) -> Double {
        let base = bench.queries.region.base.assumingMemoryBound(to: Float.self)
        let gold = bench.truth.region.base.assumingMemoryBound(to: Int32.self)
        var hits = 0
        for q in 0..<bench.queries.rows {
            for row in index.scanAll(query: base + q * bench.rows.dimension, options: options) {
                for k in 0..<10 where gold[q * bench.truth.columns + k] == Int32(row.row) { hits += 1 }
            }
        }
        return Double(hits) / Double(bench.queries.rows * 10)
    }

    private func nanoseconds(_ index: DenseIndex, _ options: DenseIndex.Options) -> Double {
        let base = bench.queries.region.base.assumingMemoryBound(to: Float.self)
        let count = min(100, bench.queries.rows)
        let start = processSeconds()
        for q in 0..<count { _ = index.scanAll(query: base + q * bench.rows.dimension, options: options) }
        return (processSeconds() - start) / Double(count) / Double(bench.rows.count) * 1e9
    }

    private func digits(_ value: Double, _ digits: Int) -> String {
        var factor = 1.0
        for _ in 0..<digits { factor *= 10 }
        return "\((value * factor).rounded() / factor)"
    }
}
