package import OctantModel
package import OctantStorage

/// Writes a snapshot archive front to back, so that it can go straight to a client.
///
/// Every file is checked against its checksums as it is read: what is damaged does not get into an archive.
package struct SnapshotWriter {
    /// Where the bytes go.
    package typealias Sink = (UnsafeRawBufferPointer) throws(OctantError) -> Void

    private var hash = SHA256()
    private let isCancelled: @Sendable () -> Bool
    /// Bytes of the archive so far.
    package private(set) var size = 0
    /// The SHA-256 of the archive so far.
    package var checksum: String { hash.text }

    /// Begins an archive. `isCancelled` is asked between pieces of files.
    package init(
        _ header: SnapshotHeader, isCancelled: @escaping @Sendable () -> Bool, to sink: Sink
    ) throws(OctantError) {
        self.isCancelled = isCancelled
        try emit(header.encoded(), to: sink)
    }

    /// Adds a collection.
    ///
    /// - Parameter isAbsent: whether a file is left out, because the archive's base or who asked for it has it.
    package mutating func add(
        _ name: String, _ uuid: UUIDBytes, _ shard: PinnedShard,
        without isAbsent: (SnapshotSection.Entry) -> Bool = { _ in false }, to sink: Sink
    ) throws(OctantError) {
        var section = SnapshotSection(name: name, uuid: uuid, manifest: shard.manifest, tuning: shard.tuning)
        let entries = section.files
        section.absent = entries.indices.filter { isAbsent(entries[$0]) }
        try add(.collection, section.encoded(), to: sink)
        let absent = Set(section.absent)
        for (place, entry) in entries.enumerated() where !absent.contains(place) {
            let file: any File
            do throws(StorageError) { file = try shard.file(place) } catch { throw OctantError(error) }
            defer { file.close() }
            try file.readVerified(entry, isCancelled: isCancelled) { (piece) throws(OctantError) in
                try emit(piece, to: sink)
            }
        }
    }

    /// Adds the aliases of a storage archive.
    package mutating func add(aliases: [String: String], to sink: Sink) throws(OctantError) {
        var out = ByteWriter()
        out.varint(UInt64(aliases.count))
        for (alias, name) in aliases.sorted(by: { $0.key < $1.key }) {
            out.string(alias)
            out.string(name)
        }
        try add(.aliases, out.bytes, to: sink)
    }

    /// Ends the archive.
    package mutating func finish(to sink: Sink) throws(OctantError) {
        try emit(SnapshotFrame(kind: .end, length: 32).encoded(), to: sink)
        try emit(hash.digest, to: sink)
    }

    private mutating func add(
        _ kind: SnapshotFrame.Kind, _ document: [UInt8], to sink: Sink
    ) throws(OctantError) {
        guard document.count <= SnapshotFrame.documentMax else {
            throw OctantError(.service, "the description of the collection is too long for a snapshot")
        }
        try emit(SnapshotFrame(kind: kind, length: document.count).encoded(), to: sink)
        try emit(document, to: sink)
        var crc = ByteWriter()
        crc.u32(CRC32C.extend(0, document))
        try emit(crc.bytes, to: sink)
    }

    private mutating func emit(_ bytes: [UInt8], to sink: Sink) throws(OctantError) {
        try bytes.withRawBytes { (raw) throws(OctantError) in try emit(raw, to: sink) }
    }

    private mutating func emit(_ bytes: UnsafeRawBufferPointer, to sink: Sink) throws(OctantError) {
        hash.update(bytes)
        size += bytes.count
        try sink(bytes)
    }
}
