#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// The choice of one of several measured points by a goal. Pure: values in, values out.
///
/// Among the points that meet the goal, the cheapest is chosen: the fastest where memory is limited, the smallest where
/// time is, and where both are or neither is, the one of the least product of time and memory. A point meets a wanted
/// recall if its ``TuningPoint/safeRecall`` does.
struct TuningChoice {
    let place: Int?
    let meetsGoal: Bool
    let statement: String

    init(goal: TuningGoal, points: [TuningPoint]) {
        guard !points.isEmpty else {
            (place, meetsGoal, statement) = (nil, false, "Nothing was measured.")
            return
        }
        let order: (Int, Int) -> Bool = { a, b in
            let (x, y) = (Self.cost(points[a], goal), Self.cost(points[b], goal))
            return x != y ? x < y : points[a].recall > points[b].recall
        }
        if let best = points.indices.filter({ Self.excess(points[$0], goal) == 0 }).min(by: order) {
            (place, meetsGoal) = (best, true)
            statement = "The cheapest configuration that meets the goal: " + Self.words(points[best]) + "."
            return
        }
        let nearest = points.indices.min {
            let (x, y) = (Self.excess(points[$0], goal), Self.excess(points[$1], goal))
            return x != y ? x < y : order($0, $1)
        }
        (place, meetsGoal) = (nearest, false)
        let words = nearest.map { " The nearest is \(Self.words(points[$0]))." } ?? ""
        statement = Self.whatFails(goal, points) + words
    }

    private static func cost(_ point: TuningPoint, _ goal: TuningGoal) -> Double {
        let time = max(point.p50Microseconds, 0.001)
        let memory = Double(max(point.memoryBytes, 1))
        return switch (goal.memoryBytes, goal.p95Milliseconds) {
        case (_?, nil): time
        case (nil, _?): memory
        default: time * memory
        }
    }

    /// By how much a point misses the goal: the sum of the logarithms of each share of too much time, memory or loss of
    /// recall; 0 if it meets it.
    private static func excess(_ point: TuningPoint, _ goal: TuningGoal) -> Double {
        var excess = 0.0
        if let recall = goal.recall, point.safeRecall < recall, recall < 1 || point.recall < 1 {
            excess += log((1.001 - point.safeRecall) / (1.001 - recall))
        }
        if let limit = goal.memoryBytes, point.memoryBytes > limit {
            excess += log(Double(point.memoryBytes) / Double(limit))
        }
        if let limit = goal.p95Milliseconds, point.p95Microseconds > limit * 1000 {
            excess += log(point.p95Microseconds / (limit * 1000))
        }
        return excess
    }

    /// Which of the wishes fail alone, or that they fail together only.
    private static func whatFails(_ goal: TuningGoal, _ points: [TuningPoint]) -> String {
        var sentences: [String] = []
        if let recall = goal.recall {
            let best = points.map(\.safeRecall).max() ?? 0
            if !points.contains(where: { excess($0, TuningGoal(recall: recall)) == 0 }) {
                sentences.append(
                    "No measured configuration reaches recall \(recall); the best reaches \(decimal(best)).")
            } else {
                var rest = goal
                rest.recall = nil
                let within = points.filter { excess($0, rest) == 0 }.map(\.safeRecall).max()
                if let within {
                    sentences.append(
                        "Recall \(recall) is not reached within the limits; the best within them is \(decimal(within))."
                    )
                }
            }
        }
        if let limit = goal.memoryBytes, let least = points.map(\.memoryBytes).min(), least > limit {
            sentences.append("Nothing fits into \(megabytes(limit)); the least is \(megabytes(least)).")
        }
        if let limit = goal.p95Milliseconds, let least = points.map(\.p95Microseconds).min(), least > limit * 1000 {
            sentences.append("Nothing is as fast as \(limit) ms; the fastest takes \(decimal(least / 1000)) ms.")
        }
        return sentences.isEmpty ? "The wishes cannot be met together." : sentences.joined(separator: " ")
    }

    private static func words(_ point: TuningPoint) -> String {
        var words = point.configuration.name
        if point.search.exact { words += ", exact" }
        if let ef = point.search.hnswEF { words += ", hnsw_ef \(ef)" }
        if let rescore = point.search.rescore { words += rescore ? ", rescoring" : ", no rescoring" }
        if let oversampling = point.search.oversampling { words += ", oversampling \(decimal(oversampling))" }
        return words + ": recall \(decimal(point.recall)) ± \(decimal(point.recallError)), p50 "
            + "\(decimal(point.p50Microseconds / 1000)) ms, p95 \(decimal(point.p95Microseconds / 1000)) ms, "
            + megabytes(point.memoryBytes) + (point.source == .predicted ? " (predicted)" : "")
    }

    private static func decimal(_ value: Double) -> String { "\((value * 10_000).rounded() / 10_000)" }

    private static func megabytes(_ bytes: Int) -> String { "\(Double(bytes / 100_000) / 10) MB" }
}
