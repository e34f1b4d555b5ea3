/// Reads a chain of log files from the oldest to the newest, hands out the records behind the checkpoint, and decides
/// about a bad frame whether an unsynced tail ends there or confirmed data is damaged.
struct WALScanner {
    /// A place between two frames.
    struct Place {
        var file: Int
        var offset: Int
        var crc: UInt32
        /// The record expected next.
        var next: LSN
    }

    /// A file of the chain.
    struct ChainFile {
        var path: String
        var header: WALFileHeader
        var headerCRC: UInt32
        /// The highest LSN of the frames that belong to the chain, 0 for none.
        var lastLSN: LSN = 0
    }

    var files: [ChainFile]
    let checkpoint: LSN
    /// The next record's number; everything below was read completely.
    var next: LSN
    /// The highest LSN known to be on the device.
    var durable: LSN
    /// Behind the last complete record.
    var boundary: Place
    /// In the newest file: behind the last record frame known to be on the device.
    var kept: Place
    var report = WriteAheadLog.RecoveryReport()
    /// Bytes of the newest file.
    var newest: WALFileBytes

    private let fileSystem: any FileSystem
    private var group: (lsn: LSN, type: UInt8, bytes: [UInt8], skipped: Bool)?

    /// `files` is not empty and ascending; the newest's bytes are `newest`.
    init(
        files: [ChainFile], oldest: ChainFile, newest: WALFileBytes, checkpoint: LSN, fileSystem: any FileSystem
    ) {
        self.files = files
        self.newest = newest
        self.checkpoint = checkpoint
        self.fileSystem = fileSystem
        next = oldest.header.firstLSN
        durable = 0
        boundary = Place(
            file: 0, offset: WALFileHeader.size, crc: oldest.headerCRC, next: oldest.header.firstLSN)
        kept = boundary
    }

    /// Reads everything. Damage of confirmed data is thrown after the records before it were handed out.
    mutating func run(_ replay: (LogRecord) throws -> Void) throws {
        for index in files.indices {
            report.files += 1
            let isNewest = index == files.count - 1
            let bytes = isNewest ? newest : try WALFileBytes(path: files[index].path, fileSystem: fileSystem)
            let successor = isNewest ? nil : files[index + 1].header
            try scan(index, bytes.bytes, successor: successor, replay)
        }
        report.lastLSN = max(next &- 1, checkpoint)
    }

    private mutating func scan(
        _ index: Int, _ bytes: UnsafeRawBufferPointer, successor: WALFileHeader?, _ replay: (LogRecord) throws -> Void
    ) throws {
        let file = files[index]
        var place = Place(file: index, offset: WALFileHeader.size, crc: file.headerCRC, next: file.header.firstLSN)
        // Opening a file needs the one before synced: its first LSN confirms everything below it.
        durable = max(durable, file.header.firstLSN &- 1)
        if successor == nil {
            kept = place
            report.sealed = false
        }
        while true {
            if let successor, successor.previousCRC == place.crc, successor.firstLSN == next { return }
            guard let frame = WALFrame(bytes, at: place.offset),
                frame.computedCRC(bytes, previous: place.crc, salt: file.header.salt) == frame.storedCRC(bytes)
            else {
                guard successor == nil else {
                    throw StorageError.corrupt(file.path, offset: place.offset, "damaged record \(next)")
                }
                return try examineTail(bytes, place, file)
            }
            place.offset = frame.end
            place.crc = frame.storedCRC(bytes)
            report.frames += 1
            durable = max(durable, frame.durable)
            report.sealed = frame.isSeal
            if frame.isSeal { continue }
            try accept(frame, bytes, file, replay)
            files[index].lastLSN = frame.lsn
            place.next = next
            if group == nil { boundary = place }
        }
    }

    /// Takes a frame whose checksum is right into the record it belongs to.
    private mutating func accept(
        _ frame: WALFrame, _ bytes: UnsafeRawBufferPointer, _ file: ChainFile, _ replay: (LogRecord) throws -> Void
    ) throws {
        let begins = frame.flags & WALFrame.first != 0
        let ends = frame.flags & WALFrame.last != 0
        // The beginning of a record below the checkpoint may have gone with its file.
        let headless =
            !begins && group == nil && report.frames > 0 && boundary.offset == WALFileHeader.size
            && boundary.file == 0 && frame.lsn <= checkpoint
        if headless { group = (frame.lsn, frame.type, [], true) }
        guard frame.lsn == next, begins == (group == nil), group == nil || group?.type == frame.type else {
            throw StorageError.corrupt(
                file.path, offset: frame.offset, "record \(frame.lsn) where \(next) was expected,")
        }
        let payload = frame.payload(bytes)
        if begins, ends {
            try deliver(frame.lsn, frame.type, payload, replay)
        } else {
            if begins { group = (frame.lsn, frame.type, [], frame.lsn <= checkpoint) }
            if group?.skipped == false { group?.bytes.append(contentsOf: payload) }
            guard ends, let whole = group else { return }
            group = nil
            try whole.bytes.withRawBytes { raw in try deliver(whole.lsn, whole.type, raw, replay) }
        }
    }

    private mutating func deliver(
        _ lsn: LSN, _ type: UInt8, _ payload: UnsafeRawBufferPointer, _ replay: (LogRecord) throws -> Void
    ) throws {
        next = lsn &+ 1
        guard lsn > checkpoint else { return }
        report.records += 1
        try replay(LogRecord(lsn: lsn, type: type, payload: payload))
    }

    /// The newest file has no valid frame at `place`. Looks for later ones: if any says that the record expected here
    /// was durable, confirmed data is damaged; otherwise the tail was never confirmed, and is dropped.
    private mutating func examineTail(
        _ bytes: UnsafeRawBufferPointer, _ place: Place, _ file: ChainFile
    ) throws(StorageError) {
        let salt = file.header.salt
        let highest = next &+ UInt64(bytes.count / WALFrame.smallest)
        var offset = place.offset
        var found = 0
        var highestFound = next &- 1
        // Whatever lies in a payload may look like frame headers: bounds the work of checking them all.
        var budget = max(1 << 30, bytes.count &* 4)
        let bad = WALFrame(bytes, at: place.offset)
        let badCRC = bad?.computedCRC(bytes, previous: place.crc, salt: salt)
        offset += 8
        while let candidate = nextCandidate(bytes, from: &offset, lowest: next &- 1, highest: highest) {
            budget -= candidate.size
            guard budget > 0 else {
                throw .corrupt(file.path, offset: place.offset, "undecidable damage at record \(next)")
            }
            let stored = candidate.storedCRC(bytes)
            let previous = WALFrame.word(bytes, at: offset - 4)
            var valid = candidate.computedCRC(bytes, previous: previous, salt: salt) == stored
            if !valid, let bad, let badCRC, bad.end == offset {
                valid = candidate.computedCRC(bytes, previous: badCRC, salt: salt) == stored
            }
            guard valid else {
                offset += 8
                continue
            }
            if candidate.durable >= next {
                throw .corrupt(
                    file.path, offset: place.offset,
                    "damaged record \(next), which was confirmed (durable up to \(candidate.durable)),")
            }
            found += 1
            highestFound = max(highestFound, candidate.lsn)
            offset = candidate.end
        }
        let looksLikeFrame = bad.map { $0.lsn == next || $0.isSeal && $0.lsn == next &- 1 } ?? false
        // The frame behind a damaged checksum cannot be recognised; the numbers tell of it.
        report.framesDropped = max(
            found + (found > 0 || looksLikeFrame ? 1 : 0), Int(truncatingIfNeeded: highestFound &- (next &- 1)))
        if let group {
            report.framesDropped += 1
            report.dropped = "\(file.path): incomplete record \(group.lsn) before offset \(place.offset)"
        } else if report.framesDropped > 0 {
            report.dropped = "\(file.path): unsynced tail from offset \(place.offset)"
        }
    }

    /// The next place from `offset` on that could be a frame of this log; `offset` is moved there.
    private func nextCandidate(
        _ bytes: UnsafeRawBufferPointer, from offset: inout Int, lowest: LSN, highest: LSN
    ) -> WALFrame? {
        while bytes.count - offset >= WALFrame.smallest {
            let lsn = UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: offset + 8, as: UInt64.self))
            if lsn >= lowest, lsn <= highest, let frame = WALFrame(bytes, at: offset) { return frame }
            offset += 8
        }
        return nil
    }

    /// Sets `kept` once the durable LSN is known, by a second walk over the newest file's good frames; returns the
    /// frames between there and the boundary, which have to be copied.
    mutating func unconfirmedFrames() -> [WALFrame] {
        let bytes = newest.bytes
        guard boundary.file == files.count - 1 else { return [] }
        var copied: [WALFrame] = []
        var offset = WALFileHeader.size
        while offset < boundary.offset, let frame = WALFrame(bytes, at: offset) {
            offset = frame.end
            if frame.isSeal { continue }
            if frame.lsn <= durable {
                kept = Place(
                    file: boundary.file, offset: frame.end, crc: frame.storedCRC(bytes), next: frame.lsn &+ 1)
            } else {
                copied.append(frame)
            }
        }
        return copied
    }
}

/// The bytes of one log file, read into memory: a mapping would turn a read error into a signal.
final class WALFileBytes {
    let bytes: UnsafeRawBufferPointer
    private let storage: UnsafeMutableRawBufferPointer

    init(path: String, fileSystem: any FileSystem) throws(StorageError) {
        let file = try fileSystem.open(path, .read)
        defer { file.close() }
        let size = try file.size()
        guard size <= 8 << 30 else { throw StorageError(.corrupt, "\(path): \(size) bytes are no log file") }
        let storage = UnsafeMutableRawBufferPointer.allocate(byteCount: size, alignment: 16)
        do throws(StorageError) {
            bytes = UnsafeRawBufferPointer(rebasing: storage[..<(try file.read(into: storage, at: 0))])
        } catch {
            storage.deallocate()
            throw error
        }
        self.storage = storage
    }

    deinit { storage.deallocate() }
}
