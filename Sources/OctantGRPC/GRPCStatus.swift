package import OctantModel

/// A status of gRPC: its number on the wire.
package enum GRPCCode: Int, Sendable, Hashable {
    case ok = 0
    case cancelled = 1
    case unknown = 2
    case invalidArgument = 3
    case deadlineExceeded = 4
    case notFound = 5
    case alreadyExists = 6
    case permissionDenied = 7
    case resourceExhausted = 8
    case failedPrecondition = 9
    case aborted = 10
    case outOfRange = 11
    case unimplemented = 12
    case `internal` = 13
    case unavailable = 14
    case dataLoss = 15
    case unauthenticated = 16
}

/// How a call ends: a code and a sentence.
package struct GRPCStatus: Error, Sendable, Equatable {
    /// The code.
    package var code: GRPCCode
    /// The sentence; empty if all is well.
    package var message: String
    /// Metadata that goes with it in the trailers.
    package var metadata: [(name: String, value: String)] = []

    /// A status.
    package init(_ code: GRPCCode, _ message: String = "") {
        self.code = code
        self.message = message
    }

    /// The status of an error: its kind's code and the same text as over REST, but for JSON, which there is none of.
    package init(_ error: OctantError) {
        var text = error.description
        let (json, body) = ("Validation error in JSON body", "Validation error in body")
        if text.hasPrefix(json) { text = body + text.dropFirst(json.count) }
        self.init(error.grpcCode, text)
        if error.code == .insufficientStorage { metadata = [("qdrant-insufficient-storage", "true")] }
    }

    package static func == (a: GRPCStatus, b: GRPCStatus) -> Bool {
        a.code == b.code && a.message == b.message && a.metadata.elementsEqual(b.metadata) { $0 == $1 }
    }
}

extension OctantError {
    /// The gRPC status of the error's kind.
    package var grpcCode: GRPCCode {
        switch code {
        case .badInput, .badRequest, .format, .validation: .invalidArgument
        case .alreadyExists: .alreadyExists
        case .notFound: .notFound
        case .service: .internal
        case .forbidden: .permissionDenied
        case .methodNotAllowed, .notImplemented: .unimplemented
        case .timeout: .deadlineExceeded
        case .unavailable: .unavailable
        case .insufficientStorage: .resourceExhausted
        }
    }
}
