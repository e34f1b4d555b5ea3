import OctantModel
import Testing

func filter(_ text: String) throws(OctantError) -> Filter { try Filter(json: JSONParser.parse(text)) }

@Suite struct FilterJSONTests {
    @Test("Every condition of this version is read")
    func conditions() throws {
        let city = try PayloadPath("city")
        let cases: [(String, Condition)] = [
            (
                #"{"key":"city","match":{"value":"Berlin"}}"#,
                .field(FieldCondition(key: city, match: .value(.string("Berlin"))))
            ),
            (#"{"key":"city","match":{"value":5}}"#, .field(FieldCondition(key: city, match: .value(.integer(5))))),
            (#"{"key":"city","match":{"value":true}}"#, .field(FieldCondition(key: city, match: .value(.bool(true))))),
            (
                #"{"key":"city","match":{"any":["a","b"]}}"#,
                .field(FieldCondition(key: city, match: .any([.string("a"), .string("b")])))
            ),
            (#"{"key":"city","match":{"except":[]}}"#, .field(FieldCondition(key: city, match: .except([])))),
            (
                #"{"key":"city","range":{"gt":1,"lte":2.5,"lt":null}}"#,
                .field(FieldCondition(key: city, range: NumberRange(gt: 1, lte: 2.5)))
            ),
            (
                #"{"key":"city","range":{"gte":"1970-01-01T00:00:01Z","lt":null}}"#,
                .field(FieldCondition(key: city, dates: DateRange(gte: 1_000_000)))
            ),
            (
                #"{"key":"city","values_count":{"gte":2}}"#,
                .field(FieldCondition(key: city, valuesCount: CountRange(gte: 2)))
            ),
            (#"{"key":"city","is_empty":false}"#, .field(FieldCondition(key: city, isEmpty: false))),
            (#"{"key":"city","is_null":true,"match":null}"#, .field(FieldCondition(key: city, isNull: true))),
            (#"{"is_empty":{"key":"city"}}"#, .isEmpty(city)),
            (#"{"is_null":{"key":"city"}}"#, .isNull(city)),
            (
                #"{"has_id":[1,"00000000-0000-0000-0000-000000000002"]}"#,
                .hasID([.number(1), .uuid(UUIDValue(high: 0, low: 2))])
            ),
            (#"{"has_vector":""}"#, .hasVector("")),
            (#"{"slice":{"total":3,"index":2}}"#, .slice(PointSlice(total: 3, index: 2))),
            (#"{"key":"city","match":{"text":"a b"}}"#, .field(FieldCondition(key: city, match: .text("a b")))),
            (#"{"key":"city","match":{"text_any":"a"}}"#, .field(FieldCondition(key: city, match: .textAny("a")))),
            (#"{"key":"city","match":{"phrase":"a b"}}"#, .field(FieldCondition(key: city, match: .phrase("a b")))),
            (#"{"key":"city","match":{"prefix":"Be"}}"#, .field(FieldCondition(key: city, match: .prefix("Be")))),
            (
                #"{"key":"city","geo_radius":{"center":{"lon":1,"lat":2},"radius":5}}"#,
                .field(
                    FieldCondition(key: city, geo: [.circle(center: GeoPoint(lon: 1, lat: 2), radius: 5)]))
            ),
            (
                #"{"key":"city","geo_bounding_box":{"top_left":{"lon":1,"lat":2},"bottom_right":{"lon":3,"lat":0}}}"#,
                .field(
                    FieldCondition(
                        key: city, geo: [.box(topLeft: GeoPoint(lon: 1, lat: 2), bottomRight: GeoPoint(lon: 3, lat: 0))]
                    ))
            ),
            (
                #"{"nested":{"key":"city","filter":{"must":[{"is_null":{"key":"a"}}]}}}"#,
                .nested(city, Filter(must: [.isNull(try PayloadPath("a"))]))
            ),
            (#"{"should":[]}"#, .filter(Filter())),
        ]
        for (text, condition) in cases {
            #expect(try filter(#"{"must":[\#(text)]}"#) == Filter(must: [condition]), "\(text)")
            #expect(try filter(#"{"must_not":\#(text)}"#) == Filter(mustNot: [condition]))
            #expect(
                try filter(#"{"min_should":{"conditions":[\#(text)],"min_count":1},"should":null}"#)
                    == Filter(minShould: Filter.MinShould(conditions: [condition], minCount: 1)))
        }
    }

    @Test(
        "What is no filter of this version is refused by name",
        arguments: [
            (
                #"{"musst":[]}"#,
                "Format error in JSON body: filter: unknown field `musst`, expected one of `min_should`, `must`, `must_not`, `should`"
            ),
            (
                #"{"must":[{"key":"a"}]}"#,
                "Validation error in JSON body: [filter.must[0]: At least one field condition must be specified]"
            ),
            (
                #"{"must":{"key":"a","match":{"text":5}}}"#,
                "Format error in JSON body: filter.must.match.text: invalid type: integer `5`, expected a string"
            ),
            (
                #"{"must":{"key":"a","match":{"text":""# + String(repeating: "x", count: 65_537) + #""}}}"#,
                "Bad request: `filter.must.match.text` is longer than 65536 bytes"
            ),
            (
                #"{"must":{"key":"a","match":{"fuzzy":"x"}}}"#,
                "Format error in JSON body: filter.must.match: unknown field `fuzzy`, expected one of `value`, `any`, `except`, `text`, `text_any`, `phrase`, `prefix`, `substring`"
            ),
            (
                #"{"should":[{"key":"a","geo_radius":{}}]}"#,
                "Format error in JSON body: filter.should[0].geo_radius: missing field `radius`"
            ),
            (
                #"{"must":{"key":"a","geo_radius":{"center":{"lon":181,"lat":0},"radius":5}}}"#,
                "Format error in JSON body: filter.must.geo_radius.center: Wrong format of GeoPoint payload: expected `lat` = 0.0 within [-90;90] and `lon` = 181.0 within [-180;180]"
            ),
            (
                #"{"must":{"key":"a","geo_polygon":{"exterior":{"points":[{"lon":1,"lat":0}]}}}}"#,
                "Format error in JSON body: filter.must.geo_polygon.exterior: polygon invalid, the size must be at least 4, got 1"
            ),
            (
                #"{"must":{"key":"a","geo_polygon":{"exterior":{"points":[{"lon":1,"lat":0},{"lon":2,"lat":0},{"lon":2,"lat":1},{"lon":1,"lat":1}]}}}}"#,
                "Format error in JSON body: filter.must.geo_polygon.exterior: polygon invalid, the first and the last points should be the same to form a closed line"
            ),
            (
                #"{"must":[{"slice":{"total":2,"index":2}}]}"#,
                "Validation error in JSON body: [filter.must[0].slice.index: value 2 invalid, must be from 0 to 1]"
            ),
            (
                #"{"must":[{"slice":{"total":0,"index":0}}]}"#,
                "Validation error in JSON body: [filter.must[0].slice.total: value 0 invalid, must be 1 or larger]"
            ),
            (
                #"{"must":[{"key":"a","range":{"gt":"2020-13-01"}}]}"#,
                "Format error in JSON body: filter.must[0].range.gt: '2020-13-01' is not in a supported date/time format, please use RFC 3339"
            ),
            (
                #"{"must":[{"key":"a","range":{"gt":"2020-01-01","lt":5}}]}"#,
                "Format error in JSON body: filter.must[0].range: the bounds of a range are either numbers or dates"
            ),
            (
                #"{"must":[{"key":"a","match":{"value":1.5}}]}"#,
                "Format error in JSON body: filter.must[0].match.value: invalid type: floating point `1.5`, expected a string, an integer or a boolean"
            ),
            (#"{"must":[{"key":"a[","match":{"value":1}}]}"#, "Bad request: Invalid json path: 'a['"),
            (
                #"{"must":[{"wat":1}]}"#,
                "Format error in JSON body: filter.must[0]: unknown field `wat`, it is no condition of a filter"
            ),
            (
                #"{"min_should":{"conditions":[],"min_count":0}}"#,
                "Validation error in JSON body: [filter.min_should.min_count: value 0 invalid, must be 1 or larger]"
            ),
            (
                #"{"must":[{"has_id":["x"]}]}"#,
                "Format error in JSON body: value x is not a valid point ID, valid values are either an unsigned integer or a UUID"
            ),
            (
                #"{"must":[{"nested":{"key":"a","filter":{"must":[{"has_id":[1]}]}}}]}"#,
                "Bad request: `has_id`, `has_vector` and `slice` are not supported inside a nested filter"
            ),
        ])
    func refusals(text: String, expected: String) {
        #expect(message { () throws(OctantError) in _ = try filter(text) } == expected)
    }
}

@Suite struct RequestsJSONTests {
    @Test("A query is read with its vector and its parameters")
    func query() throws {
        let text = #"""
            {"query":[0.1,0.2],"using":"a","filter":{"must":[]},"params":{"hnsw_ef":64,"exact":true,
             "quantization":{"ignore":false,"rescore":true,"oversampling":2.0}},"score_threshold":0.5,"limit":3,
             "offset":1,"with_payload":["x"],"with_vector":["a"],"prefetch":null}
            """#
        let request = try ReadsJSON.query(Array(text.utf8))
        #expect(
            request
                == QueryRequest(
                    query: .nearest(.vector(.dense([0.1, 0.2]))), using: "a", filter: Filter(),
                    params: SearchParams(
                        hnswEF: 64, exact: true,
                        quantization: QuantizationSearchParams(rescore: true, oversampling: 2)),
                    scoreThreshold: 0.5, limit: 3, offset: 1, withPayload: .include([try PayloadPath("x")]),
                    withVector: .names(["a"])))
        #expect(try ReadsJSON.query(Array(#"{"query":7}"#.utf8)).query == .nearest(.id(.number(7))))
        #expect(try ReadsJSON.query(Array(#"{"query":{"nearest":[1]}}"#.utf8)).query == .nearest(.vector(.dense([1]))))
        let legacy = try ReadsJSON.search(Array(#"{"vector":{"name":"a","vector":[1]},"limit":2}"#.utf8))
        #expect(legacy == QueryRequest(query: .nearest(.vector(.dense([1]))), using: "a", limit: 2))
        #expect(try ReadsJSON.batch(Array(#"{"searches":[{"query":1},{}]}"#.utf8), .query).count == 2)
    }

    @Test(
        "Wrong queries are refused",
        arguments: [
            (#"{"limit":0}"#, "Validation error in JSON body: [internal.limit: value 0 invalid, must be 1 or larger]"),
            (#"{"query":{"fusion":"rrf"}}"#, "Bad request: cannot apply Fusion without prefetches"),
            (
                #"{"query":[1],"prefetch":[{"limit":0}]}"#,
                "Validation error in JSON body: [internal.prefetch[0].limit: value 0 invalid, must be 1 or larger]"
            ),
            (
                #"{"prefetch":[{}]}"#,
                "Bad request: A query is needed to merge the prefetches. Can't have prefetches without defining a query."
            ),
            (
                #"{"query":{"indices":[1,2],"values":[1.0]}}"#,
                "Validation error in JSON body: [query.values: must be the same length as indices]"
            ),
            (
                #"{"score_threshold":1}"#,
                "Bad request: A query is needed to use the score_threshold. Can't have score_threshold without defining a query."
            ),
            (
                #"{"params":{"hnsw_ef":0}}"#,
                "Validation error in JSON body: [internal.params.hnsw_ef: value 0 invalid, must be 1 or larger]"
            ),
            (
                #"{"with_payload":{"only":[]}}"#,
                "Format error in JSON body: internal.with_payload: unknown field `only`, expected one of `exclude`, `include`"
            ),
        ])
    func refusals(text: String, expected: String) {
        #expect(message { () throws(OctantError) in _ = try ReadsJSON.query(Array(text.utf8)) } == expected)
    }

    @Test("Points come as a list or as columns")
    func upsert() throws {
        let list =
            #"{"points":[{"id":1,"vector":[1,2],"payload":{"a":1}},{"id":2,"vector":{"x":[3]}},{"id":3,"vector":{}}]}"#
        guard case .upsert(let points) = try PointsJSON.upsert(Array(list.utf8)).operation else { return }
        #expect(points.map(\.id) == [.number(1), .number(2), .number(3)])
        #expect(points[0].vectors[""] == .dense([1, 2]))
        #expect(points[0].payload.object == ["a": .integer(1)])
        #expect(points[1].vectors["x"] == .dense([3]))
        #expect(points[2].vectors.isEmpty)
        let columns = #"{"batch":{"ids":[1,2],"vectors":[[1,2],[3,4]],"payloads":[{"a":1},null]}}"#
        guard case .upsert(let batch) = try PointsJSON.upsert(Array(columns.utf8)).operation else { return }
        #expect(batch[0] == points[0])
        #expect(batch[1] == Point(id: .number(2), vectors: NamedVectors(.dense([3, 4]))))
    }

    @Test(
        "Wrong writes are refused",
        arguments: [
            (
                #"{"points":[{"id":"x","vector":[1]}]}"#,
                "Format error in JSON body: value x is not a valid point ID, valid values are either an unsigned integer or a UUID"
            ),
            (
                #"{"points":[{"id":-1,"vector":[1]}]}"#,
                "Format error in JSON body: value -1 is not a valid point ID, valid values are either an unsigned integer or a UUID"
            ),
            (
                #"{"points":[{"id":1,"vector":[]}]}"#,
                "Validation error in JSON body: [points[0].vector: dense vector must not be empty]"
            ),
            (
                #"{"points":[{"id":1,"vector":[1,"a"]}]}"#,
                "Format error in JSON body: invalid type: string, expected a number at line 1 column 32"
            ),
            (
                #"{"points":[{"id":1,"vector":{"s":{"indices":[1,5,1],"values":[1,2,3]}}}]}"#,
                "Validation error in JSON body: [points[0].vector.?.indices: must be unique]"
            ),
            (
                #"{"points":[],"update_mode":"never"}"#,
                "Format error in JSON body: update_mode: unknown variant `never`, expected one of `upsert`, `insert_only`, "
                    + "`update_only`"
            ),
            (#"{"points":[],"shard_key":"a"}"#, "Bad request: `shard_key` is not supported yet"),
            (
                #"{"batch":{"ids":[1,2],"vectors":[[1]]}}"#,
                "Validation error in JSON body: [batch: number of ids and vectors must be equal (2 != 1)]"
            ),
        ])
    func wrongWrites(text: String, expected: String) {
        #expect(message { () throws(OctantError) in _ = try PointsJSON.upsert(Array(text.utf8)) } == expected)
    }

    @Test("A batch keeps its order; writes without points are refused")
    func batch() throws {
        let text = #"""
            {"operations":[{"upsert":{"points":[]}},{"delete":{"points":[1]}},
             {"set_payload":{"payload":{"a":null},"filter":{"must":[]},"key":"b"}},{"clear_payload":{"points":[2]}},
             {"delete_payload":{"keys":["a.b"],"points":[1]}},{"overwrite_payload":{"payload":{},"points":[1]}},
             {"update_vectors":{"points":[{"id":1,"vector":[1]}]}},{"delete_vectors":{"vector":["v"],"points":[1]}}]}
            """#
        #expect(try PointsJSON.batch(Array(text.utf8)).count == 8)
        #expect(
            message { () throws(OctantError) in _ = try PointsJSON.operation("delete", Array("{}".utf8)) }
                == "Format error in JSON body: Either list of point ids or filter must be provided")
        let empty = #"{"points":[{"id":1,"vector":{}}]}"#
        #expect(
            message { () throws(OctantError) in _ = try PointsJSON.updateVectors(Array(empty.utf8)) }
                == "Validation error in JSON body: [points[0].vector: must specify vectors to update for point]")
    }

    @Test("Answers show floats with a point and vectors as clients expect them")
    func answers() throws {
        var writer = JSONWriter()
        writer.value([
            ScoredPoint(id: .number(1), version: 3, score: 1, payload: .empty, vectors: NamedVectors(.dense([0.5]))),
            ScoredPoint(id: .number(2), version: 4, score: 0.25, vectors: NamedVectors()),
        ])
        #expect(
            String(decoding: writer.bytes, as: UTF8.self)
                == #"[{"id":1,"version":3,"score":1.0,"payload":{},"vector":[0.5]},{"id":2,"version":4,"score":0.25,"vector":{}}]"#
        )
    }

    @Test("The options of a text index are read, and echoed as they were given")
    func textSchemas() throws {
        func schema(_ text: String) throws -> FieldIndexSchema { try FieldIndexSchema(json: JSONParser.parse(text)) }
        #expect(try schema(#""text""#).text == TextAnalysis())
        #expect(try schema(#""keyword""#).text == nil)
        let options =
            #"{"type":"text","tokenizer":"prefix","min_token_len":2,"max_token_len":10,"lowercase":false,"#
            + #""ascii_folding":true,"phrase_matching":true,"stopwords":{"languages":["DE","english"],"#
            + #""custom":["x"]},"stemmer":{"type":"snowball","language":"en"},"on_disk":true}"#
        var expected = TextAnalysis()
        expected.tokenizer = .prefix
        (expected.minTokenLength, expected.maxTokenLength) = (2, 10)
        (expected.lowercase, expected.asciiFolding) = (false, true)
        (expected.stopwordLanguages, expected.stopwords) = ([.german, .english], ["x"])
        expected.stemmer = .english
        expected.phraseMatching = true
        let read = try schema(options)
        #expect(read.text == expected && read.json.text == options)
        #expect(try TextAnalysis(fields: JSONFields(expected.json, path: "")) == expected)
        #expect(try schema(#"{"type":"text","stopwords":"fr"}"#).text?.stopwordLanguages == [.french])
        #expect(try schema(#"{"type":"text","stemmer":{"type":"none"}}"#).text == TextAnalysis())
        #expect(read.recipe != (try schema(#""text""#)).recipe)
        #expect(try schema(#"{"type":"text","on_disk":true}"#).recipe == (try schema(#""text""#)).recipe)
    }

    @Test(
        "Options of a text index that are unknown are refused",
        arguments: [
            (
                #"{"type":"text","tokenizer":"code"}"#,
                "Bad request: `field_schema.tokenizer` \"code\" is not supported yet"
            ),
            (
                #"{"type":"text","tokenizer":"x"}"#,
                "Format error in JSON body: field_schema.tokenizer: unknown variant `x`, expected one of `prefix`, `whitespace`, `word`, `multilingual`"
            ),
            (
                #"{"type":"text","stopwords":"klingon"}"#,
                "Format error in JSON body: field_schema.stopwords: unknown variant `klingon`, expected one of "
                    + TextAnalysis.Language.allCases.map { "`\($0.rawValue)`" }.joined(separator: ", ")
            ),
            (
                #"{"type":"text","stemmer":{"type":"snowball","language":"japanese"}}"#,
                "Format error in JSON body: field_schema.stemmer.language: unknown variant `japanese`, expected one of "
                    + TextAnalysis.Stemmer.allCases.map { "`\($0.rawValue)`" }.joined(separator: ", ")
            ),
            (
                #"{"type":"text","min_token_len":-1}"#,
                "Format error in JSON body: field_schema.min_token_len: invalid type: integer `-1`, expected an unsigned integer"
            ),
            (
                #"{"type":"map"}"#,
                "Format error in JSON body: field_schema: unknown variant `map`, expected one of `keyword`, `integer`, `float`, `bool`, `datetime`, `uuid`, `geo`, `text`"
            ),
        ])
    func textRefusals(text: String, expected: String) {
        #expect(
            message { () throws(OctantError) in _ = try FieldIndexSchema(json: JSONParser.parse(text)) } == expected)
    }

    @Test("Field index schemas are echoed as they were given")
    func schemas() throws {
        let (key, schema) = try SchemaJSON.fieldIndex(
            Array(#"{"field_name":"a","field_schema":{"type":"integer","range":true,"lookup":null}}"#.utf8))
        #expect(key.description == "a")
        #expect(schema.type == .integer)
        #expect(schema.json.text == #"{"type":"integer","range":true}"#)
        #expect(try FieldIndexSchema(json: schema.json) == schema)
        #expect(
            message { () throws(OctantError) in _ = try SchemaJSON.fieldIndex(Array(#"{"field_name":"a"}"#.utf8)) }
                == "Bad request: Can't auto-detect field type, please specify `field_schema` in the request")
    }
}
