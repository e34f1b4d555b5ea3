import COctantKernels
import OctantModel

/// Scores of rows that are not of floats. Widened, a row gives the score that its floats would; see
/// octant_compact.h.
extension DenseKernels {
    /// Similarities of `query` with the rows `ids`.
    static func gatherCompact(
        _ distance: Distance, query: UnsafePointer<Float>, rows: DenseRows, ids: UnsafePointer<UInt32>, count: Int,
        out: UnsafeMutablePointer<Float>
    ) {
        if case .turbo(let form) = rows.element {
            return form.score(distance, query, rows, count, out) { ids[$0] }
        }
        if case .packedFloat32(let form) = rows.element {
            var packed = rows.packedFloats(form)
            ok_floats_gather(metric(distance), query, &packed, ids, count, out)
            return distance == .cosine || distance == .dot ? () : negate(out, count)
        }
        let n = rows.dimension
        let (metric, base) = (metric(distance), rows.base)
        if rows.element == .float16 {
            ok_half_gather(
                metric, query, base.assumingMemoryBound(to: UInt16.self), rows.stride / 2, n, ids, count, out)
        } else {
            ok_byte_gather(
                metric, query, base.assumingMemoryBound(to: UInt8.self), rows.stride, n, ids, count, out)
        }
        guard distance == .cosine || distance == .dot else { return negate(out, count) }
        guard let lengths = rows.lengths else { return }
        for i in 0..<count { out[i] = quotient(out[i], lengths[Int(ids[i])]) }
    }

    /// Similarities of `query` with `count` rows from `start` on.
    static func batchCompact(
        _ distance: Distance, query: UnsafePointer<Float>, rows: DenseRows, start: Int, count: Int,
        out: UnsafeMutablePointer<Float>
    ) {
        if case .turbo(let form) = rows.element {
            return form.score(distance, query, rows, count, out) { UInt32(truncatingIfNeeded: start &+ $0) }
        }
        if case .packedFloat32(let form) = rows.element {
            var packed = rows.packedFloats(form)
            ok_floats_batch(metric(distance), query, &packed, start, count, out)
            return distance == .cosine || distance == .dot ? () : negate(out, count)
        }
        let n = rows.dimension
        let (metric, base) = (metric(distance), rows.base + start &* rows.stride)
        if rows.element == .float16 {
            ok_half_batch(metric, query, base.assumingMemoryBound(to: UInt16.self), n, n, count, out)
        } else {
            ok_byte_batch(metric, query, base.assumingMemoryBound(to: UInt8.self), n, n, count, out)
        }
        guard distance == .cosine || distance == .dot else { return negate(out, count) }
        guard let lengths = rows.lengths else { return }
        for i in 0..<count { out[i] = quotient(out[i], lengths[start &+ i]) }
    }

    /// Zero vectors have no direction: they are as similar to all as a zero vector of floats, 0.
    @inline(__always)
    private static func quotient(_ product: Float, _ length: Float) -> Float { length > 0 ? product / length : 0 }

    @inline(__always)
    private static func metric(_ distance: Distance) -> Int32 {
        switch distance {
        case .cosine, .dot: Int32(OK_METRIC_DOT)
        case .euclid: Int32(OK_METRIC_L2)
        case .manhattan: Int32(OK_METRIC_L1)
        }
    }
}
