import COctantKernels
import OctantModel

/// Scores rows against one query; larger is better. Implementations are structs of pointers, and everything that uses
/// one is specialised for it.
protocol RowScorer: SendableMetatype {
    /// Where row 0 begins, and bytes from one row to the next.
    var place: (base: UnsafeRawPointer, stride: Int) { get }
    /// Scores `count` rows into `out`.
    func score(_ ids: UnsafePointer<UInt32>, _ count: Int, _ out: UnsafeMutablePointer<Float>)
    /// Scores `count` consecutive rows from `start`.
    func scoreRun(_ start: Int, _ count: Int, _ out: UnsafeMutablePointer<Float>)
    /// Makes a row the query. Scores between rows may be in other units than those of outside queries.
    mutating func load(_ row: UInt32)
    /// Asks for the beginning of a row.
    func prefetch(_ row: UInt32)
    /// Scores the `count` best of a walk, in the scratch's pool, again by something finer, if there is, and sorts them.
    func refine(_ scratch: SearchScratch, _ count: Int)
}

extension RowScorer {
    @inline(__always)
    func refine(_ scratch: SearchScratch, _ count: Int) {}

    @inline(__always)
    func score(_ row: UInt32) -> Float {
        var id = row
        var result: Float = 0
        score(&id, 1, &result)
        return result
    }
}

/// Scores rows by all of their components.
struct FloatScorer: RowScorer {
    let distance: Distance
    let rows: DenseRows
    var query: UnsafePointer<Float>

    var place: (base: UnsafeRawPointer, stride: Int) { (rows.base, rows.stride) }
    /// Where a row that is not of floats is written to when it becomes the query. Without, none does.
    var buffer: UnsafeMutablePointer<Float>?

    @inline(__always)
    func score(_ ids: UnsafePointer<UInt32>, _ count: Int, _ out: UnsafeMutablePointer<Float>) {
        DenseKernels.gather(distance, query: query, rows: rows, ids: ids, count: count, out: out)
    }

    @inline(__always)
    func scoreRun(_ start: Int, _ count: Int, _ out: UnsafeMutablePointer<Float>) {
        DenseKernels.batch(distance, query: query, rows: rows, start: start, count: count, out: out)
    }

    @inline(__always)
    mutating func load(_ row: UInt32) {
        if let floats = rows.floatBase {
            query = floats + Int(row) &* rows.dimension
        } else if let buffer {
            rows.decode(row, into: buffer)
            query = UnsafePointer(buffer)
        }
    }

    @inline(__always)
    func prefetch(_ row: UInt32) {
        ok_prefetch(rows.address(row))
    }
}

/// Scores 8-bit codes. `query` and `integers` are scratch memory of the caller's: the parameters' `queryBytes`, and twice
/// as many integers as rows are ever scored in one call.
struct CodeScorer: RowScorer {
    /// The rows, or their lower halves.
    let base: UnsafePointer<UInt8>
    /// The upper halves of rows that are split.
    let upper: UnsafePointer<UInt8>?
    let stride: Int
    /// Sums of the squared codes, for Euclid only.
    var norms: UnsafePointer<Int32>?
    let manhattan: Bool
    let query: UnsafeMutablePointer<UInt8>
    let integers: UnsafeMutablePointer<Int32>
    var querySum: Int32 = 0
    /// score = constant + factor * integer + normFactor * norm
    var constant: Float = 0
    var factor: Float = 1
    var normFactor: Float = 0

    var place: (base: UnsafeRawPointer, stride: Int) { (UnsafeRawPointer(base), stride) }

    @inline(__always)
    var signedQuery: UnsafePointer<Int8> {
        UnsafeRawPointer(query).assumingMemoryBound(to: Int8.self)
    }

    @inline(__always)
    func score(_ ids: UnsafePointer<UInt32>, _ count: Int, _ out: UnsafeMutablePointer<Float>) {
        if let upper {
            ok_nibble_dot_gather(signedQuery, upper, stride, ids, count, integers)
            ok_nibble_dot_gather(signedQuery, base, stride, ids, count, integers + SearchScratch.block)
            joinHalves(count)
        } else if manhattan {
            ok_code_sad_gather(query, base, stride, ids, count, integers)
        } else {
            ok_code_dot_gather(signedQuery, querySum, base, stride, ids, count, integers)
        }
        let factor = factor
        guard let norms else {
            for i in 0..<count { out[i] = Float(integers[i]) * factor }
            return
        }
        for i in 0..<count {
            out[i] = constant + (Float(integers[i]) * factor + Float(norms[Int(ids[i])]) * normFactor)
        }
    }

    @inline(__always)
    func scoreRun(_ start: Int, _ count: Int, _ out: UnsafeMutablePointer<Float>) {
        if let upper {
            ok_nibble_dot_batch(signedQuery, upper + start &* stride, stride, count, integers)
            ok_nibble_dot_batch(
                signedQuery, base + start &* stride, stride, count, integers + SearchScratch.block)
            joinHalves(count)
        } else if manhattan {
            ok_code_sad_batch(query, base + start &* stride, stride, count, integers)
        } else {
            ok_code_dot_batch(signedQuery, querySum, base + start &* stride, stride, count, integers)
        }
        let factor = factor
        guard let norms else {
            for i in 0..<count { out[i] = Float(integers[i]) * factor }
            return
        }
        for i in 0..<count {
            out[i] = constant + (Float(integers[i]) * factor + Float(norms[start &+ i]) * normFactor)
        }
    }

    /// The sums of whole codes from those of their halves, exactly: a code is 16 times its upper half and the lower one.
    @inline(__always)
    private func joinHalves(_ count: Int) {
        let offset = 128 &* querySum
        let lower = integers + SearchScratch.block
        for i in 0..<count { integers[i] = (integers[i] &<< 4) &+ lower[i] &- offset }
    }

    /// Scores between rows are in units of the squared scale (Manhattan: of the scale).
    @inline(__always)
    mutating func load(_ row: UInt32) {
        let codes = base + Int(row) &* stride
        if manhattan {
            query.update(from: codes, count: stride)
            factor = -1
            return
        }
        let signed = UnsafeMutableRawPointer(query).assumingMemoryBound(to: Int8.self)
        if let upper {
            ok_join_codes(upper + Int(row) &* stride, codes, stride, query)
            querySum = ok_code_query(query, 2 &* stride, signed)
        } else {
            querySum = ok_code_query(codes, stride, signed)
        }
        if let norms {
            constant = 0 - Float(norms[Int(row)])
            factor = 2
            normFactor = -1
        }
    }

    @inline(__always)
    func prefetch(_ row: UInt32) {
        ok_prefetch(base + Int(row) &* stride)
    }
}
