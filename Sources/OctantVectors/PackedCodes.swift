import COctantKernels
import OctantModel

/// Rows in one to eight bits a component, over borrowed memory (a mapped file or a ``HugeRegion``) that `owner` keeps:
/// the codes of binary and turbo quantisation.
///
/// A row x is encoded as its difference r from the common centre. But for Manhattan r is turned by a random rotation and
/// scaled to components of variance 1, which are quantised to the levels that have the least squared error for the normal
/// distribution (Lloyd 1982, Max 1960). With c the levels, <r, q> is estimated by |r|² / <r, c> * <c, q>, which is exact
/// along r and has no bias over rotations (Gao and Long 2024, "RaBitQ", section 3.2). Byte layout:
/// docs/format/packed-codes.md.
package struct PackedCodes: @unchecked Sendable {
    // SAFETY: the memory is read only, and `owner` keeps it for as long as a value lives.

    package let parameters: PackedParameters
    /// Number of rows.
    package let count: Int
    /// Standard deviation of the error of scores, see ``ScoreDeviation``.
    package let deviation: Float

    let seed: UInt64
    let base: UnsafePointer<UInt8>
    private let owner: AnyObject

    static let magic: UInt64 = 0x314b_4341_5054_434f  // "OCTPACK1"
    static let version: UInt32 = 1
    static let headerBytes = 64
    static let trailerBytes = 64

    private static func lines(_ bytes: Int) -> Int { (bytes + 63) / 64 * 64 }

    /// Bytes of the whole form for so many rows.
    package static func byteCount(parameters: PackedParameters, count: Int) -> Int {
        headerBytes + lines(parameters.dimension * 4) + lines(count * parameters.shape.stride) + trailerBytes
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
        guard dimension >= 1, dimension <= 65536 else { throw .inconsistent("dimension") }
        guard let rows = Int(exactly: long(24)), rows < 1 << 31 else { throw .inconsistent("row count") }
        let flags = word(36)
        guard flags < 4,
            let width = PackedWidth(bits: Int(word(20)), expanded: flags & 1 != 0, binaryQuery: flags & 2 != 0)
        else { throw .inconsistent("width") }
        let steps = Float(bitPattern: word(56))
        let head = Self.headerBytes + Self.lines(dimension * 4)
        guard bytes.count >= head else { throw .truncated(expected: head, found: bytes.count) }
        let center = (0..<dimension).map { Float(bitPattern: word(Self.headerBytes + $0 * 4)) }
        parameters = PackedParameters(distance: distance, width: width, center: center, steps: steps)
        guard parameters.shape.width == width, parameters.shape.steps == steps, parameters.center == center else {
            throw .inconsistent("parameters")
        }
        guard Int(word(32)) == parameters.shape.components, Int(word(40)) == parameters.shape.codeBytes,
            Int(word(44)) == parameters.shape.stride
        else { throw .inconsistent("stride") }
        // Cannot overflow: 2^31 rows of less than 2^17 bytes.
        let size = Self.byteCount(parameters: parameters, count: rows)
        guard bytes.count >= size else { throw .truncated(expected: size, found: bytes.count) }
        let measured = Float(bitPattern: word(size - Self.trailerBytes))
        // What is no deviation bounds nothing: everything is then rescored.
        deviation = measured >= 0 ? measured : .infinity
        seed = long(48)
        count = rows
        base = (start + head).assumingMemoryBound(to: UInt8.self)
        self.owner = owner
    }

    /// Codes of `count` rows at `base`, and behind them 64 bytes that kernels may read; `owner` keeps them.
    init(
        parameters: PackedParameters, count: Int, deviation: Float, seed: UInt64, base: UnsafePointer<UInt8>,
        owner: AnyObject
    ) {
        self.parameters = parameters
        self.count = count
        self.deviation = deviation >= 0 ? deviation : .infinity
        self.seed = seed
        self.base = base
        self.owner = owner
    }

    /// Writes the components of a row as its codes give them back: `dimension` floats.
    package func decode(_ row: UInt32, into out: UnsafeMutablePointer<Float>) {
        let n = parameters.dimension
        let m = parameters.shape.components
        let bits = parameters.shape.width.bits
        let codes = base + Int(row) &* parameters.shape.stride
        withUnsafeTemporaryAllocation(of: Int8.self, capacity: m) { levels in
            withUnsafeTemporaryAllocation(of: Float.self, capacity: m) { turned in
                guard let levels = levels.baseAddress, let turned = turned.baseAddress else { return }
                _ = ok_unpack(codes, m, Int32(bits), parameters.shape.codeBytes, levels)
                let unit: Float = bits == 8 ? 1 : 0.5
                let scale: Float
                if parameters.shape.isRotated {
                    let factor = PackedRow(codes + parameters.shape.codeBytes).factor
                    scale = unit * parameters.shape.shrinkage * (parameters.distance == .euclid ? factor / 2 : factor)
                } else {
                    let levels = ok_packed_levels(1)
                    scale = (bits == 1 ? Float(levels?[1] ?? 0) - 63.5 : unit) / parameters.shape.steps
                }
                for i in 0..<m { turned[i] = Float(levels[i]) * scale }
                if parameters.shape.isRotated { ok_unrotate(turned, m, seed) }
                for i in 0..<n { out[i] = parameters.center[i] + turned[i] }
            }
        }
    }
}

extension PackedShape {
    /// The estimate that has no bias is longer than the one nearest to the row, by this factor: the squared cosine of the
    /// angle between normally distributed components and their levels. With 1.5 bits the part of the error outside of the
    /// vector's own space is cut off.
    var shrinkage: Float {
        switch width.bits {
        case 1: width.isExpanded ? 0.7243 : 0.6366
        case 2: 0.8825
        case 4: 0.9905
        default: 1
        }
    }
}

/// What a row holds behind its codes.
struct PackedRow {
    /// <r, q> is about `factor` times <c, q>; for Euclid half of that.
    let factor: Float
    /// Dot and cosine: <r, centre>. Euclid: minus the squared length of r.
    let addend: Float

    @inline(__always)
    init(_ place: UnsafePointer<UInt8>) {
        let place = UnsafeRawPointer(place)
        factor = Float(bitPattern: UInt32(littleEndian: place.load(as: UInt32.self)))
        addend = Float(bitPattern: UInt32(littleEndian: place.load(fromByteOffset: 4, as: UInt32.self)))
    }
}
