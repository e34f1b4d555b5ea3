import Testing

@testable import OctantStorage

/// What bytes on disk can suffer, one by one.
@Suite("Write-ahead log: damage")
struct WALDamageTests {
    /// A log with one record per batch, so that every frame but the last is confirmed by a later one.
    private func make(_ count: LSN, sealed: Bool) throws -> TemporaryFolder {
        let fixture = LogFixture(folder: TemporaryFolder())
        let opened = try fixture.open()
        for lsn in 1...count {
            _ = try opened.log.append(type: 1, payload: LogFixture.payload(lsn))
            try opened.log.waitDurable(lsn)
        }
        if sealed {
            opened.log.close()
            return fixture.folder
        }
        let copy = try fixture.folder.copy()
        opened.log.close()
        return copy
    }

    private func newest(_ folder: TemporaryFolder) throws -> String {
        try #require(try folder.names().last { WriteAheadLog.sequence($0) != nil })
    }

    /// The end of the good frames.
    private func end(_ bytes: [UInt8]) -> Int {
        bytes.withUnsafeBytes { raw in
            var offset = 64
            while let frame = WALFrame(raw, at: offset) { offset = frame.end }
            return offset
        }
    }

    @Test("a log cut at any byte replays an exact prefix or reports damage, and goes on", arguments: [true, false])
    func cuts(sealed: Bool) throws {
        let source = try make(8, sealed: sealed)
        let name = try newest(source)
        let good = try source.read(name)
        for length in 0...end(good) {
            let fixture = LogFixture(folder: try source.copy())
            try fixture.folder.write(name, Array(good[..<length]))
            guard length >= 64 else {
                #expect(storageError { _ = try fixture.open() }?.code == .corrupt)
                continue
            }
            let opened = try fixture.open()
            #expect(LogFixture.isPrefix(opened))
            let count = LSN(opened.records.count)
            #expect(try opened.log.append(type: 1, payload: LogFixture.payload(count + 1)) == count + 1)
            opened.log.close()
            let again = try fixture.open()
            #expect(again.records.count == Int(count) + 1 && LogFixture.isPrefix(again))
            again.log.close()
        }
    }

    @Test("zeros from any frame on end the log there; the records before survive")
    func zeroedTails() throws {
        let source = try make(8, sealed: true)
        let name = try newest(source)
        let good = try source.read(name)
        for offset in stride(from: 64, through: end(good), by: 8) {
            let fixture = LogFixture(folder: try source.copy())
            try fixture.folder.write(name, good[..<offset] + [UInt8](repeating: 0, count: good.count - offset))
            let opened = try fixture.open()
            #expect(LogFixture.isPrefix(opened))
            opened.log.close()
        }
    }

    @Test("each flipped bit of a sealed log is reported with file and offset, or harmless")
    func flipsSealed() throws {
        let source = try make(6, sealed: true)
        let name = try newest(source)
        let good = try source.read(name)
        let end = end(good)
        var reported = 0
        for offset in 0..<(end + 16) {
            for mask: UInt8 in [0x01, 0x80] {
                let fixture = LogFixture(folder: try source.copy())
                var bytes = good
                bytes[offset] ^= mask
                try fixture.folder.write(name, bytes)
                do {
                    let opened = try fixture.open()
                    opened.log.close()
                    // Only the seal itself and what was never written can change without a report.
                    #expect(offset >= end - 40, "offset \(offset)")
                    #expect(opened.records.count == 6 && LogFixture.isPrefix(opened))
                } catch let error as StorageError {
                    reported += 1
                    #expect(error.code == .corrupt || error.code == .incompatible)
                    #expect(error.message.contains(name))
                }
            }
        }
        #expect(reported == (end - 40) * 2)
    }

    @Test("without a seal only the last record is undecidable, and its loss is counted")
    func flipsUnsealed() throws {
        let source = try make(6, sealed: false)
        let name = try newest(source)
        let good = try source.read(name)
        let end = end(good)
        let lastFrame = end - WALFrame.size(LogFixture.payload(6).count)
        for offset in 64..<end {
            let fixture = LogFixture(folder: try source.copy())
            var bytes = good
            bytes[offset] ^= 0x20
            try fixture.folder.write(name, bytes)
            if let opened = try? fixture.open() {
                opened.log.close()
                #expect(offset >= lastFrame)
                #expect(opened.records.count == 5 && LogFixture.isPrefix(opened))
                // A length that points outside leaves nothing recognisable to count.
                if offset >= lastFrame + 32 { #expect(opened.report.framesDropped == 1) }
            } else {
                #expect(offset < lastFrame)
            }
        }
    }

    @Test("zeroed 512-byte pieces of a log of several files are reported unless nothing confirmed was there")
    func zeroedPieces() throws {
        let source = try make(150, sealed: true)
        for name in try source.names() where WriteAheadLog.sequence(name) != nil {
            let good = try source.read(name)
            for start in stride(from: 0, to: good.count, by: 512) {
                let fixture = LogFixture(folder: try source.copy())
                var bytes = good
                for offset in start..<min(start + 512, good.count) { bytes[offset] = 0 }
                try fixture.folder.write(name, bytes)
                if let opened = try? fixture.open() {
                    opened.log.close()
                    #expect(LogFixture.isPrefix(opened))
                    #expect(bytes == good || start >= end(good) / 512 * 512, "\(name) \(start)")
                    if bytes == good || start > end(good) { #expect(opened.records.count == 150) }
                }
            }
        }
    }

    @Test("an unsynced tail is dropped although later blocks reached the disk")
    func tornTail() throws {
        // One batch of ten records: none of its frames confirms another one.
        let fixture = LogFixture(folder: TemporaryFolder())
        let opened = try fixture.open(start: false)
        for lsn in 1...LSN(10) { _ = try opened.log.append(type: 1, payload: LogFixture.payload(lsn, 40)) }
        opened.log.start()
        try opened.log.waitDurable(10)
        let copy = try fixture.folder.copy()
        opened.log.close()
        let name = try newest(copy)
        var bytes = try copy.read(name)
        let size = WALFrame.size(40)
        for offset in (64 + 4 * size)..<(64 + 5 * size) { bytes[offset] = 0 }
        try copy.write(name, bytes)
        let torn = try LogFixture(folder: copy).open()
        #expect(torn.records.count == 4)
        #expect(torn.report.framesDropped == 6 && torn.report.framesCopied == 4 && !torn.report.sealed)
        #expect(torn.report.dropped?.contains("offset \(64 + 4 * size)") == true)
        #expect(try torn.log.append(type: 1, payload: LogFixture.payload(5)) == 5)
        torn.log.close()
        let again = try LogFixture(folder: copy).open()
        #expect(again.records.count == 5)
        again.log.close()
    }

    @Test("old frames in a recycled file do not come back")
    func recycled() throws {
        let fixture = LogFixture(folder: TemporaryFolder())
        var lsn: LSN = 0
        for _ in 0..<10 {
            let opened = try fixture.open(after: lsn)
            let base = lsn
            for _ in 0..<120 {
                lsn += 1
                _ = try opened.log.append(type: 1, payload: LogFixture.payload(lsn, 40))
                try opened.log.waitDurable(lsn)
                if lsn % 50 == 0 { opened.log.truncate(through: lsn - 1) }
            }
            let copy = try fixture.folder.copy()
            opened.log.close()
            #expect(base + 120 == lsn)
            // Cut behind any record of the newest file: what follows are the frames of its former life.
            let name = try newest(copy)
            let bytes = try copy.read(name)
            let size = WALFrame.size(40)
            let again = try LogFixture(folder: copy).open(after: lsn - 1)
            again.log.close()
            #expect(again.records.count == 1 && again.report.framesDropped == 0)
            #expect((bytes.count - 64) / size > 0)
        }
    }

    @Test("an incomplete split record is dropped whole")
    func incompleteGroup() throws {
        let fixture = LogFixture(folder: TemporaryFolder())
        let opened = try fixture.open()
        _ = try opened.log.append(type: 1, payload: LogFixture.payload(1))
        _ = try opened.log.append(type: 1, payload: LogFixture.payload(2, 10_000))
        try opened.log.waitDurable(2)
        let copy = try fixture.folder.copy()
        opened.log.close()
        let files = try copy.names().filter { WriteAheadLog.sequence($0) != nil }
        #expect(files.count == 3)
        for missing in 1...2 {
            let partial = LogFixture(folder: try copy.copy())
            // As if the process had died before it began the later files.
            for name in files.suffix(missing) { try LocalFileSystem().unlink(partial.folder.path + "/" + name) }
            for round in 0..<3 {
                let again = try partial.open()
                #expect(again.records.count == 1 + round)
                #expect(LogFixture.isPrefix(again))
                #expect(again.report.framesDropped == (round == 0 ? 1 : 0))
                _ = try again.log.append(type: 1, payload: LogFixture.payload(LSN(2 + round)))
                again.log.close()
            }
        }
    }

    @Test("random mutations of a log never trap and never invent a record")
    func mutations() throws {
        var random = SeededGenerator(seed: 42)
        let source = try make(60, sealed: true)
        let names = try source.names()
        for _ in 0..<300 {
            let fixture = LogFixture(folder: try source.copy())
            let name = try #require(names.randomElement(using: &random))
            var bytes = try source.read(name)
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                let start = Int.random(in: 0..<bytes.count, using: &random)
                let length = min(Int.random(in: 1...64, using: &random), bytes.count - start)
                let from = Int.random(in: 0...(bytes.count - length), using: &random)
                switch Int.random(in: 0..<4, using: &random) {
                case 0: for i in 0..<length { bytes[start + i] = UInt8.random(in: 0...255, using: &random) }
                case 1: bytes.replaceSubrange(start..<(start + length), with: Array(bytes[from..<(from + length)]))
                case 2: bytes.removeSubrange(start..<(start + length))
                default: bytes.insert(contentsOf: Array(bytes[from..<(from + length)]), at: start)
                }
                if bytes.isEmpty { bytes = [0] }
            }
            try fixture.folder.write(name, bytes)
            if let opened = try? fixture.open() {
                #expect(LogFixture.isPrefix(opened))
                opened.log.close()
            }
        }
    }
}
