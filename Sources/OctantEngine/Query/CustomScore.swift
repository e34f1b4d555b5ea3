/// A score made of the similarities to several examples. Larger is better, whatever the distance; similarities are the
/// engine's own (of Euclid, minus the squared distance).
package enum CustomScore: Hashable, Sendable {
    /// The similarity to the only example.
    case similarity
    /// The best similarity, of a positive example (they come first) or, negated, of a negative one.
    case best(positives: Int)
    /// Similarities to the first examples less those to the others.
    case sum(positives: Int)
    /// Pairs of which the point is on the positive side less the others, then nearness to example 0.
    case discover
    /// How far the point is on the negative side of each pair; 0 at best.
    case context
    /// The similarity to example 0 and differences of similarities, weighted by differences of ratings.
    case feedback(a: Float, pairs: [FeedbackPair])

    /// A pair of rated examples: the better one, the worse one, and what their difference weighs.
    package struct FeedbackPair: Hashable, Sendable {
        var better: Int
        var worse: Int
        var weight: Float
    }

    /// Feedback with these ratings of examples 1, 2, …: a pair for each two that differ, weighing `gap^b * c`.
    package static func feedback(ratings: [Float], a: Float, b: Float, c: Float) -> CustomScore {
        var pairs: [FeedbackPair] = []
        for better in ratings.indices {
            for worse in ratings.indices where ratings[better] > ratings[worse] {
                let gap = ratings[better] - ratings[worse]
                pairs.append(FeedbackPair(better: better + 1, worse: worse + 1, weight: power(gap, b) * c))
            }
        }
        return .feedback(a: a, pairs: pairs)
    }

    /// The score of the point whose similarity to example *e* is `similarities[e * stride]`.
    func score(_ similarities: UnsafePointer<Float>, stride: Int, count: Int) -> Float {
        var score: Float = 0
        switch self {
        case .similarity: return similarities[0]
        case .best(let positives):
            var best = -Float.infinity
            var worst = -Float.infinity
            for example in 0..<positives { best = max(best, similarities[example &* stride]) }
            for example in positives..<max(count, positives) { worst = max(worst, similarities[example &* stride]) }
            score = best > worst ? Self.scaledSigmoid(best) : -Self.scaledSigmoid(worst)
        case .sum(let positives):
            for example in 0..<positives { score += similarities[example &* stride] }
            for example in positives..<max(count, positives) { score -= similarities[example &* stride] }
        case .discover:
            var rank = 0
            for pair in Swift.stride(from: 1, to: count &- 1, by: 2) {
                let (near, far) = (similarities[pair &* stride], similarities[(pair &+ 1) &* stride])
                rank &+= near > far ? 1 : near < far ? -1 : 0
            }
            score = Float(rank) + Self.scaledSigmoid(similarities[0])
        case .context:
            for pair in Swift.stride(from: 0, to: count &- 1, by: 2) {
                let gap = similarities[pair &* stride] - similarities[(pair &+ 1) &* stride] - Float.ulpOfOne
                score += Self.sigmoid(min(gap, 0))
            }
        case .feedback(let a, let pairs):
            score = a * similarities[0]
            for pair in pairs {
                score += pair.weight * (similarities[pair.better &* stride] - similarities[pair.worse &* stride])
            }
        }
        return score.isNaN ? -.infinity : score
    }

    /// From -1 to 1, cheaply.
    static func sigmoid(_ x: Float) -> Float { x.isFinite ? x / (1 + x.magnitude) : x }

    /// From 0 to 1, cheaply.
    static func scaledSigmoid(_ x: Float) -> Float { 0.5 * (sigmoid(x) + 1) }
}
