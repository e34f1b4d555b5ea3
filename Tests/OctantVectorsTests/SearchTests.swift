import OctantModel
import Testing

@testable import OctantVectors

@Suite("Search")
struct SearchTests {
    private typealias Options = DenseIndex.Options

    @Test("Exact scans equal brute force, and scans of codes with rescoring too", arguments: Distance.allCases)
    func scans(distance: Distance) throws {
        for (count, dimension) in [(1, 3), (5, 64), (700, 17), (3000, 100)] {
            let data = TestRows(count: count + 5, dimension: dimension, distance: distance, seed: 11)
            let rows = data.slice(0..<count)
            let codes = try Int8Codes.make(rows: rows, distance: distance, threads: 2)
            let index = DenseIndex(distance: distance, rows: rows, codes: .int8(codes), graph: nil, owner: data)
            let some = (0..<UInt32(count)).filter { $0 % 3 == 1 }
            for q in 0..<5 {
                let query = UnsafePointer(data.base + (count + q) * dimension)
                let truth = slowSearch(distance, rows, query, 10)
                #expect(index.scanAll(query: query, options: .init(limit: 10, ef: 0, mode: .exact)) == truth)
                #expect(index.search(query: query, options: .init(limit: 10, ef: 0, mode: .exact)) == truth)
                #expect(index.scanAll(query: query, options: .init(limit: 10, ef: 0)) == truth)
                let third = slowSearch(distance, rows, query, 10) { $0 % 3 == 1 }
                some.withUnsafeBufferPointer { ids in
                    #expect(index.scan(rows: ids, query: query, options: .init(limit: 10, ef: 0)) == third)
                    let exact = Options(limit: 10, ef: 0, mode: .exact)
                    #expect(index.scan(rows: ids, query: query, options: exact) == third)
                }
                let admit: RowPredicate = { rows, n, out in for i in 0..<n { out[i] = rows[i] % 3 == 1 } }
                #expect(index.scanAll(query: query, options: .init(limit: 10, ef: 0), admit: admit) == third)
                let part = slowSearch(distance, rows, query, 4) { $0 >= 2 }
                #expect(
                    index.scanAll(query: query, options: .init(limit: 4, ef: 0, mode: .exact), range: 2..<9999) == part)
                let all = index.scanAll(query: query, options: .init(limit: count + 10, ef: 0))
                #expect(all == slowSearch(distance, rows, query, count))
            }
        }
    }

    @Test("Graph search finds the neighbours, on floats and on codes", arguments: Distance.allCases)
    func graph(distance: Distance) throws {
        let count = 4000
        let data = TestRows(count: count + 50, dimension: 48, distance: distance, seed: 21)
        let rows = data.slice(0..<count)
        let codes = try Int8Codes.make(rows: rows, distance: distance)
        for source in [HNSWBuilder.Source.rows(rows, distance), .codes(codes)] {
            for threads in [1, 3] {
                let graph = try buildGraph(source, threads: threads)
                let index = DenseIndex(distance: distance, rows: rows, codes: .int8(codes), graph: graph, owner: data)
                for useCodes in [false, true] {
                    var sum = 0.0
                    for q in 0..<50 {
                        let query = UnsafePointer(data.base + (count + q) * 48)
                        let found = index.search(query: query, options: .init(limit: 10, ef: 64, useCodes: useCodes))
                        let truth = slowSearch(distance, rows, query, 10)
                        sum += recall(found, truth)
                        #expect(found.count == 10 && Set(found.map(\.row)).count == 10)
                        for row in found {
                            let score = DenseKernels.similarity(distance, query, rows.row(row.row), 48)
                            #expect(row.score == score)
                        }
                    }
                    // Inner products of unnormalised rows are no metric; graphs are worse at them.
                    #expect(sum / 50 >= (distance == .dot ? 0.85 : 0.95), "\(distance), \(threads), \(useCodes)")
                }
            }
        }
    }

    @Test("Stopping by the error bound gives what rescoring the whole pool gives", arguments: Distance.allCases)
    func bound(distance: Distance) throws {
        let data = TestRows(count: 2100, dimension: 40, distance: distance, seed: 31)
        let rows = data.slice(0..<2000)
        for quantile in [nil, 0.95, 0.6] {
            let codes = try Int8Codes.make(rows: rows, distance: distance, quantile: quantile)
            for q in 0..<100 {
                let query = UnsafePointer(data.base + (2000 + q) * 40)
                let scratch = SearchScratch()
                // Scorers point into it and do not keep it.
                defer { withExtendedLifetime(scratch) {} }
                let codeQuery = codes.query(query, scratch)
                for row in 0..<UInt32(2000) {
                    let exact = DenseKernels.similarity(distance, query, rows.row(row), 40)
                    let most = codeQuery.bound.best(codeQuery.scorer.score(row))
                    #expect(exact <= most + 1e-4 * max(1, exact.magnitude), "\(distance), \(quantile ?? 1)")
                }
            }
        }
    }

    @Test("Predicates that admit nothing, few, half and all", arguments: [0, 1, 50, 100], [Distance.cosine, .euclid])
    func predicates(percent: Int, distance: Distance) throws {
        let count = 4000
        let data = TestRows(count: count + 20, dimension: 32, distance: distance, seed: 41)
        let rows = data.slice(0..<count)
        let codes = try Int8Codes.make(rows: rows, distance: distance)
        let graph = try buildGraph(.codes(codes))
        let index = DenseIndex(distance: distance, rows: rows, codes: .int8(codes), graph: graph, owner: data)
        let passes: @Sendable (UInt32) -> Bool = { Int(($0 &* 2_654_435_761) >> 16) % 100 < percent }
        let admit: RowPredicate = { rows, n, out in for i in 0..<n { out[i] = passes(rows[i]) } }
        var sum = 0.0
        for q in 0..<20 {
            let query = UnsafePointer(data.base + (count + q) * 32)
            for useCodes in [false, true] {
                let options = Options(limit: 10, ef: 64, useCodes: useCodes)
                let found = index.search(query: query, options: options, admit: admit)
                #expect(found.allSatisfy { passes($0.row) })
                sum += recall(found, slowSearch(distance, rows, query, 10, where: passes))
            }
        }
        #expect(sum / 40 >= 0.95, "\(sum / 40)")
        // A walk that may look at few rows ends without an answer rather than running on.
        let query = UnsafePointer(data.base + count * 32)
        let nothing: RowPredicate = { _, n, out in for i in 0..<n { out[i] = false } }
        #expect(index.search(query: query, options: .init(limit: 3, ef: 8, visitLimit: 100), admit: nothing).isEmpty)
    }

    @Test("Rows of many dimensions also get 4-bit codes, and searches by them lose nothing")
    func nibbles() throws {
        for distance in [Distance.cosine, .euclid] {
            let data = TestRows(count: 3050, dimension: 140, distance: distance, seed: 101, latent: 40)
            let rows = data.slice(0..<3000)
            let codes = try Int8Codes.make(rows: rows, distance: distance)
            #expect(codes.parameters.nibbleStep > 0 && codes.nibbles != nil)
            let graph = try buildGraph(.codes(codes))
            let index = DenseIndex(distance: distance, rows: rows, codes: .int8(codes), graph: graph, owner: data)
            var sum = 0.0
            for q in 0..<50 {
                let query = UnsafePointer(data.base + (3000 + q) * 140)
                let truth = slowSearch(distance, rows, query, 10)
                sum += recall(index.search(query: query, options: .init(limit: 10, ef: 80)), truth)
                #expect(index.scanAll(query: query, options: .init(limit: 10, ef: 0)) == truth)
            }
            #expect(sum / 50 >= 0.95, "\(sum / 50)")
        }
        // Components that are zero but for a few are not fit for 4 bits.
        let sparse = TestRows(count: 500, dimension: 128, distance: .dot, seed: 102)
        for i in 0..<500 * 128 where i % 29 != 0 { sparse.base[i] = 0 }
        #expect(try Int8Codes.make(rows: sparse.rows, distance: .dot).nibbles == nil)
    }

    @Test("Codes with a quantile are split into halves: half a byte less a component, and every score the same")
    func split() throws {
        for distance in [Distance.cosine, .dot, .euclid] {
            let data = TestRows(count: 3050, dimension: 140, distance: distance, seed: 103, latent: 40)
            let rows = data.slice(0..<3000)
            let codes = try Int8Codes.make(rows: rows, distance: distance, quantile: 0.99)
            let parameters = codes.parameters
            #expect(parameters.isSplit && parameters.nibbleStep == 16)
            let whole = try Int8Codes.encoded(
                rows: rows,
                parameters: Int8Parameters(
                    distance: distance, dimension: 140, center: parameters.center, scale: parameters.scale,
                    nibbleStep: 16),
                threads: 2, measuresError: true)
            #expect(!whole.parameters.isSplit && whole.maxResidual == codes.maxResidual)
            #expect(whole.maxLength == codes.maxLength && whole.deviation == codes.deviation)
            let bytes = [codes, whole].map { Int8Codes.byteCount(parameters: $0.parameters, count: 3000) }
            #expect(bytes[1] - bytes[0] == 3000 * (192 + 128 - 2 * 128))
            for row in Swift.stride(from: UInt32(0), to: 3000, by: 17) {
                var decoded = [[Float]](repeating: [Float](repeating: 0, count: 140), count: 2)
                codes.decode(row, into: &decoded[0])
                whole.decode(row, into: &decoded[1])
                #expect(decoded[0] == decoded[1])
                let error = (0..<140).reduce(Float(0)) {
                    $0 + (decoded[0][$1] - rows.row(row)[$1]) * (decoded[0][$1] - rows.row(row)[$1])
                }
                #expect(error.squareRoot() <= codes.maxResidual)
            }
            let graph = try buildGraph(.codes(codes))
            let same = try buildGraph(.codes(whole))
            withExtendedLifetime(same) { #expect(graph.bytes.elementsEqual(same.bytes)) }
            let indexes = [codes, whole].map {
                DenseIndex(distance: distance, rows: rows, codes: .int8($0), graph: graph, owner: data)
            }
            var sum = 0.0
            for q in 0..<50 {
                let query = UnsafePointer(data.base + (3000 + q) * 140)
                for options in [Options(limit: 10, ef: 80), Options(limit: 10, ef: 80, rescore: false)] {
                    let found = indexes.map { $0.search(query: query, options: options) }
                    #expect(found[0] == found[1])
                    let scanned = indexes.map { $0.scanAll(query: query, options: options, range: 100..<180) }
                    #expect(scanned[0] == scanned[1])
                    if options.rescore { sum += recall(found[0], slowSearch(distance, rows, query, 10)) }
                }
            }
            #expect(sum / 50 >= (distance == .dot ? 0.85 : 0.95), "\(distance), \(sum / 50)")
        }
        // Components far from the others keep the range wide, and its 16th part is no step for the rest.
        let spread = TestRows(count: 500, dimension: 128, distance: .dot, seed: 104)
        for i in 0..<500 * 128 where i % 3 == 0 { spread.base[i] *= 8 }
        let kept = try Int8Codes.make(rows: spread.rows, distance: .dot, quantile: 0.9999)
        #expect(!kept.parameters.isSplit)
    }

    @Test("Rows after the graph's are found too")
    func tail() throws {
        let data = TestRows(count: 1010, dimension: 16, distance: .euclid, seed: 51)
        let rows = data.slice(0..<1000)
        let graph = try buildGraph(.rows(data.slice(0..<900), .euclid))
        let index = DenseIndex(distance: .euclid, rows: rows, codes: nil, graph: graph, owner: data)
        var sum = 0.0
        for q in 0..<10 {
            let query = UnsafePointer(data.base + (1000 + q) * 16)
            sum += recall(
                index.search(query: query, options: .init(limit: 10, ef: 100)), slowSearch(.euclid, rows, query, 10))
        }
        #expect(sum / 10 >= 0.95)
    }

    @Test("Few matches are scanned, many are walked to")
    func plan() throws {
        let data = TestRows(count: 2000, dimension: 8, distance: .dot, seed: 111)
        let bare = DenseIndex(distance: .dot, rows: data.rows, codes: nil, graph: nil, owner: data)
        #expect(bare.scanIsCheaper(matches: 2000, options: .init(limit: 10, ef: 10)))
        let graph = try buildGraph(.rows(data.rows, .dot))
        let index = DenseIndex(distance: .dot, rows: data.rows, codes: nil, graph: graph, owner: data)
        #expect(index.scanIsCheaper(matches: 100, options: .init(limit: 10, ef: 10)))
        #expect(!index.scanIsCheaper(matches: 2000, options: .init(limit: 10, ef: 10)))
        #expect(index.scanIsCheaper(matches: 2000, options: .init(limit: 10, ef: 10, mode: .exact)))
    }

    @Test("Extreme values never give NaN, and limits of zero give nothing")
    func extremes() throws {
        for distance in Distance.allCases {
            let values: [Float] = [
                0, 0, 3e38, 3e38, -3e38, 3e38, 0x1p-140, 0, 1, -1, 1e30, -1e30, 1e-30, 1, 0, -0.0,
            ]
            let owner = TestRows(count: 8, dimension: 2, distance: .dot, seed: 1)
            owner.base.update(from: values, count: 16)
            let codes = try Int8Codes.make(rows: owner.rows, distance: distance)
            for source in [HNSWBuilder.Source.rows(owner.rows, distance), .codes(codes)] {
                let graph = try buildGraph(source)
                let index = DenseIndex(
                    distance: distance, rows: owner.rows, codes: .int8(codes), graph: graph, owner: owner)
                for query in [[3e38, -3e38], [0, 0], [1, 2], [0x1p-149, 0]] as [[Float]] {
                    for options in [
                        Options(limit: 10, ef: 10), .init(limit: 10, ef: 10, useCodes: false),
                        .init(limit: 10, ef: 10, mode: .exact), .init(limit: 3, ef: 10, rescore: false),
                    ] {
                        for found in [
                            index.search(query: query, options: options), index.scanAll(query: query, options: options),
                        ] {
                            #expect(found.allSatisfy { !$0.score.isNaN })
                        }
                    }
                    #expect(index.search(query: query, options: .init(limit: 0, ef: 10)).isEmpty)
                    #expect(index.scanAll(query: query, options: .init(limit: 0, ef: 10)).isEmpty)
                }
            }
        }
    }
}
