import OctantModel
import Testing

@Suite("Query JSON")
struct QueryJSONTests {
    private func parse(_ text: String) throws -> QueryRequest { try ReadsJSON.query(Array(text.utf8)) }

    private let one = VectorInput.vector(.dense([1]))

    @Test("every kind of query is read")
    func kinds() throws {
        let examples = Recommendation(positive: [.id(.number(1)), one], negative: [.id(.number(2))])
        var best = examples
        best.strategy = .bestScore
        let pair = ContextPair(positive: .id(.number(1)), negative: one)
        let cases: [(String, Query)] = [
            (#"{"recommend":{"positive":[1,[1]],"negative":[2]}}"#, .recommend(examples)),
            (#"{"recommend":{"positive":[1,[1]],"negative":[2],"strategy":"best_score"}}"#, .recommend(best)),
            (
                #"{"discover":{"target":[1],"context":{"positive":1,"negative":[1]}}}"#,
                .discover(target: one, context: [pair])
            ),
            (#"{"discover":{"target":[1],"context":[]}}"#, .discover(target: one, context: [])),
            (#"{"context":[{"positive":1,"negative":[1]}]}"#, .context([pair])),
            (
                #"{"relevance_feedback":{"target":[1],"feedback":[{"example":1,"score":0.5}],"#
                    + #""strategy":{"naive":{"a":1,"b":2,"c":3}}}}"#,
                .feedback(
                    RelevanceFeedback(
                        target: one, feedback: [.init(example: .id(.number(1)), score: 0.5)], a: 1, b: 2, c: 3))
            ),
            (#"{"nearest":[1],"mmr":{"diversity":0.25}}"#, .mmr(one, MMR(diversity: 0.25))),
            (#"{"mmr":{"candidates_limit":9},"nearest":[1]}"#, .mmr(one, MMR(candidatesLimit: 9))),
            (#"{"nearest":[1],"mmr":null}"#, .nearest(one)),
            (#"{"order_by":"a.b"}"#, .orderBy(OrderBy(key: try PayloadPath("a.b")))),
            (
                #"{"order_by":{"key":"a","direction":"desc","start_from":5}}"#,
                .orderBy(OrderBy(key: try PayloadPath("a"), direction: .descending, startFrom: .integer(5)))
            ),
            (#"{"sample":"random"}"#, .sample),
        ]
        for (text, query) in cases { #expect(try parse(#"{"query":\#(text)}"#).query == query) }
        let merges: [(String, Query)] = [
            (#"{"fusion":"rrf"}"#, .fusion(.rrf(k: 2))), (#"{"fusion":"dbsf"}"#, .fusion(.dbsf)),
            (#"{"rrf":{"k":60,"weights":[0.5]}}"#, .fusion(.rrf(k: 60, weights: [0.5]))),
            (#"{"rrf":{}}"#, .fusion(.rrf())),
        ]
        for (text, query) in merges { #expect(try parse(#"{"query":\#(text),"prefetch":{}}"#).query == query) }
    }

    @Test("ACORN's parameters are read, and checked")
    func acorn() throws {
        let cases: [(String, AcornParams?)] = [
            ("{}", nil), (#"{"acorn":null}"#, nil), (#"{"acorn":{}}"#, AcornParams()),
            (#"{"acorn":{"enable":true}}"#, AcornParams(enable: true)),
            (#"{"acorn":{"enable":true,"max_selectivity":0}}"#, AcornParams(enable: true, maxSelectivity: 0)),
            (#"{"acorn":{"max_selectivity":0.25}}"#, AcornParams(maxSelectivity: 0.25)),
        ]
        for (text, params) in cases {
            #expect(try parse(#"{"query":[1],"params":\#(text)}"#).params.acorn == params)
        }
        for value in ["-0.1", "1.1"] {
            let error = #expect(throws: OctantError.self) {
                try parse(#"{"query":[1],"params":{"acorn":{"enable":true,"max_selectivity":\#(value)}}}"#)
            }
            #expect(error?.code == .validation)
            #expect(
                error?.message
                    == "Validation error in JSON body: [internal.params.acorn.max_selectivity: value \(value) invalid, "
                    + "must be from 0.0 to 1.0]")
        }
    }

    @Test("prefetches nest, alone or in lists")
    func prefetches() throws {
        let request = try parse(
            #"""
            {"prefetch":[{"prefetch":{"query":1,"limit":4},"query":[1],"using":"a","filter":{},"score_threshold":0.5,
             "params":{"exact":true},"lookup_from":{"collection":"o","vector":"v"}},{}],"query":{"fusion":"rrf"},
             "lookup_from":{"collection":"p"}}
            """#)
        #expect(
            request.prefetch == [
                Prefetch(
                    prefetch: [Prefetch(query: .nearest(.id(.number(1))), limit: 4)], query: .nearest(one), using: "a",
                    filter: Filter(), params: SearchParams(exact: true), scoreThreshold: 0.5,
                    lookupFrom: LookupLocation(collection: "o", vector: "v")),
                Prefetch(),
            ])
        #expect(request.lookupFrom == LookupLocation(collection: "p"))
    }

    @Test("formulas are read with all their operations")
    func formulas() throws {
        let n = Expression.variable(try PayloadPath("n"))
        let cases: [(String, Expression)] = [
            ("2", .constant(2)), (#""$score""#, .score(0)), (#""$score[3]""#, .score(3)), (#""n""#, n),
            (#"{"mult":[2,"n"]}"#, .product([.constant(2), n])), (#"{"sum":["n"]}"#, .sum([n])),
            (#"{"max":["n"]}"#, .max([n])), (#"{"min":["n",1]}"#, .min([n, .constant(1)])),
            (#"{"neg":"n"}"#, .negated(n)), (#"{"abs":"n"}"#, .abs(n)), (#"{"sqrt":"n"}"#, .squareRoot(n)),
            (#"{"exp":"n"}"#, .exp(n)), (#"{"log10":"n"}"#, .log10(n)), (#"{"ln":"n"}"#, .ln(n)),
            (#"{"acosh":"n"}"#, .acosh(n)),
            (
                #"{"div":{"left":1,"right":"n","by_zero_default":7}}"#,
                .quotient(.constant(1), n, byZero: 7)
            ),
            (#"{"pow":{"base":"n","exponent":2}}"#, .power(base: n, exponent: .constant(2))),
            (
                #"{"gauss_decay":{"x":"n","target":3,"scale":2.0,"midpoint":0.25}}"#,
                .decay(Decay(.gaussian, x: n, target: .constant(3), scale: 2, midpoint: 0.25))
            ),
            (
                #"{"geo_distance":{"origin":{"lon":1,"lat":2},"to":"n"}}"#,
                .geoDistance(GeoPoint(lon: 1, lat: 2), try PayloadPath("n"))
            ),
            (#"{"datetime":"1970-01-01T00:00:10Z"}"#, .constant(10)),
            (#"{"datetime_key":"n"}"#, .date(try PayloadPath("n"))),
            (
                #"{"key":"n","match":{"value":1}}"#,
                .condition(.field(FieldCondition(key: try PayloadPath("n"), match: .value(.integer(1)))))
            ),
        ]
        for (text, expression) in cases {
            let request = try parse(#"{"query":{"defaults":{"$score":1,"n":2},"formula":\#(text)},"prefetch":{}}"#)
            #expect(
                request.query == .formula(Formula(expression, defaults: ["$score[0]": .number(1), "n": .number(2)])))
        }
    }

    @Test(
        "wrong queries are refused",
        arguments: [
            (#"{"sample":"best"}"#, "Format error in JSON body: unknown variant `best`, expected `random`"),
            (
                #"{"recommend":{"positive":[1],"strategy":"x"}}"#,
                "Format error in JSON body: unknown variant `x`, expected one of `average_vector`, `best_score`, `sum_scores`"
            ),
            (
                #"{"relevance_feedback":{"target":1,"feedback":[],"strategy":{"naive":{"a":1,"b":1,"c":1}}}}"#,
                "Validation error in JSON body: [feedback: feedback elements must be non-empty]"
            ),
            (
                #"{"nearest":1,"mmr":{"diversity":2}}"#,
                "Validation error in JSON body: [mmr.diversity: value 2.0 invalid, must be from 0.0 to 1.0]"
            ),
            (
                #"{"nearest":1,"mmr":{"candidates_limit":20000}}"#,
                "Validation error in JSON body: [mmr.candidates_limit: value 20000 invalid, must be from 1 to 16384]"
            ),
            (
                #"{"rrf":{"k":0}}"#,
                "Validation error in JSON body: [rrf.k: value 0 invalid, must be 1 or larger]"
            ),
            (#"{"formula":"$scores"}"#, "Bad request: Invalid score pattern: $scores"),
            (#"{"formula":"$score[]"}"#, "Bad request: Invalid score pattern: $score[]"),
            (
                #"{"formula":{"exp_decay":{"x":1,"midpoint":1}}}"#,
                "Bad request: Decay midpoint should be in the range (0.0, 1.0), got 1.0"
            ),
            (
                #"{"formula":{"lin_decay":{"x":1,"scale":0}}}"#,
                "Bad request: Scale must be non-zero positive, got 0.0"
            ),
            (#"{"formula":{"max":[]}}"#, "Bad request: `max` needs at least one operand"),
            (#"{"formula":1}"#, "Bad request: cannot apply Formula without prefetches"),
        ])
    func refusals(text: String, message: String) {
        let error = #expect(throws: OctantError.self) { try parse(#"{"query":\#(text)}"#) }
        #expect(error?.description == message)
    }

    @Test("a scroll can be ordered, and what is ordered shows its value")
    func ordered() throws {
        let request = try ReadsJSON.scroll(Array(#"{"order_by":{"key":"a","start_from":1.5}}"#.utf8))
        #expect(request.orderBy == OrderBy(key: try PayloadPath("a"), startFrom: .double(1.5)))
        var writer = JSONWriter()
        writer.value(ScoredPoint(id: .number(1), version: 3, score: 1, orderValue: .integer(4)))
        writer.value(Record(id: .number(1), orderValue: .double(4)))
        #expect(
            String(decoding: writer.bytes, as: UTF8.self)
                == #"{"id":1,"version":3,"score":1.0,"order_value":4},{"id":1,"order_value":4.0}"#)
    }
}

@Suite("Grouped reads JSON")
struct GroupedReadsJSONTests {
    @Test("groups, facets and matrices are read with their defaults")
    func requests() throws {
        let groups = try ReadsJSON.groups(
            Array(
                #"{"query":[1],"group_by":"a","limit":4,"group_size":2,"with_lookup":{"collection":"o","with_payload":["b"]}}"#
                    .utf8))
        #expect(
            groups
                == GroupsRequest(
                    query: QueryRequest(query: .nearest(.vector(.dense([1]))), limit: 4), groupBy: try PayloadPath("a"),
                    groupSize: 2,
                    withLookup: GroupLookup(collection: "o", withPayload: .include([try PayloadPath("b")]))))
        let old = try ReadsJSON.groups(Array(#"{"vector":[1],"group_by":"a","with_lookup":"o"}"#.utf8), .search)
        #expect(old.groupSize == 3 && old.query.limit == 10 && old.withLookup == GroupLookup(collection: "o"))
        let facet = try ReadsJSON.facet(Array(#"{"key":"a"}"#.utf8))
        #expect(facet == FacetRequest(key: try PayloadPath("a"), limit: 10, exact: false))
        #expect(try ReadsJSON.matrix(Array("{}".utf8)) == MatrixRequest(sample: 10, limit: 3))
        #expect(throws: OctantError.invalid("internal.sample", "value 1 invalid, must be 2 or larger")) {
            try ReadsJSON.matrix(Array(#"{"sample":1}"#.utf8))
        }
        #expect(throws: OctantError.invalid("internal.group_size", "value 0 invalid, must be 1 or larger")) {
            try ReadsJSON.groups(Array(#"{"group_by":"a","group_size":0}"#.utf8))
        }
    }

    @Test("the older forms become queries")
    func legacy() throws {
        let one = VectorInput.vector(.dense([1]))
        let recommend = try ReadsJSON.query(
            Array(#"{"positive":[7],"negative":[[1]],"strategy":"sum_scores","limit":3,"using":"v"}"#.utf8), .recommend)
        #expect(
            recommend
                == QueryRequest(
                    query: .recommend(
                        Recommendation(positive: [.id(.number(7))], negative: [one], strategy: .sumScores)),
                    using: "v", limit: 3))
        let pair = ContextPair(positive: .id(.number(1)), negative: .id(.number(2)))
        let context = #""context":[{"positive":1,"negative":2}]"#
        let discover = try ReadsJSON.query(Array(#"{"target":[1],\#(context),"limit":3}"#.utf8), .discover)
        #expect(discover.query == .discover(target: one, context: [pair]))
        let pairs = try ReadsJSON.batch(Array(#"{"searches":[{\#(context),"limit":3}]}"#.utf8), .discover)
        #expect(pairs.map(\.query) == [.context([pair])])
        #expect(throws: OctantError.self) { try ReadsJSON.query(Array(#"{"limit":3}"#.utf8), .discover) }
        #expect(throws: OctantError.json("missing field `limit`")) {
            try ReadsJSON.query(Array(#"{"positive":[7]}"#.utf8), .recommend)
        }
    }

    @Test("answers have the protocol's shape")
    func answers() {
        func text(_ write: (inout JSONWriter) -> Void) -> String {
            var writer = JSONWriter()
            write(&writer)
            return String(decoding: writer.bytes, as: UTF8.self)
        }
        let point = ScoredPoint(id: .number(1), version: 2, score: 0.5)
        #expect(
            text { $0.value([PointGroup(id: .string("g"), hits: [point], lookup: Record(id: .number(9)))]) }
                == #"{"groups":[{"id":"g","hits":[{"id":1,"version":2,"score":0.5}],"lookup":{"id":9}}]}"#)
        #expect(
            text { $0.value([FacetHit(value: .bool(true), count: 3), FacetHit(value: .integer(4), count: 2)]) }
                == #"{"hits":[{"value":true,"count":3},{"value":4,"count":2}]}"#)
        let matrix = DistanceMatrix(
            ids: [.number(4), .number(5)], rows: [[.init(place: 1, score: 1)], [.init(place: 0, score: 0.5)]])
        #expect(text { $0.pairs(matrix) } == #"{"pairs":[{"a":4,"b":5,"score":1.0},{"a":5,"b":4,"score":0.5}]}"#)
        #expect(
            text { $0.offsets(matrix) }
                == #"{"offsets_row":[0,1],"offsets_col":[1,0],"scores":[1.0,0.5],"ids":[4,5]}"#)
    }
}
