import Octant
import OctantEngine
import OctantModel
import OctantStorage
import Synchronization
import Testing

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

@Suite("Memory guard")
struct MemoryGuardTests {
    /// What the process is said to hold.
    private final class Memory: Sendable {
        let held = Atomic<Int>(0)
        func set(_ megabytes: Int) { held.store(megabytes << 20, ordering: .relaxed) }
    }

    private func memoryGuard(_ memory: Memory, limit: Int = 256) -> MemoryGuard {
        MemoryGuard(limit: limit << 20, every: 0) { memory.held.load(ordering: .relaxed) }
    }

    private func open(_ folder: TemporaryFolder, _ memory: Memory) throws -> Database {
        var limits = tinyLimits()
        limits.memoryGuard = memoryGuard(memory)
        return try Database.open(
            DatabaseOptions(path: folder.path), fileSystem: FaultInjectingFileSystem(syncs: false), limits: limits)
    }

    @Test("an eighth of the limit stays free, 96 MB at least where that is no more than a third, 2 GB at most")
    func thresholds() {
        #expect(MemoryGuard(limit: 64 << 30).refusesAbove == 62 << 30)
        #expect(MemoryGuard(limit: 8 << 30).refusesAbove == 7 << 30)
        #expect(MemoryGuard(limit: 512 << 20).refusesAbove == 416 << 20)
        let small = MemoryGuard(limit: 240 << 20)
        #expect(small.refusesAbove == 160 << 20 && small.pressedAbove == 145 << 20)
    }

    @Test("the system says what this process holds, and it grows with what is allocated")
    func process() {
        let before = ProcessPages.held
        guard before > 0 else { return }  // not told here
        let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: 64 << 20, alignment: 4096)
        defer { memory.deallocate() }
        for place in stride(from: 0, to: memory.count, by: 4096) { memory[place] = 1 }
        #expect(ProcessPages.held > 32 << 20)
    }

    @Test("while memory is short writes are refused with the limit named, deletes and reads go on, and writes resume")
    func refusal() throws {
        let folder = TemporaryFolder()
        let memory = Memory()
        let database = try open(folder, memory)
        defer { database.close() }
        try database.createCollection("c", tinyConfig())
        let collection = try database.collection("c")
        let points = (0..<3 as Range<UInt64>).map { Point(id: .number($0), vectors: NamedVectors([])) }
        try collection.update(.upsert(points))

        memory.set(171)
        let edits: [UpdateOperation] = [
            .upsert(points), .overwritePayload(Payload(["n": .integer(1)]), .ids([.number(1)])),
            .clearPayload(.ids([.number(1)])),
        ]
        for edit in edits {
            let lsn = collection.shard.lastLSN
            do {
                try collection.update(edit)
                Issue.record("taken although memory is short")
            } catch {
                #expect(error.code == .insufficientStorage && error.message.contains("256 MB"))
            }
            #expect(collection.shard.lastLSN == lsn, "what is refused is not in the log")
        }
        try collection.update(.delete(.ids([.number(1)])))
        #expect(collection.info().pointsCount == 2)

        memory.set(100)
        try collection.update(.upsert(points))
        #expect(collection.info().pointsCount == 3)
    }

    @Test("what one write brings counts at once, not only when the process is looked at again")
    func added() {
        let memory = Memory()
        let guarded = MemoryGuard(limit: 960 << 20, every: 1 << 40) { memory.held.load(ordering: .relaxed) }
        memory.set(700)
        #expect(guarded.refusal(adding: 10 << 20) == nil)
        #expect(guarded.held == 710 << 20)
        #expect(guarded.refusal(adding: 200 << 20)?.code == .insufficientStorage)
        #expect(guarded.held >= 700 << 20)
    }

    @Test("near the limit memtables are written to disk by themselves")
    func pressed() throws {
        let folder = TemporaryFolder()
        let memory = Memory()
        let database = try open(folder, memory)
        defer { database.close() }
        try database.createCollection("c", tinyConfig())
        let collection = try database.collection("c")
        try collection.update(.upsert([Point(id: .number(1), vectors: NamedVectors([]))]))
        #expect(collection.shard.view.segments.isEmpty)
        memory.set(160)
        while collection.shard.view.segments.isEmpty { sched_yield() }
        #expect(collection.shard.view.memtables.allSatisfy { $0.table.rowCount == 0 })
        #expect(collection.info().pointsCount == 1)
    }

    @Test("jobs that would not fit wait, what running ones still need counts against writes, and ends with them")
    func jobs() {
        let memory = Memory()
        let guarded = memoryGuard(memory, limit: 960)
        memory.set(400)
        #expect(guarded.admits(job: 500 << 20) && !guarded.admits(job: 501 << 20))
        let job = JobMeter()
        guarded.jobStarts(job, expected: 400 << 20)
        #expect(guarded.admits(job: 100 << 20) && !guarded.admits(job: 101 << 20))
        #expect(guarded.refusal(adding: 101 << 20) != nil)
        #expect(guarded.refusal(adding: 100 << 20) == nil)
        guarded.jobEnds(job)
        memory.set(400)
        #expect(guarded.admits(job: 500 << 20))
        #expect(guarded.roomForRequests == 250 << 20)
    }

    @Test("a job for which there is no memory waits, the status says so, and it runs when there is")
    func waiting() throws {
        let folder = TemporaryFolder()
        let memory = Memory()
        let database = try open(folder, memory)
        defer { database.close() }
        try database.createCollection("c", tinyConfig())
        let collection = try database.collection("c")
        let points = (0..<200 as Range<UInt64>).map { Point(id: .number($0), vectors: NamedVectors([])) }
        try collection.update(.upsert(points))
        memory.set(160)
        while collection.shard.view.memtables.contains(where: { $0.table.rowCount > 0 }) { sched_yield() }
        // Most of what is on disk is deleted: a vacuum is due.
        memory.set(245)
        try collection.update(.delete(.ids((0..<199 as Range<UInt64>).map { .number($0) })))
        while collection.info().optimizerError == nil { sched_yield() }
        #expect(collection.info().optimizerError?.contains("waits for memory") == true)
        memory.set(10)
        while collection.info().optimizerError != nil { sched_yield() }
        #expect(collection.info().pointsCount == 1)
    }

    @Test("what waits in memory fits a small limit, and is as ever with a large one")
    func sizes() {
        var small = ShardLimits()
        small.fit(memory: 256 << 20)
        #expect(small.memtableBytes == 8 << 20 && small.queueBytesMax == 32 << 20)
        var large = ShardLimits()
        large.fit(memory: 24 << 30)
        #expect(large.memtableBytes == ShardLimits().memtableBytes)
        #expect(large.queueBytesMax == ShardLimits().queueBytesMax)
    }

    @Test("many collections are opened side by side, and the damage of one is its own")
    func openingMany() throws {
        let folder = TemporaryFolder()
        let files = FaultInjectingFileSystem(syncs: false)
        func open() throws -> Database {
            try Database.open(DatabaseOptions(path: folder.path), fileSystem: files, limits: tinyLimits())
        }
        let names = (0..<24).map { "c\($0)" }
        let before = try open()
        for (number, name) in names.enumerated() {
            try before.createCollection(name, tinyConfig())
            let points = (0..<UInt64(number + 1)).map { Point(id: .number($0), vectors: NamedVectors([])) }
            try before.collection(name).update(.upsert(points))
        }
        let damaged = try before.collection("c7").shard.path
        before.close()
        for name in try LocalFileSystem().list(damaged) where name.hasPrefix("MANIFEST") {
            try LocalFileSystem().unlink(damaged + "/" + name)
        }
        let after = try open()
        defer { after.close() }
        #expect(after.collectionNames == names.sorted())
        for (number, name) in names.enumerated() where name != "c7" {
            #expect(try after.collection(name).info().pointsCount == number + 1)
        }
        do {
            _ = try after.collection("c7")
            Issue.record("opened without a manifest")
        } catch { #expect(error.code == .unavailable && error.message.contains("c7")) }
    }
}
