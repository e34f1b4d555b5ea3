/// Where the parts of an inline graph's byte form are. See docs/format/inline-graph.md.
struct InlineLayout: Equatable {
    let rows: Int
    /// Links of a node at most.
    let m0: Int
    /// Bytes of a row's codes.
    let codeBytes: Int
    /// Whether each row of codes has a number beside it.
    let hasNorms: Bool
    /// Bytes of the original vector that a record holds; 0: none.
    let originalBytes: Int
    /// How many rows are on levels 1, 2, ... and on none above.
    let upperCounts: [Int]

    static let magic: UInt64 = 0x314e_4c4e_4954_434f  // "OCTINLN1"
    static let version: UInt32 = 1
    static let headerBytes = 256
    /// What is read from a disk at once. The format's own, whatever the system's pages are.
    static let pageBytes = 4096
    /// Bytes behind the last row of codes that kernels may read.
    static let tailBytes = 64
    static let levelsMax = HNSWGraph.maxLevels - 1

    private static func lines(_ n: Int) -> Int { (n + 63) / 64 * 64 }
    private static func pages(_ n: Int) -> Int { (n + pageBytes - 1) / pageBytes }

    // MARK: A record

    /// Checksum of links, norms and codes.
    var crc: Int { 0 }
    /// Checksum of the original.
    var originalCRC: Int { 4 }
    var links: Int { 8 }
    var norms: Int { links + 4 * m0 }
    var original: Int { Self.lines(norms + (hasNorms ? 4 * m0 : 0)) }
    var codes: Int { Self.lines(original + originalBytes) }
    var contentBytes: Int { codes + m0 * codeBytes }

    /// Bytes from one record to the next: whole pages, or a half, a quarter, ... of one, so that no record begins on a page
    /// and ends on another without need.
    var recordBytes: Int {
        let content = contentBytes
        guard content <= Self.pageBytes else { return Self.pages(content) * Self.pageBytes }
        var size = Self.pageBytes
        while size / 2 >= content { size /= 2 }
        return size
    }

    /// Pages of a record that hold its original, from the first; of records that are whole pages.
    var originalPages: Range<Int> {
        original / Self.pageBytes..<(original + max(originalBytes, 1) - 1) / Self.pageBytes + 1
    }

    // MARK: The file

    var upperRows: Int { upperCounts.reduce(0, +) }
    /// Rows of the levels above 0, the highest first: a word each.
    var upperIDs: Int { Self.headerBytes }
    var upperNorms: Int { upperIDs + Self.lines(upperRows * 4) }
    var upperCodes: Int { upperNorms + (hasNorms ? Self.lines(upperRows * 4) : 0) }
    var records: Int { Self.pages(upperCodes + upperRows * codeBytes + Self.tailBytes) * Self.pageBytes }
    var byteCount: Int { records + rows * recordBytes + Self.tailBytes }

    /// With originals of so many bytes if a record has room for them on the pages that it has without: reading one then
    /// costs nothing, for the record was read when the walk came by. An original that needs pages of its own would be
    /// read with every record, and is wanted of few.
    static func fitting(
        rows: Int, m0: Int, codeBytes: Int, hasNorms: Bool, originalBytes: Int, upperCounts: [Int]
    ) -> InlineLayout {
        func layout(_ bytes: Int) -> InlineLayout {
            InlineLayout(
                rows: rows, m0: m0, codeBytes: codeBytes, hasNorms: hasNorms, originalBytes: bytes,
                upperCounts: upperCounts)
        }
        let (with, without) = (layout(originalBytes), layout(0))
        let isFree = pages(with.contentBytes) == pages(without.contentBytes)
        // Pages are counted by 32 bits where originals are asked for.
        return isFree && pages(with.recordBytes) * rows < 1 << 32 ? with : without
    }
}
