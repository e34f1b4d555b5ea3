import OctantModel
import OctantPayload
import OctantVectors

/// A search of one part by several dense rows: every candidate is scored, exactly.
struct MultiSearch {
    let search: NearestSearch
    let query: MultiQuery
    let view: ReadView
    private var lsn: UInt64 { view.lsn }

    func run(_ segment: Segment) -> [ScoredRow] {
        guard let field = segment.multi.first(where: { $0.name == search.using }) else { return [] }
        return run(segment, field.vectors, rowCount: segment.rowCount)
    }

    func run(_ memtable: Memtable) -> [ScoredRow] {
        guard let field = memtable.multi.first(where: { $0.name == search.using }) else { return [] }
        return run(memtable, field.vectors, rowCount: memtable.rowCount(at: lsn))
    }

    private func run(_ source: any RowSource, _ table: UnsafePointer<MultiRow?>, rowCount: Int) -> [ScoredRow] {
        let tombstones = source.tombstones
        let out = search.excluded.flatMap { source.row(of: $0, at: lsn) } ?? .max
        var rows: [UInt32]?
        if let filter = search.filter, !filter.isEmpty {
            // A score costs more than reading a payload: the filter comes first.
            rows = CompiledFilter(filter, rows: FilterView(source, view)).matchingRows()
        }
        return query.best(table, count: rowCount, rows: rows, limit: search.limit) { row in
            row != out && tombstones.isLive(row, at: lsn)
        }
    }
}
