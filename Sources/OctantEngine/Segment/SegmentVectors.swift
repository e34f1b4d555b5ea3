package import OctantModel
package import OctantStorage
package import OctantVectors

/// The vectors of one name in a segment: original components, and codes and graph where there are some.
package final class SegmentVectors: @unchecked Sendable {
    // SAFETY: read-only memory, owned by `owners`.
    package let name: String
    package let params: VectorParams
    package let index: DenseIndex
    package let rows: DenseRows
    /// A bit per row, set where the point has the vector; `nil` if all rows have it.
    private let presence: UnsafePointer<UInt64>?
    /// Rows that have the vector.
    package let presentCount: Int
    /// Whether a graph covers it.
    package let hasGraph: Bool
    /// Whether codes that are scanned take the place of a graph.
    package let isScanned: Bool
    /// Whether codes cover it.
    package let hasCodes: Bool
    /// Whether the user asked for the codes (else they are the engine's own and every score is of the originals).
    package let quantization: QuantizationConfig?
    /// Whether there is nothing left for the optimizer to index.
    package let isCovered: Bool
    /// The lengths of vectors that are kept normalised though clients get them as they were; see ``StoredVector``.
    private let lengths: UnsafePointer<Float>?
    private let owners: [AnyObject]
    private let checks: CheckedBlocks?

    /// The `ef` of a search that names none.
    package let defaultEF: Int

    /// Opens the vector's files.
    ///
    /// Originals are mapped; unless they are to stay on disk, the page cache is filled now. Graph and codes are held as
    /// ``SegmentFolder/load(_:_:_:)`` says.
    package init(
        _ vector: NamedVectorParams, config: CollectionConfig, entry: SegmentEntry, folder: SegmentFolder
    ) throws(StorageError) {
        name = vector.name
        params = vector.params
        let hnsw = config.hnsw.applying(vector.params.hnsw)
        let scheme = vector.params.quantization ?? config.quantization
        defaultEF = hnsw.efConstruct
        quantization = scheme
        var owners: [AnyObject] = []
        let originals = vector.params.residence.limited(by: folder.lowMemory)
        lengths = try Self.openLengths(vector, entry, folder, &owners)
        (rows, checks) = try Self.openOriginals(vector, entry, folder, lengths, &owners)
        (presence, presentCount) = try Self.openPresence(vector, entry, folder, &owners)
        // Codes of the engine's own are held as the originals are.
        let codesResidence =
            scheme?.residence(originalsOnDisk: vector.params.isOnDisk) ?? (vector.params.isOnDisk ? .cold : .copied)
        let made = try Self.openCodes(vector, entry, folder, codesResidence)
        // Rows that are codes themselves need no others.
        let codes = made ?? rows.searchableCodes(owner: OwnerList(owners))
        let codesAreCold = made == nil ? originals == .cold : codesResidence.limited(by: folder.lowMemory) == .cold
        var graph: HNSWGraph?
        if let file = entry.file(.graph, vector.name) {
            graph = try folder.load(file, "HNSW", hnsw.residence) { try HNSWGraph(bytes: $0, owner: $1, isCold: $2) }
        }
        let inline = try Self.openInlineGraph(vector, config, entry, folder)
        hasCodes = codes != nil
        hasGraph = graph != nil
        isScanned = entry.isScanned(vector.name)
        isCovered = graph != nil || isScanned || presentCount == 0 || hnsw.m == 0
        self.owners = owners
        index = DenseIndex(
            distance: vector.params.distance, rows: rows, codes: codes, graph: graph, inline: inline,
            onDisk: DenseIndex.OnDisk(rows: originals == .cold, codes: codesAreCold),
            owner: OwnerList(owners))
    }

    private static func openOriginals(
        _ vector: NamedVectorParams, _ entry: SegmentEntry, _ folder: SegmentFolder,
        _ lengths: UnsafePointer<Float>?, _ owners: inout [AnyObject]
    ) throws(StorageError) -> (DenseRows, CheckedBlocks?) {
        guard let file = entry.file(.vectors, vector.name) else {
            throw StorageError(.corrupt, "\(folder.path): no file of vector '\(vector.name)'")
        }
        let originals = try folder.open(file, "VECS")
        let rows = try DenseRows(
            originals, recipe: file.parameters, count: entry.rowCount, vector.params, lengths: lengths)
        let checks = try folder.place(originals, vector.params.residence)
        owners.append(originals)
        return (rows, checks)
    }

    private static func openPresence(
        _ vector: NamedVectorParams, _ entry: SegmentEntry, _ folder: SegmentFolder, _ owners: inout [AnyObject]
    ) throws(StorageError) -> (UnsafePointer<UInt64>?, Int) {
        guard let file = entry.file(.presence, vector.name) else { return (nil, entry.rowCount) }
        let bits = try folder.open(file, "PRES")
        guard bits.data.count == (entry.rowCount + 63) / 64 * 8, let base = bits.data.baseAddress else {
            throw StorageError(.corrupt, "\(bits.path): not a bit for each of \(entry.rowCount) rows")
        }
        try bits.verify()
        owners.append(bits)
        let words = base.assumingMemoryBound(to: UInt64.self)
        return (words, (0..<(entry.rowCount + 63) / 64).reduce(0) { $0 + words[$1].nonzeroBitCount })
    }

    private static func openLengths(
        _ vector: NamedVectorParams, _ entry: SegmentEntry, _ folder: SegmentFolder, _ owners: inout [AnyObject]
    ) throws(StorageError) -> UnsafePointer<Float>? {
        guard let file = entry.file(.lengths, vector.name) else { return nil }
        let numbers = try folder.open(file, "LENS")
        guard numbers.data.count == entry.rowCount * 4, let base = numbers.data.baseAddress else {
            throw StorageError(.corrupt, "\(numbers.path): not a length for each of \(entry.rowCount) rows")
        }
        try numbers.verify()
        owners.append(numbers)
        return base.assumingMemoryBound(to: Float.self)
    }

    /// The codes by the magic that their file begins with.
    private static func openCodes(
        _ vector: NamedVectorParams, _ entry: SegmentEntry, _ folder: SegmentFolder, _ residence: Residence
    ) throws(StorageError) -> VectorCodes? {
        guard let file = entry.file(.codes, vector.name) else { return nil }
        return try folder.load(file, "CODE", residence) { bytes, owner, _ in
            try VectorCodes(bytes: bytes, owner: owner)
        }
    }

    /// The inline graph, if there is one and it is wanted still. What every search reads of it is checked now; a record is
    /// when it is read, so that opening does not read several times the bytes of the vectors.
    private static func openInlineGraph(
        _ vector: NamedVectorParams, _ config: CollectionConfig, _ entry: SegmentEntry, _ folder: SegmentFolder
    ) throws(StorageError) -> InlineGraph? {
        guard let file = entry.file(.inlineGraph, vector.name),
            IndexPolicy(vector, config: config).inlineGraph == file.parameters
        else { return nil }
        let mapped = try folder.open(file, "INLN")
        let graph = try folder.decode(file) { try InlineGraph(bytes: mapped.data, owner: mapped) }
        if folder.verification != .later { try mapped.verify(0..<graph.headBytes) }
        _ = try folder.place(mapped, .cold)
        return graph
    }

    /// Whether searches find near rows without looking at all originals or at codes of them all that are as large.
    package var isIndexed: Bool { hasGraph || isScanned }

    /// Whether some row has no such vector.
    package var hasAbsent: Bool { presence != nil }

    /// Whether `row` has the vector.
    @inline(__always)
    package func isPresent(_ row: UInt32) -> Bool {
        guard let presence else { return true }
        return presence[Int(row >> 6)] >> UInt64(row & 63) & 1 != 0
    }

    /// The vector of a row.
    package func stored(_ row: UInt32) -> StoredVector? {
        guard Int(row) < rows.count, isPresent(row) else { return nil }
        if let checks {
            let start = Int(row) * rows.stride
            guard checks.areIntact(start..<(start + rows.stride)),
                rows.wholeRange(row).map({ checks.areIntact($0) }) ?? true
            else { return nil }
        }
        guard let base = rows.floatBase else { return .compact(rows, row) }
        let buffer = UnsafeBufferPointer(start: base + Int(row) * rows.dimension, count: rows.dimension)
        return lengths.map { .scaled(buffer, by: $0[Int(row)]) } ?? .dense(buffer)
    }

    /// See ``Segment/releasePages()``.
    func releasePages() {
        for case let file as BlockFile in owners { file.unload() }
    }

    /// Bytes of the originals, before they were packed.
    package var byteCount: Int { rows.unpackedBytes }

    /// The same of points that have the vector.
    package var presentBytes: Int { presentCount * rows.element.unpackedRowBytes(rows.dimension) }
}

/// Keeps several objects alive as one.
private final class OwnerList {
    private let owners: [AnyObject]
    init(_ owners: [AnyObject]) { self.owners = owners }
}
