package import OctantModel

/// Makes a ``FieldIndex`` from the payloads of a segment's rows.
///
/// A copy shares part of what was added with its original: only one of them may go on.
package struct FieldIndexBuilder {
    private let key: PayloadPath
    private let schema: FieldIndexSchema
    private let rowCount: Int
    private let arena = Arena()
    private let steps: UnsafePointer<PathStep>
    private let analyzer: TextAnalyzer?

    private var bitmaps: [RowBitmap?] = Array(repeating: nil, count: FieldIndexBitmap.allCases.count)
    /// Where the values of each row begin; filled up to the last row added.
    private var offsets: [UInt32] = [0]
    /// Codes, integers, or the bit patterns of doubles.
    private var values: [UInt64] = []
    private var dictionary = KeywordDictionary()
    /// Geo: the points of `values`, which are their cells.
    private var points: [GeoPoint] = []
    /// Text: the words of each row in their order, `gap` behind each string, and where those of each row begin.
    private var words: [UInt32] = []
    private var wordOffsets: [UInt32] = [0]
    private let keepsWords: Bool

    /// A builder for the index of `key` over `rowCount` rows.
    package init(key: PayloadPath, schema: FieldIndexSchema, rowCount: Int) {
        self.key = key
        self.schema = schema
        analyzer = schema.text.map { TextAnalyzer($0) }
        // The words of phrases are whole, those of the tokenizer `prefix` are not.
        keepsWords = schema.text.map { $0.phraseMatching && $0.tokenizer != .prefix } ?? false
        self.rowCount = Swift.min(Swift.max(rowCount, 0), Int(UInt32.max) - 1)
        steps = UnsafePointer(arena.steps(key))
        if schema.type != .bool { offsets.reserveCapacity(self.rowCount + 1) }
    }

    private var type: FieldIndexType { schema.type }

    /// Adds a row. Rows come in ascending order; those left out count as lacking the key, and those out of order or
    /// beyond `rowCount` are ignored.
    package mutating func add(row: UInt32, payload: PayloadView) {
        guard Int(row) < rowCount, Int(row) >= offsets.count - 1 else { return }
        skip(to: Int(row))
        let first = values.count
        forEachValue(payload, steps, key.steps.count) { value in
            switch value.kind {
            case .null:
                mark(.nullValue, row)
                mark(.nullInside, row)
            case .array:
                var isEmpty = true
                var elements = value.elements
                while let element = elements.next() {
                    isEmpty = false
                    if element.kind == .null { mark(.nullInside, row) } else { hold(element, row) }
                }
                if !isEmpty { mark(.nonEmpty, row) }
            default:
                mark(.nonEmpty, row)
                hold(value, row)
            }
        }
        if values.count - first > 1, type != .geo { removeDuplicates(from: first) }
        offsets.append(UInt32(truncatingIfNeeded: values.count))
        if keepsWords { wordOffsets.append(UInt32(truncatingIfNeeded: words.count)) }
    }

    private mutating func skip(to row: Int) {
        while offsets.count <= row { offsets.append(UInt32(truncatingIfNeeded: values.count)) }
        while keepsWords, wordOffsets.count <= row { wordOffsets.append(UInt32(truncatingIfNeeded: words.count)) }
    }

    private mutating func mark(_ bitmap: FieldIndexBitmap, _ row: UInt32) {
        let place = Int(bitmap.rawValue)
        let rows = bitmaps[place] ?? RowBitmap(rowCount: rowCount)
        rows.insert(row)
        bitmaps[place] = rows
    }

    private mutating func hold(_ value: PayloadView, _ row: UInt32) {
        switch type {
        case .keyword:
            if let utf8 = value.utf8 {
                values.append(UInt64(dictionary.code(of: utf8)))
                return
            }
        case .integer:
            if let integer = value.integer ?? value.double.flatMap({ Int64(exactly: $0) }) {
                values.append(UInt64(bitPattern: integer))
                return
            }
        case .float:
            if let number = value.number, !number.isNaN {
                values.append((number == 0 ? 0.0 : number).bitPattern)
                return
            }
        case .datetime:
            if let date = value.utf8.flatMap({ DateTime.microseconds(utf8: $0) }) {
                values.append(UInt64(bitPattern: date))
                return
            }
        case .uuid:
            if let uuid = value.utf8.flatMap({ UUIDValue(utf8: $0) }) {
                values.append(UInt64(uuid.withBytes { dictionary.code(of: $0) }))
                return
            }
        case .geo:
            if let point = geoPoint(value), (-180...180).contains(point.lon), (-90...90).contains(point.lat) {
                values.append(GeoCell.code(point))
                points.append(point)
                return
            }
        case .text:
            if let utf8 = value.utf8, let analyzer {
                analyzer.forEachToken(utf8: utf8, isQuery: false) { token in
                    let code = token.withUnsafeBytes { dictionary.code(of: $0) }
                    values.append(UInt64(code))
                    if keepsWords { words.append(code) }
                }
                if keepsWords { words.append(FieldIndex.gap) }
                return
            }
        case .bool:
            if let bool = value.bool {
                mark(bool ? .holdsTrue : .holdsFalse, row)
                return
            }
        }
        mark(.otherValues, row)
        switch value.kind {
        case .integer, .unsigned, .double: mark(.otherNumbers, row)
        default: break
        }
    }

    private mutating func removeDuplicates(from first: Int) {
        values[first...].sort()
        var kept = first + 1
        for place in (first + 1)..<values.count where values[place] != values[kept - 1] {
            values[kept] = values[place]
            kept += 1
        }
        values.removeLast(values.count - kept)
    }

    /// Bytes that it holds and that ``finish(write:)`` allocates besides.
    package var encodingBytes: Int {
        let held =
            values.capacity * 8 + points.capacity * MemoryLayout<GeoPoint>.stride
            + (offsets.capacity + words.capacity + wordOffsets.capacity) * 4 + dictionary.heldBytes
        let sorting = schema.type.hasDictionary ? values.count * 8 + dictionary.heldBytes / 2 : values.count * 24
        return held + sorting + values.count * 20 + (offsets.count + words.count) * 4 + dictionary.byteCount
    }

    /// Writes the index: one call of `write` with all its bytes, which are a multiple of 8 and valid during the call.
    package func finish<E: Error>(write: (UnsafeRawBufferPointer) throws(E) -> Void) throws(E) {
        let encoded = encoded()
        defer { withExtendedLifetime(encoded) {} }
        try write(UnsafeRawBufferPointer(encoded.bytes))
    }

    /// The index in memory, for rows that are not in a file.
    package func makeIndex() throws(FieldIndexError) -> FieldIndex {
        let encoded = encoded()
        return try FieldIndex(bytes: UnsafeRawBufferPointer(encoded.bytes), owner: encoded)
    }
}

// MARK: - Encoding

extension FieldIndexBuilder {
    private func encoded() -> AlignedBytes {
        var offsets = offsets
        while offsets.count <= rowCount { offsets.append(UInt32(truncatingIfNeeded: values.count)) }
        let isDense =
            type != .bool && values.count == rowCount && rowCount > 0
            && offsets.indices.allSatisfy { offsets[$0] == $0 }

        var parts: UInt16 = isDense ? FieldIndexLayout.oneValuePerRow : 0
        for bitmap in FieldIndexBitmap.allCases where bitmaps[Int(bitmap.rawValue)] != nil {
            parts |= 1 << bitmap.rawValue
        }
        if keepsWords { parts |= FieldIndexLayout.hasWords }
        let sortedNumbers = type.hasDictionary || type == .bool ? nil : numbersByValue(offsets)
        let order = type.hasDictionary ? dictionary.sorted() : []
        let keyBytes = Array(key.description.utf8)
        let options = Array((type == .text ? schema.recipe : "").utf8)
        let layout = FieldIndexLayout(
            type: type, parts: parts, rowCount: rowCount, valueCount: values.count,
            distinctCount: type.hasDictionary ? order.count : sortedNumbers?.distinctCount ?? 0,
            keyBytes: keyBytes.count, optionBytes: options.count,
            dictionaryBytes: type.hasDictionary ? dictionary.byteCount : 0,
            wordCount: words.count)
        let out = AlignedBytes(count: layout.totalBytes)
        let bytes = out.bytes
        writeHeader(layout, bytes)
        copy(keyBytes, bytes, FieldIndexLayout.headerBytes)
        copy(options, bytes, layout.options)
        for bitmap in FieldIndexBitmap.allCases {
            guard let place = layout.bitmaps[Int(bitmap.rawValue)], let rows = bitmaps[Int(bitmap.rawValue)] else {
                continue
            }
            copyWords(UnsafeRawBufferPointer(start: rows.words, count: rows.wordCount * 8), bytes, place)
        }
        guard type != .bool else { return out }
        if let place = layout.offsets { copy(offsets, bytes, place) }
        if let sortedNumbers {
            if type == .geo { copy(points, bytes, layout.values) } else { copy(values, bytes, layout.values) }
            copy(sortedNumbers.values, bytes, layout.sorted)
            copy(sortedNumbers.rows, bytes, layout.rows)
        } else {
            writeKeywords(layout, offsets, order, bytes)
        }
        return out
    }

    private func writeHeader(_ layout: FieldIndexLayout, _ bytes: UnsafeMutableRawBufferPointer) {
        func put(_ value: some FixedWidthInteger, _ at: Int) {
            bytes.storeBytes(of: value.littleEndian, toByteOffset: at, as: Swift.type(of: value))
        }
        put(FieldIndexLayout.magic, 0)
        put(FieldIndexLayout.version, 4)
        put(layout.type.code, 6)
        put(layout.parts, 8)
        put(UInt32(truncatingIfNeeded: layout.rowCount), 12)
        put(UInt32(truncatingIfNeeded: layout.valueCount), 16)
        put(UInt32(truncatingIfNeeded: layout.distinctCount), 20)
        put(UInt32(truncatingIfNeeded: layout.keyBytes), 24)
        put(UInt32(truncatingIfNeeded: layout.optionBytes), 28)
        put(UInt64(layout.dictionaryBytes), 32)
        put(UInt64(layout.totalBytes), 40)
        put(UInt32(truncatingIfNeeded: layout.wordCount), 48)
    }

    private func copy<T: BitwiseCopyable>(_ values: [T], _ bytes: UnsafeMutableRawBufferPointer, _ at: Int) {
        values.withUnsafeBytes { copyWords($0, bytes, at) }
    }

    private func copyWords(_ source: UnsafeRawBufferPointer, _ bytes: UnsafeMutableRawBufferPointer, _ at: Int) {
        guard let base = bytes.baseAddress, let start = source.baseAddress, !source.isEmpty else { return }
        (base + at).copyMemory(from: start, byteCount: source.count)
    }

    /// Writes forward codes, dictionary and postings; `order` lists the provisional codes by ascending text.
    private func writeKeywords(
        _ layout: FieldIndexLayout, _ offsets: [UInt32], _ order: [UInt32], _ bytes: UnsafeMutableRawBufferPointer
    ) {
        var codeOf = [UInt32](repeating: 0, count: order.count)
        var texts: [UInt8] = []
        texts.reserveCapacity(dictionary.byteCount)
        var textOffsets: [UInt64] = [0]
        for (code, provisional) in order.enumerated() {
            codeOf[Int(provisional)] = UInt32(truncatingIfNeeded: code)
            texts.append(contentsOf: dictionary.text(provisional))
            textOffsets.append(UInt64(texts.count))
        }
        let codes = values.map { codeOf[Int($0)] }
        var postingOffsets = [UInt32](repeating: 0, count: order.count + 1)
        for code in codes { postingOffsets[Int(code) + 1] &+= 1 }
        for code in 0..<order.count { postingOffsets[code + 1] &+= postingOffsets[code] }
        var next = postingOffsets
        var postings = [UInt32](repeating: 0, count: codes.count)
        for row in 0..<rowCount {
            for place in Int(offsets[row])..<Int(offsets[row + 1]) {
                let code = Int(codes[place])
                postings[Int(next[code])] = UInt32(truncatingIfNeeded: row)
                next[code] &+= 1
            }
        }
        copy(codes, bytes, layout.values)
        copy(textOffsets, bytes, layout.dictionaryOffsets)
        copy(texts, bytes, layout.dictionary)
        copy(postingOffsets, bytes, layout.postingOffsets)
        copy(postings, bytes, layout.rows)
        guard let place = layout.wordOffsets else { return }
        var wordOffsets = wordOffsets
        while wordOffsets.count <= rowCount { wordOffsets.append(UInt32(truncatingIfNeeded: words.count)) }
        copy(wordOffsets, bytes, place)
        copy(words.map { $0 == FieldIndex.gap ? $0 : codeOf[Int($0)] }, bytes, layout.words)
    }

    /// All pairs of value and row, by value and then by row.
    private func numbersByValue(_ offsets: [UInt32]) -> (values: [UInt64], rows: [UInt32], distinctCount: Int) {
        var rows: [UInt32] = []
        rows.reserveCapacity(values.count)
        for row in 0..<rowCount {
            for _ in offsets[row]..<offsets[row + 1] { rows.append(UInt32(truncatingIfNeeded: row)) }
        }
        // Keys whose unsigned order is the order of the numbers.
        let sign: UInt64 = type == .geo ? 0 : 1 << 63
        var keys = values
        for place in keys.indices {
            let bits = keys[place]
            keys[place] = type == .float && bits & sign != 0 ? ~bits : bits ^ sign
        }
        sortStably(&keys, &rows)
        var distinct = 0
        for place in keys.indices {
            if place == 0 || keys[place] != keys[place - 1] { distinct += 1 }
        }
        for place in keys.indices {
            let bits = keys[place]
            keys[place] = type == .float && bits & sign == 0 ? ~bits : bits ^ sign
        }
        return (keys, rows, distinct)
    }
}

/// Sorts `keys` and carries `rows` along: least significant digit radix sort with 8-bit digits; digits that are the
/// same everywhere are passed over.
private func sortStably(_ keys: inout [UInt64], _ rows: inout [UInt32]) {
    var otherKeys = keys
    var otherRows = rows
    for shift in stride(from: UInt64(0), to: 64, by: 8) {
        var starts = [Int](repeating: 0, count: 256)
        for key in keys { starts[Int(key >> shift & 0xFF)] += 1 }
        if starts.contains(keys.count) { continue }
        var sum = 0
        for digit in 0..<256 {
            let count = starts[digit]
            starts[digit] = sum
            sum += count
        }
        for place in keys.indices {
            let digit = Int(keys[place] >> shift & 0xFF)
            otherKeys[starts[digit]] = keys[place]
            otherRows[starts[digit]] = rows[place]
            starts[digit] += 1
        }
        swap(&keys, &otherKeys)
        swap(&rows, &otherRows)
    }
}

/// Distinct strings with numbers in the order they came: open addressing over one run of bytes.
private struct KeywordDictionary {
    private var bytes: [UInt8] = []
    private var ends: [Int] = []
    private var hashes: [Int] = []
    /// Code + 1, or 0 for a free slot.
    private var slots: [UInt32] = Array(repeating: 0, count: 64)

    var byteCount: Int { bytes.count }
    var heldBytes: Int { bytes.capacity + (ends.capacity + hashes.capacity) * 8 + slots.capacity * 4 }

    func text(_ code: UInt32) -> ArraySlice<UInt8> {
        bytes[(code == 0 ? 0 : ends[Int(code) - 1])..<ends[Int(code)]]
    }

    mutating func code(of text: UnsafeRawBufferPointer) -> UInt32 {
        var hasher = Hasher()
        hasher.combine(bytes: text)
        let hash = hasher.finalize()
        var slot = hash & (slots.count - 1)
        while slots[slot] != 0 {
            let code = slots[slot] - 1
            if hashes[Int(code)] == hash, isSame(code, text) { return code }
            slot = (slot + 1) & (slots.count - 1)
        }
        let code = UInt32(truncatingIfNeeded: ends.count)
        slots[slot] = code + 1
        bytes.append(contentsOf: text)
        ends.append(bytes.count)
        hashes.append(hash)
        if ends.count * 2 > slots.count { grow() }
        return code
    }

    private func isSame(_ code: UInt32, _ text: UnsafeRawBufferPointer) -> Bool {
        let start = code == 0 ? 0 : ends[Int(code) - 1]
        let end = ends[Int(code)]
        return bytes.withUnsafeBytes { equalBytes(UnsafeRawBufferPointer(rebasing: $0[start..<end]), text) }
    }

    private mutating func grow() {
        slots = Array(repeating: 0, count: slots.count * 2)
        for (code, hash) in hashes.enumerated() {
            var slot = hash & (slots.count - 1)
            while slots[slot] != 0 { slot = (slot + 1) & (slots.count - 1) }
            slots[slot] = UInt32(truncatingIfNeeded: code) + 1
        }
    }

    /// The codes by ascending text.
    func sorted() -> [UInt32] {
        bytes.withUnsafeBytes { bytes in
            func text(_ code: UInt32) -> UnsafeRawBufferPointer {
                let start = code == 0 ? 0 : ends[Int(code) - 1]
                return UnsafeRawBufferPointer(rebasing: bytes[start..<ends[Int(code)]])
            }
            return (0..<UInt32(truncatingIfNeeded: ends.count)).sorted { compareBytes(text($0), text($1)) < 0 }
        }
    }
}
