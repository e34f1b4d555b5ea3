import Octant
import OctantEngine
import OctantModel
import OctantStorage
import Testing

@Suite("Filters in memory and in segments")
struct FilterIndexTests {
    private func ids(_ collection: Collection, _ key: String, _ change: (inout FieldCondition) -> Void) throws
        -> [UInt64]
    {
        var condition = FieldCondition(key: try PayloadPath(key))
        change(&condition)
        let page = try collection.scroll(ScrollRequest(filter: Filter(must: [.field(condition)]), limit: 1000))
        return page.points.compactMap { point in
            if case .number(let id) = point.id { id } else { nil }
        }
    }

    private func point(_ id: UInt64) -> Point {
        let words = ["Running dogs", "a dog runs", "Cats", "the running man"]
        let uuid = UUIDValue(high: 0, low: id % 5).description
        return Point(
            id: .number(id), vectors: NamedVectors([]),
            payload: Payload([
                "t": .string(words[Int(id % 4)]), "u": .string(id % 2 == 0 ? uuid : uuid.uppercased()),
                "d": .string("2024-01-\(10 + id % 20)T00:00:00Z"),
                "p": .object(["lon": .double(Double(id)), "lat": .double(0.5)]),
            ]))
    }

    @Test("an index means the same for points in memory, in segments, and after its options change")
    func same() throws {
        let folder = TemporaryFolder()
        let database = try openQuiet(folder.path, FaultInjectingFileSystem(syncs: false))
        defer { database.close() }
        try database.createCollection("c", tinyConfig())
        let collection = try database.collection("c")
        func schema(_ text: String) throws -> FieldIndexSchema { try FieldIndexSchema(json: JSONParser.parse(text)) }
        let all = (0..<80).map { UInt64($0) }

        func check(stemmed: Bool) throws {
            let wanted = all.filter { stemmed ? $0 % 4 != 2 : $0 % 4 == 0 || $0 % 4 == 3 }
            #expect(try ids(collection, "t") { $0.match = .text("running") } == wanted)
            #expect(try ids(collection, "t") { $0.match = .phrase("dog runs") } == all.filter { $0 % 4 == 1 })
            let uuid = UUIDValue(high: 0, low: 3).description.uppercased()
            #expect(try ids(collection, "u") { $0.match = .value(.string(uuid)) } == all.filter { $0 % 5 == 3 })
            let day = DateTime.microseconds("2024-01-12")
            #expect(
                try ids(collection, "d") { $0.dates = DateRange(gte: day, lte: day) } == all.filter { $0 % 20 == 2 })
            let center = GeoPoint(lon: 40, lat: 0.5)
            #expect(
                try ids(collection, "p") { $0.geo = [.circle(center: center, radius: 250_000)] } == [
                    38, 39, 40, 41, 42,
                ])
        }

        for (key, text) in [("t", #""text""#), ("u", #""uuid""#), ("d", #""datetime""#), ("p", #""geo""#)] {
            try collection.createFieldIndex(PayloadPath(key), schema(text))
        }
        try collection.update(.upsert(all.prefix(40).map { point($0) }))
        collection.shard.freeze()
        while try collection.shard.flushFrozen() {}
        try collection.update(.upsert(all.suffix(40).map { point($0) }))
        try check(stemmed: false)
        try collection.createFieldIndex(
            PayloadPath("t"), schema(#"{"type":"text","stemmer":{"type":"snowball","language":"english"}}"#))
        try check(stemmed: true)
        collection.shard.freeze()
        while try collection.shard.flushFrozen() {}
        try check(stemmed: true)
        try collection.createFieldIndex(PayloadPath("t"), schema(#""text""#))
        try check(stemmed: false)
        #expect(collection.info().payloadSchema.allSatisfy { $0.points == 80 })
    }
}
