import OctantModel

/// Values to compare with, sorted out by type.
private struct MatchList {
    var strings: [String] = []
    var integers: [Int64] = []
    /// Texts that are matched by their value as UUIDs.
    var uuids: [UUIDValue] = []
    var hasTrue = false
    var hasFalse = false

    /// With `byUUID`, texts that are UUIDs are matched as such.
    init(_ values: [MatchValue], byUUID: Bool = false) {
        for value in values {
            switch value {
            case .string(let text):
                if byUUID, let uuid = UUIDValue(text) {
                    uuids.append(uuid)
                    continue
                }
                strings.append(text)
            case .integer(let integer): integers.append(integer)
            case .bool(true): hasTrue = true
            case .bool(false): hasFalse = true
            }
        }
        strings = Array(Set(strings))
        integers = Set(integers).sorted()
        uuids = Set(uuids).sorted()
    }

    var hasBools: Bool { hasTrue || hasFalse }
    var isEmpty: Bool { strings.isEmpty && integers.isEmpty && uuids.isEmpty && !hasBools }
}

extension FilterCompiler {
    func field(_ field: FieldCondition, _ nested: Bool) -> UnsafePointer<FilterNode> {
        if let counts = field.valuesCount {
            return payloadTest(.count, field.key, nested) { $0.counts = counts }
        }
        if let wanted = field.isEmpty {
            let node = isEmpty(field.key, nested)
            return wanted ? node : not(node)
        }
        if let wanted = field.isNull {
            let node = isNull(field.key, inside: true, nested)
            return wanted ? node : not(node)
        }
        let indexes = nested ? [] : usableIndexes(field.key)
        var parts: [UnsafePointer<FilterNode>] = []
        switch field.match {
        case .value(let value): parts.append(match(list([value], field.key, nested), field.key, indexes, nested))
        case .any(let values): parts.append(match(list(values, field.key, nested), field.key, indexes, nested))
        case .except(let values): parts.append(except(list(values, field.key, nested), field.key, indexes, nested))
        case .text(let text): parts.append(self.text(.all, text, field.key, indexes, nested))
        case .textAny(let text): parts.append(self.text(.any, text, field.key, indexes, nested))
        case .phrase(let text): parts.append(self.text(.phrase, text, field.key, indexes, nested))
        case .prefix(let text): parts.append(prefix(text, field.key, indexes, nested))
        case .substring(let text): parts.append(textTest(.substring, text, field.key, indexes, nested))
        case nil: break
        }
        for shape in field.geo { parts.append(geo(shape, field.key, indexes, nested)) }
        if let range = field.range { parts.append(self.range(range, field.key, indexes, nested)) }
        if let dates = field.dates { parts.append(self.dates(dates, field.key, indexes, nested)) }
        return or(parts)
    }

    func isEmpty(_ key: PayloadPath, _ nested: Bool) -> UnsafePointer<FilterNode> {
        if !nested, let index = usableIndexes(key).first { return not(bitmap(index, .nonEmpty)) }
        return not(payloadTest(.notEmpty, key, nested) { _ in })
    }

    func isNull(_ key: PayloadPath, inside: Bool, _ nested: Bool) -> UnsafePointer<FilterNode> {
        if !nested, let index = usableIndexes(key).first { return bitmap(index, inside ? .nullInside : .nullValue) }
        return payloadTest(inside ? .nullInside : .null, key, nested) { _ in }
    }

    // MARK: Match

    private func list(_ values: [MatchValue], _ key: PayloadPath, _ nested: Bool) -> MatchList {
        MatchList(values, byUUID: wantedIndexes(key, nested).contains { $0.type == .uuid })
    }

    private func match(
        _ list: MatchList, _ key: PayloadPath, _ indexes: [FieldIndex], _ nested: Bool
    ) -> UnsafePointer<FilterNode> {
        var parts: [UnsafePointer<FilterNode>] = []
        // What no index answers, and what an index only tells the rows of.
        var unindexed = MatchList([])
        if !list.strings.isEmpty {
            var strings = MatchList([])
            strings.strings = list.strings
            if let index = indexes.first(where: { $0.type == .keyword }) {
                parts.append(keywords(index, list.strings))
            } else if let index = indexes.first(where: { $0.type.leavesOut(list.strings) }) {
                parts.append(
                    guarded(index, .otherValues) { self.matchTest(strings, key, indexes, nested, sampled: false) })
            } else {
                unindexed.strings = list.strings
            }
        }
        if !list.uuids.isEmpty {
            var uuids = MatchList([])
            uuids.uuids = list.uuids
            if let index = indexes.first(where: { $0.type == .uuid }) {
                parts.append(codes(index, list.uuids.compactMap { uuid in uuid.withBytes { index.code(of: $0) } }))
            } else if let index = indexes.first(where: { $0.type.leavesOutUUIDs }) {
                parts.append(
                    guarded(index, .otherValues) { self.matchTest(uuids, key, indexes, nested, sampled: false) })
            } else {
                unindexed.uuids = list.uuids
            }
        }
        if !list.integers.isEmpty {
            var integers = MatchList([])
            integers.integers = list.integers
            if let index = indexes.first(where: { $0.type == .integer }) {
                parts.append(self.integers(index, list.integers))
            } else if let index = indexes.first(where: { $0.type != .float }) {
                parts.append(
                    guarded(index, .otherNumbers) { self.matchTest(integers, key, indexes, nested, sampled: false) })
            } else {
                unindexed.integers = list.integers
            }
        }
        if list.hasBools {
            var bools = MatchList([])
            (bools.hasTrue, bools.hasFalse) = (list.hasTrue, list.hasFalse)
            if let index = indexes.first(where: { $0.type == .bool }) {
                if list.hasTrue { parts.append(bitmap(index, .holdsTrue)) }
                if list.hasFalse { parts.append(bitmap(index, .holdsFalse)) }
            } else if let index = indexes.first {
                parts.append(
                    guarded(index, .otherValues) { self.matchTest(bools, key, indexes, nested, sampled: false) })
            } else {
                (unindexed.hasTrue, unindexed.hasFalse) = (list.hasTrue, list.hasFalse)
            }
        }
        if !unindexed.isEmpty { parts.append(matchTest(unindexed, key, indexes, nested)) }
        return or(parts)
    }

    private func except(
        _ list: MatchList, _ key: PayloadPath, _ indexes: [FieldIndex], _ nested: Bool
    ) -> UnsafePointer<FilterNode> {
        let types: [FieldIndexType] =
            !list.strings.isEmpty
            ? [.keyword, .integer, .bool]
            : !list.integers.isEmpty ? [.integer, .keyword, .bool] : [.bool, .keyword, .integer]
        let usable = types.lazy.compactMap { type in indexes.first { $0.type == type } }.first
        guard let index = usable, list.uuids.isEmpty else { return matchTest(list, key, indexes, nested, .except) }
        var parts: [UnsafePointer<FilterNode>] = []
        let coversList: Bool
        switch index.type {
        case .keyword:
            parts.append(keywordExcept(index, list.strings))
            coversList = list.integers.isEmpty && !list.hasBools
        case .integer:
            parts.append(integerExcept(index, list.integers))
            coversList = list.strings.isEmpty && !list.hasBools
        default:
            if !list.hasTrue { parts.append(bitmap(index, .holdsTrue)) }
            if !list.hasFalse { parts.append(bitmap(index, .holdsFalse)) }
            coversList = list.strings.isEmpty && list.integers.isEmpty
        }
        // Any other value is outside the list, unless the list has values of its type.
        parts.append(
            coversList
                ? bitmap(index, .otherValues)
                : guarded(index, .otherValues) { self.matchTest(list, key, indexes, nested, .except, sampled: false) })
        return or(parts)
    }

    private func matchTest(
        _ list: MatchList, _ key: PayloadPath, _ indexes: [FieldIndex], _ nested: Bool,
        _ operation: FilterNode.Operation = .match, sampled: Bool = true
    ) -> UnsafePointer<FilterNode> {
        let strings = list.strings.map { arena.utf8($0) }.sorted { compareByLength($0, $1) < 0 }
        let set = ValueSet(
            strings: UnsafePointer(arena.copy(strings)), stringCount: strings.count,
            integers: UnsafePointer(arena.copy(list.integers)), integerCount: list.integers.count,
            hasTrue: list.hasTrue, hasFalse: list.hasFalse, uuids: UnsafePointer(arena.copy(list.uuids)),
            uuidCount: list.uuids.count,
            integralDoubles: wantedIndexes(key, nested).contains { $0.type == .integer })
        return payloadTest(operation, key, nested, sampled: sampled) { $0.set = UnsafePointer(self.arena.copy([set])) }
    }

    // MARK: Range

    private func range(
        _ range: NumberRange, _ key: PayloadPath, _ indexes: [FieldIndex], _ nested: Bool
    ) -> UnsafePointer<FilterNode> {
        // Nothing compares with NaN.
        if [range.gt, range.gte, range.lt, range.lte].contains(where: { $0?.isNaN == true }) { return make(.never) }
        func test(sampled: Bool = true) -> UnsafePointer<FilterNode> {
            payloadTest(.range, key, nested, sampled: sampled) { $0.numbers = range }
        }
        let numeric = indexes.first { $0.type == .float } ?? indexes.first { $0.type == .integer }
        guard let index = numeric ?? indexes.first else { return test() }
        let others = guarded(index, .otherNumbers) { test(sampled: false) }
        guard let numeric else { return others }
        let places = numeric.places(in: range)
        guard !places.isEmpty else { return others }
        let held = make(numeric.type == .float ? .floatRange : .integerRange) { node in
            if numeric.type == .float {
                node.lowFloat = numeric.sortedFloats[places.lowerBound]
                node.highFloat = numeric.sortedFloats[places.upperBound - 1]
                node.values = UnsafeRawPointer(numeric.floats)
                set(&node, numeric, places, isAscending: node.lowFloat == node.highFloat)
            } else {
                node.low = numeric.sortedIntegers[places.lowerBound]
                node.high = numeric.sortedIntegers[places.upperBound - 1]
                node.values = UnsafeRawPointer(numeric.integers)
                set(&node, numeric, places, isAscending: node.low == node.high)
            }
        }
        return or([held, others])
    }

    private func dates(
        _ range: DateRange, _ key: PayloadPath, _ indexes: [FieldIndex], _ nested: Bool
    ) -> UnsafePointer<FilterNode> {
        guard let run = range.run else { return make(.never) }
        guard let index = indexes.first(where: { $0.type == .datetime }) else {
            func test(sampled: Bool) -> UnsafePointer<FilterNode> {
                payloadTest(.dates, key, nested, sampled: sampled) {
                    ($0.low, $0.high) = (run.lowerBound, run.upperBound)
                }
            }
            guard let other = indexes.first(where: { $0.type.leavesOutDates }) else { return test(sampled: true) }
            return guarded(other, .otherValues) { test(sampled: false) }
        }
        let places = index.places(in: run)
        guard !places.isEmpty else { return make(.never) }
        return make(.integerRange) { node in
            node.low = index.sortedIntegers[places.lowerBound]
            node.high = index.sortedIntegers[places.upperBound - 1]
            node.values = UnsafeRawPointer(index.integers)
            set(&node, index, places, isAscending: node.low == node.high)
        }
    }

    func set(_ node: inout FilterNode, _ index: FieldIndex, _ places: Range<Int>, isAscending: Bool) {
        set(
            &node, index,
            [RowSlice(rows: index.rows + places.lowerBound, count: places.count, isAscending: isAscending)])
    }

    // MARK: Indexed nodes

    /// The rows of one of the index's bitmaps.
    private func bitmap(_ index: FieldIndex, _ bitmap: FieldIndexBitmap) -> UnsafePointer<FilterNode> {
        guard let words = index.bitmap(bitmap) else { return make(.never) }
        let count = popcount(words, bitmapWords(rowCount))
        return make(.bitmap) { node in
            node.bitmap = words
            node.estimate = FilterNode.Estimate(min: count, expected: Double(count), max: count)
            node.listCost = wordCost
        }
    }

    /// A test of the payload that only the rows of a bitmap can pass.
    func guarded(
        _ index: FieldIndex, _ rows: FieldIndexBitmap, _ test: () -> UnsafePointer<FilterNode>
    ) -> UnsafePointer<FilterNode> {
        guard let words = index.bitmap(rows) else { return make(.never) }
        let count = popcount(words, bitmapWords(rowCount))
        let both = and([bitmap(index, rows), test()])
        var node = both.pointee
        node.estimate = FilterNode.Estimate(min: 0, expected: Double(count) / 2, max: count)
        // A few rows of another type do not make the answer slow.
        node.isIndexed = count <= max(64, rowCount / 50)
        return UnsafePointer(arena.copy([node]))
    }

    private func keywords(_ index: FieldIndex, _ texts: [String]) -> UnsafePointer<FilterNode> {
        codes(index, texts.compactMap { code(index, $0) })
    }

    /// The rows that hold any of some values of a dictionary.
    func codes(_ index: FieldIndex, _ codes: [UInt32]) -> UnsafePointer<FilterNode> {
        let codes = codes.sorted()
        guard let first = codes.first else { return make(.never) }
        let slices = codes.map { code in
            let posting = index.posting(code)
            return RowSlice(rows: posting.baseAddress ?? index.rows, count: posting.count, isAscending: true)
        }
        let operation: FilterNode.Operation = codes.count == 1 ? .keyword : codes.count <= 8 ? .keywords : .keywordMap
        return make(operation) { node in
            node.low = Int64(first)
            node.codes = UnsafePointer(arena.copy(codes))
            node.codeCount = codes.count
            if operation == .keywordMap { node.bitmap = codeMap(index, codes) }
            node.values = UnsafeRawPointer(index.codes)
            set(&node, index, slices)
        }
    }

    private func integers(_ index: FieldIndex, _ values: [Int64]) -> UnsafePointer<FilterNode> {
        var found: [Int64] = []
        var slices: [RowSlice] = []
        for value in values {
            let places = index.places(of: value)
            guard !places.isEmpty else { continue }
            found.append(value)
            slices.append(RowSlice(rows: index.rows + places.lowerBound, count: places.count, isAscending: true))
        }
        guard let first = found.first else { return make(.never) }
        return make(found.count == 1 ? .integerRange : .integers) { node in
            (node.low, node.high) = (first, first)
            node.set = integerSet(found)
            node.values = UnsafeRawPointer(index.integers)
            set(&node, index, slices)
        }
    }

    private func keywordExcept(_ index: FieldIndex, _ texts: [String]) -> UnsafePointer<FilterNode> {
        let codes = texts.compactMap { code(index, $0) }
        let listed = codes.reduce(0) { $0 + index.posting($1).count }
        return make(.keywordExcept) { node in
            node.bitmap = codeMap(index, codes)
            node.values = UnsafeRawPointer(index.codes)
            setExcept(&node, index, listed: listed)
        }
    }

    private func integerExcept(_ index: FieldIndex, _ values: [Int64]) -> UnsafePointer<FilterNode> {
        let listed = values.reduce(0) { $0 + index.places(of: $1).count }
        return make(.integerExcept) { node in
            node.set = integerSet(values)
            node.values = UnsafeRawPointer(index.integers)
            setExcept(&node, index, listed: listed)
        }
    }

    private func code(_ index: FieldIndex, _ text: String) -> UInt32? {
        var text = text
        return text.withUTF8 { index.code(of: UnsafeRawBufferPointer($0)) }
    }

    private func codeMap(_ index: FieldIndex, _ codes: [UInt32]) -> UnsafePointer<UInt64> {
        let words = bitmapWords(index.distinctCount)
        let map = arena.allocate(UInt64.self, words)
        map.initialize(repeating: 0, count: words)
        for code in codes { map[Int(code >> 6)] |= 1 << UInt64(code & 63) }
        return UnsafePointer(map)
    }

    private func integerSet(_ values: [Int64]) -> UnsafePointer<ValueSet> {
        let none: [UnsafeRawBufferPointer] = []
        let set = ValueSet(
            strings: UnsafePointer(arena.copy(none)), integers: UnsafePointer(arena.copy(values)),
            integerCount: values.count, uuids: UnsafePointer(arena.copy([])))
        return UnsafePointer(arena.copy([set]))
    }

    /// Where the rows are listed, and how many they are. A row with several values may be listed several times.
    private func set(_ node: inout FilterNode, _ index: FieldIndex, _ slices: [RowSlice]) {
        node.offsets = index.offsets
        node.slices = UnsafePointer(arena.copy(slices))
        node.sliceCount = slices.count
        let total = slices.reduce(0) { $0 + $1.count }
        let most = min(total, index.indexedRows)
        let single = slices.count == 1 && slices[0].isAscending
        if single || index.valuesPerRowMax <= 1 {
            node.estimate = FilterNode.Estimate(min: most, expected: Double(most), max: most)
        } else {
            let perRow = max(index.valuesPerRowMax, 1)
            let largest = slices.reduce(0) { $1.isAscending ? max($0, $1.count) : $0 }
            let least = min(max((total + perRow - 1) / perRow, largest), most)
            let average = Double(index.valueCount) / Double(max(index.indexedRows, 1))
            let share = min(Double(total) / Double(max(index.valueCount, 1)), 1)
            let expected = Double(index.indexedRows) * (1 - power(1 - share, average))
            node.estimate = FilterNode.Estimate(
                min: least, expected: min(max(expected, Double(least)), Double(most)), max: most)
        }
        node.testCost = index.offsets == nil ? 2 : 4
        node.listCost = single ? Double(total) * 0.3 : Double(total) + wordCost
    }

    private func setExcept(_ node: inout FilterNode, _ index: FieldIndex, listed: Int) {
        node.offsets = index.offsets
        let least = max(index.indexedRows - listed, 0)
        let most = index.valuesPerRowMax <= 1 ? least : index.indexedRows
        let share = Double(max(index.valueCount - listed, 0)) / Double(max(index.valueCount, 1))
        let expected = min(max(Double(index.indexedRows) * share, Double(least)), Double(most))
        node.estimate = FilterNode.Estimate(min: least, expected: expected, max: most)
        node.testCost = index.offsets == nil ? 2 : 4
        node.listCost = Double(rowCount) * node.testCost
    }
}

/// `base` to a power of at least 1, between whole powers by a straight line: enough for a guess.
private func power(_ base: Double, _ exponent: Double) -> Double {
    guard exponent < 64 else { return 0 }
    let whole = Int(exponent)
    var result = 1.0
    for _ in 0..<whole { result *= base }
    return result * (1 - (exponent - Double(whole)) * (1 - base))
}

extension FieldIndexType {
    /// Whether an index of this type holds none of these texts: rows that have one have another value.
    fileprivate func leavesOut(_ texts: [String]) -> Bool {
        switch self {
        case .integer, .float, .bool, .geo: true
        case .datetime: texts.allSatisfy { DateTime.microseconds($0) == nil }
        case .uuid: texts.allSatisfy { UUIDValue($0) == nil }
        case .keyword, .text: false
        }
    }

    /// Whether an index of this type holds no text that is a UUID.
    fileprivate var leavesOutUUIDs: Bool { self != .keyword && self != .uuid && self != .text }

    /// Whether an index of this type holds no text that is a date.
    fileprivate var leavesOutDates: Bool { self != .keyword && self != .datetime && self != .text }
}
