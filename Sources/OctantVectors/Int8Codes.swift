import COctantKernels
package import OctantModel

/// Rows quantised to 8 bits, over borrowed memory (a mapped file or a ``HugeRegion``) that `owner` keeps.
///
/// Byte layout: docs/format/int8-codes.md.
package struct Int8Codes: CodeFamily, @unchecked Sendable {
    // SAFETY: the memory is read only, and `owner` keeps it for as long as a value lives.

    package let parameters: Int8Parameters
    /// Number of rows.
    package let count: Int
    /// Upper bound of a row's quantisation error: its length, or for Manhattan its sum of magnitudes.
    package let maxResidual: Float
    /// Upper bound of a decoded row's length (dot and cosine).
    package let maxLength: Float

    /// Standard deviation of the error of scores, see ``ScoreDeviation``; 0 if it was not measured.
    package let deviation: Float

    /// The rows, or if they are split, their lower halves.
    let base: UnsafePointer<UInt8>
    let norms: UnsafePointer<Int32>?
    /// The same rows in 4 bits; if they are split, their upper halves.
    let nibbles: UnsafePointer<UInt8>?
    private let owner: AnyObject

    static let magic: UInt64 = 0x3145_444f_4354_434f  // "OCTCODE1"
    /// Codes that are split have a version of their own: what cannot read them must not take them for whole ones.
    static let (version, splitVersion): (UInt32, UInt32) = (1, 2)
    static let headerBytes = 64
    static let trailerBytes = 64

    /// Bytes of the whole form for so many rows.
    package static func byteCount(parameters: Int8Parameters, count: Int) -> Int {
        let norms = parameters.distance == .euclid ? (count * 4 + 63) / 64 * 64 : 0
        return headerBytes + count * (parameters.stride + parameters.nibbleStride) + norms + trailerBytes
    }

    /// Reads the byte form. Every length is checked; damaged content gives wrong scores at worst.
    package init(bytes: UnsafeRawBufferPointer, owner: AnyObject) throws(VectorFormatError) {
        guard let start = bytes.baseAddress, bytes.count >= Self.headerBytes + Self.trailerBytes else {
            throw .truncated(expected: Self.headerBytes + Self.trailerBytes, found: bytes.count)
        }
        guard Int(bitPattern: start) % 4 == 0 else { throw .inconsistent("not aligned to 4 bytes") }
        func word(_ offset: Int) -> UInt32 { UInt32(littleEndian: bytes.load(fromByteOffset: offset, as: UInt32.self)) }
        func float(_ offset: Int) -> Float { Float(bitPattern: word(offset)) }
        guard UInt64(word(0)) | UInt64(word(4)) << 32 == Self.magic else { throw .badMagic }
        guard word(8) == Self.version || word(8) == Self.splitVersion else { throw .unsupportedVersion(word(8)) }
        guard let distance = Distance(formatCode: word(12)) else { throw .inconsistent("distance") }
        let dimension = Int(word(16))
        guard dimension >= 1, dimension <= 65536 else { throw .inconsistent("dimension") }
        guard let rows = Int(exactly: UInt64(word(24)) | UInt64(word(28)) << 32), rows < 1 << 31 else {
            throw .inconsistent("row count")
        }
        let center = float(32)
        let scale = float(36)
        guard center.isFinite, scale.isFinite, scale > 0 else { throw .inconsistent("scale") }
        parameters = Int8Parameters(
            distance: distance, dimension: dimension, center: center, scale: scale, nibbleStep: float(44),
            isSplit: word(8) == Self.splitVersion)
        guard parameters.nibbleStep == float(44), parameters.isSplit == (word(8) == Self.splitVersion) else {
            throw .inconsistent("step of the 4-bit codes")
        }
        guard Int(word(20)) == parameters.stride else { throw .inconsistent("stride") }
        // Cannot overflow: 2^31 rows of 2^16 bytes.
        let size = Self.byteCount(parameters: parameters, count: rows)
        guard bytes.count >= size else { throw .truncated(expected: size, found: bytes.count) }
        let trailer = size - Self.trailerBytes
        let residual = float(trailer)
        let length = float(trailer + 4)
        // A bound that is none of a number is no bound: everything is then rescored.
        maxResidual = residual >= 0 ? residual : .infinity
        maxLength = length >= 0 ? length : .infinity
        let measured = float(trailer + 8)
        deviation = measured > 0 && measured.isFinite ? measured : 0
        count = rows
        let codes = start + Self.headerBytes
        base = codes.assumingMemoryBound(to: UInt8.self)
        norms =
            distance == .euclid ? (codes + rows * parameters.stride).assumingMemoryBound(to: Int32.self) : nil
        nibbles =
            parameters.nibbleStride > 0
            ? (start + (trailer - rows * parameters.nibbleStride)).assumingMemoryBound(to: UInt8.self) : nil
        self.owner = owner
    }

    /// Writes the byte form of `rows` piece by piece. Works on up to `threads` threads. Deterministic.
    ///
    /// - Parameter measuresError: measure ``deviation``.
    package static func encode(
        rows: DenseRows, parameters: Int8Parameters, threads: Int, measuresError: Bool = true,
        write: (UnsafeRawBufferPointer) throws -> Void
    ) throws {
        var header = [UInt32](repeating: 0, count: headerBytes / 4)
        header[0] = UInt32(truncatingIfNeeded: magic)
        header[1] = UInt32(truncatingIfNeeded: magic >> 32)
        header[2] = parameters.isSplit ? splitVersion : version
        header[3] = parameters.distance.formatCode
        header[4] = UInt32(truncatingIfNeeded: parameters.dimension)
        header[5] = UInt32(truncatingIfNeeded: parameters.stride)
        header[6] = UInt32(truncatingIfNeeded: rows.count)
        header[7] = UInt32(truncatingIfNeeded: rows.count >> 32)
        header[8] = parameters.center.bitPattern
        header[9] = parameters.scale.bitPattern
        header[11] = parameters.nibbleStep.bitPattern
        try writeWords(header, write)

        let stride = parameters.stride
        let block = max(1, min(rows.count, (4 << 20) / parameters.queryBytes))
        let buffer = EncodeBuffer(rows: block, parameters)
        let euclid = parameters.distance == .euclid
        var norms: [Int32] = []
        if euclid { norms.reserveCapacity((rows.count + 15) / 16 * 16) }
        var residual: Float = 0
        var norm: Int32 = 0
        var start = 0
        while start < rows.count {
            let count = min(block, rows.count - start)
            let workers = max(1, min(threads, count / 256))
            let first = start
            runThreads(workers) { worker in
                buffer.encode(
                    rows, parameters, first: first, from: count * worker / workers,
                    to: count * (worker + 1) / workers)
            }
            for i in 0..<count {
                residual = max(residual, buffer.residuals[i])
                norm = max(norm, buffer.norms[i])
                if euclid { norms.append(buffer.norms[i]) }
            }
            try write(UnsafeRawBufferPointer(start: buffer.halves ?? buffer.codes, count: count * stride))
            start += count
        }
        if euclid {
            while norms.count % 16 != 0 { norms.append(0) }
            try norms.withUnsafeBytes { try write($0) }
        }
        if parameters.nibbleStride > 0 {
            // A second pass over the rows, so that no more than a block of them is ever in memory twice.
            try writeBlocks(count: rows.count, stride: parameters.nibbleStride, threads: threads, write) { range, out in
                packNibbles(rows, parameters, range, out)
            }
        }
        var trailer = [UInt32](repeating: 0, count: trailerBytes / 4)
        // A little more than computed, for the rounding of the sums themselves.
        trailer[0] = ((parameters.distance == .manhattan ? residual : residual.squareRoot()) * 1.001).bitPattern
        trailer[1] = (Float(norm).squareRoot() * parameters.scale * 1.001).bitPattern
        if measuresError { trailer[2] = try measuredDeviation(rows, parameters.distance, parameters).bitPattern }
        try writeWords(trailer, write)
    }

    /// Encodes into memory of its own.
    package static func make(
        rows: DenseRows, distance: Distance, quantile: Double? = nil, threads: Int = 1, measuresError: Bool = true
    ) throws -> Int8Codes {
        try encoded(
            rows: rows, parameters: train(rows: rows, distance: distance, quantile: quantile), threads: threads,
            measuresError: measuresError)
    }

    /// Makes a row of its codes. `out` holds `dimension` floats.
    package func decode(_ row: UInt32, into out: UnsafeMutablePointer<Float>) {
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: parameters.queryBytes) { codes in
            guard let codes = codes.baseAddress else { return }
            let stored = base + Int(row) * parameters.stride
            if parameters.isSplit, let nibbles {
                ok_join_codes(nibbles + Int(row) * parameters.nibbleStride, stored, parameters.stride, codes)
            } else {
                codes.initialize(from: stored, count: parameters.stride)
            }
            for i in 0..<parameters.dimension {
                out[i] = parameters.center + parameters.scale * Float(Int(codes[i]) - 128)
            }
        }
    }

    /// Writes the 4-bit codes of some rows.
    private static func packNibbles(
        _ rows: DenseRows, _ parameters: Int8Parameters, _ range: Range<Int>, _ out: UnsafeMutablePointer<UInt8>
    ) {
        let n = parameters.dimension
        let width = 2 * parameters.nibbleStride
        rows.withBuffer { buffer in
            withUnsafeTemporaryAllocation(of: UInt8.self, capacity: width) { codes in
                guard let codes = codes.baseAddress else { return }
                codes.initialize(repeating: EncodeBuffer.zero, count: width)
                for i in range {
                    let row = rows.floats(UInt32(truncatingIfNeeded: i), buffer)
                    let out = out + (i - range.lowerBound) * parameters.nibbleStride
                    ok_quantize(row, n, parameters.center, 1 / parameters.scale, codes)
                    if parameters.isSplit {
                        ok_half_codes(codes, width, 4, out)
                    } else {
                        ok_pack_nibbles(codes, n, 1 / parameters.nibbleStep, out)
                    }
                }
            }
        }
    }
}

extension Int8Parameters {
    /// Writes the codes of a row in one piece of `queryBytes`: what ``Int8Codes`` holds of it.
    func encode(_ rows: DenseRows, _ row: UInt32, _ out: UnsafeMutablePointer<UInt8>) {
        let n = dimension
        withUnsafeTemporaryAllocation(of: Float.self, capacity: max(n, 1)) { buffer in
            guard let buffer = buffer.baseAddress else { return }
            ok_quantize(rows.floats(row, buffer), n, center, 1 / scale, out)
        }
        (out + n).update(repeating: EncodeBuffer.zero, count: queryBytes - n)
    }
}

extension Distance {
    /// The number that stands for it in files.
    var formatCode: UInt32 {
        switch self {
        case .cosine: 0
        case .dot: 1
        case .euclid: 2
        case .manhattan: 3
        }
    }

    init?(formatCode: UInt32) {
        switch formatCode {
        case 0: self = .cosine
        case 1: self = .dot
        case 2: self = .euclid
        case 3: self = .manhattan
        default: return nil
        }
    }
}

/// One block of rows on its way to the codes.
private final class EncodeBuffer: @unchecked Sendable {
    // SAFETY: threads write to disjoint rows, and the buffer is read after they were joined.
    let codes: UnsafeMutablePointer<UInt8>
    /// Of codes that are split, the lower halves.
    let halves: UnsafeMutablePointer<UInt8>?
    let norms: UnsafeMutablePointer<Int32>
    let residuals: UnsafeMutablePointer<Float>
    let stride: Int
    /// The code of zero: padding counts for nothing.
    static let zero: UInt8 = 128

    init(rows: Int, _ parameters: Int8Parameters) {
        stride = parameters.isSplit ? parameters.queryBytes : parameters.stride
        codes = .allocate(capacity: rows * stride)
        halves = parameters.isSplit ? .allocate(capacity: rows * stride / 2) : nil
        codes.initialize(repeating: Self.zero, count: rows * stride)
        norms = .allocate(capacity: rows)
        residuals = .allocate(capacity: rows)
    }

    deinit {
        codes.deallocate()
        halves?.deallocate()
        norms.deallocate()
        residuals.deallocate()
    }

    func encode(_ rows: DenseRows, _ parameters: Int8Parameters, first: Int, from: Int, to: Int) {
        let n = parameters.dimension
        let manhattan: Int32 = parameters.distance == .manhattan ? 1 : 0
        rows.withBuffer { buffer in
            for i in from..<to {
                let row = rows.floats(UInt32(truncatingIfNeeded: first + i), buffer)
                let out = codes + i * stride
                ok_quantize(row, n, parameters.center, 1 / parameters.scale, out)
                norms[i] = ok_code_norm2(out, stride)
                let residual = ok_code_residual(row, n, out, parameters.center, parameters.scale, manhattan)
                residuals[i] = residual >= 0 ? residual : .infinity
                if let halves { ok_half_codes(out, stride, 0, halves + i * stride / 2) }
            }
        }
    }
}
