import OctantModel

@testable import OctantVectors

/// SplitMix64: the same numbers everywhere.
struct TestRandom: RandomNumberGenerator {
    var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var x = state
        x = (x ^ (x >> 30)) &* 0xbf58_476d_1ce4_e5b9
        x = (x ^ (x >> 27)) &* 0x94d0_49bb_1331_11eb
        return x ^ (x >> 31)
    }

    mutating func unit() -> Float { Float(next() >> 40) / Float(1 << 24) }

    /// About normal: twelve uniform numbers.
    mutating func normal() -> Float {
        var s: Float = 0
        for _ in 0..<12 { s += unit() }
        return s - 6
    }
}

/// Rows that own their memory.
final class TestRows: @unchecked Sendable {
    // SAFETY: written by init only.
    let base: UnsafeMutablePointer<Float>
    let count: Int
    let dimension: Int
    var rows: DenseRows { DenseRows(base: base, count: count, dimension: dimension) }

    /// Clusters with a low-dimensional structure, as embeddings have; `extra` rows come from the same source.
    init(count: Int, dimension: Int, distance: Distance, seed: UInt64, clusters: Int = 30, latent: Int = 12) {
        self.count = count
        self.dimension = dimension
        base = .allocate(capacity: max(1, count * dimension))
        var random = TestRandom(seed: seed)
        let mix = (0..<latent * dimension).map { _ in random.normal() }
        let centres = (0..<clusters * latent).map { _ in random.normal() * 1.5 }
        for row in 0..<count {
            let cluster = Int(random.next() % UInt64(clusters))
            let z = (0..<latent).map { centres[cluster * latent + $0] + random.normal() }
            for i in 0..<dimension {
                var s = random.normal() * 0.3
                for j in 0..<latent { s += z[j] * mix[j * dimension + i] }
                base[row * dimension + i] = s
            }
            if distance == .cosine { DenseKernels.normalize(base + row * dimension, dimension) }
        }
    }

    deinit { base.deallocate() }

    func slice(_ range: Range<Int>) -> DenseRows {
        DenseRows(base: base + range.lowerBound * dimension, count: range.count, dimension: dimension)
    }
}

extension DenseRows {
    /// The components of a row of floats.
    func row(_ index: UInt32) -> UnsafePointer<Float> { address(index).assumingMemoryBound(to: Float.self) }
}

/// Similarity the slow way, in double precision.
func slowSimilarity(_ d: Distance, _ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, _ n: Int) -> Double {
    var s = 0.0
    for i in 0..<n {
        let x = Double(a[i])
        let y = Double(b[i])
        switch d {
        case .cosine, .dot: s += x * y
        case .euclid: s -= (x - y) * (x - y)
        case .manhattan: s -= abs(x - y)
        }
    }
    return s
}

/// The exact answer, by sorting everything; scores by the kernel so that ties fall alike.
func slowSearch(
    _ d: Distance, _ rows: DenseRows, _ query: UnsafePointer<Float>, _ limit: Int,
    where admitted: (UInt32) -> Bool = { _ in true }
) -> [ScoredRow] {
    let all = (0..<UInt32(rows.count)).filter(admitted).map {
        ScoredRow(row: $0, score: DenseKernels.similarity(d, query, rows.row($0), rows.dimension))
    }
    return Array(all.sorted { $0.score != $1.score ? $0.score > $1.score : $0.row < $1.row }.prefix(limit))
}

func recall(_ found: [ScoredRow], _ truth: [ScoredRow]) -> Double {
    guard !truth.isEmpty else { return 1 }
    let set = Set(truth.map(\.row))
    return Double(found.filter { set.contains($0.row) }.count) / Double(truth.count)
}

func buildGraph(
    _ source: HNSWBuilder.Source, _ parameters: HNSWParameters = .init(), existing: HNSWGraph? = nil, threads: Int = 1,
    isPresent: (@Sendable (UInt32) -> Bool)? = nil
) throws -> HNSWGraph {
    let builder = try HNSWBuilder(parameters: parameters, count: source.count)
    try builder.build(source: source, existing: existing, threads: threads, isPresent: isPresent)
    return try builder.makeGraph()
}
