package import OctantModel
package import OctantStorage

/// The beginning of a snapshot archive; `docs/format/snapshot.md` specifies every byte.
package struct SnapshotHeader: Sendable, Hashable {
    /// What an archive holds.
    package enum Kind: UInt8, Sendable {
        /// One collection.
        case collection = 1
        /// All collections and aliases of a data folder.
        case storage = 2
        /// One collection, without the files that the one it is for has.
        case partial = 3
    }

    /// What the archive holds.
    package var kind: Kind
    /// Names the archive for ever.
    package var archive: UUIDBytes
    /// When it was begun, in milliseconds since 1970.
    package var creation: Int64
    /// The archive that has the files this one leaves out; zero: it leaves out none.
    package var base: UUIDBytes

    static let size = 64
    static let magic = Array("OCTANTSN".utf8)
    static let version: UInt16 = 1

    /// A header of these.
    package init(kind: Kind, archive: UUIDBytes, creation: Int64, base: UUIDBytes = .zero) {
        self.kind = kind
        self.archive = archive
        self.creation = creation
        self.base = base
    }

    func encoded() -> [UInt8] {
        var out = ByteWriter(capacity: Self.size)
        out.raw(Self.magic)
        out.u16(Self.version)
        out.u16(0)
        out.u8(kind.rawValue)
        out.raw([0, 0, 0])
        out.uuid(archive)
        out.i64(creation)
        out.uuid(base)
        out.u32(0)
        out.u32(CRC32C.extend(0, out.bytes))
        return out.bytes
    }

    static func decode(_ bytes: [UInt8], path: String) throws(StorageError) -> SnapshotHeader {
        try ByteReader.reading(bytes, name: path) { (reader) throws(StorageError) in
            guard bytes.count == size, try reader.raw(8).elementsEqual(magic) else {
                throw StorageError(.corrupt, "\(path): not a snapshot of Octant")
            }
            let version = try reader.u16()
            let flags = try reader.u16()
            let kind = try reader.u8()
            let padding = Array(try reader.raw(3))
            let archive = try reader.uuid()
            let creation = try reader.i64()
            let base = try reader.uuid()
            let zero = try reader.u32()
            guard try reader.u32() == CRC32C.extend(0, Array(bytes[..<60])) else {
                throw reader.damaged("wrong header checksum")
            }
            guard version <= Self.version, flags == 0, let kind = Kind(rawValue: kind) else {
                throw StorageError(.incompatible, "\(path): written by a newer version (\(version), flags \(flags))")
            }
            guard padding == [0, 0, 0], zero == 0, kind != .partial || base == .zero else {
                throw reader.damaged("header is not zero where it must be")
            }
            return SnapshotHeader(kind: kind, archive: archive, creation: creation, base: base)
        }
    }
}

/// What stands before each block of an archive: kind and length of the document that follows.
struct SnapshotFrame: Sendable {
    enum Kind: UInt32, Sendable {
        /// A collection: its document, and the bytes of its files after that.
        case collection = 1
        /// The aliases of a storage archive.
        case aliases = 2
        /// The digest of all before it. Nothing follows.
        case end = 3
    }

    var kind: Kind
    var length: Int

    static let size = 16
    /// The longest document: far more than any collection needs.
    static let documentMax = 256 << 20

    func encoded() -> [UInt8] {
        var out = ByteWriter(capacity: Self.size)
        out.u32(kind.rawValue)
        out.u64(UInt64(length))
        out.u32(CRC32C.extend(0, out.bytes))
        return out.bytes
    }

    static func decode(_ bytes: [UInt8], path: String, offset: Int) throws(StorageError) -> SnapshotFrame {
        try ByteReader.reading(bytes, name: path) { (reader) throws(StorageError) in
            let kind = try reader.u32()
            let length = try reader.u64()
            guard try reader.u32() == CRC32C.extend(0, Array(bytes[..<12])), let kind = Kind(rawValue: kind),
                length <= UInt64(documentMax)
            else { throw StorageError(.corrupt, "\(path): damaged frame at offset \(offset)") }
            return SnapshotFrame(kind: kind, length: Int(length))
        }
    }
}

/// One collection in an archive.
package struct SnapshotSection: Sendable {
    /// Its name when the snapshot was taken.
    package var name: String
    /// Its UUID then. It comes back under another.
    package var uuid: UUIDBytes
    /// The snapshot holds the effect of all operations up to this one, and of no other.
    package var lsn: LSN
    /// Configuration, field indexes and segments.
    package var manifest: Manifest
    /// What was measured of its searches, in the form of ``TuningStore/Content``; empty: nothing.
    package var tuning: [UInt8]
    /// Files that are left out, because the base archive or who asked for this one has them, as places in ``files``, ascending.
    package var absent: [Int]

    private static let format: UInt32 = 1
    /// More segments than any collection has.
    private static let segmentsMax = 1 << 20

    /// A file of the collection.
    package struct Entry: Sendable, Hashable {
        /// Where it is below the collection's folder.
        package var path: String
        /// The segment it is of.
        package var segment: UUIDBytes
        /// Name, size and checksum.
        package var summary: FileSummary
    }

    init(name: String, uuid: UUIDBytes, manifest: Manifest, tuning: [UInt8], absent: [Int] = []) {
        self.name = name
        self.uuid = uuid
        lsn = manifest.checkpoint
        self.manifest = manifest
        self.tuning = tuning
        self.absent = absent
    }

    /// Its files, in the order in which their bytes follow.
    package var files: [Entry] { manifest.segments.flatMap(\.snapshotEntries) }

    func encoded() -> [UInt8] {
        var out = ByteWriter(capacity: 8192)
        out.u32(Self.format)
        out.string(name)
        out.uuid(uuid)
        out.u64(lsn)
        out.bytes(manifest.encoded())
        out.bytes(tuning)
        out.varint(UInt64(absent.count))
        for place in absent { out.varint(UInt64(place)) }
        return out.bytes
    }

    /// Reads a section. What it says is checked as far as it can be without the files: they are all named once, by names
    /// that cannot lead out of their folder.
    package static func decode(_ bytes: [UInt8], path: String) throws(StorageError) -> SnapshotSection {
        try ByteReader.reading(bytes, name: path) { (reader) throws(StorageError) in
            guard try reader.u32() == format else { throw reader.damaged("unknown format of a collection") }
            let name = try reader.string()
            let uuid = try reader.uuid()
            let lsn = try reader.u64()
            let manifest = try Manifest(Array(try reader.bytes()))
            let tuning = Array(try reader.bytes())
            if !tuning.isEmpty { _ = try TuningStore.Content(tuning) }
            var absent: [Int] = []
            for _ in 0..<(try reader.count()) { absent.append(Int(clamping: try reader.varint())) }
            try reader.finish()
            var section = SnapshotSection(name: name, uuid: uuid, manifest: manifest, tuning: tuning)
            section.absent = absent
            guard lsn == manifest.checkpoint, lsn < 1 << 62, manifest.segments.count <= segmentsMax else {
                throw reader.damaged("impossible checkpoint or number of segments")
            }
            let files = section.files
            guard Set(files.map(\.path)).count == files.count,
                Set(manifest.segments.map(\.uuid)).count == manifest.segments.count,
                files.allSatisfy({ $0.summary.hasSafeName && $0.summary.size < 1 << 62 }),
                manifest.segments.allSatisfy({ $0.lastLSN <= lsn }),
                zip(absent, absent.dropFirst()).allSatisfy({ $0 < $1 }), absent.last ?? -1 < files.count
            else { throw reader.damaged("impossible list of files") }
            return section
        }
    }
}

extension SegmentEntry {
    /// The segment's files and its bitmap.
    fileprivate var snapshotEntries: [SnapshotSection.Entry] {
        files.map {
            SnapshotSection.Entry(path: "s0/seg/\(uuid)/\($0.summary.name)", segment: uuid, summary: $0.summary)
        }
            + (deletions.map { [SnapshotSection.Entry(path: "s0/del/\($0.name)", segment: uuid, summary: $0)] } ?? [])
    }
}

extension FileSummary {
    /// Whether the name can be nothing but that of a file in its folder.
    fileprivate var hasSafeName: Bool { SnapshotName.isValid(name) }
}
