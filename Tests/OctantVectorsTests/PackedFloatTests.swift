import COctantKernels
import OctantModel
import Testing

@testable import OctantVectors

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// The kernels of every level this processor has, with the float kernels of that level.
private let tables = (0..<Int32(OK_LEVEL_COUNT)).compactMap { level -> (ok_compact_table, ok_kernel_table)? in
    var table = ok_compact_table()
    var floats = ok_kernel_table()
    return ok_compact_at(level, &table) != 0 && ok_kernels_at(level, &floats) != 0 ? (table, floats) : nil
}

/// Bytes that end where memory ends: reading behind them ends the process.
private final class GuardedBytes {
    let base: UnsafeMutablePointer<UInt8>
    private let region: UnsafeMutableRawPointer
    private let regionBytes: Int

    init(_ count: Int) {
        let page = 4096
        let pages = (count + page - 1) / page
        regionBytes = (pages + 1) * page
        region = mmap(nil, regionBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
        _ = mprotect(region + pages * page, page, PROT_NONE)
        base = (region + (pages * page - count)).assumingMemoryBound(to: UInt8.self)
    }

    deinit { munmap(region, regionBytes) }
}

/// Rows of floats, packed as a segment's file has them.
private final class Packed {
    let form: PackedFloatForm
    let dimension: Int
    let count: Int
    let bytes: GuardedBytes
    let whole: GuardedBytes
    private(set) var wholeCount = 0

    init(_ floats: [Float], dimension: Int, slots: Int) throws {
        form = try #require(PackedFloatForm(slots: slots))
        self.dimension = dimension
        count = floats.count / dimension
        let stride = form.rowBytes(dimension)
        bytes = GuardedBytes(count * stride)
        whole = GuardedBytes(max(4, floats.count * 4))
        let wide = UnsafeMutableRawPointer(whole.base).assumingMemoryBound(to: Float.self)
        floats.withUnsafeBufferPointer { floats in
            guard let base = floats.baseAddress else { return }
            for row in 0..<count {
                let place = bytes.base + row * stride
                if form.encode(base + row * dimension, dimension, into: place) { continue }
                form.mark(wholeCount, dimension, into: place)
                (wide + wholeCount * dimension).update(from: base + row * dimension, count: dimension)
                wholeCount += 1
            }
        }
    }

    var rows: DenseRows {
        let wide = UnsafeMutableRawPointer(whole.base).assumingMemoryBound(to: Float.self)
        return DenseRows(
            base: bytes.base, element: .packedFloat32(form), count: count, dimension: dimension,
            whole: WholeRows(base: wide, count: wholeCount))
    }
}

/// How many floats of a row are exceptions, by the definition.
private func exceptions(_ row: [Float]) -> Int {
    let exponents = row.map { Int($0.bitPattern >> 23 & 255) }
    let largest = exponents.max() ?? 0
    return exponents.filter { $0 != 0 && largest - $0 > 14 }.count
}

@Suite("Packed floats")
struct PackedFloatTests {
    private static let widths = [2, 3, 5, 7, 8, 9, 15, 16, 17, 31, 32, 33, 47, 64, 65, 129, 511]

    /// Rows of every sort of float: like those of embeddings, with zeros, with any exponent, with any bits.
    private static func floats(_ count: Int, _ dimension: Int, _ random: inout TestRandom) -> [Float] {
        (0..<count).flatMap { row -> [Float] in
            (0..<dimension).map { _ in
                let x = random.normal()
                switch row % 8 {
                case 0: return x
                case 1: return random.next() % 4 == 0 ? -0.0 : x * 1e-3
                case 2: return random.next() % 40 == 0 ? x * 1e-12 : x
                case 3: return random.next() % 3 == 0 ? Float(bitPattern: UInt32(random.next() % 0x7fffff)) : 0
                case 4: return Float(sign: .minus, exponent: Int(random.next() % 200) - 100, significand: 1.5)
                case 5: return 0
                case 6: return Float(bitPattern: UInt32(truncatingIfNeeded: random.next()))
                default: return random.next() % 9 == 0 ? .infinity : x * 1e30
                }
            }
        }
    }

    @Test("Every float comes back, bit for bit, on every level", arguments: [0, 1, 2, 9])
    func roundTrip(_ slots: Int) throws {
        var random = TestRandom(seed: 71 + UInt64(slots))
        for dimension in Self.widths {
            let count = 24
            let floats = Self.floats(count, dimension, &random)
            let packed = try Packed(floats, dimension: dimension, slots: slots)
            var rows = packed.rows.packedFloats(packed.form)
            var whole = 0
            for row in 0..<count {
                let given = Array(floats[row * dimension..<(row + 1) * dimension])
                let expected = exceptions(given)
                let note = "width \(dimension), row \(row)"
                #expect(PackedFloatForm.exceptions(given, dimension) == expected, "\(note)")
                let place = packed.rows.packedPlace(UInt32(row))
                #expect(place == (expected > slots ? .whole(whole) : .packed), "\(note)")
                whole += expected > slots ? 1 : 0
                let bits = (given + [7]).map(\.bitPattern)
                for (table, _) in tables {
                    var out = [Float](repeating: 7, count: dimension + 1)
                    table.floats_decode(&rows, row, &out)
                    let isSame = zip(out, bits).allSatisfy { $0.bitPattern == $1 }
                    #expect(isSame, "\(note), level \(table.level)")
                }
            }
        }
    }

    @Test("Kernels give the bits of the float kernels, on every level")
    func kernels() throws {
        var random = TestRandom(seed: 72)
        for dimension in Self.widths + [512, 513, 1024, 4096] {
            let count = 23
            // A row in eight is kept whole, and another has exceptions now and then.
            let floats = (0..<count).flatMap { row in
                (0..<dimension).map { _ -> Float in
                    let x = random.normal()
                    if row % 8 == 1 { return x * Float(sign: .plus, exponent: Int(random.next() % 60), significand: 1) }
                    return row % 8 == 3 && random.next() % UInt64(dimension) == 0 ? x * 1e-9 : x
                }
            }
            let packed = try Packed(floats, dimension: dimension, slots: 2)
            let query = (0..<dimension).map { _ in random.normal() }
            var rows = packed.rows.packedFloats(packed.form)
            for (table, kernels) in tables {
                let metrics: [(ok_floats_metric, ok_f32_metric)] = [
                    (table.floats.0, kernels.dot), (table.floats.1, kernels.l2), (table.floats.2, kernels.l1),
                ]
                for (number, (metric, plain)) in metrics.enumerated() {
                    let expected = (0..<count).map { row in
                        floats.withUnsafeBufferPointer { floats -> UInt32 in
                            guard let base = floats.baseAddress else { return 0 }
                            return plain.one(query, base + row * dimension, dimension).bitPattern
                        }
                    }
                    let note = "level \(table.level), metric \(number), width \(dimension)"
                    for size in 0...9 {
                        let ids = (0..<size).map { _ in UInt32(random.next() % UInt64(count)) }
                        var out = [Float](repeating: 7, count: size + 1)
                        metric.gather(query, &rows, ids, size, &out)
                        #expect(
                            out.map(\.bitPattern) == ids.map { expected[Int($0)] } + [Float(7).bitPattern], "\(note)")
                    }
                    var out = [Float](repeating: 7, count: count)
                    metric.batch(query, &rows, 1, count - 1, &out)
                    #expect(out.map(\.bitPattern) == expected.dropFirst() + [Float(7).bitPattern], "\(note)")
                }
            }
        }
    }

    @Test("Any bytes are read as something, the same on every level, and nothing beside them")
    func damage() throws {
        var random = TestRandom(seed: 73)
        for dimension in Self.widths {
            let (count, slots) = (40, 3)
            let packed = try Packed(
                Self.floats(count, dimension, &random), dimension: dimension, slots: slots)
            let stride = packed.form.rowBytes(dimension)
            for place in 0..<count * stride where random.next() % 3 == 0 {
                packed.bytes.base[place] = UInt8(truncatingIfNeeded: random.next())
            }
            // Numbers of exceptions that there is no room for, and rows that are said to be kept whole.
            let head = 3 * dimension + (dimension + 1) / 2
            for row in 0..<count where row % 3 == 0 {
                packed.bytes.base[row * stride + head + 1] = row % 2 == 0 ? 255 : 254
                if row % 4 == 0 { packed.bytes.base[row * stride] = 255 }
            }
            var rows = packed.rows.packedFloats(packed.form)
            let query = (0..<dimension).map { _ in random.normal() }
            let ids = (0..<UInt32(count)).map { $0 }
            for row in 0..<count {
                var expected = [Float](repeating: 7, count: dimension)
                _ = packed.rows.packedPlace(UInt32(row))
                for (number, (table, _)) in tables.enumerated() {
                    var out = expected
                    table.floats_decode(&rows, row, &out)
                    if number == 0 { expected = out }
                    #expect(out.map(\.bitPattern) == expected.map(\.bitPattern), "width \(dimension), row \(row)")
                }
            }
            var out = [Float](repeating: 0, count: count)
            for (table, _) in tables {
                for metric in [table.floats.0, table.floats.1, table.floats.2] {
                    metric.gather(query, &rows, ids, count, &out)
                    metric.batch(query, &rows, 0, count, &out)
                }
            }
        }
        // Bytes that were never written are zeros.
        let empty = try Packed([Float](repeating: 1, count: 40), dimension: 40, slots: 0)
        empty.bytes.base.update(repeating: 0, count: empty.rows.stride)
        #expect(empty.rows.copy(0) == [Float](repeating: 0, count: 40))
    }

    @Test("The smallest form is chosen, and none where little is won")
    func choice() throws {
        var random = TestRandom(seed: 74)
        for _ in 0..<300 {
            let dimension = Int(random.next() % 600) + 32
            var counts = (0..<PackedFloatForm.slotsMax + 2).map { _ in 0 }
            let spread = 1 + random.next() % 80
            for _ in 0..<1000 { counts[Int(min(random.next() % spread, UInt64(counts.count - 1)))] += 1 }
            if random.next() % 2 == 0 { counts[0] += 100_000 }
            func bytes(_ slots: Int) -> Double {
                var total = 0
                for (exceptions, rows) in counts.enumerated() {
                    let row = (3 * dimension + (dimension + 1) / 2 + 2 + 3 * slots + 3) / 4 * 4
                    total += rows * (row + (exceptions > slots ? dimension * 4 : 0))
                }
                return Double(total)
            }
            let plain = Double(counts.reduce(0, +) * dimension * 4)
            let best = (0...PackedFloatForm.slotsMax).map(bytes).min() ?? 0
            let form = PackedFloatForm.smallest(counts, dimension: dimension)
            #expect(form.map { bytes($0.slots) } == (best < plain * 0.95 ? best : nil))
        }
        #expect(PackedFloatForm.smallest([100, 0], dimension: 31) == nil)
        #expect(PackedFloatForm.smallest([100, 0], dimension: 65_537) == nil)
        #expect(PackedFloatForm.smallest([0, 0], dimension: 64) == nil)
        #expect(PackedFloatForm.smallest([0, 100], dimension: 64) == nil)
        #expect(PackedFloatForm(slots: PackedFloatForm.slotsMax + 1) == nil)
        #expect(RowElement.packedFloat32(try #require(PackedFloatForm(slots: 2))).rowBytes(384) == 1352)
    }

    @Test("Searches give what they give of floats, score for score", arguments: Distance.allCases)
    func searches(_ distance: Distance) throws {
        let given = TestRows(count: 3000, dimension: 70, distance: distance, seed: 75)
        // Some rows are kept whole.
        for row in stride(from: 5, to: given.count, by: 211) {
            for place in 0..<10 { given.base[row * 70 + place] *= 1e-7 }
        }
        let floats = Array(UnsafeBufferPointer(start: given.base, count: given.count * 70))
        let packed = try Packed(floats, dimension: 70, slots: 2)
        #expect(packed.wholeCount > 10)
        let builders = try [given.rows, packed.rows].map { rows in
            let builder = try HNSWBuilder(parameters: HNSWParameters(m: 8, efConstruct: 40), count: rows.count)
            try builder.build(source: .rows(rows, distance))
            return builder
        }
        var graphs: [[UInt8]] = [[], []]
        for (place, builder) in builders.enumerated() { builder.serialize { graphs[place] += Array($0) } }
        #expect(graphs[0] == graphs[1])
        var bytes: [[UInt8]] = [[], []]
        for (place, rows) in [given.rows, packed.rows].enumerated() {
            let parameters = Int8Codes.train(rows: rows, distance: distance, quantile: nil)
            try Int8Codes.encode(rows: rows, parameters: parameters, threads: 1) { bytes[place] += Array($0) }
        }
        #expect(bytes[0] == bytes[1])
        let queries = TestRows(count: 20, dimension: 70, distance: distance, seed: 76)
        let codes = try Int8Codes.make(rows: packed.rows, distance: distance)
        let graph = try builders[0].makeGraph()
        for coded in [false, true] {
            let indexes = [given.rows, packed.rows].map {
                DenseIndex(
                    distance: distance, rows: $0, codes: coded ? .int8(codes) : nil, graph: graph, owner: packed)
            }
            for number in 0..<UInt32(20) {
                let query = queries.rows.row(number)
                let options = DenseIndex.Options(limit: 10, ef: 64)
                let walks = indexes.map { $0.search(query: query, options: options) }
                #expect(walks[0] == walks[1])
                let scans = indexes.map { $0.scanAll(query: query, options: options) }
                #expect(scans[0] == scans[1])
            }
        }
    }
}
