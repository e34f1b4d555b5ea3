#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// Which `ef` reaches which recall in one collection: measured, made monotone, and read by interpolation.
///
/// Recall never falls with `ef` but for chance, so a measured series is replaced by the nearest one that does not fall
/// (pool adjacent violators: Ayer et al. 1955, "An Empirical Distribution Function for Sampling with Incomplete
/// Information"). Between two of its points, the logarithm of `ef` is interpolated over that of the loss 1 − recall: both
/// fall nearly along a line.
public struct RecallCurve: Sendable, Hashable {
    /// One measurement.
    public struct Entry: Sendable, Hashable {
        /// Candidates kept during the walk.
        public var ef: Int
        /// Share of the true nearest points that were found.
        public var recall: Double
        /// Its standard error.
        public var error: Double

        /// A measurement.
        public init(ef: Int, recall: Double, error: Double) {
            self.ef = ef
            self.recall = recall
            self.error = error
        }
    }

    /// How many points the searches were to find.
    public let limit: Int
    /// The measurements, ascending by `ef`, with recalls that do not fall.
    public let entries: [Entry]

    /// A curve of measurements in any order.
    public init(limit: Int, entries: [Entry]) {
        self.limit = limit
        var blocks: [(recall: Double, entries: [Entry])] = []
        for entry in entries.sorted(by: { $0.ef < $1.ef }) {
            blocks.append((entry.recall, [entry]))
            while blocks.count > 1, blocks[blocks.count - 1].recall < blocks[blocks.count - 2].recall {
                let last = blocks.removeLast()
                let before = blocks.removeLast()
                let (a, b) = (Double(before.entries.count), Double(last.entries.count))
                blocks.append(((before.recall * a + last.recall * b) / (a + b), before.entries + last.entries))
            }
        }
        self.entries = blocks.flatMap { block in
            block.entries.map { Entry(ef: $0.ef, recall: block.recall, error: $0.error) }
        }
    }

    /// The smallest `ef` at which recall is at least `recall`, less what chance may have added: one standard error.
    /// `nil` if no measured `ef` reaches it.
    public func ef(for recall: Double) -> Int? {
        guard let place = entries.firstIndex(where: { $0.recall - $0.error >= recall }) else { return nil }
        let upper = entries[place]
        guard place > 0 else { return upper.ef }
        let lower = entries[place - 1]
        let (a, b) = (Self.loss(lower), Self.loss(upper))
        let wanted = max(1 - recall, Self.lossMin)
        guard a > b, wanted < a, wanted > b else { return upper.ef }
        let share = (log2(a) - log2(wanted)) / (log2(a) - log2(b))
        let ef = exp2(log2(Double(lower.ef)) * (1 - share) + log2(Double(upper.ef)) * share)
        return min(max(Int(ef.rounded(.up)), lower.ef), upper.ef)
    }

    private static let lossMin = 1e-4
    /// The largest `ef` that is ever chosen.
    static let efMax = 1 << 20

    private static func loss(_ entry: Entry) -> Double { max(1 - entry.recall + entry.error, lossMin) }

    /// What a search without a curve uses: two to four times what real text embeddings need.
    ///
    /// - Parameters:
    ///   - recall: above 0, below 1.
    ///   - limit: how many points are to be found.
    public static func cautiousEF(recall: Double, limit: Int) -> Int {
        let base = 5 / max(1 - recall, 1e-3)
        let larger = Double(max(limit, 10)) / 10
        let wanted = max((base * larger.squareRoot()).rounded(.toNearestOrAwayFromZero), 2 * Double(limit))
        return Int(min(wanted, Double(efMax)))
    }
}

/// The `ef` for a recall at any limit, from curves at some limits.
public struct RecallCurves: Sendable, Hashable {
    /// Curves, ascending by limit.
    public private(set) var curves: [RecallCurve]

    /// Some curves.
    public init(_ curves: [RecallCurve]) { self.curves = curves.sorted { $0.limit < $1.limit } }

    /// The `ef` at which searches for `limit` points reach `recall`; `nil` if none that was measured does.
    ///
    /// At limits below the first curve's, that curve is used: fewer points are found more surely. Between two curves,
    /// `ef` grows linearly; above the last, in proportion to the limit.
    public func ef(for recall: Double, limit: Int) -> Int? {
        guard let next = curves.firstIndex(where: { $0.limit >= limit }) else {
            guard let last = curves.last, let ef = last.ef(for: recall) else { return nil }
            let scaled = Double(ef) * Double(limit) / Double(max(last.limit, 1))
            return scaled < Double(RecallCurve.efMax) ? Int(scaled.rounded(.up)) : nil
        }
        let above = curves[next]
        guard let ef = above.ef(for: recall) else { return nil }
        guard next > 0, above.limit > limit, let below = curves[next - 1].ef(for: recall), below < ef else { return ef }
        let lower = curves[next - 1].limit
        let share = Double(limit - lower) / Double(above.limit - lower)
        return Int((Double(below) + Double(ef - below) * share).rounded(.up))
    }
}
