package import OctantModel

/// How far scores by codes can be from those of the original vectors.
package struct ScoreBound: Sendable {
    package let distance: Distance
    /// Dot and cosine: bound of |exact - approximate|. Euclid, Manhattan: bound of the difference of the distances.
    package let slack: Float

    /// A bound; one that is not a number bounds nothing.
    package init(distance: Distance, slack: Float) {
        self.distance = distance
        self.slack = slack >= 0 ? slack : .infinity
    }

    /// An upper bound of the exact similarity, given the approximate one.
    @inline(__always)
    package func best(_ approximate: Float) -> Float {
        switch distance {
        case .cosine, .dot, .manhattan: return approximate + slack
        case .euclid:
            let length = max(0, (max(0, 0 - approximate)).squareRoot() - slack)
            return 0 - length * length
        }
    }

    /// What an error of a score is measured in, so that one number holds for near rows and far ones: the difference of
    /// the similarities or, for Euclid, of the distances.
    static func error(_ distance: Distance, exact: Float, approximate: Float) -> Float {
        guard distance == .euclid else { return exact - approximate }
        return max(0, 0 - approximate).squareRoot() - max(0, 0 - exact).squareRoot()
    }

    /// How many standard deviations a bound by measured deviation is wide: of normally distributed errors one in 740
    /// is outside on the side that matters.
    package static let deviations: Float = 3
}

/// Measures the error of scores by codes on rows of the kind that searches end among: the nearest of a sample.
package enum ScoreDeviation {
    /// Rows in a sample.
    private static let rowsMax = 2048
    /// Rows of the sample taken as queries.
    private static let queriesMax = 64
    /// How many of the nearest rows of each query count.
    private static let nearest = 16

    /// A regular sample of the rows, one after another in memory.
    package static func sample(_ rows: DenseRows) -> [Float] {
        var sample: [Float] = []
        let step = max(1, rows.count / rowsMax)
        sample.reserveCapacity((rows.count / step + 1) * rows.dimension)
        rows.withBuffer { buffer in
            for row in stride(from: 0, to: rows.count, by: step) {
                sample.append(
                    contentsOf: UnsafeBufferPointer(
                        start: rows.floats(UInt32(truncatingIfNeeded: row), buffer), count: rows.dimension))
            }
        }
        return sample
    }

    /// The root of the mean squared error of scores of near rows, per unit of the query's length for dot and cosine.
    ///
    /// - Parameters:
    ///   - rows: the rows that were encoded: a ``sample(_:)``.
    ///   - scores: the scores by codes of all of them for a query of `dimension` floats.
    package static func measure(
        _ rows: DenseRows, _ distance: Distance, scores: (UnsafePointer<Float>, UnsafeMutablePointer<Float>) -> Void
    ) -> Float {
        guard rows.count > 1 else { return 0 }
        let exact = UnsafeMutablePointer<Float>.allocate(capacity: rows.count)
        let approximate = UnsafeMutablePointer<Float>.allocate(capacity: rows.count)
        defer {
            exact.deallocate()
            approximate.deallocate()
        }
        var sum = 0.0
        var count = 0
        let buffer = UnsafeMutablePointer<Float>.allocate(capacity: rows.dimension)
        defer { buffer.deallocate() }
        for query in stride(from: 0, to: rows.count, by: max(1, rows.count / queriesMax)) {
            let vector = rows.floats(UInt32(truncatingIfNeeded: query), buffer)
            DenseKernels.batch(distance, query: vector, rows: rows, start: 0, count: rows.count, out: exact)
            scores(vector, approximate)
            let length = distance == .cosine || distance == .dot ? DenseKernels.length(vector, rows.dimension) : 1
            guard length > 0 else { continue }
            // The query itself is nearer than anything a search will meet.
            let order = (0..<rows.count).filter { $0 != query }.sorted { exact[$0] > exact[$1] }
            for row in order.prefix(nearest) {
                let error = ScoreBound.error(distance, exact: exact[row], approximate: approximate[row]) / length
                guard error.isFinite else { continue }
                sum += Double(error) * Double(error)
                count += 1
            }
        }
        return count > 0 ? Float((sum / Double(count)).squareRoot()) : 0
    }
}
