import OctantModel
import Testing

@testable import OctantVectors

/// Rows of turbo4 and turbo8, and behind the last one what kernels may read.
private final class TurboRows: @unchecked Sendable {
    // SAFETY: written by init only.
    let region: UnsafeMutableRawPointer
    let rows: DenseRows

    init(_ given: TestRows, _ form: TurboForm) {
        let element = RowElement.turbo(form)
        let stride = element.rowBytes(given.dimension)
        region = .allocate(byteCount: given.count * stride + element.tailBytes, alignment: 8)
        region.initializeMemory(as: UInt8.self, repeating: 0, count: given.count * stride + element.tailBytes)
        for row in 0..<given.count {
            element.encode(given.base + row * given.dimension, given.dimension, into: region + row * stride)
        }
        rows = DenseRows(base: region, element: element, count: given.count, dimension: given.dimension)
    }

    deinit { region.deallocate() }
}

@Suite("Rows of turbo4 and turbo8")
struct TurboRowsTests {
    private static func norm(_ x: [Float]) -> Double { x.reduce(0.0) { $0 + Double($1) * Double($1) }.squareRoot() }

    private static func given(_ form: TurboForm, _ n: Int, seed: UInt64) -> [[Float]] {
        var random = TestRandom(seed: seed)
        return (0..<40).map { _ in
            var x = (0..<n).map { _ in random.normal() }
            if form.distance == .cosine { DenseKernels.normalize(&x, n) }
            return x
        }
    }

    private static func back(_ x: [Float], _ form: TurboForm) -> [Float] {
        let bytes = UnsafeMutableRawPointer.allocate(byteCount: form.rowBytes(x.count), alignment: 8)
        defer { bytes.deallocate() }
        RowElement.turbo(form).encode(x, x.count, into: bytes)
        return DenseRows(base: bytes, element: .turbo(form), count: 1, dimension: x.count).copy(0)
    }

    @Test("lengths are kept, directions nearly, whatever the length", arguments: Distance.allCases, [4, 8])
    func roundTrip(_ distance: Distance, _ bits: Int) {
        let form = bits == 8 ? TurboForm.eight(distance) : .four(distance)
        for n in [1, 2, 3, 7, 19, 48, 64, 200, 384] {
            for x in Self.given(form, n, seed: UInt64(n)) {
                let y = Self.back(x, form)
                let length = Self.norm(x)
                #expect((Self.norm(y) - length).magnitude <= 1e-5 * length)
                let error = Self.norm(zip(x, y).map { $0 - $1 })
                let most = bits == 8 ? 0.02 : n >= 48 ? 0.2 : 0.5
                #expect(error <= most * length, "\(n) \(error / length)")
                if distance == .cosine { #expect((Self.norm(y) - 1).magnitude < 1e-6) }
                // A power of two changes nothing but the length, up to the limits of the numbers.
                guard distance != .cosine else { continue }
                for scale in [0x1p60, 0x1p-60] as [Float] {
                    #expect(Self.back(x.map { $0 * scale }, form) == y.map { $0 * scale })
                }
            }
            #expect(Self.back([Float](repeating: 0, count: n), form).allSatisfy { $0 == 0 })
        }
        #expect(TurboForm.holds([1e37, 1e37]) && !TurboForm.holds([3e38, 1e38]))
    }

    @Test("scores are those of the numbers that rows give back", arguments: Distance.allCases, [4, 8])
    func scores(_ distance: Distance, _ bits: Int) {
        for n in [3, 19, 48, 130] {
            let given = TestRows(count: 300, dimension: n, distance: distance, seed: UInt64(n))
            let turbo = TurboRows(given, bits == 8 ? TurboForm.eight(distance) : .four(distance))
            let rows = turbo.rows
            let decoded = (0..<300).map { rows.copy(UInt32($0)) }
            let query = given.rows.copy(17)
            let ids = (0..<300).map { UInt32(($0 * 7) % 300) }
            var batch = [Float](repeating: 0, count: 300)
            var gathered = batch
            DenseKernels.batch(distance, query: query, rows: rows, start: 0, count: 300, out: &batch)
            DenseKernels.gather(distance, query: query, rows: rows, ids: ids, count: 300, out: &gathered)
            for row in 0..<300 {
                let pairs = zip(query.map { Double($0) }, decoded[row].map { Double($0) })
                let expected: Double =
                    switch distance {
                    case .cosine, .dot: pairs.reduce(0) { $0 + $1.0 * $1.1 }
                    case .euclid: pairs.reduce(0) { $0 - ($1.0 - $1.1) * ($1.0 - $1.1) }
                    case .manhattan: pairs.reduce(0) { $0 - ($1.0 - $1.1).magnitude }
                    }
                let scale = 1 + Self.norm(query) * Self.norm(decoded[row]) + expected.magnitude
                #expect((Double(batch[row]) - expected).magnitude <= 2e-6 * scale)
                #expect(gathered[(row * 43) % 300] == batch[((row * 43) % 300 * 7) % 300])
            }
        }
    }

    @Test("a scan of the rows as codes finds what an exact scan finds", arguments: Distance.allCases, [4, 8])
    func scans(_ distance: Distance, _ bits: Int) {
        let given = TestRows(count: 2000, dimension: 96, distance: distance, seed: 5)
        let turbo = TurboRows(given, bits == 8 ? TurboForm.eight(distance) : .four(distance))
        let codes = turbo.rows.searchableCodes(owner: turbo)
        #expect((codes == nil) == (distance == .manhattan))
        let index = DenseIndex(distance: distance, rows: turbo.rows, codes: codes, graph: nil, owner: turbo)
        let plain = DenseIndex(distance: distance, rows: given.rows, codes: nil, graph: nil, owner: given)
        var (same, near) = (0, 0)
        for query in 0..<50 {
            let vector = given.rows.copy(UInt32(query * 31))
            let exact = index.scanAll(query: vector, options: .init(limit: 10, ef: 10, mode: .exact))
            let found = index.scanAll(query: vector, options: .init(limit: 10, ef: 10))
            let true10 = plain.scanAll(query: vector, options: .init(limit: 10, ef: 10, mode: .exact))
            same += Set(exact.map(\.row)).intersection(found.map(\.row)).count
            near += Set(exact.map(\.row)).intersection(true10.map(\.row)).count
            let scores = Dictionary(uniqueKeysWithValues: exact.map { ($0.row, $0.score) })
            for row in found { if let score = scores[row.row] { #expect(score == row.score) } }
        }
        #expect(same >= 498, "\(distance) \(bits): \(same) of 500")
        #expect(near >= (bits == 8 ? 475 : 250), "\(distance) \(bits): \(near) of 500 of the true ones")
    }
}
