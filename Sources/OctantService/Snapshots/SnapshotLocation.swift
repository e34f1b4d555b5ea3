package import OctantModel

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// Where a snapshot to recover from is.
package enum SnapshotLocation: Sendable, Hashable {
    /// A file of this machine: an absolute path.
    case file(String)
    /// A URL of `http` or `https`.
    case remote(String)

    /// Reads a `location`, or what has that form under another name.
    package init(_ text: String, _ field: String = "location") throws(OctantError) {
        guard let colon = text.firstIndex(of: ":"), Self.isScheme(text[..<colon]) else {
            throw .json("\(field): relative URL without a base")
        }
        let scheme = text[..<colon].lowercased()
        let rest = text[text.index(after: colon)...]
        switch scheme {
        case "file": self = .file(try Self.path(rest.prefix { $0 != "?" && $0 != "#" }))
        case "http", "https": self = .remote(text)
        default:
            throw OctantError(.badRequest, "URL schema \(scheme) is not supported: file, http or https is expected")
        }
    }

    private static func isScheme(_ text: Substring) -> Bool {
        guard let first = text.utf8.first, (first | 0x20) >= 0x61, (first | 0x20) <= 0x7A else { return false }
        return text.utf8.allSatisfy { byte in
            (0x61...0x7A).contains(byte | 0x20) || (0x30...0x39).contains(byte) || "+-.".utf8.contains(byte)
        }
    }

    /// The path of a `file` URL, after its scheme; dots in it are resolved.
    private static func path(_ text: Substring) throws(OctantError) -> String {
        let refused = OctantError(
            .badRequest, "Invalid snapshot URI, file path must be absolute or on localhost")
        var path = text
        if path.hasPrefix("//") {
            path = path.dropFirst(2)
            let host = path.prefix { $0 != "/" }
            guard host.isEmpty || host.lowercased() == "localhost" else { throw refused }
            path = path.dropFirst(host.count)
        }
        guard let decoded = Percent.decode(path), !decoded.utf8.contains(0) else { throw refused }
        var steps: [Substring] = []
        for step in decoded.split(separator: "/") where step != "." {
            if step == ".." { steps = steps.dropLast() } else { steps.append(step) }
        }
        return "/" + steps.joined(separator: "/")
    }

    /// The file of a path without links, if it is a file in a folder; refused otherwise.
    static func file(_ path: String, in folder: String) throws(OctantError) -> String {
        let quoted = JSONValue.string(path).text
        var status = stat()
        guard let real = resolved(path), stat(real, &status) == 0 else {
            throw OctantError(.badRequest, "Snapshot file \(quoted) does not exist")
        }
        guard let root = resolved(folder), real.hasPrefix(root == "/" ? "/" : root + "/") else {
            throw OctantError(.forbidden, "Snapshot file \(quoted) must be inside the snapshots directory")
        }
        guard status.st_mode & S_IFMT == S_IFREG else {
            throw OctantError(.badRequest, "Snapshot file \(quoted) is not a file")
        }
        return real
    }

    private static func resolved(_ path: String) -> String? {
        guard let found = realpath(path, nil) else { return nil }
        defer { free(found) }
        return String(cString: found)
    }
}

/// The body of a request to recover from a snapshot.
package struct SnapshotRecovery: Sendable {
    /// Where the snapshot is.
    package var location: SnapshotLocation
    /// Whose data counts, if there are others.
    package var priority: SnapshotPriority = .snapshot
    /// The SHA-256 the snapshot must have: 64 digits.
    package var checksum: String?
    /// A key for the server at the other end of a URL.
    package var apiKey: String?

    /// Reads the body.
    package init(json: JSONValue) throws(OctantError) {
        let fields = try JSONFields(json, path: "")
        guard case .string(let text) = try fields.required("location") else {
            throw JSONFields.mismatch(try fields.required("location"), "a string", "location")
        }
        location = try SnapshotLocation(text)
        if let name = try fields.string("priority") {
            priority = try SnapshotPriority(text: name) { .json("priority: " + $0) }
        }
        checksum = try fields.string("checksum")
        if let checksum { try Self.check(checksum, "Validation error in JSON body") }
        apiKey = try fields.string("api_key")
    }

    /// Refuses what is no SHA-256.
    package static func check(_ checksum: String, _ what: String) throws(OctantError) {
        let isHash =
            checksum.utf8.count == 64
            && checksum.utf8.allSatisfy { byte in
                (0x30...0x39).contains(byte) || (0x61...0x66).contains(byte | 0x20)
            }
        guard isHash else {
            throw OctantError(.validation, "\(what): [checksum: invalid SHA-256, expected 64 hexadecimal digits]")
        }
    }
}

extension SnapshotPriority {
    /// Reads a name; `refused` makes the error of a sentence.
    package init(text: String, _ refused: (String) -> OctantError) throws(OctantError) {
        guard let priority = SnapshotPriority(rawValue: text) else {
            throw refused("unknown variant `\(text)`, expected one of `no_sync`, `snapshot`, `replica`")
        }
        self = priority
    }
}
