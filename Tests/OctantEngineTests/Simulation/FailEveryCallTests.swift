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
/// `OCTANT_FAIL_STRIDE=1` runs every N of every scenario; without it, every 25th of writing is run, from a first that
/// differs by kind and fault.
@Suite("A failure of every call")
struct FailEveryCallTests {
    typealias Fault = FaultInjectingFileSystem.Fault

    private static let faults: [(String, Fault)] = [
        ("once EIO", .once(EIO)), ("once ENOSPC", .once(ENOSPC)), ("forever EIO", .forever(EIO)),
        ("always ENOSPC", .always(ENOSPC)), ("short", .short(ENOSPC)),
    ]

    private static let scenarios =
        environmentNumber("OCTANT_FAIL_STRIDE") == nil ? [Scenario.ingest] : Scenario.all

    @Test("loses nothing, says which file, and ends by itself where it can", arguments: scenarios)
    func everyCall(scenario: Scenario) throws {
        let stride = environmentNumber("OCTANT_FAIL_STRIDE") ?? 25
        let prepared = try Scenario.prepared(seed: 21)
        var runs = 0
        var hits = 0
        var stuck: [String: Int] = [:]
        for kind in FileCall.allCases {
            for (name, fault) in Self.faults {
                if case .short = fault, kind != .write { continue }
                var number = stride > 1 ? 1 + (runs * 5) % stride : 1
                while true {
                    let note = "\(scenario.name): call \(number) of \(kind) fails, \(name)"
                    var fired = false
                    let life = Scenario.copy(prepared, seed: UInt64(22 + number))
                    do {
                        let outcome = try Simulation.$current.withValue(life.simulation) {
                            try run(life, scenario, kind, number, fault)
                        }
                        fired = outcome.fired
                        if let text = outcome.stuck { stuck[text, default: 0] += 1 }
                    } catch {
                        Issue.record("\(note): \(error)\n\(life.trace.joined(separator: "\n"))")
                        return
                    }
                    runs += 1
                    if fired { hits += 1 }
                    guard fired else { break }
                    number += stride
                }
            }
        }
        if getenv("OCTANT_SIM_VERBOSE") != nil {
            let text =
                "\(scenario.name): \(runs) runs, \(hits) with a failure; refused until reopened after: \(stuck)\n"
            _ = text.withCString { write(2, $0, strlen($0)) }
        }
        #expect(runs >= FileCall.allCases.count)
    }

    /// Whether the fault came, and why writes did not go on by themselves after it, if they did not.
    private func run(
        _ life: SimulatedLife, _ scenario: Scenario, _ kind: FileCall, _ number: Int, _ fault: Fault
    ) throws -> (fired: Bool, stuck: String?) {
        defer { life.database?.close() }
        let isRecovery = scenario.steps.isEmpty
        var fired = false
        try life.reopen(cut: false, faulty: false) { files in
            if isRecovery { files.fail(kind, at: number, fault) }
        }
        if isRecovery {
            // A failed opening was followed by another, without faults.
            fired = life.counts["fault in opening"] != nil || life.files.fired
        } else {
            life.files.fail(kind, at: number, fault)
            for step in scenario.steps {
                try step(life)
                try life.checkSeen()
                if life.mustReopen { break }
            }
            fired = life.files.fired
        }
        try checkTexts(life)
        if !life.mustReopen {
            for place in 0..<2 { try life.check(place, searches: false) }
        }
        var stuck: String?
        if fired, case .once(ENOSPC) = fault, !isRecovery, !life.mustReopen { stuck = try resume(life) }
        life.files.reset()
        life.database?.close()
        life.database = nil
        try life.reopen(cut: false, faulty: false)
        for place in 0..<2 where try life.opened(place) != nil {
            life.files.reset()
            try life.write(place)
            try life.opened(place)?.shard.runDue()
            try life.check(place, searches: true)
        }
        try life.checkSeen()
        return (fired, stuck)
    }

    /// Each error names a file or folder.
    private func checkTexts(_ life: SimulatedLife) throws {
        for text in life.errors {
            try demand(text.contains(SimulatedLife.root), "an error without a file: \(text)")
        }
    }

    /// After a full disk has room again, writes go on by themselves. Where nobody can know what is on disk, they are
    /// refused until the collection is opened anew, and the reason is returned.
    private func resume(_ life: SimulatedLife) throws -> String? {
        guard let failure = life.files.failures.first, let collection = try life.opened(0) else { return nil }
        life.simulation.advance(milliseconds: 100_000)
        collection.shard.freeze()
        collection.shard.flushDue()
        let before = life.errors.count
        try life.write(0)
        collection.shard.runDue()
        guard life.errors.count > before || collection.shard.refusal != nil else { return nil }
        // Whether the last publication, or what the log wrote last, is on disk.
        let isUnknowable =
            failure.path.contains("/s0/wal") || failure.call == .syncDirectory && !failure.path.contains("/s0/")
        try demand(
            isUnknowable,
            "after \(failure), writes are refused: \(life.errors.last ?? collection.shard.refusal?.message ?? "")")
        return "\(failure.call) \(failure.path.contains("/wal") ? "of the log" : "")"
    }
}
