package import OctantModel
package import OctantStorage

/// Everything that decides what data a collection has. Published whole, one generation after another; its bytes are
/// specified in `docs/format/collection-manifest.md`.
package struct Manifest: Sendable {
    /// The configuration, as the JSON of `GET /collections/{name}`.
    package var config: CollectionConfig
    /// Field indexes every segment has.
    package var fieldIndexes: [FieldIndexEntry] = []
    /// The operations up to this LSN are in the segments and deletion bitmaps; the log holds the rest.
    package var checkpoint: LSN = 0
    /// The segments.
    package var segments: [SegmentEntry] = []

    /// A field index: its key and kind.
    package struct FieldIndexEntry: Sendable, Hashable {
        package var key: PayloadPath
        package var schema: FieldIndexSchema

        /// An index of `key`.
        package init(key: PayloadPath, schema: FieldIndexSchema) {
            self.key = key
            self.schema = schema
        }
    }

    /// The first manifest of a collection.
    package init(config: CollectionConfig) { self.config = config }

    /// The bytes of the manifest.
    package func encoded() -> [UInt8] {
        var out = ByteWriter(capacity: 4096)
        out.u32(1)
        out.string(config.json.text)
        out.varint(UInt64(fieldIndexes.count))
        for index in fieldIndexes {
            out.string(index.key.description)
            out.string(index.schema.type.rawValue)
            out.bytes(index.schema.params?.bytes ?? [])
        }
        out.u64(checkpoint)
        out.varint(UInt64(segments.count))
        for segment in segments { segment.encode(into: &out) }
        return out.bytes
    }

    /// Reads a manifest; throws `corrupt` if the bytes are not one.
    package init(_ bytes: [UInt8]) throws(StorageError) {
        self = try ByteReader.reading(bytes, name: "manifest") { (reader: inout ByteReader) throws(StorageError) in
            try Manifest(&reader)
        }
    }

    private init(_ reader: inout ByteReader) throws(StorageError) {
        guard try reader.u32() == 1 else { throw reader.damaged("unknown manifest format") }
        let text = Array(try reader.bytes())
        do throws(OctantError) {
            config = try CollectionConfig(json: try JSONParser.parse(text))
        } catch {
            throw reader.damaged("configuration: \(error.message)")
        }
        for _ in 0..<(try reader.count()) {
            let text = try reader.string()
            let type = try reader.string()
            let params = Array(try reader.bytes())
            // The error below says more than the path's own.
            guard let path = try? PayloadPath(text), let kind = FieldIndexType(rawValue: type) else {
                throw reader.damaged("field index \(text) of type \(type)")
            }
            let schema = FieldIndexSchema(type: kind, params: params.isEmpty ? nil : Payload(bytes: params))
            fieldIndexes.append(FieldIndexEntry(key: path, schema: schema))
        }
        checkpoint = try reader.u64()
        for _ in 0..<(try reader.count()) { segments.append(try SegmentEntry(&reader)) }
        try reader.finish()
    }
}

/// One segment in the manifest.
package struct SegmentEntry: Sendable, Hashable {
    /// The segment's folder.
    package var uuid: UUIDBytes
    /// Rows, dead ones included.
    package var rowCount: Int
    /// Its immutable files.
    package var files: [FileEntry]
    /// The bitmap of rows dead at the manifest's checkpoint; `nil` if all live.
    package var deletions: FileSummary?
    /// Rows set in the bitmap.
    package var deletedCount: Int
    /// The largest LSN of its rows.
    package var lastLSN: LSN

    /// What a file holds.
    package enum Role: UInt8, Sendable {
        case ids = 1
        case payload = 2
        case vectors = 3
        case presence = 4
        case codes = 5
        case graph = 6
        case fieldIndex = 7
        case sparse = 8
        case multivectors = 9
        case lengths = 10
        case inlineGraph = 11
    }

    /// A file and what it holds: of which vector, or of which key.
    package struct FileEntry: Sendable, Hashable {
        package var role: Role
        package var subject: String
        /// For a graph or codes: the parameters they were made with, to notice a change of configuration.
        package var parameters: String
        package var summary: FileSummary
    }

    /// The file of this role about this vector or key.
    package func file(_ role: Role, _ subject: String = "") -> FileEntry? {
        files.first { $0.role == role && $0.subject == subject }
    }

    /// A segment of these files, all its rows alive.
    package init(uuid: UUIDBytes, rowCount: Int, files: [FileEntry], lastLSN: LSN) {
        self.uuid = uuid
        self.rowCount = rowCount
        self.files = files
        self.lastLSN = lastLSN
        deletions = nil
        deletedCount = 0
    }

    fileprivate func encode(into out: inout ByteWriter) {
        out.uuid(uuid)
        out.u64(UInt64(rowCount))
        out.u64(UInt64(deletedCount))
        out.u64(lastLSN)
        out.u8(deletions == nil ? 0 : 1)
        if let deletions { deletions.encode(&out) }
        out.varint(UInt64(files.count))
        for file in files {
            out.u8(file.role.rawValue)
            out.string(file.subject)
            out.string(file.parameters)
            file.summary.encode(&out)
        }
    }

    fileprivate init(_ reader: inout ByteReader) throws(StorageError) {
        uuid = try reader.uuid()
        guard let rows = Int(exactly: try reader.u64()), let deleted = Int(exactly: try reader.u64()),
            rows < Int(UInt32.max), deleted <= rows
        else { throw reader.damaged("impossible row count") }
        rowCount = rows
        deletedCount = deleted
        lastLSN = try reader.u64()
        deletions = try reader.u8() == 0 ? nil : try FileSummary.decode(&reader)
        files = []
        for _ in 0..<(try reader.count()) {
            guard let role = Role(rawValue: try reader.u8()) else { throw reader.damaged("unknown role of a file") }
            let subject = try reader.string()
            let parameters = try reader.string()
            files.append(
                FileEntry(
                    role: role, subject: subject, parameters: parameters, summary: try FileSummary.decode(&reader)))
        }
    }
}
