package import OctantModel

/// The sparse vectors of one name in a segment: each row's vector, and for each dimension its rows (an inverted index).
///
/// Bytes, little-endian (see `docs/format/sparse.md`); R rows, D dimensions, N entries:
/// ```
/// u32 format = 1 | u32 0 | u64 R | u64 rows with a vector | u64 D | u64 N
/// u64 present[⌈R / 64⌉] | u64 end[R] | u64 posting end[D]
/// f32 lowest[D] | f32 highest[D] | u32 dimension[D]
/// u32 index[N] | f32 value[N]      row by row
/// u32 row[N] | f32 weight[N]       dimension by dimension
/// ```
package final class SparseIndex: @unchecked Sendable {
    // SAFETY: read-only memory, kept alive by `owner`.

    /// Rows, those without a vector included.
    package let count: Int
    /// Rows that have a vector, be it an empty one.
    package let presentCount: Int
    /// Numbers in all vectors.
    package let entryCount: Int
    let dimensionCount: Int
    let postingEnds: UnsafePointer<UInt64>
    let lowest: UnsafePointer<Float>
    let highest: UnsafePointer<Float>
    let postingRows: UnsafePointer<UInt32>
    let weights: UnsafePointer<Float>
    private let present: UnsafePointer<UInt64>
    private let ends: UnsafePointer<UInt64>
    private let dimensions: UnsafePointer<UInt32>
    private let indices: UnsafePointer<UInt32>
    private let values: UnsafePointer<Float>
    private let owner: AnyObject

    static let headerBytes = 40

    /// Reads an index; throws ``SparseFormatError`` for bytes that are not one.
    package init(bytes: UnsafeRawBufferPointer, owner: AnyObject) throws(SparseFormatError) {
        guard bytes.count >= Self.headerBytes, let base = bytes.baseAddress else {
            throw SparseFormatError("too short")
        }
        guard bytes.loadUnaligned(as: UInt32.self) == 1 else { throw SparseFormatError("unknown format") }
        func number(_ place: Int) -> Int? {
            Int(exactly: bytes.loadUnaligned(fromByteOffset: 8 + 8 * place, as: UInt64.self))
        }
        guard let rows = number(0), let present = number(1), let dimensions = number(2), let entries = number(3),
            rows < 1 << 31, present <= rows, dimensions <= entries, entries <= bytes.count
        else { throw SparseFormatError("impossible counts") }
        let words = (rows + 63) / 64
        let needed = Self.headerBytes + 8 * (words + rows + dimensions) + 12 * dimensions + 16 * entries
        guard bytes.count == needed else { throw SparseFormatError("\(bytes.count) bytes instead of \(needed)") }
        count = rows
        presentCount = present
        entryCount = entries
        dimensionCount = dimensions
        self.owner = owner
        self.present = (base + Self.headerBytes).assumingMemoryBound(to: UInt64.self)
        ends = self.present + words
        postingEnds = ends + rows
        lowest = UnsafeRawPointer(postingEnds + dimensions).assumingMemoryBound(to: Float.self)
        highest = lowest + dimensions
        self.dimensions = UnsafeRawPointer(highest + dimensions).assumingMemoryBound(to: UInt32.self)
        indices = self.dimensions + dimensions
        values = UnsafeRawPointer(indices + entries).assumingMemoryBound(to: Float.self)
        postingRows = UnsafeRawPointer(values + entries).assumingMemoryBound(to: UInt32.self)
        weights = UnsafeRawPointer(postingRows + entries).assumingMemoryBound(to: Float.self)
        guard isConsistent else { throw SparseFormatError("inconsistent tables") }
    }

    /// Whether nothing that is read through the tables is outside of them.
    private var isConsistent: Bool {
        var end: UInt64 = 0
        for row in 0..<count {
            guard ends[row] >= end else { return false }
            end = ends[row]
        }
        guard end == UInt64(entryCount) else { return false }
        var start = 0
        for place in 0..<dimensionCount {
            guard let end = Int(exactly: postingEnds[place]), end >= start, end <= entryCount else { return false }
            if place > 0, dimensions[place] <= dimensions[place - 1] { return false }
            var last = -1
            for entry in start..<end {
                let row = Int(postingRows[entry])
                guard row > last, row < count else { return false }
                last = row
            }
            start = end
        }
        return start == entryCount
    }

    /// Whether `row` has a vector.
    @inline(__always)
    package func isPresent(_ row: UInt32) -> Bool {
        Int(row) < count && present[Int(row >> 6)] >> UInt64(row & 63) & 1 != 0
    }

    /// The vector of a row, in place; `nil` if it has none.
    package func vector(_ row: UInt32) -> SparseRow? { isPresent(row) ? entries(row) : nil }

    @inline(__always)
    func entries(_ row: UInt32) -> SparseRow {
        let start = row == 0 ? 0 : Int(truncatingIfNeeded: ends[Int(row) &- 1])
        let end = Int(truncatingIfNeeded: ends[Int(row)])
        return SparseRow(indices: indices + start, values: values + start, count: end &- start)
    }

    /// The place of a dimension in the tables; `nil` if no row has it.
    func place(of dimension: UInt32) -> Int? {
        var low = 0
        var high = dimensionCount
        while low < high {
            let middle = (low + high) / 2
            if dimensions[middle] < dimension { low = middle + 1 } else { high = middle }
        }
        return low < dimensionCount && dimensions[low] == dimension ? low : nil
    }

    /// The entries of the posting list at `place`.
    func postings(_ place: Int) -> Range<Int> {
        let start = place == 0 ? 0 : Int(truncatingIfNeeded: postingEnds[place - 1])
        return start..<Int(truncatingIfNeeded: postingEnds[place])
    }

    /// How many rows have a number at `dimension`; with `isLive`, how many of those it is true for.
    package func documentFrequency(_ dimension: UInt32, isLive: ((UInt32) -> Bool)?) -> Int {
        guard let place = place(of: dimension) else { return 0 }
        let entries = postings(place)
        guard let isLive else { return entries.count }
        return entries.count { isLive(postingRows[$0]) }
    }

    /// How many entries a search for `query` may have to read.
    package func postingCount(_ query: SparseVector) -> Int {
        query.indices.reduce(0) { sum, index in sum + (place(of: index).map { postings($0).count } ?? 0) }
    }
}

/// Why bytes are not a sparse index.
package struct SparseFormatError: Error, CustomStringConvertible {
    /// What is wrong.
    package let description: String

    init(_ what: String) { description = "sparse index: \(what)" }
}

/// A stored sparse vector in place: ascending indices, each once. Lives as long as its holder.
package struct SparseRow: @unchecked Sendable {
    // SAFETY: read-only memory for as long as a value is in use.
    package let indices: UnsafePointer<UInt32>
    package let values: UnsafePointer<Float>
    package let count: Int

    /// A vector in place.
    package init(indices: UnsafePointer<UInt32>, values: UnsafePointer<Float>, count: Int) {
        self.indices = indices
        self.values = values
        self.count = count
    }

    /// A copy.
    package var vector: SparseVector {
        SparseVector(
            indices: Array(UnsafeBufferPointer(start: indices, count: count)),
            values: Array(UnsafeBufferPointer(start: values, count: count)))
    }

    /// The dot product over shared indices, summed in their ascending order; `nil` if none is shared.
    @inline(__always)
    func dot(_ query: SparseRow) -> Float? {
        var sum: Float = 0
        var shared = false
        var i = 0
        var j = 0
        while i < count, j < query.count {
            let (a, b) = (indices[i], query.indices[j])
            if a == b {
                sum += values[i] * query.values[j]
                shared = true
            }
            i &+= a <= b ? 1 : 0
            j &+= b <= a ? 1 : 0
        }
        return shared ? sum : nil
    }
}

extension SparseVector {
    /// Runs `body` with the vector in place.
    package func withRow<Result>(_ body: (SparseRow) throws -> Result) rethrows -> Result {
        let count = min(indices.count, values.count)
        return try indices.withUnsafeBufferPointer { indices in
            try values.withUnsafeBufferPointer { values in
                guard let indices = indices.baseAddress, let values = values.baseAddress else {
                    return try withUnsafePointer(to: 0 as UInt32) { index in
                        try withUnsafePointer(to: 0 as Float) { value in
                            try body(SparseRow(indices: index, values: value, count: 0))
                        }
                    }
                }
                return try body(SparseRow(indices: indices, values: values, count: count))
            }
        }
    }
}
