package import OctantModel

/// Measures searches of one view: recall against exact answers, and processor time on one thread.
package struct RecallMeter {
    /// What a way to search costs and finds.
    package struct Reading: Sendable, Hashable {
        /// Mean recall, and its standard error.
        package var recall: Double
        package var recallError: Double
        /// Microseconds of processor time of a search: median and 95th percentile.
        package var p50Microseconds: Double
        package var p95Microseconds: Double

        package init(recall: Double, recallError: Double, p50Microseconds: Double, p95Microseconds: Double) {
            self.recall = recall
            self.recallError = recallError
            self.p50Microseconds = p50Microseconds
            self.p95Microseconds = p95Microseconds
        }
    }

    package let view: ReadView
    package let sample: QuerySample
    /// Without threads of its own: all work is done, and its time counted, on the measuring thread.
    private let pool: ComputePool

    /// A meter of searches on `view`.
    package init(view: ReadView, sample: QuerySample) {
        self.view = view
        self.sample = sample
        pool = ComputePool(name: "octant-tune", threadCount: 1)
        pool.close()
    }

    /// Searches of a first lap that are not counted: they bring the graph into the caches.
    private static let warmups = 20

    /// Asks every query once.
    ///
    /// - Parameters:
    ///   - limit: how many points a search is to find.
    ///   - truth: the exact answers for that limit.
    package func measure(
        _ params: SearchParams, limit: Int, truth: ExactAnswers, pacer: Pacer
    ) throws(TuningCancelled) -> Reading {
        for entry in sample.entries.prefix(Self.warmups) { _ = search(entry, params, limit) }
        var recalls: [Double] = []
        var times: [Double] = []
        for (number, entry) in sample.entries.enumerated() {
            let start = Pacer.threadNanoseconds
            let found = search(entry, params, limit)
            times.append(Double(Pacer.threadNanoseconds &- start) / 1000)
            recalls.append(truth.recall(of: found, query: number))
            try pacer.pause()
        }
        times.sort()
        let count = Double(max(recalls.count, 1))
        let mean = recalls.reduce(0, +) / count
        let variance = recalls.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / max(count - 1, 1)
        return Reading(
            recall: mean, recallError: Self.error(variance: variance, mean: mean, count: count, limit: limit),
            p50Microseconds: Self.percentile(times, 0.5), p95Microseconds: Self.percentile(times, 0.95))
    }

    /// The standard error of the mean. Where no query missed anything the sample says nothing of the variance; then it is
    /// that of one miss in all answers.
    private static func error(variance: Double, mean: Double, count: Double, limit: Int) -> Double {
        let least = 1 / (count * Double(max(limit, 1)))
        return max((variance / count).squareRoot(), least)
    }

    private static func percentile(_ sorted: [Double], _ share: Double) -> Double {
        guard !sorted.isEmpty else { return 0 }
        return sorted[min(Int(Double(sorted.count) * share), sorted.count - 1)]
    }

    /// The ids found. A stored vector's own point is found too, by the same walk as for any other query, and then left
    /// out; to keep it out of the walk would be a search with a filter, which is another thing to measure.
    private func search(_ entry: QuerySample.Entry, _ params: SearchParams, _ limit: Int) -> [PointID] {
        let search = NearestSearch(
            using: sample.using, distance: sample.distance, query: entry.vector, filter: nil, excluded: nil,
            params: params, limit: entry.own == nil ? limit : limit + 1)
        return Array(search.run(view, pool: pool).map(\.id).filter { $0 != entry.own }.prefix(limit))
    }
}
