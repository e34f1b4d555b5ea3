import COctantKernels
import OctantModel
import Testing

@testable import OctantVectors

private let distances: [Distance] = [.cosine, .dot, .euclid]

@Suite("Scan codes")
struct ScanCodesTests {
    private func scores(_ codes: ScanCodes, _ query: UnsafePointer<Float>, block: Int = 1000) -> [Float] {
        let scratch = SearchScratch()
        // Scorers point into it and do not keep it.
        defer { withExtendedLifetime(scratch) {} }
        let scorer = codes.query(query, scratch).scorer
        var out = [Float](repeating: 0, count: codes.count)
        out.withUnsafeMutableBufferPointer { buffer in
            guard let base = buffer.baseAddress else { return }
            for start in Swift.stride(from: 0, to: codes.count, by: block) {
                scorer.scoreRun(start, min(block, codes.count - start), base + start)
            }
        }
        return out
    }

    @Test("Scores are near the exact ones: their error is that of one bit, and has no bias", arguments: distances)
    func scores(distance: Distance) throws {
        let n = 200
        let data = TestRows(count: 304, dimension: n, distance: distance, seed: 41)
        let rows = data.slice(0..<300)
        let codes = try ScanCodes.make(rows: rows, distance: distance)
        let center = codes.parameters.center
        var (squares, bias, count) = (0.0, 0.0, 0.0)
        for q in 300..<304 {
            let query = data.base + q * n
            let found = scores(codes, query)
            var p = 0.0
            for i in 0..<n { p += pow2(Double(query[i] - center[i])) }
            for row in 0..<rows.count {
                let x = rows.row(UInt32(row))
                var r = 0.0
                for i in 0..<n { r += pow2(Double(x[i] - center[i])) }
                let error = Double(found[row]) - slowSimilarity(distance, query, x, n)
                let unit = (r * p / Double(n)).squareRoot() * (distance == .euclid ? 2 : 1)
                squares += pow2(error / unit)
                bias += error / unit
                count += 1
            }
        }
        // (1 - 2/pi) / (2/pi), and a tenth for the rotation's and the tables' roundness.
        #expect((squares / count).squareRoot() < 0.7555 * 1.3)
        #expect(abs(bias / count) < 0.1)
    }

    private func pow2(_ x: Double) -> Double { x * x }

    @Test(
        "Rows are scored alike by number, by run from anywhere, and on every level of instructions",
        arguments: [1, 5, 6, 7, 70, 384])
    func levels(dimension n: Int) throws {
        for distance in distances {
            let data = TestRows(count: 333, dimension: n, distance: distance, seed: 42)
            let codes = try ScanCodes.make(rows: data.rows, distance: distance)
            let whole = scores(codes, data.base)
            for block in [1, 63, 64, 65, 100, 256] { #expect(scores(codes, data.base, block: block) == whole) }
            let scratch = SearchScratch()
            defer { withExtendedLifetime(scratch) {} }
            let scorer = codes.query(data.base, scratch).scorer
            let ids = (0..<333).map { UInt32(($0 * 7) % 333) }
            var out = [Float](repeating: 0, count: 384)
            scorer.score(ids, 333, &out)
            for (place, id) in ids.enumerated() { #expect(out[place] == whole[Int(id)]) }
            for level in 0..<Int32(OK_LEVEL_COUNT) {
                var kernels = ok_kernel_table()
                guard ok_kernels_at(level, &kernels) != 0 else { continue }
                ok_scan_at(level)?(
                    scorer.tables, scorer.query, scorer.base, scorer.lines, ScanCodes.blocks(333), &out)
                #expect(Array(out.prefix(333)) == whole, "level \(level)")
            }
        }
    }

    @Test("Tables hold the products of the query with every code, to a step for each line")
    func tables() {
        var random = TestRandom(seed: 43)
        for n in [1, 3, 6, 17, 384] {
            let p = (0..<n).map { _ in random.normal() }
            let lines = (n + 5) / 6
            var tables = [UInt8](repeating: 255, count: lines * Int(OK_SCAN_TABLE))
            var (offset, step): (Float, Float) = (0, 0)
            ok_scan_tables(p, n, &tables, &offset, &step)
            for _ in 0..<50 {
                let bits = (0..<n).map { _ in random.next() & 1 == 1 }
                var sum = 0
                for line in 0..<lines {
                    var code = 0
                    for i in 0..<6 where line * 6 + i < n && bits[line * 6 + i] { code |= 1 << i }
                    sum += Int(tables[line * Int(OK_SCAN_TABLE) + code])
                }
                let exact = (0..<n).reduce(0.0) { $0 + (bits[$1] ? 0.5 : -0.5) * Double(p[$1]) }
                #expect(abs(Double(offset + step * Float(sum)) - exact) <= Double(step) * Double(lines) + 1e-3)
            }
            #expect(tables.allSatisfy { $0 <= 63 })
        }
        var tables = [UInt8](repeating: 255, count: Int(OK_SCAN_TABLE))
        var (offset, step): (Float, Float) = (1, 1)
        for hopeless in [0, Float.infinity, .nan, .greatestFiniteMagnitude] {
            ok_scan_tables([hopeless, hopeless, 0, 0, 0, 0], 6, &tables, &offset, &step)
            #expect(offset.isFinite && step.isFinite && tables.allSatisfy { $0 <= 63 })
        }
    }

    @Test("A search by scan codes finds what the exact one does, and what a predicate leaves")
    func search() throws {
        for distance in distances {
            let n = 128
            let data = TestRows(count: 3020, dimension: n, distance: distance, seed: 44)
            let rows = data.slice(0..<3000)
            let codes = try ScanCodes.make(rows: rows, distance: distance)
            let index = DenseIndex(distance: distance, rows: rows, codes: .scan(codes), graph: nil, owner: data)
            let third: RowPredicate = { ids, count, admitted in for i in 0..<count { admitted[i] = ids[i] % 3 == 0 } }
            let listed = (0..<UInt32(3000)).filter { $0 % 3 == 0 }
            var (found, foundAdmitted) = (0, 0)
            for q in 3000..<3020 {
                let query = data.base + q * n
                let exact = index.scanAll(query: query, options: .init(limit: 10, ef: 64, mode: .exact))
                let best = index.search(query: query, options: .init(limit: 10, ef: 64))
                // What is found has the exact score.
                for row in best {
                    #expect(exact.allSatisfy { $0.row != row.row || $0.score == row.score })
                }
                found += best.filter { row in exact.contains { $0.row == row.row } }.count
                let admitted = index.search(query: query, options: .init(limit: 10, ef: 64), admit: third)
                let list = listed.withUnsafeBufferPointer {
                    index.scan(rows: $0, query: query, options: .init(limit: 10, ef: 64))
                }
                let exactThird = index.scanAll(
                    query: query, options: .init(limit: 10, ef: 64, mode: .exact), admit: third)
                #expect(admitted.allSatisfy { $0.row % 3 == 0 } && list.allSatisfy { $0.row % 3 == 0 })
                foundAdmitted += admitted.filter { row in exactThird.contains { $0.row == row.row } }.count
                foundAdmitted += list.filter { row in exactThird.contains { $0.row == row.row } }.count
            }
            #expect(found >= 190, "\(distance): \(found) of 200")
            #expect(foundAdmitted >= 385, "\(distance): \(foundAdmitted) of 400")
        }
    }

    @Test("The bytes don't depend on the number of threads, and read back as they were; damaged ones never trap")
    func bytes() throws {
        let data = TestRows(count: 500, dimension: 50, distance: .cosine, seed: 45)
        let parameters = ScanParameters.train(rows: data.rows, distance: .cosine)
        func encoded(_ threads: Int) throws -> [UInt8] {
            var bytes: [UInt8] = []
            try ScanCodes.encode(rows: data.rows, parameters: parameters, threads: threads) { bytes += $0 }
            return bytes
        }
        let bytes = try encoded(1)
        #expect(try encoded(3) == bytes)
        #expect(bytes.count == ScanCodes.byteCount(parameters: parameters, count: 500))
        try withAligned(bytes) { buffer in
            let codes = try VectorCodes(bytes: buffer, owner: data)
            guard case .scan(let scan) = codes else { throw VectorFormatError.badMagic }
            #expect(scan.count == 500 && scan.parameters == parameters && scan.deviation > 0)
        }
        var random = TestRandom(seed: 46)
        for _ in 0..<400 {
            var damaged = bytes
            damaged[Int(random.next() % 64)] = UInt8(truncatingIfNeeded: random.next())
            if random.next() & 3 == 0 { damaged.removeLast(Int(random.next() % UInt64(damaged.count))) }
            try withAligned(damaged) { buffer in
                guard let codes = try? ScanCodes(bytes: buffer, owner: data) else { return }
                #expect(ScanCodes.byteCount(parameters: codes.parameters, count: codes.count) <= damaged.count)
                _ = scores(codes, data.base)
            }
        }
    }

    private func withAligned(_ bytes: [UInt8], _ body: (UnsafeRawBufferPointer) throws -> Void) rethrows {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: max(bytes.count, 1), alignment: 64)
        defer { buffer.deallocate() }
        buffer.copyBytes(from: bytes)
        try body(UnsafeRawBufferPointer(rebasing: buffer[0..<bytes.count]))
    }

    @Test("Decoded rows keep what one bit keeps of their difference from the centre", arguments: distances)
    func decoding(distance: Distance) throws {
        let n = 192
        let data = TestRows(count: 100, dimension: n, distance: distance, seed: 47)
        let codes = try ScanCodes.make(rows: data.rows, distance: distance)
        var (lost, whole) = (0.0, 0.0)
        var out = [Float](repeating: 0, count: n)
        for row in 0..<100 {
            codes.decode(UInt32(row), into: &out)
            let x = data.base + row * n
            for i in 0..<n {
                lost += pow2(Double(out[i] - x[i]))
                whole += pow2(Double(x[i] - codes.parameters.center[i]))
            }
        }
        #expect(lost / whole < (1 - 0.6366) * 1.15)
    }
}
