import OctantModel

// Loops over the forward column of one indexed condition. The common conditions have loops of their own, and rows are
// kept without a branch, so that a row costs a nanosecond or two.

extension FilterNode {
    /// Whether the condition is decided by a forward column or a bitmap.
    var isForward: Bool {
        switch operation {
        case .bitmap, .keyword, .keywords, .keywordMap, .keywordExcept, .keywordRange, .integerRange, .integers,
            .integerExcept, .floatRange, .geo, .phrase:
            true
        default: false
        }
    }
}

/// Keeps the rows that pass (or, unless `wanted`, do not pass) an indexed condition: writes them to `out`, which may be
/// `rows` itself, and returns how many they are.
func narrow(
    _ rows: UnsafePointer<UInt32>, _ count: Int, _ out: UnsafeMutablePointer<UInt32>,
    _ node: UnsafePointer<FilterNode>, wanted: Bool
) -> Int {
    var kept = 0
    if node.pointee.operation == .bitmap, let words = node.pointee.bitmap {
        for place in 0..<count {
            let row = rows[place]
            out[kept] = row
            kept &+= (words[Int(row &>> 6)] &>> UInt64(row & 63) & 1 != 0) == wanted ? 1 : 0
        }
        return kept
    }
    guard node.pointee.offsets == nil, let values = node.pointee.values else {
        for place in 0..<count {
            let row = rows[place]
            out[kept] = row
            kept &+= holds(node, row) == wanted ? 1 : 0
        }
        return kept
    }
    switch node.pointee.operation {
    case .integerRange:
        let integers = values.assumingMemoryBound(to: Int64.self)
        let low = node.pointee.low
        let high = node.pointee.high
        for place in 0..<count {
            let row = rows[place]
            let value = integers[Int(row)]
            out[kept] = row
            kept &+= ((value >= low) && (value <= high)) == wanted ? 1 : 0
        }
    case .floatRange:
        let floats = values.assumingMemoryBound(to: Double.self)
        let low = node.pointee.lowFloat
        let high = node.pointee.highFloat
        for place in 0..<count {
            let row = rows[place]
            let value = floats[Int(row)]
            out[kept] = row
            kept &+= ((value >= low) && (value <= high)) == wanted ? 1 : 0
        }
    case .keyword:
        let codes = values.assumingMemoryBound(to: UInt32.self)
        let code = UInt32(truncatingIfNeeded: node.pointee.low)
        for place in 0..<count {
            let row = rows[place]
            out[kept] = row
            kept &+= (codes[Int(row)] == code) == wanted ? 1 : 0
        }
    default:
        for place in 0..<count {
            let row = rows[place]
            out[kept] = row
            kept &+= holds(node, row) == wanted ? 1 : 0
        }
    }
    return kept
}

/// Adds every row that passes an indexed condition to a set.
func scanForward(_ node: UnsafePointer<FilterNode>, into bitmap: RowBitmap) {
    let words = bitmap.words
    let rowCount = bitmap.rowCount
    withExtendedLifetime(bitmap) {
        for place in 0..<bitmap.wordCount {
            var word: UInt64 = 0
            let first = place &* 64
            for bit in 0..<min(64, rowCount &- first) {
                let row = UInt32(truncatingIfNeeded: first &+ bit)
                word |= (holds(node, row) ? 1 : 0) &<< UInt64(truncatingIfNeeded: bit)
            }
            words[place] |= word
        }
    }
}

@inline(__always)
private func bit(_ words: UnsafePointer<UInt64>, _ place: UInt32) -> Bool {
    words[Int(place &>> 6)] &>> UInt64(place & 63) & 1 != 0
}

/// Whether a row passes an indexed condition, from the index's forward column alone.
@inline(__always)
func holds(_ node: UnsafePointer<FilterNode>, _ row: UInt32) -> Bool {
    if node.pointee.operation == .bitmap {
        guard let words = node.pointee.bitmap else { return false }
        return bit(words, row)
    }
    guard let values = node.pointee.values else { return false }
    let first: Int
    let end: Int
    if let offsets = node.pointee.offsets {
        first = Int(offsets[Int(row)])
        end = Int(offsets[Int(row) &+ 1])
    } else {
        first = Int(row)
        end = first &+ 1
    }
    switch node.pointee.operation {
    case .keyword, .keywords, .keywordMap, .keywordExcept:
        let codes = values.assumingMemoryBound(to: UInt32.self)
        for place in first..<end where holdsCode(node, codes[place]) { return true }
    case .keywordRange:
        let codes = values.assumingMemoryBound(to: UInt32.self)
        let low = node.pointee.low
        let high = node.pointee.high
        for place in first..<end where Int64(codes[place]) >= low && Int64(codes[place]) <= high { return true }
    case .phrase:
        guard let codes = node.pointee.codes else { return false }
        let words = values.assumingMemoryBound(to: UInt32.self)
        let count = node.pointee.codeCount
        guard count > 0, end &- first >= count else { return false }
        for start in first...(end &- count) where words[start] == codes[0] {
            var place = 1
            while place < count, words[start &+ place] == codes[place] { place &+= 1 }
            if place == count { return true }
        }
    case .geo:
        guard let shape = node.pointee.shape else { return false }
        let points = values.assumingMemoryBound(to: GeoPoint.self)
        for place in first..<end where shape._withUnsafeGuaranteedRef({ $0.contains(points[place]) }) { return true }
    case .integerRange:
        let integers = values.assumingMemoryBound(to: Int64.self)
        let low = node.pointee.low
        let high = node.pointee.high
        for place in first..<end where integers[place] >= low && integers[place] <= high { return true }
    case .floatRange:
        let floats = values.assumingMemoryBound(to: Double.self)
        let low = node.pointee.lowFloat
        let high = node.pointee.highFloat
        for place in first..<end where floats[place] >= low && floats[place] <= high { return true }
    case .integers, .integerExcept:
        guard let set = node.pointee.set else { return false }
        let integers = values.assumingMemoryBound(to: Int64.self)
        let wanted = node.pointee.operation == .integers
        for place in first..<end
        where contains(set.pointee.integers, set.pointee.integerCount, integers[place]) == wanted { return true }
    default: break
    }
    return false
}

@inline(__always)
private func holdsCode(_ node: UnsafePointer<FilterNode>, _ code: UInt32) -> Bool {
    switch node.pointee.operation {
    case .keyword: return Int64(code) == node.pointee.low
    case .keywords:
        guard let codes = node.pointee.codes else { return false }
        for place in 0..<node.pointee.codeCount where codes[place] == code { return true }
        return false
    default:
        guard let map = node.pointee.bitmap else { return false }
        return bit(map, code) == (node.pointee.operation == .keywordMap)
    }
}
