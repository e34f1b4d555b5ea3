/// Reads one log file through a window, so that opening a log takes little memory however large its files are. Nothing is
/// mapped: a mapping would turn a read error into a signal.
final class WALFileReader {
    let path: String
    /// Length of the file in bytes.
    let size: Int
    private let file: any File
    /// Bytes of the window, unless more are asked for in one piece.
    private let windowBytes: Int
    private var storage: UnsafeMutableRawBufferPointer
    /// Which bytes of the file `storage` holds.
    private var held = 0..<0

    init(path: String, fileSystem: any FileSystem, windowBytes: Int) throws(StorageError) {
        let file = try fileSystem.open(path, .read)
        let size = try file.size()
        guard size <= 8 << 30 else { throw StorageError(.corrupt, "\(path): \(size) bytes are no log file") }
        self.path = path
        self.size = size
        self.file = file
        self.windowBytes = max(WALFrame.smallest, min(windowBytes, size))
        storage = .allocate(byteCount: self.windowBytes, alignment: 16)
    }

    deinit {
        storage.deallocate()
        file.close()
    }

    /// The bytes from `offset` on, as many as the window has: at least `count`, or what the file has left. Valid until the
    /// next call.
    func bytes(from offset: Int, atLeast count: Int) throws(StorageError) -> UnsafeRawBufferPointer {
        let wanted = max(0, min(count, size - offset))
        if offset < held.lowerBound || offset + wanted > held.upperBound { try fill(from: offset, wanted) }
        let start = offset - held.lowerBound
        return UnsafeRawBufferPointer(rebasing: storage[start..<max(start, held.count)])
    }

    /// Exactly these bytes of the file, in one piece. Valid until the next call.
    func bytes(_ range: Range<Int>) throws(StorageError) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(rebasing: try bytes(from: range.lowerBound, atLeast: range.count)[..<range.count])
    }

    /// Hands out these bytes of the file in pieces that fit the window.
    func pieces(_ range: Range<Int>, _ body: (UnsafeRawBufferPointer) -> Void) throws(StorageError) {
        var offset = range.lowerBound
        while offset < range.upperBound {
            let end = min(range.upperBound, offset + windowBytes)
            body(try bytes(offset..<end))
            offset = end
        }
    }

    /// Replaces what the window holds by `count` bytes from `offset` on, and what follows them as far as there is room.
    private func fill(from offset: Int, _ count: Int) throws(StorageError) {
        let capacity = max(windowBytes, count)
        held = 0..<0
        if storage.count != capacity {
            storage.deallocate()
            storage = .allocate(byteCount: capacity, alignment: 16)
        }
        let room = UnsafeMutableRawBufferPointer(rebasing: storage[..<min(capacity, size - offset)])
        let read = try file.read(into: room, at: offset)
        // Nobody else has the file: its length does not change, unless somebody meddles.
        guard read >= count else { throw .corrupt(path, offset: offset + read, "the file became shorter") }
        held = offset..<(offset + read)
    }

    // MARK: Frames

    /// The frame at `offset` when its header is possible. Nothing is checksummed yet.
    func frame(at offset: Int) throws(StorageError) -> WALFrame? {
        guard size - offset >= WALFrame.smallest else { return nil }
        return WALFrame(header: try bytes(from: offset, atLeast: WALFrame.smallest), at: offset, of: size)
    }

    /// The CRC that a frame should end with.
    func computedCRC(_ frame: WALFrame, previous: UInt32, salt: UInt64) throws(StorageError) -> UInt32 {
        var crc = CRC32C.extend(previous, salt)
        // A frame that fits the window is read in one piece, as its payload will be.
        if frame.size <= windowBytes { _ = try bytes(frame.offset..<frame.end) }
        try pieces(frame.offset..<(frame.end - 4)) { crc = CRC32C.extend(crc, $0) }
        return crc
    }

    /// The CRC that it does end with.
    func storedCRC(_ frame: WALFrame) throws(StorageError) -> UInt32 { try word(at: frame.end - 4) }

    /// The four bytes at `offset` as a number.
    func word(at offset: Int) throws(StorageError) -> UInt32 {
        WALFrame.word(try bytes(offset..<(offset + 4)), at: 0)
    }

    /// The next place from `offset` on, in steps of 8 bytes, that could be a frame with such a number; `offset` is moved
    /// there.
    func nextFrame(from offset: inout Int, numbers: ClosedRange<LSN>) throws(StorageError) -> WALFrame? {
        while size - offset >= WALFrame.smallest {
            if offset < held.lowerBound || offset + WALFrame.smallest > held.upperBound { skipHole(&offset) }
            guard size - offset >= WALFrame.smallest else { return nil }
            let window = try bytes(from: offset, atLeast: WALFrame.smallest)
            var place = 0
            while window.count - place >= WALFrame.smallest {
                let lsn = UInt64(littleEndian: window.loadUnaligned(fromByteOffset: place + 8, as: UInt64.self))
                if numbers.contains(lsn),
                    let frame = WALFrame(
                        header: UnsafeRawBufferPointer(rebasing: window[place...]), at: offset + place, of: size)
                {
                    offset += place
                    return frame
                }
                place += 8
            }
            offset += place
        }
        return nil
    }

    /// Whether all bytes from `offset`, a multiple of 8, to the end are zeros.
    func isZero(from offset: Int) throws(StorageError) -> Bool {
        var offset = offset
        while offset < size {
            offset = max(offset, min(file.nextData(from: offset) & ~7, size))
            let window = try bytes(from: offset, atLeast: min(windowBytes, size - offset))
            var place = 0
            while place + 8 <= window.count {
                if window.loadUnaligned(fromByteOffset: place, as: UInt64.self) != 0 { return false }
                place += 8
            }
            if window.count < 8, window.contains(where: { $0 != 0 }) { return false }
            offset += max(place, min(window.count, 7))
        }
        return true
    }

    /// Moves `offset` over what was allocated and never written: it reads as zeros, and no frame begins there but in
    /// the last bytes.
    private func skipHole(_ offset: inout Int) {
        let data = min(file.nextData(from: offset), size)
        offset = max(offset, offset + ((data - offset - WALFrame.smallest) & ~7))
    }
}
