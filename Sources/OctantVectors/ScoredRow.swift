/// A row and its similarity (larger is better).
package struct ScoredRow: Sendable, Equatable {
    package var row: UInt32
    package var score: Float

    package init(row: UInt32, score: Float) {
        self.row = row
        self.score = score
    }
}

/// Says for `count` rows which may be answers (filter, deletions, rows without a vector). Called with a batch at a
/// time; `admitted[i]` is to be set for every i.
package typealias RowPredicate = (
    _ rows: UnsafePointer<UInt32>, _ count: Int, _ admitted: UnsafeMutablePointer<Bool>
) -> Void

/// A score and a row in one integer that sorts best first: the score's bits made descending, then the row, then a flag
/// bit for the walk. Ties put the lower row first. One 64-bit comparison instead of two of different kinds.
typealias ScoreKey = UInt64

@inline(__always)
func scoreKey(_ score: Float, _ row: UInt32) -> ScoreKey {
    // NaN (rows whose products overflow both ways) is worse than anything.
    let bits = score == score ? score.bitPattern : (-Float.infinity).bitPattern
    let descending = bits >> 31 != 0 ? bits : ~bits & 0x7fff_ffff
    return UInt64(descending) << 32 | UInt64(row) << 1
}

@inline(__always)
func keyRow(_ key: ScoreKey) -> UInt32 {
    UInt32(truncatingIfNeeded: key) >> 1
}

@inline(__always)
func keyScore(_ key: ScoreKey) -> Float {
    let bits = UInt32(truncatingIfNeeded: key >> 32)
    return Float(bitPattern: bits >> 31 != 0 ? bits : ~bits & 0x7fff_ffff)
}
