import OctantModel

@testable import OctantPayload

/// A slow and obvious evaluator of filters over decoded values, written from the filter language alone.
struct Oracle {
    /// Keys with an integer index: there an integral float is that integer to a match.
    var integerIndexed: Set<PayloadPath> = []
    /// Keys with a uuid index: there texts that are UUIDs match by value.
    var uuidIndexed: Set<PayloadPath> = []
    /// Keys with a text index: there its analysis says what tokens are.
    var textIndexed: [PayloadPath: TextAnalysis] = [:]

    func matches(_ filter: Filter, _ object: JSONValue, id: PointID?, vectors: Set<String>) -> Bool {
        func holds(_ condition: Condition) -> Bool { self.holds(condition, object, id: id, vectors: vectors) }
        for condition in filter.must where !holds(condition) { return false }
        for condition in filter.mustNot where holds(condition) { return false }
        if !filter.should.isEmpty, !filter.should.contains(where: holds) { return false }
        if let minShould = filter.minShould {
            let held = minShould.conditions.filter(holds).count
            if held < minShould.minCount { return false }
        }
        return true
    }

    private func holds(_ condition: Condition, _ object: JSONValue, id: PointID?, vectors: Set<String>) -> Bool {
        switch condition {
        case .field(let field): return holds(field, object, isNested: id == nil)
        case .isEmpty(let key): return isEmpty(values(object, key))
        case .isNull(let key): return values(object, key).contains(.null)
        case .hasID(let ids): return id.map { ids.contains($0) } ?? false
        case .slice(let slice): return id.map { Int($0.slice(of: UInt64(slice.total))) == slice.index } ?? false
        case .hasVector(let name): return id != nil && vectors.contains(name)
        case .filter(let filter): return matches(filter, object, id: id, vectors: vectors)
        case .nested(let key, let filter):
            var path = key
            if path.steps.last != .all { path.steps.append(.all) }
            return values(object, path).contains { element in
                guard case .object = element else { return false }
                return matches(filter, element, id: nil, vectors: [])
            }
        }
    }

    private func holds(_ field: FieldCondition, _ object: JSONValue, isNested: Bool) -> Bool {
        let found = values(object, field.key)
        if let counts = field.valuesCount {
            if found.isEmpty { return counts.contains(0) }
            return found.contains { value in
                switch value {
                case .array(let elements): counts.contains(elements.count)
                case .null: counts.contains(0)
                default: counts.contains(1)
                }
            }
        }
        if let wanted = field.isEmpty { return isEmpty(found) == wanted }
        if let wanted = field.isNull {
            let hasNull = found.contains { value in
                if case .array(let elements) = value { return elements.contains(.null) }
                return value == .null
            }
            return hasNull == wanted
        }
        let elements = found.flatMap { value in
            if case .array(let elements) = value { elements } else { [value] }
        }
        let texts = elements.compactMap { element in
            if case .string(let text) = element { text } else { nil }
        }
        if holdsText(field.match, texts, isNested ? nil : textIndexed[field.key]) { return true }
        let integral = !isNested && integerIndexed.contains(field.key)
        let byUUID = !isNested && uuidIndexed.contains(field.key)
        func equal(_ value: JSONValue, _ wanted: MatchValue) -> Bool {
            if byUUID, case .string(let a) = value, case .string(let b) = wanted, let a = UUIDValue(a) {
                return a == UUIDValue(b)
            }
            return self.equal(value, wanted, integral)
        }
        return elements.contains { element in
            switch field.match {
            case .value(let wanted)? where equal(element, wanted): return true
            case .any(let list)? where list.contains(where: { equal(element, $0) }): return true
            case .except(let list)? where element != .null && !list.contains(where: { equal(element, $0) }):
                return true
            default: break
            }
            switch (field.match, element) {
            case (.prefix(let part)?, .string(let text)) where Array(text.utf8).starts(with: Array(part.utf8)):
                return true
            case (.substring(let part)?, .string(let text)) where contains(Array(text.utf8), Array(part.utf8)):
                return true
            default: break
            }
            if case .object(let object) = element, let lon = number(object["lon"]), let lat = number(object["lat"]),
                field.geo.contains(where: { inside($0, lon, lat) })
            {
                return true
            }
            if let dates = field.dates, case .string(let text) = element, let date = DateTime.microseconds(text) {
                let isInside =
                    (dates.gt.map { date > $0 } ?? true) && (dates.gte.map { date >= $0 } ?? true)
                    && (dates.lt.map { date < $0 } ?? true) && (dates.lte.map { date <= $0 } ?? true)
                if isInside { return true }
            }
            guard let range = field.range else { return false }
            switch element {
            case .integer(let number): return range.contains(Double(number))
            case .unsigned(let number): return range.contains(Double(number))
            case .double(let number): return range.contains(number)
            default: return false
            }
        }
    }

    private func number(_ value: JSONValue?) -> Double? {
        switch value {
        case .integer(let number)?: Double(number)
        case .unsigned(let number)?: Double(number)
        case .double(let number)?: number
        default: nil
        }
    }

    private func contains(_ text: [UInt8], _ part: [UInt8]) -> Bool {
        part.isEmpty || text.indices.contains { text[$0...].starts(with: part) }
    }

    private func inside(_ shape: GeoShape, _ lon: Double, _ lat: Double) -> Bool {
        switch shape {
        case .box(let topLeft, let bottomRight):
            let isBetween = (lon > topLeft.lon, lon < bottomRight.lon)
            let isInLon =
                topLeft.lon > bottomRight.lon ? isBetween.0 || isBetween.1 : isBetween.0 && isBetween.1
            return isInLon && lat < topLeft.lat && lat > bottomRight.lat
        case .circle(let center, let radius):
            return GeoPoint(lon: lon, lat: lat).distance(to: center) < radius
        case .polygon: return shape.contains(GeoPoint(lon: lon, lat: lat))
        }
    }

    private func holdsText(_ match: Match?, _ texts: [String], _ analysis: TextAnalysis?) -> Bool {
        let analyzer = TextAnalyzer(analysis ?? TextAnalysis())
        func tokens(_ text: String, isQuery: Bool = false) -> [[UInt8]] {
            var tokens: [[UInt8]] = []
            analyzer.forEachToken(text, isQuery: isQuery) { tokens.append($0) }
            return tokens
        }
        let all = Set(texts.flatMap { tokens($0) })
        switch match {
        case .text(let text)?:
            guard analysis != nil else { return texts.contains { contains(Array($0.utf8), Array(text.utf8)) } }
            let wanted = tokens(text, isQuery: true)
            return !wanted.isEmpty && wanted.allSatisfy { all.contains($0) }
        case .textAny(let text)?:
            guard analysis != nil else {
                let words = text.split(whereSeparator: \.isWhitespace).map { Array($0.utf8) }
                return texts.contains { text in words.contains { contains(Array(text.utf8), $0) } }
            }
            return tokens(text, isQuery: true).contains { all.contains($0) }
        case .phrase(let text)?:
            let wanted = tokens(text, isQuery: true)
            return !wanted.isEmpty
                && texts.contains { text in
                    var words: [[UInt8]] = []
                    var copy = text
                    copy.withUTF8 { utf8 in
                        analyzer.forEachWord(utf8: UnsafeRawBufferPointer(utf8), isQuery: false) { words.append($0) }
                    }
                    let isPrefix = analysis?.tokenizer == .prefix
                    return words.indices.contains { start in
                        words.count - start >= wanted.count
                            && zip(words[start...], wanted).allSatisfy { isPrefix ? $0.starts(with: $1) : $0 == $1 }
                    }
                }
        default: return false
        }
    }

    private func isEmpty(_ values: [JSONValue]) -> Bool {
        values.allSatisfy { $0 == .null || $0 == .array([]) }
    }

    private func equal(_ value: JSONValue, _ wanted: MatchValue, _ integral: Bool) -> Bool {
        switch (value, wanted) {
        case (.string(let a), .string(let b)): Array(a.utf8) == Array(b.utf8)
        case (.integer(let a), .integer(let b)): a == b
        case (.double(let a), .integer(let b)): integral && a == Double(b) && Int64(exactly: a) == b
        case (.bool(let a), .bool(let b)): a == b
        default: false
        }
    }

    func values(_ value: JSONValue, _ path: PayloadPath) -> [JSONValue] {
        var found = [value]
        for step in path.steps {
            found = found.flatMap { value -> [JSONValue] in
                switch (step, value) {
                case (.key(let name), .object(let object)): object[name].map { [$0] } ?? []
                case (.all, .array(let elements)): elements
                case (.index(let place), .array(let elements)):
                    elements.indices.contains(place) ? [elements[place]] : []
                default: []
                }
            }
        }
        return found
    }
}

/// Rows of a test, with whatever indexes it wants.
final class TestRows: FilterableRows {
    let payloads: [Payload]
    let ids: [PointID]
    let vectors: [Set<String>]
    var indexes: [PayloadPath: [FieldIndex]] = [:]
    /// Whether the indexes are built here; if not, they are only wanted.
    var isIndexed = true
    private var rowOf: [PointID: UInt32] = [:]
    private let storage: UnsafeMutableRawBufferPointer
    private var places: [Range<Int>] = []

    init(_ payloads: [Payload], ids: [PointID]? = nil, vectors: [Set<String>]? = nil) {
        self.payloads = payloads
        self.ids = ids ?? payloads.indices.map { .number(UInt64($0)) }
        self.vectors = vectors ?? payloads.map { _ in [] }
        let total = payloads.reduce(0) { $0 + $1.bytes.count }
        storage = .allocate(byteCount: total + 1, alignment: 8)
        var at = 0
        for payload in payloads {
            for byte in payload.bytes {
                storage[at] = byte
                at += 1
            }
            places.append((at - payload.bytes.count)..<at)
        }
        for (row, id) in self.ids.enumerated() { rowOf[id] = UInt32(row) }
    }

    deinit { storage.deallocate() }

    func addIndex(_ key: PayloadPath, _ type: FieldIndexType, _ analysis: TextAnalysis? = nil) throws {
        let schema = FieldIndexSchema(type: type, params: analysis.map { Payload($0.json) })
        var builder = FieldIndexBuilder(key: key, schema: schema, rowCount: payloads.count)
        for row in payloads.indices where !payloads[row].isEmpty {
            builder.add(row: UInt32(row), payload: PayloadView(payload(UInt32(row))))
        }
        indexes[key, default: []].append(try builder.makeIndex())
    }

    var rowCount: Int { payloads.count }
    func payload(_ row: UInt32) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(rebasing: storage[places[Int(row)]])
    }
    func pointID(_ row: UInt32) -> PointID { ids[Int(row)] }
    func row(of id: PointID) -> UInt32? { rowOf[id] }
    func hasVector(_ row: UInt32, _ name: String) -> Bool { vectors[Int(row)].contains(name) }
    func fieldIndexes(_ key: PayloadPath) -> [FieldIndex] { isIndexed ? indexes[key] ?? [] : [] }
    func wantedIndexes(_ key: PayloadPath) -> [FieldIndexSchema] { indexes[key]?.map(\.schema) ?? [] }
}

/// SplitMix64: small, and the same everywhere.
struct TestRandom: RandomNumberGenerator {
    var state: UInt64

    init(_ seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ z >> 30) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ z >> 27) &* 0x94D0_49BB_1331_11EB
        return z ^ z >> 31
    }
}
