import Octant
import OctantEngine
import OctantModel
import OctantStorage
import Testing

/// Something a database does, in steps, after some life of its own.
struct Scenario: CustomTestStringConvertible, Sendable {
    typealias Step = @Sendable (SimulatedLife) throws -> Void

    var name: String
    var steps: [Step]
    /// What a run without faults must have done at least so often, by the names of ``SimulatedLife/counts``: a scenario
    /// that has come to do nothing proves nothing.
    var proves: [String: Int] = [:]
    var testDescription: String { name }

    private static func on(_ place: Int, _ body: @escaping @Sendable (Collection) throws -> Void) -> Step {
        { life in
            if let collection = try life.opened(place) { try body(collection) }
        }
    }

    private static let write: Step = { try $0.write(0) }
    private static let drive = on(0) { $0.shard.runDue() }
    private static let freeze = on(0) { $0.shard.freeze() }
    private static let flush: Step = { life in
        // A checkpoint that failed is tried again after a while.
        life.simulation.advance(milliseconds: 2000)
        try life.opened(0)?.shard.flushDue()
    }
    private static let optimise: Step = { life in
        life.simulation.advance(milliseconds: 100_000)
        _ = try life.opened(0)?.shard.optimizeOnce(threads: 1)
    }

    static let ingest = Scenario(
        name: "ingest",
        steps: [Step](repeating: write, count: 12) + [drive] + [Step](repeating: write, count: 8) + [drive])
    static let checkpoint = Scenario(
        name: "checkpoint", steps: [freeze, flush, write, write, write, write, drive, freeze, flush, flush])
    static let optimisation = Scenario(
        name: "optimise", steps: [optimise, optimise, write, drive, freeze, flush, optimise, optimise])
    static let settings = Scenario(
        name: "settings",
        steps: [
            { life in
                guard let collection = try life.opened(0) else { return }
                try life.createIndex(0, collection, PayloadPath("n"), .integer)
            }, write, drive,
            { life in
                guard let collection = try life.opened(0) else { return }
                var patch = CollectionPatch()
                var hnsw = HNSWConfigDiff()
                hnsw.m = 6
                patch.hnsw = hnsw
                patch.quantization = .set(.scalar(ScalarQuantization(quantile: 0.99)))
                try life.apply(0, collection, patch)
            }, optimise,
            { life in
                guard let collection = try life.opened(0) else { return }
                try life.createIndex(0, collection, PayloadPath("n"), .float)
            },
        ])
    static let vectors = Scenario(
        name: "vectors",
        steps: [{ try $0.changeVectors(1) }, { try $0.write(1) }, { try $0.write(1) }, { try $0.changeVectors(1) }])
    static let names = Scenario(
        name: "names", steps: [{ try $0.createOrDrop(1) }, { try $0.createOrDrop(1) }, { try $0.write(1) }])
    static let snapshot = Scenario(
        name: "snapshot",
        steps: [
            { try $0.takeSnapshot(0, incremental: false) }, write, write, { try $0.takeSnapshot(0, incremental: true) },
            { try $0.deleteSnapshot(0) }, { try $0.takeSnapshot(1, incremental: true) }, { try $0.deleteSnapshot(1) },
        ])
    static let restore = Scenario(
        name: "restore",
        steps: [
            { try $0.recoverSnapshot(of: 0, as: 0) }, write, { try $0.recoverSnapshot(of: 1, as: 2) },
            { try $0.write(2) }, { try $0.recoverSnapshot(of: 1, as: 1) }, { try $0.recoverSnapshot(of: 0, as: 2) },
        ])
    static let partial = Scenario(
        name: "partial",
        steps: [
            { try $0.recoverSnapshot(of: 0, as: 2) }, write, drive, { try $0.recoverPartial(of: 0, as: 2) }, write,
            { try $0.write(2) }, freeze, flush, { try $0.recoverPartial(of: 0, as: 2) },
            { try $0.recoverPartial(of: 2, as: 0) }, { try $0.recoverPartial(of: 1, as: 0) },
        ], proves: ["partial that differed": 2])
    /// Nothing but opening.
    static let recovery = Scenario(name: "recover", steps: [])

    /// The six of the test programme, and four more.
    static let all = [ingest, checkpoint, optimisation, snapshot, restore, partial, recovery, settings, vectors, names]

    /// A database with two collections, segments, deletions, an index, snapshots and a tail in the log.
    ///
    /// - Parameter small: whether there are few vectors and segments, so that every call means fewer calls.
    static func prepared(seed: UInt64, small: Bool = false) throws -> SimulatedLife {
        let life = SimulatedLife(.init(seed: seed, allKinds: !small, faultProbability: 0))
        try Simulation.$current.withValue(life.simulation) {
            try life.reopen(cut: false, faulty: false)
            for place in 0..<2 {
                for round in 0..<(small ? 2 : 3) {
                    for _ in 0..<(small ? 4 : 7) { try life.write(place) }
                    guard let collection = try life.opened(place) else { continue }
                    if round == 0 { try life.createIndex(place, collection, PayloadPath("t"), .keyword) }
                    collection.shard.freeze()
                    collection.shard.flushDue()
                    if round == 1 { _ = collection.shard.optimizeOnce(threads: 1) }
                    if round > 0 { try life.takeSnapshot(place, incremental: round == 2) }
                    for _ in 0..<(small ? 3 : 6) { try life.write(place) }
                    collection.shard.runDue()
                }
            }
            try life.checkSeen()
        }
        return life
    }

    /// Another life that begins where `prepared` is now.
    static func copy(_ prepared: SimulatedLife, seed: UInt64) -> SimulatedLife {
        let disk = prepared.disk.powerCut(.everything, seed: 0)
        return SimulatedLife(after: prepared, disk, prepared.histories.map(\.promise), seed: seed)
    }
}
