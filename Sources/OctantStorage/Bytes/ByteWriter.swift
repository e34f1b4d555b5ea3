/// Builds a little-endian byte string.
package struct ByteWriter: Sendable {
    /// What was written so far.
    package private(set) var bytes: [UInt8] = []

    /// An empty writer with room for `capacity` bytes.
    package init(capacity: Int = 0) {
        if capacity > 0 { bytes.reserveCapacity(capacity) }
    }

    /// The number of bytes written.
    package var count: Int { bytes.count }

    /// One byte.
    package mutating func u8(_ value: UInt8) { bytes.append(value) }
    /// Two bytes.
    package mutating func u16(_ value: UInt16) { fixed(value) }
    /// Four bytes.
    package mutating func u32(_ value: UInt32) { fixed(value) }
    /// Eight bytes.
    package mutating func u64(_ value: UInt64) { fixed(value) }
    /// Eight bytes, two's complement.
    package mutating func i64(_ value: Int64) { fixed(UInt64(bitPattern: value)) }
    /// IEEE 754 single.
    package mutating func f32(_ value: Float) { fixed(value.bitPattern) }
    /// IEEE 754 double.
    package mutating func f64(_ value: Double) { fixed(value.bitPattern) }

    /// LEB128: seven bits a byte, low bits first, at most ten bytes.
    package mutating func varint(_ value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(truncatingIfNeeded: rest))
    }

    /// The sixteen bytes of a UUID.
    package mutating func uuid(_ value: UUIDBytes) { bytes.append(contentsOf: value.bytes) }

    /// Bytes as they are, without a length.
    package mutating func raw(_ value: some Sequence<UInt8>) { bytes.append(contentsOf: value) }
    /// Bytes as they are, without a length.
    package mutating func raw(_ value: UnsafeRawBufferPointer) { bytes.append(contentsOf: value) }

    /// A varint length and the bytes.
    package mutating func bytes(_ value: [UInt8]) {
        varint(UInt64(value.count))
        bytes.append(contentsOf: value)
    }

    /// A varint length and the bytes.
    package mutating func bytes(_ value: UnsafeRawBufferPointer) {
        varint(UInt64(value.count))
        bytes.append(contentsOf: value)
    }

    /// A varint length and the UTF-8.
    package mutating func string(_ value: String) {
        var copy = value
        copy.withUTF8 { bytes(UnsafeRawBufferPointer($0)) }
    }

    /// Zeros until the length is a multiple of `alignment`.
    package mutating func pad(to alignment: Int) {
        guard alignment > 1 else { return }
        while bytes.count % alignment != 0 { bytes.append(0) }
    }

    private mutating func fixed(_ value: some FixedWidthInteger) {
        withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) }
    }
}
