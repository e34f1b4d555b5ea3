import OctantModel
import OctantStorage
import OctantVectors

/// Takes the readable rows of a segment whose vectors or payload are damaged in places.
struct RowSalvage {
    let check: SegmentCheck
    let folder: SegmentFolder
    let deletionsPath: String
    let manifest: Manifest

    /// The segment without what is damaged and can be made again; `nil` if too much is damaged to read rows at all.
    func open() -> Segment? {
        guard check.deletions == nil, check.files.allSatisfy({ $0.error == nil || $0.file.role.isDerived }) else {
            return nil
        }
        var entry = check.entry
        entry.files.removeAll(where: \.role.isDerived)
        return try? Segment(
            entry, folder: folder, config: manifest.config, fieldIndexes: [], deletionsPath: deletionsPath)
    }

    /// The rows that damaged blocks hold something of; `nil` if that cannot be told.
    func damagedRows() -> Set<Int>? {
        var rows: Set<Int> = []
        for file in check.files where !file.damagedBlocks.isEmpty && !file.file.role.isDerived {
            guard let mapped = try? folder.open(file.file, file.file.role.blockType) else { return nil }
            let ranges = file.damagedBlocks.map { mapped.dataRange(ofBlockAt: $0) }
            guard let found = damagedRows(file.file, mapped, ranges) else { return nil }
            rows.formUnion(found)
        }
        return rows
    }

    private func damagedRows(
        _ file: SegmentEntry.FileEntry, _ mapped: BlockFile, _ ranges: [Range<Int>]
    ) -> Set<Int>? {
        let count = check.entry.rowCount
        var rows: Set<Int> = []
        switch file.role {
        case .vectors:
            guard let params = manifest.config.params.denseVectors.first(where: { $0.name == file.subject })?.params,
                let element = RowElement(recipe: file.parameters, params.distance)
            else { return nil }
            let stride = element.rowBytes(params.size)
            if element.isPacked {
                guard
                    let dense = try? DenseRows(mapped, recipe: file.parameters, count: count, params, lengths: nil)
                else { return nil }
                return damagedRows(dense, ranges)
            }
            for range in ranges where !range.isEmpty {
                // What some forms have behind the rows is needed by each of them.
                guard stride > 0, range.upperBound <= count * stride else { return nil }
                rows.formUnion(range.lowerBound / stride...min(count - 1, (range.upperBound - 1) / stride))
            }
        case .payload, .multivectors:
            let head = count * 8
            let width = file.role == .payload ? 1 : rowWidth(file.subject, file.parameters)
            guard let width, mapped.data.count >= head else { return nil }
            // Nobody knows to which point rows behind a damaged table belong; opening refuses that too.
            if file.role == .multivectors, ranges.contains(where: { $0.lowerBound < head }) { return nil }
            var start = 0
            for row in 0..<count {
                let stored = mapped.data.loadUnaligned(fromByteOffset: row * 8, as: UInt64.self)
                let isKnown = !ranges.contains { $0.overlaps(max(0, row - 1) * 8..<(row + 1) * 8) }
                guard isKnown, let end = Int(exactly: UInt64(littleEndian: stored)), end >= start,
                    end <= (mapped.data.count - head) / width
                else {
                    rows.insert(row)
                    start = Int(exactly: UInt64(littleEndian: stored)) ?? start
                    continue
                }
                let bytes = (head + start * width)..<(head + end * width)
                if !bytes.isEmpty, ranges.contains(where: { $0.overlaps(bytes) }) { rows.insert(row) }
                start = end
            }
        default: return nil
        }
        return rows
    }

    /// The packed rows that some ranges of their file hold something of, there or where they are kept whole.
    private func damagedRows(_ dense: DenseRows, _ ranges: [Range<Int>]) -> Set<Int> {
        var rows: Set<Int> = []
        for row in 0..<dense.count {
            let number = UInt32(truncatingIfNeeded: row)
            let place = row * dense.stride..<(row + 1) * dense.stride
            let whole = dense.wholeRange(number)
            let isDamaged =
                dense.packedPlace(number) == .damaged
                || ranges.contains { $0.overlaps(place) || whole.map($0.overlaps) ?? false }
            if isDamaged { rows.insert(row) }
        }
        return rows
    }

    /// Bytes of one row of a multivector.
    private func rowWidth(_ subject: String, _ parameters: String) -> Int? {
        guard let vector = manifest.config.params.multivectors.first(where: { $0.name == subject }),
            let element = RowElement(recipe: parameters, vector.params.distance), !element.isPacked
        else { return nil }
        return element.rowBytes(vector.params.size)
    }

    /// Writes the rows of `segment` but for `damaged` into a new segment; `nil` if none is left.
    func write(_ segment: Segment, without damaged: Set<Int>) throws(StorageError) -> SegmentEntry? {
        for row in damaged { segment.tombstones.kill(UInt32(row), at: 1) }
        let recipe = SegmentRecipe(
            sources: [.init(rows: segment, rowCount: segment.rowCount)], checkpoint: max(1, manifest.checkpoint),
            config: manifest.config, fieldIndexes: manifest.fieldIndexes, indexed: false)
        return try SegmentWriter.write(
            recipe, directory: parentPath(folder.path), fileSystem: folder.fileSystem, isCancelled: { false })?.entry
    }
}
