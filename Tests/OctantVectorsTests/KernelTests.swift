import COctantKernels
import OctantModel
import Testing

@testable import OctantVectors

/// The kernels of every level this processor has.
private let tables = (0..<Int32(OK_LEVEL_COUNT)).compactMap { level -> ok_kernel_table? in
    var table = ok_kernel_table()
    return ok_kernels_at(level, &table) != 0 ? table : nil
}
private let lengths = Array(1...131) + [384, 768, 1536, 1537]

@Suite("Kernels")
struct KernelTests {
    @Test("The float kernels agree with sums in double precision, by one, gather and batch, on every level")
    func floats() throws {
        var random = TestRandom(seed: 1)
        for n in lengths {
            let count = 7
            let stride = n + 3
            // One float off, so that nothing is aligned.
            let data = (0..<(count * stride + n + 2)).map { _ in random.normal() }
            try data.withUnsafeBufferPointer { buffer in
                let base = try #require(buffer.baseAddress) + 1
                let query = base + count * stride
                for table in tables {
                    try checkFloats(table, .dot, table.dot, base, query, stride, n, count)
                    try checkFloats(table, .euclid, table.l2, base, query, stride, n, count)
                    try checkFloats(table, .manhattan, table.l1, base, query, stride, n, count)
                }
            }
        }
    }

    private func checkFloats(
        _ table: ok_kernel_table, _ distance: Distance, _ metric: ok_f32_metric, _ base: UnsafePointer<Float>,
        _ query: UnsafePointer<Float>, _ stride: Int, _ n: Int, _ count: Int
    ) throws {
        let ids: [UInt32] = [6, 0, 3, 3, 5, 1, 2]
        let one = try #require(metric.one)
        let gather = try #require(metric.gather)
        let batch = try #require(metric.batch)
        let sign: Double = distance == .dot ? 1 : -1
        let single: [Float] = (0..<count).map { one(query, base + $0 * stride, n) }
        for row in 0..<count {
            let truth = sign * slowSimilarity(distance, query, base + row * stride, n)
            let error = abs(Double(single[row]) - truth)
            #expect(error <= 1e-5 * Double(n + 4), "level \(table.level), n \(n), \(distance)")
        }
        for size in 0...count {
            var expected = [Float](repeating: -1, count: count)
            expected.replaceSubrange(0..<size, with: single.prefix(size))
            var out = [Float](repeating: -1, count: count)
            batch(query, base, stride, n, size, &out)
            #expect(out == expected)
            expected.replaceSubrange(0..<size, with: ids.prefix(size).map { single[Int($0)] })
            out = [Float](repeating: -1, count: count)
            gather(query, base, stride, n, ids, size, &out)
            #expect(out == expected)
        }
    }

    @Test("The integer kernels give the same integers as plain loops on every level")
    func integers() throws {
        var random = TestRandom(seed: 2)
        for stride in [64, 128, 192, 384, 768, 1536] {
            let count = 9
            let extreme = stride == 192
            let codes = (0..<count * stride).map { _ -> UInt8 in
                extreme ? [1, 255, 128].randomElement(using: &random) ?? 1 : UInt8(1 + random.next() % 255)
            }
            let query = (0..<stride).map { _ -> Int8 in
                extreme ? [-127, 127].randomElement(using: &random) ?? 1 : Int8(Int(random.next() % 255) - 127)
            }
            let sum = query.reduce(Int32(0)) { $0 + Int32($1) }
            let bytes = query.map { UInt8(bitPattern: $0) ^ 0x80 }
            let signed = query.map { UInt8(bitPattern: $0) }
            let ids: [UInt32] = [8, 1, 1, 0, 7, 2, 5, 4, 3]
            let dots = (0..<count).map { row in
                (0..<stride).reduce(Int32(0)) { $0 + (Int32(codes[row * stride + $1]) - 128) * Int32(query[$1]) }
            }
            let sads = (0..<count).map { row in
                (0..<stride).reduce(Int32(0)) { $0 + abs(Int32(codes[row * stride + $1]) - Int32(bytes[$1])) }
            }
            for table in tables {
                try checkIntegers(table.code_dot, signed, sum, codes, ids, stride, dots)
                try checkIntegers(table.code_sad, bytes, 0, codes, ids, stride, sads)
            }
            for table in tables {
                var back = [Int8](repeating: 0, count: stride)
                let convert = try #require(table.code_query)
                #expect(convert(bytes, stride, &back) == sum)
                #expect(back == query)
            }
            #expect(ok_code_norm2(bytes, stride) == query.reduce(Int32(0)) { $0 + Int32($1) * Int32($1) })
        }
    }

    @Test("The 4-bit kernel gives the same integers as a plain loop on every level, from rows as they are packed")
    func nibbles() throws {
        var random = TestRandom(seed: 5)
        for n in [1, 63, 64, 65, 127, 128, 129, 384, 500, 1536] {
            let stride = (n + 127) / 128 * 64
            let count = 9
            let step: Float = n % 2 == 0 ? 9.5 : 16
            var rows: [UInt8] = []
            var levels: [Int32] = []
            for _ in 0..<count {
                let codes = (0..<n).map { _ in UInt8(1 + random.next() % 255) }
                var packed = [UInt8](repeating: 0xff, count: stride)
                ok_pack_nibbles(codes, n, 1 / step, &packed)
                rows += packed
                levels += codes.map { Int32(min(max(((Float($0) - 128) / step + 8).rounded(.down), 0), 15)) }
            }
            let query = (0..<n).map { _ in Int32(Int(random.next() % 255) - 127) }
            var bytes = [UInt8](repeating: 0, count: 2 * stride)
            for i in 0..<n { bytes[i] = UInt8(bitPattern: Int8(query[i])) }
            let truth = (0..<count).map { row in
                (0..<n).reduce(Int32(0)) { $0 + levels[row * n + $1] * query[$1] }
            }
            let ids: [UInt32] = [8, 1, 1, 0, 7, 2, 5, 4, 3]
            for table in tables {
                try checkIntegers(table.nibble_dot, bytes, 0, rows, ids, stride, truth)
            }
        }
    }

    @Test("Codes in halves are whole codes again, and sums over the halves make those over the codes")
    func halves() throws {
        var random = TestRandom(seed: 6)
        for width in [128, 256, 512] {
            let codes = (0..<width).map { _ in UInt8(1 + random.next() % 255) }
            var query = (0..<width).map { _ in UInt8(1 + random.next() % 255) }
            var (upper, lower) = ([UInt8](repeating: 0, count: width / 2), [UInt8](repeating: 0, count: width / 2))
            ok_half_codes(codes, width, 4, &upper)
            ok_half_codes(codes, width, 0, &lower)
            var joined = [UInt8](repeating: 0, count: width)
            ok_join_codes(upper, lower, width / 2, &joined)
            #expect(joined == codes)
            let sum = query.withUnsafeMutableBytes { bytes in
                ok_code_query(
                    bytes.assumingMemoryBound(to: UInt8.self).baseAddress, width,
                    bytes.assumingMemoryBound(to: Int8.self).baseAddress)
            }
            let truth = (0..<width).reduce(Int32(0)) {
                $0 + (Int32(codes[$1]) - 128) * Int32(Int8(bitPattern: query[$1]))
            }
            for table in tables {
                var found: [Int32] = [0, 0]
                table.nibble_dot.batch(query, 0, upper, width / 2, 1, &found[0])
                table.nibble_dot.batch(query, 0, lower, width / 2, 1, &found[1])
                #expect(16 * found[0] + found[1] - 128 * sum == truth)
            }
        }
    }

    private func checkIntegers(
        _ metric: ok_u8_metric, _ query: [UInt8], _ sum: Int32, _ codes: [UInt8], _ ids: [UInt32], _ stride: Int,
        _ truth: [Int32]
    ) throws {
        let gather = try #require(metric.gather)
        let batch = try #require(metric.batch)
        for size in 0...truth.count {
            var out = [Int32](repeating: -7, count: truth.count)
            gather(query, sum, codes, stride, ids, size, &out)
            #expect(Array(out.prefix(size)) == ids.prefix(size).map { truth[Int($0)] })
            batch(query, sum, codes, stride, size, &out)
            #expect(Array(out.prefix(size)) == Array(truth.prefix(size)))
            #expect(out.dropFirst(size).allSatisfy { $0 == -7 })
        }
    }

    @Test("Quantising, and picking what is above a floor, are the same on every level")
    func bulk() throws {
        var random = TestRandom(seed: 3)
        for n in lengths {
            var x = (0..<n).map { _ in random.normal() }
            x[n / 2] = .nan
            x[n / 3] = .infinity
            x[n / 4] = -.infinity
            let expected = x.map { v -> UInt8 in
                let scaled = (v - 0.25) * 40
                guard scaled > -127 else { return 1 }
                return UInt8(Int(min(scaled, 127).rounded(.toNearestOrEven)) + 128)
            }
            let above = x.indices.filter { x[$0] >= 0.5 }.map { UInt32($0) }
            for table in tables {
                let quantize = try #require(table.quantize)
                let pick = try #require(table.above)
                var out = [UInt8](repeating: 0, count: n + 1)
                quantize(x, n, 0.25, 40, &out)
                #expect(Array(out.prefix(n)) == expected, "level \(table.level), n \(n)")
                #expect(out[n] == 0)
                var picked = [UInt32](repeating: 0, count: n)
                let count = pick(x, n, 0.5, &picked)
                #expect(Array(picked.prefix(count)) == above)
            }
        }
    }

    @Test("The rank of a key is the number of smaller ones")
    func rank() {
        for count in 0...40 {
            let keys = (0..<count).map { UInt64($0 / 3 * 2) }
            for key in UInt64(0)...40 { #expect(ok_rank(keys, count, key) == keys.filter { $0 < key }.count) }
        }
    }

    @Test("Normalising gives unit length, leaves zero and unit vectors alone and survives huge ones")
    func normalise() {
        var random = TestRandom(seed: 4)
        var v = (0..<100).map { _ in random.normal() }
        DenseKernels.normalize(&v, 100)
        #expect(abs(slowSimilarity(.dot, v, v, 100) - 1) < 1e-5)
        let before = v
        DenseKernels.normalize(&v, 100)
        #expect(v == before)
        var zero = [Float](repeating: 0, count: 5)
        DenseKernels.normalize(&zero, 5)
        #expect(zero == [0, 0, 0, 0, 0])
        var tiny = [Float](repeating: 1e-5, count: 3)
        DenseKernels.normalize(&tiny, 3)
        #expect(tiny == [1e-5, 1e-5, 1e-5])
        var huge = [Float](repeating: 1e30, count: 4)
        DenseKernels.normalize(&huge, 4)
        #expect(huge.allSatisfy { abs($0 - 0.5) < 1e-6 })
    }
}
