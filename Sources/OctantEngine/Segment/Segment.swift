package import OctantModel
package import OctantPayload
package import OctantStorage

/// An immutable segment: files on disk, mapped or resident, and the tombstones of what was deleted since.
///
/// The parts that are read from files are shared by all `Segment` values over the same folder; adding a field index makes
/// a new value over the same parts.
package final class Segment: RowSource {
    /// What the manifest says of it.
    package let entry: SegmentEntry
    package let folder: SegmentFolder
    package let tombstones: Tombstones
    /// Its vectors, in the order of the configuration.
    package let fields: [SegmentVectors]
    /// Its multivectors, as far as some row has one.
    package let multi: [SegmentMulti]
    /// Its sparse vectors, as far as some row has one.
    package let sparse: [SegmentSparse]
    private let ids: IDMap
    private let payloads: PayloadFile
    private let idFile: BlockFile
    private let indexes: [PayloadPath: [FieldIndex]]
    private let ledger = StructureLedger()

    /// Opens the segment: ids and graph are verified whole, vectors and payload when they are rewritten.
    ///
    /// - Parameters:
    ///   - fieldIndexes: the field indexes of the collection, which say how theirs are held.
    ///   - deletionsPath: the folder of deletion bitmaps.
    ///   - kept: the tombstones of the same segment opened before, instead of those of the manifest.
    package init(
        _ entry: SegmentEntry, folder: SegmentFolder, config: CollectionConfig,
        fieldIndexes: [Manifest.FieldIndexEntry], deletionsPath: String? = nil, tombstones kept: Tombstones? = nil
    ) throws(StorageError) {
        self.entry = entry
        self.folder = folder
        var folder = folder
        folder.ledger = ledger
        guard let idEntry = entry.file(.ids), let payloadEntry = entry.file(.payload) else {
            throw StorageError(.corrupt, "\(folder.path): no file of ids or payload")
        }
        idFile = try folder.open(idEntry, "IDMP")
        try idFile.verify()
        let data = idFile.data
        ids = try folder.decode(idEntry) { try IDMap(data) }
        guard ids.rowCount == entry.rowCount else {
            throw StorageError(.corrupt, "\(idFile.path): \(ids.rowCount) rows, the manifest says \(entry.rowCount)")
        }
        let payloadFile = try folder.open(payloadEntry, "PAYL")
        let checks = try folder.place(payloadFile, config.params.payloadResidence)
        payloads = try PayloadFile(payloadFile, rowCount: entry.rowCount, checks: checks)
        var fields: [SegmentVectors] = []
        // A vector that was added after the segment was written has no files: no row has it.
        for vector in config.params.denseVectors where entry.file(.vectors, vector.name) != nil {
            fields.append(try SegmentVectors(vector, config: config, entry: entry, folder: folder))
        }
        self.fields = fields
        var multi: [SegmentMulti] = []
        for vector in config.params.multivectors {
            if let field = try SegmentMulti(vector, entry: entry, folder: folder) { multi.append(field) }
        }
        self.multi = multi
        var sparse: [SegmentSparse] = []
        for vector in config.params.sparseVectors {
            if let field = try SegmentSparse(vector, entry: entry, folder: folder) { sparse.append(field) }
        }
        self.sparse = sparse
        indexes = try Segment.openIndexes(entry, folder, fieldIndexes)
        if let kept {
            tombstones = kept
            return
        }
        guard let tombstones = Tombstones(rowCount: entry.rowCount) else {
            throw StorageError(.io(12), "\(folder.path): no address space for \(entry.rowCount) tombstones")
        }
        self.tombstones = tombstones
        if let summary = entry.deletions, let deletionsPath {
            try Segment.readDeletions(
                deletionsPath + "/" + summary.name, summary, entry, folder.fileSystem, into: tombstones)
        }
    }

    private init(
        _ segment: Segment, entry: SegmentEntry, _ fieldIndexes: [Manifest.FieldIndexEntry]
    ) throws(StorageError) {
        self.entry = entry
        folder = segment.folder
        tombstones = segment.tombstones
        fields = segment.fields
        multi = segment.multi
        sparse = segment.sparse
        ids = segment.ids
        payloads = segment.payloads
        idFile = segment.idFile
        ledger.adopt(segment.ledger)
        var noting = segment.folder
        noting.ledger = ledger
        indexes = try Segment.openIndexes(entry, noting, fieldIndexes)
    }

    /// The same segment with the field indexes that `entry` names.
    package func reopeningIndexes(
        _ entry: SegmentEntry, _ fieldIndexes: [Manifest.FieldIndexEntry]
    ) throws(StorageError) -> Segment {
        try Segment(self, entry: entry, fieldIndexes)
    }

    private static func openIndexes(
        _ entry: SegmentEntry, _ folder: SegmentFolder, _ fieldIndexes: [Manifest.FieldIndexEntry]
    ) throws(StorageError) -> [PayloadPath: [FieldIndex]] {
        var indexes: [PayloadPath: [FieldIndex]] = [:]
        for file in entry.files where file.role == .fieldIndex {
            let schema = fieldIndexes.first {
                $0.key.description == file.subject && $0.schema.recipe == file.parameters
            }?.schema
            let index = try folder.load(file, "FIDX", schema?.residence ?? .copied) { bytes, owner, _ in
                try FieldIndex(bytes: bytes, owner: owner)
            }
            indexes[index.key, default: []].append(index)
        }
        return indexes
    }

    private static func readDeletions(
        _ path: String, _ summary: FileSummary, _ entry: SegmentEntry, _ fileSystem: any FileSystem,
        into tombstones: Tombstones
    ) throws(StorageError) {
        let file = try BlockFile(path: path, type: "DELS", expected: summary, uuid: entry.uuid, fileSystem: fileSystem)
        try file.verify()
        let wordCount = (entry.rowCount + 63) / 64
        guard file.data.count == wordCount * 8 else {
            throw StorageError(.corrupt, "\(path): not a bit for each of \(entry.rowCount) rows")
        }
        for word in 0..<wordCount {
            var bits = file.data.loadUnaligned(fromByteOffset: word * 8, as: UInt64.self).littleEndian
            while bits != 0 {
                tombstones.kill(UInt32(word * 64 + bits.trailingZeroBitCount), at: 1)
                bits &= bits - 1
            }
        }
    }

    /// What it has in memory and on disk.
    package func memoryStructures() -> [MemoryReport.Structure] {
        let deaths = MemoryUse(anonymous: ProcessPages.residentBytes(tombstones.memory))
        return ledger.structures() + [.init(kind: "tombstones", use: deaths)]
    }

    package var rowCount: Int { entry.rowCount }
    package func id(_ row: UInt32) -> PointID { ids.id(row) }
    package func version(_ row: UInt32) -> UInt64 { ids.version(row) }
    package func payload(_ row: UInt32) -> UnsafeRawBufferPointer { payloads.bytes(row) }

    package func stored(_ row: UInt32, _ name: String) -> StoredVector? {
        if let field = field(name) { return field.stored(row) }
        if let field = multi.first(where: { $0.name == name }) { return field.stored(row) }
        return sparseField(name)?.index.vector(row).map { .sparse($0) }
    }

    /// The sparse vectors of this name; `nil` if no row has one.
    package func sparseField(_ name: String) -> SegmentSparse? { sparse.first { $0.name == name } }

    /// The vectors of this name.
    package func field(_ name: String) -> SegmentVectors? { fields.first { $0.name == name } }

    package func row(of id: PointID, at lsn: UInt64) -> UInt32? {
        guard let row = ids.row(of: id), tombstones.isLive(row, at: lsn) else { return nil }
        return row
    }

    /// The living row of `id`, for the applying thread.
    package func liveRow(of id: PointID) -> UInt32? {
        guard let row = ids.row(of: id), tombstones.deathLSN(row) == 0 else { return nil }
        return row
    }

    /// Rows in ascending order of id.
    package var listedCount: Int { ids.listedCount }
    /// The row at a place of that order.
    package func row(atPlace place: Int) -> UInt32 { ids.row(atPlace: place) }
    /// The first place whose id is not below `id`.
    package func lowerBound(_ id: PointID) -> Int { ids.lowerBound(id) }

    /// The indexes of exactly this key.
    package func fieldIndexes(_ key: PayloadPath) -> [FieldIndex] { indexes[key] ?? [] }

    /// Bytes of all original vectors, before they were packed: what limits of sizes count.
    package var vectorBytes: Int {
        fields.reduce(0) { $0 + $1.byteCount } + multi.reduce(0) { $0 + $1.byteCount }
            + sparse.reduce(0) { $0 + $1.byteCount }
    }

    /// Bytes of vectors that want an index and have none, before they were packed.
    package var indexableBytes: Int {
        fields.reduce(0) { $0 + ($1.isCovered ? 0 : $1.presentBytes) }
    }

    /// Whether every vector that wants an index has one (or is absent from all points).
    package var isIndexed: Bool { fields.contains(where: \.isIndexed) && fields.allSatisfy(\.isCovered) }

    /// Checks what opening did not: vectors and payload.
    package func verifyBulk() throws(StorageError) {
        for file in entry.files {
            switch file.role {
            case .vectors: try folder.open(file, "VECS").verifyLeavingCold()
            case .multivectors: try folder.open(file, "MVEC").verifyLeavingCold()
            case .payload: try folder.open(file, "PAYL").verifyLeavingCold()
            default: break
            }
        }
    }

    /// Takes mapped vectors out of this process, as its successor comes into it: searches that still use the segment find
    /// them in the page cache, and a merge does not hold everything twice.
    package func releasePages() {
        for field in fields { field.releasePages() }
    }
}

/// The payloads of a segment: `u64 end[rows]`, the place where each row's bytes end, then the bytes.
package struct PayloadFile: @unchecked Sendable {
    // SAFETY: read-only mapping kept alive by `file`.
    private let file: BlockFile
    private let ends: UnsafePointer<UInt64>
    private let bytes: UnsafeRawBufferPointer
    private let checks: CheckedBlocks?

    init(_ file: BlockFile, rowCount: Int, checks: CheckedBlocks? = nil) throws(StorageError) {
        let data = file.data
        guard data.count >= rowCount * 8, let base = data.baseAddress else {
            throw StorageError(.corrupt, "\(file.path): too short for \(rowCount) rows")
        }
        self.file = file
        self.checks = checks
        ends = base.assumingMemoryBound(to: UInt64.self)
        bytes = UnsafeRawBufferPointer(rebasing: data[(rowCount * 8)...])
    }

    /// Where the bytes of a row end, counted from the end of the table.
    func end(_ row: UInt32) -> UInt64 { UInt64(littleEndian: ends[Int(row)]) }

    /// Bytes of all payloads.
    var byteCount: Int { bytes.count }
    /// The file.
    var path: String { file.path }

    /// The bytes of a row; none if they are damaged, which is noted.
    func bytes(_ row: UInt32) -> UnsafeRawBufferPointer {
        let none = UnsafeRawBufferPointer(start: nil, count: 0)
        let head = file.data.count - bytes.count
        if let checks, !checks.areIntact(max(0, Int(row) - 1) * 8..<(Int(row) + 1) * 8) { return none }
        let from = row == 0 ? 0 : ends[Int(row) - 1]
        let to = ends[Int(row)]
        guard from < to, to <= UInt64(bytes.count) else { return none }
        if let checks, !checks.areIntact((head + Int(from))..<(head + Int(to))) { return none }
        return UnsafeRawBufferPointer(rebasing: bytes[Int(from)..<Int(to)])
    }
}
