import Octant
import OctantModel
import Testing

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

@Suite("Formulas")
struct FormulaTests {
    private let world: QueryWorld
    private let x: Expression

    init() throws {
        world = try QueryWorld(.dot, seed: 31)
        x = .variable(try PayloadPath("x"))
    }

    /// The value at one point, whose `x` is 2.5 (number 120 of the world), `n` 0 and score `score`.
    private func value(_ expression: Expression, defaults: [String: Formula.Default] = [:]) throws -> Double {
        let chosen = Filter(must: [.hasID([.number(120)])])
        let prefetch = Prefetch(query: .nearest(.vector(.dense([1, 0, 0, 0, 0, 0]))), filter: chosen)
        let found = try world.collection.query(
            QueryRequest(prefetch: [prefetch], query: .formula(Formula(expression, defaults: defaults))))
        #expect(found.map(\.id) == [.number(120)])
        return Double(found.first?.score ?? .nan)
    }

    @Test("every operation computes what it says")
    func operations() throws {
        let entry = try #require(world.oracle.entries.first { $0.id == .number(120) })
        let score = Double(entry.vector[0])
        let n = try PayloadPath("n")
        func matches(_ value: Int64) -> Expression {
            .condition(.field(FieldCondition(key: n, match: .value(.integer(value)))))
        }
        let cases: [(Expression, Double)] = [
            (.constant(1.25), 1.25), (x, 2.5), (.score(0), score), (.score(1), 0), (matches(0), 1), (matches(1), 0),
            (.product([x, .constant(4), .score(0)]), 10 * score),
            (.product([.constant(0), .variable(try PayloadPath("none"))]), 0),
            (.sum([x, .constant(1), .negated(.constant(3))]), 0.5), (.sum([]), 0), (.product([]), 1),
            (.max([x, .constant(3)]), 3), (.min([x, .constant(3)]), 2.5), (.abs(.negated(x)), 2.5),
            (.quotient(x, .constant(2), byZero: nil), 1.25), (.quotient(x, .constant(0), byZero: 9), 9),
            (.quotient(.constant(0), .constant(0), byZero: nil), 0), (.squareRoot(x), 2.5.squareRoot()),
            (.power(base: x, exponent: .constant(3)), 15.625), (.exp(x), exp(2.5)), (.log10(x), log10(2.5)),
            (.ln(x), log(2.5)), (.acosh(x), acosh(2.5)),
            (.decay(Decay(.linear, x: x, target: .constant(1), scale: 3, midpoint: 0.4)), 1 - 0.6 / 3 * 1.5),
            (.decay(Decay(.linear, x: x)), 0),
            (.decay(Decay(.exponential, x: x, scale: 2, midpoint: 0.3)), exp(log(0.3) / 2 * 2.5)),
            (.decay(Decay(.gaussian, x: x, target: .constant(4), scale: 2)), exp(log(0.5) / 4 * 2.25)),
        ]
        for (expression, expected) in cases {
            #expect(abs(try value(expression) - expected) < 1e-5, "\(expression)")
        }
    }

    @Test("a variable is read from an index if its key has one: a null is wrong without, missing with")
    func indexedVariables() throws {
        let folder = TemporaryFolder()
        let database = try Database.open(DatabaseOptions(path: folder.path))
        defer { database.close() }
        try database.createCollection("c", plainConfig(1, .dot))
        let collection = try database.collection("c")
        let values: [JSONValue] = [.null, .array([.string("a"), .integer(7)])]
        try collection.update(
            .upsert(
                values.enumerated().map { number, value in
                    Point(
                        id: .number(UInt64(number)), vectors: NamedVectors(.dense([1])), payload: Payload(["k": value]))
                }))
        let key = try PayloadPath("k")
        func scores(_ id: UInt64) throws -> [Float] {
            let prefetch = Prefetch(filter: Filter(must: [.hasID([.number(id)])]))
            let formula = Formula(.variable(key), defaults: ["k": .number(3)])
            return try collection.query(QueryRequest(prefetch: [prefetch], query: .formula(formula))).map(\.score)
        }
        for id in [0, 1] as [UInt64] { #expect(throws: OctantError.self) { try scores(id) } }
        try collection.createFieldIndex(key, FieldIndexSchema(type: .integer))
        #expect(try scores(0) == [3])
        #expect(try scores(1) == [7])
    }

    @Test("missing variables have defaults, missing scores are 0")
    func defaults() throws {
        let missing = Expression.variable(try PayloadPath("none"))
        #expect(try value(missing, defaults: ["none": .number(3)]) == 3)
        #expect(try value(.score(4), defaults: ["$score[4]": .number(2)]) == 2)
        #expect(try value(x, defaults: ["x": .number(100)]) == 2.5)
    }

    @Test("places and dates become metres and seconds")
    func placesAndDates() throws {
        let berlin = GeoPoint(lon: 13.4050, lat: 52.52)
        let paris = GeoPoint(lon: 2.3522, lat: 48.8566)
        let (place, day) = (try PayloadPath("place"), try PayloadPath("day"))
        try world.collection.update(
            .setPayload(
                [
                    "place": .object(["lon": .double(berlin.lon), "lat": .double(berlin.lat)]),
                    "day": .string("1970-01-02T00:00:01Z"),
                ], .ids([.number(120)]), key: nil))
        #expect(abs(try value(.geoDistance(paris, place)) - 877_464) < 1000)
        #expect(try value(.date(day)) == 86_401)
        #expect(try value(.date(try PayloadPath("none")), defaults: ["none": .text("1970-01-01T00:01:00Z")]) == 60)
        #expect(try value(.geoDistance(paris, try PayloadPath("none")), defaults: ["none": .point(paris)]) == 0)
        #expect(throws: OctantError.self) { try value(.geoDistance(paris, day)) }
        #expect(throws: OctantError.self) { try value(.date(place)) }
    }

    @Test("what has no finite value is refused by name")
    func refusals() throws {
        let cases: [(Expression, String)] = [
            (.variable(try PayloadPath("none")), "No value found for none in the payload nor the formula defaults"),
            (
                .variable(try PayloadPath("tags")),
                "Expected number value for tags in the payload and/or in the formula defaults."
            ),
            (.quotient(x, .constant(0), byZero: nil), "The expression 2.5/0.0 produced a non-finite number"),
            (.squareRoot(.negated(x)), "The expression √-2.5 produced a non-finite number"),
            (.ln(.constant(0)), "The expression ln(0.0) produced a non-finite number"),
            (.exp(.constant(1000)), "The expression exp(1000.0) produced a non-finite number"),
            (
                .power(base: .negated(x), exponent: .constant(0.5)),
                "The expression -2.5^0.5 produced a non-finite number"
            ),
            (.constant(1e300), "The expression 1e+300 as f32 = inf produced a non-finite number"),
        ]
        for (expression, message) in cases {
            #expect(throws: OctantError(.badInput, message)) { try value(expression) }
        }
    }

    @Test("a formula ranks the union of its prefetches; its threshold is inclusive")
    func ranking() throws {
        let lists = [
            Prefetch(query: .nearest(world.vector()), params: SearchParams(exact: true), limit: 20),
            Prefetch(query: .nearest(world.vector()), params: SearchParams(exact: true), limit: 20),
        ]
        let oracle = try lists.map { prefetch in
            Dictionary(
                uniqueKeysWithValues: try world.collection.query(
                    QueryRequest(query: prefetch.query, params: prefetch.params, limit: 20)
                ).map { ($0.id, Double($0.score)) })
        }
        let formula = Formula(.sum([.score(0), .product([.constant(2), .score(1)])]))
        var expected = Set(oracle[0].keys).union(oracle[1].keys).map { id in
            (id: id, score: (oracle[0][id] ?? 0) + 2 * (oracle[1][id] ?? 0))
        }
        expected.sort { $0.score != $1.score ? $0.score > $1.score : $0.id < $1.id }
        var request = QueryRequest(prefetch: lists, query: .formula(formula), limit: 100)
        let found = try world.collection.query(request)
        #expect(found.map(\.id) == expected.map(\.id))
        request.scoreThreshold = found[9].score
        #expect(try world.collection.query(request).count == 10)
    }
}
