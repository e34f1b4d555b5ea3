import COctantKernels
import OctantModel
import Testing

@testable import OctantVectors

private let widths: [PackedWidth] = [.binary, .binaryOneAndHalf, .one, .oneAndHalf, .two, .four, .eight]
private let distances: [Distance] = [.cosine, .dot, .euclid, .manhattan]

@Suite("Packed codes")
struct PackedCodesTests {
    /// The share of a vector that is lost by its codes: of the squared length, after the best scaling.
    private func loss(_ width: PackedWidth) -> Double {
        1 - Double(PackedShape(distance: .dot, width: width, dimension: 64, steps: 0).shrinkage)
    }

    private func scores(_ codes: PackedCodes, _ query: UnsafePointer<Float>) -> [Float] {
        let scratch = SearchScratch()
        // Scorers point into it and do not keep it.
        defer { withExtendedLifetime(scratch) {} }
        let scorer = codes.query(query, scratch).scorer
        var out = [Float](repeating: 0, count: codes.count)
        for start in Swift.stride(from: 0, to: codes.count, by: 1000) {
            out.withUnsafeMutableBufferPointer { buffer in
                guard let base = buffer.baseAddress else { return }
                scorer.scoreRun(start, min(1000, codes.count - start), base + start)
            }
        }
        return out
    }

    @Test("Scores are near the exact ones: their error is what the number of bits says", arguments: widths)
    func scores(width: PackedWidth) throws {
        for distance in [Distance.cosine, .dot, .euclid] {
            let n = 200
            let data = TestRows(count: 304, dimension: n, distance: distance, seed: 31)
            let rows = data.slice(0..<300)
            let codes = try PackedCodes.make(rows: rows, distance: distance, width: width)
            let center = codes.parameters.center
            var squares = 0.0
            var bias = 0.0
            var count = 0.0
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
            // Of one bit's estimate: (1 - 2/pi) / (2/pi), and a query of one bit loses as much again.
            let rough = width.hasBinaryQuery ? 3.5 : 1.0
            let allowed = (loss(width) / (1 - loss(width)) * rough).squareRoot() * 1.3 + 0.03
            #expect((squares / count).squareRoot() < allowed, "\(distance)")
            #expect(abs(bias / count) < allowed / 4, "\(distance)")
        }
    }

    private func pow2(_ x: Double) -> Double { x * x }

    @Test("Manhattan distances are those to the decoded rows", arguments: widths)
    func manhattan(width: PackedWidth) throws {
        for n in [3, 64, 150] {
            let data = TestRows(count: 83, dimension: n, distance: .manhattan, seed: 32)
            let codes = try PackedCodes.make(rows: data.slice(0..<80), distance: .manhattan, width: width)
            var decoded = [Float](repeating: 0, count: n)
            for q in 80..<83 {
                let query = data.base + q * n
                let found = scores(codes, query)
                // Half a step for each component of the query.
                let allowed = 0.51 / Double(codes.parameters.shape.steps) * Double(n) + 1e-3
                var worst = 0.0
                for row in 0..<80 {
                    codes.decode(UInt32(row), into: &decoded)
                    let expected = slowSimilarity(.manhattan, query, decoded, n)
                    worst = max(worst, abs(Double(found[row]) - expected))
                }
                #expect(worst <= allowed, "\(n) dimensions")
            }
        }
    }

    @Test(
        "Decoded rows lose the share of their difference from the centre that the number of bits says",
        arguments: widths)
    func decoding(width: PackedWidth) throws {
        for distance in distances {
            let n = 192
            let data = TestRows(count: 100, dimension: n, distance: distance, seed: 33)
            let codes = try PackedCodes.make(rows: data.rows, distance: distance, width: width)
            var lost = 0.0
            var whole = 0.0
            var out = [Float](repeating: 0, count: n)
            for row in 0..<100 {
                codes.decode(UInt32(row), into: &out)
                let x = data.base + row * n
                for i in 0..<n {
                    lost += pow2(Double(out[i] - x[i]))
                    whole += pow2(Double(x[i] - codes.parameters.center[i]))
                }
            }
            #expect(lost / whole < loss(codes.parameters.shape.width) * 1.15 + 0.002, "\(distance)")
        }
    }

    @Test("Rows scored by number and by run are scored alike, and a row as the query finds itself", arguments: widths)
    func rowsAsQueries(width: PackedWidth) throws {
        for distance in distances {
            let n = 130
            let data = TestRows(count: 500, dimension: n, distance: distance, seed: 34)
            let codes = try PackedCodes.make(rows: data.rows, distance: distance, width: width)
            let scratch = SearchScratch()
            // Scorers point into it and do not keep it.
            defer { withExtendedLifetime(scratch) {} }
            var scorer = codes.query(data.base, scratch).scorer
            let run = scores(codes, data.base)
            let ids = (0..<500).map { UInt32(($0 * 7) % 500) }
            var out = [Float](repeating: 0, count: 500)
            scorer.score(ids, 500, &out)
            for (place, id) in ids.enumerated() { #expect(out[place] == run[Int(id)]) }
            // Dot products are not largest with the row itself.
            guard distance != .dot else { continue }
            var found = 0
            for row in Swift.stride(from: 0, to: 500, by: 11) {
                scorer.load(UInt32(row))
                scorer.scoreRun(0, 500, &out)
                let own = out[row]
                if out.filter({ $0 > own }).count < 5 { found += 1 }
            }
            #expect(found >= 43, "\(distance): \(found) of 46")
        }
    }

    @Test("Rows that say nothing, and numbers that are none, are encoded to finite scores")
    func degenerate() throws {
        let n = 70
        let data = TestRows(count: 20, dimension: n, distance: .dot, seed: 35)
        for i in 0..<n {
            data.base[3 * n + i] = 0
            data.base[4 * n + i] = 1e30
            data.base[5 * n + i] = 1e-30
        }
        for width in widths {
            for distance in distances {
                let same = TestRows(count: 20, dimension: n, distance: .dot, seed: 36)
                for row in 0..<20 { for i in 0..<n { same.base[row * n + i] = 0.25 } }
                let equal = try PackedCodes.make(rows: same.rows, distance: distance, width: width)
                let exact = slowSimilarity(distance, data.base, same.base, n)
                let worst = scores(equal, data.base).map { abs(Double($0) - exact) }.max() ?? 0
                #expect(worst < 0.01 * max(1, abs(exact)), "\(distance)")
            }
            let codes = try PackedCodes.make(rows: data.slice(5..<20), distance: .cosine, width: width)
            let finite = scores(codes, data.base + 3 * n).allSatisfy { $0.isFinite }
            #expect(finite)
            _ = try PackedCodes.make(rows: data.rows, distance: .euclid, width: width)
        }
    }

    @Test("The bytes do not depend on the number of threads, and are read back whole only")
    func bytes() throws {
        let data = TestRows(count: 1000, dimension: 90, distance: .cosine, seed: 37)
        for width in widths {
            let parameters = PackedParameters.train(rows: data.rows, distance: .cosine, width: width)
            func written(_ threads: Int) throws -> [UInt8] {
                var bytes: [UInt8] = []
                try PackedCodes.encode(rows: data.rows, parameters: parameters, threads: threads) { bytes += $0 }
                return bytes
            }
            let bytes = try written(1)
            #expect(try written(3) == bytes)
            #expect(bytes.count == PackedCodes.byteCount(parameters: parameters, count: 1000))
            let region = try HugeRegion(byteCount: bytes.count)
            region.base.copyMemory(from: bytes, byteCount: bytes.count)
            func open(_ count: Int) throws -> VectorCodes {
                try VectorCodes(bytes: UnsafeRawBufferPointer(start: region.base, count: count), owner: region)
            }
            let codes = try open(bytes.count)
            #expect(codes.count == 1000 && codes.dimension == 90 && codes.distance == .cosine)
            guard case .packed(let packed) = codes else { throw VectorFormatError.badMagic }
            #expect(packed.parameters == parameters)
            for count in [0, 8, 63, 64, 127, 128, 300, bytes.count - 65, bytes.count - 1] {
                #expect(throws: VectorFormatError.self) { try open(count) }
            }
            for offset in [0, 8, 12, 16, 20, 28, 32, 36, 40, 44, 56] {
                let old = region.base.load(fromByteOffset: offset, as: UInt8.self)
                region.base.storeBytes(of: 0x7d, toByteOffset: offset, as: UInt8.self)
                #expect(throws: VectorFormatError.self, "offset \(offset)") { try open(bytes.count) }
                region.base.storeBytes(of: old, toByteOffset: offset, as: UInt8.self)
            }
        }
    }

    @Test("Searches on packed codes find the exact answer again by rescoring", arguments: distances)
    func searches(distance: Distance) throws {
        let n = 96
        let data = TestRows(count: 1520, dimension: n, distance: distance, seed: 38)
        let rows = data.slice(0..<1500)
        let graph = try buildGraph(.codes(try Int8Codes.make(rows: rows, distance: distance)))
        let truths = (1500..<1520).map { slowSearch(distance, rows, data.base + $0 * n, 10) }
        for width in widths {
            let codes = try PackedCodes.make(rows: rows, distance: distance, width: width)
            let index = DenseIndex(distance: distance, rows: rows, codes: .packed(codes), graph: graph, owner: data)
            var walked = 0.0
            var scanned = 0.0
            for (q, truth) in truths.enumerated() {
                let query = data.base + (1500 + q) * n
                let options = DenseIndex.Options(limit: 10, ef: 128, oversampling: 4)
                walked += recall(index.search(query: query, options: options), truth) / 20
                scanned += recall(index.scanAll(query: query, options: options), truth) / 20
            }
            let least = distance == .manhattan ? 0.8 : width.hasBinaryQuery ? 0.9 : 0.95
            #expect(walked > least, "\(width)")
            #expect(scanned > least, "\(width)")
        }
    }
}
