package import OctantModel

extension Fusion {
    /// The points of several lists, each best first, by their joint score; equal scores by id.
    package func merge(_ lists: [[(id: PointID, score: Float)]]) -> [(id: PointID, score: Float)] {
        var sums: [PointID: Float] = [:]
        for (number, list) in lists.enumerated() {
            let scores: [Float]
            switch self {
            case .rrf(let k, let weights):
                scores = Self.reciprocalRanks(list.count, k: k, weight: weights.map { $0[number] } ?? 1)
            case .dbsf: scores = Self.normalized(list.map(\.score))
            }
            for (entry, score) in zip(list, scores) { sums[entry.id, default: 0] += score }
        }
        return sums.map { (id: $0.key, score: $0.value) }
            .sorted { $0.score != $1.score ? $0.score > $1.score : $0.id < $1.id }
    }

    /// What each rank of a list of `count` is worth (Cormack, Clarke and Büttcher, "Reciprocal Rank Fusion", 2009, with
    /// ranks from 0 and stretched by the weight).
    private static func reciprocalRanks(_ count: Int, k: Int, weight: Float) -> [Float] {
        guard weight > 0 else { return [Float](repeating: 0, count: count) }
        return (0..<count).map { 1 / ((Float($0) + 1) / weight + Float(k) - 1) }
    }

    /// Scores with mean ± 3 sample standard deviations as 0 and 1; 0.5 where there is no deviation.
    private static func normalized(_ scores: [Float]) -> [Float] {
        guard scores.count > 1 else { return scores.map { _ in 0.5 } }
        let mean = scores.reduce(0) { $0 + Double($1) } / Double(scores.count)
        let squares = scores.reduce(0) { $0 + (Double($1) - mean) * (Double($1) - mean) }
        let deviation = (squares / Double(scores.count - 1)).squareRoot()
        guard deviation > 0, deviation.isFinite else { return scores.map { _ in 0.5 } }
        return scores.map { Float((Double($0) - (mean - 3 * deviation)) / (6 * deviation)) }
    }
}
