import Octant
import OctantEngine
import OctantModel
import OctantStorage
import Testing

/// What opening makes of damage, of leftovers and of operations that end the process; and what is found afterwards.
@Suite("Opening what is damaged", .serialized)
struct DamagedOpeningTests {
    private func contents(_ files: SimulatedFileSystem, below folder: String = "/data") throws -> [String: [UInt8]] {
        Dictionary(
            uniqueKeysWithValues: try BitRotWorld.list(files, folder).map { ($0.path, try files.readAll($0.path)) })
    }

    private func flip(_ files: SimulatedFileSystem, _ path: String, at offset: Int) throws {
        var bytes = try files.readAll(path)
        bytes[offset] ^= 0x10
        let file = try files.open(path, .readWrite)
        defer { file.close() }
        try bytes.withUnsafeBytes { try file.write($0, at: 0) }
        try file.sync()
    }

    private func newest(_ files: SimulatedFileSystem, _ folder: String, _ prefix: String) throws -> String {
        try #require(try contents(files, below: folder).keys.filter { $0.contains("/\(prefix)") }.max())
    }

    /// A collection `c` with an index added last, so that the last manifest changes nothing about points.
    private func folder() throws -> (files: SimulatedFileSystem, model: Model, path: String) {
        let files = SimulatedFileSystem()
        let database = try BitRotWorld.open(files)
        defer { database.close() }
        try database.createCollection("c", BitRotWorld.config())
        let collection = try database.collection("c")
        var requests = RandomRequests(generator: SeededGenerator(seed: 5))
        requests.allKinds = true
        var model = Model()
        for step in 0..<30 {
            let operation = requests.operation()
            if model.apply(operation) { try collection.update(operation) }
            if step == 20 {
                collection.shard.freeze()
                while try collection.shard.flushFrozen() {}
                settle(collection)
            }
        }
        try collection.createFieldIndex(PayloadPath("n"), FieldIndexSchema(type: .integer))
        return (files, model, "/data/c/\(collection.shard.uuid)")
    }

    @Test("with the newest manifest damaged, the one before opens for reading, and nothing in the folder changes")
    func olderManifest() throws {
        let (files, model, folder) = try folder()
        let manifest = try newest(files, folder, "MANIFEST-")
        try flip(files, manifest, at: 70)
        let before = try contents(files, below: folder)
        let database = try BitRotWorld.open(files)
        let collection = try database.collection("c")
        var requests = RandomRequests(generator: SeededGenerator(seed: 6))
        requests.allKinds = true
        try expectEqual(collection, model, &requests, "older manifest")
        let info = collection.info()
        #expect(info.status == .red)
        #expect(info.optimizerError?.contains(manifest) == true)
        #expect(throws: OctantError.self) {
            try collection.update(.upsert([Point(id: .number(1), vectors: NamedVectors())]))
        }
        #expect(throws: OctantError.self) {
            try collection.createFieldIndex(PayloadPath("t"), FieldIndexSchema(type: .keyword))
        }
        var patch = CollectionPatch()
        patch.onDiskPayload = false
        #expect(throws: OctantError.self) { try collection.patch(patch) }
        try database.createCollection("new", plainConfig(2))
        database.close()
        #expect(try contents(files, below: folder) == before)
        // The operator agrees.
        let report = try Database.repair(
            path: "/data", isPlan: false, fileSystem: files, logFileBytes: BitRotWorld.logFileBytes)
        #expect(report.left.isEmpty && !report.steps.isEmpty)
        let again = try BitRotWorld.open(files)
        defer { again.close() }
        try expectEqual(try again.collection("c"), model, &requests, "repaired")
        try again.collection("c").update(.upsert([Point(id: .number(1), vectors: NamedVectors())]))
    }

    @Test("an operation that ended the process three times in a row is not tried again; all before it is served")
    func poison() throws {
        let (files, _, folder) = try folder()
        var lsn: LSN = 0
        var model = Model()
        var isInLog = false
        // Should the optimizer have made a checkpoint between the two, once more: what a checkpoint knows is not replayed.
        for _ in 0..<20 where !isInLog {
            let database = try BitRotWorld.open(files)
            let collection = try database.collection("c")
            model = Model()
            let points = try collection.scroll(ScrollRequest(limit: 1000, withVector: .all)).points
            for record in points {
                model.points[record.id] = ModelPoint(
                    payload: model.members(record.payload?.object ?? JSONObject()),
                    vectors: model.vectors(record.vectors ?? NamedVectors()))
            }
            lsn = try collection.update(.upsert([Point(id: .number(77_777), vectors: NamedVectors())])).operationID
            try collection.update(.delete(.ids([.number(1), .number(2)])))
            database.close()
            isInLog = collection.shard.newest.checkpoint < lsn
        }
        try #require(isInLog)
        for attempt in 0..<4 {
            #expect(ReplayMarker.poison(try ReplayMarker.read(folder, files)) == nil, "\(attempt)")
            let marker = try ReplayMarker(folder, after: try ReplayMarker.read(folder, files), files)
            try marker.note(lsn - 1)
            try marker.note(0)
            try marker.note(lsn)
        }
        #expect(ReplayMarker.poison(try ReplayMarker.read(folder, files)) == lsn)
        let before = try contents(files, below: folder)
        #expect(try !Database.verify(path: "/data", fileSystem: files, logFileBytes: BitRotWorld.logFileBytes).isClean)
        let database = try BitRotWorld.open(files)
        let collection = try database.collection("c")
        var requests = RandomRequests(generator: SeededGenerator(seed: 6))
        requests.allKinds = true
        try expectEqual(collection, model, &requests, "before the operation")
        #expect(collection.info().optimizerError?.contains("operation \(lsn)") == true)
        database.close()
        #expect(try contents(files, below: folder) == before)
        _ = try Database.repair(path: "/data", isPlan: false, fileSystem: files, logFileBytes: BitRotWorld.logFileBytes)
        let again = try BitRotWorld.open(files)
        defer { again.close() }
        #expect(try again.collection("c").retrieve([.number(77_777)]).count == 1)
        #expect(try files.kind(folder + "/" + ReplayMarker.name) == nil)
    }

    @Test("kills at changing places of a replay, or between operations, never stop it")
    func notPoison() throws {
        let files = SimulatedFileSystem()
        try files.makeDirectory("/x")
        for attempt in 0..<20 as Range<LSN> {
            let marker = try ReplayMarker("/x", after: try ReplayMarker.read("/x", files), files)
            if attempt % 3 != 2 { try marker.note(attempt / 2 + 1) }
            if attempt % 3 == 1 { try marker.note(0) }
            #expect(ReplayMarker.poison(try ReplayMarker.read("/x", files)) == nil)
        }
    }

    @Test("leftovers go to quarantine, and from there after a day")
    func leftovers() throws {
        let (files, _, folder) = try folder()
        let stray = "/data/c/\(UUIDBytes.random())"
        for path in [stray, folder + "/s0/seg/\(UUIDBytes.random())"] {
            try files.makeDirectory(path)
            let file = try files.open(path + "/half", .create)
            try [UInt8](repeating: 7, count: 100).withUnsafeBytes { try file.write($0, at: 0) }
        }
        try BitRotWorld.open(files).close()
        let kept = try BitRotWorld.list(files, "/data").map(\.path).filter { $0.hasSuffix("/half") }
        #expect(kept.count == 2 && kept.allSatisfy { $0.contains("/quarantine/") })
        try BitRotWorld.open(files).close()
        #expect(try BitRotWorld.list(files, "/data").map(\.path).filter { $0.hasSuffix("/half") } == kept)
        let now = UInt64(4_000_000_000)
        for parent in ["/data", folder] { Quarantine(of: parent, fileSystem: files, now: now).purge() }
        #expect(try BitRotWorld.list(files, "/data").allSatisfy { !$0.path.contains("/quarantine/") })
    }

    @Test("quarantine keeps the newest leftovers, and all that a repair set aside")
    func quarantine() throws {
        let files = SimulatedFileSystem()
        try files.makeDirectory("/x")
        let start = UInt64(1_000_000)
        for number in 0..<40 as Range<UInt64> {
            let file = try files.open("/x/f\(number)", .create)
            file.close()
            try Quarantine(of: "/x", fileSystem: files, now: start + number).take("/x/f\(number)")
        }
        let repair = try Quarantine(of: "/x", fileSystem: files, now: start).repairFolder()
        try files.open(repair + "/old", .create).close()
        Quarantine(of: "/x", fileSystem: files, now: start + 100).purge()
        #expect(try files.list("/x/quarantine").count == Quarantine.keepCount + 1)
        Quarantine(of: "/x", fileSystem: files, now: start + 40 + Quarantine.keepSeconds).purge()
        #expect(try files.list("/x/quarantine") == [lastPathComponent(repair)])
        #expect(try files.kind(repair + "/old") == .file(0))
    }

    @Test("a folder of a newer format is refused without a write, also by verify and repair")
    func newer() throws {
        let (files, _, _) = try folder()
        for slot in ["SUPER-a", "SUPER-b"] {
            var bytes = Array(try files.readAll("/data/" + slot).dropLast(4))
            bytes[8] = 9
            let crc = CRC32C.extend(0, bytes)
            for byte in 0..<4 { bytes.append(UInt8(truncatingIfNeeded: crc >> (8 * UInt32(byte)))) }
            let file = try files.open("/data/" + slot, .readWrite)
            try bytes.withUnsafeBytes { try file.write($0, at: 0) }
        }
        let before = try contents(files)
        let lock = try files.readAll("/data/LOCK")
        #expect(throws: OctantError.self) { try BitRotWorld.open(files) }
        #expect(throws: OctantError.self) {
            try Database.verify(path: "/data", fileSystem: files, logFileBytes: BitRotWorld.logFileBytes)
        }
        #expect(throws: OctantError.self) {
            try Database.repair(path: "/data", isPlan: false, fileSystem: files, logFileBytes: BitRotWorld.logFileBytes)
        }
        #expect(try contents(files) == before)
        #expect(try files.readAll("/data/LOCK") == lock)
    }

    @Test("payload that is read for the first time is checked: an error with file and offset, no wrong answer")
    func payloadOnDisk() throws {
        let (files, model, folder) = try folder()
        let path = try newest(files, folder + "/s0/seg", "payload")
        let size = try files.readAll(path).count
        // The last byte of the last payload.
        try flip(files, path, at: size - 32 - 4 * ((size - 4096) / 65_540 + 1) - 1)
        let database = try BitRotWorld.open(files)
        defer { database.close() }
        let collection = try database.collection("c")
        var failure: OctantError?
        do { _ = try collection.scroll(ScrollRequest(limit: 1000)) } catch { failure = error }
        #expect(failure?.code == .unavailable)
        #expect(failure?.message.contains(path) == true && failure?.message.contains("at offset") == true)
        // From now on nothing that may be wrong is said, and nothing written on.
        #expect(throws: OctantError.self) { try collection.count() }
        #expect(throws: OctantError.self) {
            try collection.update(.setPayload(["a": .null], .ids([.number(1)]), key: nil))
        }
        #expect(collection.info().status == .red)
        #expect(!model.points.isEmpty)
    }

    @Test("a field index is not made of payload that is damaged")
    func indexOverDamage() throws {
        let (files, _, folder) = try folder()
        let path = try newest(files, folder + "/s0/seg", "payload")
        try flip(files, path, at: 4096 + 8 * 4)
        let database = try BitRotWorld.open(files)
        defer { database.close() }
        let collection = try database.collection("c")
        var failure: OctantError?
        do {
            try collection.createFieldIndex(PayloadPath("t"), FieldIndexSchema(type: .keyword))
        } catch { failure = error }
        #expect(failure?.code == .unavailable && failure?.message.contains(path) == true)
        #expect(collection.shard.newest.fieldIndexes.map(\.key.description) == ["n"])
        #expect(throws: OctantError.self) { try collection.count() }
    }

    @Test("the scrubber finds damage of what is not read, and says what it read")
    func scrub() throws {
        let world = try BitRotWorld.shared.get()
        let files = world.files.powerCut(.everything, seed: 0)
        let database = try BitRotWorld.open(files)
        defer { database.close() }
        let hurt = try database.collection("hurt")
        // Nothing is to be replaced while the test looks for a file.
        let rest = #"{"optimizers_config":{"max_optimization_threads":0}}"#
        try hurt.patch(try CollectionPatch(json: try JSONParser.parse(Array(rest.utf8))))
        settle(hurt)
        func file(_ role: SegmentEntry.Role) throws -> String {
            try #require(
                hurt.shard.newest.segments.lazy.compactMap { segment in
                    segment.entry.files.first { $0.role == role }.map { "\(segment.folder.path)/\($0.summary.name)" }
                }.first)
        }
        #expect(database.scrubber.pass().isEmpty)
        let totals = database.scrubber.totals
        #expect(totals.passes == 1 && totals.files > 20 && totals.bytes > 10_000 && totals.damagedFiles == 0)
        let graph = try file(.graph)
        try flip(files, graph, at: 4096 + 100)
        let found = database.scrubber.pass()
        #expect(found.count == 1 && found.first?.message.contains("\(graph): damaged block at offset 4096") == true)
        #expect(hurt.info().optimizerError?.contains(graph) == true)
        // The copy in memory is sound.
        #expect(try hurt.count() == world.hurt.last?.points.count)
        let vectors = try file(.vectors)
        try flip(files, vectors, at: 4096 + 5)
        #expect(database.scrubber.pass().count == 2)
        #expect(database.scrubber.totals.damagedFiles == 2)
        #expect(throws: OctantError.self) { try hurt.count() }
        #expect(try database.collection("other").count() == world.other.points.count)
    }
}
