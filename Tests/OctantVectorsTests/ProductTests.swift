import OctantModel
import Testing

@testable import OctantVectors

private let widths = [1, 2, 4, 8, 16]

private func shape(_ distance: Distance, _ dimension: Int, _ width: Int) throws -> ProductShape {
    try #require(ProductShape(distance: distance, dimension: dimension, width: width))
}

private func makeCodes(
    _ rows: DenseRows, _ distance: Distance, _ width: Int, measuresError: Bool = false
) throws -> ProductCodes {
    let parameters = ProductParameters.train(
        rows: rows, shape: try shape(distance, rows.dimension, width), threads: 2)
    return try ProductCodes.make(rows: rows, parameters: parameters, threads: 2, measuresError: measuresError)
}

private func bytes(_ rows: DenseRows, _ shape: ProductShape, threads: Int) throws -> [UInt8] {
    let parameters = ProductParameters.train(rows: rows, shape: shape, threads: threads)
    var bytes: [UInt8] = []
    try ProductCodes.encode(rows: rows, parameters: parameters, threads: threads) { bytes += $0 }
    #expect(bytes.count == ProductCodes.byteCount(shape: shape, count: rows.count))
    return bytes
}

/// Bytes that own themselves, aligned.
private final class OwnBytes {
    let memory: UnsafeMutableRawBufferPointer
    init(_ bytes: [UInt8]) {
        memory = .allocate(byteCount: max(1, bytes.count), alignment: 64)
        memory.copyBytes(from: bytes)
    }
    deinit { memory.deallocate() }
}

private func load(_ bytes: [UInt8]) throws -> ProductCodes {
    let own = OwnBytes(bytes)
    return try ProductCodes(bytes: UnsafeRawBufferPointer(rebasing: own.memory[0..<bytes.count]), owner: own)
}

@Suite("Product quantisation")
struct ProductTests {
    @Test("A score is the similarity with the decoded row, to the rounding of the tables", arguments: Distance.allCases)
    func scores(distance: Distance) throws {
        for dimension in [1, 5, 37, 64] {
            let data = TestRows(count: 710, dimension: dimension, distance: distance, seed: 5)
            let rows = data.slice(0..<700)
            for width in widths {
                let codes = try makeCodes(rows, distance, width)
                let scratch = SearchScratch()
                // Scorers point into it and do not keep it.
                defer { withExtendedLifetime(scratch) {} }
                var decoded = [Float](repeating: 0, count: dimension)
                for q in 700..<705 {
                    let query = UnsafePointer(data.base + q * dimension)
                    let scorer = codes.query(query, scratch).scorer
                    // Half a step for each table; single components have no tables.
                    let rounding = width == 1 ? 0 : scorer.factor * 0.51 * Float(codes.shape.stride)
                    var scores = [Float](repeating: 0, count: 700)
                    scorer.scoreRun(0, 700, &scores)
                    let ids = (0..<40).map { UInt32($0 * 17) }
                    var gathered = [Float](repeating: 0, count: 40)
                    scorer.score(ids, 40, &gathered)
                    #expect(gathered == ids.map { scores[Int($0)] })
                    for row in UInt32(0)..<700 {
                        codes.decode(row, into: &decoded)
                        let truth = DenseKernels.similarity(distance, query, decoded, dimension)
                        let error = (scores[Int(row)] - truth).magnitude
                        #expect(error <= rounding + 1e-3 * max(1, truth.magnitude), "\(dimension), \(width)")
                    }
                }
            }
        }
    }

    @Test("A loaded row scores as its reconstruction does as a query", arguments: widths)
    func rowsAsQueries(width: Int) throws {
        let data = TestRows(count: 300, dimension: 21, distance: .euclid, seed: 6)
        let codes = try makeCodes(data.rows, .euclid, width)
        let scratch = SearchScratch()
        // Scorers point into it and do not keep it.
        defer { withExtendedLifetime(scratch) {} }
        let other = SearchScratch()
        // Scorers point into it and do not keep it.
        defer { withExtendedLifetime(other) {} }
        var scorer = codes.rowScorer(scratch)
        var decoded = [Float](repeating: 0, count: 21)
        for row in [UInt32(0), 7, 299] {
            scorer.load(row)
            codes.decode(row, into: &decoded)
            let expected = codes.query(decoded, other).scorer
            var a = [Float](repeating: 0, count: 300)
            var b = a
            scorer.scoreRun(0, 300, &a)
            expected.scoreRun(0, 300, &b)
            #expect(a == b)
            // Nothing is nearer to a row than itself.
            #expect(a[Int(row)] == a.max())
        }
    }

    @Test("Few different rows are kept exactly, and more rows with an error that grows with the width")
    func reconstruction() throws {
        let few = TestRows(count: 600, dimension: 30, distance: .euclid, seed: 7)
        for row in 100..<600 { (few.base + row * 30).update(from: few.base + row % 100 * 30, count: 30) }
        let many = TestRows(count: 3000, dimension: 30, distance: .euclid, seed: 8)
        var last = 0.0
        for width in widths {
            for (data, name) in [(few, "few"), (many, "many")] {
                let codes = try makeCodes(data.rows, .euclid, width)
                var decoded = [Float](repeating: 0, count: 30)
                var error = 0.0
                var size = 0.0
                for row in 0..<UInt32(data.count) {
                    codes.decode(row, into: &decoded)
                    error -= Double(DenseKernels.similarity(.euclid, decoded, data.rows.copy(row), 30))
                    size += Double(DenseKernels.similarity(.dot, data.rows.copy(row), data.rows.copy(row), 30))
                }
                if name == "few" {
                    #expect(error / size < 1e-4, "\(width)")
                } else {
                    #expect(error / size > last && error / size < 0.5, "\(width): \(error / size)")
                    last = error / size
                }
            }
        }
    }

    @Test("The bytes don't depend on the number of threads, and read back as they were", arguments: widths)
    func threads(width: Int) throws {
        let data = TestRows(count: 2000, dimension: 19, distance: .dot, seed: 9)
        let shape = try shape(.dot, 19, width)
        let one = try bytes(data.rows, shape, threads: 1)
        #expect(try bytes(data.rows, shape, threads: 3) == one)
        let codes = try load(one)
        #expect(codes.count == 2000 && codes.shape == shape && codes.deviation > 0 && codes.deviation.isFinite)
        var a = [Float](repeating: 0, count: 19)
        var b = a
        let made = try makeCodes(data.rows, .dot, width)
        for row in [UInt32(0), 1999] {
            codes.decode(row, into: &a)
            made.decode(row, into: &b)
            #expect(a == b)
        }
        let none = try bytes(data.slice(0..<0), shape, threads: 2)
        #expect(try load(none).count == 0)
    }

    @Test("Bytes that are too short or make no sense are refused")
    func damage() throws {
        let data = TestRows(count: 20, dimension: 6, distance: .euclid, seed: 10)
        let whole = try bytes(data.rows, try shape(.euclid, 6, 4), threads: 1)
        #expect(try load(whole).count == 20)
        for length in Array(0..<70) + [whole.count - 1, whole.count - 64] {
            #expect(throws: VectorFormatError.self) { try load(Array(whole.prefix(length))) }
        }
        // Magic, version, distance, dimension, width and rows.
        for (offset, value) in [(0, 1), (8, 2), (12, 9), (16, 0), (18, 2), (20, 3), (20, 0), (24, 99), (31, 1)] {
            var bytes = whole
            bytes[offset] = UInt8(value)
            #expect(throws: VectorFormatError.self, "\(offset)") { try load(bytes) }
        }
        var random = TestRandom(seed: 11)
        for _ in 0..<200 {
            var bytes = whole
            for i in stride(from: 64, to: bytes.count, by: 7) { bytes[i] = UInt8(truncatingIfNeeded: random.next()) }
            let codes = try load(bytes)
            let scratch = SearchScratch()
            // Scorers point into it and do not keep it.
            defer { withExtendedLifetime(scratch) {} }
            let scores = codes.query(data.base, scratch).scorer
            var out = [Float](repeating: 0, count: 20)
            scores.scoreRun(0, 20, &out)
            #expect(out.allSatisfy { !$0.isNaN })
        }
    }

    @Test("Searches by scan, by list and by graph find the neighbours", arguments: Distance.allCases)
    func search(distance: Distance) throws {
        let count = 3000
        let data = TestRows(count: count + 40, dimension: 48, distance: distance, seed: 12)
        let rows = data.slice(0..<count)
        let graph = try buildGraph(.codes(Int8Codes.make(rows: rows, distance: distance)))
        let list = (0..<UInt32(count)).map { $0 }
        for width in widths {
            let codes = try makeCodes(rows, distance, width, measuresError: true)
            let index = DenseIndex(distance: distance, rows: rows, codes: .product(codes), graph: graph, owner: data)
            var sums = [0.0, 0.0, 0.0]
            for q in 0..<40 {
                let query = UnsafePointer(data.base + (count + q) * 48)
                let truth = slowSearch(distance, rows, query, 10)
                let scanned = index.scanAll(query: query, options: .init(limit: 10, ef: 0))
                sums[0] += recall(scanned, truth)
                let listed = list.withUnsafeBufferPointer {
                    index.scan(rows: $0, query: query, options: .init(limit: 10, ef: 0))
                }
                #expect(listed == scanned)
                sums[1] += recall(index.search(query: query, options: .init(limit: 10, ef: 128)), truth)
                let rough = index.scanAll(query: query, options: .init(limit: 10, ef: 0, rescore: false))
                sums[2] += recall(rough, truth)
            }
            #expect(sums[0] / 40 >= 0.97, "scan, \(width): \(sums[0] / 40)")
            #expect(sums[1] / 40 >= (distance == .dot ? 0.85 : 0.93), "graph, \(width): \(sums[1] / 40)")
            #expect(sums[2] / 40 >= (width == 1 ? 0.95 : 0.3), "codes only, \(width): \(sums[2] / 40)")
        }
    }

    @Test("The measured bound holds for nearly all near rows", arguments: Distance.allCases)
    func bound(distance: Distance) throws {
        let data = TestRows(count: 2050, dimension: 40, distance: distance, seed: 13)
        let rows = data.slice(0..<2000)
        for width in widths {
            let codes = try makeCodes(rows, distance, width, measuresError: true)
            let scratch = SearchScratch()
            // Scorers point into it and do not keep it.
            defer { withExtendedLifetime(scratch) {} }
            var held = 0
            for q in 2000..<2050 {
                let query = UnsafePointer(data.base + q * 40)
                let (scorer, bound) = codes.query(query, scratch)
                for found in slowSearch(distance, rows, query, 10) {
                    held += bound.best(scorer.score(found.row)) >= found.score ? 1 : 0
                }
            }
            #expect(held >= 485, "\(width): \(held) of 500")
        }
    }

    @Test("Extreme values never give NaN", arguments: widths)
    func extremes(width: Int) throws {
        let values: [Float] = [0, 0, 3e38, 3e38, -3e38, 3e38, 0x1p-140, 0, 1, -1, 1e30, -1e30, 1e-30, 1, 0, -0.0]
        let owner = TestRows(count: 8, dimension: 2, distance: .dot, seed: 1)
        owner.base.update(from: values, count: 16)
        for distance in Distance.allCases {
            let codes = try makeCodes(owner.rows, distance, width)
            let index = DenseIndex(
                distance: distance, rows: owner.rows, codes: .product(codes), graph: nil, owner: owner)
            for query in [[3e38, -3e38], [0, 0], [1, 2], [0x1p-149, 0]] as [[Float]] {
                for rescore in [false, true] {
                    let found = index.scanAll(query: query, options: .init(limit: 10, ef: 0, rescore: rescore))
                    #expect(found.count == 8 && found.allSatisfy { !$0.score.isNaN })
                }
            }
        }
    }
}
