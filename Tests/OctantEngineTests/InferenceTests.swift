import Octant
import OctantEngine
import OctantModel
import OctantPayload
import Testing

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// Documents that become sparse vectors, and document frequencies of a part of the points.
@Suite("Local inference")
struct InferenceTests {
    private final class World {
        let folder = TemporaryFolder()
        let database: Database
        let collection: Collection
        var generator = SeededGenerator(seed: 77)
        static let words = ["dog", "cat", "fox", "run", "sleep", "red", "blue", "green", "river", "stone"]

        init() throws {
            database = try Database.open(DatabaseOptions(path: folder.path))
            var config = plainConfig(2, .dot)
            config.params.sparseVectors = [
                NamedSparseVectorParams(name: "t", params: SparseVectorParams(modifier: .idf)),
                NamedSparseVectorParams(name: "plain", params: SparseVectorParams()),
            ]
            config.optimizer.indexingThreshold = 1
            try database.createCollection("c", config)
            collection = try database.collection("c")
        }

        deinit { database.close() }

        func text() -> String {
            (0..<Int.random(in: 1...8, using: &generator)).map { _ in
                Self.words[min(Int.random(in: 0..<10, using: &generator), Int.random(in: 0..<10, using: &generator))]
            }.joined(separator: " ")
        }
    }

    private func message(_ body: () throws -> Void) -> String {
        do { try body() } catch { return "\(error)" }
        return "no error"
    }

    private func document(_ text: String) -> Vector { .document(Document(bm25: text)) }

    private func sparse(_ made: (indices: [UInt32], values: [Float])) -> Vector {
        .sparse(SparseVector(indices: made.indices, values: made.values))
    }

    @Test("Documents are stored with their weights and searched for with ones")
    func documents() throws {
        let world = try World()
        let bm25 = try BM25()
        let texts = ["The dogs run", "a dog sleeps, the dog!", ""]
        try world.collection.update(
            .upsert(
                texts.enumerated().map { number, text in
                    Point(
                        id: .number(UInt64(number)),
                        vectors: NamedVectors([.init(name: "plain", vector: document(text))]))
                }))
        let stored = try world.collection.retrieve((0..<3).map { .number($0) }, withVector: .all)
        for (record, text) in zip(stored, texts) {
            #expect(record.vectors?["plain"] ?? .sparse(.empty) == sparse(bm25.document(text)))
        }
        try world.collection.update(
            .updateVectors([(id: .number(2), vectors: NamedVectors([.init(name: "plain", vector: document("fox"))]))]))
        #expect(
            try world.collection.retrieve([.number(2)], withVector: .all)[0].vectors?["plain"]
                == sparse(bm25.document("fox")))
        for (query, using) in [("running dogs", "plain"), ("fox dog", "plain")] {
            let given = try world.collection.query(
                QueryRequest(query: .nearest(.vector(document(query))), using: using))
            let wanted = try world.collection.query(
                QueryRequest(query: .nearest(.vector(sparse(bm25.query(query)))), using: using))
            #expect(given == wanted && !given.isEmpty)
        }
        let examples = Recommendation(positive: [.vector(document("dog"))], negative: [.vector(document("sleep"))])
        #expect(try world.collection.query(QueryRequest(query: .recommend(examples), using: "plain")).count == 2)
    }

    @Test("What no model of this process can do is refused before anything is written")
    func refusals() throws {
        let world = try World()
        func upsert(_ vector: Vector, _ name: String = "t") -> String {
            message {
                try world.collection.update(
                    .upsert([
                        Point(id: .number(1), vectors: NamedVectors([.init(name: name, vector: vector)]))
                    ]))
            }
        }
        let other = Document(.text("a"), model: "sentence-transformers/x")
        #expect(
            upsert(.document(other))
                == "Wrong input: Model `sentence-transformers/x` is not there: this server has `qdrant/bm25`, and no "
                + "inference service is configured")
        #expect(
            upsert(.document(Document(.image, model: "BM25"))) == "Wrong input: Model `BM25` takes texts only")
        for options: JSONObject in [["k": .integer(-1)], ["b": .double(1.5)], ["avg_len": .integer(0)]] {
            let wrong = Document(.text("a"), model: "Qdrant/BM25", options: Payload(options))
            #expect(upsert(.document(wrong)).hasPrefix("Wrong input: BM25: "))
            #expect(
                message {
                    _ = try world.collection.query(
                        QueryRequest(query: .nearest(.vector(.document(wrong))), using: "t"))
                }.hasPrefix("Wrong input: BM25: "))
        }
        #expect(
            upsert(document("a"), "")
                == "Wrong input: Conversion between sparse and regular vectors failed for vector ''")
        #expect(try world.collection.count() == 0)
    }

    @Test("Document frequencies are those of the points that pass the corpus's filter")
    func corpus() throws {
        let world = try World()
        try world.collection.createFieldIndex(try PayloadPath("group"), FieldIndexSchema(type: .integer))
        var texts: [(text: String, group: Int, live: Bool)] = []
        for start in [0, 200] {
            var points: [Point] = []
            for number in start..<start + 200 {
                let text = world.text()
                let group = Int.random(in: 0..<4, using: &world.generator)
                texts.append((text, group, number % 7 != 0))
                points.append(
                    Point(
                        id: .number(UInt64(number)), vectors: NamedVectors([.init(name: "t", vector: document(text))]),
                        payload: Payload(["group": .integer(Int64(group)), "even": .bool(number % 2 == 0)])))
            }
            try world.collection.update(.upsert(points))
            while start == 0, world.collection.info().status != .green { usleep(1000) }
        }
        let gone = texts.indices.filter { !texts[$0].live }.map { PointID.number(UInt64($0)) }
        try world.collection.update(.delete(.ids(gone)))
        let bm25 = try BM25()
        let documents = texts.map { entry in
            let made = bm25.document(entry.text)
            return Dictionary(uniqueKeysWithValues: zip(made.indices, made.values))
        }
        let (groupKey, evenKey) = (try PayloadPath("group"), try PayloadPath("even"))
        let group = { (value: Int64) in
            Condition.field(FieldCondition(key: groupKey, match: .value(.integer(value))))
        }
        let even = Condition.field(FieldCondition(key: evenKey, match: .value(.bool(true))))
        let corpora: [(Filter?, (Int) -> Bool)] = [
            (nil, { _ in true }), (Filter(), { _ in true }), (Filter(must: [group(1)]), { texts[$0].group == 1 }),
            (Filter(must: [even]), { $0 % 2 == 0 }), (Filter(must: [group(9)]), { _ in false }),
            (Filter(must: [even], mustNot: [group(0)]), { $0 % 2 == 0 && texts[$0].group != 0 }),
        ]
        for (corpus, isIn) in corpora {
            let population = texts.indices.filter { texts[$0].live && isIn($0) }
            for _ in 0..<10 {
                let text = world.text()
                var weights: [UInt32: Double] = [:]
                for index in bm25.query(text).indices {
                    let frequency = Double(population.count { documents[$0][index] != nil })
                    weights[index] = log((Double(population.count) - frequency + 0.5) / (frequency + 0.5) + 1)
                }
                let expected = texts.indices.compactMap { number -> Double? in
                    let shared = documents[number].filter { weights[$0.key] != nil }
                    guard texts[number].live, !shared.isEmpty else { return nil }
                    return shared.reduce(0) { $0 + Double($1.value) * (weights[$1.key] ?? 0) }
                }.sorted(by: >)
                let params = SearchParams(idfCorpus: corpus)
                let query = Query.nearest(.vector(document(text)))
                let found = try world.collection.query(
                    QueryRequest(query: query, using: "t", params: params, limit: 400))
                #expect(found.count == expected.count)
                for (hit, score) in zip(found, expected) { #expect(abs(Double(hit.score) - score) < 1e-3) }
                let rescored = try world.collection.query(
                    QueryRequest(
                        prefetch: [Prefetch(query: query, using: "t", limit: 400)], query: query, using: "t",
                        params: params, limit: 400))
                for (hit, score) in zip(rescored, expected) { #expect(abs(Double(hit.score) - score) < 1e-3) }
            }
        }
    }

    @Test("A corpus needs a vector that is weighted by document frequencies")
    func corpusRefusals() throws {
        let world = try World()
        let params = SearchParams(idfCorpus: Filter())
        for (vector, using): (Vector, String) in [(document("a"), "plain"), (.dense([1, 2]), "")] {
            #expect(
                message {
                    _ = try world.collection.query(
                        QueryRequest(query: .nearest(.vector(vector)), using: using, params: params))
                }
                    == "Wrong input: `params.idf` needs a sparse vector with the modifier `idf`, and '\(using)' is none"
            )
        }
    }

    @Test("A text index whose stemmer is not in the build is refused")
    func stemmers() throws {
        let world = try World()
        let json = #"{"type":"text","stemmer":{"type":"snowball","language":"german"}}"#
        let schema = try FieldIndexSchema(json: try JSONParser.parse(json))
        let key = try PayloadPath("title")
        #if Snowball
        try world.collection.createFieldIndex(key, schema)
        try world.collection.update(
            .upsert([Point(id: .number(1), vectors: NamedVectors(), payload: Payload(["title": .string("Häuser")]))]))
        let filter = Filter(must: [.field(FieldCondition(key: key, match: .text("Haus")))])
        #expect(try world.collection.count(filter) == 1)
        #else
        #expect(
            message { try world.collection.createFieldIndex(key, schema) }.contains(
                "build with the package trait `Snowball`"))
        #endif
    }
}
