/// How a file is opened.
package enum OpenMode: Sendable, Equatable {
    /// An existing file, for reading.
    case read
    /// An existing file, for reading and writing.
    case readWrite
    /// A new file; fails when the name is taken.
    case create
    /// A new or emptied file.
    case createOrTruncate
    /// The existing file, or a new one.
    case createOrOpen
}

/// Free and total bytes of the file system a path is on.
package struct FreeSpace: Sendable, Equatable {
    /// Bytes an unprivileged process may still allocate.
    package var available: UInt64
    /// Size of the file system.
    package var total: UInt64
}

/// Every file operation of the project. Implemented by `LocalFileSystem`; wrapped by `FaultInjectingFileSystem`.
///
/// Durability contract: bytes written are durable after the file's `sync`; a created, renamed or removed name is
/// durable after `syncDirectory` of the folder that holds it.
package protocol FileSystem: Sendable {
    /// Opens a file.
    func open(_ path: String, _ mode: OpenMode) throws(StorageError) -> any File
    /// Renames atomically, replacing the target.
    func rename(_ from: String, to: String) throws(StorageError)
    /// Removes a file's name.
    func unlink(_ path: String) throws(StorageError)
    /// Gives a file a second name.
    func link(_ existing: String, to: String) throws(StorageError)
    /// Creates one folder; `.io(EEXIST)` when it is there.
    func makeDirectory(_ path: String) throws(StorageError)
    /// Removes an empty folder.
    func removeDirectory(_ path: String) throws(StorageError)
    /// The names in a folder, sorted, without `.` and `..`.
    func list(_ path: String) throws(StorageError) -> [String]
    /// Makes the names in a folder durable.
    func syncDirectory(_ path: String) throws(StorageError)
    /// Whether the path exists, and as what; `nil` when it does not.
    func kind(_ path: String) throws(StorageError) -> FileKind?
    /// Room left where `path` lies.
    func freeSpace(_ path: String) throws(StorageError) -> FreeSpace
}

/// What a path names.
package enum FileKind: Sendable, Equatable {
    /// A regular file, with its length in bytes.
    case file(Int)
    /// A folder.
    case directory
    /// Anything else: links, devices, sockets.
    case other
}

/// An open file. Closed by `close` or when the last reference goes.
package protocol File: AnyObject, Sendable {
    /// The path it was opened with.
    var path: String { get }
    /// Length in bytes.
    func size() throws(StorageError) -> Int
    /// Fills `buffer` from `offset`; the count is smaller than the buffer only at the end of the file.
    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int) throws(StorageError) -> Int
    /// Writes all of `bytes` at `offset`.
    func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) throws(StorageError)
    /// fsync: contents and metadata are on the device.
    func sync() throws(StorageError)
    /// fdatasync: contents, and the metadata needed to read them, are on the device.
    func syncData() throws(StorageError)
    /// Sets the length.
    func truncate(to length: Int) throws(StorageError)
    /// Reserves blocks for the first `length` bytes and makes the file that long.
    func allocate(_ length: Int) throws(StorageError)
    /// Maps the first `length` bytes read-only. The mapping outlives the file object.
    func map(length: Int) throws(StorageError) -> MappedRegion
    /// Lets the system drop what it caches of a range. A hint, and nothing where there is no such cache.
    func dropCached(_ range: Range<Int>)
    /// Where the next bytes from `offset` on may lie that are not zeros; the file's end or more if there are none. A hint
    /// of file systems that know what was never written: `offset` is always right.
    func nextData(from offset: Int) -> Int
    /// Takes an exclusive lock on the file without waiting; `false` when another holder has it.
    func tryLock() throws(StorageError) -> Bool
    /// Closes the descriptor; later calls fail with `.closed`. Safe to call twice.
    func close()
}

extension File {
    package func dropCached(_ range: Range<Int>) {}
    package func nextData(from offset: Int) -> Int { offset }
}

extension FileSystem {
    /// Creates a folder and the missing ones above it, syncing each parent.
    package func makeDirectories(_ path: String) throws(StorageError) {
        if try kind(path) == .directory { return }
        let parent = parentPath(path)
        if parent != path { try makeDirectories(parent) }
        do { try makeDirectory(path) } catch {
            guard try kind(path) == .directory else { throw error }
        }
        try syncDirectory(parent)
    }

    /// Removes a file or a folder with everything in it. A missing path is fine. Does not follow links.
    package func removeTree(_ path: String) throws(StorageError) {
        guard let kind = try kind(path) else { return }
        guard kind == .directory else { return try unlink(path) }
        for name in try list(path) { try removeTree(path + "/" + name) }
        try removeDirectory(path)
    }

    /// The whole file; refused with `.corrupt` when it is longer than `limit`.
    package func readAll(_ path: String, limit: Int = 1 << 30) throws(StorageError) -> [UInt8] {
        let file = try open(path, .read)
        defer { file.close() }
        let size = try file.size()
        guard size <= limit else { throw StorageError(.corrupt, "\(path): \(size) bytes, at most \(limit) expected") }
        var bytes = [UInt8](repeating: 0, count: size)
        var failure: StorageError?
        let count = bytes.withUnsafeMutableBytes { buffer -> Int in
            do throws(StorageError) { return try file.read(into: buffer, at: 0) } catch {
                failure = error
                return 0
            }
        }
        if let failure { throw failure }
        if count < size { bytes.removeLast(size - count) }
        return bytes
    }

    /// Writes a whole file under a temporary name, syncs it, renames it and syncs the folder: after a crash the
    /// old or the new content is there.
    package func writeAtomically(_ path: String, _ bytes: [UInt8]) throws(StorageError) {
        let temporary = path + ".tmp"
        do throws(StorageError) {
            try writeAndSync(temporary, bytes)
            try rename(temporary, to: path)
        } catch {
            // The temporary file is of no use to anybody; the first error is the one to report.
            try? unlink(temporary)
            throw error
        }
        try syncDirectory(parentPath(path))
    }

    /// Writes and syncs one file, without the rename.
    func writeAndSync(_ path: String, _ bytes: [UInt8]) throws(StorageError) {
        let file = try open(path, .createOrTruncate)
        defer { file.close() }
        try bytes.withRawBytes { (raw) throws(StorageError) in try file.write(raw, at: 0) }
        try file.sync()
    }
}

/// The folder part of a path.
package func parentPath(_ path: String) -> String {
    guard let slash = lastSlash(path) else { return "." }
    return slash == path.startIndex ? "/" : String(path[..<slash])
}

/// The last component of a path.
package func lastPathComponent(_ path: String) -> String {
    guard let slash = lastSlash(path) else { return path }
    return String(path[path.utf8.index(after: slash)...])
}

/// By bytes: a slash is one everywhere, and characters take long to find.
private func lastSlash(_ path: String) -> String.Index? { path.utf8.lastIndex(of: UInt8(ascii: "/")) }
