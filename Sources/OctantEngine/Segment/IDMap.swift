package import OctantModel
package import OctantStorage

/// The ids of a segment's rows: row to id, id to row, and the rows in ascending order of id.
///
/// Bytes, little-endian, in this order (see `docs/format/segment.md`):
/// ```
/// u32 format = 1 | u32 flags (bit 0: UUIDs are present) | u64 rows | u64 slots | u64 listed rows
/// u64 low[rows] | u64 high[rows] (if UUIDs) | u64 version[rows]
/// u32 order[listed]         rows that lived when the segment was written, ascending by id
/// u32 slot[slots]           open addressing by PointID.stableHash, linear probing; row + 1, 0 is free
/// u8  kind[rows] (if UUIDs) 1: the row's id is a UUID
/// ```
/// Rows that were dead when the segment was written (kept only because the graph walks over them) are not listed.
package struct IDMap: @unchecked Sendable {
    // SAFETY: read-only memory, kept alive by the segment that owns the file.
    package let rowCount: Int
    package let listedCount: Int
    private let slotCount: Int
    private let hasUUIDs: Bool
    private let low: UnsafePointer<UInt64>
    private let high: UnsafePointer<UInt64>
    private let versions: UnsafePointer<UInt64>
    private let order: UnsafePointer<UInt32>
    private let slots: UnsafePointer<UInt32>
    private let kinds: UnsafePointer<UInt8>

    private static let headerBytes = 32

    /// Reads the map from `bytes`; throws `corrupt` if the lengths do not fit.
    package init(_ bytes: UnsafeRawBufferPointer) throws(StorageError) {
        guard bytes.count >= Self.headerBytes, let base = bytes.baseAddress else { throw Self.damaged("is too short") }
        guard bytes.load(as: UInt32.self) == 1 else { throw Self.damaged("has an unknown format") }
        hasUUIDs = bytes.load(fromByteOffset: 4, as: UInt32.self) & 1 != 0
        guard let rows = Int(exactly: bytes.load(fromByteOffset: 8, as: UInt64.self)),
            let slots = Int(exactly: bytes.load(fromByteOffset: 16, as: UInt64.self)),
            let listed = Int(exactly: bytes.load(fromByteOffset: 24, as: UInt64.self)),
            rows < Int(UInt32.max), slots <= 1 << 40, listed <= rows, slots > listed, slots & (slots - 1) == 0
        else { throw Self.damaged("has impossible counts") }
        let wide = hasUUIDs ? 1 : 0
        let needed = Self.headerBytes + rows * (16 + 9 * wide) + listed * 4 + slots * 4
        guard bytes.count >= needed else { throw Self.damaged("is too short for \(rows) rows") }
        rowCount = rows
        listedCount = listed
        slotCount = slots
        low = (base + Self.headerBytes).assumingMemoryBound(to: UInt64.self)
        high = low + rows * wide
        versions = high + rows
        order = UnsafeRawPointer(versions + rows).assumingMemoryBound(to: UInt32.self)
        self.slots = order + listed
        kinds = UnsafeRawPointer(self.slots + slots).assumingMemoryBound(to: UInt8.self)
        for place in 0..<listed where order[place] >= rows { throw Self.damaged("lists a row beyond its end") }
        for slot in 0..<slots where self.slots[slot] > rows { throw Self.damaged("names a row beyond its end") }
    }

    private static func damaged(_ what: String) -> StorageError {
        StorageError(.corrupt, "id map \(what)")
    }

    /// The id of `row`, which is below ``rowCount``.
    package func id(_ row: UInt32) -> PointID {
        let row = Int(row)
        guard hasUUIDs, kinds[row] != 0 else { return .number(low[row]) }
        return .uuid(UUIDValue(high: high[row], low: low[row]))
    }

    /// The LSN that wrote `row`.
    package func version(_ row: UInt32) -> UInt64 { versions[Int(row)] }

    /// The row of `id`, dead or alive; `nil` if it is not listed.
    package func row(of id: PointID) -> UInt32? {
        if id.isUUID, !hasUUIDs { return nil }
        let mask = UInt64(slotCount - 1)
        var slot = id.stableHash & mask
        for _ in 0..<slotCount {
            let entry = slots[Int(slot)]
            if entry == 0 { return nil }
            if self.id(entry - 1) == id { return entry - 1 }
            slot = (slot &+ 1) & mask
        }
        return nil
    }

    /// The row at `place` in ascending order of id.
    package func row(atPlace place: Int) -> UInt32 { order[place] }

    /// The first place whose id is not below `id`.
    package func lowerBound(_ id: PointID) -> Int {
        var low = 0
        var high = listedCount
        while low < high {
            let middle = (low + high) / 2
            if self.id(order[middle]) < id { low = middle + 1 } else { high = middle }
        }
        return low
    }

    /// Writes the map of rows with these ids and versions; rows for which `listed` is false are not found by id.
    package static func encode(
        ids: [PointID], versions: [UInt64], listed: (Int) -> Bool,
        write: (UnsafeRawBufferPointer) throws(StorageError) -> Void
    ) throws(StorageError) {
        let hasUUIDs = ids.contains(where: \.isUUID)
        var order = (0..<UInt32(ids.count)).filter { listed(Int($0)) }
        order.sort { ids[Int($0)] < ids[Int($1)] }
        let slotCount = slotCount(order.count)
        var slots = [UInt32](repeating: 0, count: slotCount)
        for row in order {
            var slot = Int(ids[Int(row)].stableHash & UInt64(slotCount - 1))
            while slots[slot] != 0 { slot = (slot + 1) & (slotCount - 1) }
            slots[slot] = row + 1
        }
        var header = ByteWriter()
        header.u32(1)
        header.u32(hasUUIDs ? 1 : 0)
        header.u64(UInt64(ids.count))
        header.u64(UInt64(slotCount))
        header.u64(UInt64(order.count))
        try put(header.bytes, write)
        try put(ids.map { $0.words.low.littleEndian }, write)
        if hasUUIDs { try put(ids.map { $0.words.high.littleEndian }, write) }
        try put(versions.map(\.littleEndian), write)
        try put(order.map(\.littleEndian), write)
        try put(slots.map(\.littleEndian), write)
        if hasUUIDs { try put(ids.map { UInt8($0.isUUID ? 1 : 0) }, write) }
    }

    private static func slotCount(_ rows: Int) -> Int {
        var count = 2
        while count < rows * 2 { count *= 2 }
        return count
    }

    /// Bytes that encoding so many rows allocates at most: the order, whose array grew, and two copies of the slots.
    package static func encodingBytes(_ rows: Int) -> Int { rows * 8 + slotCount(rows) * 8 }

    private static func put<Element: BitwiseCopyable>(
        _ values: [Element], _ write: (UnsafeRawBufferPointer) throws(StorageError) -> Void
    ) throws(StorageError) {
        var failure: StorageError?
        values.withUnsafeBytes { bytes in
            do throws(StorageError) { try write(bytes) } catch { failure = error }
        }
        if let failure { throw failure }
    }
}
