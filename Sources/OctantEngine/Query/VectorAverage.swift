import OctantModel

/// The one vector that stands for the examples of a recommendation: `avg(positive) + (avg(positive) - avg(negative))`.
enum VectorAverage {
    /// Dense vectors of one width. At least one positive.
    static func dense(positive: [[Float]], negative: [[Float]]) -> [Float] {
        var vector = mean(positive)
        guard !negative.isEmpty else { return vector }
        let negative = mean(negative)
        for place in vector.indices { vector[place] += vector[place] - negative[place] }
        return vector
    }

    private static func mean(_ vectors: [[Float]]) -> [Float] {
        var sum = vectors.first ?? []
        for vector in vectors.dropFirst() { for place in sum.indices { sum[place] += vector[place] } }
        return sum.map { $0 / Float(vectors.count) }
    }

    /// Sparse vectors: per index, where a vector without the index counts as zero.
    static func sparse(positive: [SparseVector], negative: [SparseVector]) -> SparseVector {
        let (positive, minus) = (sum(positive), sum(negative))
        var average = positive.sums.mapValues { $0 / Float(max(positive.count, 1)) }
        if minus.count > 0 {
            average = average.mapValues { $0 * 2 }
            for (index, value) in minus.sums { average[index, default: 0] -= value / Float(minus.count) }
        }
        let indices = average.keys.sorted()
        return SparseVector(indices: indices, values: indices.map { average[$0] ?? 0 })
    }

    private static func sum(_ vectors: [SparseVector]) -> (sums: [UInt32: Float], count: Int) {
        var sums: [UInt32: Float] = [:]
        for vector in vectors {
            for (index, value) in zip(vector.indices, vector.values) { sums[index, default: 0] += value }
        }
        return (sums, vectors.count)
    }

    /// Multivectors: the rows of the positives, and those of the negatives with the opposite sign.
    static func multi(positive: [[[Float]]], negative: [[[Float]]]) -> [[Float]] {
        positive.flatMap { $0 } + negative.flatMap { rows in rows.map { row in row.map { 0 - $0 } } }
    }
}
