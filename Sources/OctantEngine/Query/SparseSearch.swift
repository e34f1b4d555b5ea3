import OctantModel
import OctantPayload
import OctantVectors

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// A search of one part by a sparse vector: by the inverted index, or row by row where that reads less.
struct SparseSearch {
    let search: NearestSearch
    let query: SparseVector
    let view: ReadView
    private var lsn: UInt64 { view.lsn }

    /// What reading a row's vector costs in entries of an inverted index.
    private static let entriesPerRow = 40

    func run(_ segment: Segment) -> [ScoredRow] {
        guard let field = segment.sparseField(search.using) else { return [] }
        let tombstones = segment.tombstones
        let out = search.excluded.flatMap { segment.row(of: $0, at: lsn) } ?? .max
        let checksRows = tombstones.killedCount > 0 || out != .max
        func isVisible(_ row: UInt32) -> Bool { row != out && tombstones.isLive(row, at: lsn) }
        guard let filter = search.filter, !filter.isEmpty else {
            guard checksRows else { return field.index.search(query, limit: search.limit, admit: nil) }
            return field.index.search(query, limit: search.limit) { rows, count, admitted in
                for place in 0..<count { admitted[place] = isVisible(rows[place]) }
            }
        }
        let compiled = CompiledFilter(filter, rows: FilterView(segment, view))
        if compiled.isFullyIndexed, scanIsCheaper(compiled.cardinality.expected, field) {
            var rows = compiled.matchingRows()
            rows.removeAll { !isVisible($0) || !field.index.isPresent($0) }
            return field.index.scan(rows: rows, query, limit: search.limit)
        }
        return field.index.search(query, limit: search.limit) { rows, count, admitted in
            compiled.matches(rows, count, admitted)
            guard checksRows else { return }
            for place in 0..<count where admitted[place] { admitted[place] = isVisible(rows[place]) }
        }
    }

    private func scanIsCheaper(_ matches: Int, _ field: SegmentSparse) -> Bool {
        matches <= field.fullScanThreshold && matches * Self.entriesPerRow <= field.index.postingCount(query)
    }

    func run(_ memtable: Memtable) -> [ScoredRow] {
        guard let field = memtable.sparse.first(where: { $0.name == search.using }) else { return [] }
        let rowCount = memtable.rowCount(at: lsn)
        let tombstones = memtable.tombstones
        let out = search.excluded.flatMap { memtable.row(of: $0, at: lsn) } ?? .max
        let compiled = search.filter.flatMap { filter in
            filter.isEmpty ? nil : CompiledFilter(filter, rows: FilterView(memtable, view))
        }
        // The vector first: most rows share nothing with the query, and a payload is dearer to read.
        return SparseScan.best(field.vectors, count: rowCount, query, limit: search.limit) { row in
            row != out && tombstones.isLive(row, at: lsn) && compiled?.matches(row) ?? true
        }
    }
}

extension ReadView {
    /// The query with each weight multiplied by the inverse document frequency of its dimension among the points of this
    /// view that have the vector and pass `corpus`: ln((N − df + ½) / (df + ½) + 1) (Robertson and Zaragoza 2009, "The
    /// probabilistic relevance framework", section 3.3, in the form that is never negative).
    func weightedByFrequency(_ query: SparseVector, using: String, among corpus: Filter?) -> SparseVector {
        let corpus = corpus.flatMap { $0.isEmpty ? nil : $0 }
        var total = 0
        var frequencies = [Int](repeating: 0, count: query.indices.count)
        for segment in segments {
            guard let field = segment.sparseField(using) else { continue }
            if let corpus {
                count(query, among: corpus, in: segment, field, &total, &frequencies)
                continue
            }
            let tombstones = segment.tombstones
            let someDied = tombstones.killedCount > 0
            let isLive: ((UInt32) -> Bool)? = someDied ? { tombstones.isLive($0, at: lsn) } : nil
            if someDied {
                for row in 0..<UInt32(segment.rowCount) where field.index.isPresent(row) {
                    if tombstones.isLive(row, at: lsn) { total += 1 }
                }
            } else {
                total += field.index.presentCount
            }
            for (place, index) in query.indices.enumerated() {
                frequencies[place] += field.index.documentFrequency(index, isLive: isLive)
            }
        }
        for slot in memtables {
            guard let field = slot.table.sparse.first(where: { $0.name == using }) else { continue }
            let tombstones = slot.table.tombstones
            let compiled = corpus.map { CompiledFilter($0, rows: FilterView(slot.table, self)) }
            SparseScan.count(
                field.vectors, count: slot.table.rowCount(at: lsn), query,
                isLive: { tombstones.isLive($0, at: lsn) && compiled?.matches($0) ?? true },
                total: &total, frequencies: &frequencies)
        }
        var weighted = query
        for place in query.values.indices {
            let (count, frequency) = (Double(total), Double(frequencies[place]))
            weighted.values[place] *= Float(log((count - frequency + 0.5) / (frequency + 0.5) + 1))
        }
        return weighted
    }

    /// Adds the points of a segment that have the vector and pass `corpus`, and those of them that have each index.
    private func count(
        _ query: SparseVector, among corpus: Filter, in segment: Segment, _ field: SegmentSparse,
        _ total: inout Int, _ frequencies: inout [Int]
    ) {
        let tombstones = segment.tombstones
        var rows = [Bool](repeating: false, count: segment.rowCount)
        for row in CompiledFilter(corpus, rows: FilterView(segment, self)).matchingRows() {
            guard field.index.isPresent(row), tombstones.isLive(row, at: lsn) else { continue }
            rows[Int(row)] = true
            total += 1
        }
        for (place, index) in query.indices.enumerated() {
            frequencies[place] += field.index.documentFrequency(index) { rows[Int($0)] }
        }
    }
}
