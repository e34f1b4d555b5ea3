import OctantModel
import Testing

@testable import OctantPayload

@Suite struct CompiledFilterTests {
    /// Compares every way to ask a compiled filter with the oracle.
    private func check(_ filter: Filter, _ rows: TestRows, _ seed: UInt64) {
        func keys(_ type: FieldIndexType) -> Set<PayloadPath> {
            Set(rows.indexes.filter { $0.value.contains { $0.type == type } }.keys)
        }
        var oracle = Oracle(integerIndexed: keys(.integer), uuidIndexed: keys(.uuid))
        for (key, indexes) in rows.indexes {
            oracle.textIndexed[key] = indexes.first { $0.type == .text }?.schema.text
        }
        let wanted = (0..<rows.rowCount).filter { row in
            oracle.matches(
                filter, .object(rows.payloads[row].object), id: rows.ids[row], vectors: rows.vectors[row])
        }.map { UInt32($0) }
        // Rows that are not indexed yet answer like the others.
        rows.isIndexed = false
        #expect(CompiledFilter(filter, rows: rows).matchingRows() == wanted, "not indexed, seed \(seed), \(filter)")
        rows.isIndexed = true
        let compiled = CompiledFilter(filter, rows: rows)
        let all = Array(0..<UInt32(rows.rowCount))
        let one = all.filter { compiled.matches($0) }
        var batch = [Bool](repeating: false, count: all.count)
        batch.withUnsafeMutableBufferPointer { out in
            all.withUnsafeBufferPointer { all in
                if let rows = all.baseAddress, let out = out.baseAddress { compiled.matches(rows, all.count, out) }
            }
        }
        let listed = compiled.matchingRows()
        let bounds = compiled.cardinality
        let indexes = rows.indexes.map { "\($0.key): \($0.value.map(\.type))" }
        #expect(one == wanted, "seed \(seed), \(filter), \(indexes)")
        #expect(all.filter { batch[Int($0)] } == wanted, "batch, seed \(seed), \(filter), \(indexes)")
        #expect(listed == wanted, "rows, seed \(seed), \(filter), \(indexes)")
        #expect(
            bounds.min <= wanted.count && wanted.count <= bounds.max && bounds.min <= bounds.expected
                && bounds.expected <= bounds.max && bounds.max <= rows.rowCount,
            "\(bounds) for \(wanted.count), seed \(seed), \(filter), \(indexes)")
        #expect(!compiled.matches(UInt32(rows.rowCount)))
    }

    @Test("random filters over random payloads and indexes answer as the oracle", arguments: 0..<30)
    func random(_ round: Int) throws {
        let seed = UInt64(round) &* 7919 &+ 17
        var source = RandomFilters(seed: seed)
        let count = source.pick([0, 1, 5, 63, 64, 130, 300])
        let payloads = (0..<count).map { _ in source.payload() }
        let vectors: [Set<String>] = (0..<count).map { _ in
            Set(["", "image"].filter { _ in source.chance(70) })
        }
        let rows = TestRows(payloads, vectors: vectors)
        let density = source.pick([0, 15, 50, 100])
        for key in source.keys {
            for type in FieldIndexType.allCases where source.chance(density) {
                try rows.addIndex(key, type, type == .text ? source.analysis() : nil)
            }
        }
        for _ in 0..<40 { check(source.filter(depth: 3, idCount: max(count, 1)), rows, seed) }
        for _ in 0..<40 {
            check(Filter(must: [.field(source.field(source.pick(source.keys)))]), rows, seed)
        }
    }

    @Test("plain columns answer as the oracle", arguments: 0..<8)
    func columns(_ seed: Int) throws {
        var random = TestRandom(UInt64(seed))
        let words = (0..<50).map { "w\($0)" }
        let payloads = (0..<2000).map { row -> Payload in
            var object: JSONObject = [
                "year": .integer(Int64.random(in: 2000...2020, using: &random)),
                "length": .double(Double.random(in: 1...9, using: &random)),
                "flag": .bool(Bool.random(using: &random)),
                "word": .string(words[Int.random(in: 0..<50, using: &random)]),
            ]
            object["tags"] = .array((0...(row % 4)).map { _ in .string(words[Int.random(in: 0..<50, using: &random)]) })
            if row % 50 == 0 { object["rank"] = .integer(Int64(row)) }
            return Payload(object)
        }
        let rows = TestRows(payloads)
        func key(_ text: String) throws -> PayloadPath { try PayloadPath(text) }
        if seed % 4 != 3 {
            for (text, type) in [
                ("year", FieldIndexType.integer), ("length", .float), ("flag", .bool), ("word", .keyword),
                ("tags", .keyword), ("rank", .integer),
            ] { try rows.addIndex(key(text), type) }
        }
        func field(
            _ text: String, _ match: Match? = nil, _ range: NumberRange? = nil
        ) throws -> Condition { .field(FieldCondition(key: try key(text), match: match, range: range)) }
        let year = try field("year", nil, NumberRange(gte: 2005, lte: 2012))
        let tags = try ["w1", "w2", "w3"].map { try field("tags", .value(.string($0))) }
        let filters: [Filter] = try [
            Filter(must: [year], should: tags, mustNot: [field("word", .value(.string("w7")))]),
            Filter(must: [field("length", nil, NumberRange(gte: 3, lt: 4))]),
            Filter(must: [field("length", nil, NumberRange(gte: 2)), year, field("flag", .value(.bool(true)))]),
            Filter(mustNot: [.isEmpty(key("rank"))]),
            Filter(must: [.isEmpty(key("rank"))], mustNot: [year]),
            Filter(must: [field("tags", .any(words.prefix(20).map { .string($0) }))]),
            Filter(must: [field("tags", .except(words.prefix(40).map { .string($0) }))]),
            Filter(must: [field("year", .any([.integer(2001), .integer(2002), .integer(2050)]))]),
            Filter(must: [field("year", .except([.integer(2001)])), field("word", .value(.string("w9")))]),
            Filter(minShould: Filter.MinShould(conditions: tags + [year], minCount: 2)),
            Filter(must: [.field(FieldCondition(key: key("tags"), valuesCount: CountRange(gt: 2))), year]),
        ]
        for filter in filters { check(filter, rows, UInt64(seed)) }
        if seed % 4 != 3 {
            let indexed = CompiledFilter(filters[0], rows: rows)
            #expect(indexed.isFullyIndexed)
            #expect(!CompiledFilter(filters[10], rows: rows).isFullyIndexed)
        }
    }

    @Test("shapes over many points answer as the oracle, with an index and without", arguments: 0..<4)
    func shapes(_ seed: UInt64) throws {
        var source = RandomFilters(seed: seed)
        let payloads = (0..<6000).map { row -> Payload in
            let points = (0..<(row % 10 == 0 ? 3 : 1)).map { _ -> JSONValue in
                let point = source.point()
                return .object(["lon": .double(point.lon), "lat": .double(point.lat)])
            }
            return Payload(["p": row % 10 == 0 ? .array(points) : points[0]])
        }
        let key = try PayloadPath("p")
        let plain = TestRows(payloads)
        let indexed = TestRows(payloads)
        try indexed.addIndex(key, .geo)
        for _ in 0..<40 {
            let filter = Filter(must: [.field(FieldCondition(key: key, geo: [source.shape()]))])
            check(filter, indexed, seed)
            #expect(
                CompiledFilter(filter, rows: plain).matchingRows()
                    == CompiledFilter(filter, rows: indexed).matchingRows())
        }
    }

    @Test("phrases are found within one string, by the index alone if it keeps the order of words")
    func phrases() throws {
        let texts: [JSONValue] = [
            .string("the quick brown fox"), .string("brown quick"), .array([.string("quick"), .string("brown")]),
            .array([.string("x"), .string("so quick, brown!")]), .string("quick brown quick brown"), .integer(5),
        ]
        let key = try PayloadPath("t")
        for keepsOrder in [true, false] {
            let rows = TestRows(texts.map { Payload(["t": $0]) })
            var analysis = TextAnalysis()
            analysis.phraseMatching = keepsOrder
            try rows.addIndex(key, .text, analysis)
            func find(_ match: Match) -> [UInt32] {
                let filter = Filter(must: [.field(FieldCondition(key: key, match: match))])
                check(filter, rows, 0)
                return CompiledFilter(filter, rows: rows).matchingRows()
            }
            #expect(find(.phrase("Quick brown")) == [0, 3, 4])
            #expect(find(.phrase("quick brown quick")) == [4])
            #expect(find(.phrase("quick")) == [0, 1, 2, 3, 4])
            #expect(find(.phrase("quick cat")) == [] && find(.phrase(" ")) == [])
            #expect(find(.text("brown QUICK")) == [0, 1, 2, 3, 4])
            #expect(find(.textAny("fox x")) == [0, 3])
            let filter = Filter(must: [.field(FieldCondition(key: key, match: .phrase("quick brown")))])
            #expect(CompiledFilter(filter, rows: rows).isFullyIndexed == keepsOrder)
        }
    }

    @Test("rare values among many rows are listed in order and once")
    func rare() throws {
        let payloads = (0..<20_000).map { row -> Payload in
            guard row % 2_500 == 7 else { return row % 3 == 0 ? .empty : Payload(["n": .integer(-1)]) }
            let number = Int64((20_000 - row) / 2_500)
            return Payload(["n": .array([.integer(number), .integer(number + 1)]), "w": .string("w\(number)")])
        }
        let rows = TestRows(payloads)
        let n = try PayloadPath("n")
        let w = try PayloadPath("w")
        try rows.addIndex(n, .integer)
        try rows.addIndex(w, .keyword)
        let filters: [Filter] = [
            Filter(must: [.field(FieldCondition(key: n, range: NumberRange(gte: 2)))]),
            Filter(must: [.field(FieldCondition(key: n, match: .any((0..<9).map { .integer($0) })))]),
            Filter(should: (0..<9).map { .field(FieldCondition(key: w, match: .value(.string("w\($0)")))) }),
            Filter(must: [.hasID([.number(19_999), .number(7), .number(30_000)])]),
            Filter(
                must: [.field(FieldCondition(key: n, range: NumberRange(gte: 0)))],
                mustNot: [.field(FieldCondition(key: w, match: .any([.string("w3"), .string("w5")])))]),
        ]
        for filter in filters { check(filter, rows, 0) }
    }

    @Test("an index of another number of rows is not used")
    func foreignIndex() throws {
        let rows = TestRows([Payload(["a": .integer(1)]), Payload(["a": .integer(2)])])
        let key = try PayloadPath("a")
        rows.indexes[key] = [
            try FieldIndexBuilder(
                key: key, schema: FieldIndexSchema(type: .integer), rowCount: 1
            ).makeIndex()
        ]
        let filter = Filter(must: [.field(FieldCondition(key: key, match: .value(.integer(2))))])
        #expect(CompiledFilter(filter, rows: rows).matchingRows() == [1])
    }

    @Test("filters nested too deep match nothing instead of using up the stack")
    func depth() {
        var filter = Filter()
        for _ in 0..<2000 { filter = Filter(must: [.filter(filter)]) }
        let rows = TestRows([.empty])
        #expect(CompiledFilter(filter, rows: rows).matchingRows().isEmpty)
    }
}
