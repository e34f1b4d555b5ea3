package import OctantModel

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// The index of one key over the rows of a segment: what each row holds, and which rows hold a value.
///
/// It reads the bytes ``FieldIndexBuilder`` wrote in place, for example from a mapped file.
package final class FieldIndex: @unchecked Sendable {
    // SAFETY: everything is immutable after `init`, and so are the bytes, which `owner` keeps alive.

    /// The indexed key.
    package let key: PayloadPath
    /// The kind of index.
    package let type: FieldIndexType
    /// How many rows the segment has.
    package let rowCount: Int
    /// How many rows hold at least one value of the index's kind.
    package let indexedRows: Int
    /// How many different values there are (0 for bool indexes).
    package let distinctCount: Int
    /// How many pairs of row and value there are; equal values of one row count once.
    package let valueCount: Int
    /// The schema the index was built for, as far as the bytes depend on it.
    package let schema: FieldIndexSchema
    /// Bytes of the index.
    package let byteCount: Int

    /// The most values one row holds.
    let valuesPerRowMax: Int
    /// `rowCount + 1` places in `codes`, `integers` or `floats`; `nil`: row *r* holds value *r* alone.
    let offsets: UnsafePointer<UInt32>?
    /// Text: `rowCount + 1` places in `words`; `nil` if the index does not keep their order.
    let wordOffsets: UnsafePointer<UInt32>?
    /// Text: the numbers of the words of each row in their order, `gap` behind each string.
    let words: UnsafeRawPointer
    /// What stands between the words of two strings.
    static let gap = UInt32.max
    private let values: UnsafeRawPointer
    private let sorted: UnsafeRawPointer
    /// Rows by value: postings one behind the other, or the rows of `sorted`.
    let rows: UnsafePointer<UInt32>
    /// Keyword: `distinctCount + 1` places in `rows`.
    let postingOffsets: UnsafePointer<UInt32>
    private let dictionaryOffsets: UnsafePointer<UInt64>
    private let dictionary: UnsafeRawPointer
    private let bitmaps: [UnsafePointer<UInt64>?]
    private let owner: AnyObject

    /// Keyword, uuid: the number of the value, by place.
    var codes: UnsafePointer<UInt32> { values.assumingMemoryBound(to: UInt32.self) }
    /// Integer, datetime: the value, by place.
    var integers: UnsafePointer<Int64> { values.assumingMemoryBound(to: Int64.self) }
    /// Float: the value, by place.
    var floats: UnsafePointer<Double> { values.assumingMemoryBound(to: Double.self) }
    /// Geo: the point, by place.
    var points: UnsafePointer<GeoPoint> { values.assumingMemoryBound(to: GeoPoint.self) }
    /// Geo: the cells of `rows`, ascending.
    var sortedCells: UnsafePointer<UInt64> { sorted.assumingMemoryBound(to: UInt64.self) }
    /// Integer, datetime: the values of `rows`, ascending.
    var sortedIntegers: UnsafePointer<Int64> { sorted.assumingMemoryBound(to: Int64.self) }
    /// Float: the values of `rows`, ascending.
    var sortedFloats: UnsafePointer<Double> { sorted.assumingMemoryBound(to: Double.self) }

    /// One bit per row; `nil` if no row has it.
    func bitmap(_ bitmap: FieldIndexBitmap) -> UnsafePointer<UInt64>? { bitmaps[Int(bitmap.rawValue)] }

    /// Opens an index.
    ///
    /// Everything a lookup follows is checked here, in one pass over the bytes, so that damaged bytes are refused or
    /// give wrong answers, but never reach outside.
    /// - Parameters:
    ///   - bytes: a whole index, at an address that is a multiple of 8.
    ///   - owner: keeps the bytes alive and unchanged.
    package init(bytes: UnsafeRawBufferPointer, owner: AnyObject) throws(FieldIndexError) {
        guard let base = bytes.baseAddress, bytes.count >= FieldIndexLayout.headerBytes else {
            throw FieldIndexError("field index: \(bytes.count) bytes are less than a header")
        }
        guard Int(bitPattern: base) & 7 == 0 else { throw FieldIndexError("field index: not aligned to 8 bytes") }
        let layout = try Self.header(base, count: bytes.count)
        let keyText = String(
            decoding: UnsafeRawBufferPointer(start: base + FieldIndexLayout.headerBytes, count: layout.keyBytes),
            as: UTF8.self)
        guard let key = try? PayloadPath(keyText) else { throw FieldIndexError("field index: malformed key") }
        let options = UnsafeRawBufferPointer(start: base + layout.options, count: layout.optionBytes)
        guard let schema = FieldIndexSchema(type: layout.type, textOptions: String(decoding: options, as: UTF8.self))
        else { throw FieldIndexError("field index: options cannot be read") }
        self.key = key
        self.schema = schema
        self.owner = owner
        type = layout.type
        rowCount = layout.rowCount
        valueCount = layout.valueCount
        distinctCount = layout.distinctCount
        byteCount = bytes.count
        bitmaps = layout.bitmaps.map { place in place.map { (base + $0).assumingMemoryBound(to: UInt64.self) } }
        offsets = layout.offsets.map { (base + $0).assumingMemoryBound(to: UInt32.self) }
        values = base + layout.values
        sorted = base + layout.sorted
        wordOffsets = layout.wordOffsets.map { (base + $0).assumingMemoryBound(to: UInt32.self) }
        words = base + layout.words
        rows = (base + layout.rows).assumingMemoryBound(to: UInt32.self)
        postingOffsets = (base + layout.postingOffsets).assumingMemoryBound(to: UInt32.self)
        dictionaryOffsets = (base + layout.dictionaryOffsets).assumingMemoryBound(to: UInt64.self)
        dictionary = base + layout.dictionary

        let tail = layout.rowCount & 63
        for case let words? in bitmaps where tail != 0 {
            guard words[layout.rowCount / 64] >> UInt64(tail) == 0 else {
                throw FieldIndexError("field index: a bitmap names rows that are not there")
            }
        }
        switch layout.type {
        case .bool:
            let words = bitmapWords(layout.rowCount)
            let holdsTrue = bitmaps[Int(FieldIndexBitmap.holdsTrue.rawValue)]
            let holdsFalse = bitmaps[Int(FieldIndexBitmap.holdsFalse.rawValue)]
            var count = 0
            var both = false
            for place in 0..<words {
                let yes = holdsTrue?[place] ?? 0
                let no = holdsFalse?[place] ?? 0
                count += (yes | no).nonzeroBitCount
                if yes & no != 0 { both = true }
            }
            indexedRows = count
            valuesPerRowMax = both ? 2 : 1
        default:
            (indexedRows, valuesPerRowMax) = try Self.checkColumns(base, layout)
        }
    }

    private static func header(_ base: UnsafeRawPointer, count: Int) throws(FieldIndexError) -> FieldIndexLayout {
        func word(_ at: Int) -> UInt32 { UInt32(littleEndian: base.load(fromByteOffset: at, as: UInt32.self)) }
        guard word(0) == FieldIndexLayout.magic else { throw FieldIndexError("field index: not a field index") }
        let version = word(4) & 0xFFFF
        guard version == UInt32(FieldIndexLayout.version) else {
            throw FieldIndexError("field index: version \(version) is not known")
        }
        let parts = UInt16(truncatingIfNeeded: word(8))
        guard let type = FieldIndexType(code: UInt8(truncatingIfNeeded: word(4) >> 16)),
            parts & ~FieldIndexLayout.knownParts == 0, word(8) >> 16 == 0, word(4) >> 24 == 0
        else { throw FieldIndexError("field index: type or parts are not known") }
        let dictionaryBytes = UInt64(littleEndian: base.load(fromByteOffset: 32, as: UInt64.self))
        let totalBytes = UInt64(littleEndian: base.load(fromByteOffset: 40, as: UInt64.self))
        guard word(24) <= 1 << 16, word(28) <= 1 << 28, dictionaryBytes < 1 << 48, totalBytes == UInt64(count) else {
            throw FieldIndexError("field index: \(count) bytes where \(totalBytes) were written")
        }
        let layout = FieldIndexLayout(
            type: type, parts: parts, rowCount: Int(word(12)), valueCount: Int(word(16)),
            distinctCount: Int(word(20)), keyBytes: Int(word(24)), optionBytes: Int(word(28)),
            dictionaryBytes: Int(dictionaryBytes),
            wordCount: Int(word(48)))
        guard layout.totalBytes == count else {
            throw FieldIndexError("field index: \(count) bytes where its counts need \(layout.totalBytes)")
        }
        guard (type == .text || parts & FieldIndexLayout.hasWords == 0),
            parts & FieldIndexLayout.hasWords != 0 || layout.wordCount == 0
        else { throw FieldIndexError("field index: words where there are none") }
        guard parts & FieldIndexLayout.oneValuePerRow == 0 || layout.valueCount == layout.rowCount else {
            throw FieldIndexError("field index: \(layout.valueCount) values for \(layout.rowCount) rows")
        }
        return layout
    }

    /// Checks what lookups follow: offsets, codes and rows. Returns how many rows hold a value, and the most one holds.
    private static func checkColumns(
        _ base: UnsafeRawPointer, _ layout: FieldIndexLayout
    ) throws(FieldIndexError) -> (indexedRows: Int, valuesPerRowMax: Int) {
        let damaged = FieldIndexError("field index: an offset or row is out of its range")
        var indexedRows = layout.rowCount
        var most: UInt32 = layout.rowCount == 0 ? 0 : 1
        if let place = layout.offsets {
            let offsets = (base + place).assumingMemoryBound(to: UInt32.self)
            guard offsets[0] == 0, Int(offsets[layout.rowCount]) == layout.valueCount else { throw damaged }
            indexedRows = 0
            most = 0
            for row in 0..<layout.rowCount {
                let (count, overflow) = offsets[row + 1].subtractingReportingOverflow(offsets[row])
                guard !overflow else { throw damaged }
                if count != 0 { indexedRows &+= 1 }
                most = max(most, count)
            }
        }
        let rows = (base + layout.rows).assumingMemoryBound(to: UInt32.self)
        guard largest(rows, layout.valueCount) < layout.rowCount else { throw damaged }
        guard layout.type.hasDictionary else { return (indexedRows, Int(most)) }
        if let place = layout.wordOffsets {
            let offsets = (base + place).assumingMemoryBound(to: UInt32.self)
            guard offsets[0] == 0, Int(offsets[layout.rowCount]) == layout.wordCount,
                (0..<layout.rowCount).allSatisfy({ offsets[$0] <= offsets[$0 + 1] })
            else { throw damaged }
        }

        let codes = (base + layout.values).assumingMemoryBound(to: UInt32.self)
        guard largest(codes, layout.valueCount) < layout.distinctCount else { throw damaged }
        let postings = (base + layout.postingOffsets).assumingMemoryBound(to: UInt32.self)
        let words = (base + layout.dictionaryOffsets).assumingMemoryBound(to: UInt64.self)
        guard postings[0] == 0, Int(postings[layout.distinctCount]) == layout.valueCount, words[0] == 0,
            words[layout.distinctCount] == UInt64(layout.dictionaryBytes)
        else { throw damaged }
        for code in 0..<layout.distinctCount {
            guard postings[code] <= postings[code + 1], words[code] <= words[code + 1] else { throw damaged }
        }
        return (indexedRows, Int(most))
    }

    private static func largest(_ values: UnsafePointer<UInt32>, _ count: Int) -> Int {
        var most: UInt32 = 0
        for place in 0..<count { most = max(most, values[place]) }
        return count == 0 ? -1 : Int(most)
    }
}

// MARK: - Lookup

extension FieldIndex {
    /// Keyword: the UTF-8 of a value.
    func keyword(_ code: Int) -> UnsafeRawBufferPointer {
        let start = Int(dictionaryOffsets[code])
        return UnsafeRawBufferPointer(start: dictionary + start, count: Int(dictionaryOffsets[code + 1]) - start)
    }

    /// Keyword, uuid: the number of the value with these bytes; `nil` if no row holds it.
    func code(of text: UnsafeRawBufferPointer) -> UInt32? {
        guard type.hasDictionary else { return nil }
        var low = 0
        var high = distinctCount
        while low < high {
            let middle = (low + high) / 2
            let order = compareBytes(keyword(middle), text)
            if order == 0 { return UInt32(truncatingIfNeeded: middle) }
            if order < 0 { low = middle + 1 } else { high = middle }
        }
        return nil
    }

    /// Keyword: the rows that hold a value, ascending.
    func posting(_ code: UInt32) -> UnsafeBufferPointer<UInt32> {
        let start = Int(postingOffsets[Int(code)])
        return UnsafeBufferPointer(start: rows + start, count: Int(postingOffsets[Int(code) + 1]) - start)
    }

    /// Keyword: the numbers of the values that begin with these bytes.
    func codes(withPrefix text: UnsafeRawBufferPointer) -> Range<Int> {
        let low = firstPlace(distinctCount) { compareBytes(keyword($0), text) >= 0 }
        return low..<max(low, firstPlace(distinctCount) { $0 >= low && !startsWithBytes(keyword($0), text) })
    }

    /// Keyword: the places in `rows` of the rows that hold these values.
    func places(of codes: Range<Int>) -> Range<Int> {
        let low = Int(postingOffsets[codes.lowerBound])
        return low..<max(low, Int(postingOffsets[codes.upperBound]))
    }

    /// Geo: the places in `rows` whose points are in these cells.
    func places(inCells run: ClosedRange<UInt64>) -> Range<Int> {
        let cells = sortedCells
        let low = firstPlace(valueCount) { cells[$0] >= run.lowerBound }
        return low..<max(low, firstPlace(valueCount) { cells[$0] > run.upperBound })
    }

    /// Integer: the places in `sortedIntegers` and `rows` whose values are this one.
    func places(of value: Int64) -> Range<Int> {
        let sorted = sortedIntegers
        let low = firstPlace(valueCount) { sorted[$0] >= value }
        return low..<max(low, firstPlace(valueCount) { sorted[$0] > value })
    }

    /// Integer, datetime: the places in `rows` whose values are within bounds.
    func places(in run: ClosedRange<Int64>) -> Range<Int> {
        let sorted = sortedIntegers
        let low = firstPlace(valueCount) { sorted[$0] >= run.lowerBound }
        return low..<max(low, firstPlace(valueCount) { sorted[$0] > run.upperBound })
    }

    /// Integer, float: the places in `rows` whose values are within bounds.
    func places(in range: NumberRange) -> Range<Int> {
        let integers = sortedIntegers
        let floats = sortedFloats
        let isFloat = type == .float
        func number(_ place: Int) -> Double { isFloat ? floats[place] : Double(integers[place]) }
        let low = firstPlace(valueCount) { place in
            let value = number(place)
            return (range.gt.map { value > $0 } ?? true) && (range.gte.map { value >= $0 } ?? true)
        }
        let high = firstPlace(valueCount) { place in
            let value = number(place)
            return (range.lt.map { value >= $0 } ?? false) || (range.lte.map { value > $0 } ?? false)
        }
        return low..<max(low, high)
    }
}

/// The first place in `0..<count` from which on `holds` is true.
private func firstPlace(_ count: Int, _ holds: (Int) -> Bool) -> Int {
    var low = 0
    var high = count
    while low < high {
        let middle = (low + high) / 2
        if holds(middle) { high = middle } else { low = middle + 1 }
    }
    return low
}

/// Order of bytes, a shorter run before its continuations: negative, zero or positive.
func compareBytes(_ a: UnsafeRawBufferPointer, _ b: UnsafeRawBufferPointer) -> Int {
    let common = min(a.count, b.count)
    if common > 0, let x = a.baseAddress, let y = b.baseAddress {
        let order = memcmp(x, y, common)
        if order != 0 { return Int(order) }
    }
    return a.count - b.count
}

/// Whether two runs of bytes are the same.
@inline(__always)
func equalBytes(_ a: UnsafeRawBufferPointer, _ b: UnsafeRawBufferPointer) -> Bool {
    guard a.count == b.count else { return false }
    guard let x = a.baseAddress, let y = b.baseAddress else { return true }
    return memcmp(x, y, a.count) == 0
}
