import OctantModel
import OctantPayload
import OctantVectors

/// A search of one segment: chooses between graph, scan of codes, scan of originals, and scan of the rows that pass the
/// filter, by what each would cost.
struct SegmentSearch {
    private let search: NearestSearch
    private let segment: Segment
    private let field: SegmentVectors
    private let view: ReadView
    private var lsn: UInt64 { view.lsn }
    private let excludedRow: UInt32

    /// `nil` if the segment has no vector of this name.
    init?(_ search: NearestSearch, _ segment: Segment, _ view: ReadView) {
        guard let field = segment.field(search.using), field.presentCount > 0 else { return nil }
        self.search = search
        self.segment = segment
        self.field = field
        self.view = view
        excludedRow = search.excluded.flatMap { segment.row(of: $0, at: view.lsn) } ?? .max
    }

    func run() -> [ScoredRow] {
        search.query.withUnsafeBufferPointer { query in
            guard let query = query.baseAddress else { return [] }
            guard let filter = search.filter, !filter.isEmpty else {
                if field.hasGraph, !search.params.exact {
                    let found = field.index.search(query: query, options: options, admit: liveness)
                    // Where most rows are dead, the walk may end among them.
                    if found.count >= min(search.limit, livingAtLeast) { return found }
                }
                return field.index.scanAll(query: query, options: options, admit: liveness, range: nil)
            }
            return run(query, CompiledFilter(filter, rows: FilterView(segment, view)))
        }
    }

    private var ef: Int { max(search.params.hnswEF ?? field.defaultEF, search.limit) }

    /// How this search uses codes: as the user says where the user asked for codes; where they are the engine's own,
    /// every score is of the originals.
    private var options: DenseIndex.Options {
        let wanted = search.params.quantization
        var options = DenseIndex.Options(
            limit: search.limit, ef: ef, mode: search.params.exact ? .exact : .automatic)
        options.useCodes = wanted?.ignore != true
        options.oversampling = max(1, wanted?.oversampling ?? 1)
        options.rescore = field.quantization == nil || (wanted?.rescore ?? false)
        options.rescoreWholePool = field.params.onDisk != true
        return options
    }

    private var checksRows: Bool {
        segment.tombstones.killedCount > 0 || field.hasAbsent || excludedRow != .max
    }

    /// Rows that can be found, counted low: rows that died after the view are left out, and a dead row may be one
    /// without the vector.
    private var livingAtLeast: Int {
        field.presentCount - segment.tombstones.killedCount - (excludedRow == .max ? 0 : 1)
    }

    private func isVisible(_ row: UInt32) -> Bool {
        row != excludedRow && segment.tombstones.isLive(row, at: lsn) && field.isPresent(row)
    }

    /// Leaves out rows that are dead, have no vector, or are the query's own; `nil` if there are none.
    private var liveness: RowPredicate? {
        guard checksRows else { return nil }
        return { rows, count, admitted in
            for place in 0..<count { admitted[place] = isVisible(rows[place]) }
        }
    }

    private func run(_ query: UnsafePointer<Float>, _ compiled: CompiledFilter) -> [ScoredRow] {
        let expected = compiled.cardinality.expected
        let usesGraph = field.hasGraph && !search.params.exact
        if usesGraph, walkCost(matching: expected, compiled) < scanCost(matching: expected, compiled) {
            let checksRows = checksRows
            let admit: RowPredicate = { rows, count, admitted in
                compiled.matches(rows, count, admitted)
                guard checksRows else { return }
                for place in 0..<count where admitted[place] { admitted[place] = isVisible(rows[place]) }
            }
            let found = field.index.search(query: query, options: options, admit: admit)
            // A walk that found too few has met a filter that is unlike its estimate: the scan is exact.
            if found.count >= min(search.limit, compiled.cardinality.min), !found.isEmpty { return found }
        }
        var rows = compiled.matchingRows()
        if checksRows { rows.removeAll { !isVisible($0) } }
        return rows.withUnsafeBufferPointer { field.index.scan(rows: $0, query: query, options: options) }
    }

    // Costs in nanoseconds, measured on 384 dimensions; only their ratio matters. See docs/performance.md.

    /// Scoring a row of a scan, per dimension.
    private var scanRowCost: Double {
        let dimensions = Double(search.query.count)
        return field.hasCodes && options.useCodes ? 6 + 0.025 * dimensions : 10 + 0.15 * dimensions
    }

    private func scanCost(matching: Int, _ compiled: CompiledFilter) -> Double {
        let finding = compiled.isFullyIndexed ? 2 * Double(matching) : 150 * Double(segment.rowCount)
        return finding + scanRowCost * Double(matching)
    }

    /// A walk scores some twenty rows for each of the `ef` in its pool, and the more the rarer rows are that may enter.
    private func walkCost(matching: Int, _ compiled: CompiledFilter) -> Double {
        let share = max(Double(matching) / Double(max(segment.rowCount, 1)), 1e-9)
        let visited = min(Double(ef) * 20 / share, Double(segment.rowCount))
        let checking = compiled.isFullyIndexed ? 8.0 : 150.0
        return visited * (2.5 * scanRowCost + checking * min(1, 4 * Double(ef) / visited))
    }
}
