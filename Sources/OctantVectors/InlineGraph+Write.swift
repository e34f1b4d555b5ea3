import COctantKernels

extension InlineGraph {
    /// Bytes that `write` allocates.
    package static let writingBytes = 1 << 20

    /// Writes the byte form of a graph whose links were looked at, with codes of the same rows.
    ///
    /// - Parameters:
    ///   - originals: the original vectors, if the records are to hold them where they fit.
    ///   - progress: told the number of records written now and then.
    ///   - write: takes the bytes piece by piece.
    package static func write(
        _ graph: HNSWGraph, _ codes: VectorCodes, originals: DenseRows?, progress: (Int) -> Void = { _ in },
        write: (UnsafeRawBufferPointer) throws -> Void
    ) throws {
        guard codes.count == graph.count, originals?.count ?? graph.count == graph.count else {
            throw VectorFormatError.inconsistent("other numbers of rows")
        }
        guard let walked = codes.walked else { throw VectorFormatError.inconsistent("codes that are not walked") }
        let upper = upperRows(graph)
        let layout = InlineLayout.fitting(
            rows: graph.count, m0: graph.layout.m0, codeBytes: walked.stride, hasNorms: walked.norms != nil,
            originalBytes: originals?.rowBytes ?? 0, upperCounts: upper.counts)
        try head(layout, walked, upper.rows).withUnsafeBytes { try write($0) }
        let form = RecordForm(layout: layout, graph: graph, codes: walked, originals: originals)
        let batch = max(1, writingBytes / layout.recordBytes)
        let buffer = UnsafeMutableRawBufferPointer.allocate(
            byteCount: batch * layout.recordBytes, alignment: InlineLayout.pageBytes)
        defer { buffer.deallocate() }
        guard let base = buffer.baseAddress else { return }
        for first in stride(from: 0, to: graph.count, by: batch) {
            let count = min(batch, graph.count - first)
            base.initializeMemory(as: UInt8.self, repeating: 0, count: count * layout.recordBytes)
            for place in 0..<count {
                form.write(UInt32(truncatingIfNeeded: first + place), to: base + place * layout.recordBytes)
            }
            try write(UnsafeRawBufferPointer(start: base, count: count * layout.recordBytes))
            progress(first + count)
        }
        try [UInt8](repeating: 0, count: InlineLayout.tailBytes).withUnsafeBytes { try write($0) }
    }

    /// The rows of levels above 0, the highest level first, and how many have each as their highest, from level 1.
    private static func upperRows(_ graph: HNSWGraph) -> (rows: [UInt32], counts: [Int]) {
        var byLevel = [[UInt32]](repeating: [], count: InlineLayout.levelsMax)
        for row in 0..<graph.count where graph.levels[row] > 0 {
            let level = min(Int(graph.levels[row]), InlineLayout.levelsMax)
            byLevel[level - 1].append(UInt32(truncatingIfNeeded: row))
        }
        return (Array(byLevel.reversed().joined()), byLevel.map(\.count))
    }

    /// All before the records.
    private static func head(_ layout: InlineLayout, _ codes: WalkedCodes, _ upper: [UInt32]) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: layout.records)
        bytes.withUnsafeMutableBytes { bytes in
            func put(_ value: Int, _ offset: Int) {
                let word = UInt32(truncatingIfNeeded: value).littleEndian
                bytes.storeBytes(of: word, toByteOffset: offset, as: UInt32.self)
            }
            bytes.storeBytes(of: InlineLayout.magic.littleEndian, as: UInt64.self)
            put(Int(InlineLayout.version), 8)
            put(layout.m0, 12)
            put(layout.rows, 16)
            put(layout.codeBytes, 20)
            put(layout.hasNorms ? 1 : 0, 24)
            put(layout.originalBytes, 28)
            put(layout.recordBytes, 32)
            for (level, count) in layout.upperCounts.enumerated() { put(count, 40 + 4 * level) }
            guard let base = bytes.baseAddress else { return }
            for (place, row) in upper.enumerated() {
                put(Int(row), layout.upperIDs + 4 * place)
                if let norms = codes.norms { put(Int(norms[Int(row)]), layout.upperNorms + 4 * place) }
                (base + (layout.upperCodes + place * layout.codeBytes)).copyMemory(
                    from: codes.base + Int(row) * codes.stride, byteCount: layout.codeBytes)
            }
        }
        return bytes
    }
}

/// Writes records.
private struct RecordForm {
    let layout: InlineLayout
    let graph: HNSWGraph
    let codes: WalkedCodes
    let originals: DenseRows?

    /// Writes the record of a row to bytes of zeros.
    func write(_ row: UInt32, to record: UnsafeMutableRawPointer) {
        let list = graph.links0 + Int(row) * layout.m0
        var n = 0
        while n < layout.m0, list[n] < layout.rows {
            let neighbour = Int(list[n])
            record.storeBytes(of: list[n].littleEndian, toByteOffset: layout.links + 4 * n, as: UInt32.self)
            if let norms = codes.norms {
                record.storeBytes(of: norms[neighbour], toByteOffset: layout.norms + 4 * n, as: Int32.self)
            }
            (record + (layout.codes + n * layout.codeBytes)).copyMemory(
                from: codes.base + neighbour * codes.stride, byteCount: layout.codeBytes)
            n += 1
        }
        for place in n..<layout.m0 {
            record.storeBytes(of: noLink, toByteOffset: layout.links + 4 * place, as: UInt32.self)
        }
        var crc = octant_crc32c(row, record + layout.links, layout.original - layout.links)
        crc = octant_crc32c(crc, record + layout.codes, n * layout.codeBytes)
        record.storeBytes(of: crc.littleEndian, toByteOffset: layout.crc, as: UInt32.self)
        guard layout.originalBytes > 0, let originals else { return }
        (record + layout.original).copyMemory(from: originals.address(row), byteCount: layout.originalBytes)
        let own = octant_crc32c(row, record + layout.original, layout.originalBytes)
        record.storeBytes(of: own.littleEndian, toByteOffset: layout.originalCRC, as: UInt32.self)
    }
}
