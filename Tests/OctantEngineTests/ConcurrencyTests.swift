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

@Suite("Readers beside writers")
struct ConcurrencyTests {
    private static func point(_ id: UInt64, _ value: Int64) -> Point {
        Point(
            id: .number(id),
            vectors: NamedVectors([
                .init(name: "a", vector: .dense([Float(value), 1, 1, 1])),
                .init(name: "b", vector: .dense([Float(value)])),
            ]), payload: Payload(["n": .integer(value)]))
    }

    @Test("a reader sees each point once and whole, and never an older value after a newer one")
    func readers() throws {
        let folder = TemporaryFolder()
        let database = try openQuiet(folder.path, FaultInjectingFileSystem(syncs: false))
        try database.createCollection("c", tinyConfig())
        let collection = try database.collection("c")
        let count: UInt64 = 120
        try collection.update(.upsert((0..<count).map { Self.point($0, 0) }))
        let done = Monitor(false)
        let failures = Monitor([String]())
        let readers = (0..<3).map { number in
            Thread(name: "reader-\(number)") {
                do {
                    try Self.read(collection, count, until: done, failures, seed: UInt64(number))
                } catch { failures.change { $0.append("\(error)") } }
            }
        }
        var generator = SeededGenerator(seed: 5)
        for value in 1...250 as ClosedRange<Int64> {
            let ids = Set((0..<10).map { _ in UInt64.random(in: 0..<count, using: &generator) })
            try collection.update(.upsert(ids.map { Self.point($0, value) }))
            if value % 40 == 0 { try collection.createFieldIndex(PayloadPath("n"), FieldIndexSchema(type: .integer)) }
            if value % 40 == 20 { try collection.deleteFieldIndex(PayloadPath("n")) }
        }
        done.change { $0 = true }
        for reader in readers { reader.join() }
        #expect(failures.withLock { Array($0.prefix(5)) } == [])
        database.close()
    }

    private static func read(
        _ collection: Collection, _ count: UInt64, until done: Monitor<Bool>, _ failures: Monitor<[String]>,
        seed: UInt64
    ) throws {
        var newest = [Int64](repeating: 0, count: Int(count))
        func check(_ id: PointID, _ payload: Payload?, _ vectors: NamedVectors?, _ what: String) {
            guard case .number(let number) = id, case .integer(let value)? = payload?.object["n"] else {
                return failures.change { $0.append("\(what): \(id) has no value") }
            }
            if vectors?["a"] != .dense([Float(value), 1, 1, 1]) || vectors?["b"] != .dense([Float(value)]) {
                failures.change { $0.append("\(what): \(id) is mixed") }
            }
            if value < newest[Int(number)] { failures.change { $0.append("\(what): \(id) went back to \(value)") } }
            newest[Int(number)] = max(newest[Int(number)], value)
        }
        func whole(_ ids: [PointID], _ what: String) {
            if ids.sorted() != (0..<count).map({ .number($0) }) {
                failures.change { $0.append("\(what): \(ids.count) points") }
            }
        }
        while !done.withLock({ $0 }) {
            let records = try collection.retrieve((0..<count).map { .number($0) }, withVector: .all)
            whole(records.map(\.id), "retrieve")
            for record in records { check(record.id, record.payload, record.vectors, "retrieve") }
            let page = try collection.scroll(ScrollRequest(limit: 1000, withVector: .all))
            whole(page.points.map(\.id), "scroll")
            for record in page.points { check(record.id, record.payload, record.vectors, "scroll") }
            let hits = try collection.query(
                QueryRequest(
                    query: .nearest(.vector(.dense([1, 0, 0, 0]))), using: "a", params: SearchParams(exact: true),
                    limit: 1000, withPayload: .all, withVector: .all))
            whole(hits.map(\.id), "search")
            for hit in hits { check(hit.id, hit.payload, hit.vectors, "search") }
            if try collection.count() != Int(count) { failures.change { $0.append("count") } }
        }
    }

    @Test("a completion may write again, also when it is called at once")
    func completionsMayWrite() throws {
        let folder = TemporaryFolder()
        let database = try openQuiet(folder.path, FaultInjectingFileSystem(syncs: false))
        defer { database.close() }
        try database.createCollection("c", tinyConfig())
        let collection = try database.collection("c")
        let answers = Monitor(0)
        for number in 0..<50 as Range<UInt64> {
            collection.update(.upsert([Self.point(number, 1)]), wait: false) { _ in
                collection.update(.upsert([Self.point(number + 100, 1)]), wait: false) { _ in answers.change { $0 += 1 }
                }
            }
        }
        answers.wait { $0 == 50 ? () : nil }
    }

    @Test("a collection can be deleted while it is written, read and optimised")
    func deleteWhileBusy() throws {
        for round in 0..<6 as Range<UInt64> {
            let folder = TemporaryFolder()
            let database = try openQuiet(folder.path, FaultInjectingFileSystem(syncs: false))
            try database.createCollection("c", tinyConfig())
            let collection = try database.collection("c")
            let done = Monitor(false)
            let writer = Thread(name: "writer") {
                var value: Int64 = 0
                while !done.withLock({ $0 }) {
                    value += 1
                    guard (try? collection.update(.upsert((0..<20).map { Self.point($0, value) }))) != nil else {
                        return
                    }
                }
            }
            let reader = Thread(name: "reader") {
                while !done.withLock({ $0 }) {
                    _ = try? collection.query(
                        QueryRequest(query: .nearest(.vector(.dense([1, 0, 0, 0]))), using: "a", limit: 10))
                }
            }
            for _ in 0..<(round * 7) { try collection.update(.upsert([Self.point(1000 + round, 1)])) }
            #expect(try database.deleteCollection("c"))
            #expect(try LocalFileSystem().list(folder.path + "/c").isEmpty)
            done.change { $0 = true }
            writer.join()
            reader.join()
            #expect(throws: OctantError.self) { try collection.update(.upsert([Self.point(1, 1)])) }
            #expect(throws: OctantError.self) {
                try collection.createFieldIndex(PayloadPath("n"), FieldIndexSchema(type: .integer))
            }
            #expect(try LocalFileSystem().list(folder.path + "/c").isEmpty)
            database.close()
        }
    }
}
