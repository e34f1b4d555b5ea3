import Synchronization
import Testing

@testable import OctantStorage

/// Every call the log makes fails once, for ever, or half.
@Suite("Write-ahead log: failing calls")
struct WALFaultTests {
    private static let faults: [FaultInjectingFileSystem.Fault] = [.once(5), .forever(5), .short(28), .once(28)]

    /// Appends, splits, truncates and closes; returns the highest number that was confirmed.
    private func work(_ log: WriteAheadLog, from first: LSN, _ acknowledged: inout LSN) throws {
        for lsn in first..<(first + 40) {
            let length: Int? = lsn % 20 == 7 ? 9_000 : nil
            guard try log.append(type: 1, payload: LogFixture.payload(lsn, length)) == lsn else {
                Issue.record("number out of order")
                return
            }
            if lsn % 3 == 0 {
                try log.waitDurable(lsn)
                acknowledged = lsn
            }
            if lsn % 25 == 0 { log.truncate(through: acknowledged) }
        }
        try log.waitDurable(first + 39)
        acknowledged = first + 39
    }

    private func matches(_ opened: LogFixture.Opened, from first: LSN) -> Bool {
        opened.records.enumerated().allSatisfy { index, record in
            record.lsn == first + UInt64(index)
                && record.payload == LogFixture.payload(record.lsn, record.lsn % 20 == 7 ? 9_000 : nil)
        }
    }

    @Test("no confirmed record is lost whatever call fails while appending", arguments: faults.indices)
    func appendFaults(fault: Int) throws {
        var call = 1
        while true {
            let faulty = FaultInjectingFileSystem(LocalFileSystem(), syncs: false)
            var fixture = LogFixture(folder: TemporaryFolder())
            fixture.system = faulty
            let failures = Mutex(0)
            let opened = try fixture.open(start: false)
            opened.log.start(onFailure: { _ in failures.withLock { $0 += 1 } })
            faulty.fail(nil, at: call, Self.faults[fault])
            var acknowledged: LSN = 0
            do { try work(opened.log, from: 1, &acknowledged) } catch let error as StorageError {
                #expect(error.message.contains("injected"))
                #expect(failures.withLock { $0 } <= 1)
                if opened.log.failure != nil {
                    #expect(storageError { _ = try opened.log.append(type: 1, payload: []) } != nil)
                    #expect(storageError { try opened.log.waitDurable(opened.log.lastLSN) } != nil)
                }
            }
            let durable = opened.log.durableLSN
            #expect(durable >= acknowledged)
            opened.log.close()
            let fired = faulty.fired
            faulty.reset()
            // Nothing above 25 was checkpointed: the records from the last truncation on must be there.
            let checkpoint: LSN = acknowledged >= 24 ? 24 : 0
            let again = try fixture.open(after: checkpoint)
            #expect(matches(again, from: checkpoint + 1), "call \(call)")
            #expect(again.log.lastLSN >= durable, "call \(call)")
            var more: LSN = 0
            try work(again.log, from: again.log.lastLSN + 1, &more)
            again.log.close()
            if !fired { break }
            call += 1
        }
        #expect(call > 30)
    }

    @Test("recovery that fails at any call can be repeated with the same result", arguments: faults.indices)
    func recoveryFaults(fault: Int) throws {
        let source = LogFixture(folder: TemporaryFolder())
        let opened = try source.open()
        var acknowledged: LSN = 0
        try work(opened.log, from: 1, &acknowledged)
        let copy = try source.folder.copy()
        opened.log.close()
        var call = 1
        while true {
            let faulty = FaultInjectingFileSystem(LocalFileSystem(), syncs: false)
            var fixture = LogFixture(folder: try copy.copy())
            fixture.system = faulty
            faulty.fail(nil, at: call, Self.faults[fault])
            if let first = try? fixture.open(after: 24) {
                #expect(first.records.count == 16)
                first.log.close()
            }
            let fired = faulty.fired
            faulty.reset()
            let again = try fixture.open(after: 24)
            #expect(again.records.count == 16 && matches(again, from: 25), "call \(call)")
            var more: LSN = 0
            try work(again.log, from: 41, &more)
            again.log.close()
            if !fired { break }
            call += 1
        }
        #expect(call > 10)
    }

    @Test("a full disk refuses appends, lets deletes use the reserve, and recovers by itself")
    func diskFull() throws {
        let faulty = FaultInjectingFileSystem(LocalFileSystem(), syncs: false)
        var fixture = LogFixture(folder: TemporaryFolder())
        fixture.system = faulty
        let opened = try fixture.open()
        faulty.fail(.allocate, at: 1, .always(28))
        var lsn: LSN = 0
        var refused: StorageError?
        while refused == nil, lsn < 1_000 {
            do throws(StorageError) { lsn = try opened.log.append(type: 1, payload: LogFixture.payload(lsn + 1)) } catch
            {
                refused = error
            }
        }
        #expect(refused?.code == .diskFull)
        #expect(refused?.message.contains("No space left on device") == true)
        #expect(opened.log.failure == nil)
        try opened.log.waitDurable(lsn)
        // The reserve: most of one file.
        var deletes = 0
        while let next = try? opened.log.append(
            type: 1, payload: LogFixture.payload(lsn + 1), mayUseReserve: true)
        {
            lsn = next
            deletes += 1
        }
        #expect(deletes > 20)
        #expect(storageError { _ = try opened.log.append(type: 1, payload: [1]) }?.code == .diskFull)
        try opened.log.waitDurable(lsn)
        faulty.reset()
        lsn = try opened.log.append(type: 1, payload: LogFixture.payload(lsn + 1))
        opened.log.close()
        let again = try fixture.open()
        #expect(again.records.count == Int(lsn) && LogFixture.isPrefix(again))
        again.log.close()
    }

    @Test("a record too large for the disk leaves no spares behind and the log usable")
    func hugeRecord() throws {
        let faulty = FaultInjectingFileSystem(LocalFileSystem(), syncs: false)
        var fixture = LogFixture(folder: TemporaryFolder())
        fixture.system = faulty
        let opened = try fixture.open()
        faulty.fail(.allocate, at: 8, .always(28))
        #expect(
            storageError { _ = try opened.log.append(type: 1, payload: [UInt8](repeating: 1, count: 100_000)) }?.code
                == .diskFull)
        #expect(try fixture.folder.names().count <= 3)
        #expect(try opened.log.append(type: 1, payload: LogFixture.payload(1)) == 1)
        opened.log.close()
        faulty.reset()
        let again = try fixture.open()
        #expect(again.records.count == 1)
        again.log.close()
    }

    @Test("a failed sync is reported to everybody who waits, once to the callback, and nothing is acknowledged after")
    func fence() throws {
        let faulty = FaultInjectingFileSystem(LocalFileSystem(), syncs: false)
        var fixture = LogFixture(folder: TemporaryFolder())
        fixture.system = faulty
        let opened = try fixture.open(start: false)
        let events = Mutex<[String]>([])
        let log = opened.log
        for lsn in 1...LSN(5) { _ = try log.append(type: 1, payload: LogFixture.payload(lsn)) }
        faulty.fail(.sync, at: 1, .once(5))
        let errors = Mutex(0)
        let threads = (1...5).compactMap { lsn in
            startThread {
                do { try log.waitDurable(LSN(lsn)) } catch { errors.withLock { $0 += 1 } }
            }
        }
        log.start(
            onWritten: { lsn in events.withLock { $0.append("written \(lsn)") } },
            onDurable: { lsn in events.withLock { $0.append("durable \(lsn)") } },
            onFailure: { error in events.withLock { $0.append("failure \(error.code == .io(5))") } })
        threads.forEach(joinThread)
        #expect(errors.withLock { $0 } == 5)
        #expect(storageError { _ = try log.append(type: 1, payload: []) }?.code == .io(5))
        log.seal()
        log.close()
        #expect(events.withLock { $0 } == ["written 5", "failure true"])
        #expect(log.durableLSN == 0 && log.writtenLSN == 5)
        faulty.reset()
        let again = try fixture.open()
        #expect(again.records.count == 5 && again.report.framesCopied == 5)
        #expect(again.log.durableLSN == 5)
        again.log.close()
    }
}
