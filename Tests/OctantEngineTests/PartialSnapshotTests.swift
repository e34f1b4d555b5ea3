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

@Suite("Partial snapshots", .serialized)
struct PartialSnapshotTests {
    private static let shard = SnapshotScope.shard(collection: "c", id: 0)

    /// Two databases with the same collection, of which one goes on.
    private struct Pair {
        let sender: SnapshotWorld
        let receiver: SnapshotWorld

        /// - Parameter fill: writes what both have.
        init(
            _ config: CollectionConfig, _ files: any FileSystem = FaultInjectingFileSystem(syncs: false),
            fill: (Octant.Collection) throws -> Void
        ) throws {
            sender = try SnapshotWorld()
            receiver = try SnapshotWorld(files)
            try sender.database.createCollection("c", config)
            try fill(try sender.database.collection("c"))
            let made = try sender.database.createSnapshot(shard)
            try receiver.database.recover(
                .collection("c"), from: sender.database.snapshotFile(shard, name: made.name), checksum: nil,
                priority: .snapshot)
        }

        /// 300 points of the value 1, of which a tenth has died, and nothing that goes on in the background.
        static func quiet(_ files: any FileSystem = FaultInjectingFileSystem(syncs: false)) throws -> Pair {
            var config = tinyConfig()
            config.params.vectors = .named(Array(config.params.vectors.all.prefix(2)))
            config.optimizer.maxOptimizationThreads = 0
            return try Pair(config, files) { collection in
                try collection.update(.upsert((0..<330).map { SnapshotWorld.point($0, 1) }))
                try collection.update(.delete(.ids((300..<330).map { .number($0) })))
            }
        }

        var sent: Octant.Collection { get throws { try sender.database.collection("c") } }
        var received: Octant.Collection { get throws { try receiver.database.collection("c") } }

        /// The archive for a manifest; `nil`: nothing differs.
        func archive(for manifest: SnapshotManifest) throws -> [UInt8]? {
            guard let partial = try sender.database.partialSnapshot(shard, lacking: manifest) else { return nil }
            var bytes: [UInt8] = []
            try partial.send { bytes.append(contentsOf: $0) }
            #expect(UInt64(bytes.count) >= partial.byteCount)
            return bytes
        }

        /// A file with these bytes, beside the receiver.
        func file(_ bytes: [UInt8]) throws -> String {
            let path = receiver.folder.path + "/partial"
            try write(bytes, to: path)
            return path
        }

        /// Bytes that came; `nil`: nothing differed.
        func update() throws -> Int? {
            var size: Int?
            let differed = try receiver.database.recoverPartial(shard) { (manifest) throws(OctantError) in
                do {
                    guard let bytes = try archive(for: try SnapshotManifest(text: manifest.text)) else { return nil }
                    size = bytes.count
                    return try file(bytes)
                } catch let error as OctantError {
                    throw error
                } catch { throw OctantError(.service, "\(error)") }
            }
            #expect(differed == (size != nil))
            return size
        }

        /// The error of recovering these bytes; `nil`: they were.
        func refusal(_ bytes: [UInt8], _ checksum: String? = nil) throws -> OctantError? {
            let path = try file(bytes)
            do throws(OctantError) {
                try receiver.database.recoverPartial(shard, from: path, checksum: checksum)
                return nil
            } catch { return error }
        }

        /// Whether the receiver is as it was at first, with nothing left beside it.
        func isUntouched() throws -> Bool {
            let found = try SnapshotWorld.values(try received)
            let pins = try LocalFileSystem().kind(receiver.folder.path + "/data/pins")
            let links = pins == nil ? [] : try LocalFileSystem().list(receiver.folder.path + "/data/pins")
            return try found == ([1], 300) && receiver.folders().count == 1 && links.isEmpty
        }
    }

    @Test(
        "whatever both have written, the receiver is exactly the sender, from few bytes, until nothing differs",
        arguments: [1, 2] as [UInt64])
    func exact(seed: UInt64) throws {
        var config = allKindsConfig()
        // Where it is at work, files differ though nobody writes.
        if seed % 2 == 0 { config.optimizer.maxOptimizationThreads = 0 }
        var requests = RandomRequests(generator: SeededGenerator(seed: seed))
        requests.allKinds = true
        var model = Model()
        func write(_ collection: Octant.Collection, _ count: Int, _ model: inout Model) throws {
            for _ in 0..<count {
                let operation = requests.operation()
                if (try? collection.update(operation)) != nil { _ = model.apply(operation) }
            }
        }
        let pair = try Pair(config) { collection in
            try collection.createFieldIndex(PayloadPath("n"), FieldIndexSchema(type: .integer))
            try write(collection, 120, &model)
        }
        let isQuiet = seed % 2 == 0
        let first = try pair.update()
        if isQuiet { #expect(first == nil, "seed \(seed): as recovered") }
        for round in 0..<6 {
            let note = "seed \(seed), round \(round)"
            switch round {
            case 0: try write(try pair.sent, 40, &model)
            case 1: try pair.sent.createFieldIndex(PayloadPath("t"), FieldIndexSchema(type: .keyword))
            case 2:
                // What the receiver writes goes.
                var other = model
                try write(try pair.received, 60, &other)
                try pair.received.createFieldIndex(PayloadPath("x"), FieldIndexSchema(type: .float))
            case 3:
                var patch = CollectionPatch()
                patch.metadata = ["round": .integer(3)]
                try pair.sent.patch(patch)
            case 4: _ = try pair.sent.shard.optimizeOnce(threads: 1)
            default:
                try write(try pair.sent, 30, &model)
                var other = model
                try write(try pair.received, 30, &other)
            }
            let came = try pair.update()
            if round != 4 { #expect(came != nil, "\(note)") }
            if isQuiet { #expect(try pair.update() == nil, "\(note), again") }
            let (sent, received) = (try pair.sent, try pair.received)
            #expect(received.config == sent.config, "\(note)")
            #expect(
                received.shard.view.fieldIndexes.map(\.key.description)
                    == sent.shard.view.fieldIndexes.map(\.key.description), "\(note)")
            try expectEqual(received, model, &requests, note)
        }
        pair.receiver.database.close()
        let again = try openQuiet(pair.receiver.folder.path + "/data", FaultInjectingFileSystem(syncs: false))
        try expectEqual(try again.collection("c"), model, &requests, "seed \(seed), opened again")
        again.close()
    }

    @Test("a change sends what is new and links what is there: nothing is written twice")
    func sizes() throws {
        let pair = try Pair.quiet()
        let full = try pair.archive(for: .empty)?.count ?? 0
        #expect(try pair.update() == nil)
        #expect(try pair.archive(for: pair.receiver.database.snapshotManifest(.collection("c"))) == nil)
        func inodes() throws -> [String: UInt64] {
            let manifest = try pair.receiver.database.snapshotManifest(Self.shard)
            let folder = try pair.received.shard.path
            return Dictionary(
                uniqueKeysWithValues: manifest.files.map { file in
                    var status = stat()
                    #expect(stat("\(folder)/\(file.path)", &status) == 0)
                    return (file.path, UInt64(status.st_ino))
                })
        }
        let before = try inodes()
        try pair.sent.update(.upsert([SnapshotWorld.point(900, 1)]))
        let size = try #require(try pair.update())
        #expect(size * 2 < full, "\(size) of \(full)")
        #expect(try SnapshotWorld.values(try pair.received) == ([1], 301))
        let after = try inodes()
        let shared = before.filter { after[$0.key] == $0.value }
        #expect(shared.count == before.count, "the files of before have their place on the disk still")
        // Without any file: the configuration alone.
        var patch = CollectionPatch()
        patch.metadata = ["a": .integer(1)]
        try pair.sent.patch(patch)
        #expect(try #require(try pair.update()) < 8000)
        #expect(try pair.received.config == (try pair.sent.config))
        // An operation that changes nothing is no difference.
        try pair.sent.update(.delete(.ids([.number(77_777)])))
        #expect(try pair.update() == nil)
        // Nothing at hand, or files of another collection: all comes.
        let other = try SnapshotWorld()
        try other.fill("c", 100, value: 5)
        let foreign = try other.database.snapshotManifest(Self.shard)
        #expect(try pair.archive(for: foreign)?.count == (try pair.archive(for: .empty)?.count))
    }

    @Test("a partial snapshot is taken for nothing else, and nothing else for one")
    func kinds() throws {
        let pair = try Pair.quiet()
        try pair.sent.update(.upsert([SnapshotWorld.point(900, 1)]))
        let manifest = try pair.receiver.database.snapshotManifest(Self.shard)
        let bytes = try #require(try pair.archive(for: manifest))
        let path = try pair.file(bytes)
        for scope in [Self.shard, .collection("c"), .collection("new"), .storage] {
            #expect(throws: OctantError.self) {
                try pair.receiver.database.recover(scope, from: path, checksum: nil, replacingAny: true)
            }
        }
        let made = try pair.sender.database.createSnapshot(.collection("c"))
        let whole = try LocalFileSystem().readAll(
            pair.sender.database.snapshotFile(.collection("c"), name: made.name))
        #expect(try pair.refusal(whole)?.message.contains("it is a snapshot of one collection") == true)
        #expect(try pair.refusal(bytes, String(repeating: "0", count: 64))?.code == .badInput)
        let database = pair.receiver.database
        #expect(throws: OctantError.unknownCollection("x")) { try database.snapshotManifest(.collection("x")) }
        #expect(throws: OctantError(.notFound, "Shard 1 not found")) {
            try database.partialSnapshot(.shard(collection: "c", id: 1), lacking: .empty)
        }
        #expect(throws: OctantError.self) { try database.snapshotManifest(.storage) }
        // One that lies among stored snapshots is no base, and nothing builds on it.
        let stored = pair.receiver.database.snapshotsPath + "/c"
        try LocalFileSystem().makeDirectories(stored)
        try write(bytes, to: stored + "/c-0-later.snapshot")
        let incremental = try database.createSnapshot(.collection("c"), incremental: true)
        let header = try SnapshotReader.contents(
            of: database.snapshotFile(.collection("c"), name: incremental.name), fileSystem: LocalFileSystem()
        ).header
        #expect(header.base == .zero && header.kind == .collection)
        #expect(try pair.isUntouched())
        #expect(try pair.refusal(bytes) == nil)
        #expect(try SnapshotWorld.values(try pair.received) == ([1], 301))
    }

    @Test("what an archive leaves out must be here, whole")
    func wrongBase() throws {
        let pair = try Pair.quiet()
        try pair.sent.update(.upsert([SnapshotWorld.point(900, 1)]))
        let bytes = try #require(try pair.archive(for: pair.receiver.database.snapshotManifest(Self.shard)))
        // A shard of the same vectors that has none of the files.
        let other = try SnapshotWorld()
        try other.database.createCollection("c", try pair.sent.config)
        try other.database.collection("c").update(.upsert((0..<20).map { SnapshotWorld.point($0, 7) }))
        let path = try pair.file(bytes)
        let refused = #expect(throws: OctantError.self) {
            try other.database.recoverPartial(Self.shard, from: path, checksum: nil)
        }
        #expect(refused?.code == .badInput && refused?.message.contains("which is not here") == true)
        #expect(try SnapshotWorld.values(try other.database.collection("c")) == ([7], 20))
        #expect(try other.folders().count == 1)
        // Other vectors are refused as with every snapshot.
        let third = try SnapshotWorld()
        try third.database.createCollection("c", plainConfig(3))
        try write(try #require(try pair.archive(for: .empty)), to: path)
        #expect(throws: OctantError.self) { try third.database.recoverPartial(Self.shard, from: path, checksum: nil) }
        // A byte of a file that is here already.
        let manifest = try pair.receiver.database.snapshotManifest(Self.shard)
        for file in manifest.files {
            let place = try pair.received.shard.path + "/" + file.path
            var content = try LocalFileSystem().readAll(place)
            content[content.count / 2] ^= 4
            try write(content, to: place)
            let damaged = try pair.refusal(bytes)
            content[content.count / 2] ^= 4
            try write(content, to: place)
            #expect(damaged?.code == .unavailable, "\(file.path): \(damaged as Any)")
        }
        #expect(try pair.isUntouched())
        #expect(try pair.refusal(bytes) == nil)
    }

    @Test("flips and shortenings of a partial snapshot are refused, and the old state goes on")
    func damage() throws {
        let pair = try Pair.quiet()
        try pair.sent.update(.upsert([SnapshotWorld.point(900, 1)]))
        let bytes = try #require(try pair.archive(for: pair.receiver.database.snapshotManifest(Self.shard)))
        let seed = UInt64(9)
        var random = SeededGenerator(seed: seed)
        for place in bytes.indices where place < 600 || place % 997 == 0 || place > bytes.count - 60 {
            var changed = bytes
            changed[place] ^= 1 << UInt8.random(in: 0..<8, using: &random)
            let error = try pair.refusal(changed)
            #expect(error?.code == .badInput, "seed \(seed), flip at \(place): \(error as Any)")
        }
        for length in stride(from: 0, to: bytes.count, by: 3777) {
            #expect(try pair.refusal(Array(bytes[..<length]))?.code == .badInput, "\(length)")
        }
        #expect(try pair.isUntouched())
        #expect(try pair.refusal(bytes) == nil)
    }

    @Test("whatever call fails, the receiver has the old state or the new one")
    func failAtEveryCall() throws {
        let faults: [FaultInjectingFileSystem.Fault] = [.once(EIO), .always(ENOSPC), .short(ENOSPC)]
        var (failures, successes) = (0, 0)
        for number in stride(from: 1, to: 150, by: 8) {
            let files = FaultInjectingFileSystem(syncs: false)
            let pair = try Pair.quiet(files)
            try pair.sent.update(.upsert([SnapshotWorld.point(900, 1)]))
            let fault = faults[number / 8 % faults.count]
            let note = "fault \(fault) at call \(number)"
            files.fail(nil, at: number, fault)
            let failed: Bool
            do {
                _ = try pair.update()
                failed = false
            } catch { failed = true }
            files.reset()
            failures += failed ? 1 : 0
            successes += failed ? 0 : 1
            let now = try SnapshotWorld.values(try pair.received, note)
            #expect(now == ([1], failed ? 300 : 301), "\(note)")
            let late = (try? pair.received.update(.upsert([SnapshotWorld.point(999, 1)]))) != nil
            pair.receiver.database.close()
            let again = try openQuiet(pair.receiver.folder.path + "/data", files)
            let found = try SnapshotWorld.values(try again.collection("c"), note).count
            // A publication whose outcome is unknown may be found done; then nothing was acknowledged after it.
            #expect(found == now.count + (late ? 1 : 0) || (!late && found == 301), "\(note): \(found)")
            #expect(try pair.receiver.folders().count == 1, "\(note)")
            #expect(try LocalFileSystem().kind(pair.receiver.folder.path + "/data/pins") == nil, "\(note)")
            again.close()
        }
        #expect(failures > 3 && successes > 0, "\(failures) failed, \(successes) did not")
    }

    @Test("what is no manifest is refused")
    func manifests() throws {
        let pair = try Pair.quiet()
        let manifest = try pair.receiver.database.snapshotManifest(Self.shard)
        #expect(try SnapshotManifest(text: manifest.text) == manifest)
        #expect(try SnapshotManifest(text: "{}") == .empty)
        let good = manifest.text
        for wrong in [
            "", "[]", "null", "1", #"{"version":2}"#, #"{"version":"1"}"#, #"{"version":1}"#,
            #"{"version":1,"lsn":1,"state":"x","files":[]}"#, good.replacing("\"lsn\"", with: "\"LSN\""),
            good.replacing("\"size\":", with: "\"size\":-"), good.replacing("\"path\":\"", with: "\"path\":1,\"x\":\""),
            good.replacing("\"checksum\":", with: "\"checksum\":4294967296,\"x\":"),
            #"{"0b1c":{"segment_id":"0b1c","segment_version":1,"file_versions":{}}}"#, String(good.dropLast()),
        ] {
            #expect(throws: OctantError.self, "\(wrong)") { try SnapshotManifest(text: wrong) }
        }
        // Paths are only ever compared.
        let hostile = SnapshotManifest(
            lsn: .max, state: String(repeating: "0", count: 64),
            files: [.init(path: "../../../etc/passwd", size: .max, checksum: .max)] + manifest.files)
        let bytes = try #require(try pair.archive(for: hostile))
        #expect(try pair.refusal(bytes) == nil)
        #expect(try SnapshotWorld.values(try pair.received) == ([1], 300))
    }
}
