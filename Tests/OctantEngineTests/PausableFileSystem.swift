import OctantEngine
import OctantStorage

/// The local file system with a lock around every change, so that a test can take the image a kill would leave: all
/// calls before a moment, none after it.
final class PausableFileSystem: FileSystem {
    private let base = LocalFileSystem()
    private let lock = Monitor(())

    /// Runs `body` while nothing changes.
    func paused<Result>(_ body: () throws -> Result) rethrows -> Result { try lock.withLock { _ in try body() } }

    fileprivate func change<Result>(
        _ body: () throws(StorageError) -> Result
    ) throws(StorageError) -> Result {
        try lock.withLock { (_) throws(StorageError) in try body() }
    }

    func open(_ path: String, _ mode: OpenMode) throws(StorageError) -> any File {
        PausableFile(try change { () throws(StorageError) in try base.open(path, mode) }, self)
    }
    func rename(_ from: String, to: String) throws(StorageError) {
        try change { () throws(StorageError) in try base.rename(from, to: to) }
    }
    func unlink(_ path: String) throws(StorageError) {
        try change { () throws(StorageError) in try base.unlink(path) }
    }
    func link(_ existing: String, to: String) throws(StorageError) {
        try change { () throws(StorageError) in try base.link(existing, to: to) }
    }
    func makeDirectory(_ path: String) throws(StorageError) {
        try change { () throws(StorageError) in try base.makeDirectory(path) }
    }
    func removeDirectory(_ path: String) throws(StorageError) {
        try change { () throws(StorageError) in try base.removeDirectory(path) }
    }
    func list(_ path: String) throws(StorageError) -> [String] { try base.list(path) }
    func syncDirectory(_ path: String) throws(StorageError) {}
    func kind(_ path: String) throws(StorageError) -> FileKind? { try base.kind(path) }
    func freeSpace(_ path: String) throws(StorageError) -> FreeSpace { try base.freeSpace(path) }
}

private final class PausableFile: File {
    private let base: any File
    private let owner: PausableFileSystem

    init(_ base: any File, _ owner: PausableFileSystem) {
        self.base = base
        self.owner = owner
    }

    var path: String { base.path }
    func size() throws(StorageError) -> Int { try base.size() }
    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int) throws(StorageError) -> Int {
        try base.read(into: buffer, at: offset)
    }
    func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) throws(StorageError) {
        try owner.change { () throws(StorageError) in try base.write(bytes, at: offset) }
    }
    func sync() throws(StorageError) {}
    func syncData() throws(StorageError) {}
    func truncate(to length: Int) throws(StorageError) {
        try owner.change { () throws(StorageError) in try base.truncate(to: length) }
    }
    func allocate(_ length: Int) throws(StorageError) {
        try owner.change { () throws(StorageError) in try base.allocate(length) }
    }
    func map(length: Int) throws(StorageError) -> MappedRegion { try base.map(length: length) }
    func tryLock() throws(StorageError) -> Bool { try base.tryLock() }
    func close() { base.close() }
}

/// Copies a folder with everything in it.
func copyTree(_ from: String, _ to: String) throws {
    let files = LocalFileSystem()
    guard try files.kind(from) == .directory else {
        let bytes = try files.readAll(from)
        let file = try files.open(to, .createOrTruncate)
        defer { file.close() }
        try bytes.withUnsafeBytes { try file.write($0, at: 0) }
        return
    }
    if try files.kind(to) != .directory { try files.makeDirectory(to) }
    for name in try files.list(from) { try copyTree(from + "/" + name, to + "/" + name) }
}
