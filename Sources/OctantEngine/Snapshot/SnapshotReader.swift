package import OctantModel
package import OctantStorage

/// Reads a snapshot archive front to back. Nothing in it is believed: every length is checked against the file, every
/// name against the rule for names, and the digest of the whole is compared before ``Block/end`` is returned.
package struct SnapshotReader {
    /// What comes next.
    package enum Block: Sendable {
        /// A collection; its files are next, for ``extract(_:to:leftOut:fileSystem:isCancelled:)``.
        case collection(SnapshotSection)
        /// Aliases and their collections.
        case aliases([String: String])
        /// The archive ended as it was written.
        case end
    }

    private static let pieceBytes = 1 << 20
    private static let collectionsMax = 1 << 20

    /// The beginning.
    package let header: SnapshotHeader
    /// Bytes of the archive.
    package let size: Int
    /// The SHA-256 of what was read: of the archive, after its end.
    package var checksum: String { hash.text }

    private let path: String
    private let file: any File
    private var hash = SHA256()
    private var offset = 0
    private var sections = 0
    private var sawAliases = false
    /// Whether bytes were passed over, so that the digest cannot be told.
    private var skipped = false

    /// Opens an archive. Throws `notFound`, `corrupt` or `incompatible`; links and devices are not opened.
    package init(path: String, fileSystem: any FileSystem) throws(StorageError) {
        guard case .file(let size)? = try fileSystem.kind(path) else {
            throw StorageError(.notFound, "\(path): there is no such file")
        }
        self.path = path
        file = try fileSystem.open(path, .read)
        self.size = size
        guard size >= SnapshotHeader.size else { throw StorageError(.corrupt, "\(path): not a snapshot of Octant") }
        let bytes = try Self.bytes(of: file, at: 0, count: SnapshotHeader.size)
        header = try SnapshotHeader.decode(bytes, path: path)
        hash.update(bytes)
        offset = bytes.count
    }

    /// Lets go of the file.
    package func close() { file.close() }

    /// The next block. Throws `corrupt` if it is not what was written.
    package mutating func next() throws(StorageError) -> Block {
        let start = offset
        let frame = try SnapshotFrame.decode(try read(SnapshotFrame.size), path: path, offset: start)
        if frame.kind == .end { return try end(frame) }
        let document = try read(frame.length)
        let crc = try ByteReader.reading(try read(4), name: path) { (reader) throws(StorageError) in
            try reader.u32()
        }
        guard crc == CRC32C.extend(0, document) else { throw damaged("wrong checksum of a document") }
        guard !sawAliases else { throw damaged("something after the aliases") }
        if frame.kind == .aliases {
            guard header.kind == .storage else { throw damaged("aliases in the snapshot of a collection") }
            sawAliases = true
            return .aliases(try Self.aliases(document, path))
        }
        sections += 1
        guard sections <= (header.kind == .storage ? Self.collectionsMax : 1) else {
            throw damaged("too many collections")
        }
        let section = try SnapshotSection.decode(document, path: path)
        guard section.absent.isEmpty || header.base != .zero || header.kind == .partial else {
            throw damaged("files are missing")
        }
        var left = size - offset
        for (place, entry) in section.files.enumerated() where !section.absent.contains(sorted: place) {
            guard entry.summary.size <= UInt64(left) else { throw damaged("files longer than the archive") }
            left -= Int(entry.summary.size)
        }
        return .collection(section)
    }

    /// Writes the files of a section into `folder`, which has the folders of an empty collection, and syncs them. Each is
    /// checked against its checksums on the way.
    ///
    /// - Parameters:
    ///   - leftOut: where the files are that the archive leaves out; those that are held were verified before.
    ///   - isCancelled: asked between pieces.
    package mutating func extract(
        _ section: SnapshotSection, to folder: String, leftOut: LeftOutFiles, fileSystem: any FileSystem,
        isCancelled: @escaping @Sendable () -> Bool
    ) throws(StorageError) {
        for segment in section.manifest.segments { try fileSystem.makeDirectory("\(folder)/s0/seg/\(segment.uuid)") }
        for (place, entry) in section.files.enumerated() {
            let target = SnapshotTarget(
                path: folder + "/" + entry.path, entry: entry, source: path, fileSystem: fileSystem)
            guard section.absent.contains(sorted: place) else {
                try target.fill(isCancelled: isCancelled) { (body) throws(StorageError) in
                    try pass(Int(entry.summary.size), body)
                }
                continue
            }
            switch leftOut {
            case .archives(let bases):
                try target.fill(isCancelled: isCancelled) { (body) throws(StorageError) in
                    try bases.read(entry, body)
                }
            case .held(let files): try files.link(entry, to: target.path)
            }
        }
        for segment in section.manifest.segments { try fileSystem.syncDirectory("\(folder)/s0/seg/\(segment.uuid)") }
        for part in ["/s0/seg", "/s0/del"] { try fileSystem.syncDirectory(folder + part) }
    }

    private mutating func end(_ frame: SnapshotFrame) throws(StorageError) -> Block {
        guard frame.length == 32, sawAliases == (header.kind == .storage), header.kind == .storage || sections == 1
        else { throw damaged("ends before it is complete") }
        let expected = hash.digest
        let digest = try read(32)
        guard offset == size else { throw damaged("\(size - offset) bytes after the end") }
        guard skipped || digest == expected else { throw damaged("the digest of the archive is wrong") }
        return .end
    }

    private static func aliases(_ bytes: [UInt8], _ path: String) throws(StorageError) -> [String: String] {
        try ByteReader.reading(bytes, name: path) { (reader) throws(StorageError) in
            var aliases: [String: String] = [:]
            for _ in 0..<(try reader.count(unit: 2)) {
                let alias = try reader.string()
                aliases[alias] = try reader.string()
            }
            try reader.finish()
            return aliases
        }
    }

    private func damaged(_ what: String) -> StorageError {
        StorageError(.corrupt, "\(path): the snapshot is damaged: \(what) (offset \(offset))")
    }

    /// A few bytes, all at once.
    private mutating func read(_ count: Int) throws(StorageError) -> [UInt8] {
        guard count <= size - offset else { throw damaged("it ends too soon") }
        let bytes = try Self.bytes(of: file, at: offset, count: count)
        hash.update(bytes)
        offset += count
        return bytes
    }

    private static func bytes(of file: any File, at offset: Int, count: Int) throws(StorageError) -> [UInt8] {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: max(1, count), alignment: 16)
        defer { buffer.deallocate() }
        guard try file.read(into: UnsafeMutableRawBufferPointer(rebasing: buffer[..<count]), at: offset) == count else {
            throw StorageError(.corrupt, "\(file.path): the snapshot is damaged: it ends too soon")
        }
        return Array(buffer[..<count])
    }

    /// Many bytes, piece by piece. They are read once, and do not stay in the system's cache.
    private mutating func pass(
        _ count: Int, _ body: (UnsafeRawBufferPointer) throws(StorageError) -> Void
    ) throws(StorageError) {
        guard count <= size - offset else { throw damaged("it ends too soon") }
        let buffer = UnsafeMutableRawBufferPointer.allocate(
            byteCount: max(1, min(count, Self.pieceBytes)), alignment: 4096)
        defer { buffer.deallocate() }
        let end = offset + count
        while offset < end {
            let piece = UnsafeMutableRawBufferPointer(rebasing: buffer[..<min(Self.pieceBytes, end - offset)])
            guard try file.read(into: piece, at: offset) == piece.count else { throw damaged("it ends too soon") }
            file.dropCached(offset..<(offset + piece.count))
            hash.update(UnsafeRawBufferPointer(piece))
            try body(UnsafeRawBufferPointer(piece))
            offset += piece.count
        }
    }

    /// What an archive says it holds, without its files being read.
    package static func contents(of path: String, fileSystem: any FileSystem) throws(StorageError) -> Contents {
        var reader = try SnapshotReader(path: path, fileSystem: fileSystem)
        defer { reader.close() }
        var contents = Contents(header: reader.header)
        while true {
            switch try reader.next() {
            case .collection(let section):
                contents.sections.append(section)
                for (place, entry) in section.files.enumerated() where !section.absent.contains(sorted: place) {
                    contents.places[entry] = reader.offset
                    reader.offset += Int(entry.summary.size)
                }
                reader.skipped = true
            case .aliases: break
            case .end: return contents
            }
        }
    }

    /// What an archive says it holds.
    package struct Contents: Sendable {
        package let header: SnapshotHeader
        package var sections: [SnapshotSection] = []
        /// Where the bytes of each file begin that it does not leave out.
        package var places: [SnapshotSection.Entry: Int] = [:]
    }
}

extension [Int] {
    /// Whether ascending numbers have this one among them.
    fileprivate func contains(sorted number: Int) -> Bool {
        var (low, high) = (0, count)
        while low < high {
            let middle = (low + high) / 2
            if self[middle] < number { low = middle + 1 } else { high = middle }
        }
        return low < count && self[low] == number
    }
}

/// A file on its way out of an archive.
private struct SnapshotTarget {
    let path: String
    let entry: SnapshotSection.Entry
    let source: String
    let fileSystem: any FileSystem

    typealias Body = (UnsafeRawBufferPointer) throws(StorageError) -> Void

    /// Writes what `read` hands out, compares it with the file's checksums and syncs it.
    func fill(
        isCancelled: @escaping @Sendable () -> Bool, _ read: (Body) throws(StorageError) -> Void
    ) throws(StorageError) {
        let out = try fileSystem.open(path, .create)
        defer { out.close() }
        var check = BlockFileCheck(path: "\(source) (\(entry.path))", expected: entry.summary, uuid: entry.segment)
        var written = 0
        try read { (bytes) throws(StorageError) in
            if isCancelled() { throw StorageError(.closed, "the database is closed") }
            try check.take(bytes)
            try out.write(bytes, at: written)
            written += bytes.count
        }
        try check.finish()
        try out.sync()
    }
}
