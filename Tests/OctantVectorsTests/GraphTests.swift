import OctantModel
import Testing

@testable import OctantVectors

@Suite("Graph and codes as bytes")
struct GraphTests {
    private func bytes(_ builder: HNSWBuilder) -> [UInt8] {
        var out: [UInt8] = []
        builder.serialize { out += $0 }
        return out
    }

    private func encoded(
        _ rows: DenseRows, _ distance: Distance, threads: Int = 1, quantile: Double? = nil
    ) throws -> [UInt8] {
        var out: [UInt8] = []
        let parameters = Int8Codes.train(rows: rows, distance: distance, quantile: quantile)
        try Int8Codes.encode(rows: rows, parameters: parameters, threads: threads) { out += $0 }
        #expect(out.count == Int8Codes.byteCount(parameters: parameters, count: rows.count))
        return out
    }

    /// A copy in aligned memory of exactly that size.
    private func region(_ bytes: [UInt8]) throws -> HugeRegion {
        let region = try HugeRegion(byteCount: bytes.count)
        bytes.withUnsafeBytes { if let p = $0.baseAddress { region.base.copyMemory(from: p, byteCount: $0.count) } }
        return region
    }

    private func load(_ bytes: [UInt8]) throws -> HNSWGraph {
        let region = try region(bytes)
        return try HNSWGraph(
            bytes: UnsafeRawBufferPointer(start: region.base, count: bytes.count), owner: region)
    }

    private func loadCodes(_ bytes: [UInt8]) throws -> Int8Codes {
        let region = try region(bytes)
        return try Int8Codes(bytes: UnsafeRawBufferPointer(start: region.base, count: bytes.count), owner: region)
    }

    @Test("One thread gives the same bytes every time; reloading gives the same answers")
    func determinism() throws {
        let data = TestRows(count: 1520, dimension: 24, distance: .cosine, seed: 61)
        let rows = data.slice(0..<1500)
        let first = try HNSWBuilder(parameters: .init(m: 8, efConstruct: 40), count: 1500)
        try first.build(source: .rows(rows, .cosine))
        let second = try HNSWBuilder(parameters: .init(m: 8, efConstruct: 40), count: 1500)
        try second.build(source: .rows(rows, .cosine))
        let form = bytes(first)
        #expect(form == bytes(second))
        #expect(form.count == first.byteCount)
        let codes = try encoded(rows, .cosine)
        #expect(try encoded(rows, .cosine, threads: 3) == codes)
        let a = DenseIndex(
            distance: .cosine, rows: rows, codes: .int8(try loadCodes(codes)), graph: try first.makeGraph(), owner: data
        )
        let b = DenseIndex(
            distance: .cosine, rows: rows, codes: .int8(try Int8Codes.make(rows: rows, distance: .cosine)),
            graph: try load(form), owner: data)
        for q in 0..<20 {
            let query = UnsafePointer(data.base + (1500 + q) * 24)
            for useCodes in [true, false] {
                let options = DenseIndex.Options(limit: 10, ef: 50, useCodes: useCodes)
                #expect(a.search(query: query, options: options) == b.search(query: query, options: options))
            }
        }
    }

    @Test("Extending a graph gives the recall of a fresh one", arguments: [1, 2])
    func extension_(threads: Int) throws {
        let data = TestRows(count: 3050, dimension: 32, distance: .euclid, seed: 71)
        let rows = data.slice(0..<3000)
        let part = try buildGraph(.rows(data.slice(0..<1800), .euclid))
        let grown = try buildGraph(.rows(rows, .euclid), existing: part, threads: threads)
        let fresh = try buildGraph(.rows(rows, .euclid), threads: threads)
        var sums = [0.0, 0.0]
        for (i, graph) in [grown, fresh].enumerated() {
            let index = DenseIndex(distance: .euclid, rows: rows, codes: nil, graph: graph, owner: data)
            for q in 0..<50 {
                let query = UnsafePointer(data.base + (3000 + q) * 32)
                sums[i] += recall(
                    index.search(query: query, options: .init(limit: 10, ef: 40)), slowSearch(.euclid, rows, query, 10))
            }
        }
        #expect(sums[0] / 50 >= 0.95 && abs(sums[0] - sums[1]) / 50 < 0.02, "\(sums)")
        // Built in two steps or in one, one thread comes to the same graph.
        if threads == 1 { #expect(grown.bytes.elementsEqual(fresh.bytes)) }
    }

    @Test("Absent rows get no links; empty graphs can be searched; building can be cancelled")
    func presence() throws {
        let data = TestRows(count: 600, dimension: 8, distance: .dot, seed: 81)
        let graph = try buildGraph(.rows(data.rows, .dot), isPresent: { $0 % 2 == 0 })
        let index = DenseIndex(distance: .dot, rows: data.rows, codes: nil, graph: graph, owner: data)
        let found = index.search(query: data.base, options: .init(limit: 50, ef: 100))
        #expect(found.count == 50 && found.allSatisfy { $0.row % 2 == 0 })
        let none = try buildGraph(.rows(data.rows, .dot), isPresent: { _ in false })
        #expect(none.entry == nil)
        let empty = try buildGraph(.rows(data.slice(0..<0), .dot))
        let nothing = DenseIndex(distance: .dot, rows: data.slice(0..<0), codes: nil, graph: empty, owner: data)
        #expect(nothing.search(query: data.base, options: .init(limit: 5, ef: 10)).isEmpty)
        let builder = try HNSWBuilder(parameters: .init(), count: 600)
        #expect(throws: HNSWBuildError.cancelled) {
            try builder.build(source: .rows(data.rows, .dot), isCancelled: { true })
        }
        #expect(throws: HNSWBuildError.rowCountMismatch) {
            try builder.build(source: .rows(data.slice(0..<5), .dot))
        }
    }

    @Test("Damaged bytes are refused or harmless", arguments: [(20, nil), (100, nil), (100, 0.99)])
    func damage(dimension: Int, quantile: Double?) throws {
        let data = TestRows(count: 301, dimension: dimension, distance: .euclid, seed: 91)
        let rows = data.slice(0..<300)
        let builder = try HNSWBuilder(parameters: .init(m: 4, efConstruct: 20), count: 300)
        try builder.build(source: .rows(rows, .euclid))
        let graphForm = bytes(builder)
        let codeForm = try encoded(rows, .euclid, quantile: quantile)
        let query = UnsafePointer(data.base + 300 * dimension)
        var random = TestRandom(seed: 92)
        func use(_ graph: HNSWGraph?, _ codes: Int8Codes?) {
            let index = DenseIndex(
                distance: .euclid, rows: rows, codes: codes.map { .int8($0) }, graph: graph, owner: data)
            let found = index.search(query: query, options: .init(limit: 10, ef: 20))
            #expect(found.allSatisfy { $0.row < 300 && !$0.score.isNaN })
            _ = index.search(query: query, options: .init(limit: 10, ef: 20, rescore: false))
        }
        for cut in [0, 1, 63, 64, 65, 500, graphForm.count - 1] {
            #expect(throws: VectorFormatError.self) { try load(Array(graphForm.prefix(cut))) }
        }
        for cut in [0, 1, 63, 64, 127, 128, 5000, codeForm.count - 1] {
            #expect(throws: VectorFormatError.self) { try loadCodes(Array(codeForm.prefix(cut))) }
        }
        for round in 0..<1500 {
            var a = graphForm
            var b = codeForm
            // Every other time in the header or the tables, where it hurts.
            let limit = round % 2 == 0 ? 64 : a.count
            a[Int(random.next() % UInt64(limit))] = UInt8(truncatingIfNeeded: random.next())
            b[Int(random.next() % UInt64(min(limit, b.count)))] ^= 1 << UInt8(random.next() % 8)
            if let graph = try? load(a) {
                use(graph, nil)
                if round % 8 == 0 {
                    let more = try HNSWBuilder(parameters: .init(m: 4, efConstruct: 20), count: 300)
                    try more.build(source: .rows(rows, .euclid), existing: graph)
                    use(try more.makeGraph(), nil)
                }
            }
            if let codes = try? loadCodes(b) { use(try load(graphForm), codes) }
        }
    }
}
