import OctantEngine
package import OctantModel
import OctantStorage
import Synchronization

/// A file on its way in or out, piece by piece: what is received is written to one, what is sent is read from one.
///
/// Room on the disk is reserved before the bytes come, so that a transfer that cannot be finished ends early, and never
/// takes the room that the log needs. One thread at a time.
package final class TransferFile: Sendable {
    /// The path.
    package let path: String
    private let file: any File
    private let extent = Mutex(Extent())

    private struct Extent {
        var written = 0
        var reserved = 0
    }

    /// Bytes that are reserved at once where nobody said how many come.
    private static let step = 64 << 20
    /// Bytes that are moved at once.
    package static let chunkBytes = 256 << 10

    private init(_ path: String, _ file: any File) {
        self.path = path
        self.file = file
    }

    // MARK: In

    /// A new, empty file; what was there is gone.
    package static func create(_ path: String) throws(OctantError) -> TransferFile {
        try converted { () throws(StorageError) in
            TransferFile(path, try LocalFileSystem().open(path, .createOrTruncate))
        }
    }

    /// Refuses what the disk of a folder has no room for beside what has to stay free.
    package static func checkRoom(for count: Int, in folder: String) throws(OctantError) {
        let space = try converted { () throws(StorageError) in
            // A folder that is not there yet will be made in the one above it.
            let exists = try LocalFileSystem().kind(folder) == .directory
            return try LocalFileSystem().freeSpace(exists ? folder : parentPath(folder))
        }
        let kept = min(512 << 20, space.total / 20)
        guard UInt64(clamping: count) <= space.available, space.available - UInt64(clamping: count) >= kept else {
            throw OctantError(
                .insufficientStorage,
                "No space left on device: \(count) bytes are to be stored, \(space.available) are free, and \(kept) "
                    + "of them stay so")
        }
    }

    /// Reserves the room of so many bytes in all.
    package func reserve(_ length: Int) throws(OctantError) {
        let missing = extent.withLock { length - $0.reserved }
        guard missing > 0 else { return }
        try Self.checkRoom(for: missing, in: parentPath(path))
        try Self.converted { () throws(StorageError) in try file.allocate(length) }
        extent.withLock { $0.reserved = length }
    }

    /// Writes bytes at the end.
    package func append(_ bytes: UnsafeRawBufferPointer) throws(OctantError) {
        let (start, reserved) = extent.withLock { ($0.written, $0.reserved) }
        let (end, overflows) = start.addingReportingOverflow(bytes.count)
        guard !overflows else {
            throw OctantError(.insufficientStorage, "No space left on device: the file is too long")
        }
        if end > reserved { try reserve(end + Self.step) }
        try Self.converted { () throws(StorageError) in try file.write(bytes, at: start) }
        extent.withLock { $0.written = end }
    }

    /// Bytes written so far.
    package var count: Int { extent.withLock { $0.written } }

    /// Gives back what was reserved and not written, and closes the file.
    package func finish() throws(OctantError) {
        let end = count
        try Self.converted { () throws(StorageError) in try file.truncate(to: end) }
        file.close()
    }

    /// Closes and removes the file.
    package func discard() {
        file.close()
        Self.remove(path)
    }

    /// Removes a file; whether it can be does not matter: what is left is removed at the next opening.
    package static func remove(_ path: String) { try? LocalFileSystem().unlink(path) }

    // MARK: Out

    /// An existing file, to be read.
    package static func open(_ path: String) throws(OctantError) -> TransferFile {
        try converted { () throws(StorageError) in TransferFile(path, try LocalFileSystem().open(path, .read)) }
    }

    /// Its length in bytes.
    package func size() throws(OctantError) -> Int {
        try Self.converted { () throws(StorageError) in try file.size() }
    }

    /// Reads a range, piece by piece. Throws if the file ends before it.
    package func read(
        _ range: Range<Int>, _ sink: (UnsafeRawBufferPointer) throws(OctantError) -> Void
    ) throws(OctantError) {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: Self.chunkBytes, alignment: 16)
        defer { buffer.deallocate() }
        var at = range.lowerBound
        while at < range.upperBound {
            let wanted = UnsafeMutableRawBufferPointer(rebasing: buffer[..<min(buffer.count, range.upperBound - at)])
            let count = try Self.converted { () throws(StorageError) in try file.read(into: wanted, at: at) }
            guard count == wanted.count else { throw OctantError(.service, "\(path): it ends at \(at + count)") }
            try sink(UnsafeRawBufferPointer(wanted))
            at += count
        }
    }

    /// Closes the file.
    package func close() { file.close() }

    private static func converted<Value>(_ body: () throws(StorageError) -> Value) throws(OctantError) -> Value {
        do throws(StorageError) { return try body() } catch { throw OctantError(error) }
    }
}
