package import OctantModel

/// The codes of a segment's vector, of whichever family.
package enum VectorCodes: Sendable {
    case int8(Int8Codes)
    case product(ProductCodes)
    case packed(PackedCodes)
    case scan(ScanCodes)

    /// Reads the byte form of whichever family it is.
    package init(bytes: UnsafeRawBufferPointer, owner: AnyObject) throws(VectorFormatError) {
        guard bytes.count >= 8 else { throw .truncated(expected: 8, found: bytes.count) }
        switch UInt64(littleEndian: bytes.loadUnaligned(as: UInt64.self)) {
        case Int8Codes.magic: self = .int8(try Int8Codes(bytes: bytes, owner: owner))
        case ProductCodes.magic: self = .product(try ProductCodes(bytes: bytes, owner: owner))
        case PackedCodes.magic: self = .packed(try PackedCodes(bytes: bytes, owner: owner))
        case ScanCodes.magic: self = .scan(try ScanCodes(bytes: bytes, owner: owner))
        default: throw .badMagic
        }
    }

    /// Number of rows.
    package var count: Int {
        switch self {
        case .int8(let codes): codes.count
        case .product(let codes): codes.count
        case .packed(let codes): codes.count
        case .scan(let codes): codes.count
        }
    }

    /// Components of a row.
    package var dimension: Int {
        switch self {
        case .int8(let codes): codes.parameters.dimension
        case .product(let codes): codes.shape.dimension
        case .packed(let codes): codes.parameters.dimension
        case .scan(let codes): codes.parameters.dimension
        }
    }

    /// How rows are compared.
    package var distance: Distance {
        switch self {
        case .int8(let codes): codes.parameters.distance
        case .product(let codes): codes.shape.distance
        case .packed(let codes): codes.parameters.distance
        case .scan(let codes): codes.parameters.distance
        }
    }
}
