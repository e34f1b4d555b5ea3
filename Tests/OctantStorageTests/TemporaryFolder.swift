import Testing

@testable import OctantStorage

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// A fresh folder that goes away with the object.
final class TemporaryFolder: Sendable {
    let path: String

    init() {
        let base = getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
        path = "\(base)/octant-storage-\(UUIDBytes.random())"
        try? LocalFileSystem().makeDirectory(path)
    }

    deinit { try? LocalFileSystem().removeTree(path) }

    /// The bytes of a file in the folder.
    func read(_ name: String) throws -> [UInt8] { try LocalFileSystem().readAll(path + "/" + name) }

    /// Replaces a file in the folder.
    func write(_ name: String, _ bytes: [UInt8]) throws {
        let file = try LocalFileSystem().open(path + "/" + name, .createOrTruncate)
        try bytes.withRawBytes { (raw) throws(StorageError) in try file.write(raw, at: 0) }
        file.close()
    }

    /// Names in the folder.
    func names() throws -> [String] { try LocalFileSystem().list(path) }

    /// Another folder with the same files (no folders inside).
    func copy() throws -> TemporaryFolder {
        let other = TemporaryFolder()
        for name in try names() { try other.write(name, try read(name)) }
        return other
    }
}

/// A small generator with a fixed seed (SplitMix64).
struct SeededGenerator: RandomNumberGenerator {
    var state: UInt64
    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}

/// The error a body throws; records an issue when it throws none or another kind.
func storageError(_ body: () throws -> Void, sourceLocation: SourceLocation = #_sourceLocation) -> StorageError? {
    do { try body() } catch let error as StorageError { return error } catch {
        Issue.record("unexpected error \(error)", sourceLocation: sourceLocation)
        return nil
    }
    Issue.record("no error", sourceLocation: sourceLocation)
    return nil
}
