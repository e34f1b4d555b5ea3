import COctantKernels
import OctantModel
import Testing

@testable import OctantVectors

/// The kernels of every level this processor has, with the float kernels of that level.
private let tables = (0..<Int32(OK_LEVEL_COUNT)).compactMap { level -> (ok_compact_table, ok_kernel_table)? in
    var table = ok_compact_table()
    var floats = ok_kernel_table()
    return ok_compact_at(level, &table) != 0 && ok_kernels_at(level, &floats) != 0 ? (table, floats) : nil
}

/// The value of a half by its definition.
private func value(half bits: UInt16) -> Float {
    let exponent = Int(bits >> 10 & 31)
    let fraction = Float(bits & 0x3ff)
    let sign: Float = bits >> 15 == 0 ? 1 : -1
    if exponent == 31 { return fraction == 0 ? sign * .infinity : .nan }
    if exponent == 0 { return sign * fraction * Float(sign: .plus, exponent: -24, significand: 1) }
    return sign * Float(sign: .plus, exponent: exponent - 25, significand: 1024 + fraction)
}

/// Rows in a compact form and the floats they stand for.
private final class CompactRows: @unchecked Sendable {
    // SAFETY: written by init only.
    let rows: DenseRows
    let floats: TestRows
    private let memory: UnsafeMutableRawPointer
    private let lengths: UnsafeMutablePointer<Float>

    init(_ element: RowElement, count: Int, dimension: Int, distance: Distance, seed: UInt64) {
        floats = TestRows(count: count, dimension: dimension, distance: distance, seed: seed)
        memory = .allocate(byteCount: count * element.rowBytes(dimension), alignment: 8)
        lengths = .allocate(capacity: count)
        lengths.initialize(repeating: 0, count: count)
        let divided = element == .uint8 && distance == .cosine
        if element == .uint8 {
            let factor: Float = divided ? 900 : 4
            for i in 0..<count * dimension {
                floats.base[i] = min(max((floats.base[i] * factor + 100).rounded(), 0), 255)
            }
            // A zero vector.
            if divided { (floats.base + (count - 1) * dimension).update(repeating: 0, count: dimension) }
        }
        element.encode(floats.base, count * dimension, into: memory)
        rows = DenseRows(
            base: memory, element: element, count: count, dimension: dimension, lengths: divided ? lengths : nil)
        for row in 0..<count {
            let place = floats.base + row * dimension
            lengths[row] = ok_norm2(place, dimension).squareRoot()
            if element == .float16 { rows.decode(UInt32(row), into: place) }
            if divided { DenseKernels.normalize(place, dimension) }
        }
    }

    deinit {
        memory.deallocate()
        lengths.deallocate()
    }
}

private let forms: [(RowElement, Distance)] = [
    (.float16, .cosine), (.float16, .dot), (.float16, .euclid), (.float16, .manhattan),
    (.uint8, .cosine), (.uint8, .dot), (.uint8, .euclid), (.uint8, .manhattan),
]

@Suite("Compact rows")
struct CompactRowsTests {
    @Test("Every half becomes the float it is on every level, and the same half again")
    func halves() throws {
        let bits = (0...UInt16.max).map { $0 }
        let expected = bits.map { value(half: $0) }
        for (table, _) in tables {
            let decode = try #require(table.half_decode)
            for n in [bits.count, 1, 2, 3, 5, 7, 8, 9, 15, 17, 31] {
                var out = [Float](repeating: 7, count: n + 1)
                decode(bits, n, &out)
                let wrong = (0..<n).filter { out[$0] != expected[$0] && !(out[$0].isNaN && expected[$0].isNaN) }
                #expect(wrong.isEmpty)
                #expect(out[n] == 7)
            }
        }
        var back = [UInt16](repeating: 0, count: bits.count)
        ok_half_encode(expected, bits.count, &back)
        #expect(bits.allSatisfy { back[Int($0)] == $0 || expected[Int($0)].isNaN })
    }

    @Test("Floats become the nearest half, ties to even")
    func rounding() {
        var random = TestRandom(seed: 31)
        for _ in 0..<2000 {
            let low = UInt16(random.next() % 0x7bff)
            let a = value(half: low)
            let b = value(half: low + 1)
            let middle = a + (b - a) / 2
            let below = middle.nextDown
            let above = middle.nextUp
            var out: [UInt16] = [0, 0, 0, 0]
            ok_half_encode([below, middle, above, -above], 4, &out)
            #expect(out == [below == a ? low : low, low % 2 == 0 ? low : low + 1, low + 1, (low + 1) | 0x8000])
        }
        var out: [UInt16] = [0, 0, 0, 0]
        ok_half_encode([65519.996, 65520, -.infinity, 1e-9], 4, &out)
        #expect(out == [0x7bff, 0x7c00, 0xfc00, 0])
    }

    @Test("Bytes hold 0 to 255 and are what they say on every level")
    func bytes() throws {
        var out = [UInt8](repeating: 0, count: 8)
        ok_byte_encode([-1, 0, 0.99, 1, 254.5, 255, 1e9, .nan], 8, &out)
        #expect(out == [0, 0, 0, 1, 254, 255, 255, 0])
        let all = (0...255).map { UInt8($0) }
        for (table, _) in tables {
            let decode = try #require(table.byte_decode)
            for n in [256, 1, 2, 3, 5, 7, 8, 9, 15, 17, 31] {
                var out = [Float](repeating: -7, count: n + 1)
                decode(all, n, &out)
                #expect(out == (0..<n).map { Float($0) } + [-7])
            }
        }
    }

    @Test("Kernels of halves and bytes give the bits of the float kernels, and the sums of plain loops, on every level")
    func kernels() throws {
        var random = TestRandom(seed: 32)
        for n in Array(1...70) + [127, 128, 129, 384, 1536, 1537] {
            let count = 7
            let stride = n + 3
            let query = (0..<n).map { _ in random.normal() }
            var halves = [UInt16](repeating: 0, count: count * stride)
            ok_half_encode((0..<count * stride).map { _ in random.normal() }, count * stride, &halves)
            let bytes = (0..<count * stride).map { _ in UInt8(truncatingIfNeeded: random.next()) }
            let halfFloats = halves.map { value(half: $0) }
            let byteFloats = bytes.map { Float($0) }
            for (table, floats) in tables {
                let exact = table.level != OK_LEVEL_SCALAR
                let metrics: [(ok_half_metric, ok_byte_metric, ok_f32_metric, Distance)] = [
                    (table.half.0, table.byte.0, floats.dot, .dot), (table.half.1, table.byte.1, floats.l2, .euclid),
                    (table.half.2, table.byte.2, floats.l1, .manhattan),
                ]
                for (half, byte, float, distance) in metrics {
                    let check = Check(
                        n: n, stride: stride, count: count, query: query, float: float, distance: distance,
                        exact: exact)
                    let halfGather = try #require(half.gather)
                    let halfBatch = try #require(half.batch)
                    try check.run(halfFloats) {
                        halfGather(query, halves, stride, n, $0, $1, $2)
                    } batch: {
                        halfBatch(query, halves, stride, n, $0, $1)
                    }
                    let byteGather = try #require(byte.gather)
                    let byteBatch = try #require(byte.batch)
                    try check.run(byteFloats) {
                        byteGather(query, bytes, stride, n, $0, $1, $2)
                    } batch: {
                        byteBatch(query, bytes, stride, n, $0, $1)
                    }
                }
            }
        }
    }

    private struct Check {
        let n: Int
        let stride: Int
        let count: Int
        let query: [Float]
        let float: ok_f32_metric
        let distance: Distance
        let exact: Bool

        func run(
            _ rows: [Float], gather: ([UInt32], Int, UnsafeMutablePointer<Float>) -> Void,
            batch: (Int, UnsafeMutablePointer<Float>) -> Void
        ) throws {
            let ids: [UInt32] = [6, 0, 3, 3, 5, 1, 2]
            let sign: Double = distance == .dot ? 1 : -1
            let one = try #require(float.one)
            let single = rows.withUnsafeBufferPointer { rows in
                rows.baseAddress.map { base in (0..<count).map { one(query, base + $0 * stride, n) } } ?? []
            }
            var inOrder = [Float](repeating: -1, count: count)
            batch(count, &inOrder)
            for row in 0..<count {
                let components = Array(rows[row * stride..<row * stride + n])
                let truth = sign * slowSimilarity(distance, query, components, n)
                let size = zip(query, components).reduce(1.0) { $0 + Double(abs($1.0) + abs($1.1)) * 260 }
                #expect(abs(Double(inOrder[row]) - truth) <= 1e-6 * size, "n \(n), \(distance)")
                if exact { #expect(inOrder[row] == single[row], "n \(n), \(distance)") }
            }
            for size in 0...count {
                var out = [Float](repeating: -1, count: count)
                gather(ids, size, &out)
                #expect(Array(out.prefix(size)) == ids.prefix(size).map { inOrder[Int($0)] })
                #expect(out.dropFirst(size).allSatisfy { $0 == -1 })
            }
        }
    }

    @Test("Scans and graphs of compact rows find what those of the same floats find", arguments: forms)
    func searches(_ element: RowElement, _ distance: Distance) throws {
        let compact = CompactRows(element, count: 600, dimension: 100, distance: distance, seed: 33)
        let queries = TestRows(count: 10, dimension: 100, distance: distance, seed: 33)
        let floats = compact.floats.rows
        let tolerance: Float = compact.rows.lengths == nil ? 0 : 1e-6
        for useCodes in [false, true] {
            let (a, b) = (
                try codes(compact.rows, distance), try codes(floats, distance)
            )
            let graphs = (
                try buildGraph(useCodes ? .codes(a) : .rows(compact.rows, distance)),
                try buildGraph(useCodes ? .codes(b) : .rows(floats, distance))
            )
            let first = DenseIndex(
                distance: distance, rows: compact.rows, codes: .int8(a), graph: graphs.0, owner: compact)
            let second = DenseIndex(distance: distance, rows: floats, codes: .int8(b), graph: graphs.1, owner: compact)
            for mode in [DenseIndex.Options.Mode.automatic, .exact] {
                var options = DenseIndex.Options(limit: 10, ef: 60, mode: mode)
                options.useCodes = useCodes
                for q in 0..<queries.count {
                    let query = queries.base + q * 100
                    let found = first.search(query: query, options: options)
                    let expected = second.search(query: query, options: options)
                    #expect(found.count == expected.count)
                    if tolerance == 0 { #expect(found.map(\.row) == expected.map(\.row)) }
                    for (x, y) in zip(found, expected) { #expect(abs(x.score - y.score) <= tolerance) }
                    let list = Swift.stride(from: UInt32(1), to: 600, by: 3).map { $0 }
                    let scanned = list.withUnsafeBufferPointer { ids in
                        (
                            first.scan(rows: ids, query: query, options: options),
                            second.scan(rows: ids, query: query, options: options)
                        )
                    }
                    for (x, y) in zip(scanned.0, scanned.1) { #expect(abs(x.score - y.score) <= tolerance) }
                }
            }
        }
    }

    private func codes(_ rows: DenseRows, _ distance: Distance) throws -> Int8Codes {
        try Int8Codes.make(rows: rows, distance: distance, quantile: distance == .dot ? 0.99 : nil)
    }

    @Test("Codes of compact rows are those of the floats", arguments: forms)
    func encoding(_ element: RowElement, _ distance: Distance) throws {
        // Divided rows differ in the last bit, which may fall on the other side of a code.
        guard element != .uint8 || distance != .cosine else { return }
        let compact = CompactRows(element, count: 700, dimension: 130, distance: distance, seed: 34)
        func bytes(_ rows: DenseRows) throws -> [UInt8] {
            var out: [UInt8] = []
            let parameters = Int8Codes.train(rows: rows, distance: distance, quantile: 0.98)
            try Int8Codes.encode(rows: rows, parameters: parameters, threads: 2) { out += Array($0) }
            return out
        }
        #expect(try bytes(compact.rows) == bytes(compact.floats.rows))
        func products(_ rows: DenseRows, _ width: Int) throws -> [UInt8] {
            var out: [UInt8] = []
            let shape = try #require(ProductShape(distance: distance, dimension: rows.dimension, width: width))
            let parameters = ProductParameters.train(rows: rows, shape: shape, threads: 2)
            try ProductCodes.encode(rows: rows, parameters: parameters, threads: 2) { out += Array($0) }
            return out
        }
        let few = (
            DenseRows(base: compact.rows.base, element: element, count: 60, dimension: 130),
            DenseRows(base: compact.floats.base, count: 60, dimension: 130)
        )
        for width in [1, 16] { #expect(try products(few.0, width) == products(few.1, width)) }
    }

    @Test("Multivectors of compact rows score as their floats", arguments: [RowElement.float16, .uint8])
    func multivectors(_ element: RowElement) {
        let compact = CompactRows(element, count: 9, dimension: 33, distance: .dot, seed: 35)
        let query = MultiQuery(
            rows: (0..<4).map { compact.floats.rows.copy($0) }, dimension: 33, distance: .dot)
        let packed = MultiRow(base: compact.rows.base, element: element, count: 9)
        let floats = MultiRow(base: compact.floats.base, count: 9)
        #expect(query.similarity(packed) == query.similarity(floats))
        #expect(packed.rows(dimension: 33) == floats.rows(dimension: 33))
    }
}
