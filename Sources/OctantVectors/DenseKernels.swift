import COctantKernels
package import OctantModel

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// Scores of float vectors. A score is a *similarity*, larger is better: the dot product (cosine vectors are stored
/// normalised), minus the squared Euclidean distance, or minus the Manhattan distance.
package enum DenseKernels {
    /// Similarity of two vectors of `n` floats.
    @inline(__always)
    package static func similarity(
        _ distance: Distance, _ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, _ n: Int
    ) -> Float {
        switch distance {
        case .cosine, .dot: ok_dot(a, b, n)
        case .euclid: 0 - ok_l2(a, b, n)
        case .manhattan: 0 - ok_l1(a, b, n)
        }
    }

    /// Similarities of `query` with the rows `ids`, which need not be in order. Every id must be below `rows.count`.
    @inline(__always)
    package static func gather(
        _ distance: Distance, query: UnsafePointer<Float>, rows: DenseRows, ids: UnsafePointer<UInt32>, count: Int,
        out: UnsafeMutablePointer<Float>
    ) {
        guard let base = rows.floatBase else {
            return gatherCompact(distance, query: query, rows: rows, ids: ids, count: count, out: out)
        }
        let n = rows.dimension
        let stride = rows.stride / MemoryLayout<Float>.stride
        switch distance {
        case .cosine, .dot: ok_dot_gather(query, base, stride, n, ids, count, out)
        case .euclid:
            ok_l2_gather(query, base, stride, n, ids, count, out)
            negate(out, count)
        case .manhattan:
            ok_l1_gather(query, base, stride, n, ids, count, out)
            negate(out, count)
        }
    }

    /// Similarities of `query` with `count` rows from `start` on.
    @inline(__always)
    package static func batch(
        _ distance: Distance, query: UnsafePointer<Float>, rows: DenseRows, start: Int, count: Int,
        out: UnsafeMutablePointer<Float>
    ) {
        let n = rows.dimension
        guard let base = rows.floatBase else {
            return batchCompact(distance, query: query, rows: rows, start: start, count: count, out: out)
        }
        switch distance {
        case .cosine, .dot: ok_dot_batch(query, base + start &* n, n, n, count, out)
        case .euclid:
            ok_l2_batch(query, base + start &* n, n, n, count, out)
            negate(out, count)
        case .manhattan:
            ok_l1_batch(query, base + start &* n, n, n, count, out)
            negate(out, count)
        }
    }

    /// `0 - x`, so that an exact hit is 0 and not -0.
    @inline(__always)
    static func negate(_ x: UnsafeMutablePointer<Float>, _ count: Int) {
        for i in 0..<count { x[i] = 0 - x[i] }
    }

    /// Brings a vector to unit length. Left alone when its squared length is below Float's epsilon (a zero vector
    /// stays zero) or within 1e-6 of 1.
    package static func normalize(_ v: UnsafeMutablePointer<Float>, _ n: Int) {
        var squared = ok_norm2(v, n)
        var extra: Float = 1
        if squared == .infinity {
            // The square overflows though the vector is finite: take it in two steps.
            extra = 0x1p-80
            ok_scale(v, n, extra)
            squared = ok_norm2(v, n)
        }
        guard squared >= Float.ulpOfOne, extra != 1 || (squared - 1).magnitude > 1e-6 else { return }
        let length = squared.squareRoot()
        for i in 0..<n { v[i] /= length }
    }

    /// Euclidean length.
    package static func length(_ v: UnsafePointer<Float>, _ n: Int) -> Float { ok_norm2(v, n).squareRoot() }

    /// Half-precision numbers as floats.
    package static func halves(_ x: UnsafePointer<UInt16>, count: Int, out: UnsafeMutablePointer<Float>) {
        ok_half_decode(x, count, out)
    }

    /// Name of the instruction set in use.
    package static var levelName: String { String(cString: ok_level_name(ok_active_level())) }

    /// What is reported to the caller of a search for a similarity.
    @inline(__always)
    package static func reportedScore(_ distance: Distance, similarity: Float) -> Float {
        switch distance {
        case .cosine, .dot: similarity
        case .euclid: similarity.magnitude.squareRoot()
        case .manhattan: similarity.magnitude
        }
    }
}

/// Asks for a cache line.
@inline(__always)
func prefetchLine(_ address: UnsafeRawPointer) {
    ok_prefetch(address)
}
