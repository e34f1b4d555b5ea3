extension BlockFile {
    /// Bytes read at a time where a file passes through a buffer: whole blocks.
    private static let pieceBytes = 16 * BlockFileHeader.blockSize

    /// Checks every block without touching the mapping: the file passes through a small buffer, and what the system did
    /// not have in memory before is not there afterwards. Throws `.corrupt` with file and offset.
    package func verifyLeavingCold() throws(StorageError) {
        let buffer = UnsafeMutableRawBufferPointer.allocate(
            byteCount: max(1, min(dataLength, Self.pieceBytes)), alignment: 4096)
        defer { buffer.deallocate() }
        let file = try fileSystem.open(path, .read)
        defer { file.close() }
        var start = 0
        while start < dataLength {
            let range = start..<min(start + Self.pieceBytes, dataLength)
            let wasCold = cachedBytes(range) == 0
            let piece = UnsafeMutableRawBufferPointer(rebasing: buffer[..<range.count])
            try read(range, of: file, into: piece)
            if wasCold { file.dropCached(fileRange(range)) }
            start = range.upperBound
        }
    }

    /// Bytes of data that one checksum covers.
    package static var blockBytes: Int { BlockFileHeader.blockSize }

    /// Reads one block into memory and checks it there: by the mapping, which outlives the file's name. Throws `.corrupt`
    /// with file and offset.
    package func verifyBlock(_ block: Int) throws(StorageError) {
        let start = block * BlockFileHeader.blockSize
        guard start >= 0, start < dataLength else { return }
        let range = start..<min(start + BlockFileHeader.blockSize, dataLength)
        region.populate(fileRange(range))
        try check(UnsafeRawBufferPointer(rebasing: data[range]), block: block)
    }

    /// Copies the data to the beginning of `target`, which must have room for it, and checks every block. The mapping is
    /// not touched. Throws `.corrupt` with file and offset.
    package func copyVerified(to target: UnsafeMutableRawBufferPointer) throws(StorageError) {
        guard target.count >= dataLength else { throw StorageError(.io(12), "\(path): no room for a copy") }
        let file = try fileSystem.open(path, .read)
        defer { file.close() }
        var start = 0
        while start < dataLength {
            let range = start..<min(start + Self.pieceBytes, dataLength)
            try read(range, of: file, into: UnsafeMutableRawBufferPointer(rebasing: target[range]))
            start = range.upperBound
        }
    }

    /// Reads the whole file through a small buffer and returns where in it a block is damaged, ascending. What the system
    /// did not have in memory before is not there afterwards.
    ///
    /// `pace` is called before each read with its bytes; it may wait, and ends the check by `false`.
    package func damagedBlocks(pace: (Int) -> Bool = { _ in true }) throws(StorageError) -> [Int] {
        let buffer = UnsafeMutableRawBufferPointer.allocate(
            byteCount: max(1, min(dataLength, Self.pieceBytes)), alignment: 4096)
        defer { buffer.deallocate() }
        let file = try fileSystem.open(path, .read)
        defer { file.close() }
        let size = BlockFileHeader.blockSize
        var damaged: [Int] = []
        var start = 0
        while start < dataLength {
            let range = start..<min(start + Self.pieceBytes, dataLength)
            guard pace(range.count) else { break }
            let wasCold = cachedBytes(range) == 0
            let piece = UnsafeMutableRawBufferPointer(rebasing: buffer[..<range.count])
            let offset = BlockFileHeader.size + range.lowerBound
            guard try file.read(into: piece, at: offset) == range.count else {
                throw .corrupt(path, offset: offset, "the file ends early")
            }
            for place in stride(from: 0, to: range.count, by: size) {
                let block = UnsafeRawBufferPointer(rebasing: piece[place..<min(place + size, range.count)])
                do throws(StorageError) { try check(block, block: (start + place) / size) } catch {
                    damaged.append(offset + place)
                }
            }
            if wasCold { file.dropCached(fileRange(range)) }
            start = range.upperBound
        }
        return damaged
    }

    /// The part of the data that the damaged block at `offset` of the file holds.
    package func dataRange(ofBlockAt offset: Int) -> Range<Int> {
        let start = min(max(0, offset - BlockFileHeader.size), dataLength)
        return start..<min(start + BlockFileHeader.blockSize, dataLength)
    }

    /// Reads whole blocks and checks them.
    private func read(
        _ range: Range<Int>, of file: any File, into piece: UnsafeMutableRawBufferPointer
    ) throws(StorageError) {
        let offset = BlockFileHeader.size + range.lowerBound
        guard try file.read(into: piece, at: offset) == range.count else {
            throw .corrupt(path, offset: offset, "the file ends early")
        }
        let size = BlockFileHeader.blockSize
        for start in stride(from: 0, to: range.count, by: size) {
            let block = UnsafeRawBufferPointer(rebasing: piece[start..<min(start + size, range.count)])
            try check(block, block: (range.lowerBound + start) / size)
        }
    }

    /// Reads the data into the page cache and maps it, in huge pages where the file system can, and checks every block.
    /// The system may drop it again when it needs the memory.
    package func warmVerified() throws(StorageError) {
        // The whole mapping, so that it stays one: its huge pages begin where the file's do.
        region.advise(.hugePages, 0..<region.count)
        region.populate(0..<region.count)
        try verify()
    }

    /// Takes the file's pages out of this process. They stay in the page cache for as long as the system likes.
    package func unload() { region.unload(0..<region.count) }

    /// The whole mapped file, with header and checksums.
    package var mapping: UnsafeRawBufferPointer { region.bytes }

    /// Bytes of the data (or a range of it) that the system has in memory.
    package func cachedBytes(_ range: Range<Int>? = nil) -> Int { region.cachedBytes(fileRange(range)) }
}
