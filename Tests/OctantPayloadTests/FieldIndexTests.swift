import OctantModel
import Testing

@testable import OctantPayload

@Suite struct FieldIndexTests {
    private func encoded(_ rows: TestRows, _ key: PayloadPath, _ type: FieldIndexType) -> [UInt8] {
        var analysis = TextAnalysis()
        analysis.phraseMatching = true
        let params = type == .text ? Payload(analysis.json) : nil
        var builder = FieldIndexBuilder(
            key: key, schema: FieldIndexSchema(type: type, params: params), rowCount: rows.rowCount)
        for row in 0..<UInt32(rows.rowCount) { builder.add(row: row, payload: PayloadView(rows.payload(row))) }
        var bytes: [UInt8] = []
        builder.finish { bytes.append(contentsOf: $0) }
        return bytes
    }

    private func open(_ bytes: [UInt8]) throws -> FieldIndex {
        let owner = AlignedBytes(count: bytes.count)
        owner.bytes.copyBytes(from: bytes)
        return try FieldIndex(bytes: UnsafeRawBufferPointer(owner.bytes), owner: owner)
    }

    @Test("an index read back tells its key, type and counts")
    func counts() throws {
        let rows = TestRows([
            Payload(["t": .array([.string("a"), .string("b"), .string("a")])]), .empty,
            Payload(["t": .string("b")]), Payload(["t": .integer(1)]),
        ])
        let index = try open(encoded(rows, PayloadPath("t"), .keyword))
        #expect(index.key.description == "t" && index.type == .keyword && index.rowCount == 4)
        #expect(index.indexedRows == 2 && index.distinctCount == 2 && index.valueCount == 3)
        let bools = TestRows([Payload(["t": .bool(true)]), Payload(["t": .array([.bool(true), .bool(false)])])])
        #expect(try open(encoded(bools, PayloadPath("t"), .bool)).indexedRows == 2)
        #expect(try open(encoded(TestRows([]), PayloadPath("t"), .float)).indexedRows == 0)
    }

    @Test("rows out of order or out of range are ignored")
    func order() throws {
        var builder = FieldIndexBuilder(
            key: try PayloadPath("t"), schema: FieldIndexSchema(type: .integer), rowCount: 3)
        let payload = Payload(["t": .integer(1)])
        payload.withView { view in
            for row: UInt32 in [1, 0, 1, 3, .max] { builder.add(row: row, payload: view) }
        }
        let index = try builder.makeIndex()
        #expect(index.indexedRows == 1 && Array(UnsafeBufferPointer(start: index.rows, count: 1)) == [1])
    }

    @Test("damaged indexes are refused or answer something, but never trap", arguments: FieldIndexType.allCases)
    func damage(_ type: FieldIndexType) throws {
        var source = RandomFilters(seed: 99)
        let rows = TestRows((0..<70).map { _ in source.payload() })
        let key = try PayloadPath("a")
        let bytes = encoded(rows, key, type)
        for count in bytes.indices {
            #expect(throws: FieldIndexError.self) { try open(Array(bytes[..<count])) }
        }
        #expect(throws: FieldIndexError.self) { try open(bytes + [0]) }
        var opened = 0
        for _ in 0..<4000 {
            var damaged = bytes
            for _ in 0...Int.random(in: 0...2, using: &source.random) {
                let place = Int.random(in: bytes.indices, using: &source.random)
                damaged[place] ^= 1 << UInt8.random(in: 0...7, using: &source.random)
            }
            guard let index = try? open(damaged) else { continue }
            opened += 1
            rows.indexes[key] = [index]
            let filter = Filter(must: [.field(source.field(key))], mustNot: [.isNull(key)])
            let compiled = CompiledFilter(filter, rows: rows)
            for row in compiled.matchingRows() { _ = compiled.matches(row) }
        }
        #expect(opened > 0)
    }

    @Test("damaged payloads can be indexed and filtered without a trap", arguments: 0..<10)
    func damagedPayloads(_ seed: UInt64) throws {
        var source = RandomFilters(seed: seed)
        let rows = TestRows(
            (0..<100).map { _ in
                var bytes = source.payload().bytes
                if let place = bytes.indices.randomElement(using: &source.random) {
                    bytes[place] = .random(in: 0...255, using: &source.random)
                }
                return Payload(bytes: bytes)
            })
        for key in source.keys where source.chance(50) {
            for type in FieldIndexType.allCases where source.chance(40) { try rows.addIndex(key, type) }
        }
        for _ in 0..<40 {
            let compiled = CompiledFilter(source.filter(depth: 3, idCount: 100), rows: rows)
            let listed = compiled.matchingRows()
            #expect(listed == (0..<100).filter { compiled.matches($0) }, "seed \(seed)")
        }
    }

    @Test("indexes not on a multiple of 8 bytes are refused")
    func alignment() throws {
        let bytes = encoded(TestRows([.empty]), try PayloadPath("a"), .bool)
        let owner = AlignedBytes(count: bytes.count + 1)
        let shifted = UnsafeMutableRawBufferPointer(rebasing: owner.bytes[1...])
        shifted.copyBytes(from: bytes)
        #expect(throws: FieldIndexError.self) {
            try FieldIndex(bytes: UnsafeRawBufferPointer(shifted), owner: owner)
        }
    }
}
