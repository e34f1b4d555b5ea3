import OctantModel
import Testing

@testable import OctantVectors

@Suite("Several segments searched as one")
struct SharedBoundTests {
    /// Indexes over consecutive slices of the same rows.
    private func indexes(
        _ data: TestRows, _ distance: Distance, count: Int, parts: [Int], coded: Bool = true
    ) throws -> [(index: DenseIndex, start: Int)] {
        let total = parts.reduce(0, +)
        var start = 0
        var used = 0
        return try parts.map { part in
            let begin = start
            used += part
            start = count * used / total
            let rows = data.slice(begin..<start)
            let codes = try Int8Codes.make(rows: rows, distance: distance)
            let graph = try buildGraph(.codes(codes))
            let index = DenseIndex(
                distance: distance, rows: rows, codes: coded ? .int8(codes) : nil, graph: graph, owner: data)
            return (index, begin)
        }
    }

    /// The best of all parts, with rows numbered through.
    private func search(
        _ parts: [(index: DenseIndex, start: Int)], _ query: UnsafePointer<Float>, _ options: DenseIndex.Options,
        admit: ((UInt32) -> Bool)? = nil
    ) -> [ScoredRow] {
        let share = SharedBound(ef: options.poolSize, partRows: parts.map(\.index.rows.count))
        let pools = parts.compactMap { part in
            let predicate: RowPredicate? = admit.map { admit in
                { rows, count, out in for i in 0..<count { out[i] = admit(rows[i] + UInt32(part.start)) } }
            }
            return part.index.candidates(query: query, options: options, admit: predicate, share: share)
        }
        #expect(pools.count == parts.count)
        for pool in pools { pool.complete(share: share) }
        let all = zip(parts, CandidatePool.best(pools, query: query)).flatMap { part, rows in
            rows.map { ScoredRow(row: $0.row + UInt32(part.start), score: $0.score) }
        }
        return Array(all.sorted { $0.score != $1.score ? $0.score > $1.score : $0.row < $1.row }.prefix(options.limit))
    }

    private func matches(_ found: [ScoredRow], _ truth: [ScoredRow]) -> Double {
        OctantVectorsTests.recall(found, truth)
    }

    @Test(
        "Recall in 2, 5 and 16 segments is not below that in one at the same ef", arguments: [Distance.cosine, .euclid])
    func recall(distance: Distance) throws {
        let count = 3000
        let queries = 60
        let data = TestRows(count: count + queries, dimension: 24, distance: distance, seed: 77)
        let layouts = [[1], [1, 1], [8, 4, 2, 1, 1], [Int](repeating: 1, count: 16)]
        let built = try layouts.map { try indexes(data, distance, count: count, parts: $0) }
        for ef in [24, 64] {
            var recalls: [Double] = []
            for parts in built {
                var sum = 0.0
                for q in 0..<queries {
                    let query = UnsafePointer(data.base + (count + q) * 24)
                    let truth = slowSearch(distance, data.slice(0..<count), query, 10)
                    let found = search(parts, query, .init(limit: 10, ef: ef))
                    #expect(found.count == 10 && Set(found.map(\.row)).count == 10)
                    for row in found {
                        #expect(row.score == DenseKernels.similarity(distance, query, data.rows.row(row.row), 24))
                    }
                    sum += matches(found, truth)
                }
                recalls.append(sum / Double(queries))
            }
            for recall in recalls.dropFirst() {
                #expect(recall >= recalls[0] - 0.01, "\(distance), ef \(ef): \(recalls)")
            }
        }
    }

    @Test(
        "A pool as large as the rows gives the exact answer, whatever the order of rescoring", arguments: [true, false])
    func whole(coded: Bool) throws {
        let data = TestRows(count: 620, dimension: 16, distance: .euclid, seed: 5)
        let parts = try indexes(data, .euclid, count: 600, parts: [5, 2, 1], coded: coded)
        for q in 0..<20 {
            let query = UnsafePointer(data.base + (600 + q) * 16)
            for limit in [1, 10, 100] {
                let found = search(parts, query, .init(limit: limit, ef: 600))
                #expect(found == slowSearch(.euclid, data.slice(0..<600), query, limit))
            }
        }
    }

    @Test("Walks with a predicate find what passes it in all segments")
    func admitted() throws {
        let count = 2000
        let data = TestRows(count: count + 50, dimension: 16, distance: .cosine, seed: 9)
        let parts = try indexes(data, .cosine, count: count, parts: [3, 2, 1, 1, 1])
        for modulus in [2, 10] as [UInt32] {
            var sum = 0.0
            for q in 0..<50 {
                let query = UnsafePointer(data.base + (count + q) * 16)
                let found = search(parts, query, .init(limit: 10, ef: 64)) { $0 % modulus == 1 }
                #expect(found.allSatisfy { $0.row % modulus == 1 })
                sum += matches(
                    found, slowSearch(.cosine, data.slice(0..<count), query, 10) { $0 % modulus == 1 })
            }
            #expect(sum / 50 >= 0.96, "one of \(modulus)")
        }
    }

    @Test("The floor is the score at the capacity's place of all that was published, and never falls")
    func floor() {
        var random = TestRandom(seed: 3)
        let share = SharedBound(ef: 20, partRows: [100, 100, 100, 100])
        #expect(share.capacity == 40)
        #expect(SharedBound(ef: 20, partRows: [100]).capacity == 20)
        #expect(SharedBound(ef: 20, partRows: []).capacity == 20)
        var all: [Float] = []
        for _ in 0..<8 {
            let scores = (0..<Int(random.next() % 30)).map { _ in random.normal() }.sorted(by: >)
            all = (all + scores).sorted(by: >)
            let keys = scores.enumerated().map { scoreKey($1, UInt32($0)) }
            keys.withUnsafeBufferPointer { buffer in
                if let base = buffer.baseAddress { share.publish(base, buffer.count) }
            }
            #expect(share.floor == (all.count >= 40 ? all[39] : -.infinity))
        }
    }
}
