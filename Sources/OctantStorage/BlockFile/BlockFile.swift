/// A finished block file, mapped read-only. The mapping ends with the last reference.
///
/// Opening checks the size, the header and the footer, which bind the block checksums; the data itself is checked
/// by `verify`.
package final class BlockFile: Sendable {
    /// Where it is.
    package let path: String
    /// What it holds.
    package let type: BlockFileType
    /// The segment it belongs to.
    package let uuid: UUIDBytes
    /// The row count its writer stated.
    package let rows: UInt64
    /// Size and checksum, as a manifest repeats them.
    package let summary: FileSummary

    let region: MappedRegion
    let dataLength: Int
    let fileSystem: any FileSystem

    /// Opens `path`. `.notFound`, `.corrupt` (also when it is another file than `expected`) or `.incompatible`.
    package init(
        path: String, type: BlockFileType, expected: FileSummary? = nil, uuid: UUIDBytes? = nil,
        fileSystem: any FileSystem
    ) throws(StorageError) {
        let file = try fileSystem.open(path, .read)
        defer { file.close() }
        let size = try file.size()
        if let expected, UInt64(size) != expected.size {
            throw StorageError(.corrupt, "\(path): \(size) bytes long, the manifest says \(expected.size)")
        }
        guard size >= BlockFileHeader.size + BlockFileHeader.trailerSize else {
            throw .corrupt(path, offset: size, "file too short")
        }
        let region = try file.map(length: size)
        let header = try BlockFileHeader.decode(region.bytes, path: path)
        let crc = try BlockFile.checkFooter(region.bytes, header, path: path)
        guard header.type == type else {
            throw .corrupt(path, offset: 12, "the file holds \(header.type), not \(type)")
        }
        if let uuid, uuid != header.uuid {
            throw .corrupt(path, offset: 16, "the file belongs to segment \(header.uuid)")
        }
        if let expected, expected.crc != crc {
            throw .corrupt(path, offset: size - 16, "the file checksum is not the manifest's")
        }
        self.path = path
        self.type = type
        self.uuid = header.uuid
        rows = header.rows
        summary = FileSummary(name: lastPathComponent(path), size: UInt64(size), crc: crc)
        self.region = region
        self.fileSystem = fileSystem
        // Exact: checkFooter found the length inside the file.
        dataLength = Int(header.dataLength)
    }

    /// The data, beginning on a page; valid as long as this object.
    package var data: UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(
            rebasing: region.bytes[BlockFileHeader.size..<(BlockFileHeader.size + dataLength)])
    }

    /// Checks every block. Throws `.corrupt` with file and offset.
    package func verify() throws(StorageError) { try verify(0..<dataLength) }

    /// Checks the blocks that hold `range` of the data.
    package func verify(_ range: Range<Int>) throws(StorageError) {
        let range = range.clamped(to: 0..<dataLength)
        guard !range.isEmpty else { return }
        let data = self.data
        let size = BlockFileHeader.blockSize
        for block in (range.lowerBound / size)...((range.upperBound - 1) / size) {
            let start = block * size
            try check(UnsafeRawBufferPointer(rebasing: data[start..<min(start + size, dataLength)]), block: block)
        }
    }

    /// Compares the checksum of a block's bytes, wherever they were read to, with that of the table.
    func check(_ bytes: UnsafeRawBufferPointer, block: Int) throws(StorageError) {
        let table = BlockFileHeader.size + dataLength
        let stored = region.bytes.loadUnaligned(fromByteOffset: table + block * 4, as: UInt32.self)
        guard CRC32C.extend(0, bytes) == UInt32(littleEndian: stored) else {
            throw .corrupt(path, offset: BlockFileHeader.size + block * BlockFileHeader.blockSize, "damaged block")
        }
    }

    /// Tells the kernel how `range` of the data (all of it by default) will be used.
    package func advise(_ advice: AccessAdvice, _ range: Range<Int>? = nil) {
        region.advise(advice, fileRange(range))
    }

    /// Reads `range` of the data (all of it by default) into memory.
    package func populate(_ range: Range<Int>? = nil) { region.populate(fileRange(range)) }

    func fileRange(_ range: Range<Int>?) -> Range<Int> {
        let range = (range ?? 0..<dataLength).clamped(to: 0..<dataLength)
        return (range.lowerBound + BlockFileHeader.size)..<(range.upperBound + BlockFileHeader.size)
    }

    /// Checks table and trailer against the header; returns the file checksum.
    private static func checkFooter(
        _ bytes: UnsafeRawBufferPointer, _ header: BlockFileHeader, path: String
    ) throws(StorageError) -> UInt32 {
        let trailerAt = bytes.count - BlockFileHeader.trailerSize
        var reader = ByteReader(UnsafeRawBufferPointer(rebasing: bytes[trailerAt...]), name: path)
        let length = try reader.u64()
        let blocks = Int(try reader.u32())
        let footer = Int(try reader.u32())
        let crc = try reader.u32()
        let zero = try reader.u32()
        guard try reader.raw(8).elementsEqual(BlockFileHeader.endMagic), zero == 0 else {
            throw .corrupt(path, offset: trailerAt, "wrong footer magic")
        }
        let tableAt = trailerAt - blocks * 4
        guard length == header.dataLength, footer == blocks * 4 + BlockFileHeader.trailerSize,
            tableAt >= BlockFileHeader.size, length == UInt64(tableAt - BlockFileHeader.size),
            blocks == (tableAt - BlockFileHeader.size + BlockFileHeader.blockSize - 1) / BlockFileHeader.blockSize
        else { throw .corrupt(path, offset: trailerAt, "lengths in the footer do not fit the file") }
        var actual = CRC32C.extend(0, UnsafeRawBufferPointer(rebasing: bytes[..<BlockFileHeader.size]))
        actual = CRC32C.extend(actual, UnsafeRawBufferPointer(rebasing: bytes[tableAt..<(trailerAt + 16)]))
        guard actual == crc else { throw .corrupt(path, offset: trailerAt + 16, "wrong file checksum") }
        return crc
    }
}
