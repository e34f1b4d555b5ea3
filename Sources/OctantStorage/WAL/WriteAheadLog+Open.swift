extension WriteAheadLog {
    /// Opens the log in `directory` (created when missing), replays every record after `checkpoint` in order, and
    /// makes the log ready for appends. Call `start` next.
    ///
    /// What survived but was never confirmed as durable is copied into a new file and synced before this returns.
    /// Appends go to a new file, or behind a seal, or a header, where nothing was ever written.
    ///
    /// - Throws: `.corrupt` with file and offset when confirmed records are damaged or missing (records before the
    ///   place have been replayed; nothing was changed on disk), `.incompatible`, the error of a failed call, or
    ///   whatever `replay` throws.
    package static func open(
        directory: String, fileSystem: any FileSystem, collection: UUIDBytes, shard: UInt32, after checkpoint: LSN,
        options: Options = Options(), replay: (LogRecord) throws -> Void
    ) throws -> (WriteAheadLog, RecoveryReport) {
        let options = options.clamped
        try fileSystem.makeDirectories(directory)
        let names = try fileSystem.list(directory)
        var opening = WALOpening(
            directory: directory, fileSystem: fileSystem, collection: collection, shard: shard, options: options,
            sequences: names.compactMap(sequence).sorted(), spareNumbers: names.compactMap(spareNumber).sorted())
        guard let newest = opening.sequences.last else {
            let start = WALOpening.NewFile(pred: nil, previousCRC: 0, firstLSN: checkpoint &+ 1)
            var report = RecoveryReport()
            report.lastLSN = checkpoint
            report.sealed = true
            return (try opening.finish(start, nil, durable: checkpoint, lastLSN: checkpoint, keep: []), report)
        }
        let chain = try opening.chain(from: newest, checkpoint: checkpoint)
        guard let oldest = chain.first else { throw StorageError(.corrupt, "\(directory): no log file") }
        var scanner = WALScanner(
            files: chain, oldest: oldest, newest: try opening.reader(newest), checkpoint: checkpoint,
            fileSystem: fileSystem,
            windowBytes: options.windowBytes)
        try scanner.run(replay)
        let log = try opening.continueAfter(&scanner)
        return (log, scanner.report)
    }
}

/// The steps of opening a log that touch files.
struct WALOpening {
    let directory: String
    let fileSystem: any FileSystem
    let collection: UUIDBytes
    let shard: UInt32
    let options: WriteAheadLog.Options
    let sequences: [UInt64]
    private var spareNumbers: [UInt64]
    private var lastSpareNumber: UInt64
    private var spares: [WriteAheadLog.SpareFile] = []

    init(
        directory: String, fileSystem: any FileSystem, collection: UUIDBytes, shard: UInt32,
        options: WriteAheadLog.Options, sequences: [UInt64], spareNumbers: [UInt64]
    ) {
        self.directory = directory
        self.fileSystem = fileSystem
        self.collection = collection
        self.shard = shard
        self.options = options
        self.sequences = sequences
        self.spareNumbers = spareNumbers
        lastSpareNumber = spareNumbers.last ?? 0
    }

    /// What the new file follows.
    struct NewFile {
        /// Sequence of the predecessor.
        var pred: UInt64?
        var previousCRC: UInt32
        var firstLSN: LSN
    }

    /// The files from the newest back to the one that holds the first record after the checkpoint, oldest first.
    func chain(from newest: UInt64, checkpoint: LSN) throws(StorageError) -> [WALScanner.ChainFile] {
        var files: [WALScanner.ChainFile] = []
        var sequence = newest
        while true {
            let path = WriteAheadLog.logPath(directory, sequence)
            let (header, crc) = try header(path)
            guard header.sequence == sequence, header.collection == collection, header.shard == shard,
                header.firstLSN > 0
            else {
                throw .corrupt(path, offset: 12, "the file belongs to another log or place")
            }
            files.append(WALScanner.ChainFile(path: path, header: header, headerCRC: crc))
            let (previous, underflow) = sequence.subtractingReportingOverflow(UInt64(header.back))
            if header.firstLSN <= checkpoint || header.back == 0 || underflow || !sequences.contains(previous) {
                guard header.firstLSN <= checkpoint &+ 1 else {
                    throw StorageError(
                        .corrupt,
                        "\(path): the log begins with record \(header.firstLSN), "
                            + "record \(checkpoint &+ 1) is missing")
                }
                return files.reversed()
            }
            sequence = previous
        }
    }

    /// A reader of the newest file.
    func reader(_ newest: UInt64) throws(StorageError) -> WALFileReader {
        try WALFileReader(
            path: WriteAheadLog.logPath(directory, newest), fileSystem: fileSystem, windowBytes: options.windowBytes)
    }

    private func header(_ path: String) throws(StorageError) -> (header: WALFileHeader, crc: UInt32) {
        let file = try fileSystem.open(path, .read)
        defer { file.close() }
        var bytes = [UInt8](repeating: 0, count: WALFileHeader.size)
        let count = try bytes.withMutableRawBytes { (raw) throws(StorageError) in try file.read(into: raw, at: 0) }
        return try Array(bytes[..<count]).withRawBytes { (raw) throws(StorageError) in
            try WALFileHeader.decode(raw, path: path)
        }
    }

    /// Starts the file that continues what the scanner found.
    mutating func continueAfter(_ scanner: inout WALScanner) throws(StorageError) -> WriteAheadLog {
        let lastLSN = scanner.next &- 1
        let newestIndex = scanner.files.count - 1
        let newSequence = (sequences.last ?? 0) &+ 1
        if scanner.checkpoint > lastLSN {
            // The checkpoint is ahead of the log: nothing in the log is needed.
            let start = NewFile(pred: nil, previousCRC: 0, firstLSN: scanner.checkpoint &+ 1)
            let checkpoint = scanner.checkpoint
            return try finish(start, nil, durable: checkpoint, lastLSN: checkpoint, keep: [])
        }
        let unconfirmed = try scanner.findUnconfirmed()
        scanner.report.framesCopied = unconfirmed.count
        if unconfirmed.count == 0, let log = try resume(scanner, lastLSN: lastLSN) { return log }
        var start: NewFile
        var keep = scanner.files
        if scanner.boundary.file < newestIndex {
            // The newest file holds no complete record, or only pieces of one that never got complete.
            let file = scanner.files[scanner.boundary.file]
            start = NewFile(
                pred: file.header.sequence, previousCRC: scanner.boundary.crc, firstLSN: scanner.boundary.next)
            keep.removeLast(newestIndex - scanner.boundary.file)
        } else {
            let header = scanner.files[newestIndex].header
            let inherited = header.back == 0 ? nil : header.sequence &- UInt64(header.back)
            let distance = newSequence &- (inherited ?? newSequence)
            if scanner.kept.offset == WALFileHeader.size, distance <= UInt64(UInt16.max) {
                // Nothing of the newest file is kept: the new one takes its place.
                start = NewFile(pred: inherited, previousCRC: header.previousCRC, firstLSN: header.firstLSN)
                keep.removeLast()
            } else {
                start = NewFile(
                    pred: header.sequence, previousCRC: scanner.kept.crc, firstLSN: scanner.kept.next)
            }
        }
        return try finish(
            start, (scanner, unconfirmed), durable: scanner.durable, lastLSN: lastLSN,
            keep: keep.map { WriteAheadLog.ClosedFile(path: $0.path, lastLSN: $0.lastLSN) })
    }

    /// Goes on in the newest file, if all it holds is confirmed and nothing was ever written behind. So a start after an
    /// orderly end, or after a pause, costs no new file and no sync but the folder's.
    ///
    /// Of a file with other bytes behind its frames that cannot be: what is written again, the same bytes in the same place,
    /// could make a frame of an unsynced tail valid that was not.
    private mutating func resume(_ scanner: WALScanner, lastLSN: LSN) throws(StorageError) -> WriteAheadLog? {
        let size = scanner.newest.size
        guard let end = scanner.end, let newest = scanner.files.last, size >= options.fileBytes,
            size - end.offset >= 2 * WALFrame.smallest
        else { return nil }
        let file = try fileSystem.open(newest.path, .readWrite)
        // Blocks may be missing when the folder was copied.
        guard (try? file.allocate(size)) != nil else {
            file.close()
            return nil
        }
        if end.offset > WALFileHeader.size {
            // Should the seal's own sync have failed, it is in memory alone: what follows is synced together with it.
            let seal = end.offset - WALFrame.smallest
            try file.write(try scanner.newest.bytes(seal..<end.offset), at: seal)
        }
        try fileSystem.syncDirectory(directory)
        let keep = scanner.files.dropLast().map { WriteAheadLog.ClosedFile(path: $0.path, lastLSN: $0.lastLSN) }
        tidy(keep: keep, going: newest.path)
        let state = WriteAheadLog.State(
            lastLSN: lastLSN, sealedLSN: lastLSN, planOffset: end.offset, planCapacity: size, spares: spares,
            spareNumber: lastSpareNumber, closedFiles: keep)
        let active = WriteAheadLog.ActiveFile(
            file: file, sequence: newest.header.sequence, salt: newest.header.salt, capacity: size, blank: end.offset,
            crc: end.crc, offset: end.offset, lastLSN: newest.lastLSN)
        return WriteAheadLog(
            directory: directory, fileSystem: fileSystem, collection: collection, shard: shard, options: options,
            active: active, state: state, lastLSN: lastLSN)
    }

    /// Writes and publishes the new file with the frames to copy, tidies the folder up, and makes the log.
    mutating func finish(
        _ start: NewFile, _ copied: (from: WALScanner, frames: WALScanner.Unconfirmed)?, durable: LSN, lastLSN: LSN,
        keep: [WriteAheadLog.ClosedFile]
    ) throws(StorageError) -> WriteAheadLog {
        let sequence = (sequences.last ?? 0) &+ 1
        let header = WALFileHeader(
            back: start.pred.map { UInt16(truncatingIfNeeded: sequence &- $0) } ?? 0, shard: shard,
            collection: collection, sequence: sequence, firstLSN: start.firstLSN,
            salt: Simulation.random(), previousCRC: start.previousCRC)
        let head = header.encoded()
        var crc = CRC32C.extend(0, Array(head[..<60]))
        let offset = WALFileHeader.size + (copied?.frames.bytes ?? 0)
        let spare = try takeSpare(max(options.fileBytes, offset + 2 * WALFrame.smallest))
        try head.withRawBytes { (raw) throws(StorageError) in try spare.file.write(raw, at: 0) }
        if let copied, copied.frames.count > 0 {
            try copy(from: copied.from, into: spare.file, salt: header.salt, durable: durable, &crc)
        }
        try spare.file.syncData()
        let path = WriteAheadLog.logPath(directory, sequence)
        try fileSystem.rename(spare.file.path, to: path)
        try fileSystem.syncDirectory(directory)

        tidy(keep: keep)
        let sealed = copied.map { $0.frames.count == 0 } ?? true
        let state = WriteAheadLog.State(
            lastLSN: lastLSN, sealedLSN: sealed ? lastLSN : start.firstLSN &- 1, planOffset: offset,
            planCapacity: spare.capacity, spares: spares, spareNumber: lastSpareNumber, closedFiles: keep)
        let active = WriteAheadLog.ActiveFile(
            file: spare.file, sequence: sequence, salt: header.salt, capacity: spare.capacity, blank: offset, crc: crc,
            offset: offset, lastLSN: copied?.frames.lastLSN ?? 0)
        return WriteAheadLog(
            directory: directory, fileSystem: fileSystem, collection: collection, shard: shard, options: options,
            active: active, state: state, lastLSN: lastLSN)
    }

    /// Writes the unconfirmed frames behind the header of `file`, chained to it; `crc` is moved along.
    private func copy(
        from scanner: WALScanner, into file: any File, salt: UInt64, durable: LSN, _ crc: inout UInt32
    ) throws(StorageError) {
        let buffer = WALBuffer(capacity: 64 << 10)
        var offset = WALFileHeader.size
        try scanner.unconfirmedFrames { (frame, payload) throws(StorageError) in
            crc = buffer.append(
                type: frame.type, flags: frame.flags, lsn: frame.lsn, durable: min(durable, frame.lsn),
                payload: payload, previous: crc, salt: salt)
            guard buffer.count >= options.windowBytes else { return }
            try file.write(buffer.bytes, at: offset)
            offset += buffer.count
            buffer.removeAll()
        }
        try file.write(buffer.bytes, at: offset)
    }

    /// A file of at least `capacity` bytes: a spare that lies around, or a new one.
    private mutating func takeSpare(_ capacity: Int) throws(StorageError) -> WriteAheadLog.SpareFile {
        for number in spareNumbers {
            let path = WriteAheadLog.sparePath(directory, number)
            guard let kind = try fileSystem.kind(path), case .file(let size) = kind, size >= capacity else { continue }
            let file = try fileSystem.open(path, .readWrite)
            // Blocks may be missing when the folder was copied; for a whole file this changes nothing.
            guard (try? file.allocate(size)) != nil else { continue }
            spareNumbers.removeAll { $0 == number }
            return WriteAheadLog.SpareFile(file: file, capacity: size)
        }
        lastSpareNumber &+= 1
        return try WriteAheadLog.createSpare(
            directory, number: lastSpareNumber, capacity: capacity, fileSystem: fileSystem)
    }

    /// Keeps up to `retainClosed + 1` spares, removes log files that no longer count, and allocates the first spare.
    /// Failures cost space or a later allocation, never data.
    ///
    /// - Parameter active: the file that appends go on in, if it is an old one.
    private mutating func tidy(keep: [WriteAheadLog.ClosedFile], going active: String? = nil) {
        let wanted = options.retainClosed + 1
        for number in spareNumbers {
            let path = WriteAheadLog.sparePath(directory, number)
            guard let kind = try? fileSystem.kind(path), case .file(let size) = kind else { continue }
            if size >= options.fileBytes, spares.count < wanted,
                let file = try? fileSystem.open(path, .readWrite), (try? file.allocate(size)) != nil
            {
                spares.append(WriteAheadLog.SpareFile(file: file, capacity: size))
            } else {
                try? fileSystem.unlink(path)
            }
        }
        for sequence in sequences {
            let path = WriteAheadLog.logPath(directory, sequence)
            if path != active, !keep.contains(where: { $0.path == path }) { try? fileSystem.unlink(path) }
        }
        guard spares.isEmpty else { return }
        lastSpareNumber &+= 1
        if let spare = try? WriteAheadLog.createSpare(
            directory, number: lastSpareNumber, capacity: options.fileBytes, fileSystem: fileSystem)
        {
            spares.append(spare)
        }
    }
}

extension Array where Element == UInt8 {
    /// `withUnsafeMutableBytes` that keeps the error's type.
    mutating func withMutableRawBytes<R, E: Error>(
        _ body: (UnsafeMutableRawBufferPointer) throws(E) -> R
    ) throws(E) -> R {
        try withUnsafeMutableBufferPointer { (buffer) throws(E) in try body(UnsafeMutableRawBufferPointer(buffer)) }
    }
}
