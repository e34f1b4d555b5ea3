import COctantKernels
package import OctantModel

/// What all rows of scan codes have in common.
package struct ScanParameters: Sendable, Equatable {
    /// Dot, cosine or Euclid: a rotation does not keep Manhattan distances.
    package let distance: Distance
    /// What rows are encoded as differences from: `dimension` finite numbers.
    package let center: [Float]

    /// Components of a row that a code can have.
    package static let dimensionMax = Int(OK_SCAN_LINES_MAX) * Int(OK_SCAN_COMPONENTS)

    package var dimension: Int { center.count }
    /// Lines of a block, each of some components of all its rows.
    var lines: Int { (dimension + Int(OK_SCAN_COMPONENTS) - 1) / Int(OK_SCAN_COMPONENTS) }
    /// Bytes of a block of rows.
    var blockBytes: Int { ok_scan_block_bytes(lines) }

    init(distance: Distance, center: [Float]) {
        self.distance = distance
        self.center = center.map { $0.isFinite ? $0 : 0 }
    }

    /// Whether such vectors can have scan codes.
    package static func fit(_ distance: Distance, dimension: Int) -> Bool {
        distance != .manhattan && dimension >= 1 && dimension <= dimensionMax
    }

    /// Finds the centre on a regular sample of the rows. Deterministic.
    package static func train(rows: DenseRows, distance: Distance) -> ScanParameters {
        let packed = PackedParameters.train(rows: rows, distance: distance, width: .one)
        return ScanParameters(distance: distance, center: packed.center)
    }

    /// Bytes that making codes of so many rows allocates at most, besides what is written.
    package static func encodingBytes(count: Int, dimension: Int) -> Int {
        PackedParameters.encodingBytes(count: count, dimension: dimension, width: .one, distance: .dot)
    }
}

/// Rows at one bit a component, laid out to be scanned: 64 rows side by side, which a kernel scores together. Over borrowed
/// memory (a mapped file or a ``HugeRegion``) that `owner` keeps.
///
/// A code is the sign of a row's difference from the centre after a random rotation, and the estimate of a score is that of
/// ``PackedCodes`` at one bit (Gao and Long 2024, "RaBitQ", section 3.2). The query is not rounded to bits: its products with
/// all 64 codes of six components are looked up in tables of small integers (André, Kermarrec and Le Scouarnec 2015, "Cache
/// locality is not enough", section 4). Byte layout: docs/format/scan-codes.md.
package struct ScanCodes: @unchecked Sendable {
    // SAFETY: the memory is read only, and `owner` keeps it for as long as a value lives.

    package let parameters: ScanParameters
    /// Number of rows.
    package let count: Int
    /// Standard deviation of the error of scores, see ``ScoreDeviation``.
    package let deviation: Float

    let seed: UInt64
    let base: UnsafePointer<UInt8>
    private let owner: AnyObject

    static let magic: UInt64 = 0x314e_4143_5354_434f  // "OCTSCAN1"
    static let version: UInt32 = 1
    static let headerBytes = 64
    static let trailerBytes = 64
    /// Rows of a block.
    static let blockRows = Int(OK_SCAN_ROWS)

    private static func head(_ dimension: Int) -> Int { headerBytes + (dimension * 4 + 63) / 64 * 64 }

    static func blocks(_ rows: Int) -> Int { (rows + blockRows - 1) / blockRows }

    /// Bytes of the whole form for so many rows.
    package static func byteCount(parameters: ScanParameters, count: Int) -> Int {
        head(parameters.dimension) + blocks(count) * parameters.blockBytes + trailerBytes
    }

    /// Reads the byte form. Every length is checked; damaged content gives wrong scores at worst.
    package init(bytes: UnsafeRawBufferPointer, owner: AnyObject) throws(VectorFormatError) {
        guard let start = bytes.baseAddress, bytes.count >= Self.headerBytes + Self.trailerBytes else {
            throw .truncated(expected: Self.headerBytes + Self.trailerBytes, found: bytes.count)
        }
        guard Int(bitPattern: start) % 4 == 0 else { throw .inconsistent("not aligned to 4 bytes") }
        func word(_ offset: Int) -> UInt32 { UInt32(littleEndian: bytes.load(fromByteOffset: offset, as: UInt32.self)) }
        func long(_ offset: Int) -> UInt64 { UInt64(word(offset)) | UInt64(word(offset + 4)) << 32 }
        guard long(0) == Self.magic else { throw .badMagic }
        guard word(8) == Self.version else { throw .unsupportedVersion(word(8)) }
        guard let distance = Distance(formatCode: word(12)) else { throw .inconsistent("distance") }
        let dimension = Int(word(16))
        guard ScanParameters.fit(distance, dimension: dimension) else { throw .inconsistent("dimension") }
        guard let rows = Int(exactly: long(24)), rows < 1 << 31 else { throw .inconsistent("row count") }
        let head = Self.head(dimension)
        guard bytes.count >= head else { throw .truncated(expected: head, found: bytes.count) }
        let center = (0..<dimension).map { Float(bitPattern: word(Self.headerBytes + $0 * 4)) }
        parameters = ScanParameters(distance: distance, center: center)
        guard parameters.center == center else { throw .inconsistent("centre") }
        guard Int(word(20)) == parameters.lines else { throw .inconsistent("lines") }
        // Cannot overflow: 2^25 blocks of less than 2^18 bytes.
        let size = Self.byteCount(parameters: parameters, count: rows)
        guard bytes.count >= size else { throw .truncated(expected: size, found: bytes.count) }
        let measured = Float(bitPattern: word(size - Self.trailerBytes))
        // What is no deviation bounds nothing: everything is then rescored.
        deviation = measured >= 0 ? measured : .infinity
        seed = long(32)
        count = rows
        base = (start + head).assumingMemoryBound(to: UInt8.self)
        self.owner = owner
    }
}

extension ScanCodes: CodeFamily {
    /// Writes the byte form of `rows` piece by piece. Works on up to `threads` threads. Deterministic.
    ///
    /// - Parameter measuresError: measure ``deviation``; else it is written as 0.
    package static func encode(
        rows: DenseRows, parameters: ScanParameters, threads: Int, measuresError: Bool = true,
        write: (UnsafeRawBufferPointer) throws -> Void
    ) throws {
        var header = [UInt32](repeating: 0, count: headerBytes / 4)
        header[0] = UInt32(truncatingIfNeeded: magic)
        header[1] = UInt32(truncatingIfNeeded: magic >> 32)
        header[2] = version
        header[3] = parameters.distance.formatCode
        header[4] = UInt32(truncatingIfNeeded: parameters.dimension)
        header[5] = UInt32(truncatingIfNeeded: parameters.lines)
        header[6] = UInt32(truncatingIfNeeded: rows.count)
        header[7] = UInt32(truncatingIfNeeded: rows.count >> 32)
        header[8] = UInt32(truncatingIfNeeded: PackedParameters.seed)
        header[9] = UInt32(truncatingIfNeeded: PackedParameters.seed >> 32)
        try writeWords(header, write)
        try writeWords(parameters.center.map(\.bitPattern), write)
        try pad(parameters.dimension * 4, write)
        let bytes = parameters.blockBytes
        try writeBlocks(count: blocks(rows.count), stride: bytes, threads: threads, write) { range, out in
            for block in range {
                encode(rows, block, parameters, into: out + (block - range.lowerBound) * bytes)
            }
        }
        var trailer = [UInt32](repeating: 0, count: trailerBytes / 4)
        if measuresError { trailer[0] = try measuredDeviation(rows, parameters.distance, parameters).bitPattern }
        try writeWords(trailer, write)
    }

    /// Encodes into memory of its own.
    package static func make(rows: DenseRows, distance: Distance, threads: Int = 1) throws -> ScanCodes {
        let parameters = ScanParameters.train(rows: rows, distance: distance)
        return try encoded(rows: rows, parameters: parameters, threads: threads, measuresError: true)
    }

    /// Encodes one block; room behind the last row is zeros.
    private static func encode(
        _ rows: DenseRows, _ block: Int, _ parameters: ScanParameters, into out: UnsafeMutablePointer<UInt8>
    ) {
        let n = parameters.dimension
        out.update(repeating: 0, count: parameters.blockBytes)
        let numbers = UnsafeMutableRawPointer(out + parameters.lines * blockRows)
        withUnsafeTemporaryAllocation(of: Float.self, capacity: n) { buffer in
            guard let turned = buffer.baseAddress else { return }
            rows.withBuffer { floats in
                for place in 0..<min(blockRows, rows.count - block * blockRows) {
                    let row = rows.floats(UInt32(truncatingIfNeeded: block * blockRows + place), floats)
                    let addend: Float = parameters.center.withUnsafeBufferPointer { center in
                        guard let center = center.baseAddress else { return 0 }
                        for i in 0..<n { turned[i] = row[i] - center[i] }
                        return parameters.distance == .euclid ? 0 - ok_norm2(turned, n) : ok_dot(turned, center, n)
                    }
                    ok_rotate(turned, n, PackedParameters.seed)
                    // Codes are -1/2 and 1/2.
                    var factor = ok_norm2(turned, n) / (ok_scan_encode(turned, n, place, out) / 2)
                    if !factor.isFinite { factor = 0 }
                    if parameters.distance == .euclid { factor *= 2 }
                    numbers.storeBytes(of: factor.bitPattern.littleEndian, toByteOffset: place * 4, as: UInt32.self)
                    numbers.storeBytes(
                        of: addend.bitPattern.littleEndian, toByteOffset: (blockRows + place) * 4, as: UInt32.self)
                }
            }
        }
    }

    func scorer(_ query: UnsafePointer<Float>, _ scratch: SearchScratch) -> ScanScorer {
        self.query(query, scratch).scorer
    }

    /// Makes a query's tables in the scratch. `query` holds `dimension` floats. The bound is by ``deviation``.
    func query(_ query: UnsafePointer<Float>, _ scratch: SearchScratch) -> (scorer: ScanScorer, bound: ScoreBound) {
        let n = parameters.dimension
        let tables = parameters.lines * Int(OK_SCAN_TABLE)
        scratch.reserveQuery(tables + 4 * n)
        var form = ok_scan_query(constant: 0, offset: 0, step: 0)
        // Behind the tables there is room for the turned query.
        (scratch.query + tables).withMemoryRebound(to: Float.self, capacity: n) { turned in
            parameters.center.withUnsafeBufferPointer { center in
                guard let center = center.baseAddress else { return }
                for i in 0..<n { turned[i] = query[i] - center[i] }
                form.constant = parameters.distance == .euclid ? 0 - ok_norm2(turned, n) : ok_dot(query, center, n)
            }
            ok_rotate(turned, n, seed)
            ok_scan_tables(turned, n, scratch.query, &form.offset, &form.step)
        }
        let scorer = ScanScorer(
            base: base, lines: parameters.lines, blockBytes: parameters.blockBytes, tables: scratch.query, query: form)
        let product = parameters.distance != .euclid
        let length = product ? ok_norm2(query, n).squareRoot() : 1
        let slack = ScoreBound.deviations * deviation * length
        return (scorer, ScoreBound(distance: parameters.distance, slack: slack))
    }

    /// Writes the components of a row as its code gives them back: `dimension` floats.
    package func decode(_ row: UInt32, into out: UnsafeMutablePointer<Float>) {
        let n = parameters.dimension
        let (block, place) = (Int(row) / Self.blockRows, Int(row) % Self.blockRows)
        let start = base + block &* parameters.blockBytes
        let numbers = UnsafeRawPointer(start + parameters.lines &* Self.blockRows)
        let factor = Float(bitPattern: UInt32(littleEndian: numbers.load(fromByteOffset: 4 &* place, as: UInt32.self)))
        ok_scan_decode(start, place, n, out)
        // Of the estimate that has no bias, the part along the row: the squared cosine between a row and its signs.
        let scale: Float = 0.6366 * (parameters.distance == .euclid ? factor / 2 : factor)
        for i in 0..<n { out[i] *= scale }
        ok_unrotate(out, n, seed)
        for i in 0..<n { out[i] += parameters.center[i] }
    }
}

/// Scores scan codes. `tables` are in scratch memory of the caller's.
struct ScanScorer: RowScorer {
    let base: UnsafePointer<UInt8>
    let lines: Int
    let blockBytes: Int
    let tables: UnsafePointer<UInt8>
    let query: ok_scan_query

    /// Blocks hold 64 rows, each a part of every line: bytes of a row come nowhere one after another.
    var place: (base: UnsafeRawPointer, stride: Int) { (UnsafeRawPointer(base), blockBytes / ScanCodes.blockRows) }

    func score(_ ids: UnsafePointer<UInt32>, _ count: Int, _ out: UnsafeMutablePointer<Float>) {
        ok_scan_rows(tables, query, base, lines, ids, count, out)
    }

    @inline(__always)
    func scoreRun(_ start: Int, _ count: Int, _ out: UnsafeMutablePointer<Float>) {
        var (start, left, out) = (start, count, out)
        let rows = ScanCodes.blockRows
        let (whole, within) = (left / rows, start % rows)
        if within == 0, whole > 0 {
            ok_scan(tables, query, base + start / rows &* blockBytes, lines, whole, out)
            start &+= whole &* rows
            left &-= whole &* rows
            out += whole &* rows
        }
        guard left > 0 else { return }
        withUnsafeTemporaryAllocation(of: Float.self, capacity: rows) { buffer in
            guard let scores = buffer.baseAddress else { return }
            while left > 0 {
                let first = start % rows
                let taken = min(left, rows &- first)
                ok_scan(tables, query, base + start / rows &* blockBytes, lines, 1, scores)
                out.update(from: scores + first, count: taken)
                start &+= taken
                left &-= taken
                out += taken
            }
        }
    }

    /// Rows are compared with queries only.
    mutating func load(_ row: UInt32) {}

    @inline(__always)
    func prefetch(_ row: UInt32) {}
}
