package import OctantModel
import OctantPayload

extension ReadView {
    /// A place of a point in this view.
    package struct Hit {
        package var source: any RowSource
        package var row: UInt32

        /// The place of a row.
        package init(source: any RowSource, row: UInt32) {
            self.source = source
            self.row = row
        }
    }

    /// Up to `limit` points that pass `filter`, ascending by id from `offset` on.
    package func page(_ filter: Filter?, from offset: PointID?, limit: Int) -> [(id: PointID, hit: Hit)] {
        var found: [(id: PointID, hit: Hit)] = []
        for source in sources {
            let rows: [UInt32]
            if let segment = source as? Segment {
                rows = firstRows(of: segment, filter, from: offset, limit: limit)
            } else {
                rows = firstRows(of: source, filter, from: offset, limit: limit)
            }
            for row in rows { found.append((source.id(row), Hit(source: source, row: row))) }
        }
        found.sort { $0.id < $1.id }
        return Array(found.prefix(limit))
    }

    /// Walks the segment's order of ids; where an index says that few rows match, sorts these instead.
    private func firstRows(of segment: Segment, _ filter: Filter?, from offset: PointID?, limit: Int) -> [UInt32] {
        var compiled: CompiledFilter?
        if let filter, !filter.isEmpty {
            let made = CompiledFilter(filter, rows: FilterView(segment, self))
            if made.isFullyIndexed, made.cardinality.expected < segment.rowCount / 8 {
                let matches = made.matchingRows().filter { segment.tombstones.isLive($0, at: lsn) }
                return smallest(matches, of: segment, from: offset, limit: limit)
            }
            compiled = made
        }
        var rows: [UInt32] = []
        var place = offset.map { segment.lowerBound($0) } ?? 0
        while place < segment.listedCount, rows.count < limit {
            let row = segment.row(atPlace: place)
            place += 1
            guard segment.tombstones.isLive(row, at: lsn) else { continue }
            if let compiled, !compiled.matches(row) { continue }
            rows.append(row)
        }
        return rows
    }

    private func firstRows(
        of source: any RowSource, _ filter: Filter?, from offset: PointID?, limit: Int
    ) -> [UInt32] {
        var rows: [UInt32] = []
        forEachMatch(filter, in: source) { rows.append($0) }
        return smallest(rows, of: source, from: offset, limit: limit)
    }

    private func smallest(
        _ rows: [UInt32], of source: any RowSource, from offset: PointID?, limit: Int
    ) -> [UInt32] {
        var entries = rows.map { (id: source.id($0), row: $0) }
        if let offset { entries.removeAll { $0.id < offset } }
        entries.sort { $0.id < $1.id }
        return entries.prefix(limit).map(\.row)
    }

    /// A stored point with the parts that were asked for.
    package func record(_ hit: Hit, withPayload: PayloadSelector, withVector: VectorSelector) -> Record {
        Record(
            id: hit.source.id(hit.row), payload: payload(of: hit, withPayload), vectors: vectors(of: hit, withVector))
    }

    /// The selected part of a point's payload; `nil` if none was asked for.
    package func payload(of hit: Hit, _ selector: PayloadSelector) -> Payload? {
        guard selector != .none else { return nil }
        let payload = Payload(bytes: Array(hit.source.payload(hit.row)))
        return selector == .all ? payload : PayloadEditing.selecting(payload, selector)
    }

    /// The selected vectors of a point; `nil` if none were asked for.
    package func vectors(of hit: Hit, _ selector: VectorSelector) -> NamedVectors? {
        guard selector != .none else { return nil }
        var entries: [NamedVectors.Entry] = []
        for name in config.params.vectors.all.map(\.name) + config.params.sparseVectors.map(\.name) {
            if case .names(let names) = selector, !names.contains(name) { continue }
            guard let stored = hit.source.stored(hit.row, name) else { continue }
            entries.append(NamedVectors.Entry(name: name, vector: stored.vector))
        }
        return NamedVectors(entries)
    }
}
