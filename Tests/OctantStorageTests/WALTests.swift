import Synchronization
import Testing

@testable import OctantStorage

/// A log in a folder, and the records it gives back.
struct LogFixture {
    static let collection = UUIDBytes(high: 7, low: 9)
    var folder: TemporaryFolder
    var system: any FileSystem = FaultInjectingFileSystem(LocalFileSystem(), syncs: false)
    var options = LogFixture.small

    static var small: WriteAheadLog.Options {
        var options = WriteAheadLog.Options()
        options.fileBytes = 4096
        // Smaller than many records, and no multiple of anything: the window moves everywhere.
        options.windowBytes = 203
        options.sealAfter = .seconds(3600)
        return options
    }

    struct Opened {
        var log: WriteAheadLog
        var report: WriteAheadLog.RecoveryReport
        var records: [(lsn: LSN, type: UInt8, payload: [UInt8])]
    }

    func open(after checkpoint: LSN = 0, start: Bool = true) throws -> Opened {
        var records: [(lsn: LSN, type: UInt8, payload: [UInt8])] = []
        let (log, report) = try WriteAheadLog.open(
            directory: folder.path, fileSystem: system, collection: LogFixture.collection, shard: 3,
            after: checkpoint, options: options
        ) { records.append(($0.lsn, $0.type, Array($0.payload))) }
        if start { log.start() }
        return Opened(log: log, report: report, records: records)
    }

    /// A payload that can be told from every other.
    static func payload(_ lsn: LSN, _ length: Int? = nil) -> [UInt8] {
        let length = length ?? Int(lsn * 37 % 101)
        return (0..<length).map { UInt8(truncatingIfNeeded: UInt64($0) &* 13 &+ lsn &* 7) }
    }

    /// Whether `records` are exactly those from `first` on with the payloads of `payload(_:)`.
    static func isPrefix(_ opened: Opened, from first: LSN = 1) -> Bool {
        opened.records.enumerated().allSatisfy { index, record in
            record.lsn == first + UInt64(index) && record.payload == payload(record.lsn)
        }
    }
}

@Suite("Write-ahead log")
struct WALTests {
    @Test("records come back in order, also after several openings")
    func roundTrip() throws {
        let fixture = LogFixture(folder: TemporaryFolder())
        var lsn: LSN = 0
        for round in 0..<5 {
            let opened = try fixture.open()
            #expect(opened.records.count == Int(lsn))
            #expect(LogFixture.isPrefix(opened))
            #expect(opened.report.sealed)
            #expect(opened.report.framesDropped == 0)
            for _ in 0..<(60 * round + 1) {
                lsn += 1
                #expect(try opened.log.append(type: 1, payload: LogFixture.payload(lsn)) == lsn)
            }
            try opened.log.waitDurable(lsn)
            #expect(opened.log.durableLSN == lsn && opened.log.lastLSN == lsn && opened.log.writtenLSN == lsn)
            opened.log.close()
            #expect(storageError { _ = try opened.log.append(type: 1, payload: []) }?.code == .closed)
        }
    }

    @Test("only records after the checkpoint are replayed, and truncated files are reused")
    func checkpoints() throws {
        let fixture = LogFixture(folder: TemporaryFolder())
        var lsn: LSN = 0
        for _ in 0..<12 {
            let opened = try fixture.open(after: lsn)
            #expect(opened.records.isEmpty)
            for _ in 0..<150 {
                lsn += 1
                _ = try opened.log.append(type: 1, payload: LogFixture.payload(lsn))
            }
            try opened.log.waitDurable(lsn)
            opened.log.truncate(through: lsn - 10)
            opened.log.close()
            let again = try fixture.open(after: lsn - 5)
            #expect(again.records.map(\.lsn) == Array((lsn - 4)...lsn))
            #expect(LogFixture.isPrefix(again, from: lsn - 4))
            again.log.truncate(through: lsn)
            again.log.close()
        }
        #expect(try fixture.folder.names().count <= 5)
    }

    @Test("a record larger than a file is split and comes back whole", arguments: [3_900, 4_000, 20_000, 100_001])
    func split(length: Int) throws {
        let fixture = LogFixture(folder: TemporaryFolder())
        let opened = try fixture.open()
        let payloads = [[1], LogFixture.payload(5, length), [2], LogFixture.payload(6, length), [], [3]]
        for payload in payloads { _ = try opened.log.append(type: 4, payload: payload) }
        opened.log.close()
        let again = try fixture.open()
        #expect(again.records.map(\.payload) == payloads)
        #expect(again.records.map(\.type) == [4, 4, 4, 4, 4, 4])
        again.log.truncate(through: 2)
        again.log.close()
        for checkpoint in 2...6 {
            let last = try fixture.open(after: LSN(checkpoint))
            #expect(last.records.map(\.payload) == Array(payloads[checkpoint...]))
            last.log.close()
        }
    }

    @Test("another collection's or shard's log is refused")
    func identity() throws {
        let fixture = LogFixture(folder: TemporaryFolder())
        try fixture.open().log.close()
        for (collection, shard) in [(UUIDBytes.random(), UInt32(3)), (LogFixture.collection, 4)] {
            let error = storageError {
                _ = try WriteAheadLog.open(
                    directory: fixture.folder.path, fileSystem: fixture.system, collection: collection, shard: shard,
                    after: 0
                ) { _ in }
            }
            #expect(error?.code == .corrupt)
        }
    }

    @Test("a missing log file is noticed")
    func missing() throws {
        let fixture = LogFixture(folder: TemporaryFolder())
        let opened = try fixture.open()
        for lsn in 1...LSN(300) { _ = try opened.log.append(type: 1, payload: LogFixture.payload(lsn)) }
        opened.log.close()
        let files = try fixture.folder.names().filter { WriteAheadLog.sequence($0) != nil }
        #expect(files.count > 4)
        for name in files.dropLast() {
            let copy = try fixture.folder.copy()
            try LocalFileSystem().unlink(copy.path + "/" + name)
            #expect(storageError { _ = try LogFixture(folder: copy).open() }?.code == .corrupt)
        }
    }

    @Test("many threads: every record once, in number order, durable when announced")
    func groupCommit() throws {
        var fixture = LogFixture(folder: TemporaryFolder())
        fixture.options.fileBytes = 64 << 10
        fixture.options.pendingBytesMax = 4096
        let opened = try fixture.open(start: false)
        let announced = Mutex<[LSN]>([])
        opened.log.start(onDurable: { lsn in announced.withLock { $0.append(lsn) } })
        let given = Mutex<[LSN: UInt64]>([:])
        let log = opened.log
        let threads = (0..<8).compactMap { thread in
            startThread {
                for index in 0..<200 {
                    let tag = UInt64(thread * 1_000 + index)
                    var writer = ByteWriter()
                    writer.u64(tag)
                    writer.raw([UInt8](repeating: 1, count: index))
                    guard let lsn = try? log.append(type: 2, payload: writer.bytes) else { continue }
                    given.withLock { $0[lsn] = tag }
                    if index % 10 == 0 {
                        try? log.waitDurable(lsn)
                        if log.durableLSN < lsn { Issue.record("not durable after waiting") }
                    }
                }
            }
        }
        threads.forEach(joinThread)
        log.close()
        let order = announced.withLock { $0 }
        #expect(order == order.sorted() && order.last == 1_600)
        let again = try fixture.open()
        #expect(again.records.map(\.lsn) == Array(1...1_600))
        let tags = given.withLock { $0 }
        for record in again.records {
            let tag = try ByteReader.reading(record.payload) { try $0.u64() }
            #expect(tags[record.lsn] == tag)
        }
        // Per thread, the order of the calls.
        var latest: [UInt64: UInt64] = [:]
        for record in again.records {
            let tag = tags[record.lsn] ?? 0
            #expect(latest[tag / 1_000].map { $0 < tag } ?? true)
            latest[tag / 1_000] = tag
        }
        again.log.close()
    }

    @Test(
        "few syncs write where nothing was written before, none in a file that is used again, and zeros change nothing")
    func zerosAhead() throws {
        let system = FaultInjectingFileSystem(LocalFileSystem(), syncs: false)
        var fixture = LogFixture(folder: TemporaryFolder(), system: system)
        fixture.options.fileBytes = 1 << 20
        fixture.options.windowBytes = 256 << 10
        let log = try fixture.open().log
        var lsn: LSN = 0
        /// Writes besides those of records, until so many bytes are in the log.
        func others(_ bytes: Int) throws -> Int {
            let (before, first) = (system.count(.write), lsn)
            for _ in 0..<bytes / 1000 {
                lsn = try log.append(type: 1, payload: LogFixture.payload(lsn + 1, 1000 - WALFrame.overhead))
                try log.waitDurable(lsn)
            }
            return system.count(.write) - before - Int(lsn - first)
        }
        // Up to 64, 128, 256, 512 and 1024 KB.
        #expect(try others(1_000_000) == 5)
        // The second file's header, and the same again.
        #expect(try others(1_000_000) == 6)
        // The third's, and the beginning of its zeros.
        #expect(try others(100_000) == 2)
        // The first file becomes the fifth; the rest of the third's zeros, all of the fourth, and the fifth's header.
        log.truncate(through: 2000)
        #expect(try others(2_100_000) == 4 + 6 + 1)
        #expect(try others(1_000_000) == 0)
        log.close()
        let again = try fixture.open(after: 1900)
        #expect(again.records.map(\.lsn) == Array(1901...lsn))
        #expect(again.records.allSatisfy { $0.payload == LogFixture.payload($0.lsn, 1000 - WALFrame.overhead) })
        #expect(again.report.sealed)
        again.log.close()
    }

    @Test("an idle log seals itself")
    func idleSeal() throws {
        var fixture = LogFixture(folder: TemporaryFolder())
        fixture.options.sealAfter = .zero
        let opened = try fixture.open()
        _ = try opened.log.append(type: 1, payload: [1])
        opened.log.seal()
        // A process that dies here leaves a log whose last record is confirmed.
        let copy = try fixture.folder.copy()
        opened.log.close()
        let again = try LogFixture(folder: copy).open()
        #expect(again.report.sealed && again.report.framesCopied == 0 && again.records.count == 1)
        again.log.close()
    }
}
