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

@Suite("Snapshots", .serialized)
struct SnapshotTests {
    /// Writers that note each acknowledged operation by its number in the log.
    private final class Writers: Sendable {
        let noted = Monitor([(lsn: UInt64, operation: UpdateOperation)]())
        private let done = Monitor(false)
        private let threads = Monitor([Thread]())

        init(_ collection: Collection, count: Int, seed: UInt64) {
            let started = (0..<count).map { number in
                Thread(name: "writer-\(number)") { [self] in
                    var requests = RandomRequests(generator: SeededGenerator(seed: seed &* 31 &+ UInt64(number)))
                    requests.allKinds = true
                    while !done.withLock({ $0 }) {
                        let operation = requests.operation()
                        // Refused: a point is missing. That changes nothing.
                        guard let result = try? collection.update(operation) else { continue }
                        noted.change { $0.append((result.operationID ?? 0, operation)) }
                    }
                }
            }
            threads.withLock { $0 = started }
        }

        /// Waits for so many writes more.
        func go(on count: Int) {
            let target = noted.withLock { $0.count } + count
            noted.wait { $0.count >= target ? () : nil }
        }

        func stop() {
            done.change { $0 = true }
            for thread in threads.withLock({ $0 }) { thread.join() }
        }

        /// What the collection is after the operation of this number.
        func model(at lsn: UInt64) -> Model {
            var model = Model()
            for entry in noted.withLock({ $0 }).sorted(by: { $0.lsn < $1.lsn }) where entry.lsn <= lsn {
                _ = model.apply(entry.operation)
            }
            return model
        }
    }

    private static func config(_ seed: UInt64) -> CollectionConfig {
        var config = allKindsConfig()
        switch seed % 3 {
        case 0: config.quantization = .scalar(ScalarQuantization(quantile: 0.99))
        case 1: config.quantization = .binary(BinaryQuantization())
        default: config.optimizer.maxOptimizationThreads = 0
        }
        return config
    }

    /// Snapshots taken by each seed; `OCTANT_SNAPSHOT_ROUNDS` changes the number.
    private static var rounds: Int { getenv("OCTANT_SNAPSHOT_ROUNDS").flatMap { Int(String(cString: $0)) } ?? 3 }

    @Test(
        "while four threads write and the optimizer works, a snapshot holds exactly the state at its LSN",
        arguments: [1, 2, 3] as [UInt64])
    func exact(seed: UInt64) throws {
        let world = try SnapshotWorld()
        try world.database.createCollection("c", Self.config(seed))
        let collection = try world.database.collection("c")
        try collection.createFieldIndex(PayloadPath("n"), FieldIndexSchema(type: .integer))
        try collection.createFieldIndex(PayloadPath("t"), FieldIndexSchema(type: .keyword))
        let writers = Writers(collection, count: 4, seed: seed)
        var taken: [(path: String, before: UInt64, streamed: Bool)] = []
        for round in 0..<Self.rounds {
            writers.go(on: 60)
            let before = writers.noted.withLock { $0.map(\.lsn).max() ?? 0 }
            if round % 3 == 2 {
                var bytes: [UInt8] = []
                try world.database.streamSnapshot(.shard(collection: "c", id: 0)) { bytes.append(contentsOf: $0) }
                let path = try world.database.temporarySnapshotFile()
                try write(bytes, to: path)
                taken.append((path, before, true))
            } else {
                let made = try world.database.createSnapshot(.collection("c"))
                let path = try world.database.snapshotFile(.collection("c"), name: made.name)
                #expect(made.checksum == (try digest(of: path)))
                #expect(try LocalFileSystem().kind(path) == .file(made.size))
                taken.append((path, before, false))
            }
        }
        writers.go(on: 50)
        writers.stop()
        for (number, snapshot) in taken.enumerated() {
            let lsn = try SnapshotWorld.lsn(snapshot.path)
            let note = "seed \(seed), snapshot \(number) at \(lsn)"
            #expect(lsn >= snapshot.before, "\(note): acknowledged before and not in it")
            let model = writers.model(at: lsn)
            // Into the same database under another name, and into an empty one.
            let other = try SnapshotWorld()
            for database in [world.database, other.database] {
                try database.recover(.collection("r\(number)"), from: snapshot.path, checksum: nil, priority: .snapshot)
                let recovered = try database.collection("r\(number)")
                #expect(recovered.config == collection.config, "\(note)")
                #expect(recovered.shard.view.fieldIndexes.map(\.key.description) == ["n", "t"], "\(note)")
                #expect(recovered.shard.view.lsn == lsn, "\(note)")
                var requests = RandomRequests(generator: SeededGenerator(seed: seed))
                requests.allKinds = true
                try expectEqual(recovered, model, &requests, note)
            }
        }
        // In place: what came after the snapshot goes, and writing goes on.
        let lsn = try SnapshotWorld.lsn(taken[0].path)
        try world.database.recover(.collection("c"), from: taken[0].path, checksum: nil, priority: .replica)
        var model = writers.model(at: lsn)
        let recovered = try world.database.collection("c")
        var requests = RandomRequests(generator: SeededGenerator(seed: seed &+ 7))
        requests.allKinds = true
        try expectEqual(recovered, model, &requests, "seed \(seed), in place")
        for _ in 0..<60 {
            let operation = requests.operation()
            if (try? recovered.update(operation)) != nil { _ = model.apply(operation) }
        }
        try expectEqual(recovered, model, &requests, "seed \(seed), written on")
        #expect(throws: OctantError.self) { try collection.update(.delete(.ids([.number(1)]))) }
        #expect(try world.temporaries().count == Self.rounds / 3)
    }

    @Test("searches see the old points until the new ones are there, and nothing between")
    func searchesMeanwhile() throws {
        let world = try SnapshotWorld()
        try world.fill("c", 300, value: 1)
        let made = try world.database.createSnapshot(.collection("c"))
        let path = try world.database.snapshotFile(.collection("c"), name: made.name)
        try world.fill("c", 400, value: 2)
        let database = world.database
        let done = Monitor(false)
        let seen = Monitor([[Int64]](repeating: [], count: 2))
        let readers = (0..<2).map { number in
            Thread(name: "reader-\(number)") {
                while !done.withLock({ $0 }) {
                    do {
                        let (values, count) = try SnapshotWorld.values(try database.collection("c"), "reading")
                        let whole = values.count == 1 && count == (values.contains(1) ? 300 : 400)
                        if !whole { Issue.record("\(count) points with values \(values)") }
                        seen.change { $0[number].append(values.first ?? 0) }
                    } catch { Issue.record("a read failed: \(error)") }
                }
            }
        }
        seen.wait { $0.allSatisfy { $0.count > 3 } ? () : nil }
        try world.database.recover(.collection("c"), from: path, checksum: made.checksum, priority: .snapshot)
        seen.wait { $0.allSatisfy { $0.contains(1) } ? () : nil }
        done.change { $0 = true }
        for reader in readers { reader.join() }
        for values in seen.withLock({ $0 }) { #expect(values == values.sorted(by: >), "it went back to the old ones") }
        #expect(try world.folders().count == 1)
    }

    @Test("names differ within a second, lists say what is there, and a snapshot can be deleted once")
    func lists() throws {
        let world = try SnapshotWorld()
        let database = world.database
        try world.fill("c", 20, value: 1)
        try database.updateAliases([.create(alias: "alias", collection: "c")])
        let scopes: [SnapshotScope] = [.collection("c"), .shard(collection: "c", id: 0), .storage]
        for (scope, pattern) in zip(scopes, ["c-0-", "c-shard-0-", "full-snapshot-"]) {
            #expect(try database.snapshots(scope) == [])
            let made = try (0..<4).map { _ in try database.createSnapshot(scope) }
            #expect(Set(made.map(\.name)).count == 4)
            for one in made {
                #expect(one.name.hasPrefix(pattern) && one.name.hasSuffix(".snapshot"), "\(one.name)")
                #expect(one.creationTime?.utf8.count == 19)
                #expect(one.checksum == (try digest(of: try database.snapshotFile(scope, name: one.name))))
            }
            #expect(Set(try database.snapshots(scope)) == Set(made))
            try database.deleteSnapshot(scope, name: made[1].name)
            #expect(throws: OctantError(.notFound, "Snapshot \(made[1].name) not found")) {
                try database.deleteSnapshot(scope, name: made[1].name)
            }
            #expect(Set(try database.snapshots(scope)) == Set([made[0], made[2], made[3]]))
        }
        #expect(try database.snapshots(.collection("alias")).count == 3)
        #expect(throws: OctantError(.notFound, "Shard 1 not found")) {
            try database.snapshots(.shard(collection: "c", id: 1))
        }
        #expect(throws: OctantError.unknownCollection("x")) { try database.createSnapshot(.collection("x")) }
        #expect(try world.temporaries() == [])
        // Recovering keeps them; dropping the collection does not.
        let last = try #require(try database.snapshots(.collection("c")).last)
        let path = try database.snapshotFile(.collection("c"), name: last.name)
        try database.recover(.collection("alias"), from: path, checksum: nil, priority: .noSync)
        #expect(try database.snapshots(.collection("c")).count == 3)
        _ = try database.deleteCollection("c")
        try world.fill("c", 1, value: 1)
        #expect(try database.snapshots(.collection("c")) == [])
        #expect(try database.snapshots(.shard(collection: "c", id: 0)) == [])
        #expect(try database.snapshots(.storage).count == 3)
    }

    @Test("the whole storage comes back: all collections, those without points too, and aliases")
    func storage() throws {
        let world = try SnapshotWorld()
        try world.fill("one", 100, value: 1)
        try world.fill("two", 50, value: 2)
        try world.database.createCollection("none", tinyConfig())
        try world.database.updateAliases([
            .create(alias: "first", collection: "one"), .create(alias: "second", collection: "two"),
        ])
        let made = try world.database.createSnapshot(.storage)
        let path = try world.database.snapshotFile(.storage, name: made.name)
        // Into an empty database.
        let empty = try SnapshotWorld()
        try empty.database.recover(.storage, from: path, checksum: made.checksum?.uppercased(), priority: .snapshot)
        #expect(empty.database.collectionNames == ["none", "one", "two"])
        #expect(try empty.database.aliases() == (try world.database.aliases()))
        #expect(try SnapshotWorld.values(try empty.database.collection("first")) == ([1], 100))
        #expect(try SnapshotWorld.values(try empty.database.collection("second")) == ([2], 50))
        // Over other content: what the snapshot lacks stays.
        try world.fill("one", 100, value: 3)
        _ = try world.database.deleteCollection("two")
        try world.fill("three", 10, value: 3)
        try world.database.recover(.storage, from: path, checksum: nil, priority: .snapshot)
        #expect(world.database.collectionNames == ["none", "one", "three", "two"])
        #expect(try SnapshotWorld.values(try world.database.collection("one")) == ([1], 100))
        #expect(try SnapshotWorld.values(try world.database.collection("second")) == ([2], 50))
        #expect(try SnapshotWorld.values(try world.database.collection("three")) == ([3], 10))
        #expect(try world.folders().count == 4)
        // A name that is an alias here: all or nothing.
        let clash = try SnapshotWorld()
        try clash.fill("second", 5, value: 9)
        #expect(throws: OctantError.self) {
            try clash.database.recover(.storage, from: path, checksum: nil, priority: .snapshot)
        }
        #expect(clash.database.collectionNames == ["second"])
        #expect(try clash.folders().count == 1)
        // And after opening again.
        world.database.close()
        let again = try openQuiet(world.folder.path + "/data", FaultInjectingFileSystem(syncs: false))
        #expect(try SnapshotWorld.values(try again.collection("first")) == ([1], 100))
        #expect(try again.snapshots(.storage) == [made])
        again.close()
    }

    @Test("an archive is only taken for what it is")
    func scopes() throws {
        let world = try SnapshotWorld()
        let database = world.database
        try world.fill("c", 20, value: 1)
        let one = try database.createSnapshot(.collection("c"))
        let onePath = try database.snapshotFile(.collection("c"), name: one.name)
        let all = try database.createSnapshot(.storage)
        let allPath = try database.snapshotFile(.storage, name: all.name)
        func refusal(_ scope: SnapshotScope, _ path: String, _ checksum: String? = nil) -> OctantError? {
            do throws(OctantError) {
                try database.recover(scope, from: path, checksum: checksum, priority: .snapshot)
                return nil
            } catch { return error }
        }
        #expect(refusal(.storage, onePath)?.code == .badInput)
        #expect(refusal(.collection("c"), allPath)?.code == .badInput)
        #expect(refusal(.shard(collection: "x", id: 0), onePath) == .unknownCollection("x"))
        #expect(refusal(.shard(collection: "c", id: 3), onePath)?.code == .notFound)
        #expect(
            refusal(.collection("c"), "/nowhere/x")
                == OctantError(.badRequest, "Snapshot file \"/nowhere/x\" does not exist"))
        #expect(refusal(.collection("c"), world.folder.path) != nil)
        #expect(refusal(.collection("c"), onePath, String(repeating: "0", count: 64))?.code == .badInput)
        symlink(onePath, world.folder.path + "/link")
        #expect(refusal(.collection("c"), world.folder.path + "/link") != nil)
        try database.createCollection("other", plainConfig(7))
        #expect(refusal(.collection("other"), onePath)?.code == .badInput)
        try database.recover(.collection("other"), from: onePath, checksum: nil, replacingAny: true)
        #expect(try SnapshotWorld.values(try database.collection("other")) == ([1], 20))
        #expect(try world.folders().count == 2)
        try database.recover(.shard(collection: "c", id: 0), from: onePath, checksum: one.checksum, priority: .noSync)
        #expect(try SnapshotWorld.values(try database.collection("c")) == ([1], 20))
    }

    @Test("no name leads out of the folder of snapshots")
    func hostileNames() throws {
        let world = try SnapshotWorld()
        let database = world.database
        let secret = world.folder.path + "/secret.snapshot"
        try write([1, 2, 3], to: secret)
        let collections = [
            "..", ".", ".tmp", "a/../../b", "é", String(repeating: "x", count: 255), "shards", "c.snapshot", "-", " ",
            "full-snapshot", "%2e%2e",
        ]
        for name in collections { try world.fill(name, 3, value: 1) }
        for name in collections {
            let made = try database.createSnapshot(.collection(name))
            #expect(SnapshotName.isValid(made.name), "\(made.name)")
            let path = try database.snapshotFile(.collection(name), name: made.name)
            #expect(path.hasPrefix(database.snapshotsPath + "/") && !path.contains("/../"), "\(path)")
            #expect(try database.snapshots(.collection(name)) == [made], "\(name)")
            try database.recover(.collection(name), from: path, checksum: made.checksum, priority: .snapshot)
        }
        try world.fill("c", 3, value: 1)
        let made = try database.createSnapshot(.collection("c"))
        let bad = [
            "", ".", "..", "../secret.snapshot", "../../secret.snapshot", "../c/" + made.name, "/etc/passwd",
            made.name + "\0", "./" + made.name, made.name + "/", made.name + ".checksum", "shards", "é.snapshot",
            String(repeating: "a", count: 260) + ".snapshot", "\(made.name)\n", "x\\y.snapshot",
        ]
        symlink(secret, "\(database.snapshotsPath)/c/link.snapshot")
        for scope in [SnapshotScope.collection("c"), .storage, .shard(collection: "c", id: 0)] {
            for name in bad + ["link.snapshot", "absent.snapshot"] {
                #expect(throws: OctantError(.notFound, "Snapshot \(name) not found")) {
                    try database.deleteSnapshot(scope, name: name)
                }
                #expect(throws: OctantError.self) { try database.snapshotFile(scope, name: name) }
            }
        }
        #expect(try LocalFileSystem().kind(secret) == .file(3))
        #expect(try database.snapshots(.collection("c")) == [made])
        // What somebody else put there is listed as far as it can be told.
        try write([1, 2], to: "\(database.snapshotsPath)/c/foreign.snapshot")
        #expect(
            try database.snapshots(.collection("c")).first { $0.name == "foreign.snapshot" }
                == SnapshotDescription(name: "foreign.snapshot", size: 2))
    }

    @Test("a stream leaves nothing behind, and ends with what its reader throws")
    func stream() throws {
        let world = try SnapshotWorld()
        // The optimizer would change the size meanwhile.
        var config = tinyConfig()
        config.optimizer.maxOptimizationThreads = 0
        try world.database.createCollection("c", config)
        try world.fill("c", 200, value: 1)
        let full = try world.database.createSnapshot(.collection("c")).size
        var size = 0
        try world.database.streamSnapshot(.collection("c")) { size += $0.count }
        #expect(size == full)
        let gone = OctantError(.timeout, "the client went")
        for limit in stride(from: 0, to: full, by: full / 7) {
            var left = limit
            #expect(throws: gone) {
                try world.database.streamSnapshot(.collection("c")) { (bytes) throws(OctantError) in
                    left -= bytes.count
                    if left < 0 { throw gone }
                }
            }
        }
        #expect(try world.temporaries() == [])
        #expect(try world.database.snapshots(.collection("c")).count == 1)
        world.database.close()
        #expect(throws: OctantError.self) { try world.database.streamSnapshot(.collection("c")) { _ in } }
        #expect(throws: OctantError.self) { try world.database.createSnapshot(.storage) }
        #expect(throws: OctantError.self) { try world.database.temporarySnapshotFile() }
    }

    @Test("an incremental snapshot holds only what the ones before lack, and needs them")
    func incremental() throws {
        let world = try SnapshotWorld()
        let database = world.database
        var config = tinyConfig()
        config.optimizer.maxOptimizationThreads = 0
        try database.createCollection("c", config)
        var made: [SnapshotDescription] = []
        for round in 1...5 as ClosedRange<Int64> {
            // Each round writes points of its own, and changes some of those before.
            let ids = (UInt64(round) * 1000..<UInt64(round) * 1000 + 60).map { $0 } + [1, 2, 3]
            try database.collection("c").update(.upsert(ids.map { SnapshotWorld.point($0, round) }))
            made.append(try database.createSnapshot(.collection("c"), incremental: true))
        }
        let full = try database.createSnapshot(.collection("c"))
        #expect(made.dropFirst().allSatisfy { $0.size * 2 < full.size })
        func path(_ number: Int) throws -> String {
            try database.snapshotFile(.collection("c"), name: made[number].name)
        }
        for number in 0..<5 {
            let checksum = made[number].checksum
            try database.recover(.collection("r"), from: path(number), checksum: checksum, replacingAny: true)
            let recovered = try database.collection("r")
            #expect(recovered.shard.view.lsn == (try SnapshotWorld.lsn(path(number))))
            let (values, count) = try SnapshotWorld.values(recovered)
            #expect(values == Set(1...Int64(number + 1)) && count == 60 * (number + 1) + 3, "snapshot \(number)")
        }
        // What is built upon is not deleted, and without it nothing is recovered.
        #expect(throws: OctantError.self) { try database.deleteSnapshot(.collection("c"), name: made[2].name) }
        let alone = try SnapshotWorld()
        var refused: OctantError?
        let third = alone.folder.path + "/third"
        try write(LocalFileSystem().readAll(path(3)), to: third)
        do throws(OctantError) {
            try alone.database.recover(.collection("c"), from: third, checksum: nil, replacingAny: false)
        } catch { refused = error }
        #expect(refused?.code == .badInput && refused?.message.contains("needs the snapshot") == true)
        #expect(alone.database.collectionNames == [])
        // A damaged base is noticed.
        var bytes = try LocalFileSystem().readAll(path(1))
        bytes[bytes.count - 200] ^= 1
        try write(bytes, to: path(1))
        #expect(throws: OctantError.self) {
            try database.recover(.collection("r"), from: path(3), checksum: nil, replacingAny: true)
        }
        #expect(try SnapshotWorld.values(try database.collection("r")).count == 303)
        for number in [4, 3, 2, 1, 0] { try database.deleteSnapshot(.collection("c"), name: made[number].name) }
        #expect(try database.snapshots(.collection("c")) == [full])
    }
}
