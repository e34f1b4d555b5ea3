import COctantKernels
import Testing

@testable import OctantVectors

/// The kernels of every level this processor has.
private let tables = (0..<Int32(OK_LEVEL_COUNT)).compactMap { level -> ok_kernel_table? in
    var table = ok_kernel_table()
    return ok_kernels_at(level, &table) != 0 ? table : nil
}

extension ok_packed_table {
    fileprivate func kernels(_ kind: Int, _ bits: Int) -> ok_packed_metric {
        let four = kind == OK_PACKED_SAD ? sad : dot
        if kind == OK_PACKED_DIFFERING { return differing }
        return bits == 1 ? four.0 : bits == 2 ? four.1 : bits == 4 ? four.2 : four.3
    }
}

@Suite("Packed kernels")
struct PackedKernelTests {
    /// The code of a component, as the layout says.
    private func code(_ row: [UInt8], _ bits: Int, _ c: Int) -> Int {
        if bits == 1 { return Int(row[c / 8] >> UInt8(c % 8)) & 1 }
        return Int(row[c % row.count]) >> (c / row.count * bits) & ((1 << bits) - 1)
    }

    private func expected(_ kind: Int, _ bits: Int, _ row: [UInt8], _ query: [UInt8]) -> Int32 {
        var sum = 0
        if kind == OK_PACKED_DIFFERING {
            for i in row.indices { sum += (row[i] ^ query[i]).nonzeroBitCount }
            return Int32(sum)
        }
        for c in 0..<row.count * 8 / bits {
            let k = code(row, bits, c)
            if kind == OK_PACKED_SAD {
                let level = bits == 8 ? k : Int(ok_packed_levels(Int32(bits))[k])
                sum += abs(level - Int(query[c]))
            } else {
                let level = bits == 1 ? k : bits == 8 ? k - 128 : Int(ok_packed_levels(Int32(bits))[k])
                sum += level * Int(Int8(bitPattern: query[c]))
            }
        }
        return Int32(sum)
    }

    @Test("Every kernel of every level gives the integers of plain loops, by gather and by batch")
    func integers() {
        var random = TestRandom(seed: 21)
        let count = 9
        let ids: [UInt32] = [8, 0, 3, 3, 5, 1, 7, 2, 4]
        for (kind, widths) in [
            (OK_PACKED_DOT, [1, 2, 4, 8]), (OK_PACKED_SAD, [1, 2, 4, 8]), (OK_PACKED_DIFFERING, [1]),
        ] {
            for bits in widths {
                for units in [1, 2, 3, 4, 5, 8, 9] {
                    let bytes = units * (bits == 1 ? 8 : 16)
                    let extreme = units == 5
                    let stride = bytes + 8
                    let rows = (0..<count * stride).map { _ -> UInt8 in
                        let byte = UInt8(truncatingIfNeeded: random.next())
                        guard bits == 8 else { return byte }
                        return extreme ? (byte < 128 ? 1 : 255) : max(byte, 1)
                    }
                    // Signed bytes of dot products are -127...127.
                    let query = (0..<bytes * 8 / bits).map { _ -> UInt8 in
                        if extreme { return [127, 129].randomElement(using: &random) ?? 127 }
                        let byte = UInt8(truncatingIfNeeded: random.next())
                        return kind == OK_PACKED_DOT && byte == 128 ? 127 : byte
                    }
                    let truth = (0..<count).map {
                        expected(kind, bits, Array(rows[$0 * stride..<$0 * stride + bytes]), query)
                    }
                    for table in tables {
                        let kernels = table.packed.kernels(kind, bits)
                        for size in 0...count {
                            var out = [Int32](repeating: -1, count: count)
                            ok_packed_batch(
                                kernels, query, ok_packed_levels(Int32(bits)), rows, stride, bytes, size, &out)
                            #expect(
                                out == truth.prefix(size) + [Int32](repeating: -1, count: count - size),
                                "level \(table.level), kind \(kind), \(bits) bits, \(bytes) bytes")
                            out = [Int32](repeating: -1, count: count)
                            ok_packed_gather(
                                kernels, query, ok_packed_levels(Int32(bits)), rows, stride, bytes, ids, size, &out)
                            #expect(
                                out == ids.prefix(size).map { truth[Int($0)] }
                                    + [Int32](repeating: -1, count: count - size),
                                "level \(table.level), kind \(kind), \(bits) bits, \(bytes) bytes")
                        }
                    }
                }
            }
        }
    }

    @Test("Codes are those of the nearest levels, and unpack to them")
    func packing() {
        var random = TestRandom(seed: 22)
        for bits in [1, 2, 4, 8] {
            for n in [1, 7, 16, 33, 100, 384] {
                let bytes = bits == 1 ? (n + 63) / 64 * 8 : (n * bits + 127) / 128 * 16
                let steps: Float = bits == 8 ? 30 : ok_packed_steps(Int32(bits))
                let x = (0..<n).map { _ in random.normal() }
                var codes = [UInt8](repeating: 0xff, count: bytes)
                let along = ok_pack(x, n, Int32(bits), steps, bytes, &codes)
                var signed = [Int8](repeating: 0, count: n)
                let sum = ok_unpack(codes, n, Int32(bits), bytes, &signed)
                #expect(sum == signed.reduce(0) { $0 + Int32($1) })
                var product = 0.0
                for c in 0..<n {
                    let k = code(codes, bits, c)
                    let levels = (0..<1 << bits).map { level -> Float in
                        bits == 1
                            ? Float(level) - 0.5
                            : bits == 8
                                ? Float(level) - 128 : Float(ok_packed_levels(Int32(bits))[level]) - 63.5
                    }
                    let place = bits == 1 ? (x[c] >= 0 ? 0.5 : -0.5) : x[c] * steps
                    let nearest = levels.map { ($0 - place).magnitude }.min() ?? 0
                    #expect((levels[k] - place).magnitude <= nearest + 1e-4)
                    #expect(Float(signed[c]) == levels[k] * (bits == 8 ? 1 : 2))
                    product += Double(x[c]) * Double(levels[k])
                }
                #expect(abs(Double(along) - product) <= 1e-4 * (1 + abs(product)))
                for c in n..<bytes * 8 / bits { #expect(code(codes, bits, c) == 0) }
            }
        }
    }

    @Test("The rotation keeps lengths and products, spreads a single component over all, and goes back")
    func rotation() {
        var random = TestRandom(seed: 23)
        for n in [1, 2, 3, 5, 8, 31, 64, 96, 100, 127, 255, 257, 384, 511, 576, 1536] {
            let a = (0..<n).map { _ in random.normal() }
            let b = (0..<n).map { _ in random.normal() }
            var x = a
            var y = b
            ok_rotate(&x, n, 7)
            ok_rotate(&y, n, 7)
            let before = slowSimilarity(.dot, a, b, n)
            let length = slowSimilarity(.dot, a, a, n)
            #expect(abs(slowSimilarity(.dot, x, y, n) - before) <= 1e-4 * Double(n))
            #expect(abs(slowSimilarity(.dot, x, x, n) - length) <= 1e-4 * length)
            ok_unrotate(&x, n, 7)
            for i in 0..<n { #expect(abs(x[i] - a[i]) <= 1e-4) }
            guard n >= 64 else { continue }
            for place in [0, n / 2, n - 1] {
                var one = [Float](repeating: 0, count: n)
                one[place] = 1
                ok_rotate(&one, n, 7)
                #expect((one.map(\.magnitude).max() ?? 1) < 0.5, "\(n) dimensions, component \(place)")
            }
        }
    }
}
