package import OctantModel

/// Something that holds points by row: an immutable segment or a memtable.
///
/// Rows keep their numbers for the life of the holder. What the pointers name lives as long as the holder.
package protocol RowSource: AnyObject, Sendable {
    /// Rows, dead ones included.
    var rowCount: Int { get }
    /// Which rows have died, and when.
    var tombstones: Tombstones { get }
    /// The id of a row.
    func id(_ row: UInt32) -> PointID
    /// The LSN of the operation that wrote a row.
    func version(_ row: UInt32) -> UInt64
    /// The encoded payload of a row; empty for `{}`.
    func payload(_ row: UInt32) -> UnsafeRawBufferPointer
    /// A row's vector of whatever kind; `nil` if the point has none of this name.
    func stored(_ row: UInt32, _ name: String) -> StoredVector?
    /// The row of `id` that is visible in the view of `lsn`.
    func row(of id: PointID, at lsn: UInt64) -> UInt32?
}

extension PointID {
    /// A well-mixed hash, the same in every process: it is stored in segment files.
    package var stableHash: UInt64 {
        let (high, low) = words
        var mixed = low &+ 0x9E37_79B9_7F4A_7C15 &* (high | 1)
        mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
        return mixed ^ mixed >> 31
    }

    /// The id as two words; a number has 0 as its high word.
    package var words: (high: UInt64, low: UInt64) {
        switch self {
        case .number(let number): (0, number)
        case .uuid(let uuid): (uuid.high, uuid.low)
        }
    }

    /// Whether it is a UUID.
    package var isUUID: Bool {
        if case .uuid = self { true } else { false }
    }
}
