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

/// A configuration that keeps points from reads until they are indexed: from about fifty points on.
private func deferringConfig(held: Bool) -> CollectionConfig {
    var config = tinyConfig()
    config.optimizer.preventsUnoptimized = true
    if held { config.optimizer.maxOptimizationThreads = 0 }
    return config
}

private func point(_ id: UInt64, _ value: Int64? = nil) -> Point {
    Point(
        id: .number(id),
        vectors: NamedVectors([
            .init(name: "a", vector: .dense([Float(id), 1, 2, 3])), .init(name: "b", vector: .dense([Float(id)])),
        ]), payload: Payload(["n": .integer(value ?? Int64(id))]))
}

private func points(_ ids: Range<UInt64>) -> UpdateOperation { .upsert(ids.map { point($0) }) }

/// Turns background work off or on; with `preventing`, changes the option too.
private func patch(_ collection: Collection, held: Bool, preventing: Bool? = nil) throws {
    var diff = OptimizerConfigDiff()
    diff.maxOptimizationThreads = .some(held ? 0 : nil)
    diff.preventsUnoptimized = preventing
    var patch = CollectionPatch()
    patch.optimizer = diff
    try collection.patch(patch)
}

/// Waits until all frozen memtables are segments.
private func flushed(_ collection: Collection) {
    for _ in 0..<10_000 where collection.shard.newest.memtables.count > 1 { usleep(1000) }
    #expect(collection.shard.newest.memtables.count == 1)
}

private func values(_ collection: Collection) throws -> [UInt64: Int64] {
    var result: [UInt64: Int64] = [:]
    for record in try collection.scroll(ScrollRequest(limit: 10_000)).points {
        guard case .number(let id) = record.id, case .integer(let n)? = record.payload?.object["n"] else { continue }
        result[id] = n
    }
    return result
}

private func plain(_ ids: Range<UInt64>) -> [UInt64: Int64] {
    Dictionary(uniqueKeysWithValues: ids.map { ($0, Int64($0)) })
}

@Suite("Points that wait to be indexed")
struct DeferralTests {
    private func withCollection(held: Bool = true, _ body: (Collection) throws -> Void) throws {
        let folder = TemporaryFolder()
        let database = try openQuiet(folder.path, FaultInjectingFileSystem(syncs: false))
        defer { database.close() }
        try database.createCollection("c", deferringConfig(held: held))
        try body(try database.collection("c"))
    }

    @Test("what comes beyond the threshold is seen by no read until it is indexed, and then by all")
    func invisible() throws {
        try withCollection { collection in
            #expect(try collection.update(points(0..<40)).status == .completed)
            #expect(collection.info().deferredPoints == 0)
            #expect(try collection.update(points(40..<60)).status == .acknowledged)
            #expect(try collection.update(points(60..<300)).status == .acknowledged)
            for isFlushed in [false, true] {
                if isFlushed { flushed(collection) }
                #expect(try collection.count() == 40)
                #expect(try collection.count(Filter(must: [.hasID([.number(39), .number(40)])])) == 1)
                #expect(try values(collection) == plain(0..<40))
                #expect(try collection.retrieve([.number(45), .number(5)]).map(\.id) == [.number(5)])
                let query = QueryRequest(query: .nearest(.vector(.dense([1, 0, 0, 0]))), using: "a", limit: 100)
                #expect(try collection.query(query).count == 40)
                #expect(try collection.query(query).first?.id == .number(39))
                let info = collection.info()
                #expect(info.deferredPoints == 260)
                #expect(info.pointsCount == 40)
            }
            try patch(collection, held: false)
            settle(collection)
            #expect(try values(collection) == plain(0..<300))
            #expect(try collection.count() == 300)
            #expect(collection.info().deferredPoints == 0)
            #expect(collection.shard.view.segments.contains { $0.isIndexed })
        }
    }

    @Test("changes and deletions of points that are seen come with what was written before them")
    func changes() throws {
        try withCollection { collection in
            try collection.update(points(0..<40))
            try collection.update(points(40..<60))
            try collection.update(.delete(.ids([.number(3), .number(50)])))
            try collection.update(.setPayload(["n": .integer(-1)], .ids([.number(1), .number(41)]), key: nil))
            try collection.update(.upsert([point(2, -2)]))
            flushed(collection)
            #expect(try values(collection) == plain(0..<40))
            var expected = plain(0..<60)
            (expected[3], expected[50], expected[1], expected[41], expected[2]) = (nil, nil, -1, -1, -2)
            try patch(collection, held: false)
            settle(collection)
            #expect(try values(collection) == expected)
            #expect(try collection.count() == 58)
        }
    }

    @Test("a write with a deadline waits for it; without one, for the index")
    func waiting() throws {
        try withCollection { collection in
            try collection.update(points(0..<40))
            let (short, long) = (Monitor<UpdateResult?>(nil), Monitor<UpdateResult?>(nil))
            collection.update(points(40..<60), wait: true, deadline: .now + .milliseconds(5)) { result in
                short.change { $0 = try? result.get() }
            }
            #expect(short.wait { $0 }.status == .waitTimeout)
            collection.update(points(60..<70), wait: true, deadline: .now + .seconds(600)) { result in
                // Who is answered may write again.
                collection.update(points(70..<71), wait: true) { _ in long.change { $0 = try? result.get() } }
            }
            #expect(try collection.count() == 40)
            try patch(collection, held: false)
            #expect(long.wait { $0 }.status == .completed)
            #expect(try collection.count() >= 70)
            settle(collection)
            #expect(try values(collection) == plain(0..<71))
        }
    }

    @Test("while background work runs, a write that waits is seen when it is answered")
    func readsOwnWrites() throws {
        try withCollection(held: false) { collection in
            for start in stride(from: 0, to: 1200, by: 30) as StrideTo<UInt64> {
                let result = try collection.update(points(start..<start + 30))
                #expect(result.status == .completed)
                #expect(try collection.count() == Int(start) + 30)
            }
            settle(collection)
            #expect(try values(collection) == plain(0..<1200))
        }
    }

    @Test("filters and conditions of writes go by the newest state")
    func conditions() throws {
        try withCollection { collection in
            try collection.update(points(0..<40))
            try collection.update(points(40..<60))
            let n = try PayloadPath("n")
            try collection.update(.delete(.filter(Filter(must: [.field(.init(key: n, range: .init(gte: 55)))]))))
            try collection.update(.upsert([point(41, -1), point(70)]), when: UpdateCondition(mode: .insertOnly))
            try collection.update(.upsert([point(42, -2), point(71)]), when: UpdateCondition(mode: .updateOnly))
            try collection.update(.setPayload(["n": .integer(-3)], .ids([.number(43)]), key: nil))
            let isOld = Filter(must: [.field(.init(key: n, range: .init(lt: 0)))])
            try collection.update(.upsert([point(43, -4), point(44, -4)]), when: UpdateCondition(filter: isOld))
            #expect(throws: OctantError.self) {
                try collection.update(.setPayload(["n": .integer(0)], .ids([.number(55)]), key: nil))
            }
            #expect(try values(collection) == plain(0..<40))
            var expected = plain(0..<55)
            (expected[70], expected[42], expected[43]) = (70, -2, -4)
            try patch(collection, held: false)
            settle(collection)
            #expect(try values(collection) == expected)
        }
    }

    @Test("nothing is lost by closing, and who waits is answered that the write is kept")
    func reopening() throws {
        let folder = TemporaryFolder()
        var database = try openQuiet(folder.path, FaultInjectingFileSystem(syncs: false))
        try database.createCollection("c", deferringConfig(held: true))
        var collection = try database.collection("c")
        try collection.update(points(0..<40))
        try collection.update(points(40..<200))
        try collection.update(.delete(.ids([.number(7), .number(77)])))
        let answered = Monitor<UpdateResult?>(nil)
        collection.update(points(200..<210), wait: true, deadline: .now + .seconds(600)) { result in
            answered.change { $0 = try? result.get() }
        }
        #expect(try collection.count() == 40)
        database.close()
        #expect(answered.wait { $0 }.status == .acknowledged)
        database = try openQuiet(folder.path, FaultInjectingFileSystem(syncs: false))
        collection = try database.collection("c")
        #expect(collection.config.optimizer.preventsUnoptimized == true)
        try patch(collection, held: false)
        settle(collection)
        var expected = plain(0..<210)
        (expected[7], expected[77]) = (nil, nil)
        #expect(try values(collection) == expected)
        #expect(try collection.count() == 208)
        database.close()
    }

    @Test("switched off, all is seen at once, and nothing is kept back any more")
    func switchedOff() throws {
        try withCollection { collection in
            try collection.update(points(0..<40))
            try collection.update(points(40..<200))
            #expect(try collection.count() == 40)
            try patch(collection, held: true, preventing: false)
            #expect(try values(collection) == plain(0..<200))
            #expect(collection.info().deferredPoints == nil)
            #expect(try collection.update(points(200..<210)).status == .completed)
            #expect(try collection.count() == 210)
            try patch(collection, held: true, preventing: true)
            #expect(try collection.count() == 210)
            #expect(try collection.update(points(210..<220)).status == .acknowledged)
            #expect(try collection.count() == 210)
        }
    }

    @Test("points without vectors that want a graph are not kept back")
    func noGraph() throws {
        try withCollection { collection in
            for id in 0..<300 as Range<UInt64> {
                let bare = Point(id: .number(id), vectors: NamedVectors([]), payload: Payload(["n": .integer(1)]))
                let result = try collection.update(.upsert([bare]))
                #expect(result.status == .completed)
            }
            #expect(try collection.count() == 300)
        }
    }

    @Test("reads see the state after some operation, never one of before; after settling the last", arguments: 1...6)
    func randomOperations(seed: UInt64) throws {
        let folder = TemporaryFolder()
        var requests = RandomRequests(generator: SeededGenerator(seed: seed), allKinds: seed % 2 == 0)
        var config = seed % 2 == 0 ? allKindsConfig() : tinyConfig()
        config.optimizer.preventsUnoptimized = true
        if seed % 3 == 0 { config.optimizer.maxSegmentSize = 2 }
        if seed % 4 == 1 { config.optimizer.defaultSegmentNumber = 3 }
        var database = try openTiny(folder.path)
        try database.createCollection("c", config)
        var collection = try database.collection("c")
        var (model, history, seen) = (Model(), [LSN: Model](), LSN(0))
        var wasHidden = 0
        for step in 0..<400 {
            let operation = requests.operation()
            var after = model
            let isValid = after.apply(operation)
            if isValid { model = after }
            let result = Monitor<Bool?>(nil)
            let wait = Int.random(in: 0..<4, using: &requests.generator) == 0 || !isValid
            collection.update(operation, wait: wait) { answer in
                result.change { $0 = (try? answer.get()) != nil }
            }
            history[collection.shard.lastLSN] = model
            #expect(result.wait { $0 } == isValid, "seed \(seed), step \(step)")
            try expectPast(collection, history, &seen, "seed \(seed), step \(step)")
            if collection.info().deferredPoints ?? 0 > 0 { wasHidden += 1 }
            switch Int.random(in: 0..<30, using: &requests.generator) {
            case 0: try patch(collection, held: true)
            case 1, 2: try patch(collection, held: false)
            case 3: try patch(collection, held: false, preventing: Bool.random(using: &requests.generator))
            case 4: try patch(collection, held: false, preventing: true)
            case 5: try collection.createFieldIndex(PayloadPath("n"), FieldIndexSchema(type: .integer))
            case 6: try collection.deleteFieldIndex(PayloadPath("n"))
            default: break
            }
            if step % 50 == 30 {
                try patch(collection, held: true, preventing: true)
                try expectStill(collection, history, &requests, "seed \(seed), held at \(step)")
            }
            if step % 100 == 99 {
                if step % 200 == 199 {
                    database.close()
                    database = try openTiny(folder.path)
                    collection = try database.collection("c")
                }
                try patch(collection, held: false, preventing: true)
                settle(collection, "seed \(seed), step \(step)")
                try expectEqual(collection, model, &requests, "seed \(seed), settled at \(step)")
            }
        }
        #expect(wasHidden > 20, "seed \(seed)")
        database.close()
    }

    /// What reads see is the state after the operation that they say, and that is not before what they saw last.
    private func expectPast(
        _ collection: Collection, _ history: [LSN: Model], _ seen: inout LSN, _ note: String
    ) throws {
        let view = collection.shard.view
        #expect(view.lsn >= seen, "\(note)")
        seen = view.lsn
        let model = history[view.lsn] ?? Model()
        let found = view.page(nil, from: nil, limit: 10_000)
        #expect(found.map(\.id) == model.points.keys.sorted(), "\(note), seen \(view.lsn)")
        #expect(view.liveCount == model.points.count, "\(note), seen \(view.lsn)")
        for (id, hit) in found {
            let record = view.record(hit, withPayload: .all, withVector: .none)
            let payload = model.members(record.payload?.object ?? JSONObject())
            #expect(payload == model.points[id]?.payload, "\(note), seen \(view.lsn): \(id)")
        }
    }

    /// All kinds of reads, while background work is off.
    private func expectStill(
        _ collection: Collection, _ history: [LSN: Model], _ requests: inout RandomRequests, _ note: String
    ) throws {
        // A step of the optimizer that runs may end, and the queue be applied, before all is still.
        try collection.shard.waitUntilApplied()
        for _ in 0..<10_000 where collection.shard.optimizerState.running { usleep(1000) }
        flushed(collection)
        for _ in 0..<10_000 where collection.shard.optimizerState.running { usleep(1000) }
        try expectEqual(collection, history[collection.shard.view.lsn] ?? Model(), &requests, note)
    }
}
