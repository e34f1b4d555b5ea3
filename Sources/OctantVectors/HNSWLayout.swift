/// Where the parts of a graph's byte form are. See docs/format/hnsw-graph.md.
struct HNSWLayout {
    let rows: Int
    let m: Int
    let upperLists: Int

    static let magic: UInt64 = 0x3157_534e_4854_434f  // "OCTHNSW1"
    static let version: UInt32 = 1
    static let headerBytes = 64

    var m0: Int { 2 * m }
    private func padded(_ n: Int) -> Int { (n + 63) / 64 * 64 }

    /// Level-0 links: m0 words a row.
    var links0: Int { Self.headerBytes }
    /// First upper list of a row (a word each).
    var starts: Int { links0 + padded(rows * m0 * 4) }
    /// Level of a row (a byte each).
    var levels: Int { starts + padded(rows * 4) }
    /// Upper lists: m words each.
    var upper: Int { levels + padded(rows) }
    var byteCount: Int { upper + padded(upperLists * m * 4) }
}
