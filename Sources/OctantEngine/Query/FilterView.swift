package import OctantModel
import OctantPayload

/// What one part of a view shows to filter evaluation.
final class FilterView: FilterableRows {
    private let source: any RowSource
    private let segment: Segment?
    private let memtable: Memtable?
    private let lsn: UInt64
    private let schema: [Manifest.FieldIndexEntry]
    let rowCount: Int

    /// The rows of `source` that `view` may see.
    init(_ source: any RowSource, _ view: ReadView) {
        let lsn = view.lsn
        schema = view.fieldIndexes
        self.source = source
        segment = source as? Segment
        memtable = source as? Memtable
        self.lsn = lsn
        rowCount = memtable?.rowCount(at: lsn) ?? source.rowCount
    }

    func payload(_ row: UInt32) -> UnsafeRawBufferPointer { source.payload(row) }

    func pointID(_ row: UInt32) -> PointID { source.id(row) }

    func row(of id: PointID) -> UInt32? { source.row(of: id, at: lsn) }

    func hasVector(_ row: UInt32, _ name: String) -> Bool { source.stored(row, name) != nil }

    func fieldIndexes(_ key: PayloadPath) -> [FieldIndex] { segment?.fieldIndexes(key) ?? [] }

    func wantedIndexes(_ key: PayloadPath) -> [FieldIndexSchema] {
        schema.filter { $0.key == key }.map(\.schema)
    }
}

extension ReadView {
    /// Rows of `source` that exist in this view, dead ones included.
    func rowCount(of source: any RowSource) -> Int {
        (source as? Memtable)?.rowCount(at: lsn) ?? source.rowCount
    }

    /// Calls `body` with each living row that passes `filter`, ascending.
    func forEachMatch(_ filter: Filter?, in source: any RowSource, _ body: (UInt32) -> Void) {
        let tombstones = source.tombstones
        guard let filter, !filter.isEmpty else {
            for row in 0..<UInt32(rowCount(of: source)) where tombstones.isLive(row, at: lsn) { body(row) }
            return
        }
        let rows = FilterView(source, self)
        for row in CompiledFilter(filter, rows: rows).matchingRows() where tombstones.isLive(row, at: lsn) { body(row) }
    }

    /// The ids of all points that pass `filter`, ascending.
    package func matchingIDs(_ filter: Filter) throws(OctantError) -> [PointID] {
        var ids: [PointID] = []
        for source in sources { forEachMatch(filter, in: source) { ids.append(source.id($0)) } }
        return ids.sorted()
    }

    /// How many points pass `filter`.
    package func count(_ filter: Filter?) -> Int {
        guard let filter, !filter.isEmpty else { return liveCount }
        var count = 0
        for source in sources { forEachMatch(filter, in: source) { _ in count += 1 } }
        return count
    }
}
