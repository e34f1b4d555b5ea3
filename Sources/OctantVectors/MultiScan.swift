package import OctantModel

/// A stored multivector in place: `count` rows, one after another, at least one. Lives as long as its holder.
package struct MultiRow: @unchecked Sendable {
    // SAFETY: read-only memory for as long as a value is in use.
    /// First component, aligned for the element.
    package let base: UnsafeRawPointer
    private let number: UInt32
    /// What a component is.
    package let element: RowElement
    /// How many rows there are.
    package var count: Int { Int(number) }

    /// Rows of floats at `base`.
    package init(base: UnsafePointer<Float>, count: Int) {
        self.init(base: UnsafeRawPointer(base), element: .float32, count: count)
    }

    /// Rows at `base`, fewer than 2^31.
    package init(base: UnsafeRawPointer, element: RowElement, count: Int) {
        self.base = base
        self.element = element
        number = UInt32(truncatingIfNeeded: count)
    }

    /// The rows, each of `dimension` components.
    package func dense(_ dimension: Int) -> DenseRows {
        DenseRows(base: base, element: element, count: count, dimension: dimension)
    }

    /// A copy, a row at a time.
    package func rows(dimension: Int) -> [[Float]] {
        let rows = dense(dimension)
        return (0..<number).map { rows.copy($0) }
    }
}

/// A query of several dense rows, compared with stored multivectors by MaxSim: the sum over the query's rows of the best
/// similarity with a row of the other (Khattab and Zaharia 2020, "ColBERT", section 3.3).
package struct MultiQuery: Sendable {
    /// All rows, one after another.
    package let components: [Float]
    /// Numbers in a row.
    package let dimension: Int
    /// How rows are compared.
    package let distance: Distance

    /// A query of rows of equal width in stored form.
    package init(rows: [[Float]], dimension: Int, distance: Distance) {
        components = rows.filter { $0.count == dimension }.flatMap { $0 }
        self.dimension = dimension
        self.distance = distance
    }

    /// The best of the vectors at `table` (`nil` where a row has none), best first; ties: lower row first.
    ///
    /// - Parameters:
    ///   - rows: the candidates, ascending; `nil`: the first `count`.
    ///   - admit: asked about each candidate that has a vector, before it is scored.
    package func best(
        _ table: UnsafePointer<MultiRow?>, count: Int, rows: [UInt32]? = nil, limit: Int,
        admit: (UInt32) -> Bool
    ) -> [ScoredRow] {
        let candidates = rows?.count ?? count
        guard limit > 0, candidates > 0, dimension > 0, !components.isEmpty else { return [] }
        let scratch = ScratchPool.take()
        defer { ScratchPool.give(scratch) }
        let capacity = min(limit, candidates)
        scratch.reservePool(capacity)
        var best = TopKeys(scratch.pool, capacity: capacity)
        components.withUnsafeBufferPointer { query in
            guard let query = query.baseAddress else { return }
            for place in 0..<candidates {
                let row = rows?[place] ?? UInt32(truncatingIfNeeded: place)
                guard Int(row) < count, let vector = table[Int(row)], admit(row) else { continue }
                best.insert(scoreKey(score(query, vector, scratch.scores), row))
            }
        }
        return best.rows(limit: limit)
    }

    /// The similarity of a stored multivector.
    package func similarity(_ vector: MultiRow) -> Float {
        let scratch = ScratchPool.take()
        defer { ScratchPool.give(scratch) }
        return components.withUnsafeBufferPointer { query in
            query.baseAddress.map { score($0, vector, scratch.scores) } ?? 0
        }
    }

    @inline(__always)
    private func score(_ query: UnsafePointer<Float>, _ vector: MultiRow, _ out: UnsafeMutablePointer<Float>) -> Float {
        let rows = vector.dense(dimension)
        var sum: Float = 0
        var at = 0
        while at < components.count {
            var top = -Float.infinity
            var start = 0
            while start < vector.count {
                let size = min(SearchScratch.block, vector.count &- start)
                DenseKernels.batch(
                    distance, query: query + at, rows: rows, start: start, count: size, out: out)
                for i in 0..<size where out[i] > top { top = out[i] }
                start &+= size
            }
            sum += top
            at &+= dimension
        }
        return sum
    }
}
