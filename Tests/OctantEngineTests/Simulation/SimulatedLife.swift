import Octant
import OctantEngine
import OctantModel
import OctantStorage

/// A database on a simulated disk, through operations, failing calls, crashes and restarts, all by one seed and on one
/// thread, beside a model of what it must hold.
// SAFETY: all of it runs on one thread; completions and observers are called there.
final class SimulatedLife: @unchecked Sendable {
    struct Options {
        var seed: UInt64
        var steps = 300
        /// Whether the second collection has vectors of all kinds; unset: by the seed.
        var allKinds: Bool?
        /// Of all calls, how many fail; unset: by the seed.
        var faultProbability: Double?
    }

    /// A crash that came in the middle of something.
    struct Crash {
        var disk: SimulatedFileSystem
        var isCut: Bool
        var promises: [History.Promise]
    }

    static let root = "/data"

    let simulation: Simulation
    let steps: Int
    var random: SeededGenerator
    var requests: [RandomRequests]
    var histories: [History]
    let configs: [CollectionConfig]
    /// Of all calls, how many fail.
    let faultProbability: Double
    let tearing: Int
    var disk = SimulatedFileSystem()
    var files: FaultInjectingFileSystem
    var database: Database?
    var crash: Crash?
    /// Whether the outcome of something is unknown until the next opening.
    var mustReopen = false
    var violation: String?
    var trace: [String] = []
    /// What clients were told of failed calls.
    var errors: [String] = []
    /// A checksum of all changing calls, in their order.
    private(set) var digest: UInt32 = 0
    /// Called before each changing call.
    var onCall: ((SimulatedFileSystem.Call) -> Void)?
    private var watch: ManifestWatch
    /// What there was of everything, to know that a run was worth it.
    var counts: [String: Int] = [:]

    init(_ options: Options) {
        simulation = Simulation(seed: options.seed)
        steps = options.steps
        random = SeededGenerator(seed: options.seed &* 0x2545_F491_4F6C_DD1D)
        let seed = random.next()
        faultProbability = options.faultProbability ?? [0, 0, 0.002, 0.01, 0.04][Int(seed % 5)]
        tearing = seed & 0x100 == 0 ? 512 : 4096
        let allKinds = options.allKinds ?? (seed & 0x600 == 0)
        configs = [tinyConfig(), allKinds ? allKindsConfig() : tinyConfig(), tinyConfig()]
        histories = [History(name: "one"), History(name: "two"), History(name: "three")]
        requests = (0..<3).map { number in
            RandomRequests(
                generator: SeededGenerator(seed: seed &+ UInt64(number)), idRange: number == 0 ? 50 : 70,
                allKinds: number == 1 && allKinds)
        }
        files = FaultInjectingFileSystem(disk)
        watch = ManifestWatch(disk, root: Self.root)
    }

    /// Another that goes on from `disk`, where `other` had promised so much.
    init(after other: SimulatedLife, _ disk: SimulatedFileSystem, _ promises: [History.Promise], seed: UInt64) {
        simulation = Simulation(seed: seed)
        simulation.advance(milliseconds: other.simulation.milliseconds)
        steps = 0
        random = SeededGenerator(seed: seed)
        requests = other.requests
        histories = other.histories
        for place in histories.indices { histories[place].promise = promises[place] }
        configs = other.configs
        faultProbability = 0
        tearing = other.tearing
        self.disk = disk
        files = FaultInjectingFileSystem(disk)
        watch = ManifestWatch(disk, root: Self.root)
    }

    func count(_ what: String) { counts[what, default: 0] += 1 }

    /// Runs all of it; throws what must not be.
    func run() throws {
        try Simulation.$current.withValue(simulation) {
            defer { database?.close() }
            try reopen(cut: false)
            for number in 0..<steps {
                simulation.advance(milliseconds: .random(in: 0...300, using: &random))
                trace.append("\(number): ")
                try step()
                try settleStep()
            }
            try finish()
        }
    }

    /// All of it once more without faults, and after background work has ended.
    private func finish() throws {
        note("end")
        disk.before(call: .max / 2) {}
        files.reset()
        database?.close()
        database = nil
        try reopen(cut: false, faulty: false)
        try checkLeftovers()
        for place in histories.indices {
            guard let collection = try opened(place) else { continue }
            collection.shard.freeze()
            simulation.advance(milliseconds: 100_000)
            collection.shard.flushDue()
            var rounds = 0
            while collection.shard.optimizeOnce(threads: 1) {
                rounds += 1
                try demand(rounds < 100, "background work does not end")
            }
            try check(place, searches: true)
        }
        try settleStep()
        if let failure = database?.collectionNames.compactMap({ try? database?.collection($0).info().optimizerError })
            .first
        {
            throw Violation(description: "an error without a fault: \(failure)")
        }
    }

    /// Throws what completions and the watch saw.
    func checkSeen() throws {
        if let text = violation ?? watch.violation { throw Violation(description: text) }
    }

    /// After each step: what was seen, and the crash if there was one.
    func settleStep() throws {
        try checkSeen()
        if crash != nil {
            try recover()
        } else if mustReopen {
            note("reopen after an unknown outcome")
            try close()
        }
        if database == nil, crash == nil { try reopen(cut: false) }
        for place in histories.indices {
            if let collection = try opened(place) { histories[place].see(collection.shard.view.lsn) }
            histories[place].trim()
        }
        try checkSeen()
    }

    func note(_ text: String) {
        if trace.isEmpty { trace.append("") }
        trace[trace.count - 1] += text + "; "
    }

    // MARK: Crashes

    /// Has the machine or the process stop some calls from now.
    func armCrash(within calls: Int) {
        let survival = SimulatedFileSystem.Survival.allCases.randomElement(using: &random) ?? .random
        let (seed, call) = (random.next(), Int.random(in: 1...calls, using: &random))
        note("crash in \(call) calls, \(survival)")
        disk.before(call: call) { [weak self] in
            guard let self else { return }
            count("crash \(survival)")
            stop(survival, seed: seed)
        }
    }

    /// The machine or the process stops here and now; ``recover(faulty:)`` goes on with what is left.
    func stop(_ survival: SimulatedFileSystem.Survival, seed: UInt64) {
        let promises = promisesNow()
        crash = Crash(
            disk: disk.powerCut(survival, seed: seed, piece: tearing), isCut: survival != .everything,
            promises: promises)
    }

    /// What is promised at this moment, which may be in the middle of a call.
    func promisesNow() -> [History.Promise] {
        for place in histories.indices {
            let promise = histories[place].promise
            guard promise.existence == .present || promise.existence == .dropping || promise.replacement != nil,
                let collection = try? database?.collection(histories[place].name)
            else { continue }
            if let replacement = promise.replacement, collection.shard.path != replacement.old {
                histories[place].promise.replacement?.isSeen = true
                continue
            }
            histories[place].see(collection.shard.view.lsn)
        }
        return histories.map(\.promise)
    }

    /// Goes on with what the crash left.
    func recover(faulty: Bool = true) throws {
        guard let crash else { return }
        note("crashed")
        disk.observe(nil)
        if Bool.random(using: &random) { files.fail(nil, at: 1, .forever(5)) } else { files.reset() }
        database?.close()
        database = nil
        disk = crash.disk
        for place in histories.indices { histories[place].promise = crash.promises[place] }
        let isCut = crash.isCut
        self.crash = nil
        try reopen(cut: isCut, faulty: faulty)
    }

    /// Closes, and opens again with the next step. A crash on the way counts.
    func close() throws {
        database?.close()
        database = nil
        if crash != nil { return try recover() }
        // What was answered, and not answered with an error, is on disk now.
        try reopen(cut: false)
    }

    // MARK: Opening

    /// Opens what is there, through crashes and faults, and compares it with what it must be.
    ///
    /// - Parameters:
    ///   - cut: whether power was cut before; else the process ended.
    ///   - faulty: whether calls fail and crashes come by chance.
    ///   - arm: called for the first attempt, to have calls fail.
    func reopen(cut: Bool, faulty: Bool = true, arm: ((FaultInjectingFileSystem) -> Void)? = nil) throws {
        var cut = cut
        mustReopen = false
        var attempt = 0
        while true {
            attempt += 1
            watch = ManifestWatch(disk, root: Self.root)
            disk.observe { [weak self] call in
                // The database may be closed after all else is gone.
                guard let self else { return }
                watch.see(call)
                digest = CRC32C.extend(digest, Array("\(call.kind)\(call.path)".utf8))
                onCall?(call)
            }
            files = FaultInjectingFileSystem(disk)
            let mayFail = faulty && attempt < 4 && faultProbability > 0
            if mayFail { files.failRandomly(probability: faultProbability, [5, 28, 28], seed: random.next()) }
            if attempt == 1 { arm?(files) }
            if faulty, attempt < 8, Int.random(in: 0..<4, using: &random) == 0 { armCrash(within: 60) }
            var failure: String?
            var made: Database?
            do { made = try open() } catch { failure = error.message }
            if failure == nil { failure = damage(made) }
            try checkSeen()
            if let crash {
                count("crash in recovery")
                note("crashed while opening")
                disk.observe(nil)
                made?.close()
                disk = crash.disk
                cut = cut || crash.isCut
                self.crash = nil
                continue
            }
            if arm != nil, files.fired { count("fault in opening") }
            if let failure {
                note("opening failed: \(failure)")
                try demand(!files.failures.isEmpty, "does not open: \(failure)")
                errors.append(failure)
                count("failed opening")
                made?.close()
                continue
            }
            database = made
            count("opening")
            return try verify(cut: cut)
        }
    }

    func open() throws(OctantError) -> Database {
        var options = DatabaseOptions(path: Self.root)
        options.searchThreads = 1
        options.optimizerThreads = 1
        var limits = tinyLimits()
        limits.logFileBytes = 8192
        limits.logBytes = 40_000
        limits.buildSaves.intervalMilliseconds = 0
        (limits.buildSaves.rowsMin, limits.buildSaves.batchMax) = (16, 8)
        return try Database.open(options, fileSystem: files, limits: limits)
    }

    /// Why a collection could not be opened, if one could not.
    private func damage(_ database: Database?) -> String? {
        guard let database else { return nil }
        for name in database.collectionNames {
            do { _ = try database.collection(name) } catch { return error.message }
        }
        return nil
    }

    private func verify(cut: Bool) throws {
        guard let database else { return }
        for place in histories.indices {
            let name = histories[place].name
            let exists = database.collectionExists(name)
            switch histories[place].promise.existence {
            case .absent: try demand(!exists, "\(name) is there, which was dropped or never made")
            case .present: try demand(exists, "\(name) is gone")
            case .creating, .dropping: break
            }
            if histories[place].promise.replacement?.isSeen == true {
                try demand(exists, "\(name) was recovered and read, and is gone")
            }
            guard exists else {
                histories[place].promise.existence = .absent
                histories[place].promise.replacement = nil
                histories[place].forgetSnapshots()
                continue
            }
            let collection = try database.collection(name)
            try histories[place].settle(collection, cut: cut)
            adoptVectors(place, collection)
            note("\(name) at \(histories[place].newest.lsn)")
            try checkSnapshots(place)
            try check(place, searches: Int.random(in: 0..<3, using: &random) == 0)
        }
    }

    /// The collection, if it is open.
    func opened(_ place: Int) throws -> Collection? {
        guard histories[place].promise.existence == .present else { return nil }
        return try database?.collection(histories[place].name)
    }

    /// Compares what readers see now.
    func check(_ place: Int, searches: Bool) throws {
        guard let collection = try opened(place) else { return }
        let lsn = collection.shard.view.lsn
        guard let state = histories[place].states.last(where: { $0.lsn == lsn }) else {
            throw Violation(description: "\(collection.name): reads see operation \(lsn), which nothing is known of")
        }
        histories[place].see(lsn)
        let check = StateCheck(collection: collection, model: state.model, note: "at operation \(lsn)")
        try check.values()
        if searches { try check.searches(&requests[place]) }
    }
}
