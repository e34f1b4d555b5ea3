extension WriteAheadLog {
    static func logPath(_ directory: String, _ sequence: UInt64) -> String {
        "\(directory)/\(hexName(sequence)).wal"
    }

    static func sparePath(_ directory: String, _ number: UInt64) -> String {
        "\(directory)/spare-\(hexName(number)).wal"
    }

    /// The number in a spare file's name.
    static func spareNumber(_ name: String) -> UInt64? {
        guard name.hasPrefix("spare-"), name.hasSuffix(".wal") else { return nil }
        return parseHexName(name.dropFirst(6).dropLast(4))
    }

    /// The sequence number in a log file's name.
    static func sequence(_ name: String) -> UInt64? {
        name.hasSuffix(".wal") ? parseHexName(name.dropLast(4)) : nil
    }

    /// Creates a fully allocated file; leaves nothing behind when there is no room.
    static func createSpare(
        _ directory: String, number: UInt64, capacity: Int, fileSystem: any FileSystem
    ) throws(StorageError) -> SpareFile {
        let path = sparePath(directory, number)
        let file = try fileSystem.open(path, .create)
        do throws(StorageError) { try file.allocate(capacity) } catch {
            file.close()
            // The failed allocation is the error to report; a left-over spare is found at the next opening.
            try? fileSystem.unlink(path)
            throw error
        }
        return SpareFile(file: file, capacity: capacity)
    }

    /// A new spare. The monitor is locked: one call per file, and quick where the file system can preallocate.
    func allocateSpare() throws(StorageError) -> SpareFile {
        state.spareNumber &+= 1
        return try WriteAheadLog.createSpare(
            directory, number: state.spareNumber, capacity: options.fileBytes, fileSystem: fileSystem)
    }

    /// Gives up records up to `lsn`: call it when a checkpoint that covers them is durable. Files that hold nothing
    /// newer are kept as spares (`retainClosed`) or removed. What cannot be removed is removed at the next opening.
    package func truncate(through lsn: LSN) {
        monitor.lock()
        var files: [ClosedFile] = []
        while let oldest = state.closedFiles.first, oldest.lastLSN <= lsn {
            files.append(oldest)
            state.closedFiles.removeFirst()
        }
        var keep = max(0, options.retainClosed + 1 - state.spares.count)
        monitor.unlock()
        guard !files.isEmpty else { return }
        var renamed: [String] = []
        for file in files {
            if keep > 0, let path = setAside(file.path) {
                renamed.append(path)
                keep -= 1
            } else {
                try? fileSystem.unlink(file.path)
            }
        }
        // The old names must be gone for good before the files get new content.
        guard (try? fileSystem.syncDirectory(directory)) != nil else { return }
        var spares: [SpareFile] = []
        for path in renamed {
            guard let file = try? fileSystem.open(path, .readWrite), let size = try? file.size() else { continue }
            if size >= options.fileBytes { spares.append(SpareFile(file: file, capacity: size, isUsed: true)) }
        }
        monitor.lock()
        defer { monitor.unlock() }
        state.spares.append(contentsOf: spares)
    }

    /// Renames a log file to a spare's name.
    private func setAside(_ path: String) -> String? {
        monitor.lock()
        state.spareNumber &+= 1
        let spare = WriteAheadLog.sparePath(directory, state.spareNumber)
        monitor.unlock()
        return (try? fileSystem.rename(path, to: spare)) == nil ? nil : spare
    }
}
