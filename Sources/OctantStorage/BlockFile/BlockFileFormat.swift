/// Four ASCII characters that say what a block file holds.
package struct BlockFileType: Sendable, Hashable, ExpressibleByStringLiteral, CustomStringConvertible {
    let code: UInt32

    /// Uses the first four characters, padded with spaces.
    package init(_ text: String) {
        let bytes = Array(text.utf8.prefix(4)) + [UInt8](repeating: 0x20, count: max(0, 4 - text.utf8.count))
        code = bytes.reversed().reduce(0) { $0 << 8 | UInt32($1) }
    }

    /// Uses the first four characters, padded with spaces.
    package init(stringLiteral text: String) { self.init(text) }

    package var description: String {
        String(decoding: (0..<4).map { UInt8(truncatingIfNeeded: code >> (8 * UInt32($0))) }, as: UTF8.self)
    }
}

/// What a manifest repeats of a block file. The checksum covers header and block table, and so binds every byte.
package struct FileSummary: Sendable, Hashable {
    /// The name without the folder.
    package var name: String
    /// Length in bytes.
    package var size: UInt64
    /// The file checksum.
    package var crc: UInt32

    /// The three of them.
    package init(name: String, size: UInt64, crc: UInt32) {
        self.name = name
        self.size = size
        self.crc = crc
    }

    /// Appends name, size and checksum.
    package func encode(_ writer: inout ByteWriter) {
        writer.string(name)
        writer.u64(size)
        writer.u32(crc)
    }

    /// Reads what `encode` wrote.
    package static func decode(_ reader: inout ByteReader) throws(StorageError) -> FileSummary {
        FileSummary(name: try reader.string(), size: try reader.u64(), crc: try reader.u32())
    }
}

/// Layout of a block file.
///
///     0     header, 4096 bytes: magic "OCTANTBF", version u16, flags u16, type (4 characters), UUID, rows u64,
///           data length u64, block size u32, zeros, CRC-32C of bytes 0–4091 at 4092
///     4096  data
///     then  table: CRC-32C of each 64 KiB block of data, u32 each
///     then  trailer, 32 bytes: data length u64, block count u32, footer length u32 (table and trailer),
///           file CRC u32 (header, table and the 16 trailer bytes before), zero u32, magic "OCTANTFE"
struct BlockFileHeader: Equatable {
    var type: BlockFileType
    var uuid: UUIDBytes
    var rows: UInt64
    var dataLength: UInt64

    static let size = 4096
    static let trailerSize = 32
    static let blockSize = 64 << 10
    static let version: UInt16 = 1
    static let magic = Array("OCTANTBF".utf8)
    static let endMagic = Array("OCTANTFE".utf8)

    func encoded() -> [UInt8] {
        var writer = ByteWriter(capacity: BlockFileHeader.size)
        writer.raw(BlockFileHeader.magic)
        writer.u16(BlockFileHeader.version)
        writer.u16(0)
        writer.u32(type.code)
        writer.uuid(uuid)
        writer.u64(rows)
        writer.u64(dataLength)
        writer.u32(UInt32(BlockFileHeader.blockSize))
        writer.raw([UInt8](repeating: 0, count: BlockFileHeader.size - 4 - writer.count))
        writer.u32(CRC32C.extend(0, writer.bytes))
        return writer.bytes
    }

    static func decode(_ bytes: UnsafeRawBufferPointer, path: String) throws(StorageError) -> BlockFileHeader {
        var reader = ByteReader(bytes, name: path)
        var whole = try reader.slice(size)
        guard try whole.raw(8).elementsEqual(magic) else { throw .corrupt(path, offset: 0, "wrong magic") }
        let version = try whole.u16()
        let flags = try whole.u16()
        let type = BlockFileType(code: try whole.u32())
        let uuid = try whole.uuid()
        let rows = try whole.u64()
        let length = try whole.u64()
        let blockSize = try whole.u32()
        try whole.skip(whole.remaining - 4)
        let covered = UnsafeRawBufferPointer(rebasing: bytes[..<(size - 4)])
        guard try whole.u32() == CRC32C.extend(0, covered) else {
            throw .corrupt(path, offset: size - 4, "wrong header checksum")
        }
        guard version <= BlockFileHeader.version, flags == 0, blockSize == BlockFileHeader.blockSize else {
            throw StorageError(.incompatible, "\(path): written by a newer version (\(version), flags \(flags))")
        }
        return BlockFileHeader(type: type, uuid: uuid, rows: rows, dataLength: length)
    }
}

extension BlockFileType {
    init(code: UInt32) { self.code = code }
}
