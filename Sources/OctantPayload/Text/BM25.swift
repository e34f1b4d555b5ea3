package import OctantModel

/// Turns texts into sparse vectors whose dot product, with the IDF modifier on the query's side, is the BM25 score.
package struct BM25: Sendable {
    private let k: Double
    private let b: Double
    private let averageLength: Double
    private let analyzer: TextAnalyzer

    /// A conversion with these parameters; those out of their range are refused.
    package init(_ config: BM25Config = BM25Config()) throws(OctantError) {
        (k, b, averageLength) = (config.k, config.b, config.averageLength)
        guard k.isFinite, k >= 0 else { throw OctantError(.badInput, "BM25: k must be at least 0, got \(k)") }
        guard (0...1).contains(b) else { throw OctantError(.badInput, "BM25: b must be from 0 to 1, got \(b)") }
        guard averageLength.isFinite, averageLength > 0 else {
            throw OctantError(.badInput, "BM25: avg_len must be greater than 0, got \(averageLength)")
        }
        try config.analysis.checkAvailable()
        analyzer = TextAnalyzer(config.analysis)
    }

    /// The vector of a document: for each token its saturated frequency, in double precision and then rounded.
    /// Indices ascend; tokens with the same index (one pair in millions) are added up.
    package func document(_ text: String) -> (indices: [UInt32], values: [Float]) {
        var counts: [[UInt8]: Int] = [:]
        var length = 0
        analyzer.forEachToken(text, isQuery: false) { token in
            counts[token, default: 0] += 1
            length += 1
        }
        let norm = k * (1 - b + b * Double(length) / averageLength)
        var weights: [UInt32: Float] = [:]
        // In the order of tokens, so that even sums are the same everywhere.
        for (token, count) in counts.sorted(by: { $0.key.lexicographicallyPrecedes($1.key) }) {
            let count = Double(count)
            weights[Self.index(token), default: 0] += Float(count * (k + 1) / (norm + count))
        }
        let sorted = weights.sorted { $0.key < $1.key }
        return (sorted.map(\.key), sorted.map(\.value))
    }

    /// The vector of a query: 1 for each token. Indices ascend.
    package func query(_ text: String) -> (indices: [UInt32], values: [Float]) {
        var found: Set<UInt32> = []
        analyzer.forEachToken(text, isQuery: true) { found.insert(Self.index($0)) }
        let indices = found.sorted()
        return (indices, indices.map { _ in 1 })
    }

    /// The dimension of a token: the absolute value of its hash, read as a signed number.
    static func index(_ token: [UInt8]) -> UInt32 {
        token.withUnsafeBytes { Int32(bitPattern: Murmur3.hash32($0)).magnitude }
    }
}
