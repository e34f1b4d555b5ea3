import OctantModel

/// Turns what was measured on some of the points into what all of them will show.
///
/// A graph of more points is harder to search and costs more: at the same `ef`, recall is lower and a search takes
/// longer. By how much is known for the present configuration, which is measured on both; the same factors of loss (1 −
/// recall) and of time are taken for the others. That is a prediction: `docs/tuning.md` says how good it is.
struct SizeCorrection {
    private struct Factor {
        var ef: Int
        var loss: Double
        var time: Double
    }

    private let factors: [Factor]
    /// How many times as many points all are.
    private let rowRatio: Double

    /// Losses below this are chance.
    private static let lossMin = 0.001

    init(whole: [TuningPoint], sample: [TuningPoint], rowRatio: Double) {
        self.rowRatio = rowRatio
        var factors: [Factor] = []
        for point in whole {
            guard let ef = point.search.hnswEF, let other = sample.first(where: { $0.search.hnswEF == ef }) else {
                continue
            }
            factors.append(
                Factor(
                    ef: ef, loss: max(1, max(1 - point.recall, Self.lossMin) / max(1 - other.recall, Self.lossMin)),
                    time: max(0.5, point.p50Microseconds / max(other.p50Microseconds, 0.1))))
        }
        self.factors = factors.sorted { $0.ef < $1.ef }
    }

    /// The figures of a point for all rows.
    func corrected(_ point: TuningPoint) -> TuningPoint {
        var point = point
        point.memoryBytes = Int(Double(point.memoryBytes) * rowRatio)
        // The series of the present configuration may have ended before this one's.
        guard let ef = point.search.hnswEF, let factor = factors.last(where: { $0.ef <= ef }) ?? factors.first else {
            return point
        }
        point.recall = max(0, 1 - max(1 - point.recall, Self.lossMin) * factor.loss)
        point.recallError *= factor.loss.squareRoot()
        point.p50Microseconds *= factor.time
        point.p95Microseconds *= factor.time
        return point
    }
}
