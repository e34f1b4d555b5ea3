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
    /// In the newest file: behind the last good frame, if nothing was ever written there.
    var end: Place?
    var report = WriteAheadLog.RecoveryReport()
    /// The newest file.
    let newest: WALFileReader

    private let fileSystem: any FileSystem
    private let windowBytes: Int
    private var group: (lsn: LSN, type: UInt8, bytes: [UInt8], skipped: Bool)?

    /// `files` is not empty and ascending; the last is read by `newest`.
    init(
        files: [ChainFile], oldest: ChainFile, newest: WALFileReader, checkpoint: LSN, fileSystem: any FileSystem,
        windowBytes: Int
    ) {
        self.files = files
        self.newest = newest
        self.checkpoint = checkpoint
        self.fileSystem = fileSystem
        self.windowBytes = windowBytes
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
            let reader =
                isNewest
                ? newest
                : try WALFileReader(path: files[index].path, fileSystem: fileSystem, windowBytes: windowBytes)
            let successor = isNewest ? nil : files[index + 1].header
            try scan(index, reader, successor: successor, replay)
        }
        report.lastLSN = max(next &- 1, checkpoint)
    }

    private mutating func scan(
        _ index: Int, _ reader: WALFileReader, successor: WALFileHeader?, _ replay: (LogRecord) throws -> Void
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
            guard let frame = try reader.frame(at: place.offset),
                case let crc = try reader.computedCRC(frame, previous: place.crc, salt: file.header.salt),
                crc == (try reader.storedCRC(frame))
            else {
                guard successor == nil else {
                    throw StorageError.corrupt(file.path, offset: place.offset, "damaged record \(next)")
                }
                return try examineTail(reader, place, file)
            }
            place.offset = frame.end
            place.crc = crc
            report.frames += 1
            durable = max(durable, frame.durable)
            report.sealed = frame.isSeal
            if frame.isSeal { continue }
            try accept(frame, reader, file, replay)
            files[index].lastLSN = frame.lsn
            place.next = next
            if group == nil { boundary = place }
        }
    }

    /// Takes a frame whose checksum is right into the record it belongs to.
    private mutating func accept(
        _ frame: WALFrame, _ reader: WALFileReader, _ file: ChainFile, _ replay: (LogRecord) throws -> Void
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
        if begins, ends {
            try deliver(frame.lsn, frame.type, replay) { () throws(StorageError) in try reader.bytes(frame.payload) }
        } else {
            if begins { group = (frame.lsn, frame.type, [], frame.lsn <= checkpoint) }
            if group?.skipped == false { try reader.pieces(frame.payload) { group?.bytes.append(contentsOf: $0) } }
            guard ends, let whole = group else { return }
            group = nil
            try whole.bytes.withRawBytes { raw in try deliver(whole.lsn, whole.type, replay) { raw } }
        }
    }

    private mutating func deliver(
        _ lsn: LSN, _ type: UInt8, _ replay: (LogRecord) throws -> Void,
        payload: () throws(StorageError) -> UnsafeRawBufferPointer
    ) throws {
        next = lsn &+ 1
        guard lsn > checkpoint else { return }
        report.records += 1
        try replay(LogRecord(lsn: lsn, type: type, payload: try payload()))
    }

    /// The newest file has no valid frame at `place`. Looks for later ones: if any says that the record expected here
    /// was durable, confirmed data is damaged; otherwise the tail was never confirmed, and is dropped.
    private mutating func examineTail(
        _ reader: WALFileReader, _ place: Place, _ file: ChainFile
    ) throws(StorageError) {
        let salt = file.header.salt
        let highest = next &+ UInt64(reader.size / WALFrame.smallest)
        var offset = place.offset
        var found = 0
        var highestFound = next &- 1
        // Whatever lies in a payload may look like frame headers: bounds the work of checking them all.
        var budget = max(1 << 30, reader.size &* 4)
        let bad = try reader.frame(at: place.offset)
        var badCRC: UInt32?
        if let bad { badCRC = try reader.computedCRC(bad, previous: place.crc, salt: salt) }
        offset += 8
        while let candidate = try reader.nextFrame(from: &offset, numbers: (next &- 1)...max(next &- 1, highest)) {
            budget -= candidate.size
            guard budget > 0 else {
                throw .corrupt(file.path, offset: place.offset, "undecidable damage at record \(next)")
            }
            let previous = try reader.word(at: offset - 4)
            let computed = try reader.computedCRC(candidate, previous: previous, salt: salt)
            let stored = try reader.storedCRC(candidate)
            var valid = computed == stored
            if !valid, let bad, let badCRC, bad.end == offset {
                valid = try reader.computedCRC(candidate, previous: badCRC, salt: salt) == stored
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
        if found == 0, bad == nil, group == nil, try reader.isZero(from: place.offset) { end = place }
        if let group {
            report.framesDropped += 1
            report.dropped = "\(file.path): incomplete record \(group.lsn) before offset \(place.offset)"
        } else if report.framesDropped > 0 {
            report.dropped = "\(file.path): unsynced tail from offset \(place.offset)"
        }
    }

    /// The frames of the newest file that have to be copied: those behind ``kept``, which is set by this once the
    /// durable LSN is known.
    struct Unconfirmed {
        var count = 0
        /// Bytes of the frames together.
        var bytes = 0
        var lastLSN: LSN = 0
    }

    /// Sets `kept` by a second walk over the newest file's good frames, and counts those between there and the boundary.
    mutating func findUnconfirmed() throws(StorageError) -> Unconfirmed {
        var found = Unconfirmed()
        guard boundary.file == files.count - 1 else { return found }
        var lastKept: WALFrame?
        var offset = WALFileHeader.size
        while offset < boundary.offset, let frame = try newest.frame(at: offset) {
            offset = frame.end
            if frame.isSeal { continue }
            if frame.lsn <= durable {
                lastKept = frame
            } else {
                found.count += 1
                found.bytes += frame.size
                found.lastLSN = frame.lsn
            }
        }
        if let lastKept {
            kept = Place(
                file: boundary.file, offset: lastKept.end, crc: try newest.storedCRC(lastKept),
                next: lastKept.lsn &+ 1)
        }
        return found
    }

    /// Hands out the frames that have to be copied, with their payloads.
    func unconfirmedFrames(
        _ body: (WALFrame, UnsafeRawBufferPointer) throws(StorageError) -> Void
    ) throws(StorageError) {
        var offset = kept.offset
        while offset < boundary.offset, let frame = try newest.frame(at: offset) {
            offset = frame.end
            if !frame.isSeal { try body(frame, try newest.bytes(frame.payload)) }
        }
    }
}
