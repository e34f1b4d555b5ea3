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

@Suite("Stored snapshots that build on each other, or are gone")
struct SnapshotStoreTests {
    @Test("an incremental snapshot builds on none that cannot be recovered")
    func brokenChain() throws {
        let world = try SnapshotWorld()
        let scope = SnapshotScope.collection("c")
        try world.fill("c", 40, value: 1)
        let complete = try world.database.createSnapshot(scope)
        try world.fill("c", 60, value: 1)
        let second = try world.database.createSnapshot(scope, incremental: true)
        // The one that it builds on gets lost.
        let files = LocalFileSystem()
        try files.unlink(try world.database.snapshotFile(scope, name: complete.name))
        let path = try world.database.snapshotFile(scope, name: second.name)
        #expect(throws: OctantError.self) {
            try world.database.recover(scope, from: path, checksum: nil, priority: .snapshot)
        }
        let third = try world.database.createSnapshot(scope, incremental: true)
        let made = try world.database.snapshotFile(scope, name: third.name)
        #expect(try SnapshotReader.contents(of: made, fileSystem: files).header.base == .zero)
        try world.fill("c", 60, value: 2)
        try world.database.recover(scope, from: made, checksum: third.checksum, priority: .snapshot)
        #expect(try SnapshotWorld.values(try world.database.collection("c")) == ([1], 60))
    }

    @Test("a snapshot that others may build on is not deleted while they cannot be read")
    func unreadable() throws {
        let files = FaultInjectingFileSystem(syncs: false)
        let world = try SnapshotWorld(files)
        let scope = SnapshotScope.collection("c")
        try world.fill("c", 20, value: 1)
        let complete = try world.database.createSnapshot(scope)
        try world.fill("c", 30, value: 1)
        _ = try world.database.createSnapshot(scope, incremental: true)
        for call in [FileCall.open, .read] {
            var number = 1
            while true {
                files.fail(call, at: number, .once(EIO))
                #expect(throws: OctantError.self, "\(call) \(number)") {
                    try world.database.deleteSnapshot(scope, name: complete.name)
                }
                if !files.fired { break }
                number += 1
            }
            #expect(number > 2)
        }
        files.reset()
        #expect(try world.database.snapshots(scope).count == 2)
    }

    @Test("no power cut brings back the snapshots of a collection that was dropped")
    func dropped() throws {
        let simulation = Simulation(seed: 5)
        try Simulation.$current.withValue(simulation) {
            let disk = SimulatedFileSystem()
            let database = try openQuiet("/data", disk)
            try database.createCollection("c", tinyConfig())
            try database.collection("c").update(.upsert([SnapshotWorld.point(1, 1)]))
            _ = try database.createSnapshot(.collection("c"))
            _ = try database.createSnapshot(.shard(collection: "c", id: 0))
            #expect(disk.paths.contains { $0.hasPrefix("/data/snapshots/c/") })
            #expect(try database.deleteCollection("c"))
            for seed in 0..<4 as Range<UInt64> {
                let left = disk.powerCut(.random, seed: seed)
                #expect(!left.paths.contains { $0.hasPrefix("/data/snapshots/c/") })
            }
            database.close()
        }
    }
}
