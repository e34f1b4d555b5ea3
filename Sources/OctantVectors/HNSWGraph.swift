/// A finished HNSW graph, read only, over borrowed memory that `owner` keeps.
///
/// Malkov & Yashunin, "Efficient and robust approximate nearest neighbor search using Hierarchical Navigable Small
/// World graphs" (2016). Byte layout: docs/format/hnsw-graph.md.
package final class HNSWGraph: @unchecked Sendable {
    // SAFETY: the memory is read only, and `owner` keeps it for as long as the graph lives.

    /// Rows the graph knows, linked or not.
    package let count: Int
    /// How it was built.
    package let parameters: HNSWParameters
    /// Where searches begin; nil for a graph without linked rows.
    package let entry: UInt32?
    /// Highest level.
    package let maxLevel: Int
    /// The byte form.
    package let bytes: UnsafeRawBufferPointer

    let links0: UnsafePointer<UInt32>
    let starts: UnsafePointer<UInt32>
    let levels: UnsafePointer<UInt8>
    let upper: UnsafePointer<UInt32>
    let layout: HNSWLayout
    private let owner: AnyObject

    static let maxLevels = 32

    /// Whether the bytes are a mapped file's that is read only where a search looks. Links are then checked when they are
    /// read: looking at all of them would bring all of the file into memory, and what the system dropped may be other
    /// bytes when it comes back.
    package let isCold: Bool

    /// Reads the byte form. Checks every length, and unless it `isCold` every link, so that a search of a graph that was
    /// accepted stays within its memory.
    package init(bytes: UnsafeRawBufferPointer, owner: AnyObject, isCold: Bool = false) throws(VectorFormatError) {
        guard let start = bytes.baseAddress, bytes.count >= HNSWLayout.headerBytes else {
            throw .truncated(expected: HNSWLayout.headerBytes, found: bytes.count)
        }
        guard Int(bitPattern: start) % 4 == 0 else { throw .inconsistent("not aligned to 4 bytes") }
        func word(_ offset: Int) -> UInt32 { UInt32(littleEndian: bytes.load(fromByteOffset: offset, as: UInt32.self)) }
        func double(_ offset: Int) -> UInt64 { UInt64(word(offset)) | UInt64(word(offset + 4)) << 32 }
        guard double(0) == HNSWLayout.magic else { throw .badMagic }
        guard word(8) == HNSWLayout.version else { throw .unsupportedVersion(word(8)) }
        let m = Int(word(12))
        guard m >= 2, m <= 256, Int(word(16)) == 2 * m else { throw .inconsistent("m") }
        let rows = Int(word(24))
        guard rows < 1 << 31 else { throw .inconsistent("row count") }
        let efConstruct = Int(word(20))
        guard efConstruct >= 4, efConstruct <= 1 << 16 else { throw .inconsistent("ef_construct") }
        layout = HNSWLayout(rows: rows, m: m, upperLists: Int(word(36)))
        guard bytes.count >= layout.byteCount else {
            throw .truncated(expected: layout.byteCount, found: bytes.count)
        }
        parameters = HNSWParameters(m: m, efConstruct: efConstruct, seed: double(40))
        count = rows
        maxLevel = Int(word(32))
        entry = word(28) == noLink ? nil : word(28)
        links0 = (start + layout.links0).assumingMemoryBound(to: UInt32.self)
        starts = (start + layout.starts).assumingMemoryBound(to: UInt32.self)
        levels = (start + layout.levels).assumingMemoryBound(to: UInt8.self)
        upper = (start + layout.upper).assumingMemoryBound(to: UInt32.self)
        self.bytes = UnsafeRawBufferPointer(start: start, count: layout.byteCount)
        self.owner = owner
        self.isCold = isCold
        guard maxLevel < Self.maxLevels else { throw .inconsistent("highest level") }
        if let entry {
            guard entry < count, levels[Int(entry)] >= maxLevel else { throw .inconsistent("entry") }
        }
        if !isCold { try validate() }
    }

    /// Looks at every link.
    func validate() throws(VectorFormatError) {
        // A link is fine if it is below the row count or, plus one, zero.
        let limit = UInt32(count)
        var bad: UInt32 = 0
        for i in 0..<count * layout.m0 { bad |= links0[i] < limit || links0[i] == noLink ? 0 : 1 }
        guard bad == 0 else { throw .inconsistent("link") }
        for row in 0..<count where levels[row] > 0 {
            let first = Int(starts[row])
            let height = Int(levels[row])
            guard height < Self.maxLevels, first <= layout.upperLists, height <= layout.upperLists - first else {
                throw .inconsistent("upper lists")
            }
            for level in 1...height {
                let list = upper + (first + level - 1) * layout.m
                for i in 0..<layout.m where list[i] != noLink {
                    guard list[i] < limit, levels[Int(list[i])] >= level else { throw .inconsistent("upper link") }
                }
            }
        }
    }

    /// Links of the graph for walks.
    var source: FrozenLinks {
        FrozenLinks(links0: links0, m0: layout.m0, starts: starts, upper: upper, m: layout.m)
    }
}

/// Links that no longer change.
struct FrozenLinks: LinkSource {
    let links0: UnsafePointer<UInt32>
    let m0: Int
    let starts: UnsafePointer<UInt32>
    let upper: UnsafePointer<UInt32>
    let m: Int

    @inline(__always)
    func links(_ row: UInt32, _ level: Int, _ buffer: UnsafeMutablePointer<UInt32>) -> UnsafePointer<UInt32> {
        level == 0 ? links0 + Int(row) &* m0 : upper + (Int(starts[Int(row)]) &+ level &- 1) &* m
    }

    @inline(__always)
    func width(_ level: Int) -> Int { level == 0 ? m0 : m }

    @inline(__always)
    func prefetch(_ row: UInt32, _ level: Int) {
        guard level == 0 else { return }
        let list = links0 + Int(row) &* m0
        var i = 0
        while i < m0 {
            prefetchLine(list + i)
            i &+= 16
        }
    }
}
