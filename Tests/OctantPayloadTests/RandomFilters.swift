import OctantModel

/// Random payloads and filters over a few keys and values, so that they meet often.
struct RandomFilters {
    var random: TestRandom

    init(seed: UInt64) { random = TestRandom(seed) }

    static let keyTexts = ["a", "b", "n", "n.x", "o[].x", "o[].y", "o[0].x", "a[]", "b[1]", "o", "\"odd key.\"", "zz"]
    let keys = Self.keyTexts.compactMap { try? PayloadPath($0) }

    mutating func chance(_ percent: Int) -> Bool { Int.random(in: 0..<100, using: &random) < percent }
    mutating func pick<T>(_ list: [T]) -> T { list[Int.random(in: 0..<list.count, using: &random)] }

    static let uuids = [
        "550e8400-e29b-41d4-a716-446655440000", "550E8400E29B41D4A716446655440000",
        "{550e8400-e29b-41d4-a716-446655440001}", "urn:uuid:550e8400-e29b-41d4-a716-446655440000",
    ]
    static let dates = [
        "2024-02-29", "2024-02-29T12:00", "2024-02-29 13:00:00+01:00", "2024-02-29T12:00:00.000001Z",
        "2023-02-29", "1969-12-31T23:59:59.5Z", "2024-02-29T12:00:00-0230",
    ]

    static let degrees: [Double] = [-180, -179.5, -90, -45.25, 0, 0.5, 10, 45.25, 90, 179.5, 180]

    mutating func degree(_ most: Double) -> Double {
        if chance(50) { return Double.random(in: -most...most, using: &random) }
        return min(max(pick(Self.degrees), -most), most)
    }

    mutating func point() -> GeoPoint { GeoPoint(lon: degree(180), lat: degree(90)) }

    mutating func shape() -> GeoShape {
        switch Int.random(in: 0..<3, using: &random) {
        case 0: return .box(topLeft: point(), bottomRight: point())
        case 1: return .circle(center: point(), radius: pick([-1, 0, 1, 1_000, 300_000, 5_000_000, 1e7, 1.6e7, 3e7]))
        default:
            func ring(_ self: inout RandomFilters) -> [GeoPoint] {
                let points = (0..<Int.random(in: 3...6, using: &self.random)).map { _ in self.point() }
                return points + [points[0]]
            }
            return .polygon(exterior: ring(&self), interiors: (0..<(chance(30) ? 1 : 0)).map { _ in ring(&self) })
        }
    }

    static let texts = [
        "red green", "Green, blue!", "the running dogs", "A dog runs; the dogs ran", "\u{e9}t\u{e9} gr\u{fc}n",
        "Gr\u{dc}N haus", "\u{6771}\u{4eac} red", "green-red 5", "...", "red  blue green red",
    ]

    mutating func analysis() -> TextAnalysis {
        var analysis = TextAnalysis()
        analysis.tokenizer = pick(TextAnalysis.Tokenizer.allCases)
        if chance(30) { analysis.minTokenLength = pick([1, 2, 3]) }
        if chance(30) { analysis.maxTokenLength = pick([2, 3, 4, 5]) }
        analysis.lowercase = chance(75)
        analysis.phraseMatching = chance(50)
        analysis.asciiFolding = chance(40)
        if chance(30) { analysis.stopwordLanguages = [.english] }
        if chance(20) { analysis.stopwords = ["red"] }
        if chance(40) { analysis.stemmer = .english }
        return analysis
    }

    mutating func text() -> String {
        if chance(70) { return pick(Self.texts) }
        return pick(["", " ", "dog", "dogs", "red", "r", "green red", "the", "gr\u{fc}n", "run dogs blue", "\u{6771}"])
    }

    mutating func scalar() -> JSONValue {
        if chance(15) {
            let point = point()
            let lon = point.lon + (chance(5) ? 180 : 0)
            return .object(["lon": .double(lon), "lat": chance(5) ? .string("x") : .double(point.lat)])
        }
        if chance(10) { return .string(pick(Self.dates)) }
        if chance(20) { return .string(pick(Self.texts)) }
        if chance(10) { return .string(pick(Self.uuids)) }
        return pick([
            .string("red"), .string("green"), .string("blue"), .string(""), .string("gr"), .string("5"), .string("é"),
            .integer(0), .integer(1), .integer(5), .integer(-3), .integer(.max), .integer(.min), .integer(7),
            .integer((1 << 53) + 1), .unsigned(.max), .unsigned(1 << 63), .double(5), .double(2.5), .double(-3),
            .double(1e300), .double(-0.0), .double(9_223_372_036_854_775_808), .bool(true), .bool(false),
        ])
    }

    mutating func value(depth: Int) -> JSONValue {
        switch Int.random(in: 0..<20, using: &random) {
        case 0: return .null
        case 1: return .array([])
        case 2: return .array([.null])
        case 3...6:
            return .array((0..<Int.random(in: 1...4, using: &random)).map { _ in chance(15) ? .null : scalar() })
        case 7, 8:
            guard depth > 0 else { return scalar() }
            return .array((0..<Int.random(in: 1...3, using: &random)).map { _ in value(depth: depth - 1) })
        case 9...12:
            guard depth > 0 else { return scalar() }
            return object(depth: depth - 1)
        default: return scalar()
        }
    }

    mutating func object(depth: Int) -> JSONValue {
        var object = JSONObject()
        for name in ["x", "y", "a"] where chance(60) { object[name] = value(depth: depth) }
        return .object(object)
    }

    mutating func payload() -> Payload {
        var object = JSONObject()
        if chance(5) { return .empty }
        for name in ["a", "b", "n", "odd key."] where chance(75) { object[name] = value(depth: 2) }
        if chance(50) { object["n"] = self.object(depth: 1) }
        if chance(70) {
            object["o"] = .array((0..<Int.random(in: 0...3, using: &random)).map { _ in self.object(depth: 1) })
        }
        return Payload(object)
    }

    mutating func matchValue() -> MatchValue {
        switch scalar() {
        case .string(let text): return .string(text)
        case .integer(let integer): return .integer(integer)
        case .bool(let bool): return .bool(bool)
        default: return pick([.integer(5), .integer(-3), .string("absent"), .integer(4)])
        }
    }

    mutating func list() -> [MatchValue] {
        let kind = Int.random(in: 0..<5, using: &random)
        let count = chance(10) ? 40 : Int.random(in: 0...4, using: &random)
        return (0..<count).compactMap { place in
            if count == 40 { return place % 2 == 0 ? .integer(Int64(place)) : .string("s\(place)") }
            let value = matchValue()
            switch (kind, value) {
            case (0, .string), (1, .integer), (2, .bool), (3..., _): return value
            default: return nil
            }
        }
    }

    mutating func bound() -> Double {
        pick([-3, 0, 1, 2.5, 5, 7, 9.3e18, 1.9e19, -1e19, 9_007_199_254_740_992, 1e301])
    }

    mutating func date() -> Int64 {
        guard let date = DateTime.microseconds(pick(Self.dates)) else { return chance(50) ? .min : .max }
        return date + pick([-1, 0, 0, 1])
    }

    mutating func field(_ key: PayloadPath) -> FieldCondition {
        var field = FieldCondition(key: key)
        switch Int.random(in: 0..<18, using: &random) {
        case 14: field.match = .text(text())
        case 15: field.match = .textAny(text())
        case 16, 17: field.match = .phrase(text())
        case 11: field.geo = (0..<(chance(20) ? 2 : 1)).map { _ in shape() }
        case 12: field.match = .prefix(pick(["", "g", "gr", "green", "2024-", "z", "\u{e9}", "550"]))
        case 13: field.match = .substring(pick(["", "re", "e", "een", "green1", "-29", "\u{e9}"]))
        case 10:
            field.dates = DateRange(
                gt: chance(30) ? date() : nil, gte: chance(40) ? date() : nil, lt: chance(40) ? date() : nil,
                lte: chance(30) ? date() : nil)
        case 0...2: field.match = .value(matchValue())
        case 3: field.match = .any(list())
        case 4: field.match = .except(list())
        case 5, 6: break
        case 7:
            field.match = .value(matchValue())
            field.isEmpty = chance(60) ? chance(50) : nil
            field.isNull = chance(60) ? chance(50) : nil
        case 8: field.isNull = chance(50)
        default: field.isEmpty = chance(50)
        }
        if chance(35) || field == FieldCondition(key: key) {
            field.range = NumberRange(
                gt: chance(30) ? bound() : nil, gte: chance(40) ? bound() : nil, lt: chance(40) ? bound() : nil,
                lte: chance(30) ? bound() : nil)
        }
        if chance(8) {
            field.valuesCount = CountRange(
                gt: chance(20) ? 1 : nil, gte: chance(30) ? pick([0, 1, 2]) : nil, lt: chance(50) ? pick([1, 3]) : nil)
        }
        return field
    }

    mutating func condition(depth: Int, nested: Bool, idCount: Int) -> Condition {
        let nestedKeys = ["x", "y", "a", "x[]", "y[0]"].compactMap { try? PayloadPath($0) }
        let key = pick(nested ? nestedKeys : keys)
        switch Int.random(in: 0..<20, using: &random) {
        case 0: return .isEmpty(key)
        case 1: return .isNull(key)
        case 2:
            let count = Int.random(in: 0...40, using: &random)
            let ids = 0..<UInt64(idCount * 2)
            return .hasID(Set((0..<count).map { _ in .number(.random(in: ids, using: &random)) }))
        case 3:
            if chance(50) {
                let total = Int.random(in: 1...4, using: &random)
                return .slice(PointSlice(total: total, index: Int.random(in: 0..<total, using: &random)))
            }
            return .hasVector(pick(["", "image", "none"]))
        case 4, 5:
            guard depth > 0 else { break }
            return .nested(pick(nested ? nestedKeys : keys), filter(depth: depth - 1, nested: true, idCount: idCount))
        case 6, 7:
            guard depth > 0 else { break }
            return .filter(filter(depth: depth - 1, nested: nested, idCount: idCount))
        default: break
        }
        return .field(field(key))
    }

    mutating func filter(depth: Int, nested: Bool = false, idCount: Int) -> Filter {
        func conditions(_ most: Int, _ self: inout RandomFilters) -> [Condition] {
            (0..<Int.random(in: 0...most, using: &self.random)).map { _ in
                self.condition(depth: depth, nested: nested, idCount: idCount)
            }
        }
        var filter = Filter()
        if chance(60) { filter.must = conditions(2, &self) }
        if chance(40) { filter.should = conditions(3, &self) }
        if chance(30) { filter.mustNot = conditions(2, &self) }
        if chance(15) {
            filter.minShould = Filter.MinShould(
                conditions: conditions(5, &self), minCount: Int.random(in: 0...3, using: &random))
        }
        return filter
    }
}
