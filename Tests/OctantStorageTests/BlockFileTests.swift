import Testing

@testable import OctantStorage

@Suite("Block file")
struct BlockFileTests {
    let system = LocalFileSystem()

    private func make(_ folder: TemporaryFolder, _ data: [UInt8], name: String = "f") throws -> FileSummary {
        let writer = try BlockFileWriter(
            path: folder.path + "/" + name, type: "TEST", uuid: UUIDBytes(high: 1, low: 2), rows: 3, fileSystem: system)
        try writer.append(data)
        return try writer.finish(sync: true)
    }

    @Test(
        "data of any length in pieces of any length comes back", arguments: [0, 1, 65_535, 65_536, 65_537, 1_500_000])
    func roundTrip(length: Int) throws {
        var random = SeededGenerator(seed: UInt64(length))
        let data = (0..<length).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8) }
        let folder = TemporaryFolder()
        let writer = try BlockFileWriter(
            path: folder.path + "/f", type: "VECS", uuid: .random(), fileSystem: system)
        var start = 0
        while start < length {
            let end = min(length, start + Int.random(in: 1...700_000, using: &random))
            try writer.append(Array(data[start..<end]))
            start = end
        }
        let summary = try writer.finish(rows: 77)
        let file = try BlockFile(path: folder.path + "/f", type: "VECS", expected: summary, fileSystem: system)
        #expect(file.data.elementsEqual(data))
        #expect(file.rows == 77)
        #expect(file.summary == summary)
        file.advise(.willNeed)
        file.populate()
        try file.verify()
        #expect(storageError { try writer.append([1]) }?.code == .closed)
    }

    @Test("another type, another file and a missing file are refused")
    func identity() throws {
        let folder = TemporaryFolder()
        let summary = try make(folder, [1, 2, 3])
        let other = try make(folder, [1, 2, 4], name: "g")
        let path = folder.path + "/f"
        #expect(storageError { _ = try BlockFile(path: path, type: "OTHR", fileSystem: system) }?.code == .corrupt)
        #expect(summary.size == other.size)
        #expect(
            storageError { _ = try BlockFile(path: path, type: "TEST", expected: other, fileSystem: system) }?.code
                == .corrupt)
        #expect(
            storageError { _ = try BlockFile(path: path + "x", type: "TEST", fileSystem: system) }?.code == .notFound)
    }

    @Test("every flip of a small file is found at opening or by verify")
    func flips() throws {
        let folder = TemporaryFolder()
        let summary = try make(folder, (0..<300).map { UInt8(truncatingIfNeeded: $0) })
        let good = try folder.read("f")
        for offset in good.indices where offset < 64 || offset > 4_080 || offset % 7 == 0 {
            var bytes = good
            bytes[offset] ^= 0x40
            try folder.write("f", bytes)
            for expected in [summary, nil] {
                let error = storageError {
                    try BlockFile(path: folder.path + "/f", type: "TEST", expected: expected, fileSystem: system)
                        .verify()
                }
                #expect(error?.code == .corrupt || error?.code == .incompatible)
                #expect(error?.message.contains("/f") == true)
                let cold = storageError {
                    try BlockFile(path: folder.path + "/f", type: "TEST", expected: expected, fileSystem: system)
                        .verifyLeavingCold()
                }
                #expect(cold?.code == error?.code)
                #expect(cold?.message == error?.message)
            }
        }
    }

    @Test(
        "a file read through a buffer or copied is checked, and a cold one stays cold",
        arguments: [1, 70_000, 3_000_000])
    func cold(length: Int) throws {
        let folder = TemporaryFolder()
        let data = (0..<length).map { UInt8(truncatingIfNeeded: $0 &* 7 &+ $0 >> 9) }
        _ = try make(folder, data)
        let file = try BlockFile(path: folder.path + "/f", type: "TEST", fileSystem: system)
        let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: length, alignment: 8)
        defer { copy.deallocate() }
        try file.copyVerified(to: copy)
        #expect(UnsafeRawBufferPointer(copy).elementsEqual(data))
        #expect(storageError { try file.copyVerified(to: UnsafeMutableRawBufferPointer(rebasing: copy[1...])) } != nil)
        let descriptor = try system.open(folder.path + "/f", .read)
        descriptor.dropCached(0..<(length + 16_384))
        // Where the system tells what it caches, and drops it when asked.
        if file.cachedBytes() == 0 {
            try file.verifyLeavingCold()
            #expect(file.cachedBytes() == 0)
        }
        try file.warmVerified()
        file.unload()
        #expect(file.data.elementsEqual(data))
        try file.verifyLeavingCold()
        #if os(Linux)
        #expect(file.cachedBytes() >= length)
        #endif
        var bytes = try folder.read("f")
        bytes[4_096 + length / 2] ^= 8
        try folder.write("f", bytes)
        let damaged = try BlockFile(path: folder.path + "/f", type: "TEST", fileSystem: system)
        let messages = [
            storageError { try damaged.verify() }, storageError { try damaged.verifyLeavingCold() },
            storageError { try damaged.copyVerified(to: copy) },
        ].map { $0?.message }
        #expect(messages[0] != nil)
        #expect(Set(messages).count == 1)
    }

    @Test("every cut of a small file is found at opening")
    func cuts() throws {
        let folder = TemporaryFolder()
        _ = try make(folder, (0..<100).map { UInt8(truncatingIfNeeded: $0) })
        let good = try folder.read("f")
        for length in good.indices where length < 100 || length > 4_000 {
            try folder.write("f", Array(good[..<length]))
            #expect(
                storageError { _ = try BlockFile(path: folder.path + "/f", type: "TEST", fileSystem: system) }?.code
                    == .corrupt)
        }
    }

    @Test("verify of a range looks at its blocks only and names the offset")
    func ranges() throws {
        let folder = TemporaryFolder()
        _ = try make(folder, [UInt8](repeating: 7, count: 200_000))
        var bytes = try folder.read("f")
        bytes[4_096 + 70_000] ^= 1
        try folder.write("f", bytes)
        let file = try BlockFile(path: folder.path + "/f", type: "TEST", fileSystem: system)
        try file.verify(0..<65_536)
        try file.verify(131_072..<200_000)
        #expect(storageError { try file.verify(131_000..<131_100) }?.message.contains("offset 69632") == true)
    }

    @Test("an unfinished file is removed and a failed write is reported")
    func unfinished() throws {
        let folder = TemporaryFolder()
        let faulty = FaultInjectingFileSystem(system)
        do {
            let writer = try BlockFileWriter(
                path: folder.path + "/f", type: "TEST", uuid: .zero, fileSystem: faulty)
            faulty.fail(.write, at: 1, .short(28))
            #expect(storageError { try writer.append([UInt8](repeating: 1, count: 1 << 20)) }?.code == .diskFull)
        }
        #expect(try folder.names().isEmpty)
    }
}
