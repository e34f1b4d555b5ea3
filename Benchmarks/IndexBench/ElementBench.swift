import BenchSupport
import OctantModel
import OctantVectors

/// Times of scores by all components, of the same rows kept as floats, packed floats, halves, bytes and codes.
///
/// Bytes are the components, moved and stretched to 0...255: right for time, not for recall.
struct ElementBench {
    let rows: DenseRows
    let queries: UnsafePointer<Float>
    let queryCount: Int

    /// A line for each form: bytes of a row, and nanoseconds of CPU for a row of a scan in order and of a list of rows in
    /// no order. The medians of `passes` passes, the forms in turns.
    func run(passes: Int) throws -> [KeyValuePairs<String, String>] {
        // Room for more exceptions than embeddings have.
        guard let packed = PackedFloatForm(slots: 4) else { return [] }
        let forms: [(String, RowElement)] = [
            ("float32", .float32), ("packed", .packedFloat32(packed)), ("float16", .float16), ("uint8", .uint8),
            ("turbo8", .turbo(.eight(.dot))),
            ("turbo4", .turbo(.four(.dot))),
        ]
        let regions = try forms.map { try region($0.1) }
        let kept = zip(forms, regions).map { form, region in
            DenseRows(
                base: UnsafeRawPointer(region.base), element: form.1, count: rows.count, dimension: rows.dimension)
        }
        var scans = [[Double]](repeating: [], count: forms.count)
        var gathers = scans
        for _ in 0..<passes {
            for (place, rows) in kept.enumerated() {
                scans[place].append(scan(rows))
                gathers[place].append(gather(rows))
            }
        }
        withExtendedLifetime(regions) {}
        return zip(forms, kept).enumerated().map { place, form in
            [
                "kind": "elements", "form": form.0.0, "row_bytes": "\(form.1.stride)",
                "scan_ns": text(median(scans[place])), "gather_ns": text(median(gathers[place])),
            ]
        }
    }

    private func region(_ element: RowElement) throws -> HugeRegion {
        let n = rows.dimension
        let stride = element.rowBytes(n)
        let region = try HugeRegion(byteCount: rows.count * stride + element.tailBytes)
        var row = [Float](repeating: 0, count: n)
        for number in 0..<rows.count {
            rows.decode(UInt32(number), into: &row)
            if element == .uint8 { row = row.map { ($0 * 600 + 128).rounded() } }
            element.encode(row, n, into: region.base + number * stride)
        }
        return region
    }

    private func scan(_ rows: DenseRows) -> Double {
        let index = DenseIndex(distance: .dot, rows: rows, codes: nil, graph: nil, owner: NoOwner())
        let rounds = min(20, queryCount)
        let start = processSeconds()
        for query in 0..<rounds {
            _ = index.scanAll(
                query: queries + query * rows.dimension, options: .init(limit: 10, ef: 10, mode: .exact))
        }
        return (processSeconds() - start) / Double(rounds * rows.count) * 1e9
    }

    private func gather(_ rows: DenseRows) -> Double {
        let size = 64
        let rounds = 20_000
        var ids = [UInt32](repeating: 0, count: size)
        var out = [Float](repeating: 0, count: size)
        var state: UInt32 = 1
        let start = processSeconds()
        for round in 0..<rounds {
            for place in 0..<size {
                state = state &* 1_664_525 &+ 1_013_904_223
                ids[place] = UInt32((UInt64(state) * UInt64(rows.count)) >> 32)
            }
            DenseKernels.gather(
                .dot, query: queries + round % queryCount * rows.dimension, rows: rows, ids: ids, count: size, out: &out
            )
        }
        return (processSeconds() - start) / Double(rounds * size) * 1e9
    }

    private func median(_ values: [Double]) -> Double { values.sorted()[values.count / 2] }
    private func text(_ value: Double) -> String { "\((value * 10).rounded() / 10)" }
}

private final class NoOwner {}
