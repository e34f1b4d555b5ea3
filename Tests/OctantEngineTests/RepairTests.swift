import Octant
import OctantEngine
import OctantModel
import OctantStorage
import Testing

/// What `octant repair` does to the folders of ``BitRotWorld``.
@Suite("Repair", .serialized)
struct RepairTests {
    private func contents(_ files: SimulatedFileSystem) throws -> [String: [UInt8]] {
        Dictionary(
            uniqueKeysWithValues: try BitRotWorld.list(files, "/data").map { ($0.path, try files.readAll($0.path)) })
    }

    private func repair(_ files: SimulatedFileSystem, isPlan: Bool = false) throws -> RepairReport {
        try Database.repair(path: "/data", isPlan: isPlan, fileSystem: files, logFileBytes: BitRotWorld.logFileBytes)
    }

    @Test("an intact folder verifies, and there is nothing to repair")
    func intact() throws {
        let world = try BitRotWorld.shared.get()
        let files = world.files.powerCut(.everything, seed: 0)
        let before = try contents(files)
        let report = try Database.verify(path: "/data", fileSystem: files, logFileBytes: BitRotWorld.logFileBytes)
        #expect(report.isClean, "\(report.findings)")
        #expect(report.collections == 2 && report.files > 40 && report.bytes > 10_000)
        let repaired = try repair(files)
        #expect(repaired.steps.isEmpty && repaired.left.isEmpty)
        #expect(try contents(files) == before)
    }

    @Test("after a repair the folder verifies and opens, what is there is right, and what is lost was said")
    func mutations() throws {
        let world = try BitRotWorld.shared.get()
        var damaged = 0
        for mutation in Mutation.all(world, flips: 4, seed: 11).prefix(100) {
            let files = try world.mutated(mutation)
            let note = "\(mutation)"
            let before = try contents(files)
            let plan = try repair(files, isPlan: true)
            #expect(try contents(files) == before, "\(note): a plan changed something")
            guard !plan.before.isClean else { continue }
            damaged += 1
            let report = try repair(files)
            let (planned, lost) = (plan.steps.compactMap(\.lost).count, report.steps.compactMap(\.lost).count)
            #expect(planned == lost, "\(note)")
            #expect(!report.steps.isEmpty || !report.left.isEmpty, "\(note)")
            let after = try contents(files)
            for (path, bytes) in before where after[path] != bytes {
                let name = path.split(separator: "/").last.map(String.init) ?? ""
                let isKept = after.contains { $0.key.contains("/quarantine/repair-") && $0.value == bytes }
                #expect(isKept || path.hasSuffix("/SUPER-a") || path.hasSuffix("/SUPER-b"), "\(note): \(name) is gone")
            }
            guard report.left.isEmpty else { continue }
            let verified = try Database.verify(path: "/data", fileSystem: files, logFileBytes: BitRotWorld.logFileBytes)
            #expect(verified.isClean, "\(note): \(verified.findings) after \(report.steps)")
            try expectRight(files, world, report, note)
        }
        #expect(damaged > 40)
    }

    private func expectRight(
        _ files: SimulatedFileSystem, _ world: BitRotWorld, _ report: RepairReport, _ note: String
    ) throws {
        let database = try BitRotWorld.open(files)
        defer { database.close() }
        let losses = report.steps.compactMap(\.lost)
        for (name, models) in [("hurt", world.hurt), ("other", [world.other])] {
            let found = database.collectionNames.filter { $0 == name || $0.hasPrefix("recovered-") }
            guard
                let collection = try found.lazy.map({ try database.collection($0) }).first(where: {
                    name == "hurt"
                        ? world.hurtFolder.hasSuffix("\($0.shard.uuid)")
                        : !world.hurtFolder.hasSuffix("\($0.shard.uuid)")
                })
            else {
                Issue.record("\(note): \(name) is not there")
                continue
            }
            #expect(collection.shard.readOnlyReason == nil, "\(note)")
            let page = try collection.scroll(ScrollRequest(limit: 10_000, withVector: .all))
            let newest = models.last?.points ?? [:]
            for record in page.points {
                let point = ModelPoint(
                    payload: models[0].members(record.payload?.object ?? JSONObject()),
                    vectors: models[0].vectors(record.vectors ?? NamedVectors()))
                let known =
                    models.contains { $0.points[record.id] == point }
                    || losses.contains { $0.contains("deletions") }
                #expect(known, "\(note): \(record.id) never was so")
            }
            if losses.isEmpty {
                #expect(page.points.count == newest.count, "\(note): \(report.steps)")
            }
            try collection.update(.upsert([Point(id: .number(99_999), vectors: NamedVectors())]))
            #expect(try collection.retrieve([.number(99_999)]).count == 1)
        }
    }

    @Test("damaged payload costs the points of the damaged block alone, and they are listed")
    func salvage() throws {
        let files = SimulatedFileSystem()
        var config = plainConfig(4, .dot)
        config.wal.capacityMB = 1
        config.optimizer.indexingThreshold = 0
        let database = try BitRotWorld.open(files)
        try database.createCollection("c", config)
        let collection = try database.collection("c")
        let text = String(repeating: "x", count: 1000)
        let points = (0..<400 as Range<UInt64>).map {
            Point(
                id: .number($0), vectors: NamedVectors(.dense([1, 2, 3, Float($0)])),
                payload: Payload(["n": .integer(Int64($0)), "text": .string(text)]))
        }
        for start in stride(from: 0, to: 400, by: 50) {
            try collection.update(.upsert(Array(points[start..<start + 50])))
        }
        collection.shard.freeze()
        while try collection.shard.flushFrozen() {}
        settle(collection)
        database.close()
        let path = try #require(
            try BitRotWorld.list(files, "/data").filter { $0.path.hasSuffix("/payload") }.max { $0.size < $1.size }?
                .path)
        let file = try files.open(path, .readWrite)
        let offset = 4096 + 3 * 65_536 + 77
        try [UInt8(0xEE)].withUnsafeBytes { try file.write($0, at: offset) }
        file.close()

        let report = try Database.verify(path: "/data", fileSystem: files, logFileBytes: BitRotWorld.logFileBytes)
        let finding = try #require(report.findings.first { $0.weight == .damage })
        #expect(finding.file == path && finding.offset == 4096 + 3 * 65_536 && finding.collection == "c")
        let repaired = try repair(files)
        #expect(repaired.left.isEmpty)
        let again = try BitRotWorld.open(files)
        defer { again.close() }
        let kept = try again.collection("c").scroll(ScrollRequest(limit: 1000, withVector: .all)).points
        let lost = Set(points.map(\.id)).subtracting(kept.map(\.id))
        // Some sixty payloads of 1 KB lie in a block, two of them in part.
        #expect((60...70).contains(lost.count))
        for record in kept {
            guard case .number(let number) = record.id else { continue }
            #expect(record.payload?.object == points[Int(number)].payload.object)
            #expect(record.vectors?[""] == .dense([1, 2, 3, Float(number)]))
        }
        let list = try #require(
            try BitRotWorld.list(files, "/data").first { $0.path.hasSuffix("/lost-points.txt") }?.path)
        let named = String(decoding: try files.readAll(list), as: UTF8.self).split(separator: "\n").map(String.init)
        #expect(Set(named) == Set(lost.map { "\($0)" }))
    }
}
