/// A set of rows as one bit each, made and thrown away within a query.
final class RowBitmap {
    let words: UnsafeMutablePointer<UInt64>
    let wordCount: Int
    let rowCount: Int

    /// The empty set among `rowCount` rows.
    init(rowCount: Int) {
        self.rowCount = rowCount
        wordCount = bitmapWords(rowCount)
        words = UnsafeMutablePointer<UInt64>.allocate(capacity: max(wordCount, 1))
        words.initialize(repeating: 0, count: max(wordCount, 1))
    }

    deinit { words.deallocate() }

    /// How many rows are in the set.
    var count: Int { popcount(words, wordCount) }

    /// Adds rows; each is below `rowCount`.
    func insert(_ rows: UnsafePointer<UInt32>, _ count: Int) {
        let words = words
        for place in 0..<count {
            let row = rows[place]
            words[Int(row &>> 6)] |= 1 &<< UInt64(row & 63)
        }
    }

    /// Adds one row, below `rowCount`.
    @inline(__always)
    func insert(_ row: UInt32) { words[Int(row &>> 6)] |= 1 &<< UInt64(row & 63) }

    @inline(__always)
    func contains(_ row: UInt32) -> Bool { words[Int(row &>> 6)] &>> UInt64(row & 63) & 1 != 0 }

    func formUnion(_ other: UnsafePointer<UInt64>) {
        for place in 0..<wordCount { words[place] |= other[place] }
    }

    func formIntersection(_ other: UnsafePointer<UInt64>) {
        for place in 0..<wordCount { words[place] &= other[place] }
    }

    /// Adds the rows of another set. (Takes the object, not its words, so that it lives long enough.)
    func formUnion(_ other: RowBitmap) { withExtendedLifetime(other) { formUnion(other.words) } }

    /// Keeps the rows that are in another set too.
    func formIntersection(_ other: RowBitmap) { withExtendedLifetime(other) { formIntersection(other.words) } }

    /// Turns the set into the rows that were not in it.
    func invert() {
        for place in 0..<wordCount { words[place] = ~words[place] }
        let tail = rowCount & 63
        if tail != 0, wordCount > 0 { words[wordCount - 1] &= (1 &<< UInt64(tail)) &- 1 }
    }

    /// The rows, ascending.
    func rows() -> [UInt32] {
        let total = count
        return [UInt32](unsafeUninitializedCapacity: total) { out, filled in
            guard let base = out.baseAddress else { return }
            var at = 0
            for place in 0..<wordCount {
                var word = words[place]
                let first = UInt32(truncatingIfNeeded: place &* 64)
                while word != 0 {
                    base[at] = first &+ UInt32(truncatingIfNeeded: word.trailingZeroBitCount)
                    at &+= 1
                    word &= word &- 1
                }
            }
            filled = at
        }
    }
}

/// Words of 64 bits that hold `rowCount` bits.
func bitmapWords(_ rowCount: Int) -> Int { rowCount / 64 + (rowCount % 64 == 0 ? 0 : 1) }

/// How many bits are set.
func popcount(_ words: UnsafePointer<UInt64>, _ count: Int) -> Int {
    var total = 0
    for place in 0..<count { total &+= words[place].nonzeroBitCount }
    return total
}
