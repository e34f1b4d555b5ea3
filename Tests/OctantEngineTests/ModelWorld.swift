import Octant
import OctantEngine
import OctantModel
import OctantStorage
import Testing

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// What a point should be.
struct ModelPoint: Equatable {
    var payload: [String: JSONValue] = [:]
    var vectors: [String: Vector] = [:]
}

/// The slow, obvious database that a collection is compared with.
struct Model {
    var points: [PointID: ModelPoint] = [:]

    /// Applies an operation; `false` if it must be refused.
    mutating func apply(_ operation: UpdateOperation) -> Bool {
        switch operation {
        case .upsert(let list):
            for point in list {
                points[point.id] = ModelPoint(payload: members(point.payload.object), vectors: vectors(point.vectors))
            }
        case .delete(let selection): for id in select(selection) { points[id] = nil }
        case .setPayload(let object, let selection, _):
            let ids = select(selection)
            guard ids.allSatisfy({ points[$0] != nil }) else { return false }
            for id in ids {
                for (key, value) in object.pairs { points[id]?.payload[key] = value == .null ? nil : value }
            }
        case .overwritePayload(let payload, let selection):
            let whole = members(payload.object)
            for id in select(selection) { points[id]?.payload = whole }
        case .deletePayload(let paths, let selection):
            for id in select(selection) { for path in paths { points[id]?.payload[path.description] = nil } }
        case .clearPayload(let selection):
            for id in select(selection) { points[id]?.payload = [:] }
        case .updateVectors(let list):
            guard list.allSatisfy({ points[$0.id] != nil }) else { return false }
            for entry in list {
                let new = vectors(entry.vectors)
                points[entry.id]?.vectors.merge(new) { _, new in new }
            }
        case .deleteVectors(let names, let selection):
            for id in select(selection) { for name in names { points[id]?.vectors[name] = nil } }
        }
        return true
    }

    func select(_ selection: PointSelection) -> [PointID] {
        switch selection {
        case .ids(let ids): ids
        case .filter(let filter): points.filter { matches($0.key, $0.value, filter) }.map(\.key)
        }
    }

    func matches(_ id: PointID, _ point: ModelPoint, _ filter: Filter) -> Bool {
        filter.must.allSatisfy { matches(id, point, $0) } && filter.mustNot.allSatisfy { !matches(id, point, $0) }
            && (filter.should.isEmpty || filter.should.contains { matches(id, point, $0) })
    }

    private func matches(_ id: PointID, _ point: ModelPoint, _ condition: Condition) -> Bool {
        switch condition {
        case .hasID(let ids): return ids.contains(id)
        case .hasVector(let name): return point.vectors[name] != nil
        case .isEmpty(let path): return point.payload[path.description] == nil
        case .field(let field):
            let value = point.payload[field.key.description]
            if let range = field.range {
                guard case .integer(let number)? = value else { return false }
                return range.contains(Double(number))
            }
            if case .value(.string(let text))? = field.match { return value == .string(text) }
            if case .value(.integer(let number))? = field.match { return value == .integer(number) }
            return false
        default: return false
        }
    }

    func members(_ object: JSONObject) -> [String: JSONValue] {
        Dictionary(object.pairs.map { ($0.key, $0.value) }) { _, new in new }
    }

    func vectors(_ vectors: NamedVectors) -> [String: Vector] {
        var result: [String: Vector] = [:]
        for entry in vectors.entries {
            if case .sparse(let sparse) = entry.vector {
                result[entry.name] = .sparse(sparse.sorted)
            } else {
                result[entry.name] = entry.vector
            }
        }
        return result
    }

    /// The scores of all points by a sparse query, as the definition says.
    func sparseScores(_ query: SparseVector, _ name: String, idf: Bool, _ filter: Filter?) -> [PointID: Float] {
        var total = 0.0
        var frequency: [UInt32: Double] = [:]
        var weights = Dictionary(uniqueKeysWithValues: zip(query.indices, query.values.map(Double.init)))
        for case .sparse(let vector)? in points.values.map({ $0.vectors[name] }) {
            total += 1
            for index in vector.indices { frequency[index, default: 0] += 1 }
        }
        if idf {
            for index in query.indices {
                let df = frequency[index] ?? 0
                weights[index]? *= log((total - df + 0.5) / (df + 0.5) + 1)
            }
        }
        var scores: [PointID: Float] = [:]
        for (id, point) in points where filter.map({ matches(id, point, $0) }) ?? true {
            guard case .sparse(let vector)? = point.vectors[name] else { continue }
            let shared = zip(vector.indices, vector.values).filter { weights[$0.0] != nil }
            if shared.isEmpty { continue }
            scores[id] = Float(shared.reduce(0) { $0 + Double($1.1) * (weights[$1.0] ?? 0) })
        }
        return scores
    }
}

/// Random operations and questions.
struct RandomRequests {
    var generator: SeededGenerator
    /// Ids are drawn from this many numbers and as many UUIDs.
    var idRange: UInt64 = 150
    /// Whether points get vectors of all kinds, not dense ones alone.
    var allKinds = false
    /// The vector "x", which comes and goes.
    var extra: VectorDefinition?
    /// Whether sparse vectors come in any order, as clients give them, or ascending, as they are logged.
    var shuffles = true

    mutating func id() -> PointID {
        let number = UInt64.random(in: 0..<idRange, using: &generator)
        return Bool.random(using: &generator) ? .number(number) : .uuid(UUIDValue(high: number % 3, low: number))
    }

    mutating func ids(_ range: ClosedRange<Int>) -> [PointID] {
        (0..<Int.random(in: range, using: &generator)).map { _ in id() }
    }

    mutating func payload() -> JSONObject {
        var object = JSONObject()
        if Int.random(in: 0..<5, using: &generator) > 0 {
            object["n"] = .integer(Int64.random(in: 0..<20, using: &generator))
        }
        if Bool.random(using: &generator) { object["t"] = .string("t\(Int.random(in: 0..<4, using: &generator))") }
        if Int.random(in: 0..<8, using: &generator) == 0 {
            object["long"] = .string(String(repeating: "x", count: 400))
        }
        return object
    }

    mutating func vectors() -> NamedVectors {
        var entries: [NamedVectors.Entry] = []
        if Int.random(in: 0..<6, using: &generator) > 0 {
            entries.append(.init(name: "a", vector: .dense(randomVector(4, &generator))))
        }
        if Bool.random(using: &generator) {
            entries.append(.init(name: "b", vector: .dense(randomVector(1, &generator))))
        }
        if allKinds {
            if Bool.random(using: &generator) {
                let rows = (0..<Int.random(in: 1...4, using: &generator)).map { _ in quarters(3) }
                entries.append(.init(name: "m", vector: .multiDense(rows)))
            }
            if Bool.random(using: &generator) { entries.append(.init(name: "half", vector: .dense(quarters(2)))) }
            if Bool.random(using: &generator) {
                let bytes = (0..<3).map { _ in Float(Int.random(in: 0...255, using: &generator)) }
                entries.append(.init(name: "bytes", vector: .dense(bytes)))
            }
            switch extra {
            case .dense(let params)? where params.multivector == nil:
                entries.append(.init(name: "x", vector: .dense(quarters(params.size))))
            case .dense(let params)?:
                entries.append(.init(name: "x", vector: .multiDense([quarters(params.size), quarters(params.size)])))
            case .sparse?: entries.append(.init(name: "x", vector: .sparse(sparse(0...4))))
            case nil: break
            }
            for name in ["s", "idf"] where Bool.random(using: &generator) {
                entries.append(.init(name: name, vector: .sparse(sparse(0...8))))
            }
        }
        return NamedVectors(entries)
    }

    /// A definition for the vector "x".
    mutating func definition() -> VectorDefinition {
        switch Int.random(in: 0..<4, using: &generator) {
        case 0: .dense(VectorParams(size: 3, distance: .dot))
        case 1: .dense(VectorParams(size: 5, distance: .euclid))
        case 2: .dense(VectorParams(size: 3, distance: .dot, multivector: .maxSim))
        default: .sparse(SparseVectorParams())
        }
    }

    /// Numbers that binary16 has too.
    mutating func quarters(_ count: Int) -> [Float] {
        (0..<count).map { _ in Float(Int.random(in: -40...40, using: &generator)) / 4 }
    }

    /// Few dimensions, the low ones most often, so that vectors share some.
    mutating func sparse(_ counts: ClosedRange<Int>) -> SparseVector {
        let count = Int.random(in: counts, using: &generator)
        var indices: Set<UInt32> = []
        for _ in 0..<count {
            let limit = UInt32.random(in: 1...30, using: &generator)
            indices.insert(UInt32.random(in: 0..<limit, using: &generator) &* 0x0800_0001)
        }
        let list = shuffles ? indices.sorted().shuffled(using: &generator) : indices.sorted()
        let values = list.map { _ in Float(Int.random(in: -4...12, using: &generator)) / 4 }
        return SparseVector(indices: list, values: values)
    }

    mutating func filter() -> Filter {
        let n = try? PayloadPath("n")
        let t = try? PayloadPath("t")
        guard let n, let t else { return Filter() }
        let low = Double(Int.random(in: 0..<20, using: &generator))
        switch Int.random(in: 0..<6, using: &generator) {
        case 0: return Filter(must: [.field(.init(key: n, range: .init(gte: low, lt: low + 2)))])
        case 1: return Filter(must: [.field(.init(key: t, match: .value(.string("t1"))))])
        case 2: return Filter(mustNot: [.field(.init(key: n, range: .init(gte: 3))), .isEmpty(t)])
        case 3: return Filter(must: [.hasID(Set(ids(0...10)))])
        case 4: return Filter(must: [.hasVector("b")], mustNot: [.field(.init(key: n, match: .value(.integer(4))))])
        default: return Filter(should: [.isEmpty(n), .field(.init(key: t, match: .value(.string("t2"))))])
        }
    }

    mutating func selection(_ range: ClosedRange<Int> = 1...6) -> PointSelection {
        Int.random(in: 0..<3, using: &generator) == 0 ? .filter(filter()) : .ids(ids(range))
    }

    mutating func operation() -> UpdateOperation {
        switch Int.random(in: 0..<20, using: &generator) {
        case 0..<9:
            return .upsert(ids(0...8).map { Point(id: $0, vectors: vectors(), payload: Payload(payload())) })
        case 9: return .upsert(ids(40...60).map { Point(id: $0, vectors: vectors(), payload: Payload(payload())) })
        case 10, 11: return .delete(.ids(ids(1...12)))
        case 12: return .delete(.filter(filter()))
        case 13: return .setPayload(payload(), selection(1...2), key: nil)
        case 14: return .overwritePayload(Payload(payload()), selection())
        case 15: return .deletePayload((try? [PayloadPath("n")]) ?? [], selection())
        case 16: return .clearPayload(selection())
        case 17, 18: return .updateVectors(ids(1...2).map { ($0, vectors()) })
        default: return .deleteVectors(Bool.random(using: &generator) ? ["a"] : ["a", "b"], selection())
        }
    }
}

/// Compares every read of a collection with the model.
func expectEqual(_ collection: Collection, _ model: Model, _ requests: inout RandomRequests, _ note: String) throws {
    let ids = model.points.keys.sorted()
    #expect(try collection.count() == ids.count, "\(note)")
    let records = try collection.retrieve(ids, withVector: .all)
    #expect(records.map(\.id) == ids, "\(note)")
    for record in records {
        let expected = model.points[record.id]
        let found = ModelPoint(
            payload: model.members(record.payload?.object ?? JSONObject()),
            vectors: model.vectors(record.vectors ?? NamedVectors()))
        #expect(found == expected, "\(note): \(record.id)")
    }
    try expectScroll(collection, model, nil, note)
    for _ in 0..<3 {
        let filter = requests.filter()
        try expectScroll(collection, model, filter, note)
        try expectSearch(collection, model, filter, &requests, note)
    }
    try expectSearch(collection, model, nil, &requests, note)
    guard requests.allKinds else { return }
    for filter in [nil, nil, requests.filter()] {
        try expectSparse(collection, model, filter, &requests, note)
        try expectDense(collection, model, filter, &requests, note)
    }
}

/// Multivectors, halves and bytes against their definitions.
private func expectDense(
    _ collection: Collection, _ model: Model, _ filter: Filter?, _ requests: inout RandomRequests, _ note: String
) throws {
    func manhattan(_ a: [Float], _ b: [Float]) -> Float { 0 - zip(a, b).reduce(0) { $0 + abs($1.0 - $1.1) } }
    func cosine(_ a: [Float], _ b: [Float]) -> Float {
        let dot = zip(a, b).reduce(0) { $0 + $1.0 * $1.1 }
        let lengths = [a, b].map { $0.reduce(0) { $0 + $1 * $1 }.squareRoot() }
        return lengths[0] * lengths[1] == 0 ? 0 : dot / lengths[0] / lengths[1]
    }
    let rows = (0..<Int.random(in: 1...3, using: &requests.generator)).map { _ in requests.quarters(3) }
    let bytes = (0..<3).map { _ in Float(Int.random(in: 0...255, using: &requests.generator)) }
    let half = requests.quarters(2)
    let cases: [(String, Vector, (Vector) -> Float)] = [
        (
            "m", rows.count == 1 ? .dense(rows[0]) : .multiDense(rows),
            { vector in
                guard case .multiDense(let other) = vector else { return .nan }
                let sum = rows.reduce(0) { sum, row in sum + (other.map { manhattan(row, $0) }.max() ?? .nan) }
                return sum.magnitude
            }
        ),
        (
            "half", .dense(half.map { $0 * 1.0001 }),
            { if case .dense(let other) = $0 { manhattan(half, other).magnitude } else { .nan } }
        ),
        (
            "bytes", .dense(bytes.map { $0 + 0.75 }),
            { if case .dense(let other) = $0 { cosine(bytes, other) } else { .nan } }
        ),
    ]
    for (name, query, score) in cases {
        var scores: [PointID: Float] = [:]
        for (id, point) in model.points where filter.map({ model.matches(id, point, $0) }) ?? true {
            if let vector = point.vectors[name] { scores[id] = score(vector) }
        }
        let best = scores.values.sorted { name == "bytes" ? $0 > $1 : $0 < $1 }.prefix(10)
        let found = try collection.query(
            QueryRequest(
                query: .nearest(.vector(query)), using: name, filter: filter, params: SearchParams(exact: true),
                limit: 10))
        #expect(found.count == best.count, "\(note) \(name)")
        let every = Prefetch(filter: filter, limit: 1000)
        let rescored = try collection.query(
            QueryRequest(prefetch: [every], query: .nearest(.vector(query)), using: name, limit: 10))
        #expect(rescored.count == best.count, "\(note) \(name) rescored")
        for (hit, score) in zip(rescored, best) { #expect(abs(hit.score - score) < 1e-4, "\(note) rescored") }
        for (place, hit) in found.enumerated() where place < best.count {
            #expect(abs(hit.score - (scores[hit.id] ?? .nan)) < 1e-4, "\(note) \(name) \(hit.id)")
            #expect(abs(hit.score - best[place]) < 1e-4, "\(note) \(name)")
        }
    }
}

private func expectSparse(
    _ collection: Collection, _ model: Model, _ filter: Filter?, _ requests: inout RandomRequests, _ note: String
) throws {
    for (name, idf) in [("s", false), ("idf", true)] {
        let query = requests.sparse(0...6)
        let scores = model.sparseScores(query, name, idf: idf, filter)
        let best = scores.values.sorted(by: >).prefix(10)
        let found = try collection.query(
            QueryRequest(query: .nearest(.vector(.sparse(query))), using: name, filter: filter, limit: 10))
        #expect(found.count == best.count, "\(note) \(name) \(query)")
        // The same by another way: everything that passes, scored row by row.
        let every = Prefetch(filter: filter, limit: 1000)
        for query in [
            Query.nearest(.vector(.sparse(query))),
            .recommend(Recommendation(positive: [.vector(.sparse(query)), .vector(.sparse(query))])),
        ] {
            let rescored = try collection.query(QueryRequest(prefetch: [every], query: query, using: name, limit: 10))
            #expect(rescored.count == best.count, "\(note) \(name) rescored")
            for (hit, score) in zip(rescored, best) { #expect(abs(hit.score - score) < 1e-4, "\(note) rescored") }
        }
        for (place, hit) in found.enumerated() where place < best.count {
            guard let expected = scores[hit.id] else {
                Issue.record("\(note): \(hit.id) must not be found")
                continue
            }
            #expect(abs(hit.score - expected) < 1e-4, "\(note) \(name)")
            #expect(abs(hit.score - best[place]) < 1e-4, "\(note) \(name)")
        }
    }
    guard let (id, point) = model.points.first(where: { $0.value.vectors["s"] != nil }),
        case .sparse(let own)? = point.vectors["s"]
    else { return }
    var scores = model.sparseScores(own, "s", idf: false, filter)
    scores[id] = nil
    let best = scores.values.sorted(by: >).prefix(5)
    let found = try collection.query(QueryRequest(query: .nearest(.id(id)), using: "s", filter: filter, limit: 5))
    #expect(found.map { ($0.score * 64).rounded() } == best.map { ($0 * 64).rounded() }, "\(note) by id")
    #expect(!found.contains { $0.id == id })
}

private func expectScroll(_ collection: Collection, _ model: Model, _ filter: Filter?, _ note: String) throws {
    let expected = model.points.filter { entry in filter.map { model.matches(entry.key, entry.value, $0) } ?? true }
        .keys.sorted()
    #expect(try collection.count(filter) == expected.count, "\(note) \(filter as Any)")
    var found: [PointID] = []
    var offset: PointID?
    repeat {
        let page = try collection.scroll(ScrollRequest(filter: filter, offset: offset, limit: 37))
        found += page.points.map(\.id)
        offset = page.next
    } while offset != nil
    #expect(found == expected, "\(note) \(filter as Any)")
}

private func expectSearch(
    _ collection: Collection, _ model: Model, _ filter: Filter?, _ requests: inout RandomRequests, _ note: String
) throws {
    for (name, dimension) in [("a", 4), ("b", 1)] {
        let query = randomVector(dimension, &requests.generator)
        func score(_ vector: [Float]) -> Float {
            name == "a"
                ? zip(query, vector).reduce(0) { $0 + $1.0 * $1.1 }
                : zip(query, vector).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }.squareRoot()
        }
        var scores: [PointID: Float] = [:]
        for (id, point) in model.points where filter.map({ model.matches(id, point, $0) }) ?? true {
            if case .dense(let vector)? = point.vectors[name] { scores[id] = score(vector) }
        }
        let best = scores.values.sorted { name == "a" ? $0 > $1 : $0 < $1 }.prefix(10)
        for exact in [true, false] {
            let found = try collection.query(
                QueryRequest(
                    query: .nearest(.vector(.dense(query))), using: name, filter: filter,
                    params: SearchParams(
                        hnswEF: 64, exact: exact, quantization: QuantizationSearchParams(rescore: true)), limit: 10))
            #expect(Set(found.map(\.id)).count == found.count, "\(note)")
            if exact { #expect(found.count == best.count, "\(note) \(name) \(filter as Any)") }
            for (place, hit) in found.enumerated() {
                guard let expected = scores[hit.id] else {
                    Issue.record("\(note): \(hit.id) must not be found")
                    continue
                }
                #expect(abs(hit.score - expected) < 1e-4, "\(note)")
                if exact { #expect(abs(hit.score - best[place]) < 1e-4, "\(note)") }
            }
        }
    }
}

/// A collection of three vectors with every threshold so small that background work never ends.
func tinyConfig() -> CollectionConfig {
    var config = CollectionConfig(
        params: CollectionParams(
            vectors: .named([
                .init(name: "a", params: VectorParams(size: 4, distance: .dot)),
                .init(name: "b", params: VectorParams(size: 1, distance: .euclid)),
                .init(name: "never", params: VectorParams(size: 2, distance: .cosine)),
            ])))
    config.wal.capacityMB = 1
    config.optimizer.indexingThreshold = 1
    config.optimizer.vacuumMinVectorNumber = 100
    config.hnsw.m = 4
    config.hnsw.efConstruct = 16
    return config
}

/// As ``tinyConfig()``, with vectors of all kinds.
func allKindsConfig() -> CollectionConfig {
    var config = tinyConfig()
    config.params.vectors = .named(
        config.params.vectors.all + [
            .init(name: "m", params: VectorParams(size: 3, distance: .manhattan, multivector: .maxSim)),
            .init(name: "half", params: VectorParams(size: 2, distance: .manhattan, datatype: .float16)),
            .init(name: "bytes", params: VectorParams(size: 3, distance: .cosine, datatype: .uint8)),
        ])
    config.params.sparseVectors = [
        NamedSparseVectorParams(name: "s"),
        NamedSparseVectorParams(
            name: "idf",
            params: SparseVectorParams(index: SparseIndexConfig(fullScanThreshold: 3, onDisk: true), modifier: .idf)),
    ]
    return config
}

func tinyLimits() -> ShardLimits {
    var limits = ShardLimits()
    limits.memtableRows = 32
    limits.memtableBytes = 4096
    limits.queueBytesMax = 1 << 16
    limits.pinnedOpenFiles = 12
    return limits
}

func openTiny(_ path: String, _ fileSystem: any FileSystem = FaultInjectingFileSystem(syncs: false)) throws -> Database
{
    var options = DatabaseOptions(path: path)
    options.searchThreads = 2
    options.log = { _ = "log: \($0)\n".withCString { write(2, $0, strlen($0)) } }
    return try Database.open(options, fileSystem: fileSystem, limits: tinyLimits())
}
