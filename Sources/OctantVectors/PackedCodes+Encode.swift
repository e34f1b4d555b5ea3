import COctantKernels
package import OctantModel

extension PackedCodes: CodeFamily {
    /// Writes the byte form of `rows` piece by piece. Works on up to `threads` threads. Deterministic.
    ///
    /// - Parameter measuresError: measure ``deviation``; else it is written as 0.
    package static func encode(
        rows: DenseRows, parameters: PackedParameters, threads: Int, measuresError: Bool = true,
        write: (UnsafeRawBufferPointer) throws -> Void
    ) throws {
        try writeWords(header(parameters, count: rows.count), write)
        var center = parameters.center.map(\.bitPattern)
        center += [UInt32](repeating: 0, count: (16 - center.count % 16) % 16)
        try writeWords(center, write)

        let encoder = PackedEncoder(parameters, seed: PackedParameters.seed)
        let stride = parameters.shape.stride
        try writeBlocks(count: rows.count, stride: stride, threads: threads, write) { range, out in
            encoder.encode(rows, range, into: out)
        }
        try pad(rows.count * stride, write)
        var trailer = [UInt32](repeating: 0, count: trailerBytes / 4)
        if measuresError { trailer[0] = try measuredDeviation(rows, parameters.distance, parameters).bitPattern }
        try writeWords(trailer, write)
    }

    /// Encodes into memory of its own.
    package static func make(
        rows: DenseRows, distance: Distance, width: PackedWidth, threads: Int = 1
    ) throws -> PackedCodes {
        let parameters = PackedParameters.train(rows: rows, distance: distance, width: width)
        return try encoded(rows: rows, parameters: parameters, threads: threads, measuresError: true)
    }

    private static func header(_ parameters: PackedParameters, count: Int) -> [UInt32] {
        var header = [UInt32](repeating: 0, count: headerBytes / 4)
        header[0] = UInt32(truncatingIfNeeded: magic)
        header[1] = UInt32(truncatingIfNeeded: magic >> 32)
        header[2] = version
        header[3] = parameters.distance.formatCode
        header[4] = UInt32(truncatingIfNeeded: parameters.dimension)
        header[5] = UInt32(truncatingIfNeeded: parameters.shape.width.bits)
        header[6] = UInt32(truncatingIfNeeded: count)
        header[7] = UInt32(truncatingIfNeeded: count >> 32)
        header[8] = UInt32(truncatingIfNeeded: parameters.shape.components)
        header[9] = (parameters.shape.width.isExpanded ? 1 : 0) | (parameters.shape.width.hasBinaryQuery ? 2 : 0)
        header[10] = UInt32(truncatingIfNeeded: parameters.shape.codeBytes)
        header[11] = UInt32(truncatingIfNeeded: parameters.shape.stride)
        header[12] = UInt32(truncatingIfNeeded: PackedParameters.seed)
        header[13] = UInt32(truncatingIfNeeded: PackedParameters.seed >> 32)
        header[14] = parameters.shape.steps.bitPattern
        return header
    }

}

/// Makes the bytes of rows.
struct PackedEncoder: Sendable {
    let parameters: PackedParameters
    let seed: UInt64

    init(_ parameters: PackedParameters, seed: UInt64) {
        self.parameters = parameters
        self.seed = seed
    }

    /// Encodes rows into `out`, `stride` bytes each.
    func encode(_ rows: DenseRows, _ range: Range<Int>, into out: UnsafeMutablePointer<UInt8>) {
        withUnsafeTemporaryAllocation(of: Float.self, capacity: parameters.shape.components) { buffer in
            guard let buffer = buffer.baseAddress else { return }
            rows.withBuffer { floats in
                for row in range {
                    encode(
                        rows.floats(UInt32(truncatingIfNeeded: row), floats),
                        into: out + (row - range.lowerBound) * parameters.shape.stride, buffer)
                }
            }
        }
    }

    /// Encodes one row. `turned` has room for `components` floats.
    func encode(
        _ row: UnsafePointer<Float>, into out: UnsafeMutablePointer<UInt8>, _ turned: UnsafeMutablePointer<Float>
    ) {
        let n = parameters.dimension
        let m = parameters.shape.components
        let bits = Int32(parameters.shape.width.bits)
        let addend: Float = parameters.center.withUnsafeBufferPointer { center in
            guard let center = center.baseAddress else { return 0 }
            for i in 0..<n { turned[i] = row[i] - center[i] }
            return parameters.distance == .euclid ? 0 - ok_norm2(turned, n) : ok_dot(turned, center, n)
        }
        guard parameters.shape.isRotated else {
            _ = ok_pack(turned, n, bits, parameters.shape.steps, parameters.shape.codeBytes, out)
            return
        }
        (turned + n).update(repeating: 0, count: m - n)
        ok_rotate(turned, m, seed)
        let squared = ok_norm2(turned, m)
        var steps = ok_packed_steps(bits) * (Float(m) / squared).squareRoot()
        if bits == 8 {
            var low: Float = 0
            var high: Float = 0
            ok_min_max(turned, m, &low, &high)
            steps = 127 / max(high, 0 - low)
        }
        let usable = steps.isFinite && steps > 0
        let along = ok_pack(turned, m, bits, usable ? steps : 1, parameters.shape.codeBytes, out)
        var factor = squared / along
        if !usable || !factor.isFinite { factor = 0 }
        if parameters.distance == .euclid { factor *= 2 }
        let place = UnsafeMutableRawPointer(out + parameters.shape.codeBytes)
        place.storeBytes(of: factor.bitPattern.littleEndian, as: UInt32.self)
        place.storeBytes(of: addend.bitPattern.littleEndian, toByteOffset: 4, as: UInt32.self)
    }
}
