/// Checks a block file whose bytes pass by once, front to back: what a copy needs on its way.
///
/// Every byte of the file is compared with something: header and footer with the file checksum that the manifest repeats,
/// each block of data with its checksum in the footer. Lengths are checked before anything is kept.
package struct BlockFileCheck {
    private let path: String
    private let expected: FileSummary
    private let uuid: UUIDBytes
    private var position = 0
    private var head: [UInt8] = []
    private var foot: [UInt8] = []
    private var table = ByteWriter()
    private var blockCRC: UInt32 = 0
    private var blockFill = 0
    /// Where the footer begins; known with the header.
    private var dataEnd = Int.max

    /// A check of the file that the manifest describes so; `path` begins the error messages.
    package init(path: String, expected: FileSummary, uuid: UUIDBytes) {
        self.path = path
        self.expected = expected
        self.uuid = uuid
    }

    /// Takes the next bytes of the file. Throws `corrupt` as soon as they cannot be the file's.
    package mutating func take(_ bytes: UnsafeRawBufferPointer) throws(StorageError) {
        var rest = bytes
        guard UInt64(position) + UInt64(rest.count) <= expected.size else {
            throw .corrupt(path, offset: position, "longer than \(expected.size) bytes")
        }
        while !rest.isEmpty {
            let count: Int
            if position < BlockFileHeader.size {
                count = min(rest.count, BlockFileHeader.size - position)
                head.append(contentsOf: rest[..<count])
                if head.count == BlockFileHeader.size { try readHeader() }
            } else if position < dataEnd {
                count = min(rest.count, dataEnd - position, BlockFileHeader.blockSize - blockFill)
                blockCRC = CRC32C.extend(blockCRC, UnsafeRawBufferPointer(rebasing: rest[..<count]))
                blockFill += count
                if blockFill == BlockFileHeader.blockSize || position + count == dataEnd { closeBlock() }
            } else {
                count = rest.count
                foot.append(contentsOf: rest)
            }
            position += count
            rest = UnsafeRawBufferPointer(rebasing: rest[count...])
        }
    }

    /// Compares what was found with the footer, at the end of the file.
    package func finish() throws(StorageError) {
        guard UInt64(position) == expected.size, foot.count == table.count + BlockFileHeader.trailerSize else {
            throw .corrupt(path, offset: position, "ends before its \(expected.size) bytes")
        }
        guard foot.starts(with: table.bytes) else { throw .corrupt(path, offset: dataEnd, "damaged block") }
        let trailer = try ByteReader.reading(Array(foot[table.count...]), name: path) { (reader) throws(StorageError) in
            Trailer(
                length: try reader.u64(), blocks: try reader.u32(), footer: try reader.u32(), crc: try reader.u32(),
                zero: try reader.u32(), magic: Array(try reader.raw(8)))
        }
        let crc = CRC32C.extend(CRC32C.extend(0, head), Array(foot[..<(table.count + 16)]))
        guard trailer.length == UInt64(dataEnd - BlockFileHeader.size), Int(trailer.blocks) == table.count / 4,
            Int(trailer.footer) == foot.count, trailer.zero == 0, trailer.magic == BlockFileHeader.endMagic,
            trailer.crc == crc, crc == expected.crc
        else { throw .corrupt(path, offset: dataEnd + table.count, "wrong footer") }
    }

    private struct Trailer {
        var length: UInt64
        var blocks: UInt32
        var footer: UInt32
        var crc: UInt32
        var zero: UInt32
        var magic: [UInt8]
    }

    private mutating func readHeader() throws(StorageError) {
        let header = try head.withRawBytes { (raw) throws(StorageError) in
            try BlockFileHeader.decode(raw, path: path)
        }
        guard header.uuid == uuid else { throw .corrupt(path, offset: 16, "the file belongs elsewhere") }
        let size = UInt64(BlockFileHeader.size + BlockFileHeader.trailerSize)
        guard expected.size < 1 << 62, header.dataLength <= expected.size,
            size + header.dataLength + Self.blockCount(header.dataLength) * 4 == expected.size,
            let length = Int(exactly: header.dataLength)
        else { throw .corrupt(path, offset: 40, "lengths do not fit the file") }
        dataEnd = BlockFileHeader.size + length
    }

    private static func blockCount(_ length: UInt64) -> UInt64 {
        length / UInt64(BlockFileHeader.blockSize) + (length % UInt64(BlockFileHeader.blockSize) == 0 ? 0 : 1)
    }

    private mutating func closeBlock() {
        table.u32(blockCRC)
        blockCRC = 0
        blockFill = 0
    }
}
