/// The file `RECOVERING` of a collection: it is there while the log is replayed, and so tells of a replay that ended the
/// process.
///
///     0  magic "OCTANTRC"    8  attempts u32    12 repeats u32    16 LSN u64    24 zero u32
///     28 CRC-32C of bytes 0–27
///
/// The first attempt notes nothing but itself. Later ones note each operation before it is applied: 32 bytes to the page
/// cache, which survive the process. The LSN is 0 while none is being applied, so that a kill from outside is hardly ever
/// taken for a crash of an operation.
package final class ReplayMarker {
    /// What is in the file.
    package struct Content: Sendable, Equatable {
        /// Replays that were begun.
        package var attempts: UInt32
        /// How often in a row one ended while ``lsn`` was applied.
        package var repeats: UInt32
        /// The operation being applied; 0: none, or it is not known.
        package var lsn: LSN
    }

    /// Crashes at one operation after which it is not tried again.
    package static let repeatsMax: UInt32 = 3
    /// The file's name.
    package static let name = "RECOVERING"
    static let size = 32
    private static let magic = Array("OCTANTRC".utf8)

    private let path: String
    private let fileSystem: any FileSystem
    private var content: Content
    private var before: Content?
    private var file: (any File)?

    /// What an earlier replay left; `nil` if the last one came through. A damaged file counts as one attempt.
    package static func read(_ folder: String, _ fileSystem: any FileSystem) throws(StorageError) -> Content? {
        let path = folder + "/" + name
        guard case .file? = try fileSystem.kind(path) else { return nil }
        let bytes = try fileSystem.readAll(path, limit: 1 << 16)
        do throws(StorageError) { return try decode(bytes) } catch {
            return Content(attempts: 1, repeats: 0, lsn: 0)
        }
    }

    /// Reads the 32 bytes; throws `corrupt`.
    package static func decode(_ bytes: [UInt8]) throws(StorageError) -> Content {
        try ByteReader.reading(bytes, name: name) { (reader) throws(StorageError) in
            guard try reader.raw(8).elementsEqual(magic) else { throw reader.damaged("wrong magic") }
            let content = Content(attempts: try reader.u32(), repeats: try reader.u32(), lsn: try reader.u64())
            try reader.skip(4)
            guard try reader.u32() == CRC32C.extend(0, Array(bytes[..<28])) else {
                throw reader.damaged("wrong checksum")
            }
            try reader.finish()
            return content
        }
    }

    /// The operation that ended the process ``repeatsMax`` times in a row, if one did: replay must stop before it.
    package static func poison(_ content: Content?) -> LSN? {
        guard let content, content.lsn > 0, content.repeats + 1 >= repeatsMax else { return nil }
        return content.lsn
    }

    /// Notes that a replay begins. `before` is what an earlier one left.
    package init(_ folder: String, after before: Content?, _ fileSystem: any FileSystem) throws(StorageError) {
        path = folder + "/" + Self.name
        self.fileSystem = fileSystem
        self.before = before
        content = Content(attempts: (before?.attempts ?? 0) &+ 1, repeats: 0, lsn: 0)
        let file = try fileSystem.open(path, .createOrTruncate)
        self.file = file
        // A crash before the first operation must not forget those of the attempts before.
        if let before, before.lsn > 0 {
            content.lsn = before.lsn
            content.repeats = before.repeats
            try write(file)
            content.lsn = 0
        } else {
            try write(file)
        }
    }

    /// Notes that `lsn` is going to be applied; 0: no operation is.
    package func note(_ lsn: LSN) throws(StorageError) {
        guard let file, before != nil else { return }
        content.lsn = lsn
        content.repeats = lsn > 0 && lsn == before?.lsn ? (before?.repeats ?? 0) &+ 1 : 0
        try write(file)
    }

    /// The replay came through, or stopped for a reason that is known.
    package func finish() {
        file?.close()
        file = nil
        // One that stays counts as one more attempt, which alone has no consequence.
        try? fileSystem.unlink(path)
    }

    private func write(_ file: any File) throws(StorageError) {
        var writer = ByteWriter(capacity: Self.size)
        writer.raw(Self.magic)
        writer.u32(content.attempts)
        writer.u32(content.repeats)
        writer.u64(content.lsn)
        writer.u32(0)
        writer.u32(CRC32C.extend(0, writer.bytes))
        try writer.bytes.withRawBytes { (raw) throws(StorageError) in try file.write(raw, at: 0) }
    }
}
