import COctantKernels
import Testing

/// The kernels of every level this processor has.
private let tables = (0..<Int32(OK_LEVEL_COUNT)).compactMap { level -> (Int32, ok_product_table)? in
    var kernels = ok_kernel_table()
    guard ok_kernels_at(level, &kernels) != 0 else { return nil }
    var table = ok_product_table()
    ok_product_at(level, &table)
    return (level, table)
}

private let metrics = [OK_PRODUCT_DOT, OK_PRODUCT_L2, OK_PRODUCT_L1].map { Int32($0) }

@Suite("Kernels of product quantisation")
struct ProductKernelTests {
    @Test("Sums of table entries are those of plain loops on every level, for any length and number of rows")
    func sums() throws {
        var random = TestRandom(seed: 1)
        for n in [1, 17, 24, 33, 49, 64, 65, 256, 257, 300] {
            // The first tables are all 255, so that sums in 16 bits would overflow.
            let entries = (0..<n * 256).map { $0 < 280 * 256 ? 255 : UInt8(truncatingIfNeeded: random.next()) }
            let mixed = (0..<n * 256).map { _ in UInt8(truncatingIfNeeded: random.next()) }
            let rows = 150
            // One byte off, so that nothing is aligned.
            let codes = (0..<rows * n + 1).map { _ in UInt8(truncatingIfNeeded: random.next()) }
            let ids = (0..<rows).map { _ in UInt32(random.next() % UInt64(rows)) }
            for entries in [entries, mixed] {
                let expected = (0..<rows).map { row in
                    (0..<n).reduce(Int32(0)) { $0 + Int32(entries[$1 * 256 + Int(codes[1 + row * n + $1])]) }
                }
                try codes.withUnsafeBufferPointer { codes in
                    let base = try #require(codes.baseAddress) + 1
                    for (level, table) in tables {
                        let gather = try #require(table.sums_gather)
                        let batch = try #require(table.sums_batch)
                        for count in [0, 1, 3, 7, 8, 16, 17, 33, 63, 64, 65, 150] {
                            var out = [Int32](repeating: -1, count: rows)
                            batch(entries, base, n, count, &out)
                            #expect(Array(out.prefix(count)) == Array(expected.prefix(count)), "\(level), \(n)")
                            #expect(out.dropFirst(count).allSatisfy { $0 == -1 })
                            out = [Int32](repeating: -1, count: rows)
                            gather(entries, base, n, ids, count, &out)
                            #expect(Array(out.prefix(count)) == ids.prefix(count).map { expected[Int($0)] })
                            #expect(out.dropFirst(count).allSatisfy { $0 == -1 })
                        }
                    }
                }
            }
        }
    }

    @Test("Scores by levels agree with sums in double precision, by gather and batch, on every level")
    func levels() throws {
        var random = TestRandom(seed: 2)
        for n in [1, 7, 16, 31, 64, 100, 385] {
            let query = (0..<n).map { _ in random.normal() * 100 }
            let scales = (0..<n).map { _ in random.unit() }
            let codes = (0..<9 * n).map { _ in UInt8(truncatingIfNeeded: random.next()) }
            let ids: [UInt32] = [8, 0, 3, 3, 1, 2, 7, 6, 5]
            for (level, table) in tables {
                let scoreBatch = try #require(table.levels_batch)
                let scoreGather = try #require(table.levels_gather)
                for metric in metrics {
                    var batch = [Float](repeating: 0, count: 9)
                    var gather = batch
                    scoreBatch(metric, query, scales, codes, n, 9, &batch)
                    scoreGather(metric, query, scales, codes, n, ids, 9, &gather)
                    #expect(gather == ids.map { batch[Int($0)] })
                    for row in 0..<9 {
                        var sum = 0.0
                        var size = 0.0
                        for i in 0..<n {
                            let u = Double(codes[row * n + i])
                            let d = Double(query[i]) - Double(scales[i]) * u
                            let term =
                                metric == OK_PRODUCT_DOT
                                ? Double(query[i]) * u : metric == OK_PRODUCT_L2 ? -d * d : -abs(d)
                            sum += term
                            size += abs(term)
                        }
                        #expect(abs(Double(batch[row]) - sum) <= 1e-5 * size, "\(level), \(n), \(metric)")
                    }
                }
            }
        }
    }

    @Test("The nearest centroid is the nearest one on every level, the lower of two equal ones", arguments: 1...16)
    func nearest(width: Int) throws {
        var random = TestRandom(seed: 3)
        var centroids = (0..<width * 256).map { _ in random.normal() }
        for i in 0..<width { centroids[i * 256 + 200] = centroids[i * 256 + 30] }
        var points = (0..<50 * width).map { _ in random.normal() }
        for i in 0..<width { points[i] = centroids[i * 256 + 200] }
        var halves = [Float](repeating: 0, count: 256)
        ok_product_halves(centroids, width, &halves)
        for (level, table) in tables {
            var codes = [UInt8](repeating: 0, count: 150)
            let nearest = try #require(table.nearest)
            nearest(points, width, 50, width, centroids, halves, &codes, 3)
            #expect(codes[0] == 30, "\(level)")
            for point in 0..<50 {
                let distances = (0..<256).map { k in
                    (0..<width).reduce(0.0) { sum, i in
                        let d = Double(points[point * width + i]) - Double(centroids[i * 256 + k])
                        return sum + d * d
                    }
                }
                let least = try #require(distances.min())
                #expect(distances[Int(codes[3 * point])] <= least + 1e-4, "\(level)")
            }
        }
    }

    @Test("Tables hold the similarities to within half a step, and none overflows")
    func tablesOfQueries() throws {
        var random = TestRandom(seed: 4)
        for (n, width) in [(10, 4), (16, 16), (7, 2), (33, 8)] {
            let subspaces = (n + width - 1) / width
            for large in [false, true] {
                let size: Float = large ? 3e38 : 1
                let query = (0..<n).map { _ in max(-size, min(random.normal() * size, size)) }
                let centroids = (0..<n * 256).map { _ in max(-size, min(random.normal() * size, size)) }
                for (level, table) in tables {
                    let similarities = try #require(table.similarities)
                    let pack = try #require(table.pack)
                    for metric in metrics {
                        var values = [Float](repeating: 0, count: subspaces * 256)
                        similarities(metric, query, n, width, centroids, &values)
                        #expect(values.allSatisfy { $0.magnitude <= 1e33 }, "\(level)")
                        var least: Float = 0
                        var step: Float = 0
                        var entries = [UInt8](repeating: 0, count: subspaces * 256)
                        pack(values, subspaces, &least, &step, &entries)
                        #expect(least.isFinite && step.isFinite)
                        let lows = (0..<subspaces).map { values[$0 * 256..<$0 * 256 + 256].min() ?? 0 }
                        let sum = lows.reduce(0, +)
                        #expect(abs(least - sum) <= 1e-5 * max(1, sum.magnitude))
                        for i in values.indices {
                            let back = lows[i / 256] + step * Float(entries[i])
                            #expect(abs(back - values[i]) <= 0.51 * step + 1e-6 * values[i].magnitude)
                        }
                        guard !large else { continue }
                        for i in stride(from: 0, to: values.count, by: 37) {
                            let at = i / 256 * width
                            let truth = (at..<min(at + width, n)).reduce(0.0) { sum, c in
                                let x = Double(query[c])
                                let y = Double(centroids[c * 256 + i % 256])
                                return sum
                                    + (metric == OK_PRODUCT_DOT
                                        ? x * y : metric == OK_PRODUCT_L2 ? -(x - y) * (x - y) : -abs(x - y))
                            }
                            #expect(abs(Double(values[i]) - truth) <= 1e-4, "\(level), \(metric)")
                        }
                    }
                }
            }
        }
    }
}
