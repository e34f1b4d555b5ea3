import Synchronization
import Testing

@testable import OctantStorage

/// The machine loses power before every call the storage layer makes.
@Suite("Power cuts")
struct PowerCutTests {
    private static let directory = "/wal"

    /// What the log had promised at the moment of the cut, and what the disk holds then.
    private struct Cut: Sendable {
        var system: SimulatedFileSystem
        var durable: LSN
        var checkpoint: LSN
    }

    private struct Opened {
        var log: WriteAheadLog
        var report: WriteAheadLog.RecoveryReport
        var count: Int
    }

    private static func payload(_ lsn: LSN) -> [UInt8] {
        LogFixture.payload(lsn, lsn % 20 == 7 ? 9_000 : Int(lsn * 53 % 700))
    }

    /// Opens the log and checks that the records are exactly those after the checkpoint.
    private func open(_ system: SimulatedFileSystem, after checkpoint: LSN) throws -> Opened {
        var options = WriteAheadLog.Options()
        options.fileBytes = 4096
        options.sealAfter = .seconds(3600)
        var expected = checkpoint
        let (log, report) = try WriteAheadLog.open(
            directory: Self.directory, fileSystem: system, collection: LogFixture.collection, shard: 0,
            after: checkpoint, options: options
        ) { record in
            expected += 1
            #expect(record.lsn == expected)
            #expect(record.payload.elementsEqual(Self.payload(record.lsn)))
        }
        #expect(log.lastLSN == expected)
        return Opened(log: log, report: report, count: Int(expected - checkpoint))
    }

    /// Appends with a few sizes of batches, checkpoints now and then.
    private func work(_ log: WriteAheadLog, _ count: LSN, _ checkpoint: borrowing Atomic<UInt64>) throws {
        let first = log.lastLSN + 1
        log.start()
        for lsn in first..<(first + count) {
            #expect(try log.append(type: 1, payload: Self.payload(lsn)) == lsn)
            if lsn % 4 == 0 { try log.waitDurable(lsn) }
            if lsn % 13 == 0 {
                checkpoint.store(max(log.durableLSN, 3) - 3, ordering: .releasing)
                log.truncate(through: checkpoint.load(ordering: .acquiring))
            }
        }
        log.close()
    }

    @Test("a cut before any call of appending, truncating and closing loses nothing confirmed")
    func everyCall() throws {
        for survival in SimulatedFileSystem.Survival.allCases {
            var call = 1
            while let cut = try runToCut(call, survival, seed: UInt64(call)) {
                let opened = try open(cut.system, after: cut.checkpoint)
                #expect(opened.log.lastLSN >= cut.durable, "\(survival), call \(call)")
                let checkpoint = Atomic<UInt64>(cut.checkpoint)
                try work(opened.log, 9, checkpoint)
                let last = opened.log.lastLSN
                let again = try open(cut.system, after: checkpoint.load(ordering: .relaxed))
                #expect(again.log.lastLSN == last)
                again.log.close()
                call += 1
            }
            #expect(call > 60)
        }
    }

    @Test("a cut before any call of recovery: the next recovery finds the same or what the first had shown")
    func recovery() throws {
        for source in stride(from: 5, to: 90, by: 6) {
            guard let cut = try runToCut(source, .random, seed: UInt64(source)) else { break }
            var call = 1
            while call < 60 {
                let system = cut.system.powerCut(.everything, seed: 0)
                let second = Mutex<SimulatedFileSystem?>(nil)
                let seed = UInt64(call * 1_000 + source)
                system.before(call: call) { [unowned system] in
                    let image = system.powerCut(.random, seed: seed)
                    second.withLock { $0 = image }
                }
                let opened = try open(system, after: cut.checkpoint)
                let done = second.withLock { $0 } == nil
                // Not started: closing would write more.
                let image = second.withLock { $0 } ?? system.powerCut(.random, seed: 9)
                let again = try open(image, after: cut.checkpoint)
                #expect(again.log.lastLSN == opened.log.lastLSN, "cut \(source), call \(call)")
                again.log.close()
                opened.log.close()
                if done { break }
                call += 1
            }
        }
    }

    /// Works until `call` changing calls were made and cuts there; `nil` when the work makes fewer.
    private func runToCut(
        _ call: Int, _ survival: SimulatedFileSystem.Survival, seed: UInt64
    ) throws -> Cut? {
        let system = SimulatedFileSystem()
        let log = try open(system, after: 0).log
        let checkpoint = SharedNumber()
        let cut = Mutex<Cut?>(nil)
        // Unowned, for both keep what is called before their calls.
        system.before(call: call) { [unowned system, unowned log] in
            // The durable LSN first: what is promised later is not checked. The checkpoint last: another thread may
            // truncate meanwhile, and has stored it before.
            let durable = log.durableLSN
            let image = system.powerCut(survival, seed: seed)
            let covered = checkpoint.value.load(ordering: .acquiring)
            cut.withLock { $0 = Cut(system: image, durable: durable, checkpoint: covered) }
        }
        try work(log, 45, checkpoint.value)
        return cut.withLock { $0 }
    }

    @Test("a generation that was found after a kill is there after a power cut too")
    func killedThenCut() throws {
        for call in 1...6 {
            let system = SimulatedFileSystem()
            try system.makeDirectories("/c")
            let store = GenerationStore(directory: "/c", prefix: "M", fileSystem: system)
            _ = try store.loadNewest()
            _ = try store.publish([1])
            let image = Mutex<SimulatedFileSystem?>(nil)
            system.before(call: call) { [unowned system] in
                let killed = system.powerCut(.everything, seed: 0)
                image.withLock { $0 = killed }
            }
            _ = try store.publish([2])
            let killed = image.withLock { $0 } ?? system
            func newest(_ system: SimulatedFileSystem) throws -> [UInt8]? {
                let store = GenerationStore(directory: "/c", prefix: "M", fileSystem: system)
                guard case .newest(let found) = try store.loadNewest() else { return nil }
                return found.body
            }
            let found = try newest(killed)
            #expect(found == [1] || found == [2])
            #expect(try newest(killed.powerCut(.nothing, seed: 0)) == found, "call \(call)")
        }
    }

    private final class SharedNumber: Sendable { let value = Atomic<UInt64>(0) }

    @Test("a manifest is the old or the new one after a cut before any call of publishing")
    func publishing() throws {
        for survival in SimulatedFileSystem.Survival.allCases {
            for call in 1...12 {
                let system = SimulatedFileSystem()
                try system.makeDirectories("/c")
                let store = GenerationStore(directory: "/c", prefix: "M", fileSystem: system)
                _ = try store.loadNewest()
                for round in 1...3 { _ = try store.publish([UInt8(round)]) }
                let image = Mutex<SimulatedFileSystem?>(nil)
                system.before(call: call) { [unowned system] in
                    let cut = system.powerCut(survival, seed: UInt64(call))
                    image.withLock { $0 = cut }
                }
                _ = try store.publish([4])
                let cut = image.withLock { $0 }
                let after = cut ?? system.powerCut(survival, seed: 3)
                let again = GenerationStore(directory: "/c", prefix: "M", fileSystem: after)
                guard case .newest(let found) = try again.loadNewest() else {
                    Issue.record("call \(call): no newest generation")
                    continue
                }
                #expect(found.body == [4] || (found.body == [3] && cut != nil))
                #expect(try again.publish([5]).number == found.number + 1)
            }
        }
    }
}
