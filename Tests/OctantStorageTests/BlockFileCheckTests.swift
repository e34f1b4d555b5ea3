import Testing

@testable import OctantStorage

@Suite("Block files that pass by")
struct BlockFileCheckTests {
    private let uuid = UUIDBytes(high: 1, low: 2)

    private func make(_ length: Int) throws -> (FileSummary, [UInt8]) {
        let folder = TemporaryFolder()
        let writer = try BlockFileWriter(
            path: folder.path + "/f", type: "TEST", uuid: uuid, rows: 3, fileSystem: LocalFileSystem())
        try writer.append((0..<length).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8) })
        return (try writer.finish(), try folder.read("f"))
    }

    private func check(_ bytes: [UInt8], _ summary: FileSummary, pieces: () -> Int) throws {
        var check = BlockFileCheck(path: "f", expected: summary, uuid: uuid)
        var start = 0
        while start < bytes.count {
            let end = min(bytes.count, start + pieces())
            try Array(bytes[start..<end]).withRawBytes { (raw) throws(StorageError) in try check.take(raw) }
            start = end
        }
        try check.finish()
    }

    @Test("in pieces of any length an intact file passes", arguments: [0, 1, 65_535, 65_536, 65_537, 400_000])
    func intact(length: Int) throws {
        let (summary, bytes) = try make(length)
        var random = SeededGenerator(seed: UInt64(length))
        for limit in [1 << 20, 65_536, 5000] {
            try check(bytes, summary) { Int.random(in: 1...limit, using: &random) }
        }
    }

    @Test("every flip, every shortening and another file are refused")
    func damage() throws {
        let (summary, good) = try make(300)
        var random = SeededGenerator(seed: 9)
        for place in good.indices {
            var bytes = good
            bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &random)
            #expect(throws: StorageError.self, "flip at \(place)") { try check(bytes, summary) { 3000 } }
        }
        for length in stride(from: 0, to: good.count, by: 41) {
            #expect(throws: StorageError.self) { try check(Array(good[..<length]), summary) { 3000 } }
        }
        #expect(throws: StorageError.self) { try check(good + [0], summary) { 3000 } }
        let (other, _) = try make(301)
        #expect(throws: StorageError.self) { try check(good, other) { 3000 } }
        var wrong = summary
        wrong.crc ^= 1
        #expect(throws: StorageError.self) { try check(good, wrong) { 3000 } }
        for size in [UInt64.max, 1 << 62, 1 << 61, 0] {
            #expect(throws: StorageError.self) {
                try check(good, FileSummary(name: "f", size: size, crc: summary.crc)) { 3000 }
            }
        }
    }
}
