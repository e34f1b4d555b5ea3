import COctantKernels
import OctantModel

/// Product-quantised rows over borrowed memory (a mapped file or a ``HugeRegion``) that `owner` keeps.
///
/// Byte layout: docs/format/product-codes.md.
package struct ProductCodes: CodeFamily, @unchecked Sendable {
    // SAFETY: the memory is read only, and `owner` keeps it for as long as a value lives.

    package let shape: ProductShape
    /// Number of rows.
    package let count: Int
    /// Root mean square of the error of scores, see ``ScoreDeviation``; 0 if it was not measured.
    package let deviation: Float

    let book: ProductBook
    let base: UnsafePointer<UInt8>
    private let owner: AnyObject

    static let magic: UInt64 = 0x3144_4f52_5054_434f  // "OCTPROD1"
    static let version: UInt32 = 1
    static let headerBytes = 64

    /// Bytes of the whole form for so many rows.
    package static func byteCount(shape: ProductShape, count: Int) -> Int {
        headerBytes + bookBytes(shape) + (count * shape.stride + 63) / 64 * 64
    }

    package static func byteCount(parameters: ProductParameters, count: Int) -> Int {
        byteCount(shape: parameters.shape, count: count)
    }

    private static func bookBytes(_ shape: ProductShape) -> Int { (shape.bookCount * 4 + 63) / 64 * 64 }

    /// Reads the byte form. Every length is checked; damaged content gives wrong scores at worst.
    package init(bytes: UnsafeRawBufferPointer, owner: AnyObject) throws(VectorFormatError) {
        guard let start = bytes.baseAddress, bytes.count >= Self.headerBytes else {
            throw .truncated(expected: Self.headerBytes, found: bytes.count)
        }
        guard Int(bitPattern: start) % 4 == 0 else { throw .inconsistent("not aligned to 4 bytes") }
        func word(_ offset: Int) -> UInt32 { UInt32(littleEndian: bytes.load(fromByteOffset: offset, as: UInt32.self)) }
        guard UInt64(word(0)) | UInt64(word(4)) << 32 == Self.magic else { throw .badMagic }
        guard word(8) == Self.version else { throw .unsupportedVersion(word(8)) }
        guard let distance = Distance(formatCode: word(12)) else { throw .inconsistent("distance") }
        guard let shape = ProductShape(distance: distance, dimension: Int(word(16)), width: Int(word(20))) else {
            throw .inconsistent("dimension or width")
        }
        guard let rows = Int(exactly: UInt64(word(24)) | UInt64(word(28)) << 32), rows < 1 << 31 else {
            throw .inconsistent("row count")
        }
        // Cannot overflow: 2^31 rows of 2^16 bytes.
        let size = Self.byteCount(shape: shape, count: rows)
        guard bytes.count >= size else { throw .truncated(expected: size, found: bytes.count) }
        let deviation = Float(bitPattern: word(32))
        // A deviation that is none of a number bounds nothing: everything is then rescored.
        self.deviation = deviation >= 0 ? deviation : .infinity
        self.shape = shape
        count = rows
        let values = (start + Self.headerBytes).assumingMemoryBound(to: Float.self)
        book = ProductBook(shape: shape, values: values)
        base = (start + Self.headerBytes + Self.bookBytes(shape)).assumingMemoryBound(to: UInt8.self)
        self.owner = owner
    }

    /// Writes the byte form of `rows` piece by piece. Works on up to `threads` threads. Deterministic on processors
    /// with the same instructions.
    package static func encode(
        rows: DenseRows, parameters: ProductParameters, threads: Int, measuresError: Bool = true,
        write: (UnsafeRawBufferPointer) throws -> Void
    ) throws {
        let shape = parameters.shape
        var header = [UInt32](repeating: 0, count: headerBytes / 4)
        header[0] = UInt32(truncatingIfNeeded: magic)
        header[1] = UInt32(truncatingIfNeeded: magic >> 32)
        header[2] = version
        header[3] = shape.distance.formatCode
        header[4] = UInt32(truncatingIfNeeded: shape.dimension)
        header[5] = UInt32(truncatingIfNeeded: shape.width)
        header[6] = UInt32(truncatingIfNeeded: rows.count)
        header[7] = UInt32(truncatingIfNeeded: rows.count >> 32)
        header[8] = (measuresError ? try measuredDeviation(rows, parameters.shape.distance, parameters) : 0).bitPattern
        try writeWords(header, write)
        try writeWords(parameters.values.map(\.bitPattern), write)
        try pad(shape.bookCount * 4, write)

        let stride = shape.stride
        try writeBlocks(count: rows.count, stride: stride, threads: threads, write) { range, out in
            parameters.values.withUnsafeBufferPointer { values in
                guard let values = values.baseAddress else { return }
                ProductBook(shape: shape, values: values).encode(
                    rows, from: range.lowerBound, to: range.upperBound, out)
            }
        }
        try pad(rows.count * stride, write)
    }

    /// Encodes into memory of its own.
    package static func make(
        rows: DenseRows, parameters: ProductParameters, threads: Int = 1, measuresError: Bool = true
    ) throws -> ProductCodes {
        try encoded(rows: rows, parameters: parameters, threads: threads, measuresError: measuresError)
    }

    /// The reconstruction of a row: `dimension` floats. `row` must be below `count`.
    package func decode(_ row: UInt32, into out: UnsafeMutablePointer<Float>) {
        book.decode(base + Int(row) * shape.stride, out)
    }
}
