import Octant
import OctantEngine
import OctantModel
import OctantStorage
import Synchronization
import Testing

@Suite("Conditional writes and waiting")
struct ConditionalUpdateTests {
    private func point(_ id: UInt64, _ version: Int64) -> Point {
        Point(id: .number(id), vectors: NamedVectors(), payload: Payload(["v": .integer(version)]))
    }

    private func isOlder(than version: Double) throws -> Filter {
        Filter(must: [.field(.init(key: try PayloadPath("v"), range: .init(lt: version)))])
    }

    private func versions(_ collection: Octant.Collection) throws -> [UInt64: Int64] {
        var found: [UInt64: Int64] = [:]
        for record in try collection.scroll(ScrollRequest(limit: 1000)).points {
            guard case .number(let id) = record.id, case .integer(let version)? = record.payload?.object["v"] else {
                continue
            }
            found[id] = version
        }
        return found
    }

    private func withCollection(_ body: (Octant.Collection, String) throws -> Void) throws {
        let folder = TemporaryFolder()
        let database = try openQuiet(folder.path, FaultInjectingFileSystem(syncs: false))
        try database.createCollection("c", tinyConfig())
        try body(try database.collection("c"), folder.path)
        database.close()
    }

    @Test("an insertion leaves existing points, an update makes no new ones")
    func modes() throws {
        try withCollection { collection, _ in
            try collection.update(.upsert([point(1, 1)]), when: UpdateCondition(mode: .updateOnly))
            #expect(try versions(collection) == [:])
            try collection.update(.upsert([point(1, 1), point(2, 1)]), when: UpdateCondition(mode: .insertOnly))
            try collection.update(.upsert([point(2, 2), point(3, 2)]), when: UpdateCondition(mode: .insertOnly))
            #expect(try versions(collection) == [1: 1, 2: 1, 3: 2])
            try collection.update(.upsert([point(3, 3), point(4, 3)]), when: UpdateCondition(mode: .updateOnly))
            #expect(try versions(collection) == [1: 1, 2: 1, 3: 3])
        }
    }

    @Test("a condition on a write that knows none leaves it as it is")
    func otherWrites() throws {
        try withCollection { collection, _ in
            try collection.update(.upsert([point(1, 1), point(2, 9)]))
            try collection.update(.delete(.filter(try isOlder(than: 5))), when: UpdateCondition(mode: .insertOnly))
            #expect(try versions(collection) == [2: 9])
        }
    }

    @Test("of a condition, each point of an upsert is decided after the ones before it")
    func duplicates() throws {
        try withCollection { collection, _ in
            try collection.update(
                .upsert([point(1, 1), point(1, 2)]), when: UpdateCondition(mode: .insertOnly))
            #expect(try versions(collection) == [1: 1])
            let condition = UpdateCondition(filter: try isOlder(than: 5))
            try collection.update(.upsert([point(1, 4), point(1, 9), point(1, 3), point(2, 7)]), when: condition)
            #expect(try versions(collection) == [1: 9, 2: 7])
        }
    }

    @Test("random conditional writes agree with a dictionary, before and after opening again")
    func random() throws {
        let folder = TemporaryFolder()
        var generator = SeededGenerator(seed: 20_260)
        var expected: [UInt64: Int64] = [:]
        for _ in 0..<4 {
            let database = try openQuiet(folder.path, FaultInjectingFileSystem(syncs: false))
            if !database.collectionExists("c") { try database.createCollection("c", tinyConfig()) }
            let collection = try database.collection("c")
            #expect(try versions(collection) == expected)
            for _ in 0..<100 {
                let points = (0..<Int.random(in: 1...8, using: &generator)).map { _ in
                    point(.random(in: 0..<40, using: &generator), .random(in: 0..<10, using: &generator))
                }
                let mode = UpdateMode.allCases.randomElement(using: &generator) ?? .upsert
                let bound = Bool.random(using: &generator) ? Double.random(in: 0...9, using: &generator) : nil
                let filter = try bound.map { try isOlder(than: $0) }
                try collection.update(.upsert(points), when: UpdateCondition(mode: mode, filter: filter))
                for point in points {
                    guard case .number(let id) = point.id, case .integer(let new)? = point.payload.object["v"] else {
                        continue
                    }
                    if let old = expected[id] {
                        if mode == .insertOnly { continue }
                        if let bound, Double(old) >= bound { continue }
                    } else if mode == .updateOnly {
                        continue
                    }
                    expected[id] = new
                }
                if Int.random(in: 0..<10, using: &generator) == 0 {
                    let id = UInt64.random(in: 0..<40, using: &generator)
                    try collection.update(.delete(.ids([.number(id)])))
                    expected[id] = nil
                }
            }
            #expect(try versions(collection) == expected)
            database.close()
        }
    }

    @Test("vectors change where the condition holds; a point that does not exist is an error")
    func vectors() throws {
        try withCollection { collection, _ in
            try collection.update(.upsert([point(1, 1), point(2, 8)]))
            let new = NamedVectors([.init(name: "a", vector: .dense([1, 2, 3, 4]))])
            let condition = UpdateCondition(filter: try isOlder(than: 5))
            try collection.update(.updateVectors([(.number(1), new), (.number(2), new)]), when: condition)
            let found = try collection.retrieve([.number(1), .number(2)], withVector: .all)
            #expect(found.map { $0.vectors?["a"] != nil } == [true, false])
            #expect(throws: OctantError.self) {
                try collection.update(.updateVectors([(.number(3), new)]), when: condition)
            }
        }
    }

    @Test("a write that is not visible by its deadline is answered so, and comes all the same")
    func deadline() throws {
        let folder = TemporaryFolder()
        let files = PausableFileSystem()
        let database = try Database.open(
            DatabaseOptions(path: folder.path), fileSystem: files, limits: ShardLimits())
        defer { database.close() }
        try database.createCollection("c", tinyConfig())
        let collection = try database.collection("c")
        let first = Monitor<UpdateResult?>(nil)
        files.paused {
            collection.update(.upsert([point(1, 1)]), wait: true, deadline: .now + .milliseconds(5)) { result in
                first.change { $0 = try? result.get() }
            }
            #expect(first.wait { $0 }.status == .waitTimeout)
        }
        let second = try collection.update(.upsert([point(2, 1)]))
        #expect(second.status == .completed)
        #expect(first.wait { $0 }.operationID < second.operationID)
        #expect(try versions(collection) == [1: 1, 2: 1])
        let third = Monitor<UpdateResult?>(nil)
        collection.update(.upsert([point(3, 1)]), wait: true, deadline: .now + .seconds(600)) { result in
            third.change { $0 = try? result.get() }
        }
        #expect(third.wait { $0 }.status == .completed)
    }
}
