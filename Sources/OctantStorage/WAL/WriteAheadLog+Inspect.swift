extension WriteAheadLog {
    /// Reads the log as ``open(directory:fileSystem:collection:shard:after:options:replay:)`` does, and changes nothing:
    /// no file is made, and an unsynced tail stays where it is.
    ///
    /// - Parameter newest: read as if this were the newest file; `nil`: the newest there is.
    /// - Throws: as opening does; the records before the place have been handed out then.
    package static func inspect(
        directory: String, fileSystem: any FileSystem, collection: UUIDBytes, shard: UInt32, after checkpoint: LSN,
        options: Options = Options(), newest chosen: UInt64? = nil, replay: (LogRecord) throws -> Void
    ) throws -> RecoveryReport {
        let sequences = try sequences(directory, fileSystem).filter { $0 <= chosen ?? .max }
        let opening = WALOpening(
            directory: directory, fileSystem: fileSystem, collection: collection, shard: shard,
            options: options.clamped, sequences: sequences, spareNumbers: [])
        guard let newest = sequences.last else {
            var report = RecoveryReport()
            report.lastLSN = checkpoint
            return report
        }
        let chain = try opening.chain(from: newest, checkpoint: checkpoint)
        guard let oldest = chain.first else { throw StorageError(.corrupt, "\(directory): no log file") }
        var scanner = WALScanner(
            files: chain, oldest: oldest, newest: try opening.reader(newest), checkpoint: checkpoint,
            fileSystem: fileSystem, windowBytes: options.windowBytes)
        try scanner.run(replay)
        return scanner.report
    }

    /// The numbers of the log files in a folder, ascending.
    package static func sequences(
        _ directory: String, _ fileSystem: any FileSystem
    ) throws(StorageError) -> [UInt64] {
        try fileSystem.list(directory).compactMap(sequence).sorted()
    }

    /// The first record that a log file may hold, by its header.
    package static func firstLSN(
        _ directory: String, _ sequence: UInt64, _ fileSystem: any FileSystem
    ) throws(StorageError) -> LSN {
        let path = logPath(directory, sequence)
        let file = try fileSystem.open(path, .read)
        defer { file.close() }
        var bytes = [UInt8](repeating: 0, count: WALFileHeader.size)
        let count = try bytes.withMutableRawBytes { (raw) throws(StorageError) in try file.read(into: raw, at: 0) }
        return try Array(bytes[..<count]).withRawBytes { (raw) throws(StorageError) in
            try WALFileHeader.decode(raw, path: path).header.firstLSN
        }
    }
}

extension WriteAheadLog.Options {
    /// With a file size that can be.
    var clamped: Self {
        var options = self
        options.fileBytes = min(max(options.fileBytes, 4096), 1 << 30) & ~7
        return options
    }
}
