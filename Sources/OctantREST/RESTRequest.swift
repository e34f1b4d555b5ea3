package import OctantModel
package import OctantService

/// A request as the transport hands it over: routed, its body complete.
package struct RESTRequest: Sendable {
    /// What is asked for.
    package var operation: Operation
    /// The path's parameters by name, percent-decoded.
    package var parameters: [(name: String, value: String)]
    /// The query's items, percent-decoded.
    package var query: [(name: String, value: String)]
    /// The body.
    package var body: [UInt8]
    /// When the request was complete.
    package var start: ContinuousClock.Instant

    /// A request.
    package init(
        operation: Operation, parameters: [(name: String, value: String)] = [],
        query: [(name: String, value: String)] = [], body: [UInt8] = [], start: ContinuousClock.Instant = .now
    ) {
        self.operation = operation
        self.parameters = parameters
        self.query = query
        self.body = body
        self.start = start
    }

    /// A parameter of the path.
    func parameter(_ name: String) -> String { parameters.first { $0.name == name }?.value ?? "" }

    /// The collection of the path; throws if no collection can have that name.
    func collection() throws(OctantError) -> String {
        let name = parameter("collection")
        try Names.checkExisting(name)
        return name
    }

    func item(_ name: String) -> String? { query.last { $0.name == name }?.value }

    /// `wait` and `timeout`, after checking the other parameters of writes.
    func writeOptions() throws(OctantError) -> WriteOptions {
        let seconds = try timeout()
        if let ordering = item("ordering"), !["weak", "medium", "strong"].contains(ordering) {
            throw OctantError(
                .format,
                "Query deserialize error: unknown variant `\(ordering)`, expected one of `weak`, `medium`, `strong`")
        }
        return WriteOptions(wait: try flag("wait"), seconds: seconds, since: start)
    }

    /// A query item that is `true` or `false`.
    func flag(_ name: String) throws(OctantError) -> Bool {
        switch item(name) {
        case nil, "false": return false
        case "true": return true
        default: throw OctantError(.format, "Query deserialize error: provided string was not `true` or `false`")
        }
    }

    /// A query item that is a number, from zero.
    func number(_ name: String) throws(OctantError) -> Int? {
        guard let text = item(name) else { return nil }
        guard let number = UInt64(text) else {
            throw OctantError(.format, "Query deserialize error: invalid digit found in string")
        }
        return Int(clamping: number)
    }

    /// Checks the parameters of reads.
    func checkRead() throws(OctantError) {
        try checkTimeout()
        guard let consistency = item("consistency"), !["majority", "quorum", "all"].contains(consistency) else {
            return
        }
        guard let factor = Int(consistency), factor >= 1 else {
            throw OctantError(
                .format,
                "Query deserialize error: failed to parse read consistency string: `\(consistency)`, expected a positive "
                    + "number or one of `majority`, `quorum`, `all`")
        }
    }

    /// Checks `timeout`.
    func checkTimeout() throws(OctantError) { _ = try timeout() }

    /// `timeout`: how many seconds to wait.
    func timeout() throws(OctantError) -> Int? {
        guard let text = item("timeout") else { return nil }
        guard let seconds = UInt64(text) else {
            throw OctantError(.format, "Query deserialize error: invalid digit found in string")
        }
        guard seconds >= 1 else {
            throw OctantError(
                .validation,
                "Validation error in query parameters: [timeout: value \(seconds) invalid, must be 1 or larger]")
        }
        return Int(clamping: seconds)
    }
}

/// An answer, ready to be sent.
package struct RESTResponse: Sendable {
    /// The HTTP status.
    package var status: Int
    /// The media type of the body.
    package var contentType: String
    /// The body.
    package var body: [UInt8]
    /// Seconds after which to ask again.
    package var retryAfter: Int?
    /// What is sent in the place of the body, while it is read.
    package var download: SnapshotDownload?

    /// An answer.
    package init(status: Int, contentType: String = "application/json", body: [UInt8]) {
        self.status = status
        self.contentType = contentType
        self.body = body
    }

    /// Plain text.
    package static func text(_ text: String, status: Int = 200) -> RESTResponse {
        RESTResponse(status: status, contentType: "text/plain; charset=utf-8", body: Array(text.utf8))
    }

    /// The answer to a caller who lacks a right.
    package static func refusal(_ refusal: AccessPolicy.Refusal) -> RESTResponse {
        .text(refusal.message, status: refusal == .noRight ? 403 : 401)
    }

    /// A result in the envelope, and a member of the envelope besides. `write` writes the result's value.
    package static func result(
        since start: ContinuousClock.Instant, more: (key: String, value: JSONObject)? = nil,
        _ write: (inout JSONWriter) -> Void
    ) -> RESTResponse {
        var writer = JSONWriter(reservingCapacity: 1024)
        writer.beginObject()
        writer.key("result")
        write(&writer)
        writer.key("status")
        writer.value("ok")
        writer.key("time")
        writer.value(start.elapsedSeconds)
        if let more {
            writer.key(more.key)
            writer.value(more.value)
        }
        writer.endObject()
        return RESTResponse(status: 200, body: writer.bytes)
    }

    /// An error in the envelope. `seconds`: how long it took.
    package static func error(_ error: OctantError, seconds: Double) -> RESTResponse {
        failure(error.httpStatus, error.description, seconds: seconds)
    }

    /// An error in the envelope.
    package static func failure(_ status: Int, _ message: String, seconds: Double = 0) -> RESTResponse {
        var writer = JSONWriter()
        writer.beginObject()
        writer.key("status")
        writer.beginObject()
        writer.key("error")
        writer.value(message)
        writer.endObject()
        writer.key("time")
        writer.value(seconds)
        writer.endObject()
        return RESTResponse(status: status, body: writer.bytes)
    }
}

extension OctantError {
    /// The HTTP status of the error's kind.
    package var httpStatus: Int {
        switch code {
        case .badInput, .badRequest, .format: 400
        case .validation: 422
        case .alreadyExists: 409
        case .notFound: 404
        case .service: 500
        case .forbidden: 403
        case .methodNotAllowed: 405
        case .timeout: 408
        case .unavailable: 503
        case .insufficientStorage: 507
        case .notImplemented: 501
        }
    }
}
