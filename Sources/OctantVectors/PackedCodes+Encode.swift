import COctantKernels
package import OctantModel

extension PackedCodes {
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

        let stride = parameters.shape.stride
        let block = max(1, min(rows.count, (4 << 20) / stride))
        let encoder = PackedEncoder(parameters, seed: PackedParameters.seed)
        let buffer = PackedBuffer(byteCount: block * stride)
        var start = 0
        while start < rows.count {
            let count = min(block, rows.count - start)
            let workers = max(1, min(threads, count / 256))
            let first = start
            runThreads(workers) { worker in
                let from = count * worker / workers
                let to = count * (worker + 1) / workers
                encoder.encode(rows, first + from..<first + to, into: buffer.base + from * stride)
            }
            try write(UnsafeRawBufferPointer(start: buffer.base, count: count * stride))
            start += count
        }
        let rest = (64 - rows.count * stride % 64) % 64
        try [UInt8](repeating: 0, count: rest).withUnsafeBytes { try write($0) }
        var trailer = [UInt32](repeating: 0, count: trailerBytes / 4)
        if measuresError { trailer[0] = try measuredDeviation(rows, parameters).bitPattern }
        try writeWords(trailer, write)
    }

    /// Encodes into memory of its own.
    package static func make(
        rows: DenseRows, distance: Distance, width: PackedWidth, threads: Int = 1
    ) throws -> PackedCodes {
        let parameters = PackedParameters.train(rows: rows, distance: distance, width: width)
        return try make(rows: rows, parameters: parameters, threads: threads, measuresError: true)
    }

    private static func make(
        rows: DenseRows, parameters: PackedParameters, threads: Int, measuresError: Bool
    ) throws -> PackedCodes {
        let region = try HugeRegion(byteCount: byteCount(parameters: parameters, count: rows.count))
        var offset = 0
        try encode(rows: rows, parameters: parameters, threads: threads, measuresError: measuresError) { piece in
            if let source = piece.baseAddress {
                (region.base + offset).copyMemory(from: source, byteCount: piece.count)
            }
            offset += piece.count
        }
        return try PackedCodes(
            bytes: UnsafeRawBufferPointer(start: region.base, count: region.byteCount), owner: region)
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

    /// Encodes a sample by the same parameters and compares its scores.
    private static func measuredDeviation(_ rows: DenseRows, _ parameters: PackedParameters) throws -> Float {
        let sample = ScoreDeviation.sample(rows)
        return try sample.withUnsafeBufferPointer { sample in
            guard let base = sample.baseAddress else { return 0 }
            let rows = DenseRows(
                base: base, count: sample.count / parameters.dimension, dimension: parameters.dimension)
            let codes = try make(rows: rows, parameters: parameters, threads: 1, measuresError: false)
            let scratch = ScratchPool.take()
            defer { ScratchPool.give(scratch) }
            return ScoreDeviation.measure(rows, parameters.distance) { query, out in
                let scorer = codes.query(query, scratch).scorer
                for start in Swift.stride(from: 0, to: rows.count, by: SearchScratch.block) {
                    scorer.scoreRun(start, min(SearchScratch.block, rows.count - start), out + start)
                }
            }
        }
    }

    private static func writeWords(_ words: [UInt32], _ write: (UnsafeRawBufferPointer) throws -> Void) throws {
        try words.map(\.littleEndian).withUnsafeBytes { try write($0) }
    }
}

/// Zeroed bytes that threads write disjoint parts of.
private final class PackedBuffer: @unchecked Sendable {
    // SAFETY: threads write to disjoint rows, and the buffer is read after they were joined.
    let base: UnsafeMutablePointer<UInt8>

    init(byteCount: Int) {
        base = .allocate(capacity: byteCount)
        base.initialize(repeating: 0, count: byteCount)
    }

    deinit { base.deallocate() }
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
