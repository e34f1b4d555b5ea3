package import OctantModel
import OctantPayload
import OctantStorage

/// How many points in memory have a value for each index: the answers for the last view that was asked about, so that
/// looking at a quiet collection again reads no payload.
struct IndexedPoints: Sendable {
    private var lsn: LSN = 0
    private var checkpoint: LSN = 0
    private var counts: [Manifest.FieldIndexEntry: Int] = [:]

    /// The answer for `view`, if it is known. Parts in memory change with the LSN or, by a checkpoint, become segments.
    mutating func known(_ index: Manifest.FieldIndexEntry, _ view: ReadView) -> Int? {
        if view.lsn != lsn || view.checkpoint != checkpoint {
            (lsn, checkpoint, counts) = (view.lsn, view.checkpoint, [:])
        }
        return counts[index]
    }

    mutating func note(_ count: Int, _ index: Manifest.FieldIndexEntry, _ view: ReadView) {
        if view.lsn == lsn, view.checkpoint == checkpoint { counts[index] = count }
    }
}

extension Shard {
    /// How many points have a value that an index holds.
    package func indexedPoints(_ index: Manifest.FieldIndexEntry, _ view: ReadView) -> Int {
        var count = indexedCounts.withLock { $0.known(index, view) } ?? -1
        if count < 0 {
            count = view.indexedPointsInMemory(index)
            indexedCounts.withLock { $0.note(count, index, view) }
        }
        for segment in view.segments { count += segment.fieldIndexes(index.key).first?.indexedRows ?? 0 }
        return min(count, view.liveCount)
    }
}

extension ReadView {
    fileprivate func indexedPointsInMemory(_ index: Manifest.FieldIndexEntry) -> Int {
        var count = 0
        for slot in memtables {
            let table = slot.table
            var builder = FieldIndexBuilder(key: index.key, schema: index.schema, rowCount: rowCount(of: table))
            forEachMatch(nil, in: table) { row in
                let payload = table.payload(row)
                if payload.count > 0 { builder.add(row: row, payload: PayloadView(payload)) }
            }
            // An index of rows in memory cannot be damaged; if it were, its rows would just not be counted.
            count += (try? builder.makeIndex())?.indexedRows ?? 0
        }
        return count
    }
}
