import Testing

@testable import OctantModel

@Suite("Documents in JSON")
struct DocumentJSONTests {
    private let document = Document(.text("a b"), model: "qdrant/bm25")
    private static let json = #"{"text":"a b","model":"qdrant/bm25"}"#

    private func points(_ text: String) throws -> [Point] {
        switch try PointsJSON.upsert(Array(text.utf8)).operation {
        case .upsert(let points): return points
        default: return []
        }
    }

    private func message(_ body: () throws(OctantError) -> Void) -> String {
        do throws(OctantError) { try body() } catch { return error.description }
        return "no error"
    }

    @Test("Documents stand where vectors of points do, in lists and in columns")
    func upsert() throws {
        let list = try points(
            #"{"points":[{"id":1,"vector":{"s":\#(Self.json),"d":[1]}},{"id":2,"vector":\#(Self.json)}]}"#)
        #expect(list[0].vectors["s"] == .document(document) && list[0].vectors["d"] == .dense([1]))
        #expect(list[1].vectors[""] == .document(document))
        for vectors in [#"{"s":[\#(Self.json)]}"#, "[\(Self.json)]"] {
            let column = try points(#"{"batch":{"ids":[1],"vectors":\#(vectors)}}"#)
            #expect(column[0].vectors.entries.map(\.vector) == [.document(document)])
        }
        let body = #"{"points":[{"id":1,"vector":{"s":\#(Self.json)}}]}"#
        guard case .updateVectors(let changes) = try PointsJSON.updateVectors(Array(body.utf8)).operation else {
            Issue.record("not an update")
            return
        }
        #expect(changes[0].vectors["s"] == .document(document))
    }

    @Test("Vectors may have the names of a document's members")
    func names() throws {
        let named = try points(
            #"{"points":[{"id":1,"vector":{"text":[1],"model":{"indices":[1],"values":[2]},"options":\#(Self.json)}}]}"#
        )
        #expect(named[0].vectors.entries.map(\.name) == ["text", "model", "options"])
        let mixed = try points(
            #"{"points":[{"id":1,"vector":{"options":{"k":1},"image":{"a":[]},"model":"m"}}]}"#)
        #expect(mixed[0].vectors[""] == .document(Document(.image, model: "m", options: Payload(["k": .integer(1)]))))
    }

    @Test(
        "A query is a document bare, under nearest, in a prefetch and as an example",
        arguments: [
            #"{"query":\#(json)}"#, #"{"query":{"nearest":\#(json)}}"#, #"{"query":{"model":"bm25","text":"a b"}}"#,
            #"{"query":{"options":{"k":1.5},"model":"bm25","text":"a b"}}"#,
            #"{"prefetch":{"query":\#(json)},"query":{"fusion":"rrf"}}"#,
            #"{"query":{"recommend":{"positive":[\#(json)]}}}"#,
            #"{"query":{"discover":{"target":\#(json),"context":[]}}}"#,
            #"{"query":{"context":{"positive":1,"negative":\#(json)}}}"#,
            #"{"query":{"relevance_feedback":{"target":1,"feedback":[{"example":\#(json),"score":1}],"strategy":{"naive":{"a":1,"b":1,"c":1}}}}}"#,
        ])
    func query(text: String) throws {
        let request = try ReadsJSON.query(Array(text.utf8))
        let queries = [request.query] + request.prefetch.map(\.query)
        let documents = queries.compactMap { $0?.inputs }.joined().filter {
            if case .vector(.document(let document)) = $0 { document.input == .text("a b") } else { false }
        }
        #expect(documents.count == 1)
    }

    @Test(
        "What is neither a vector nor a document is refused",
        arguments: [
            #"{"text":"a"}"#, #"{"model":"bm25"}"#, #"{"text":1,"model":"bm25"}"#, #"{"text":"a","model":1}"#,
            #"{"text":"a","model":"m","options":[]}"#, #"{"text":"a","image":"b","model":"m"}"#,
            #"{"text":"a","model":"m","indices":[1],"values":[1]}"#, #"{"text":"a","model":"m","x":1}"#,
        ])
    func refusals(text: String) {
        for body in [#"{"query":\#(text)}"#, #"{"query":{"nearest":\#(text)}}"#] {
            #expect(throws: OctantError.self) { try ReadsJSON.query(Array(body.utf8)) }
        }
        let body = #"{"points":[{"id":1,"vector":{"s":\#(text)}}]}"#
        #expect(throws: OctantError.self) { try PointsJSON.upsert(Array(body.utf8)) }
    }

    @Test("Options of BM25 are read; stop words and stems follow the language")
    func options() throws {
        var expected = BM25Config()
        #expect(try BM25Config(options: [:]) == expected)
        expected.analysis.stopwordLanguages = [.german]
        expected.analysis.stemmer = .german
        #expect(try BM25Config(options: ["language": .string("de")]) == expected)
        (expected.k, expected.b, expected.averageLength) = (0.5, 0.25, 10)
        expected.analysis = TextAnalysis()
        expected.analysis.tokenizer = .whitespace
        expected.analysis.lowercase = false
        expected.analysis.asciiFolding = true
        expected.analysis.minTokenLength = 2
        expected.analysis.maxTokenLength = 9
        expected.analysis.stopwords = ["x"]
        let all = #"""
            {"k":0.5,"b":0.25,"avg_len":10,"language":null,"tokenizer":"whitespace","lowercase":false,"ascii_folding":true,
            "min_token_len":2,"max_token_len":9,"stopwords":{"custom":["x"]},"stemmer":{"type":"none"}}
            """#
        guard case .object(let object) = try JSONParser.parse(Array(all.utf8)) else { return }
        #expect(try BM25Config(options: object) == expected)
        let none = try BM25Config(options: ["language": .string("none")])
        #expect(none.analysis == TextAnalysis())
        let chinese = try BM25Config(options: ["language": .string("Chinese")])
        #expect(chinese.analysis.stopwordLanguages == [.chinese] && chinese.analysis.stemmer == nil)
    }

    @Test("Options that are unknown or of a wrong type are refused by name")
    func wrongOptions() {
        for (options, part): (JSONObject, String) in [
            (["k1": .double(1)], "unknown field `k1`"), (["k": .string("x")], "k: invalid type"),
            (["language": .string("klingon")], "`klingon` is not known"),
            (["tokenizer": .string("code")], "not supported yet"),
            (["stopwords": .string("klingon")], "unknown variant `klingon`"),
        ] {
            let text = message { () throws(OctantError) in _ = try BM25Config(options: options) }
            #expect(text.hasPrefix("Wrong input: Invalid BM25 config: ") && text.contains(part), "\(text)")
        }
    }

    @Test("The corpus of document frequencies is a filter, or all points")
    func corpus() throws {
        func params(_ json: String) throws(OctantError) -> SearchParams {
            try ReadsJSON.query(Array(#"{"query":1,"params":{"idf":\#(json)}}"#.utf8)).params
        }
        #expect(try params("null").idfCorpus == nil && params(#""global""#).idfCorpus == nil)
        #expect(try params(#"{"corpus":{"must":[{"has_id":[1]}]}}"#).idfCorpus == Filter(must: [.hasID([.number(1)])]))
        for wrong in [#""local""#, "{}", "1", #"{"corpus":{},"x":1}"#] {
            #expect(throws: OctantError.self) { try params(wrong) }
        }
    }
}
