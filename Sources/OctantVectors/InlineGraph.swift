import COctantKernels
import Synchronization

/// Level 0 of a graph with the codes of each node's neighbours beside its links, and where there is room its own original
/// vector: what a walk of a graph on disk needs of a node lies on consecutive pages. And the codes of all rows of higher
/// levels in one place.
///
/// It stands beside an ``HNSWGraph``, which has the same links and all others. Read only, over a mapped file that `owner`
/// keeps; nothing that it says is believed: each record is compared with its checksum when it is read, links are
/// bounded, and what is damaged is read from the graph and the codes instead. Byte layout: docs/format/inline-graph.md.
package final class InlineGraph: @unchecked Sendable {
    // SAFETY: the memory is read only, and `owner` keeps it for as long as the value lives.

    let layout: InlineLayout
    private let start: UnsafeRawPointer
    private let records: UnsafeRawPointer
    private let owner: AnyObject
    /// Set when a record was found damaged.
    private let isDamaged = Atomic<Bool>(false)

    /// Number of nodes.
    package var count: Int { layout.rows }
    /// Bytes before the first record.
    package var headBytes: Int { layout.records }
    /// Whether records hold the original vectors.
    package var hasOriginals: Bool { layout.originalBytes > 0 }
    /// Bytes from one record to the next.
    package let recordBytes: Int
    /// Whether no record was found damaged so far. What is found damaged, searches do without from then on.
    package var isIntact: Bool { !isDamaged.load(ordering: .relaxed) }

    /// Reads the byte form; checks every length.
    package init(bytes: UnsafeRawBufferPointer, owner: AnyObject) throws(VectorFormatError) {
        guard let start = bytes.baseAddress, bytes.count >= InlineLayout.headerBytes else {
            throw .truncated(expected: InlineLayout.headerBytes, found: bytes.count)
        }
        guard Int(bitPattern: start) % 64 == 0 else { throw .inconsistent("not aligned to 64 bytes") }
        func word(_ offset: Int) -> UInt32 { UInt32(littleEndian: bytes.load(fromByteOffset: offset, as: UInt32.self)) }
        guard UInt64(word(0)) | UInt64(word(4)) << 32 == InlineLayout.magic else { throw .badMagic }
        guard word(8) == InlineLayout.version else { throw .unsupportedVersion(word(8)) }
        let (m0, rows, codeBytes) = (Int(word(12)), Int(word(16)), Int(word(20)))
        guard m0 >= 4, m0 <= 512 else { throw .inconsistent("m0") }
        guard rows < 1 << 31 else { throw .inconsistent("row count") }
        guard codeBytes >= 1, codeBytes <= 1 << 17 else { throw .inconsistent("bytes of a row of codes") }
        guard word(24) <= 1 else { throw .inconsistent("flags") }
        let originalBytes = Int(word(28))
        guard originalBytes <= InlineLayout.pageBytes else { throw .inconsistent("bytes of an original") }
        let counts = (0..<InlineLayout.levelsMax).map { Int(word(40 + 4 * $0)) }
        // Cannot overflow: 2^31 records of less than 2^27 bytes.
        guard counts.allSatisfy({ $0 <= rows }), counts.reduce(0, +) <= rows else { throw .inconsistent("levels") }
        let layout = InlineLayout(
            rows: rows, m0: m0, codeBytes: codeBytes, hasNorms: word(24) == 1, originalBytes: originalBytes,
            upperCounts: counts)
        guard Int(word(32)) == layout.recordBytes else { throw .inconsistent("bytes of a record") }
        guard originalBytes == 0 || layout.recordBytes / InlineLayout.pageBytes * rows < 1 << 32 else {
            throw .inconsistent("originals of too many rows")
        }
        guard bytes.count >= layout.byteCount else {
            throw .truncated(expected: layout.byteCount, found: bytes.count)
        }
        self.layout = layout
        recordBytes = layout.recordBytes
        self.start = start
        records = start + layout.records
        self.owner = owner
    }

    /// Compares every record with its checksum, and every link with the number of rows.
    package func validate() throws(VectorFormatError) {
        let ids = start + layout.upperIDs
        for place in 0..<layout.upperRows where ids.load(fromByteOffset: 4 * place, as: UInt32.self) >= layout.rows {
            throw .inconsistent("row of a higher level")
        }
        let list = UnsafeMutablePointer<UInt32>.allocate(capacity: layout.m0)
        defer { list.deallocate() }
        for row in 0..<UInt32(layout.rows) {
            guard read(row, into: list), layout.originalBytes == 0 || originalIsIntact(row) else {
                throw .inconsistent("record \(row)")
            }
            let links = record(row) + layout.links
            for place in 0..<layout.m0 {
                let link = links.load(fromByteOffset: 4 * place, as: UInt32.self)
                guard link < layout.rows || link == noLink else { throw .inconsistent("link of record \(row)") }
            }
        }
    }

    /// Whether it belongs to this graph, codes and originals, as far as lengths say.
    func fits(_ graph: HNSWGraph, _ codes: VectorCodes, _ rows: DenseRows) -> Bool {
        guard let walked = codes.walked else { return false }
        return count == graph.count && count == codes.count && count == rows.count && layout.m0 == graph.layout.m0
            && layout.codeBytes == walked.stride && layout.hasNorms == (walked.norms != nil)
            && (layout.originalBytes == 0 || layout.originalBytes == rows.rowBytes)
    }

    // MARK: Records

    @inline(__always)
    private func record(_ row: UInt32) -> UnsafeRawPointer {
        records + Int(row) &* recordBytes
    }

    /// Asks for the records of some rows.
    func ask(_ rows: UnsafePointer<UInt32>, _ count: Int) {
        DiskReads.ask(records, stride: recordBytes, rows, count)
    }

    /// Copies the links of a node's record, which end with `noLink` or after all places; `false` if the record is damaged.
    /// `row` is below ``count``.
    func read(_ row: UInt32, into list: UnsafeMutablePointer<UInt32>) -> Bool {
        let record = record(row)
        let links = (record + layout.links).assumingMemoryBound(to: UInt32.self)
        let limit = UInt32(truncatingIfNeeded: layout.rows)
        var n = 0
        while n < layout.m0, links[n] < limit {
            list[n] = links[n]
            n &+= 1
        }
        if n < layout.m0 { list[n] = noLink }
        let isIntact = record.load(fromByteOffset: layout.crc, as: UInt32.self) == checksum(row, links: n)
        if !isIntact { isDamaged.store(true, ordering: .relaxed) }
        return isIntact
    }

    /// Of the links, their norms and codes. It begins with the row: a record in the place of another is damaged, too.
    private func checksum(_ row: UInt32, links: Int) -> UInt32 {
        let record = record(row)
        let crc = octant_crc32c(row, record + layout.links, layout.original - layout.links)
        return octant_crc32c(crc, record + layout.codes, links &* layout.codeBytes)
    }

    /// Where the codes of a node's neighbours lie, in the order of its links.
    @inline(__always)
    func codes(_ row: UInt32) -> (base: UnsafeRawPointer, norms: UnsafePointer<Int32>?) {
        let record = record(row)
        let norms = (record + layout.norms).assumingMemoryBound(to: Int32.self)
        return (record + layout.codes, layout.hasNorms ? norms : nil)
    }

    // MARK: Originals

    /// The originals in the records; `nil` if there are none.
    func originals(like rows: DenseRows) -> DenseRows? {
        guard layout.originalBytes > 0, layout.originalBytes == rows.rowBytes else { return nil }
        return rows.moved(to: records + layout.original, stride: recordBytes)
    }

    /// Asks for the originals of some rows.
    func askOriginals(_ rows: UnsafePointer<UInt32>, _ count: Int) {
        guard recordBytes >= InlineLayout.pageBytes else { return ask(rows, count) }
        let perRecord = recordBytes / InlineLayout.pageBytes
        let wanted = layout.originalPages
        withUnsafeTemporaryAllocation(of: UInt32.self, capacity: max(1, count * wanted.count)) { pages in
            guard let pages = pages.baseAddress else { return }
            var n = 0
            for place in 0..<count {
                for page in wanted {
                    pages[n] = UInt32(truncatingIfNeeded: Int(rows[place]) &* perRecord &+ page)
                    n &+= 1
                }
            }
            DiskReads.ask(records, stride: InlineLayout.pageBytes, pages, n)
        }
    }

    /// Whether the originals of some rows are what was written.
    func originalsAreIntact(_ rows: UnsafePointer<UInt32>, _ count: Int) -> Bool {
        for place in 0..<count where !originalIsIntact(rows[place]) { return false }
        return true
    }

    private func originalIsIntact(_ row: UInt32) -> Bool {
        let record = record(row)
        let crc = octant_crc32c(row, record + layout.original, layout.originalBytes)
        let isIntact = record.load(fromByteOffset: layout.originalCRC, as: UInt32.self) == crc
        if !isIntact { isDamaged.store(true, ordering: .relaxed) }
        return isIntact
    }

    // MARK: Higher levels

    /// Where the codes of the rows of higher levels lie.
    var upperCodes: (base: UnsafeRawPointer, norms: UnsafePointer<Int32>?) {
        let norms = (start + layout.upperNorms).assumingMemoryBound(to: Int32.self)
        return (start + layout.upperCodes, layout.hasNorms ? norms : nil)
    }

    /// The place of a row among those of higher levels; `nil` if it is on level 0 alone. The higher a level, the fewer rows
    /// are on it and the more often one is met: they lie together.
    func upperPlace(_ row: UInt32) -> Int? {
        let ids = (start + layout.upperIDs).assumingMemoryBound(to: UInt32.self)
        var end = 0
        for level in stride(from: layout.upperCounts.count &- 1, through: 0, by: -1) {
            let count = layout.upperCounts[level]
            if count == 0 { continue }
            var (low, high) = (end, end &+ count)
            end = high
            while low < high {
                let middle = (low &+ high) >> 1
                if ids[middle] < row { low = middle &+ 1 } else { high = middle }
            }
            if low < end, ids[low] == row { return low }
        }
        return nil
    }
}
