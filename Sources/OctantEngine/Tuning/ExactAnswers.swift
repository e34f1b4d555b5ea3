package import OctantModel
import OctantVectors

/// The true nearest points of many queries, by one pass over all rows.
package struct ExactAnswers: Sendable {
    /// For each query, in their order: the ids that count as found. More than the limit where scores are equal.
    package let accepted: [Set<PointID>]
    /// For each query: how many there are to find.
    package let wanted: [Int]

    /// Rows compared with all queries before the next rows are read: they stay in the second-level cache.
    private static let block = 256

    /// Compares every living row of `view` with every query.
    ///
    /// - Parameters:
    ///   - sample: the queries.
    ///   - limits: how many of the nearest are asked for.
    ///   - pacer: rests between blocks.
    package static func compute(
        _ sample: QuerySample, limits: [Int], view: ReadView, pacer: Pacer
    ) throws(TuningCancelled) -> [ExactAnswers] {
        // One more than the limit for the query's own point, some more for equal scores.
        let kept = (limits.max() ?? 0) + 17
        let examples = Examples(
            using: sample.using, distance: sample.distance, vectors: sample.entries.map { .dense($0.vector) })
        var best = [Nearest](repeating: Nearest(capacity: kept), count: sample.entries.count)
        for source in view.sources where source.rowCount > 0 {
            guard let similarity = examples.similarity(in: source, view, overlapping: true) else { continue }
            var rows: [UInt32] = []
            view.forEachMatch(nil, in: source) { row in
                if similarity.isPresent(row) { rows.append(row) }
            }
            var matrix = [Float](repeating: 0, count: Self.block * max(sample.entries.count, 1))
            var start = 0
            while start < rows.count {
                let count = min(Self.block, rows.count - start)
                rows.withUnsafeBufferPointer { rows in
                    matrix.withUnsafeMutableBufferPointer { matrix in
                        guard let rows = rows.baseAddress, let matrix = matrix.baseAddress else { return }
                        similarity.similarities(of: rows + start, count, into: matrix)
                        for query in best.indices {
                            best[query].insert(matrix + query * count, rows + start, count, of: source)
                        }
                    }
                }
                start += count
                try pacer.pause()
            }
        }
        let found = zip(sample.entries, best).map { entry, best in best.sorted.filter { $0.id != entry.own } }
        return limits.map { ExactAnswers(found, limit: $0) }
    }

    private init(_ found: [[(score: Float, id: PointID)]], limit: Int) {
        wanted = found.map { min($0.count, limit) }
        accepted = found.map { found in
            guard limit > 0, found.count > limit else { return Set(found.map(\.id)) }
            let last = found[limit - 1].score
            return Set(found.prefix { $0.score >= last }.map(\.id))
        }
    }

    /// The share of the true answers among what a search found for query `number`.
    package func recall(of found: [PointID], query number: Int) -> Double {
        guard wanted[number] > 0 else { return 1 }
        let hits = found.reduce(0) { $0 + (accepted[number].contains($1) ? 1 : 0) }
        return min(1, Double(hits) / Double(wanted[number]))
    }
}

/// The nearest of a query so far.
private struct Nearest {
    private let capacity: Int
    private var entries: [(score: Float, id: PointID)] = []
    private var floor = -Float.infinity

    init(capacity: Int) { self.capacity = capacity }

    @inline(__always)
    mutating func insert(
        _ scores: UnsafePointer<Float>, _ rows: UnsafePointer<UInt32>, _ count: Int, of source: any RowSource
    ) {
        for place in 0..<count where scores[place] >= floor {
            entries.append((scores[place], source.id(rows[place])))
            if entries.count >= 4 * capacity { shrink() }
        }
    }

    private mutating func shrink() {
        entries = sorted
        if entries.count > capacity { entries.removeLast(entries.count - capacity) }
        if entries.count == capacity, let last = entries.last { floor = last.score }
    }

    var sorted: [(score: Float, id: PointID)] {
        entries.sorted { $0.score != $1.score ? $0.score > $1.score : $0.id < $1.id }
    }
}
