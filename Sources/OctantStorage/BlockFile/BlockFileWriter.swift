/// Writes a block file from front to back. Not for concurrent use.
///
/// The header is written last, so a file whose writing was interrupted never verifies. A writer that goes away
/// without `finish` removes its file. The folder's own sync is the caller's, once for all files in it.
package final class BlockFileWriter {
    /// Bytes of data appended so far.
    package private(set) var dataLength = 0

    private let path: String
    private let file: any File
    private let fileSystem: any FileSystem
    private var header: BlockFileHeader
    private var table = ByteWriter()
    private var blockCRC: UInt32 = 0
    private var blockFill = 0
    private let buffer: UnsafeMutableRawBufferPointer
    private var buffered = 0
    private var written = BlockFileHeader.size
    private var finished = false

    /// Bytes of memory it takes.
    package static let bufferSize = 512 << 10

    /// Starts the file; the name must be free. `rows` can still be changed at `finish`.
    package init(
        path: String, type: BlockFileType, uuid: UUIDBytes, rows: UInt64 = 0, fileSystem: any FileSystem
    ) throws(StorageError) {
        self.path = path
        self.fileSystem = fileSystem
        header = BlockFileHeader(type: type, uuid: uuid, rows: rows, dataLength: 0)
        file = try fileSystem.open(path, .create)
        buffer = .allocate(byteCount: BlockFileWriter.bufferSize, alignment: 4096)
    }

    deinit {
        buffer.deallocate()
        file.close()
        // Best effort: an unfinished file is not named by any manifest.
        if !finished { try? fileSystem.unlink(path) }
    }

    /// Appends `bytes` to the data.
    package func append(_ bytes: UnsafeRawBufferPointer) throws(StorageError) {
        guard !finished else { throw StorageError(.closed, "\(path): the file is finished") }
        checksum(bytes)
        dataLength += bytes.count
        var rest = bytes
        while !rest.isEmpty {
            if buffered == 0, rest.count >= buffer.count {
                // Large pieces go straight to the file, in whole buffers.
                let direct = rest.count / buffer.count * buffer.count
                try file.write(UnsafeRawBufferPointer(rebasing: rest[..<direct]), at: written)
                written += direct
                rest = UnsafeRawBufferPointer(rebasing: rest[direct...])
                continue
            }
            let count = min(rest.count, buffer.count - buffered)
            UnsafeMutableRawBufferPointer(rebasing: buffer[buffered..<(buffered + count)])
                .copyMemory(from: UnsafeRawBufferPointer(rebasing: rest[..<count]))
            buffered += count
            rest = UnsafeRawBufferPointer(rebasing: rest[count...])
            if buffered == buffer.count { try flush() }
        }
    }

    /// Appends `bytes` to the data.
    package func append(_ bytes: [UInt8]) throws(StorageError) {
        try bytes.withRawBytes { (raw) throws(StorageError) in try append(raw) }
    }

    /// Appends zeros until the data length is a multiple of `alignment`.
    package func pad(to alignment: Int) throws(StorageError) {
        guard alignment > 1, dataLength % alignment != 0 else { return }
        try append([UInt8](repeating: 0, count: alignment - dataLength % alignment))
    }

    /// Completes the file: block table, trailer, header; synced when `sync`. Nothing can be appended afterwards.
    package func finish(rows: UInt64? = nil, sync: Bool = true) throws(StorageError) -> FileSummary {
        guard !finished else { throw StorageError(.closed, "\(path): the file is finished") }
        if blockFill > 0 { closeBlock() }
        try flush()
        if let rows { header.rows = rows }
        header.dataLength = UInt64(dataLength)
        let head = header.encoded()
        var footer = table
        footer.u64(header.dataLength)
        footer.u32(UInt32(truncatingIfNeeded: table.count / 4))
        footer.u32(UInt32(truncatingIfNeeded: table.count + BlockFileHeader.trailerSize))
        let crc = CRC32C.extend(CRC32C.extend(0, head), footer.bytes)
        footer.u32(crc)
        footer.u32(0)
        footer.raw(BlockFileHeader.endMagic)
        try footer.bytes.withRawBytes { (raw) throws(StorageError) in try file.write(raw, at: written) }
        try head.withRawBytes { (raw) throws(StorageError) in try file.write(raw, at: 0) }
        if sync { try file.sync() }
        finished = true
        file.close()
        return FileSummary(name: lastPathComponent(path), size: UInt64(written + footer.count), crc: crc)
    }

    private func flush() throws(StorageError) {
        guard buffered > 0 else { return }
        try file.write(UnsafeRawBufferPointer(rebasing: buffer[..<buffered]), at: written)
        written += buffered
        buffered = 0
    }

    private func checksum(_ bytes: UnsafeRawBufferPointer) {
        var rest = bytes
        while !rest.isEmpty {
            let count = min(rest.count, BlockFileHeader.blockSize - blockFill)
            blockCRC = CRC32C.extend(blockCRC, UnsafeRawBufferPointer(rebasing: rest[..<count]))
            blockFill += count
            if blockFill == BlockFileHeader.blockSize { closeBlock() }
            rest = UnsafeRawBufferPointer(rebasing: rest[count...])
        }
    }

    private func closeBlock() {
        table.u32(blockCRC)
        blockCRC = 0
        blockFill = 0
    }
}
