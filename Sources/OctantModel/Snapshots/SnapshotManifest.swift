/// What a shard has: the immutable files of its state after one operation, for another that is asked what this one lacks.
///
/// Files are the same when path, size and checksum are. States are the same when ``state`` is, whatever the operations were
/// that led there.
public struct SnapshotManifest: Sendable, Hashable {
    /// A file.
    public struct File: Sendable, Hashable {
        /// Where it is below the collection's folder. It has the segment's UUID in it.
        public var path: String
        /// Its length in bytes.
        public var size: UInt64
        /// The file checksum that the collection's manifest has of it.
        public var checksum: UInt32

        /// A file.
        public init(path: String, size: UInt64, checksum: UInt32) {
            self.path = path
            self.size = size
            self.checksum = checksum
        }
    }

    /// The effect of all operations up to this one is in the files, and of no other.
    public var lsn: UInt64
    /// The SHA-256 of everything but the LSN: configuration, field indexes, segments and deletions; 64 hexadecimal digits.
    /// Empty: of nothing.
    public var state: String
    /// The files.
    public var files: [File]

    /// The only version so far.
    static let version = 1

    /// Of these files.
    public init(lsn: UInt64, state: String, files: [File]) {
        self.lsn = lsn
        self.state = state
        self.files = files
    }

    /// Of a shard that has nothing: whatever is asked for with it is sent whole.
    public static let empty = SnapshotManifest(lsn: 0, state: "", files: [])

    /// Reads what ``text`` gave. Throws `format` or `validation` if it is not that.
    public init(text: String) throws(OctantError) { try self.init(json: try JSONParser.parse(text)) }

    /// As JSON.
    public var text: String { JSONValue.object(json).text }
}

extension SnapshotManifest {
    /// Reads the JSON form; an empty object is ``empty``.
    package init(json: JSONValue) throws(OctantError) {
        let fields = try JSONFields(json, path: "")
        self = .empty
        if fields.object.pairs.isEmpty { return }
        guard let version = try fields.int("version") else {
            throw .json("missing field `version`: not a manifest of Octant")
        }
        guard version == Self.version else { throw .json("version: \(version) is not known, \(Self.version) is") }
        try fields.refuseUnknown(["version", "lsn", "state", "files"])
        guard let number = try fields.int("lsn"), let digest = try fields.string("state"),
            let list = try fields.array("files")
        else { throw .json("`lsn`, `state` and `files` are required") }
        guard digest.utf8.count == 64, digest.allSatisfy({ $0.isASCII && $0.isHexDigit }) else {
            throw .invalid("state", "64 hexadecimal digits are expected")
        }
        lsn = UInt64(number)
        state = digest
        files.reserveCapacity(list.count)
        for (place, value) in list.enumerated() {
            let file = try JSONFields(value, path: "files[\(place)]")
            try file.refuseUnknown(["path", "size", "checksum"])
            guard let path = try file.string("path"), let size = try file.int("size"),
                let checksum = try file.int("checksum", to: Int(UInt32.max))
            else { throw .json("files[\(place)]: `path`, `size` and `checksum` are required") }
            files.append(File(path: path, size: UInt64(size), checksum: UInt32(checksum)))
        }
    }

    /// The JSON form.
    package var json: JSONObject {
        [
            "version": .integer(Int64(Self.version)), "lsn": .integer(Int64(clamping: lsn)), "state": .string(state),
            "files": .array(
                files.map {
                    .object([
                        "path": .string($0.path), "size": .integer(Int64(clamping: $0.size)),
                        "checksum": .integer(Int64($0.checksum)),
                    ])
                }),
        ]
    }
}
