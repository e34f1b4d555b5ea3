import OctantModel
import OctantStorage

/// Writes a log anew from the records of a damaged one that can be read.
struct LogRepair {
    let collection: CollectionCheck
    let manifest: Manifest
    let fileSystem: any FileSystem

    private var directory: String { collection.path + "/s0/wal" }
    private var temporary: String { collection.path + "/s0/wal.repair" }

    /// The part of the log that can be replayed.
    struct Readable {
        /// Up to which operation what was written must be in segments, or is lost.
        var checkpoint: LSN
        /// The newest file that is read.
        var newest: UInt64
        /// The last operation that can be read; ``checkpoint`` if there is none.
        var last: LSN
        /// Why no more can be.
        var error: StorageError?
    }

    /// Finds the longest part from the manifest's checkpoint on, or else from the first operation that is there.
    func find() -> Readable? {
        guard let sequences = try? WriteAheadLog.sequences(directory, fileSystem) else { return nil }
        for newest in sequences.reversed() {
            if let found = read(newest, after: manifest.checkpoint), found.last > found.checkpoint || found.error == nil
            {
                return found
            }
            for first in sequences where first <= newest {
                guard let lsn = try? WriteAheadLog.firstLSN(directory, first, fileSystem), lsn > manifest.checkpoint,
                    let found = read(newest, after: lsn - 1), found.last > found.checkpoint
                else { continue }
                return found
            }
        }
        guard let newest = sequences.last else { return nil }
        return Readable(checkpoint: manifest.checkpoint, newest: newest, last: manifest.checkpoint, error: nil)
    }

    private func read(_ newest: UInt64, after checkpoint: LSN) -> Readable? {
        var found = Readable(checkpoint: checkpoint, newest: newest, last: checkpoint)
        do {
            try replay(found) { record in found.last = record.lsn }
        } catch let error as StorageError {
            found.error = error
        } catch {
            return nil
        }
        return found
    }

    private func replay(_ part: Readable, _ body: (LogRecord) throws -> Void) throws {
        let options = Shard.logOptions(manifest.config, fileBytes: collection.logFileBytes)
        _ = try WriteAheadLog.inspect(
            directory: directory, fileSystem: fileSystem, collection: collection.uuid, shard: 0,
            after: part.checkpoint, options: options, newest: part.newest
        ) { record in
            // What is not an operation ends the part that can be replayed.
            _ = try UpdateOperation(logType: record.type, record.payload)
            try body(record)
        }
    }

    /// Writes the records of `part` into a new log beside the old one.
    func write(_ part: Readable) throws(StorageError) {
        try fileSystem.removeTree(temporary)
        do {
            let (log, _) = try WriteAheadLog.open(
                directory: temporary, fileSystem: fileSystem, collection: collection.uuid, shard: 0,
                after: part.checkpoint, options: Shard.logOptions(manifest.config, fileBytes: collection.logFileBytes)
            ) { _ in }
            defer { log.close() }
            log.start()
            do {
                try replay(part) { record in
                    _ = try log.append(type: record.type, payload: Array(record.payload), mayUseReserve: false)
                }
            } catch let error as StorageError where error.code == .corrupt {
                // The end of what can be read.
            }
            try log.waitDurable(log.lastLSN)
            guard log.lastLSN == part.last else {
                throw StorageError(
                    .corrupt, "\(temporary): record \(log.lastLSN) is the last one, \(part.last) was expected")
            }
        } catch let error as StorageError {
            throw error
        } catch {
            throw StorageError(.corrupt, "\(directory): \(error)")
        }
    }

    /// There once the new log is whole: from then on the exchange is finished by the next repair, and the collection does
    /// not open before.
    static let completeMark = "/s0/wal.repair/COMPLETE"
    /// There once the old log is set aside.
    private static let emptiedMark = "/s0/wal.repair/EMPTIED"

    /// Whether an exchange was begun and not finished.
    var isUnfinished: Bool {
        get throws(StorageError) { try fileSystem.kind(collection.path + Self.completeMark) != nil }
    }

    /// Puts the new log into the place of the old one, which goes to `target`.
    func exchange(_ quarantine: Quarantine, target: String) throws(StorageError) {
        let (complete, emptied) = (collection.path + Self.completeMark, collection.path + Self.emptiedMark)
        try fileSystem.writeAtomically(complete, [])
        if try fileSystem.kind(emptied) == nil {
            if try fileSystem.kind(directory) != nil { try quarantine.move(directory, to: target) }
            try fileSystem.syncDirectory(parentPath(directory))
            try fileSystem.writeAtomically(emptied, [])
        }
        try fileSystem.makeDirectories(directory)
        for name in try fileSystem.list(temporary) where name.hasSuffix(".wal") {
            try fileSystem.rename(temporary + "/" + name, to: directory + "/" + name)
        }
        try fileSystem.syncDirectory(directory)
        try fileSystem.unlink(complete)
        try fileSystem.syncDirectory(temporary)
        try fileSystem.removeTree(temporary)
        try fileSystem.syncDirectory(parentPath(directory))
    }
}
