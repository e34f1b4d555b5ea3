import Octant
import OctantEngine
import OctantModel
import OctantStorage
import OctantVectors
import Testing

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// Jobs of the optimizer that were cut short, on a simulated disk. `OCTANT_CRASH_STRIDE=1` stops before every call, not
/// every third.
@Suite("Jobs that go on after a restart")
struct ResumedJobTests {
    private static let stride = max(1, environmentNumber("OCTANT_CRASH_STRIDE") ?? 3)

    /// The graphs of a job that nothing stopped and that saved nothing.
    private func uninterrupted(_ world: BuildWorld) throws -> (graphs: [[UInt8]], ids: [UInt64]) {
        try BuildWorld.open(world.copy, saves: false) { shard in
            let stages = try BuildWorld.optimise(shard)
            #expect(stages.allSatisfy { $0.resumed == nil })
            return (BuildWorld.graphs(shard), BuildWorld.ids(shard))
        }
    }

    /// Opens an image and lets it finish; the rows that its graphs began with.
    private func finish(
        _ disk: SimulatedFileSystem, _ expected: (graphs: [[UInt8]], ids: [UInt64]), _ note: String
    ) throws -> [Int] {
        try BuildWorld.open(disk) { shard in
            #expect(
                try Set(shard.savedBuilds.names) == Set(BuildWorld.saved(disk).map { lastPathComponent($0) }), "\(note)"
            )
            let stages = try BuildWorld.optimise(shard)
            #expect(BuildWorld.graphs(shard) == expected.graphs, "\(note)")
            #expect(BuildWorld.ids(shard) == expected.ids, "\(note)")
            #expect(BuildWorld.saved(disk).isEmpty && shard.savedBuilds.names.isEmpty, "\(note)")
            return stages.compactMap(\.resumed)
        }
    }

    @Test("a crash at any call leaves what comes to the same graph, without the rows that were saved")
    func crashes() throws {
        let world = try BuildWorld()
        let expected = try uninterrupted(world)
        #expect(expected.graphs.count == 1 && expected.graphs.first?.isEmpty == false)
        var resumed: [Int] = []
        let images = try world.images(every: Self.stride)
        for image in images {
            let first = try finish(image.disk.powerCut(.everything, seed: 0), expected, image.label).first
            if let first { resumed.append(first) }
            // After the publication there is nothing to go on with.
            let isPublished = image.label.contains("MANIFEST") || image.saves == images.last?.saves
            if !isPublished { #expect((first ?? 0) >= image.saves * 48, "\(image.label): \(first ?? 0)") }
        }
        #expect(images.count > 20 && resumed.count > images.count / 3)
        #expect(Set(resumed).count >= 4, "\(resumed)")
    }

    @Test("a crash of a job that goes on, at any call")
    func secondCrashes() throws {
        let world = try BuildWorld()
        let expected = try uninterrupted(world)
        let again = BuildWorld(try world.interrupted(saves: 2))
        var most = 0
        for image in try again.images(every: Self.stride) {
            most = max(most, try finish(image.disk, expected, image.label).first ?? 0)
        }
        #expect(most > 3 * 48)
    }

    @Test("points that died since the job began stay in its graph as dead rows, unless they are many")
    func deaths() throws {
        let world = try BuildWorld()
        for share in [10, 2] as [UInt64] {
            let disk = try world.interrupted()
            let dead = (0..<BuildWorld.rows).filter { $0 % share == 1 }
            let stages = try BuildWorld.open(disk) { shard in
                try BuildWorld.write(.delete(.ids(dead.map { .number($0) })), shard)
                try BuildWorld.checkpoint(shard)
                let stages = try BuildWorld.optimise(shard)
                #expect(BuildWorld.ids(shard) == (0..<BuildWorld.rows).filter { $0 % 40 != 7 && $0 % share != 1 })
                for id in dead { #expect(shard.view.locate(.number(id)) == nil) }
                return stages
            }
            #expect(stages.contains { $0.resumed != nil } == (share == 10))
            try BuildWorld.open(disk) { shard in
                #expect(BuildWorld.ids(shard).count == shard.view.liveCount)
                for id in BuildWorld.ids(shard) { #expect(shard.view.locate(.number(id)) != nil) }
            }
        }
    }

    @Test("segments that came meanwhile wait for the job that was begun")
    func newSegments() throws {
        let world = try BuildWorld()
        let expected = try uninterrupted(world)
        let disk = try world.interrupted()
        try BuildWorld.open(disk) { shard in
            try BuildWorld.upsert(1000..<1040, shard)
            #expect(shard.optimizeOnce(threads: 1))
            #expect(shard.optimizationReport.completed.first?.stages.contains { $0.resumed != nil } == true)
            #expect(BuildWorld.graphs(shard).contains { expected.graphs.contains($0) })
            try BuildWorld.optimise(shard)
            #expect(BuildWorld.ids(shard) == expected.ids + (1000..<1040))
        }
    }

    @Test("other settings begin anew, but for those that jobs do not depend on")
    func settings() throws {
        let world = try BuildWorld()
        let changes: [(Bool, (inout CollectionConfig) -> Void)] = [
            (false, { $0.hnsw.m = 6 }), (false, { $0.hnsw.efConstruct = 20 }),
            (false, { $0.quantization = .binary(BinaryQuantization()) }),
            (false, { $0.optimizer.defaultSegmentNumber = 2 }),
            (true, { $0.optimizer.maxOptimizationThreads = 3 }), (true, { $0.hnsw.maxIndexingThreads = 1 }),
        ]
        for (number, (resumes, change)) in changes.enumerated() {
            let disk = try world.interrupted()
            try BuildWorld.open(disk) { shard in
                var config = shard.config
                change(&config)
                try shard.reconfigure(config)
                #expect(BuildWorld.saved(disk).isEmpty == !resumes, "change \(number)")
            }
            try BuildWorld.open(disk) { shard in
                let stages = try BuildWorld.optimise(shard)
                #expect(stages.contains { $0.resumed != nil } == resumes, "change \(number)")
                #expect(BuildWorld.ids(shard).count == 321 && BuildWorld.saved(disk).isEmpty)
            }
        }
        // Off: it waits until work is allowed again.
        let disk = try world.interrupted()
        try BuildWorld.open(disk) { shard in
            var config = shard.config
            config.optimizer.maxOptimizationThreads = 0
            try shard.reconfigure(config)
            #expect(try BuildWorld.optimise(shard).isEmpty && BuildWorld.saved(disk).count == 1)
            config.optimizer.maxOptimizationThreads = nil
            try shard.reconfigure(config)
            #expect(try BuildWorld.optimise(shard).contains { $0.resumed != nil })
        }
    }

    @Test("several vectors and several new segments of one job: what was finished is not built again")
    func severalGraphs() throws {
        let config = BuildWorld.config {
            $0.params.vectors = .named([
                .init(name: "a", params: VectorParams(size: 8, distance: .cosine)),
                .init(name: "b", params: VectorParams(size: 4, distance: .dot)),
            ])
            $0.optimizer.defaultSegmentNumber = 2
            $0.optimizer.maxSegmentSize = 5
        }
        let world = try BuildWorld(config)
        let expected = try uninterrupted(world)
        #expect(expected.graphs.count >= 4)
        var most: [Int] = []
        for image in try world.images(every: 2 * Self.stride, { try BuildWorld.optimise($0) }) {
            let resumed = try finish(image.disk, expected, image.label)
            if resumed.reduce(0, +) > most.reduce(0, +) { most = resumed }
        }
        #expect(most.count >= 3, "\(most)")
    }

    @Test("a graph that grows goes on from what was added")
    func growing() throws {
        var world = try BuildWorld()
        try BuildWorld.open(world.disk) { shard in
            try BuildWorld.optimise(shard)
            try BuildWorld.upsert(500..<760, shard)
        }
        world.disk = world.copy
        let expected = try uninterrupted(world)
        var resumed: [Int] = []
        for image in try world.images(every: Self.stride) {
            resumed += try finish(image.disk, expected, image.label)
        }
        #expect((resumed.min() ?? 0) > 321 && Set(resumed).count >= 3, "\(resumed)")
    }

    // MARK: Damage

    @Test("a damaged file is removed, and its job begins anew")
    func damage() throws {
        let world = try BuildWorld()
        let expected = try uninterrupted(world)
        let image = try world.interrupted()
        let path = try #require(BuildWorld.saved(image).first)
        let bytes = try image.readAll(path)
        var refused = 0
        for turn in 0..<60 {
            let disk = image.powerCut(.everything, seed: 0)
            var bad = bytes
            var note = "turn \(turn)"
            if turn % 6 == 5 {
                bad.removeLast(bytes.count * (turn + 1) / 61)
            } else {
                let place = turn < 30 ? turn * 23 : bytes.count * (turn - 29) / 32
                note += ", byte \(place)"
                bad[place] ^= 1 << UInt8(turn % 8)
            }
            try replace(path, bad, disk)
            if try finish(disk, expected, note).isEmpty { refused += 1 }
        }
        #expect(refused >= 50)
    }

    @Test("contents with the right checksums that nobody has written neither stop the process nor lose a point")
    func hostile() throws {
        let world = try BuildWorld()
        let image = try world.interrupted()
        let path = try #require(BuildWorld.saved(image).first)
        let data = try Simulation.$current.withValue(Simulation(seed: 1)) {
            let file = try BlockFile(path: path, type: "PART", fileSystem: image)
            return withExtendedLifetime(file) { Array(file.data) }
        }
        var random = SeededGenerator(seed: 31)
        for turn in 0..<120 {
            let disk = image.powerCut(.everything, seed: 0)
            var bad = data
            // By turns the description, the graph's header, and its links.
            let range = [0..<120, 120..<512, 0..<bad.count][turn % 3]
            for _ in 0..<Int.random(in: 1...3, using: &random) {
                bad[Int.random(in: range, using: &random)] = UInt8.random(in: 0...255, using: &random)
            }
            if turn % 10 == 9 { bad.removeLast(Int.random(in: 0...bad.count, using: &random)) }
            try Simulation.$current.withValue(Simulation(seed: 1)) {
                try disk.unlink(path)
                let writer = try BlockFileWriter(
                    path: path, type: "PART", uuid: BuildWorld.uuid, rows: turn % 7 == 3 ? 900 : 192, fileSystem: disk)
                try writer.append(bad)
                _ = try writer.finish()
            }
            try BuildWorld.open(disk) { shard in
                try BuildWorld.optimise(shard)
                #expect(BuildWorld.ids(shard).count == 321 && shard.view.liveCount == 321, "turn \(turn)")
                #expect(BuildWorld.saved(disk).isEmpty, "turn \(turn)")
            }
        }
    }

    @Test("descriptions of a build that are damaged are refused, and never trap")
    func descriptions() throws {
        let image = try BuildWorld().interrupted()
        let path = try #require(BuildWorld.saved(image).first)
        let bytes = Array(try image.readAll(path)[4096..<4096 + 4096])
        _ = try bytes.withUnsafeBytes { try SavedBuild($0, name: "x") }
        var random = SeededGenerator(seed: 32)
        for _ in 0..<20_000 {
            var bad = bytes
            for _ in 0..<Int.random(in: 1...3, using: &random) {
                bad[Int.random(in: 0..<400, using: &random)] = UInt8.random(in: 0...255, using: &random)
            }
            bad.removeLast(Int.random(in: 0..<4096, using: &random))
            _ = try? bad.withUnsafeBytes { try SavedBuild($0, name: "x") }
        }
    }

    private func replace(_ path: String, _ bytes: [UInt8], _ disk: SimulatedFileSystem) throws {
        let file = try disk.open(path, .createOrTruncate)
        defer { file.close() }
        try bytes.withUnsafeBytes { try file.write($0, at: 0) }
    }

    // MARK: Failing calls

    /// `OCTANT_FAIL_STRIDE=1` fails every call, not every fourth.
    @Test("a failing call costs what was to be saved, never the job")
    func failingCalls() throws {
        let world = try BuildWorld()
        let expected = try uninterrupted(world)
        let begun = BuildWorld(try world.interrupted(saves: 2))
        let stride = min(4, environmentNumber("OCTANT_FAIL_STRIDE") ?? 4)
        let faults: [FaultInjectingFileSystem.Fault] = [.once(EIO), .once(ENOSPC), .short(ENOSPC)]
        var runs = 0
        for (place, kind) in FileCall.allCases.enumerated() {
            for start in [world, begun] {
                var number = 1 + place % stride
                while true {
                    let disk = start.copy
                    let files = FaultInjectingFileSystem(disk)
                    let fired = try BuildWorld.open(files) { shard in
                        files.fail(kind, at: number, faults[(number + place) % faults.count])
                        let done = shard.optimizeOnce(threads: 1)
                        let failures = files.failures
                        let isOfSaving = failures.allSatisfy { $0.path.contains("/s0/builds") }
                        if isOfSaving { #expect(done, "\(kind) \(number): \(failures)") }
                        files.reset()
                        return !failures.isEmpty
                    }
                    if !fired { break }
                    runs += 1
                    _ = try finish(disk, expected, "\(kind) \(number)")
                    number += stride
                }
            }
        }
        #expect(runs > 20)
    }

    @Test("a job that fails again and again does not stand in the way of others")
    func hopeless() throws {
        let disk = try BuildWorld().interrupted()
        let files = FaultInjectingFileSystem(disk)
        let simulation = Simulation(seed: 9)
        try Simulation.$current.withValue(simulation) {
            let shard = try Shard.open(
                path: BuildWorld.path, uuid: BuildWorld.uuid, fileSystem: files, limits: BuildWorld.limits(),
                log: { _ in })
            defer { shard.close() }
            for round in 1...2 {
                simulation.advance(milliseconds: 1_000_000)
                files.fail(.rename, at: 1, .always(EIO))
                #expect(!shard.optimizeOnce(threads: 1))
                files.reset()
                #expect(shard.savedBuilds.names.isEmpty == (round == 2))
            }
        }
    }
}
