@testable import OctantEngine
import OctantModel
import OctantStorage
import Testing

/// Runs `body` on every truncation of `bytes` and on random damage: it may throw, never trap.
func damage(_ bytes: [UInt8], seed: UInt64, flips: Int = 3000, _ body: ([UInt8]) throws -> Void) {
    for length in 0..<bytes.count { try? body(Array(bytes[..<length])) }
    var generator = SeededGenerator(seed: seed)
    for _ in 0..<flips {
        var damaged = bytes
        for _ in 0..<Int.random(in: 1...4, using: &generator) {
            let place = Int.random(in: 0..<damaged.count, using: &generator)
            damaged[place] =
                Bool.random(using: &generator)
                ? damaged[place] ^ (1 << UInt8.random(in: 0..<8, using: &generator))
                : [0, 0x7F, 0x80, 0xFF].randomElement(using: &generator) ?? 0
        }
        try? body(damaged)
    }
}

@Suite("Encodings of the engine")
struct EncodingTests {
    private func roundTrip(_ operation: UpdateOperation) throws -> UpdateOperation {
        try operation.encoded().withUnsafeBytes { try UpdateOperation(logType: operation.logType, $0) }
    }

    private func operations() throws -> [UpdateOperation] {
        var requests = RandomRequests(generator: SeededGenerator(seed: 11), allKinds: true, shuffles: false)
        let ids = PointSelection.ids(requests.ids(5...5))
        let path = try PayloadPath("a.b[].c")
        return [
            .upsert(
                requests.ids(3...3).map {
                    Point(id: $0, vectors: requests.vectors(), payload: Payload(requests.payload()))
                }),
            .upsert([]), .delete(ids), .delete(.ids([])), .clearPayload(ids),
            .setPayload(requests.payload(), ids, key: nil), .setPayload(requests.payload(), ids, key: path),
            .overwritePayload(Payload(requests.payload()), ids), .deletePayload([path], ids),
            .updateVectors(requests.ids(2...2).map { ($0, requests.vectors()) }), .deleteVectors(["a", ""], ids),
        ]
    }

    @Test("every operation comes back from its log record as it was, bytes and type")
    func operationRoundTrip() throws {
        for operation in try operations() {
            let again = try roundTrip(operation)
            #expect(again.logType == operation.logType)
            #expect(again.encoded() == operation.encoded())
            #expect("\(again)" == "\(operation)")
        }
    }

    @Test("a selection by filter never reaches the log")
    func filterEncodesAsNothing() throws {
        let operation = try roundTrip(.delete(.filter(Filter())))
        #expect("\(operation)" == "\(UpdateOperation.delete(.ids([])))")
    }

    @Test("damaged log records are refused or harmless")
    func operationDamage() throws {
        for operation in try operations() {
            let bytes = operation.encoded()
            guard !bytes.isEmpty else { continue }
            damage(bytes, seed: 5, flips: 1000) { damaged in
                let read = try damaged.withUnsafeBytes { try UpdateOperation(logType: operation.logType, $0) }
                _ = read.encoded()
            }
        }
        let none: [UInt8] = []
        #expect(throws: StorageError.self) { try none.withUnsafeBytes { try UpdateOperation(logType: 99, $0) } }
    }

    @Test("a truncated log record is always refused")
    func operationTruncation() throws {
        for operation in try operations() {
            let bytes = operation.encoded()
            for length in 0..<bytes.count {
                #expect(throws: StorageError.self) {
                    try Array(bytes[..<length]).withUnsafeBytes { try UpdateOperation(logType: operation.logType, $0) }
                }
            }
        }
    }

    private func manifest() throws -> Manifest {
        var manifest = Manifest(config: allKindsConfig())
        manifest.fieldIndexes = [
            .init(key: try PayloadPath("a.b"), schema: FieldIndexSchema(type: .integer)),
            .init(
                key: try PayloadPath("t"), schema: FieldIndexSchema(type: .keyword, params: Payload(["x": .bool(true)]))
            ),
        ]
        manifest.checkpoint = 77
        for count in [1, 5000] {
            let file = FileSummary(name: "ids", size: 4096, crc: 7)
            var entry = SegmentEntry(
                uuid: .random(), rowCount: count,
                files: [
                    .init(role: .ids, subject: "", parameters: "", summary: file),
                    .init(role: .graph, subject: "a", parameters: "m=4 ef_construct=16", summary: file),
                ], lastLSN: 70)
            if count > 1 {
                entry.deletions = FileSummary(name: "d", size: 4096, crc: 8)
                entry.deletedCount = 3
            }
            manifest.segments.append(entry)
        }
        return manifest
    }

    @Test("a manifest comes back as it was")
    func manifestRoundTrip() throws {
        let manifest = try manifest()
        let again = try Manifest(manifest.encoded())
        #expect(again.config == manifest.config)
        #expect(again.fieldIndexes == manifest.fieldIndexes)
        #expect(again.checkpoint == manifest.checkpoint)
        #expect(again.segments == manifest.segments)
        #expect(again.encoded() == manifest.encoded())
    }

    @Test("a damaged manifest is refused or harmless, a truncated one refused")
    func manifestDamage() throws {
        let bytes = try manifest().encoded()
        damage(bytes, seed: 6) { _ = try Manifest($0).encoded() }
        for length in 0..<bytes.count { #expect(throws: StorageError.self) { try Manifest(Array(bytes[..<length])) } }
    }

    @Test("a catalog comes back as it was, and damage is refused or harmless")
    func catalog() throws {
        var catalog = Catalog()
        #expect(try Catalog(catalog.encoded()) == catalog)
        catalog.collections = ["a": .random(), "b ü": .random(), "": .random()]
        catalog.aliases = ["x": "a", "y": "b ü"]
        let bytes = catalog.encoded()
        #expect(try Catalog(bytes) == catalog)
        damage(bytes, seed: 7) { _ = try Catalog($0).encoded() }
        for length in 0..<bytes.count { #expect(throws: StorageError.self) { try Catalog(Array(bytes[..<length])) } }
    }

    private func encodedMap(_ ids: [PointID], listed: (Int) -> Bool = { _ in true }) throws -> [UInt8] {
        var bytes: [UInt8] = []
        try IDMap.encode(ids: ids, versions: ids.indices.map { UInt64($0 * 3) }, listed: listed) {
            (raw) throws(StorageError) in
            bytes += Array(raw)
        }
        return bytes
    }

    @Test("an id map finds every listed id, its row, version and place", arguments: [true, false])
    func idMap(uuids: Bool) throws {
        var requests = RandomRequests(generator: SeededGenerator(seed: 8), idRange: 5000)
        let drawn = Array(Set(requests.ids(1500...1500)))
        let ids = uuids ? drawn : drawn.filter { !$0.isUUID }
        let bytes = try encodedMap(ids) { $0 % 7 != 0 }
        try withAligned(bytes) { raw in
            let map = try IDMap(raw)
            #expect(map.rowCount == ids.count)
            let listed = ids.indices.filter { $0 % 7 != 0 }
            for (row, id) in ids.enumerated() {
                #expect(map.id(UInt32(row)) == id)
                #expect(map.version(UInt32(row)) == UInt64(row * 3))
                #expect(map.row(of: id) == (row % 7 != 0 ? UInt32(row) : nil))
            }
            let sorted = listed.map { ids[$0] }.sorted()
            #expect((0..<map.listedCount).map { map.id(map.row(atPlace: $0)) } == sorted)
            for probe in requests.ids(200...200) {
                #expect(map.lowerBound(probe) == sorted.count { $0 < probe })
                if !ids.contains(probe) { #expect(map.row(of: probe) == nil) }
            }
        }
    }

    @Test("a damaged id map is refused or harmless")
    func idMapDamage() throws {
        var requests = RandomRequests(generator: SeededGenerator(seed: 9), idRange: 50)
        let ids = Array(Set(requests.ids(20...20)))
        for ids in [ids, ids.filter { !$0.isUUID }, []] {
            damage(try encodedMap(ids), seed: 10) { damaged in
                try withAligned(damaged) { raw in
                    let map = try IDMap(raw)
                    for row in 0..<min(map.rowCount, 100) { _ = (map.id(UInt32(row)), map.version(UInt32(row))) }
                    for id in ids { _ = (map.row(of: id), map.lowerBound(id)) }
                    for place in 0..<map.listedCount { _ = map.row(atPlace: place) }
                }
            }
        }
    }

    /// The bytes where a mapped file would have them: on a page, so that reading past the end would be noticed by tools.
    private func withAligned(_ bytes: [UInt8], _ body: (UnsafeRawBufferPointer) throws -> Void) throws {
        let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: max(bytes.count, 1), alignment: 4096)
        defer { memory.deallocate() }
        memory.copyBytes(from: bytes)
        try body(UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(memory)[..<bytes.count]))
    }
}
