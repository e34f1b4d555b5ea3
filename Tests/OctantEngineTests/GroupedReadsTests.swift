import Octant
import OctantModel
import Testing

@Suite("Groups, facets, matrices, orders")
struct GroupedReadsTests {
    private func value(_ entry: QueryOracle.Entry, _ key: String) -> [JSONValue] {
        guard let value = entry.payload[key] else { return [] }
        if case .array(let elements) = value { return elements }
        return [value]
    }

    @Test("groups hold what grouping the whole ranking gives", arguments: ["tags", "n"])
    func groups(_ key: String) throws {
        let world = try QueryWorld(.euclid, seed: 21)
        for round in 0..<30 {
            let query = QueryRequest(query: world.leaf(), filter: world.filter(), params: SearchParams(exact: true))
            var request = GroupsRequest(query: query, groupBy: try PayloadPath(key), groupSize: 1 + round % 4)
            request.query.limit = 1 + round % 7
            let found = try world.collection.queryGroups(request)
            var all = query
            all.limit = 1000
            var order: [GroupID] = []
            var hits: [GroupID: [PointID]] = [:]
            for point in try world.collection.query(all) {
                guard let entry = world.oracle.entries.first(where: { $0.id == point.id }) else { continue }
                var ids: [GroupID] = []
                for value in value(entry, key) {
                    switch value {
                    case .string(let text): ids.append(.string(text))
                    case .integer(let number): ids.append(.integer(number))
                    default: break
                    }
                }
                for id in Set(ids).sorted(by: { ids.firstIndex(of: $0) ?? 0 < ids.firstIndex(of: $1) ?? 0 }) {
                    if hits[id] == nil { order.append(id) }
                    hits[id, default: []].append(point.id)
                }
            }
            #expect(found.map(\.id) == Array(order.prefix(request.query.limit)))
            for group in found {
                #expect(group.hits.map(\.id) == Array(hits[group.id, default: []].prefix(request.groupSize)))
            }
        }
    }

    @Test("a point with a value that no group can have is in no group")
    func oddGroupValues() throws {
        let folder = TemporaryFolder()
        let database = try Database.open(DatabaseOptions(path: folder.path))
        defer { database.close() }
        try database.createCollection("c", plainConfig(1, .dot))
        let collection = try database.collection("c")
        let values: [JSONValue] = [
            .array([.string("a"), .integer(1)]), .array([.string("a"), .bool(true)]), .double(1.5), .string("a"),
        ]
        try collection.update(
            .upsert(
                values.enumerated().map { number, value in
                    Point(
                        id: .number(UInt64(number)), vectors: NamedVectors(.dense([Float(number)])),
                        payload: Payload(["k": value]))
                }))
        let query = QueryRequest(query: .nearest(.vector(.dense([1]))))
        let groups = try collection.queryGroups(GroupsRequest(query: query, groupBy: try PayloadPath("k")))
        #expect(groups.map(\.id) == [.string("a"), .integer(1)])
        #expect(groups.map { $0.hits.map(\.id) } == [[.number(3), .number(0)], [.number(0)]])
    }

    @Test("a group's value looks up a point of another collection")
    func lookup() throws {
        let world = try QueryWorld(.dot, seed: 22, count: 60)
        try world.database.createCollection("other", plainConfig(2))
        let other = try world.database.collection("other")
        try other.update(
            .upsert([Point(id: .number(1), vectors: NamedVectors(), payload: Payload(["a": .integer(7)]))]))
        var request = GroupsRequest(
            query: QueryRequest(query: .nearest(world.vector())), groupBy: try PayloadPath("n"),
            withLookup: GroupLookup(collection: "other"))
        let groups = try world.collection.queryGroups(request, siblings: world.database.collection)
        #expect(groups.count == 3)
        for group in groups {
            #expect(group.lookup?.payload?.object == (group.id == .integer(1) ? ["a": .integer(7)] : nil))
        }
        request.withLookup?.collection = "non-existing-collection"
        #expect(throws: OctantError(.notFound, "Collection non-existing-collection not found")) {
            try world.collection.queryGroups(request, siblings: world.database.collection)
        }
    }

    @Test("a facet counts each value once for each point")
    func facet() throws {
        let world = try QueryWorld(.dot, seed: 23)
        let key = try PayloadPath("tags")
        #expect(throws: OctantError.self) { try world.collection.facet(FacetRequest(key: key)) }
        try world.collection.createFieldIndex(key, FieldIndexSchema(type: .keyword))
        for (name, type) in [("tags", FieldIndexType.keyword), ("n", .integer)] {
            for filter in [nil, world.filter(), world.filter()] {
                var counts: [MatchValue: Int] = [:]
                for entry in world.oracle.entries {
                    guard filter.map({ passes($0, entry) }) ?? true else { continue }
                    for value in Set(value(entry, name).map(\.text)) {
                        let match: MatchValue =
                            type == .keyword
                            ? .string(String(value.dropFirst().dropLast())) : .integer(Int64(value) ?? -1)
                        counts[match, default: 0] += 1
                    }
                }
                let expected = counts.sorted {
                    $0.value != $1.value ? $0.value > $1.value : "\($0.key)" < "\($1.key)"
                }
                let found = try world.collection.facet(
                    FacetRequest(key: PayloadPath(name), filter: filter, limit: 4))
                #expect(found == expected.prefix(4).map { FacetHit(value: $0.key, count: $0.value) })
            }
        }
    }

    private func passes(_ filter: Filter, _ entry: QueryOracle.Entry) -> Bool {
        guard case .field(let field)? = filter.must.first, case .value(.integer(let wanted))? = field.match else {
            return true
        }
        return entry.payload["n"] == .integer(wanted)
    }

    @Test("points come in the order of a value, and a page can start anywhere")
    func ordered() throws {
        let world = try QueryWorld(.dot, seed: 24)
        let key = try PayloadPath("x")
        let error = #expect(throws: OctantError.self) {
            try world.collection.scroll(ScrollRequest(orderBy: OrderBy(key: key)))
        }
        #expect(error?.message.contains("`x`") == true)
        try world.collection.createFieldIndex(key, FieldIndexSchema(type: .float))
        for direction in OrderBy.Direction.allCases {
            for start in [nil, OrderValue.integer(3), .double(2.375)] {
                let order = OrderBy(key: key, direction: direction, startFrom: start)
                let filter = world.filter()
                var expected: [(value: Double, id: PointID)] = []
                for entry in world.oracle.entries where filter.map({ passes($0, entry) }) ?? true {
                    guard case .double(let x)? = entry.payload["x"] else { continue }
                    if let start, direction == .ascending ? x < start.number : x > start.number { continue }
                    expected.append((x, entry.id))
                }
                expected.sort {
                    $0.value != $1.value
                        ? (direction == .ascending ? $0.value < $1.value : $0.value > $1.value) : $0.id < $1.id
                }
                let page = try world.collection.scroll(ScrollRequest(filter: filter, limit: 50, orderBy: order))
                #expect(page.points.map(\.id) == expected.prefix(50).map(\.id))
                #expect(page.points.map { $0.orderValue } == expected.prefix(50).map { .double($0.value) })
                #expect(page.next == nil)
                let found = try world.collection.query(
                    QueryRequest(query: .orderBy(order), filter: filter, limit: 20, offset: 3))
                #expect(found.map(\.id) == expected.dropFirst(3).prefix(20).map(\.id))
                #expect(found.allSatisfy { $0.score == 1 })
            }
        }
        let offset = ScrollRequest(offset: .number(1), orderBy: OrderBy(key: key))
        #expect(throws: OctantError.self) { try world.collection.scroll(offset) }
    }

    @Test("a point with several values is listed for each; others are left out")
    func multipleValues() throws {
        let folder = TemporaryFolder()
        let database = try Database.open(DatabaseOptions(path: folder.path))
        defer { database.close() }
        try database.createCollection("c", plainConfig(1))
        let collection = try database.collection("c")
        let values: [JSONValue] = [
            .array([.integer(5), .integer(1), .integer(5)]), .integer(3), .string("x"), .double(2), .double(2.5), .null,
        ]
        try collection.update(
            .upsert(
                values.enumerated().map {
                    Point(id: .number(UInt64($0)), vectors: NamedVectors(), payload: Payload(["v": $1]))
                }))
        let key = try PayloadPath("v")
        try collection.createFieldIndex(key, FieldIndexSchema(type: .integer))
        let page = try collection.scroll(ScrollRequest(orderBy: OrderBy(key: key)))
        #expect(page.points.map(\.id) == [0, 3, 1, 0].map { .number($0) })
        #expect(page.points.map(\.orderValue) == [1, 2, 3, 5].map { .integer($0) })
    }

    @Test("dates are ordered by time and can be started from")
    func dates() throws {
        let folder = TemporaryFolder()
        let database = try Database.open(DatabaseOptions(path: folder.path))
        defer { database.close() }
        try database.createCollection("c", plainConfig(1))
        let collection = try database.collection("c")
        let dates = ["2024-03-01T00:00:00Z", "2023-01-01", "2024-03-01T01:00:00+02:00", "no date"]
        try collection.update(
            .upsert(
                dates.enumerated().map {
                    Point(id: .number(UInt64($0)), vectors: NamedVectors(), payload: Payload(["d": .string($1)]))
                }))
        let key = try PayloadPath("d")
        try collection.createFieldIndex(key, FieldIndexSchema(type: .datetime))
        let page = try collection.scroll(ScrollRequest(orderBy: OrderBy(key: key)))
        #expect(page.points.map(\.id) == [1, 2, 0].map { .number($0) })
        #expect(page.points.last?.orderValue == DateTime.microseconds(dates[0]).map { .integer($0) })
        let start = DateTime.microseconds("2024-01-01").map { OrderValue.integer($0) }
        let later = try collection.scroll(ScrollRequest(orderBy: OrderBy(key: key, startFrom: start)))
        #expect(later.points.map(\.id) == [2, 0].map { .number($0) })
    }

    @Test("a sample is some of the points that pass, each once")
    func sample() throws {
        let world = try QueryWorld(.dot, seed: 25)
        let filter = Filter(
            must: [.field(FieldCondition(key: try PayloadPath("n"), match: .value(.integer(1))))])
        let all = Set(try world.collection.query(QueryRequest(filter: filter, limit: 1000)).map(\.id))
        var seen: Set<PointID> = []
        for _ in 0..<60 {
            let found = try world.collection.query(QueryRequest(query: .sample, filter: filter, limit: 30, offset: 2))
            #expect(Set(found.map(\.id)).count == 30)
            seen.formUnion(found.map(\.id))
        }
        #expect(seen == all)
        let prefetch = Prefetch(query: .nearest(world.vector()), limit: 7)
        let shuffled = try world.collection.query(QueryRequest(prefetch: [prefetch], query: .sample, limit: 50))
        #expect(shuffled.count == 7)
    }

    @Test("a matrix holds the nearest among the sampled points", arguments: Distance.allCases)
    func matrix(_ distance: Distance) throws {
        let world = try QueryWorld(distance, seed: 26)
        let matrix = try world.collection.matrix(MatrixRequest(sample: 20, limit: 5))
        #expect(matrix.ids == matrix.ids.sorted() && Set(matrix.ids).count == 20 && matrix.rows.count == 20)
        for (id, row) in zip(matrix.ids, matrix.rows) {
            let others = matrix.ids.filter { $0 != id }
            let expected = world.oracle.run(QueryRequest(query: .nearest(.id(id)), limit: 1000))
                .filter { others.contains($0.id) }.prefix(5)
            #expect(row.map { matrix.ids[$0.place] } == expected.map(\.id))
            for (neighbor, want) in zip(row, expected) { #expect(abs(Double(neighbor.score) - want.score) < 1e-4) }
        }
        let one = Filter(must: [.hasID([.number(101)])])
        #expect(try world.collection.matrix(MatrixRequest(filter: one)) == DistanceMatrix())
    }

    @Test("MMR chooses among as many points as are asked for, before the offset is taken off")
    func mmrOffset() throws {
        let world = try QueryWorld(.cosine, seed: 28)
        let query = QueryRequest(query: .mmr(world.vector(), MMR(diversity: 0.5)), limit: 5, offset: 3)
        #expect(try world.collection.query(query).count == 2)
    }

    @Test("MMR chooses greedily", arguments: Distance.allCases)
    func mmr(_ distance: Distance) throws {
        let world = try QueryWorld(distance, seed: 27)
        for round in 0..<20 {
            let input = world.vector()
            let diversity = Double(round % 5) / 4
            let found = try world.collection.query(
                QueryRequest(
                    query: .mmr(input, MMR(diversity: Float(diversity), candidatesLimit: 40)),
                    params: SearchParams(exact: true), limit: 8, offset: round % 3))
            let nearest = world.oracle.run(QueryRequest(query: .nearest(input), limit: 40))
            let vectors = Dictionary(uniqueKeysWithValues: world.oracle.entries.map { ($0.id, $0.vector) })
            let query = world.oracle.prepared(world.oracle.vector(input))
            var chosen = [nearest[0].id]
            var left = nearest.dropFirst().map(\.id)
            while chosen.count < 8 + round % 3 {
                let scores = left.map { id in
                    let vector = vectors[id] ?? []
                    let closest = chosen.map { world.oracle.similarity(vectors[$0] ?? [], vector) }.max() ?? 0
                    return (1 - diversity) * world.oracle.similarity(query, vector) - diversity * closest
                }
                let best = scores.indices.max { scores[$0] < scores[$1] } ?? 0
                chosen.append(left.remove(at: best))
            }
            #expect(found.map(\.id) == Array(chosen.dropFirst(round % 3)))
            for point in found {
                let score = nearest.first { $0.id == point.id }?.score ?? .nan
                #expect(abs(Double(point.score) - score) < 1e-4)
            }
        }
    }
}
