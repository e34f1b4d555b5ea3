import Testing

@testable import OctantStorage

/// Opening reads the log through a window: what that changes, and what it must not.
@Suite("Write-ahead log: reading")
struct WALReadingTests {
    private func fixture(window: Int, fileBytes: Int = 4 << 20) -> LogFixture {
        var fixture = LogFixture(folder: TemporaryFolder())
        fixture.options.fileBytes = fileBytes
        fixture.options.windowBytes = window
        return fixture
    }

    @Test("no read is larger than the window, but for a record that is; files that were never written are not read")
    func window() throws {
        let system = FaultInjectingFileSystem(LocalFileSystem(), syncs: false)
        var fixture = fixture(window: 64 << 10)
        fixture.system = system
        let opened = try fixture.open()
        for lsn in 1...LSN(200) { _ = try opened.log.append(type: 1, payload: LogFixture.payload(lsn, 30_000)) }
        opened.log.close()
        system.reset()
        let again = try fixture.open()
        #expect(again.records.count == 200)
        #expect(
            again.records.allSatisfy { $0.payload == LogFixture.payload($0.lsn, 30_000) })
        #expect(system.readBytes.largest <= 64 << 10)
        _ = try again.log.append(type: 1, payload: LogFixture.payload(201, 1_000_000))
        again.log.close()
        system.reset()
        let last = try fixture.open()
        #expect(last.records.last?.payload == LogFixture.payload(201, 1_000_000))
        #expect(last.records.count == 201 && system.readBytes.largest == 1_000_000)
        last.log.close()
        // What is behind the checkpoint is checked, not held.
        system.reset()
        let checked = try fixture.open(after: 201)
        #expect(checked.records.isEmpty && system.readBytes.largest <= 64 << 10)
        checked.log.close()
    }

    @Test("an unconfirmed tail larger than the window is copied whole", arguments: [40, 1_000, 70_000])
    func copiedTail(length: Int) throws {
        let fixture = fixture(window: 4096)
        let opened = try fixture.open(start: false)
        for lsn in 1...LSN(20) { _ = try opened.log.append(type: 1, payload: LogFixture.payload(lsn, length)) }
        opened.log.start()
        try opened.log.waitDurable(20)
        let copy = LogFixture(folder: try fixture.folder.copy(), options: fixture.options)
        opened.log.close()
        for round in 0..<2 {
            let again = try copy.open()
            #expect(again.records.count == 20 && again.report.framesCopied == (round == 0 ? 20 : 0))
            #expect(again.records.allSatisfy { $0.payload == LogFixture.payload($0.lsn, length) })
            again.log.close()
        }
    }

    @Test("the window is nothing one can see: every size reads the same, and reports the same damage")
    func sizes() throws {
        let source = fixture(window: 1 << 20, fileBytes: 16 << 10)
        let opened = try source.open()
        for lsn in 1...LSN(100) {
            _ = try opened.log.append(type: 1, payload: LogFixture.payload(lsn, Int(lsn * 71 % 2_000)))
            try opened.log.waitDurable(lsn)
        }
        _ = try opened.log.append(type: 1, payload: LogFixture.payload(101, 40_000))
        opened.log.close()
        let names = try source.folder.names().filter { WriteAheadLog.sequence($0) != nil }
        var generator = SeededGenerator(seed: 5)
        for round in 0..<40 {
            let name = names[Int.random(in: 0..<names.count, using: &generator)]
            var bytes = try source.folder.read(name)
            let start = Int.random(in: 0..<bytes.count, using: &generator)
            let end = min(bytes.count, start + Int.random(in: 1...600, using: &generator))
            for offset in start..<end { bytes[offset] = round % 2 == 0 ? 0 : bytes[offset] ^ 0x41 }
            var outcomes: Set<String> = []
            for window in [1, 40, 1_000, 4_097, 1 << 20] {
                var fixture = LogFixture(folder: try source.folder.copy(), options: source.options)
                fixture.options.windowBytes = window
                try fixture.folder.write(name, bytes)
                do {
                    let opened = try fixture.open()
                    outcomes.insert(
                        "\(opened.records.map(\.lsn)) \(opened.report)".replacing(fixture.folder.path, with: ""))
                    opened.log.close()
                } catch {
                    outcomes.insert("\(error)".replacing(fixture.folder.path, with: ""))
                }
            }
            #expect(outcomes.count == 1, "round \(round), \(name) \(start)..<\(end): \(outcomes)")
        }
    }

    @Test("a confirmed record behind a hole in the file is found, and the damage before it reported")
    func hole() throws {
        let fixture = fixture(window: 4096)
        let opened = try fixture.open()
        for lsn in 1...LSN(8) {
            _ = try opened.log.append(type: 1, payload: LogFixture.payload(lsn, 40))
            try opened.log.waitDurable(lsn)
        }
        opened.log.close()
        let name = try #require(try fixture.folder.names().last { WriteAheadLog.sequence($0) != nil })
        let good = try fixture.folder.read(name)
        let size = WALFrame.size(40)
        let cut = 64 + 5 * size
        for moved in [1 << 20, (1 << 20) - 8, 3 << 20] {
            let copy = LogFixture(folder: TemporaryFolder(), options: fixture.options)
            try copy.folder.write(name, Array(good[..<(cut - 20)]))
            let file = try LocalFileSystem().open(copy.folder.path + "/" + name, .readWrite)
            // The fifth record's end is gone. What follows it begins with its checksum, to which the sixth is chained.
            let rest = Array(good[(cut - 4)..<(64 + 8 * size)])
            try rest.withRawBytes { (raw) throws(StorageError) in try file.write(raw, at: cut - 4 + moved) }
            file.close()
            let error = storageError { _ = try copy.open() }
            #expect(error?.code == .corrupt && error?.message.contains("confirmed") == true, "\(moved)")
        }
    }

    @Test("a read error anywhere is an error, and opening again without it finds everything")
    func readErrors() throws {
        let system = FaultInjectingFileSystem(LocalFileSystem(), syncs: false)
        var fixture = fixture(window: 4096, fileBytes: 64 << 10)
        fixture.system = system
        let opened = try fixture.open()
        for lsn in 1...LSN(300) { _ = try opened.log.append(type: 1, payload: LogFixture.payload(lsn, 700)) }
        opened.log.close()
        var number = 1
        while true {
            system.fail(.read, at: number, .once(5))
            do {
                let opened = try fixture.open()
                #expect(!system.fired && opened.records.count == 300)
                opened.log.close()
                break
            } catch let error as StorageError {
                #expect(system.fired && error.code == .io(5), "read \(number): \(error)")
            }
            number += 1
        }
        #expect(number > 50)
    }
}
