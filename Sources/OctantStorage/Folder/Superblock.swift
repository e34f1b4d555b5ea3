/// The identity of a data folder and the format it is written in.
///
///     0  magic "OCTANTSB"      8  major u16    10 minor u16
///     12 compatible u32        16 read-only-compatible u32    20 incompatible u32
///     24 instance UUID         40 generation u64              48 zero              60 CRC-32C of bytes 0–59
package struct Superblock: Sendable, Equatable {
    /// Format of the folder; a newer major is refused.
    package var major: UInt16 = Superblock.currentMajor
    /// Informative.
    package var minor: UInt16 = Superblock.currentMinor
    /// Features an older reader may ignore.
    package var compatible: UInt32 = 0
    /// Features an older reader may ignore as long as it does not write.
    package var readOnlyCompatible: UInt32 = 0
    /// Features a reader has to know.
    package var incompatible: UInt32 = 0
    /// Names this folder for ever.
    package var instance: UUIDBytes
    /// Rises with every write of a superblock.
    package var generation: UInt64

    /// The format this code writes.
    package static let currentMajor: UInt16 = 1
    /// The minor format this code writes.
    package static let currentMinor: UInt16 = 0
    /// Feature flags this code knows.
    static let knownReadOnlyCompatible: UInt32 = 0
    static let knownIncompatible: UInt32 = 0

    static let size = 64
    static let magic = Array("OCTANTSB".utf8)

    /// The 64 bytes of a slot.
    func encoded() -> [UInt8] {
        var writer = ByteWriter(capacity: Superblock.size)
        writer.raw(Superblock.magic)
        writer.u16(major)
        writer.u16(minor)
        writer.u32(compatible)
        writer.u32(readOnlyCompatible)
        writer.u32(incompatible)
        writer.uuid(instance)
        writer.u64(generation)
        writer.raw([UInt8](repeating: 0, count: 12))
        writer.u32(CRC32C.extend(0, writer.bytes))
        return writer.bytes
    }

    /// Reads a slot; the checksum is checked before anything else is believed.
    static func decode(_ bytes: [UInt8], path: String) throws(StorageError) -> Superblock {
        guard bytes.count >= size else { throw .corrupt(path, offset: bytes.count, "file too short") }
        return try ByteReader.reading(Array(bytes[..<size]), name: path) { (reader) throws(StorageError) in
            guard try reader.raw(8).elementsEqual(magic) else { throw .corrupt(path, offset: 0, "wrong magic") }
            var block = Superblock(instance: .zero, generation: 0)
            block.major = try reader.u16()
            block.minor = try reader.u16()
            block.compatible = try reader.u32()
            block.readOnlyCompatible = try reader.u32()
            block.incompatible = try reader.u32()
            block.instance = try reader.uuid()
            block.generation = try reader.u64()
            try reader.skip(12)
            guard try reader.u32() == CRC32C.extend(0, Array(bytes[..<60])) else {
                throw .corrupt(path, offset: 60, "wrong checksum")
            }
            return block
        }
    }
}
