import OctantModel
import Testing

@testable import OctantVectors

@Suite("Walks of two hops")
struct TwoHopTests {
    private func index(_ data: TestRows, _ rows: DenseRows, _ distance: Distance) throws -> DenseIndex {
        let codes = try Int8Codes.make(rows: rows, distance: distance)
        return DenseIndex(
            distance: distance, rows: rows, codes: .int8(codes), graph: try buildGraph(.codes(codes)), owner: data)
    }

    @Test("find the best of the rows that pass, and only those", arguments: [1, 5, 20, 50, 100])
    func predicates(percent: Int) throws {
        for distance in [Distance.cosine, .euclid] {
            let count = 4000
            let data = TestRows(count: count + 20, dimension: 32, distance: distance, seed: 61)
            let index = try index(data, data.slice(0..<count), distance)
            let passes: @Sendable (UInt32) -> Bool = { Int(($0 &* 2_654_435_761) >> 16) % 100 < percent }
            let admit: RowPredicate = { rows, n, out in for i in 0..<n { out[i] = passes(rows[i]) } }
            var sum = 0.0
            for q in 0..<20 {
                let query = UnsafePointer(data.base + (count + q) * 32)
                for (useCodes, ef) in [(false, 64), (true, 64), (true, 10)] {
                    let options = DenseIndex.Options(limit: 10, ef: ef, useCodes: useCodes, twoHops: true)
                    let found = index.search(query: query, options: options, admit: admit)
                    #expect(found.allSatisfy { passes($0.row) } && Set(found.map(\.row)).count == found.count)
                    let truth = slowSearch(distance, index.rows, query, 10, where: passes)
                    if ef == 64 { sum += recall(found, truth) }
                    #expect(found == found.sorted { $0.score != $1.score ? $0.score > $1.score : $0.row < $1.row })
                }
            }
            // Of one percent, most nodes have none within two hops: such filters are for scans.
            if percent > 1 { #expect(sum / 40 >= 0.95, "\(distance): \(sum / 40)") }
        }
    }

    @Test("leave nothing behind: the same search again, and another one, give what they gave before")
    func repeatable() throws {
        let data = TestRows(count: 3000, dimension: 24, distance: .cosine, seed: 62)
        let index = try index(data, data.slice(0..<2990), .cosine)
        let third: RowPredicate = { rows, n, out in for i in 0..<n { out[i] = rows[i] % 3 == 0 } }
        let query = UnsafePointer(data.base + 2995 * 24)
        var options = DenseIndex.Options(limit: 10, ef: 40, twoHops: true)
        let first = index.search(query: query, options: options, admit: third)
        let plain = index.search(query: query, options: .init(limit: 10, ef: 40))
        for _ in 0..<5 {
            #expect(index.search(query: query, options: options, admit: third) == first)
            #expect(index.search(query: query, options: .init(limit: 10, ef: 40)) == plain)
        }
        let nothing: RowPredicate = { _, n, out in for i in 0..<n { out[i] = false } }
        #expect(index.search(query: query, options: options, admit: nothing).isEmpty)
        options.visitLimit = 1
        #expect(index.search(query: query, options: options, admit: third).count <= 10)
    }

    @Test("work at the widest lists a graph may have")
    func wide() throws {
        let data = TestRows(count: 1500, dimension: 8, distance: .euclid, seed: 63)
        let rows = data.slice(0..<1490)
        let graph = try buildGraph(.rows(rows, .euclid), HNSWParameters(m: 256, efConstruct: 300))
        let index = DenseIndex(distance: .euclid, rows: rows, codes: nil, graph: graph, owner: data)
        for modulus in [2, 7, 40] as [UInt32] {
            let admit: RowPredicate = { rows, n, out in for i in 0..<n { out[i] = rows[i] % modulus == 0 } }
            let query = UnsafePointer(data.base + 1495 * 8)
            let found = index.search(query: query, options: .init(limit: 10, ef: 50, twoHops: true), admit: admit)
            let truth = slowSearch(.euclid, rows, query, 10) { $0 % modulus == 0 }
            #expect(recall(found, truth) >= 0.9)
        }
    }
}
