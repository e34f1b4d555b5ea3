import Octant
import OctantEngine
import OctantModel
import OctantStorage
import OctantVectors
import Synchronization
import Testing

/// A shard on a simulated disk whose jobs save their graphs often, by one seed and on one thread: what a job makes is the
/// same each time, so that one that was cut short has to come to the same bytes.
struct BuildWorld {
    static let uuid = UUIDBytes(high: 0x4000, low: 1 << 63)
    static let path = "/x"
    static let rows: UInt64 = 330
    private static let openings = Atomic<UInt64>(0)

    /// Its shard is closed.
    var disk: SimulatedFileSystem

    static func config(_ change: (inout CollectionConfig) -> Void = { _ in }) -> CollectionConfig {
        var config = CollectionConfig(
            params: CollectionParams(vectors: .single(VectorParams(size: 8, distance: .euclid))))
        config.optimizer.indexingThreshold = 1
        config.optimizer.vacuumMinVectorNumber = 100
        config.hnsw.m = 4
        config.hnsw.efConstruct = 12
        change(&config)
        return config
    }

    static func limits() -> ShardLimits {
        var limits = ShardLimits()
        limits.memtableRows = 512
        limits.logFileBytes = 16 << 10
        limits.buildSaves.intervalMilliseconds = 0
        (limits.buildSaves.rowsMin, limits.buildSaves.batchMax) = (48, 16)
        return limits
    }

    /// Runs `body` on an open shard of `files`, on a clock that stands where the last attempts are long ago.
    @discardableResult
    static func open<Result>(
        _ files: any FileSystem, saves: Bool = true, log: @escaping @Sendable (String) -> Void = { _ in },
        _ body: (Shard) throws -> Result
    ) throws -> Result {
        // Names of segments come from it, and must not come twice on one disk.
        let simulation = Simulation(seed: openings.add(1, ordering: .relaxed).newValue << 20)
        return try Simulation.$current.withValue(simulation) {
            var limits = limits()
            if !saves { limits.buildSaves.rowsMin = .max }
            let shard = try Shard.open(path: path, uuid: uuid, fileSystem: files, limits: limits, log: log)
            defer { shard.close() }
            simulation.advance(milliseconds: 100_000)
            return try body(shard)
        }
    }

    static func point(_ id: UInt64, names: [(String, Int)]) -> Point {
        var generator = SeededGenerator(seed: id &* 77 &+ 1)
        return Point(
            id: .number(id),
            vectors: NamedVectors(
                names.map { .init(name: $0.0, vector: .dense(randomVector($0.1, &generator))) }),
            payload: Payload(["n": .integer(Int64(id))]))
    }

    static func write(_ operation: UpdateOperation, _ shard: Shard) throws {
        var outcome: Result<UpdateResult, OctantError>?
        // SAFETY: a simulation answers on the caller's thread, before `submit` returns.
        nonisolated(unsafe) let answer: (Result<UpdateResult, OctantError>) -> Void = { outcome = $0 }
        shard.submit(operation, wait: true) { answer($0) }
        _ = try #require(outcome).get()
    }

    static func upsert(_ ids: Range<UInt64>, _ shard: Shard) throws {
        let names = shard.config.params.vectors.all.map { ($0.name, $0.params.size) }
        try write(.upsert(ids.map { point($0, names: names) }), shard)
        try checkpoint(shard)
    }

    static func checkpoint(_ shard: Shard) throws {
        shard.freeze()
        while try shard.flushFrozen() {}
    }

    /// Three flat segments, some points of which are dead.
    init(_ config: CollectionConfig = config()) throws {
        disk = SimulatedFileSystem()
        try Simulation.$current.withValue(Simulation(seed: 4)) {
            try disk.makeDirectories(Self.path)
            try Shard.create(path: Self.path, uuid: Self.uuid, config: config, fileSystem: disk)
        }
        try Self.open(disk) { shard in
            for start in stride(from: 0, to: Self.rows, by: 110) { try Self.upsert(start..<start + 110, shard) }
            try Self.write(.delete(.ids((0..<Self.rows).filter { $0 % 40 == 7 }.map { .number($0) })), shard)
            try Self.checkpoint(shard)
        }
    }

    init(_ disk: SimulatedFileSystem) { self.disk = disk }

    var copy: SimulatedFileSystem { disk.powerCut(.everything, seed: 0) }

    /// Does all work that is due; the stages of its jobs, in their order.
    @discardableResult
    static func optimise(_ shard: Shard) throws -> [OptimizationReport.Stage] {
        let before = shard.optimizationReport.completed.count
        var rounds = 0
        while shard.optimizeOnce(threads: 1) {
            rounds += 1
            try #require(rounds < 20)
        }
        let report = shard.optimizationReport.completed
        #expect(report.allSatisfy { $0.status == .done })
        return report.dropLast(before).reversed().flatMap(\.stages)
    }

    /// The graphs of its segments, in the order of the names of vectors.
    static func graphs(_ shard: Shard) -> [[UInt8]] {
        shard.view.segments.flatMap { segment in
            shard.config.params.vectors.all.map { vector in
                segment.field(vector.name)?.index.graph.map { Array($0.bytes) } ?? []
            }
        }
    }

    /// The ids of all points, by going through all parts.
    static func ids(_ shard: Shard) -> [UInt64] {
        let view = shard.view
        return view.sources.flatMap { source in
            (0..<UInt32(source.rowCount)).compactMap { row -> UInt64? in
                guard source.tombstones.isLive(row, at: view.lsn), case .number(let id) = source.id(row) else {
                    return nil
                }
                return id
            }
        }.sorted()
    }

    /// Paths below the folder of saved graphs.
    static func saved(_ disk: SimulatedFileSystem) -> [String] { disk.paths.filter { $0.contains("/s0/builds/") } }

    /// The disk at moments of a job, and how many graphs had been saved by then for certain.
    func images(
        every: Int, _ body: (Shard) throws -> Void = { _ = $0.optimizeOnce(threads: 1) }
    ) throws -> [Image] {
        let copy = copy
        let album = Album()
        try Self.open(copy) { shard in
            copy.observe { [unowned copy] call in
                let isDone = album.isSynced
                album.isSynced = call.kind == .syncDirectory && call.path.hasSuffix("/s0/builds")
                album.saves += isDone ? 1 : 0
                album.calls += 1
                guard album.calls % every == 0 else { return }
                let survival = SimulatedFileSystem.Survival.allCases[album.calls / every % 3]
                album.images.append(
                    Image(
                        label: "\(album.calls): \(call.kind) \(call.path), \(survival)", saves: album.saves,
                        disk: copy.powerCut(survival, seed: UInt64(album.calls), piece: 512)))
            }
            try body(shard)
            copy.observe(nil)
        }
        return album.images
    }

    struct Image {
        var label: String
        var saves: Int
        var disk: SimulatedFileSystem
    }

    // SAFETY: filled by the one thread of a simulation.
    private final class Album: @unchecked Sendable {
        var images: [Image] = []
        var calls = 0
        var saves = 0
        var isSynced = false
    }

    /// In the middle of a job, with most of a graph saved.
    func interrupted(saves: Int = 4) throws -> SimulatedFileSystem {
        let images = try images(every: 1)
        return try #require(images.first { $0.saves == saves }).disk.powerCut(.everything, seed: 0)
    }
}
