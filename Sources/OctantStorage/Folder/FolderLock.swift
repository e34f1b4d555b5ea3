#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// Holds a data folder for this process: an flock on its `LOCK` file, which names the holder.
///
/// The kernel drops the lock when the process ends in any way, so a stale `LOCK` never has to be removed.
package final class FolderLock: Sendable {
    /// The locked folder.
    package let directory: String
    private let file: any File

    /// Takes the lock of `directory`, or throws `.locked` naming the folder and the holder's process id.
    ///
    /// Call `SuperblockStore.inspect` before: locking a foreign folder would leave a file in it.
    package init(directory: String, fileSystem: any FileSystem) throws(StorageError) {
        self.directory = directory
        let path = directory + "/LOCK"
        file = try fileSystem.open(path, .createOrOpen)
        guard try file.tryLock() else {
            let holder = FolderLock.holder(of: file)
            file.close()
            throw StorageError(
                .locked, "the data folder \(directory) is in use by another process (pid \(holder ?? "unknown"))")
        }
        let text = Array("\(getpid()) \(time(nil))\n".utf8)
        try file.truncate(to: 0)
        try text.withRawBytes { (raw) throws(StorageError) in try file.write(raw, at: 0) }
    }

    /// Gives the folder free.
    package func release() { file.close() }

    /// The process id in the file, when it is readable.
    private static func holder(of file: any File) -> String? {
        var bytes = [UInt8](repeating: 0, count: 64)
        let count = bytes.withUnsafeMutableBytes { buffer in
            // Only decorates the message: a holder that cannot be read is "unknown".
            (try? file.read(into: buffer, at: 0)) ?? 0
        }
        let digits = bytes[..<count].prefix { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
        return digits.isEmpty ? nil : String(decoding: digits, as: UTF8.self)
    }
}
