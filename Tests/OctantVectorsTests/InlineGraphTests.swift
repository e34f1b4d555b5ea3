import COctantKernels
import OctantModel
import Testing

@testable import OctantVectors

/// The kinds of codes that a walk on disk can go by.
private enum Family: String, CaseIterable {
    case split, whole4, whole8, manhattan, product1, product4, one, two, four, eight, binary

    func make(_ rows: DenseRows, _ distance: Distance) throws -> VectorCodes {
        func packed(_ bits: Int, binary: Bool = false) throws -> VectorCodes {
            let width = try #require(PackedWidth(bits: bits, expanded: false, binaryQuery: binary))
            return .packed(try PackedCodes.make(rows: rows, distance: distance, width: width))
        }
        func product(_ width: Int) throws -> VectorCodes {
            let shape = try #require(ProductShape(distance: distance, dimension: rows.dimension, width: width))
            return .product(
                try ProductCodes.make(
                    rows: rows, parameters: ProductParameters.train(rows: rows, shape: shape, threads: 1)))
        }
        switch self {
        case .split: return .int8(try Int8Codes.make(rows: rows, distance: distance, quantile: 0.99))
        case .whole4, .whole8, .manhattan: return .int8(try Int8Codes.make(rows: rows, distance: distance))
        case .product1: return try product(1)
        case .product4: return try product(4)
        case .one: return try packed(1)
        case .two: return try packed(2)
        case .four: return try packed(4)
        case .eight: return try packed(8)
        case .binary: return try packed(1, binary: true)
        }
    }
}

/// A copy of bytes that begins as a mapped file does.
private final class PageMemory {
    private let memory: UnsafeMutableRawBufferPointer
    let bytes: UnsafeRawBufferPointer

    init(_ bytes: [UInt8]) {
        memory = .allocate(byteCount: max(1, bytes.count), alignment: 4096)
        memory.copyBytes(from: bytes)
        self.bytes = UnsafeRawBufferPointer(rebasing: memory[..<bytes.count])
    }

    deinit { memory.deallocate() }
}

/// Rows, codes, and a graph that is read as if it were on disk, with and without an inline graph.
private struct World {
    static let count = 1400
    let data: TestRows
    let rows: DenseRows
    let codes: VectorCodes
    let graph: HNSWGraph
    let bytes: [UInt8]
    let distance: Distance

    init(_ family: Family, _ distance: Distance, dimension: Int, seed: UInt64, originals: Bool = true) throws {
        self.distance = distance
        data = TestRows(count: Self.count + 40, dimension: dimension, distance: distance, seed: seed)
        rows = data.slice(0..<Self.count)
        codes = try family.make(rows, distance)
        let builder = try HNSWBuilder(parameters: .init(m: 8, efConstruct: 60), count: Self.count)
        try builder.build(source: .rows(rows, distance))
        var form: [UInt8] = []
        builder.serialize { form += $0 }
        let memory = PageMemory(form)
        graph = try HNSWGraph(bytes: memory.bytes, owner: memory, isCold: true)
        var inline: [UInt8] = []
        try InlineGraph.write(graph, codes, originals: originals ? rows : nil) { inline += $0 }
        bytes = inline
    }

    func inline(_ bytes: [UInt8]) throws -> InlineGraph {
        let memory = PageMemory(bytes)
        return try InlineGraph(bytes: memory.bytes, owner: memory)
    }

    func index(_ inline: InlineGraph?) -> DenseIndex {
        DenseIndex(
            distance: distance, rows: rows, codes: codes, graph: graph, inline: inline,
            onDisk: DenseIndex.OnDisk(rows: true, codes: true), owner: data)
    }

    func query(_ number: Int) -> UnsafePointer<Float> {
        UnsafePointer(data.base + (Self.count + number) * data.dimension)
    }

    /// All ways to search: with and without rescoring, filtered, over two hops.
    static func searches() -> [(DenseIndex.Options, RowPredicate?)] {
        let even: RowPredicate = { rows, count, out in for i in 0..<count { out[i] = rows[i] % 2 == 0 } }
        var few = DenseIndex.Options(limit: 10, ef: 50)
        few.readsFew = true
        return [
            (.init(limit: 10, ef: 50), nil), (.init(limit: 10, ef: 50, rescore: false), nil), (few, nil),
            (.init(limit: 5, ef: 20, rescore: false), even), (.init(limit: 10, ef: 40), even),
            (.init(limit: 10, ef: 40, twoHops: true), even), (.init(limit: 700, ef: 10, rescore: false), nil),
        ]
    }
}

private func same(_ a: [ScoredRow], _ b: [ScoredRow]) -> Bool {
    a.map(\.row) == b.map(\.row) && a.map(\.score.bitPattern) == b.map(\.score.bitPattern)
}

@Suite("Graphs with codes beside their links")
struct InlineGraphTests {
    private static let cases: [(Family, Distance, Int)] = [
        (.split, .cosine, 128), (.split, .euclid, 200), (.split, .dot, 100), (.whole4, .cosine, 160),
        (.whole4, .euclid, 128), (.whole8, .cosine, 24), (.whole8, .euclid, 24), (.manhattan, .manhattan, 48),
        (.product1, .cosine, 48), (.product4, .euclid, 50), (.one, .cosine, 96), (.two, .euclid, 72),
        (.four, .manhattan, 72), (.four, .cosine, 130), (.eight, .dot, 40), (.binary, .cosine, 128),
    ]

    @Test("Answers and scores are those of the plain graph on disk, bit for bit", arguments: cases.indices)
    func equal(_ number: Int) throws {
        let (family, distance, dimension) = Self.cases[number]
        let world = try World(family, distance, dimension: dimension, seed: 300 + UInt64(number))
        let inline = try world.inline(world.bytes)
        try inline.validate()
        let (plain, beside) = (world.index(nil), world.index(inline))
        #expect(beside.inline != nil)
        var hits = 0.0
        for q in 0..<30 {
            for (place, (options, admit)) in World.searches().enumerated() {
                let expected = plain.search(query: world.query(q), options: options, admit: admit)
                let found = beside.search(query: world.query(q), options: options, admit: admit)
                #expect(same(found, expected), "\(family) \(distance) search \(place) query \(q)")
            }
            hits += recall(
                beside.search(query: world.query(q), options: .init(limit: 10, ef: 100)),
                slowSearch(distance, world.rows, world.query(q), 10))
        }
        #expect(hits > (family == .product4 || family == .one || family == .binary ? 15 : 27), "\(family) \(hits)")
        #expect(inline.isIntact)
    }

    @Test("As parts of one search, segments with and without give the same", arguments: [0, 1, 5, 9, 13])
    func parts(_ number: Int) throws {
        let (family, distance, dimension) = Self.cases[number]
        let worlds = try (0..<3).map { try World(family, distance, dimension: dimension, seed: 400 + UInt64($0)) }
        let plain = worlds.map { $0.index(nil) }
        let beside = try worlds.map { $0.index(try $0.inline($0.bytes)) }
        for q in 0..<20 {
            let query = worlds[0].query(q)
            for (options, admit) in World.searches() {
                func answer(_ isInline: Bool) throws -> [[ScoredRow]] {
                    let share = SharedBound(ef: options.poolSize, partRows: worlds.map(\.rows.count))
                    let meter = SearchMeter()
                    let pools = try (isInline ? beside : plain).map { index in
                        var options = options
                        options.meter = meter
                        return try #require(
                            index.candidates(query: query, options: options, admit: admit, share: share))
                    }
                    for pool in pools { pool.complete(share: share) }
                    return CandidatePool.best(pools, query: query)
                }
                for (found, expected) in zip(try answer(true), try answer(false)) { #expect(same(found, expected)) }
            }
        }
    }

    @Test("Originals are in a record where they take no page more, and no record lies on more pages than it needs")
    func layout() throws {
        var with = 0
        for m0 in [4, 16, 32, 64, 128] {
            for codeBytes in [1, 8, 56, 104, 192, 384, 768] {
                for originalBytes in [0, 100, 384, 1536, 3072, 6144] {
                    let layout = InlineLayout.fitting(
                        rows: 1000, m0: m0, codeBytes: codeBytes, hasNorms: m0 == 16, originalBytes: originalBytes,
                        upperCounts: [60, 4])
                    let bare = InlineLayout.fitting(
                        rows: 1000, m0: m0, codeBytes: codeBytes, hasNorms: m0 == 16, originalBytes: 0,
                        upperCounts: [60, 4])
                    let pages = { (bytes: Int) in (bytes + 4095) / 4096 }
                    #expect(pages(layout.recordBytes) == pages(bare.recordBytes))
                    #expect(layout.contentBytes <= layout.recordBytes && layout.records % 4096 == 0)
                    if layout.recordBytes < 4096 {
                        #expect(4096 % layout.recordBytes == 0 && layout.contentBytes > layout.recordBytes / 2)
                    } else {
                        #expect(layout.recordBytes - layout.contentBytes < 4096 && layout.recordBytes % 4096 == 0)
                    }
                    #expect(layout.originalBytes == 0 || layout.originalBytes == originalBytes)
                    if layout.originalBytes > 0 {
                        with += 1
                        #expect(layout.original + originalBytes <= layout.codes)
                        #expect(
                            layout.originalPages
                                == layout.original / 4096..<(layout.original + originalBytes - 1) / 4096 + 1)
                    }
                }
            }
        }
        #expect(with > 20)
        let pypi = InlineLayout.fitting(
            rows: 1, m0: 32, codeBytes: 192, hasNorms: false, originalBytes: 1536, upperCounts: [])
        #expect(pypi.recordBytes == 8192 && pypi.originalBytes == 1536)
    }

    @Test("What does not belong to graph, codes and rows is left unused")
    func misfits() throws {
        let world = try World(.split, .cosine, dimension: 128, seed: 11)
        let inline = try world.inline(world.bytes)
        let other = try World(.four, .cosine, dimension: 128, seed: 11)
        #expect(other.index(inline).inline == nil)
        let inMemory = DenseIndex(
            distance: .cosine, rows: world.rows, codes: world.codes, graph: world.graph, inline: inline,
            owner: world.data)
        #expect(inMemory.inline == nil)
        #expect(throws: VectorFormatError.self) {
            try InlineGraph.write(other.graph, world.codes, originals: world.data.slice(0..<7)) { _ in }
        }
        #expect(throws: VectorFormatError.self) { try world.inline(Array(world.bytes.dropLast())) }
        #expect(throws: VectorFormatError.self) { try world.inline(Array(world.bytes.prefix(100))) }
        for offset in [0, 8, 12, 16, 20, 24, 28, 32, 40] {
            var bytes = world.bytes
            bytes[offset + 1] ^= 0x55
            #expect(throws: VectorFormatError.self, "\(offset)") { try world.inline(bytes) }
        }
    }
}

@Suite("Damaged graphs with codes beside their links")
struct InlineGraphDamageTests {
    @Test("A damaged record is noticed when it is read, and answers stay those of the plain graph")
    func damaged() throws {
        for (family, originals) in [(Family.split, true), (.split, false), (.two, true)] {
            let world = try World(family, .cosine, dimension: 128, seed: 21, originals: originals)
            let layout = try world.inline(world.bytes).layout
            let plain = world.index(nil)
            var random = TestRandom(seed: 31)
            var noticed = 0
            for round in 0..<30 {
                var bytes = world.bytes
                for _ in 0..<(round < 15 ? 3 : 400) {
                    let place = layout.records + Int(random.next() % UInt64(bytes.count - layout.records - 64))
                    bytes[place] ^= UInt8(1 + random.next() % 255)
                }
                let inline = try world.inline(bytes)
                let index = world.index(inline)
                for q in 0..<12 {
                    let (options, admit) = World.searches()[q % 7]
                    let expected = plain.search(query: world.query(q), options: options, admit: admit)
                    let found = index.search(query: world.query(q), options: options, admit: admit)
                    #expect(same(found, expected), "\(family) round \(round) query \(q)")
                }
                if !inline.isIntact { noticed += 1 }
                if round >= 15 { #expect(throws: VectorFormatError.self) { try world.inline(bytes).validate() } }
            }
            #expect(noticed > 12)
        }
    }

    @Test("A record in the place of another is damaged")
    func exchanged() throws {
        let world = try World(.four, .cosine, dimension: 128, seed: 22)
        let layout = try world.inline(world.bytes).layout
        var bytes = world.bytes
        let (a, b) = (layout.records + 3 * layout.recordBytes, layout.records + 9 * layout.recordBytes)
        for i in 0..<layout.recordBytes { bytes.swapAt(a + i, b + i) }
        let inline = try world.inline(bytes)
        var list = [UInt32](repeating: 0, count: layout.m0)
        #expect(inline.read(2, into: &list) && inline.isIntact)
        #expect(!inline.read(3, into: &list) && !inline.isIntact)
        #expect(!inline.read(9, into: &list))
    }

    /// Makes the checksums of a record right again.
    private func seal(_ row: UInt32, _ layout: InlineLayout, _ bytes: inout [UInt8]) {
        let record = layout.records + Int(row) * layout.recordBytes
        bytes.withUnsafeMutableBytes { bytes in
            guard let base = bytes.baseAddress else { return }
            let links = (0..<layout.m0).map {
                base.load(fromByteOffset: record + layout.links + 4 * $0, as: UInt32.self)
            }
            let n = links.firstIndex { $0 >= layout.rows } ?? layout.m0
            var crc = octant_crc32c(row, base + (record + layout.links), layout.original - layout.links)
            crc = octant_crc32c(crc, base + (record + layout.codes), n * layout.codeBytes)
            base.storeBytes(of: crc, toByteOffset: record + layout.crc, as: UInt32.self)
        }
    }

    @Test("Whatever records with right checksums say, a search stays inside")
    func hostile() throws {
        let world = try World(.split, .euclid, dimension: 100, seed: 23)
        let layout = try world.inline(world.bytes).layout
        var random = TestRandom(seed: 32)
        for round in 0..<20 {
            var bytes = world.bytes
            for row in 0..<UInt32(World.count) {
                let links = layout.records + Int(row) * layout.recordBytes + layout.links
                for place in 0..<layout.m0 where random.next() % 4 == 0 {
                    var link = UInt32(truncatingIfNeeded: random.next())
                    if random.next() % 2 == 0 { link %= UInt32(World.count) }
                    if random.next() % 8 == 0 { link = row }
                    for byte in 0..<4 {
                        bytes[links + 4 * place + byte] = UInt8(truncatingIfNeeded: link >> (8 * UInt32(byte)))
                    }
                }
                seal(row, layout, &bytes)
            }
            // And rows of higher levels that are none.
            for place in 256..<layout.upperCodes where round % 2 == 0 { bytes[place] = UInt8(random.next() & 255) }
            let inline = try world.inline(bytes)
            let index = world.index(inline)
            for q in 0..<10 {
                let (options, admit) = World.searches()[q % 7]
                let found = index.search(query: world.query(q), options: options, admit: admit)
                #expect(found.allSatisfy { Int($0.row) < World.count })
            }
            #expect(inline.isIntact)
        }
    }
}
