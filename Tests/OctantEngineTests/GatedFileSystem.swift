import OctantEngine
import OctantStorage

/// A file system that holds up whoever makes a file of a certain kind, until it is opened: jobs can be looked at in the
/// middle.
final class GatedFileSystem: FileSystem {
    private struct Gate {
        var isOpen = true
        var waiting = 0
    }

    private let base: PausableFileSystem
    private let isGated: @Sendable (String) -> Bool
    private let gate = Monitor(Gate())

    /// - Parameter prefix: what the names of such files begin with.
    init(_ base: PausableFileSystem, prefix: String) {
        self.base = base
        isGated = { $0.split(separator: "/").last?.hasPrefix(prefix) == true }
    }

    /// - Parameter folder: the name of the folder of such files.
    init(_ base: PausableFileSystem, folder: String) {
        self.base = base
        isGated = { $0.split(separator: "/").dropLast().last.map(String.init) == folder }
    }

    func close() { gate.change { $0.isOpen = false } }
    func open() { gate.change { $0.isOpen = true } }
    /// How many wait.
    var waiting: Int { gate.withLock { $0.waiting } }
    /// Waits until so many wait.
    func wait(for count: Int) { gate.wait { $0.waiting >= count ? () : nil } }

    func open(_ path: String, _ mode: OpenMode) throws(StorageError) -> any File {
        if mode == .create, isGated(path) {
            gate.change { $0.waiting += 1 }
            gate.wait { $0.isOpen ? () : nil }
            gate.change { $0.waiting -= 1 }
        }
        return try base.open(path, mode)
    }

    func rename(_ from: String, to: String) throws(StorageError) { try base.rename(from, to: to) }
    func unlink(_ path: String) throws(StorageError) { try base.unlink(path) }
    func link(_ existing: String, to: String) throws(StorageError) { try base.link(existing, to: to) }
    func makeDirectory(_ path: String) throws(StorageError) { try base.makeDirectory(path) }
    func removeDirectory(_ path: String) throws(StorageError) { try base.removeDirectory(path) }
    func list(_ path: String) throws(StorageError) -> [String] { try base.list(path) }
    func syncDirectory(_ path: String) throws(StorageError) { try base.syncDirectory(path) }
    func kind(_ path: String) throws(StorageError) -> FileKind? { try base.kind(path) }
    func freeSpace(_ path: String) throws(StorageError) -> FreeSpace { try base.freeSpace(path) }
}
