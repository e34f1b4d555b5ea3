import OctantModel
import Testing

@testable import OctantVectors

@Suite("Sparse index")
struct SparseIndexTests {
    /// Random vectors over a few hundred dimensions with word-like frequencies; every seventh row has none.
    private func vectors(_ count: Int, negative: Bool, _ random: inout TestRandom) -> [SparseVector?] {
        (0..<count).map { row in
            if row % 7 == 3 { return nil }
            return vector(Int(random.next() % 12), negative: negative, &random)
        }
    }

    private func vector(_ size: Int, negative: Bool, _ random: inout TestRandom) -> SparseVector {
        var indices: Set<UInt32> = []
        while indices.count < size {
            let unit = random.unit()
            indices.insert(UInt32(unit * unit * unit * 400) &* 7_368_787)
        }
        let list = indices.sorted()
        return SparseVector(indices: list, values: list.map { _ in random.unit() * 3 - (negative ? 1.5 : 0) })
    }

    private func encoded(_ vectors: [SparseVector?]) throws -> [UInt8] {
        let arena = SparseArena(vectors)
        var bytes: [UInt8] = []
        try SparseIndex.encode(count: vectors.count, vector: { arena.rows[Int($0)] }) { bytes += $0 }
        withExtendedLifetime(arena) {}
        return bytes
    }

    private func index(_ bytes: [UInt8]) throws -> SparseIndex {
        let region = try HugeRegion(byteCount: max(1, bytes.count))
        UnsafeMutableRawBufferPointer(start: region.base, count: bytes.count).copyBytes(from: bytes)
        return try SparseIndex(bytes: UnsafeRawBufferPointer(start: region.base, count: bytes.count), owner: region)
    }

    private func dot(_ a: SparseVector, _ b: SparseVector) -> Float? {
        let weights = Dictionary(uniqueKeysWithValues: zip(b.indices, b.values))
        let shared = zip(a.indices, a.values).filter { weights[$0.0] != nil }
        return shared.isEmpty ? nil : shared.reduce(0) { $0 + $1.1 * (weights[$1.0] ?? 0) }
    }

    @Test(
        "a search gives what scoring every vector gives, bit for bit",
        arguments: [(50, false), (3000, false), (20_000, false), (20_000, true)])
    func search(count: Int, negative: Bool) throws {
        var random = TestRandom(seed: UInt64(count))
        let vectors = vectors(count, negative: negative, &random)
        let index = try index(try encoded(vectors))
        #expect(index.presentCount == vectors.count { $0 != nil })
        for row in stride(from: 0, to: count, by: 17) { #expect(index.vector(UInt32(row))?.vector == vectors[row]) }
        for round in 0..<12 {
            let query = vector(Int(random.next() % 15), negative: negative && round % 2 == 0, &random)
            for (limit, modulus) in [(1, 1), (10, 1), (10, 3), (5000, 2), (100_000, 1)] as [(Int, UInt32)] {
                var expected: [ScoredRow] = []
                for (row, vector) in vectors.enumerated() where UInt32(row) % modulus == 0 {
                    guard let vector, let score = dot(vector, query) else { continue }
                    expected.append(ScoredRow(row: UInt32(row), score: score))
                }
                expected.sort { $0.score != $1.score ? $0.score > $1.score : $0.row < $1.row }
                let admit: RowPredicate? =
                    modulus == 1 ? nil : { rows, count, out in for i in 0..<count { out[i] = rows[i] % modulus == 0 } }
                #expect(index.search(query, limit: limit, admit: admit) == Array(expected.prefix(limit)))
                let rows = (0..<UInt32(count)).filter { $0 % modulus == 0 && index.isPresent($0) }
                #expect(index.scan(rows: rows, query, limit: limit) == Array(expected.prefix(limit)))
            }
        }
    }

    @Test("document frequencies count rows, or those that live")
    func frequencies() throws {
        var random = TestRandom(seed: 4)
        let vectors = vectors(500, negative: false, &random)
        let index = try index(try encoded(vectors))
        for dimension in (0..<400).map({ UInt32($0) &* 7_368_787 }) {
            let rows = vectors.indices.filter { vectors[$0]?.indices.contains(dimension) ?? false }
            #expect(index.documentFrequency(dimension, isLive: nil) == rows.count)
            #expect(index.documentFrequency(dimension) { $0 % 2 == 0 } == rows.count { $0 % 2 == 0 })
        }
    }

    @Test("no rows, no vectors, empty vectors and an empty query are all searched")
    func empty() throws {
        for vectors in [[], [nil, nil], [SparseVector(indices: [], values: []), nil]] as [[SparseVector?]] {
            let index = try index(try encoded(vectors))
            #expect(index.search(SparseVector(indices: [1], values: [1]), limit: 5, admit: nil).isEmpty)
            #expect(index.search(SparseVector(indices: [], values: []), limit: 5, admit: nil).isEmpty)
            for row in vectors.indices { #expect(index.vector(UInt32(row))?.vector == vectors[row]) }
        }
    }

    @Test("a damaged index is refused or harmless")
    func damaged() throws {
        var random = TestRandom(seed: 5)
        let bytes = try encoded(vectors(12, negative: true, &random))
        let query = vector(9, negative: true, &random)
        func probe(_ bytes: [UInt8]) {
            guard let index = try? index(bytes) else { return }
            _ = index.search(query, limit: 5, admit: nil)
            for row in 0..<UInt32(index.count) { _ = index.vector(row)?.vector }
            _ = index.documentFrequency(7_368_787, isLive: nil)
        }
        for length in 0..<bytes.count { probe(Array(bytes[..<length])) }
        for _ in 0..<3000 {
            var damaged = bytes
            for _ in 0...(random.next() % 3) {
                damaged[Int(random.next() % UInt64(bytes.count))] = UInt8(truncatingIfNeeded: random.next())
            }
            probe(damaged)
        }
    }
}

/// Vectors at fixed places.
private final class SparseArena {
    private(set) var rows: [SparseRow?] = []
    private var memory: [UnsafeMutableRawPointer] = []

    init(_ vectors: [SparseVector?]) {
        for vector in vectors {
            guard let vector else {
                rows.append(nil)
                continue
            }
            let count = vector.indices.count
            let place = UnsafeMutableRawPointer.allocate(byteCount: max(8, count * 8), alignment: 8)
            memory.append(place)
            let indices = place.bindMemory(to: UInt32.self, capacity: count)
            let values = (place + count * 4).bindMemory(to: Float.self, capacity: count)
            for i in 0..<count {
                indices[i] = vector.indices[i]
                values[i] = vector.values[i]
            }
            rows.append(SparseRow(indices: indices, values: values, count: count))
        }
    }

    deinit { for place in memory { place.deallocate() } }
}
