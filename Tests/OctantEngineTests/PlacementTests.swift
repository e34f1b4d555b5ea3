import Octant
import OctantEngine
import OctantModel
import OctantStorage
import Testing

@Suite("Placement of structures")
struct PlacementTests {
    private func config(
        _ vectors: MemoryPlacement?, _ graph: MemoryPlacement?, _ codes: QuantizationConfig?
    ) -> CollectionConfig {
        var params = VectorParams(size: 32, distance: .cosine)
        params.memory = vectors
        var config = CollectionConfig(
            params: CollectionParams(
                vectors: .single(params), sparseVectors: [NamedSparseVectorParams(name: "s")]))
        config.hnsw.memory = graph
        config.hnsw.m = 8
        config.hnsw.efConstruct = 40
        config.quantization = codes
        config.wal.capacityMB = 1
        config.optimizer.indexingThreshold = 1
        return config
    }

    private func points() -> [Point] {
        var generator = SeededGenerator(seed: 3)
        return (0..<900).map { id in
            Point(
                id: .number(UInt64(id)),
                vectors: NamedVectors([
                    .init(name: "", vector: .dense(randomVector(32, &generator))),
                    .init(name: "s", vector: .sparse(SparseVector(indices: [UInt32(id % 20)], values: [1]))),
                ]),
                payload: Payload(["n": .integer(Int64(id % 7))]))
        }
    }

    private func answers(_ collection: Collection) throws -> [[PointID]] {
        var generator = SeededGenerator(seed: 4)
        var all: [[PointID]] = []
        for number in 0..<10 {
            var request = QueryRequest(
                query: .nearest(.vector(.dense(randomVector(32, &generator)))), params: SearchParams(hnswEF: 900),
                limit: 10)
            all.append(try collection.query(request).map(\.id))
            request.filter = Filter(
                must: [.field(FieldCondition(key: try PayloadPath("n"), match: .value(.integer(Int64(number % 7)))))])
            all.append(try collection.query(request).map(\.id))
        }
        let sparse = QueryRequest(
            query: .nearest(.vector(.sparse(SparseVector(indices: [3], values: [1])))), using: "s", limit: 50)
        all.append(try collection.query(sparse).map(\.id))
        return all
    }

    @Test("every placement and every mode of low memory gives the same answers")
    func sameAnswers() throws {
        let int8 = QuantizationConfig.scalar(ScalarQuantization(memory: .cold))
        let cases: [(MemoryPlacement?, MemoryPlacement?, QuantizationConfig?)] = [
            (nil, nil, nil), (.cold, .cold, nil), (.cached, .cached, nil), (.cold, .pinned, int8),
            (.cached, .cold, int8),
        ]
        // By whether the scores are those of the user's codes.
        var expected: [Bool: [[PointID]]] = [:]
        for (vectors, graph, codes) in cases {
            let folder = TemporaryFolder()
            for mode in LowMemoryMode.allCases {
                var options = DatabaseOptions(path: folder.path)
                options.searchThreads = 1
                options.optimizerThreads = 1
                options.lowMemory = mode
                let database = try Database.open(options)
                defer { database.close() }
                if !database.collectionExists("c") {
                    try database.createCollection("c", config(vectors, graph, codes))
                    let collection = try database.collection("c")
                    try collection.createFieldIndex(
                        try PayloadPath("n"),
                        FieldIndexSchema(
                            type: .integer,
                            params: Payload(["type": .string("integer"), "on_disk": .bool(graph == .cold)])))
                    try collection.update(.upsert(points()))
                    collection.shard.freeze()
                    while try collection.shard.flushFrozen() {}
                    settle(collection)
                }
                let found = try answers(try database.collection("c"))
                if expected[codes == nil] == nil { expected[codes == nil] = found }
                #expect(
                    found == expected[codes == nil],
                    "\(String(describing: vectors)) \(String(describing: graph)) \(mode)")
            }
        }
    }

    @Test("the memory report says where each structure is, and where it is not")
    func report() throws {
        for placement in [MemoryPlacement.cold, .cached, .pinned] {
            let folder = TemporaryFolder()
            var config = config(
                placement == .pinned ? .cached : placement, placement,
                .scalar(ScalarQuantization(quantile: nil, memory: placement)))
            config.params.payloadMemory = placement == .cold ? .cold : .cached
            let options = DatabaseOptions(path: folder.path)
            do {
                let database = try Database.open(options)
                defer { database.close() }
                try database.createCollection("c", config)
                let collection = try database.collection("c")
                try collection.update(.upsert(points()))
                collection.shard.freeze()
                while try collection.shard.flushFrozen() {}
                settle(collection)
            }
            let database = try Database.open(options)
            defer { database.close() }
            let report = try database.collection("c").memoryReport()
            let structures = report.parts.filter { $0.uuid != nil }.flatMap(\.structures)
            #expect(
                Set(structures.map(\.kind)).isSuperset(of: ["ids", "payload", "vectors", "codes", "graph", "sparse"]))
            #if os(Linux)
            for structure in structures where ["vectors", "codes", "graph"].contains(structure.kind) {
                let use = structure.use
                #expect(use.disk > 8192, "\(structure)")
                switch structure.residence {
                case .cold: #expect(use.resident == 0, "\(structure)")
                case .cached: #expect(use.mapped >= use.disk / 4096 * 4096 && use.anonymous == 0, "\(structure)")
                case .copied, .pinned:
                    #expect(use.anonymous >= use.disk - 8192 - use.disk / 1000 && use.mapped == 0, "\(structure)")
                case nil: Issue.record("\(structure)")
                }
            }
            #expect(
                structures.filter { $0.kind == "graph" }.allSatisfy { $0.residence?.rawValue == placement.rawValue })
            let process = database.processMemory()
            #expect(process.resident > process.collections.resident)
            #expect(process.base > 0)
            #endif
            #expect(report.log.disk > 0)
        }
    }

    @Test("flags and levels say the same, and low memory takes away")
    func levels() {
        var params = VectorParams(size: 1, distance: .dot)
        #expect(params.residence == .cached)
        params.onDisk = true
        #expect(params.residence == .cold)
        params.memory = .cached
        #expect(params.residence == .cached)
        var hnsw = HNSWConfig()
        #expect(hnsw.residence == .copied)
        hnsw.memory = .pinned
        #expect(hnsw.residence == .pinned)
        #expect(
            QuantizationConfig.scalar(ScalarQuantization(alwaysRAM: true)).residence(originalsOnDisk: true) == .pinned)
        #expect(QuantizationConfig.scalar(ScalarQuantization()).residence(originalsOnDisk: true) == .cold)
        #expect(FieldIndexSchema(type: .bool).residence == .copied)
        #expect(
            FieldIndexSchema(type: .bool, params: Payload(["type": .string("bool"), "memory": .string("cold")]))
                .residence
                == .cold)
        for residence in Residence.allCases {
            #expect(residence.limited(by: .disabled) == residence)
            #expect(residence.limited(by: .noResident) == (residence == .cold ? .cold : .cached))
            #expect(residence.limited(by: .noPopulate) == .cold)
        }
    }
}
