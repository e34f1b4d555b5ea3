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

/// For each kind of call and every number N, the N-th call of that kind fails, until a scenario makes no N calls of it.
///
/// Every N of ``Scenario/ingest`` and ``Scenario/checkpoint`` is run on a small database, and every 150th of all scenarios on
/// a larger one, from a first that differs by kind and fault. `OCTANT_FAIL_STRIDE=1` runs every N of all on that.
@Suite("A failure of every call")
struct FailEveryCallTests {
    typealias Fault = FaultInjectingFileSystem.Fault

    private static let faults: [(String, Fault)] = [
        ("once EIO", .once(EIO)), ("once ENOSPC", .once(ENOSPC)), ("for ever EIO", .forever(EIO)),
        ("always ENOSPC", .always(ENOSPC)), ("short", .short(ENOSPC)),
    ]
    private static let stride = environmentNumber("OCTANT_FAIL_STRIDE") ?? 150

    /// What came of one run.
    private struct Outcome {
        /// Whether the scenario made so many calls.
        var fired = false
        /// Why writes did not go on by themselves after it, if they did not.
        var stuck: String?
        /// Whether deletes were done on a full disk; `nil`: not tried.
        var deleted: Bool?
    }

    /// Counts of all runs of a scenario.
    private struct Totals {
        var runs = 0
        var failures = 0
        var deletes = [true: 0, false: 0]
        var stuck: [String: Int] = [:]

        mutating func add(_ outcome: Outcome) {
            runs += 1
            if outcome.fired { failures += 1 }
            if let text = outcome.stuck { stuck[text, default: 0] += 1 }
            if let deleted = outcome.deleted { deletes[deleted, default: 0] += 1 }
        }
    }

    @Test(
        "loses nothing, says which file, and ends by itself where it can",
        arguments: [Scenario.ingest, Scenario.checkpoint])
    func everyCall(scenario: Scenario) throws {
        try run(scenario, try Scenario.prepared(seed: 21, small: true), stride: 1)
    }

    @Test("also on a larger database", arguments: Scenario.all)
    func someCalls(scenario: Scenario) throws {
        try run(scenario, try Scenario.prepared(seed: 21), stride: Self.stride)
    }

    private func run(_ scenario: Scenario, _ prepared: SimulatedLife, stride: Int) throws {
        var totals = Totals()
        for (place, kind) in FileCall.allCases.enumerated() {
            for (turn, (name, fault)) in Self.faults.enumerated() {
                if case .short = fault, kind != .write { continue }
                var number = 1 + (place * 7 + turn * 5) % stride
                while true {
                    // The same seed each time: all calls before the one that fails are the same.
                    let life = Scenario.copy(prepared, seed: 22)
                    do {
                        let outcome = try Simulation.$current.withValue(life.simulation) {
                            try run(life, scenario, kind, number, fault)
                        }
                        totals.add(outcome)
                        guard outcome.fired else { break }
                    } catch {
                        let note = "\(scenario.name): call \(number) of \(kind) fails, \(name)"
                        Issue.record("\(note): \(error)\n\(life.trace.joined(separator: "\n"))")
                        return
                    }
                    number += stride
                }
            }
        }
        if getenv("OCTANT_SIM_VERBOSE") != nil { report(scenario, totals) }
        #expect(totals.runs >= FileCall.allCases.count)
        #expect(totals.failures > 0)
    }

    private func report(_ scenario: Scenario, _ totals: Totals) {
        let text = """
            \(scenario.name): \(totals.runs) runs, \(totals.failures) with a failure; deletes on a full disk: \
            \(totals.deletes[true] ?? 0) done, \(totals.deletes[false] ?? 0) refused; \
            refused until reopened after: \(totals.stuck.sorted { $0.key < $1.key })

            """
        _ = text.withCString { write(2, $0, strlen($0)) }
    }

    private func run(
        _ life: SimulatedLife, _ scenario: Scenario, _ kind: FileCall, _ number: Int, _ fault: Fault
    ) throws -> Outcome {
        defer { life.database?.close() }
        let isRecovery = scenario.steps.isEmpty
        var outcome = Outcome()
        try life.reopen(cut: false, faulty: false) { files in
            if isRecovery { files.fail(kind, at: number, fault) }
        }
        if isRecovery {
            // A failed opening was followed by another, without faults.
            outcome.fired = life.counts["fault in opening"] != nil || life.files.fired
        } else {
            life.files.fail(kind, at: number, fault)
            for step in scenario.steps {
                try step(life)
                try life.checkSeen()
                if life.mustReopen { break }
            }
            outcome.fired = life.files.fired
        }
        try checkTexts(life)
        if !life.mustReopen {
            for place in life.histories.indices { try life.check(place, searches: false) }
            if outcome.fired, !isRecovery { try fill(life, kind, fault, &outcome) }
        }
        try end(life, number)
        for place in life.histories.indices where try life.opened(place) != nil {
            try life.write(place)
            try life.opened(place)?.shard.runDue()
            try life.check(place, searches: number % 8 == 0)
        }
        try life.checkLeftovers()
        try life.checkSeen()
        return outcome
    }

    /// On a healthy disk again, the database is closed and opened, or opened after the end of the process or machine.
    private func end(_ life: SimulatedLife, _ number: Int) throws {
        switch number % 4 {
        case 0: life.stop(.everything, seed: 1)
        case 1: life.stop(.nothing, seed: 1)
        case 2: life.stop(.random, seed: UInt64(number))
        default:
            life.files.reset()
            life.database?.close()
            life.database = nil
            return try life.reopen(cut: false, faulty: false)
        }
        try life.recover(faulty: false)
    }

    /// Each error names a file or folder.
    private func checkTexts(_ life: SimulatedLife) throws {
        for text in life.errors {
            try demand(text.contains(SimulatedLife.root), "an error without a file: \(text)")
        }
    }

    // MARK: Full disks

    /// While the disk is full and after it has room again.
    private func fill(_ life: SimulatedLife, _ kind: FileCall, _ fault: Fault, _ outcome: inout Outcome) throws {
        guard let collection = try life.opened(0) else { return }
        switch fault {
        case .always(ENOSPC):
            if collection.shard.failure == nil { outcome.deleted = try delete(life, kind, collection) }
        case .once(ENOSPC): break
        default: return
        }
        outcome.stuck = try resume(life, collection)
    }

    /// Deletes are done, for which there is a reserve.
    private func delete(_ life: SimulatedLife, _ kind: FileCall, _ collection: Collection) throws -> Bool {
        let before = life.errors.count
        try life.write(0, .delete(.ids([.number(1), .number(2)])))
        collection.shard.runDue()
        try life.checkSeen()
        let isDone = life.errors.count == before
        try demand(isDone || kind != .allocate, "on a full disk a delete fails: \(life.errors.last ?? "")")
        if collection.shard.failure == nil { try life.check(0, searches: false) }
        return isDone
    }

    /// After a full disk has room again, writes go on by themselves. Where nobody can know what is on disk, they are
    /// refused until the collection is opened anew, and the reason is returned.
    private func resume(_ life: SimulatedLife, _ collection: Collection) throws -> String? {
        let failures = life.files.failures
        if collection.shard.failure == nil {
            life.files.reset()
            life.simulation.advance(milliseconds: 100_000)
            collection.shard.freeze()
            collection.shard.flushDue()
            // An error without a fault is a violation.
            if collection.shard.refusal == nil {
                try life.write(0)
                collection.shard.runDue()
                return nil
            }
        }
        // Whether the last publication, or what the log wrote last, is on disk.
        let unknown = failures.first {
            $0.path.contains("/s0/wal") || $0.call == .syncDirectory && !$0.path.contains("/s0/")
        }
        guard let unknown else {
            let reason = collection.shard.failure ?? collection.shard.refusal
            throw Violation(description: "after \(failures), writes are refused: \(reason?.message ?? "")")
        }
        return "\(unknown.call) \(unknown.path.contains("/wal") ? "of the log" : "")"
    }
}
