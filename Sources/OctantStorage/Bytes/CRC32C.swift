import COctantKernels

/// CRC-32C (Castagnoli), by the processor's instruction where there is one.
package enum CRC32C {
    /// The checksum of what `crc` covers followed by `bytes`; start with 0.
    package static func extend(_ crc: UInt32, _ bytes: UnsafeRawBufferPointer) -> UInt32 {
        guard let base = bytes.baseAddress else { return crc }
        return octant_crc32c(crc, base, bytes.count)
    }

    /// The checksum of `bytes`, continuing from `crc`.
    package static func extend(_ crc: UInt32, _ bytes: [UInt8]) -> UInt32 {
        bytes.withUnsafeBytes { extend(crc, $0) }
    }

    /// The checksum of what `crc` covers followed by the eight little-endian bytes of `value`.
    static func extend(_ crc: UInt32, _ value: UInt64) -> UInt32 {
        withUnsafeBytes(of: value.littleEndian) { extend(crc, $0) }
    }
}
