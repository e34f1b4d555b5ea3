import OctantModel

/// Why bytes are not a field index.
package struct FieldIndexError: Error, Equatable, CustomStringConvertible {
    /// What is wrong with them.
    package let description: String

    init(_ description: String) { self.description = description }
}

/// The bitmaps a field index may carry; the raw value is the bit of the header's `parts` that says it is there.
enum FieldIndexBitmap: UInt16, CaseIterable {
    /// The key is there and is neither null nor an empty array.
    case nonEmpty = 0
    /// The value at the key is null.
    case nullValue = 1
    /// The value at the key is null or an array that holds a null.
    case nullInside = 2
    /// The row has an element that is neither null nor held by the index.
    case otherValues = 3
    /// The row has a number the index does not hold.
    case otherNumbers = 4
    /// The row holds `true` (bool indexes).
    case holdsTrue = 5
    /// The row holds `false` (bool indexes).
    case holdsFalse = 6
}

/// Bytes of a field index and where its parts are; described in `docs/format/field-index.md`.
struct FieldIndexLayout {
    static let magic: UInt32 = 0x5846_434F  // "OCFX"
    static let version: UInt16 = 1
    static let headerBytes = 64
    /// Bit of `parts`: every row holds exactly one value, and there are no offsets.
    static let oneValuePerRow: UInt16 = 1 << 8
    /// Bit of `parts`: the words of each row are there in their order (text).
    static let hasWords: UInt16 = 1 << 9
    static let knownParts: UInt16 = 0x37F

    var type: FieldIndexType
    var parts: UInt16
    var rowCount: Int
    var valueCount: Int
    var distinctCount: Int
    var keyBytes: Int
    var optionBytes: Int
    var dictionaryBytes: Int
    var wordCount: Int

    // Offsets of the parts, set by `place`.
    var bitmaps: [Int?] = Array(repeating: nil, count: FieldIndexBitmap.allCases.count)
    var options = 0
    var offsets: Int?
    var values = 0
    var dictionaryOffsets = 0
    var dictionary = 0
    var postingOffsets = 0
    var rows = 0
    var sorted = 0
    var wordOffsets: Int?
    var words = 0
    var totalBytes = 0

    init(
        type: FieldIndexType, parts: UInt16, rowCount: Int, valueCount: Int, distinctCount: Int, keyBytes: Int,
        optionBytes: Int, dictionaryBytes: Int, wordCount: Int
    ) {
        self.type = type
        self.parts = parts
        self.rowCount = rowCount
        self.valueCount = valueCount
        self.distinctCount = distinctCount
        self.keyBytes = keyBytes
        self.optionBytes = optionBytes
        self.dictionaryBytes = dictionaryBytes
        self.wordCount = wordCount
        place()
    }

    /// Lays the parts out behind each other, each on a multiple of 8. The counts are below 2^32 and the dictionary
    /// below 2^48 bytes, so the sums cannot overflow.
    private mutating func place() {
        var at = Self.headerBytes
        func take(_ bytes: Int) -> Int {
            defer { at = (at + bytes + 7) & ~7 }
            return at
        }
        _ = take(keyBytes)
        options = take(optionBytes)
        for bitmap in FieldIndexBitmap.allCases where parts & (1 << bitmap.rawValue) != 0 {
            bitmaps[Int(bitmap.rawValue)] = take(bitmapWords(rowCount) * 8)
        }
        if type != .bool {
            if parts & Self.oneValuePerRow == 0 { offsets = take((rowCount + 1) * 4) }
            values = take(valueCount * (type.hasDictionary ? 4 : type == .geo ? 16 : 8))
            if type.hasDictionary {
                dictionaryOffsets = take((distinctCount + 1) * 8)
                dictionary = take(dictionaryBytes)
                postingOffsets = take((distinctCount + 1) * 4)
            } else {
                sorted = take(valueCount * 8)
            }
            rows = take(valueCount * 4)
            if parts & Self.hasWords != 0 {
                wordOffsets = take((rowCount + 1) * 4)
                words = take(wordCount * 4)
            }
        }
        totalBytes = at
    }
}

extension FieldIndexType {
    /// Whether values are byte strings with numbers in a dictionary.
    var hasDictionary: Bool { self == .keyword || self == .uuid || self == .text }
    /// Whether values are 64-bit integers.
    var holdsIntegers: Bool { self == .integer || self == .datetime }

    /// The number of the type in a file.
    var code: UInt8 {
        switch self {
        case .keyword: 1
        case .integer: 2
        case .float: 3
        case .bool: 4
        case .datetime: 5
        case .uuid: 6
        case .geo: 7
        case .text: 8
        }
    }

    /// The type of a number in a file.
    init?(code: UInt8) {
        guard let type = Self.allCases.first(where: { $0.code == code }) else { return nil }
        self = type
    }
}

/// Memory on a multiple of 64 that lives as long as this.
final class AlignedBytes: @unchecked Sendable {
    // SAFETY: written only by its maker before it is shared.
    let bytes: UnsafeMutableRawBufferPointer

    init(count: Int) {
        bytes = UnsafeMutableRawBufferPointer.allocate(byteCount: count, alignment: 64)
        bytes.initializeMemory(as: UInt8.self, repeating: 0)
    }

    deinit { bytes.deallocate() }
}
