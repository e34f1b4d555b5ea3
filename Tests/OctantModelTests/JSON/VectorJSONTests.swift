import Testing

@testable import OctantModel

@Suite("Vectors in JSON")
struct VectorJSONTests {
    private let sparse = SparseVector(indices: [7, 1], values: [0.5, 2])

    @Test("Vectors of every kind are read from points")
    func points() throws {
        let text = #"""
            {"points":[{"id":1,"vector":{"d":[1,2],"s":{"indices":[7,1],"values":[0.5,2]},"m":[[1,2],[3,4]],
            "e":{"values":[],"indices":[]}}},{"id":2,"vector":[[1],[2]]}]}
            """#
        guard case .upsert(let points) = try PointsJSON.upsert(Array(text.utf8)).operation else {
            Issue.record("not an upsert")
            return
        }
        #expect(points[0].vectors["d"] == .dense([1, 2]))
        #expect(points[0].vectors["s"] == .sparse(sparse))
        #expect(points[0].vectors["m"] == .multiDense([[1, 2], [3, 4]]))
        #expect(points[0].vectors["e"] == .sparse(SparseVector(indices: [], values: [])))
        #expect(points[1].vectors[""] == .multiDense([[1], [2]]))
    }

    @Test(
        "A sparse query is read bare, under nearest and in the old form",
        arguments: [
            #"{"query":{"indices":[7,1],"values":[0.5,2]},"using":"s","limit":3}"#,
            #"{"query":{"values":[0.5,2],"indices":[7,1]},"using":"s","limit":3}"#,
            #"{"query":{"nearest":{"indices":[7,1],"values":[0.5,2]}},"using":"s","limit":3}"#,
        ])
    func query(text: String) throws {
        let expected = QueryRequest(query: .nearest(.vector(.sparse(sparse))), using: "s", limit: 3)
        #expect(try ReadsJSON.query(Array(text.utf8)) == expected)
        let old = #"{"vector":{"name":"s","vector":{"indices":[7,1],"values":[0.5,2]}},"limit":3}"#
        #expect(try ReadsJSON.search(Array(old.utf8)) == expected)
    }

    @Test("Vectors of every kind are written")
    func write() {
        var writer = JSONWriter()
        writer.value(
            NamedVectors([
                .init(name: "s", vector: .sparse(sparse.sorted)), .init(name: "m", vector: .multiDense([[1], [2.5]])),
            ]))
        let expected = #"{"s":{"indices":[1,7],"values":[2.0,0.5]},"m":[[1.0],[2.5]]}"#
        #expect(String(decoding: writer.bytes, as: UTF8.self) == expected)
    }

    @Test("The parameters of sparse vectors are echoed as they were given")
    func config() throws {
        let text = #"""
            {"sparse_vectors":{"a":{},"b":{"index":{"full_scan_threshold":7,"on_disk":true,"datatype":"float16"},
            "modifier":"idf"}}}
            """#
        let config = try CreateCollection(json: JSONParser.parse(text)).config()
        #expect(config.params.sparse("a") == SparseVectorParams())
        #expect(config.params.sparse("b")?.modifier == .idf)
        #expect(
            config.json.text.contains(
                #""sparse_vectors":{"a":{},"b":{"index":{"full_scan_threshold":7,"on_disk":true,"#
                    + #""datatype":"float16"},"modifier":"idf"}}"#))
        #expect(try CollectionConfig(json: config.json) == config)
        let patch = try CollectionPatch(
            json: JSONParser.parse(#"{"sparse_vectors":{"a":{"index":{"on_disk":true}},"b":{"modifier":"none"}}}"#))
        let patched = try config.applying(patch)
        #expect(patched.params.sparse("a")?.index?.onDisk == true)
        #expect(patched.params.sparse("b")?.modifier == SparseModifier.none)
        #expect(patched.params.sparse("b")?.index?.fullScanThreshold == 7)
    }
}
