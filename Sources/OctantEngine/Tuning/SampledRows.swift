import OctantModel

/// Some rows of a view as if they were a part of their own: what trial segments are built of.
final class SampledRows: RowSource {
    private struct Place: Sendable {
        let source: any RowSource
        let row: UInt32
    }

    private let places: [Place]
    let tombstones: Tombstones

    /// At most `count` living rows that have the vector `using`, each with equal probability; `nil` without memory.
    init?(_ view: ReadView, using: String, count: Int, seed: UInt64) {
        // Reservoir sampling: Vitter 1985, "Random Sampling with a Reservoir", algorithm R.
        var kept: [Place] = []
        var seen = 0
        var random = SplitMix(seed: seed ^ 0x5eed)
        for source in view.sources where source.rowCount > 0 {
            view.forEachMatch(nil, in: source) { row in
                guard source.stored(row, using) != nil else { return }
                seen += 1
                if kept.count < count {
                    kept.append(Place(source: source, row: row))
                } else {
                    let place = Int(random.next() % UInt64(seen))
                    if place < count { kept[place] = Place(source: source, row: row) }
                }
            }
        }
        guard let tombstones = Tombstones(rowCount: kept.count) else { return nil }
        places = kept
        self.tombstones = tombstones
    }

    var rowCount: Int { places.count }
    func id(_ row: UInt32) -> PointID { places[Int(row)].source.id(places[Int(row)].row) }
    func version(_ row: UInt32) -> UInt64 { places[Int(row)].source.version(places[Int(row)].row) }
    func payload(_ row: UInt32) -> UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: nil, count: 0) }
    func stored(_ row: UInt32, _ name: String) -> StoredVector? {
        places[Int(row)].source.stored(places[Int(row)].row, name)
    }
    func row(of id: PointID, at lsn: UInt64) -> UInt32? {
        places.firstIndex { $0.source.id($0.row) == id }.map { UInt32($0) }
    }
}
