import OctantModel
import Testing

@testable import OctantVectors

@Suite("Graphs that are read from disk")
struct ColdTests {
    private static let count = 1500

    /// A copy in aligned memory, as a graph whose links are checked when they are read.
    private func cold(_ bytes: [UInt8]) throws -> HNSWGraph {
        let region = try HugeRegion(byteCount: bytes.count)
        bytes.withUnsafeBytes { if let p = $0.baseAddress { region.base.copyMemory(from: p, byteCount: $0.count) } }
        return try HNSWGraph(
            bytes: UnsafeRawBufferPointer(start: region.base, count: bytes.count), owner: region, isCold: true)
    }

    private func bytes(_ data: TestRows) throws -> [UInt8] {
        let builder = try HNSWBuilder(parameters: .init(m: 8, efConstruct: 60), count: Self.count)
        try builder.build(source: .rows(data.slice(0..<Self.count), .cosine))
        var out: [UInt8] = []
        builder.serialize { out += $0 }
        return out
    }

    @Test("A cold graph gives answers as good as one in memory, filtered or not")
    func answers() throws {
        let data = TestRows(count: Self.count + 40, dimension: 24, distance: .cosine, seed: 71)
        let rows = data.slice(0..<Self.count)
        let form = try bytes(data)
        let warm = try buildGraph(.rows(rows, .cosine), .init(m: 8, efConstruct: 60))
        var sums: [Double] = [0, 0, 0, 0]
        for q in 0..<40 {
            let query = UnsafePointer(data.base + (Self.count + q) * 24)
            let truth = slowSearch(.cosine, rows, query, 10)
            let even = slowSearch(.cosine, rows, query, 10) { $0 % 2 == 0 }
            let admit: RowPredicate = { rows, count, out in for i in 0..<count { out[i] = rows[i] % 2 == 0 } }
            for (place, graph) in [warm, try cold(form)].enumerated() {
                let index = DenseIndex(distance: .cosine, rows: rows, codes: nil, graph: graph, owner: data)
                sums[place] += recall(index.search(query: query, options: .init(limit: 10, ef: 60)), truth)
                sums[2 + place] += recall(
                    index.search(query: query, options: .init(limit: 10, ef: 60), admit: admit), even)
            }
        }
        #expect(sums[1] > sums[0] - 0.4)
        #expect(sums[3] > sums[2] - 0.4)
        #expect(sums[0] > 36)
    }

    @Test("Whatever the bytes of a cold graph are, a search stays inside of them")
    func damaged() throws {
        let data = TestRows(count: Self.count + 1, dimension: 24, distance: .cosine, seed: 72)
        let rows = data.slice(0..<Self.count)
        let form = try bytes(data)
        var random = TestRandom(seed: 5)
        let query = UnsafePointer(data.base + Self.count * 24)
        var accepted = 0
        for round in 0..<60 {
            var bytes = form
            // Behind the header, whose fields are checked at opening.
            for _ in 0..<(round < 30 ? 40 : 4000) {
                bytes[64 + Int(random.next() % UInt64(bytes.count - 64))] = UInt8(truncatingIfNeeded: random.next())
            }
            guard let graph = try? cold(bytes) else { continue }
            accepted += 1
            let index = DenseIndex(distance: .cosine, rows: rows, codes: nil, graph: graph, owner: data)
            let found = index.search(query: query, options: .init(limit: 10, ef: 60))
            #expect(found.allSatisfy { Int($0.row) < Self.count })
            // Growing one looks at it first.
            _ = try buildGraph(.rows(rows, .cosine), .init(m: 8, efConstruct: 60), existing: graph)
        }
        #expect(accepted > 20)
    }
}
