import COctantKernels
package import OctantModel

/// Searching by sparse vectors. Scores are dot products over shared indices, in single precision, in ascending order of
/// the indices, so that a row has the same score however it was found.
extension SparseIndex {
    /// A dimension of the query that some row has.
    private struct Term {
        var weight: Float
        /// No row gets more than this from the term; not negative.
        var bound: Float
        /// The next entry of its postings, and where they end.
        var next: Int
        var end: Int
    }

    /// Rows whose sums are kept at once: 32 KiB of them, which stay in the first-level cache.
    private static let window = 8192
    private static let block = 128
    /// Terms are left out while what they could add is below this share of the worst result: adding up a list costs a
    /// fraction of a nanosecond an entry, scoring a row that passed only because its sum is uncertain some hundred.
    private static let skippedShare: Float = 0.1

    /// The best rows that share an index with `query` (ascending indices), best first; ties: lower row first.
    ///
    /// Postings are added up a window of rows at a time. Once `limit` rows are known, terms that together cannot lift a
    /// row over the worst of them are left out (MaxScore: Turtle and Flood 1995, "Query evaluation: strategies and
    /// optimizations", section 4), which are those with the longest lists, as a rule; a row that passes without them is
    /// scored by its own vector.
    package func search(_ query: SparseVector, limit: Int, admit: RowPredicate?) -> [ScoredRow] {
        var (terms, slack) = terms(of: query)
        guard limit > 0, !terms.isEmpty else { return [] }
        let scratch = ScratchPool.take()
        defer { ScratchPool.give(scratch) }
        let capacity = min(limit, count)
        scratch.reservePool(capacity)
        var best = TopKeys(scratch.pool, capacity: capacity)
        let sums = UnsafeMutablePointer<Float>.allocate(capacity: Self.window)
        defer { sums.deallocate() }
        query.withRow { query in
            var base = 0
            while base < count {
                let size = min(Self.window, count &- base)
                let (skipped, bound) = unneeded(terms, floor: best.floor, slack: slack)
                sums.update(repeating: -0.0, count: size)
                for place in skipped..<terms.count { add(&terms[place], sums, from: base, count: size) }
                collect(sums, base, size, margin: bound + slack, query, scratch, admit, &best)
                base &+= size
            }
        }
        return best.rows(limit: limit)
    }

    /// The terms that occur, those that can give least first, and a bound of the error of summing.
    private func terms(of query: SparseVector) -> (terms: [Term], slack: Float) {
        var terms: [Term] = []
        var total: Float = 0
        for (index, weight) in zip(query.indices, query.values) {
            guard let place = place(of: index) else { continue }
            let entries = postings(place)
            guard !entries.isEmpty else { continue }
            let (low, high) = (weight * lowest[place], weight * highest[place])
            total += max(low.magnitude, high.magnitude)
            terms.append(
                Term(weight: weight, bound: max(low, high, 0), next: entries.lowerBound, end: entries.upperBound))
        }
        terms.sort { $0.bound < $1.bound }
        // Each of n additions and products is off by 2^-24 of what it gives, at most.
        return (terms, total * Float(2 * terms.count + 2) * 0x1p-23)
    }

    /// How many of the first terms cannot together reach `floor`, and what they can reach.
    private func unneeded(_ terms: [Term], floor: Float, slack: Float) -> (count: Int, bound: Float) {
        var count = 0
        var bound: Float = 0
        while count < terms.count, bound + terms[count].bound + slack < floor * Self.skippedShare {
            bound += terms[count].bound
            count += 1
        }
        return (count, bound)
    }

    /// Adds a term's products to the sums of rows from `base` on. A sum that was touched is never -0.
    private func add(_ term: inout Term, _ sums: UnsafeMutablePointer<Float>, from base: Int, count: Int) {
        let limit = UInt32(truncatingIfNeeded: base &+ count)
        let first = UInt32(truncatingIfNeeded: base)
        let rows = postingRows
        let weights = weights
        let weight = term.weight
        var entry = term.next
        let end = term.end
        while entry < end {
            let row = rows[entry]
            if row >= limit { break }
            sums[Int(row &- first)] += weight * weights[entry] + 0
            entry &+= 1
        }
        term.next = entry
    }

    /// Scores the rows of a window that can enter the result.
    private func collect(
        _ sums: UnsafePointer<Float>, _ base: Int, _ size: Int, margin: Float, _ query: SparseRow,
        _ scratch: SearchScratch, _ admit: RowPredicate?, _ best: inout TopKeys
    ) {
        let untouched = (-Float(0)).bitPattern
        var start = 0
        while start < size {
            let length = min(Self.block, size &- start)
            let picked = Int(ok_above(sums + start, length, best.floor - margin, scratch.picked))
            var hits = 0
            for place in 0..<picked {
                let row = start &+ Int(scratch.picked[place])
                guard sums[row].bitPattern != untouched else { continue }
                let number = UInt32(truncatingIfNeeded: base &+ row)
                guard let score = entries(number).dot(query), score >= best.floor else { continue }
                scratch.ids[hits] = number
                scratch.scores[hits] = score
                hits &+= 1
            }
            Self.insert(hits, scratch, admit, &best)
            start &+= length
        }
    }

    private static func insert(_ hits: Int, _ scratch: SearchScratch, _ admit: RowPredicate?, _ best: inout TopKeys) {
        guard hits > 0 else { return }
        if let admit {
            scratch.admitted.update(repeating: false, count: hits)
            admit(scratch.ids, hits, scratch.admitted)
            for place in 0..<hits where scratch.admitted[place] {
                best.insert(scoreKey(scratch.scores[place], scratch.ids[place]))
            }
        } else {
            for place in 0..<hits { best.insert(scoreKey(scratch.scores[place], scratch.ids[place])) }
        }
    }

    /// The best of the candidates `rows` (distinct, each below ``count``), scored one by one.
    package func scan(rows: [UInt32], _ query: SparseVector, limit: Int) -> [ScoredRow] {
        guard limit > 0, !rows.isEmpty, !query.indices.isEmpty else { return [] }
        let weights = QueryWeights(query)
        let scratch = ScratchPool.take()
        defer { ScratchPool.give(scratch) }
        let capacity = min(limit, rows.count)
        scratch.reservePool(capacity)
        var best = TopKeys(scratch.pool, capacity: capacity)
        for row in rows where Int(row) < count {
            if let score = weights.dot(entries(row)) { best.insert(scoreKey(score, row)) }
        }
        return best.rows(limit: limit)
    }
}

/// Searching sparse vectors that have no inverted index.
package enum SparseScan {
    /// The best of the `count` vectors at `rows`, best first; ties: lower row first.
    ///
    /// - Parameter admit: asked about rows that would enter the result.
    package static func best(
        _ rows: UnsafePointer<SparseRow?>, count: Int, _ query: SparseVector, limit: Int, admit: (UInt32) -> Bool
    ) -> [ScoredRow] {
        guard limit > 0, count > 0, !query.indices.isEmpty else { return [] }
        let weights = QueryWeights(query)
        let scratch = ScratchPool.take()
        defer { ScratchPool.give(scratch) }
        let capacity = min(limit, count)
        scratch.reservePool(capacity)
        var best = TopKeys(scratch.pool, capacity: capacity)
        for row in 0..<count {
            guard let vector = rows[row], let score = weights.dot(vector), score >= best.floor else { continue }
            let number = UInt32(truncatingIfNeeded: row)
            if admit(number) { best.insert(scoreKey(score, number)) }
        }
        return best.rows(limit: limit)
    }

    /// How many of the vectors at `rows` for which `isLive` holds there are, and how many of them have a number at each
    /// index of `query`; added to what is there.
    package static func count(
        _ rows: UnsafePointer<SparseRow?>, count: Int, _ query: SparseVector, isLive: (UInt32) -> Bool,
        total: inout Int, frequencies: inout [Int]
    ) {
        let places = QueryWeights(
            SparseVector(indices: query.indices, values: query.indices.indices.map { Float($0) }))
        for row in 0..<count {
            guard let vector = rows[row], isLive(UInt32(truncatingIfNeeded: row)) else { continue }
            total += 1
            for entry in 0..<vector.count {
                if let place = places.weight(vector.indices[entry]) { frequencies[Int(place)] += 1 }
            }
        }
    }
}

/// A sparse vector that many others are compared with.
package struct SparseWeights: Sendable {
    private let weights: QueryWeights

    /// A vector with ascending indices.
    package init(_ vector: SparseVector) { weights = QueryWeights(vector) }

    /// The dot product over shared indices; `nil` if none is shared.
    package func dot(_ row: SparseRow) -> Float? { weights.dot(row) }
}

/// The weights of a query by dimension: a hash table that is mostly empty, so that a miss costs one look.
struct QueryWeights: Sendable {
    private let slots: [(index: UInt32, weight: Float, used: Bool)]
    private let shift: UInt32

    /// The table of a vector.
    init(_ query: SparseVector) {
        var bits: UInt32 = 4
        while 1 << bits < query.indices.count * 4 { bits += 1 }
        shift = 32 - bits
        var slots = [(index: UInt32, weight: Float, used: Bool)](repeating: (0, 0, false), count: 1 << bits)
        for (index, weight) in zip(query.indices, query.values) {
            var slot = Self.slot(index, shift)
            while slots[slot].used { slot = (slot &+ 1) & (slots.count &- 1) }
            slots[slot] = (index, weight, true)
        }
        self.slots = slots
    }

    @inline(__always)
    private static func slot(_ index: UInt32, _ shift: UInt32) -> Int { Int((index &* 0x9E37_79B1) >> shift) }

    /// The weight of a dimension; `nil` if the query does not have it.
    @inline(__always)
    func weight(_ index: UInt32) -> Float? {
        slots.withUnsafeBufferPointer { slots in
            var slot = Self.slot(index, shift)
            while slots[slot].used {
                if slots[slot].index == index { return slots[slot].weight }
                slot = (slot &+ 1) & (slots.count &- 1)
            }
            return nil
        }
    }

    /// The dot product over shared indices; `nil` if none is shared.
    @inline(__always)
    func dot(_ row: SparseRow) -> Float? {
        var sum: Float = 0
        var shared = false
        for entry in 0..<row.count {
            guard let weight = weight(row.indices[entry]) else { continue }
            sum += row.values[entry] * weight
            shared = true
        }
        return shared ? sum : nil
    }
}
