/// The error of every operation: what kind it is (which decides status codes) and a sentence for the person who reads it.
public struct OctantError: Error, Sendable, Equatable, CustomStringConvertible {
    /// What went wrong, as the outside world distinguishes it.
    public enum Code: Sendable, Equatable {
        /// The request is well formed but wrong: HTTP 400, prefix `Wrong input: `.
        case badInput
        /// The request cannot be understood or combined so: HTTP 400, prefix `Bad request: `.
        case badRequest
        /// A value is out of its range: HTTP 422.
        case validation
        /// The body is not what the operation takes: HTTP 400, the message stands alone.
        case format
        /// HTTP 409, prefix `Wrong input: `.
        case alreadyExists
        /// HTTP 404, prefix `Not found: `.
        case notFound
        /// HTTP 500, prefix `Service internal error: `.
        case service
        /// HTTP 403, prefix `Forbidden: `.
        case forbidden
        /// HTTP 405: only another kind of server can do it.
        case methodNotAllowed
        /// HTTP 408, prefix `Timeout: `.
        case timeout
        /// HTTP 503: the collection cannot serve now (its data is damaged, or it is closing).
        case unavailable
        /// HTTP 507: disk or memory is used up.
        case insufficientStorage
        /// HTTP 501: a thing Qdrant has and this version does not.
        case notImplemented
    }

    /// The kind of error.
    public var code: Code
    /// The sentence, without the prefix of its kind.
    public var message: String

    /// Makes an error of `code` with a sentence that names the object and the number.
    public init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    /// The message as clients see it: prefix of the kind, then the sentence.
    public var description: String {
        switch code {
        case .badInput, .alreadyExists: "Wrong input: " + message
        case .badRequest: "Bad request: " + message
        case .notFound: "Not found: " + message
        case .service: "Service internal error: " + message
        case .forbidden: "Forbidden: " + message
        case .timeout: "Timeout: " + message
        case .validation, .format, .methodNotAllowed, .unavailable, .insufficientStorage, .notImplemented: message
        }
    }
}

extension OctantError {
    /// The error for a collection name nobody created.
    public static func unknownCollection(_ name: String) -> OctantError {
        OctantError(.notFound, "Collection `\(name)` doesn't exist!")
    }

    /// The error for a vector name the collection does not have.
    public static func unknownVector(_ name: String) -> OctantError {
        OctantError(.badInput, "Not existing vector name error: \(name)")
    }

    /// The error for a vector of the wrong width.
    public static func wrongDimension(expected: Int, got: Int, name: String) -> OctantError {
        let suffix = name.isEmpty ? "" : " for vector '\(name)'"
        return OctantError(.badInput, "Vector dimension error: expected dim: \(expected), got \(got)\(suffix)")
    }
}
