import Octant
import OctantEngine
import OctantModel
import OctantStorage
import Testing

@Suite("Memory of recovery")
struct RecoveryMemoryTests {
    private func open(_ disk: SimulatedFileSystem, memtableRows: Int) throws -> Database {
        var options = DatabaseOptions(path: "/data")
        options.searchThreads = 1
        var limits = tinyLimits()
        limits.memtableRows = memtableRows
        limits.memtableBytes = 1 << 30
        return try Database.open(options, fileSystem: disk, limits: limits)
    }

    @Test("a log of more points than memory may hold is replayed in pieces, each on disk before the next but few")
    func replay() throws {
        try Simulation.$current.withValue(Simulation(seed: 1)) {
            let disk = SimulatedFileSystem()
            let before = try open(disk, memtableRows: 4096)
            try before.createCollection("c", tinyConfig())
            let collection = try before.collection("c")
            var model = Model()
            var generator = SeededGenerator(seed: 1)
            for start in stride(from: 0, to: 2000, by: 50) as StrideTo<UInt64> {
                let points = (start..<start + 50).map { id in
                    Point(
                        id: .number(id),
                        vectors: NamedVectors([.init(name: "a", vector: .dense(randomVector(4, &generator)))]),
                        payload: Payload(["n": .integer(Int64(id))]))
                }
                try collection.update(.upsert(points))
                _ = model.apply(.upsert(points))
            }
            #expect(collection.shard.view.segments.isEmpty, "all of it is in the log alone")
            let image = disk.powerCut(.nothing, seed: 1)
            before.close()

            let after = try open(image, memtableRows: 64)
            defer { after.close() }
            let view = try after.collection("c").shard.view
            let limits = try after.collection("c").shard.limits
            #expect(view.memtables.count <= limits.frozenMax + 1)
            #expect(view.memtables.allSatisfy { $0.table.rowCount <= 64 })
            #expect(view.segments.allSatisfy { $0.rowCount <= 64 })
            let written = view.segments.reduce(0) { $0 + $1.rowCount }
            #expect(written >= 2000 - (limits.frozenMax + 1) * 64)
            #expect(view.checkpoint > 0)
            try StateCheck(collection: try after.collection("c"), model: model, note: "after recovery").values()
        }
    }
}
