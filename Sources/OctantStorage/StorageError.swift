#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// What went wrong below the engine. The message names the file and the number or offset; it never holds file content.
package struct StorageError: Error, Sendable, CustomStringConvertible {
    /// The kinds a caller tells apart.
    package enum Code: Sendable, Equatable {
        /// A system call failed with this errno.
        case io(Int32)
        /// No space left on the device, or over the quota.
        case diskFull
        /// Stored bytes are not what was written.
        case corrupt
        /// Another process holds the folder.
        case locked
        /// Written by a newer version, or not ours at all.
        case incompatible
        /// The object was closed.
        case closed
        /// A named file is missing.
        case notFound
    }

    /// The kind.
    package let code: Code
    /// One sentence for the operator.
    package let message: String
    /// The byte of the file that it is about, if one is known.
    package let offset: Int?

    /// An error of kind `code`.
    package init(_ code: Code, _ message: String) { self.init(code, message, offset: nil) }

    private init(_ code: Code, _ message: String, offset: Int?) {
        self.code = code
        self.message = message
        self.offset = offset
    }

    /// The error of a failed system call; `call` is its name, `path` what it was asked to work on.
    package init(errno number: Int32, call: String, path: String, offset: Int? = nil) {
        switch number {
        case ENOSPC, EDQUOT: code = .diskFull
        case ENOENT: code = .notFound
        default: code = .io(number)
        }
        self.offset = offset
        let place = offset.map { " at offset \($0)" } ?? ""
        message = "\(call) \(path)\(place): \(String(cString: strerror(number))) (errno \(number))"
    }

    package var description: String { message }

    /// A damaged file, with the place.
    static func corrupt(_ path: String, offset: Int, _ what: String) -> StorageError {
        StorageError(.corrupt, "\(path): \(what) at offset \(offset)", offset: offset)
    }
}
