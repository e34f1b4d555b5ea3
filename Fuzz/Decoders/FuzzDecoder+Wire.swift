import Octant
import OctantEngine
import OctantModel
import OctantREST
import OctantRemote
import OctantService
import OctantStorage

#if Server
import OctantGRPC
#endif

/// What comes over the wire in other forms than JSON.
extension FuzzDecoder {
    func readWire(_ bytes: [UInt8]) throws {
        switch self {
        case .archive: try Self.readArchive(bytes)
        case .archiveSection: _ = try SnapshotSection.decode(bytes, path: "section")
        case .multipart: try Self.readForm(bytes)
        case .xml:
            let text = String(decoding: bytes, as: UTF8.self)
            let entries = XMLText.all("Contents", in: text[...])
            for entry in entries { for name in ["Key", "Size"] { _ = XMLText.first(name, in: entry) } }
            guard !entries.isEmpty else { throw StorageError(.corrupt, "no element") }
        default:
            #if Server
            try readServer(bytes)
            #else
            throw StorageError(.incompatible, "not in this build")
            #endif
        }
    }

    /// Reads an archive to its end, as recovering it does, into a folder in memory.
    private static func readArchive(_ bytes: [UInt8]) throws {
        let path = "/x/a.snapshot"
        let files = try files(path, bytes)
        _ = try? SnapshotReader.contents(of: path, fileSystem: files)
        var reader = try SnapshotReader(path: path, fileSystem: files)
        defer { reader.close() }
        let bases = try SnapshotBases(reader.header.base, in: ["/x"], fileSystem: files)
        while true {
            switch try reader.next() {
            case .collection(let section):
                let restore = ShardRestore(section, parent: "/x/c", fileSystem: files)
                try restore.extract(from: &reader, leftOut: .archives(bases)) { false }
            case .aliases: break
            case .end: return
            }
        }
    }

    /// Reads a form in pieces; the first byte says how long they are.
    private static func readForm(_ bytes: [UInt8]) throws {
        guard let first = bytes.first else { throw StorageError(.corrupt, "empty") }
        let (size, form) = (Int(first) + 1, bytes.dropFirst())
        var reader = try MultipartReader(contentType: "multipart/form-data; boundary=edge", field: "snapshot")
        var content = 0
        for start in stride(from: form.startIndex, to: form.endIndex, by: size) {
            try form[start..<min(form.endIndex, start + size)].withUnsafeBytes {
                try reader.read($0) { content += $0.count }
            }
        }
        guard content <= form.count else { preconditionFailure("more content than bytes") }  // invariant: a finding
        try reader.finish()
    }

    #if Server
    private func readServer(_ bytes: [UInt8]) throws {
        if self == .yaml {
            let file = try ServerSettings.yaml(String(decoding: bytes, as: UTF8.self), "file")
            _ = try ServerSettings.load(files: [file], environment: [])
            return
        }
        let name = bytes.prefix { $0 != 0 }
        guard let method = Self.methods[String(decoding: name, as: UTF8.self)] else {
            throw StorageError(.corrupt, "no such method")
        }
        let message = Array(bytes.dropFirst(name.count + 1))
        let outcome = Outcome()
        method.run(try Self.service.get(), GRPCCall(message: message)) { outcome.error = $0.failure }
        // What was understood is refused because there is no such collection.
        if let error = outcome.error, [.format, .validation, .badInput, .badRequest].contains(error.code) {
            throw error
        }
    }

    private final class Outcome: @unchecked Sendable {
        // SAFETY: methods answer before they return where the database is closed.
        var error: OctantError?
    }

    /// By name, which comes before the message, with a zero between. Those of snapshots would fetch them.
    private static let methods = Dictionary(
        GRPCMethods.all.filter { $0.service != "qdrant.Snapshots" }.map { ($0.name, $0) },
        uniquingKeysWith: { _, last in last })

    /// A service that decodes and then finds nothing: its database is closed.
    private static let service = Result { () throws(OctantError) in
        var options = DatabaseOptions(path: "/data")
        (options.searchThreads, options.optimizerThreads, options.scrubBytesPerSecond) = (1, 1, 0)
        let database = try Database.open(options, fileSystem: SimulatedFileSystem(), limits: ShardLimits())
        database.close()
        return Service(database: database)
    }
    #endif
}

#if Server
extension Result {
    fileprivate var failure: Failure? { if case .failure(let error) = self { error } else { nil } }
}
#endif
