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
            (#"{"must":{"key":"a","match":{"text":"x"}}}"#, "Bad request: Match by `text` is not supported yet"),
            (
                #"{"should":[{"key":"a","geo_radius":{}}]}"#,
                "Bad request: Filter condition `geo_radius` is not supported yet"
            ),
            (
                #"{"must":[{"slice":{"total":2,"index":0}}]}"#,
                "Bad request: Filter condition `slice` is not supported yet"
            ),
            (
                #"{"must":[{"key":"a","range":{"gt":"2020-01-01"}}]}"#,
                "Bad request: Range over dates (`filter.must[0].range`) is not supported yet"
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
                "Bad request: `has_id` and `has_vector` are not supported inside a nested filter"
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
        #expect(try ReadsJSON.batch(Array(#"{"searches":[{"query":1},{}]}"#.utf8), legacy: false).count == 2)
    }

    @Test(
        "Wrong queries are refused",
        arguments: [
            (#"{"limit":0}"#, "Validation error in JSON body: [internal.limit: value 0 invalid, must be 1 or larger]"),
            (#"{"query":{"fusion":"rrf"}}"#, "Bad request: Query `fusion` is not supported yet"),
            (#"{"query":[1],"prefetch":[{}]}"#, "Bad request: `internal.prefetch` is not supported yet"),
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
        guard case .upsert(let points) = try PointsJSON.upsert(Array(list.utf8)) else { return }
        #expect(points.map(\.id) == [.number(1), .number(2), .number(3)])
        #expect(points[0].vectors[""] == .dense([1, 2]))
        #expect(points[0].payload.object == ["a": .integer(1)])
        #expect(points[1].vectors["x"] == .dense([3]))
        #expect(points[2].vectors.isEmpty)
        let columns = #"{"batch":{"ids":[1,2],"vectors":[[1,2],[3,4]],"payloads":[{"a":1},null]}}"#
        guard case .upsert(let batch) = try PointsJSON.upsert(Array(columns.utf8)) else { return }
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
            (#"{"points":[],"update_filter":{}}"#, "Bad request: `update_filter` is not supported yet"),
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
