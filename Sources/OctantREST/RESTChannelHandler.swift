#if Server
import NIOCore
import NIOHTTP1
import OctantModel
import OctantNetwork
import OctantService

/// One connection: collects a request, hands it over, writes the answer. Pipelined requests arrive one by one, since
/// the handler in front holds the next back until the answer is written.
final class RESTChannelHandler: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    /// What is known of the request that is being read.
    private struct Incoming {
        var head: HTTPRequestHead
        var target: Target
        var body: [UInt8] = []
        /// Bytes of the body seen so far.
        var seen = 0
        /// What the body has of the budget.
        var share: ByteShare

        /// The body is not wanted: the answer is known.
        mutating func refuse(_ answer: RESTResponse) {
            body = []
            seen = 0
            share.release()
            if case .upload(let stream) = target { stream.abandon() }
            target = .answer(answer, close: true)
        }
    }

    /// What a request leads to.
    private enum Target {
        case operation(
            Operation, parameters: [(name: String, value: String)], query: [(name: String, value: String)])
        /// A file that is written while it comes.
        case upload(UploadStream)
        /// An answer that is known already; it is sent after the body, then the connection closes if `close`.
        case answer(RESTResponse, close: Bool)
    }

    private enum State {
        /// Between requests.
        case idle
        /// A request is being read.
        case reading(Incoming)
        /// A request is being answered.
        case running(HTTPRequestHead)
        /// A download is being sent.
        case sending(HTTPRequestHead)
        /// The last answer is written.
        case closing
    }

    private static let router = Router()
    /// A body that is too large is still read, up to so many times the limit, because most clients read the answer
    /// only after they have sent everything.
    private static let discardFactor = 8
    /// What an upload has of the budget: more of it than this is never in memory.
    private static let uploadBytes = 8 << 20

    private let handler: RESTHandler
    private let options: RESTServerOptions
    private let connections: ConnectionRegistry
    private var state = State.idle
    private var context: ChannelHandlerContext?

    init(handler: RESTHandler, options: RESTServerOptions, connections: ConnectionRegistry) {
        self.handler = handler
        self.options = options
        self.connections = connections
    }

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }
    func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

    func channelInactive(context: ChannelHandlerContext) {
        if case .reading(let incoming) = state, case .upload(let stream) = incoming.target { stream.abandon() }
        context.fireChannelInactive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head):
            guard case .idle = state else { return }
            var incoming = Incoming(
                head: head, target: target(of: head), share: ByteShare(of: options.budget))
            if case .upload = incoming.target, !incoming.share.grow(to: min(Self.uploadBytes, options.budget.limit)) {
                incoming.refuse(overBudget)
            }
            state = .reading(incoming)
            // A client that waits for our consent to send a large body gets the refusal at once.
            if case .answer(_, close: true) = incoming.target, head.headers.contains(name: "expect") { dispatch() }
        case .body(let buffer): collect(buffer)
        case .end:
            if case .reading = state { dispatch() }
        }
    }

    private func target(of head: HTTPRequestHead) -> Target {
        let policy = options.policy
        let parts = head.uri.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        let path = parts.first ?? ""
        let origin = head.headers.first(name: "origin")
        if head.method == .OPTIONS { return .answer(RESTResponse(status: 204, body: []), close: false) }
        if policy.refusesOrigin(origin) {
            return .answer(.text("Forbidden: origin is not allowed without an API key", status: 403), close: false)
        }
        let verb = head.method == .HEAD ? "GET" : head.method.rawValue
        switch Self.router.match(verb: verb, path: String(path)) {
        case .found(let operation, let parameters):
            let access = operation.row?.access ?? .manage
            let refusal = policy.refusal(
                access, apiKey: head.headers.first(name: "api-key"),
                authorization: head.headers.first(name: "authorization"))
            if let refusal { return .answer(.refusal(refusal), close: false) }
            let query = parts.count > 1 ? Percent.query(parts[1]) : []
            let length = head.headers.first(name: "content-length").flatMap { Int($0) }
            if operation.isUpload {
                return upload(
                    RESTRequest(operation: operation, parameters: parameters, query: query), head, length)
            }
            if let length, length > options.bodyBytesMax { return .answer(tooLarge(length), close: true) }
            return .operation(operation, parameters: parameters, query: query)
        case .unknownPath: return .answer(.failure(404, "Not found: no such path"), close: false)
        case .wrongVerb: return .answer(.failure(405, "Method \(verb) is not allowed for this path"), close: false)
        }
    }

    /// Whether a request brings a file, to which the bounds of bodies do not apply.
    static func isUpload(_ head: HTTPRequestHead) -> Bool {
        let path = String(head.uri.prefix { $0 != "?" })
        guard case .found(let operation, _) = router.match(verb: head.method.rawValue, path: path) else { return false }
        return operation.isUpload
    }

    private func upload(_ request: RESTRequest, _ head: HTTPRequestHead, _ length: Int?) -> Target {
        guard let channel = context?.channel else { return .answer(.failure(503, "closing"), close: true) }
        do throws(OctantError) {
            let upload = try handler.beginUpload(
                request, contentType: head.headers.first(name: "content-type"), length: length)
            return .upload(
                UploadStream(upload, channel) { [weak self] error in
                    self?.uploadFailed(.error(error, seconds: request.start.elapsedSeconds))
                })
        } catch {
            return .answer(.error(error, seconds: request.start.elapsedSeconds), close: true)
        }
    }

    /// The answer is known before the body ends, or while its last bytes were being written.
    private func uploadFailed(_ answer: RESTResponse) {
        switch state {
        case .reading(var incoming):
            incoming.refuse(answer)
            state = .reading(incoming)
        case .running:
            write(answer, buffer: ByteBuffer(bytes: answer.body), close: false)
            connections.requestEnds()
        case .idle, .sending, .closing: break
        }
    }

    private var overBudget: RESTResponse {
        var answer = RESTResponse.failure(429, options.budget.refusal)
        answer.retryAfter = ByteBudget.retrySeconds
        return answer
    }

    private func tooLarge(_ length: Int) -> RESTResponse {
        .failure(
            400, "JSON payload (\(length) bytes) is larger than allowed (limit: \(options.bodyBytesMax) bytes).")
    }

    private func collect(_ buffer: ByteBuffer) {
        guard case .reading(var incoming) = state else { return }
        // Taken out while it changes, so that the body is not copied.
        state = .closing
        incoming.seen += buffer.readableBytes
        switch incoming.target {
        case .operation:
            if incoming.seen > options.bodyBytesMax {
                incoming.refuse(.failure(400, "JSON payload has exceeded limit (\(options.bodyBytesMax) bytes)."))
            } else if incoming.share.grow(to: incoming.seen) {
                append(buffer, to: &incoming)
            } else {
                incoming.refuse(overBudget)
            }
        case .upload(let stream): stream.receive(buffer)
        case .answer: break
        }
        let hopeless = incoming.seen > options.bodyBytesMax * Self.discardFactor
        if hopeless, case .answer(let answer, _) = incoming.target {
            incoming.target = .answer(answer, close: true)
        }
        state = .reading(incoming)
        if hopeless { dispatch() }
    }

    private func append(_ buffer: ByteBuffer, to incoming: inout Incoming) {
        let declared = max(0, incoming.head.headers.first(name: "content-length").flatMap { Int($0) } ?? 0)
        // Room for all of it is taken only once a good part has come: a header alone must not cost memory.
        if incoming.body.isEmpty {
            incoming.body.reserveCapacity(min(declared, 64 << 10))
        } else if incoming.body.capacity < incoming.seen, incoming.seen * 8 >= declared {
            incoming.body.reserveCapacity(min(declared, options.bodyBytesMax))
        }
        buffer.withUnsafeReadableBytes { incoming.body.append(contentsOf: $0) }
    }

    /// Hands the request over; its answer comes back from any thread.
    private func dispatch() {
        guard case .reading(let incoming) = state, let context else { return }
        let head = incoming.head
        state = .running(head)
        switch incoming.target {
        case .answer(let answer, let close):
            write(answer, buffer: ByteBuffer(bytes: answer.body), close: close)
        case .operation(let operation, let parameters, let query):
            let request = RESTRequest(
                operation: operation, parameters: parameters, query: query, body: incoming.body)
            connections.requestBegins()
            handler.handle(request, respond: answering(incoming.share, context.eventLoop))
        case .upload(let stream):
            connections.requestBegins()
            stream.end(answering(incoming.share, context.eventLoop))
        }
    }

    /// What takes the answer of the running request, on any thread.
    private func answering(_ share: ByteShare, _ loop: any EventLoop) -> @Sendable (RESTResponse) -> Void {
        let bound = NIOLoopBound(self, eventLoop: loop)
        return { [connections] answer in
            share.release()
            let buffer = ByteBuffer(bytes: answer.body)
            let finish: @Sendable () -> Void = {
                if let download = answer.download { return bound.value.send(download, answer) }
                bound.value.write(answer, buffer: buffer, close: false)
                connections.requestEnds()
            }
            if loop.inEventLoop { finish() } else { loop.execute(finish) }
        }
    }

    private func write(_ answer: RESTResponse, buffer: ByteBuffer, close: Bool) {
        // The client may be gone meanwhile: then there is nobody to answer.
        guard case .running(let request) = state, let context, context.channel.isActive else { return }
        var headers = HTTPHeaders()
        headers.add(name: "content-type", value: answer.contentType)
        if answer.status != 204 { headers.add(name: "content-length", value: String(buffer.readableBytes)) }
        if let seconds = answer.retryAfter { headers.add(name: "retry-after", value: String(seconds)) }
        writeHead(answer.status, headers, request, close: close, context)
        if request.method != .HEAD, buffer.readableBytes > 0 {
            context.write(wrapOutboundOut(.body(.byteBuffer(buffer))), promise: nil)
        }
        writeEnd(request, close: close, context)
    }

    private func writeHead(
        _ status: Int, _ headers: HTTPHeaders, _ request: HTTPRequestHead, close: Bool,
        _ context: ChannelHandlerContext
    ) {
        var headers = headers
        addCORS(request, &headers)
        if close || !request.isKeepAlive {
            headers.add(name: "connection", value: "close")
        } else if request.version.minor == 0 {
            headers.add(name: "connection", value: "keep-alive")
        }
        let status = HTTPResponseStatus(statusCode: status)
        // Who speaks HTTP/1.0 cannot read chunks, which the encoder makes of a body without a length.
        let isChunked = !headers.contains(name: "content-length") && status != .noContent
        let version: HTTPVersion = isChunked && request.version.minor == 0 ? .http1_0 : .http1_1
        let head = HTTPResponseHead(version: version, status: status, headers: headers)
        context.write(wrapOutboundOut(.head(head)), promise: nil)
    }

    private func writeEnd(_ request: HTTPRequestHead, close: Bool, _ context: ChannelHandlerContext) {
        let close = close || !request.isKeepAlive
        state = close ? .closing : .idle
        let written = context.writeAndFlush(wrapOutboundOut(.end(nil)))
        if close {
            let channel = context.channel
            written.whenComplete { _ in channel.close(promise: nil) }
        }
    }

    // MARK: Downloads

    /// Sends a download from a thread that has time for it.
    private func send(_ download: SnapshotDownload, _ answer: RESTResponse) {
        guard case .running(let request) = state, let context, context.channel.isActive else {
            return connections.requestEnds()
        }
        var headers = HTTPHeaders()
        headers.add(name: "content-type", value: answer.contentType)
        headers.add(name: "content-disposition", value: Self.disposition(download.name))
        if let length = download.length { headers.add(name: "content-length", value: String(length)) }
        // Who speaks HTTP/1.0 knows the end of a body without a length by the end of the connection.
        let closes = download.length == nil && request.version.minor == 0
        state = .sending(request)
        writeHead(answer.status, headers, request, close: closes, context)
        context.flush()
        let stream = DownloadStream(
            connection: NIOLoopBound(self, eventLoop: context.eventLoop), loop: context.eventLoop)
        let isWanted = request.method != .HEAD
        handler.submitDownload { [connections] in
            var isSent = true
            do throws(OctantError) {
                if isWanted { try stream.send(download) }
            } catch {
                isSent = false
            }
            stream.loop.execute { [isSent] in
                stream.connection.value.sent(isSent, closes: closes)
                connections.requestEnds()
            }
        }
    }

    /// Writes a piece of a download, and tells when the client has it.
    func writePiece(_ buffer: ByteBuffer, _ promise: EventLoopPromise<Void>) {
        guard case .sending = state, let context else { return promise.fail(ChannelError.ioOnClosedChannel) }
        context.writeAndFlush(wrapOutboundOut(.body(.byteBuffer(buffer))), promise: promise)
    }

    /// A download is at its end. One that broke off ends the connection, by which the client knows.
    private func sent(_ isWhole: Bool, closes: Bool) {
        guard case .sending(let request) = state, let context else { return }
        if isWhole {
            writeEnd(request, close: closes, context)
        } else {
            state = .closing
            context.close(promise: nil)
        }
    }

    /// The file name of an attachment. Names of collections may have letters that no header may.
    private static func disposition(_ name: String) -> String {
        let plain = name.utf8.allSatisfy { (0x20...0x7E).contains($0) && $0 != 0x22 && $0 != 0x5C }
        return plain
            ? "attachment; filename=\"\(name)\"" : "attachment; filename*=UTF-8''\(Percent.encode(name))"
    }

    private func addCORS(_ request: HTTPRequestHead, _ headers: inout HTTPHeaders) {
        guard let origin = options.policy.allowedOrigin(request.headers.first(name: "origin")) else { return }
        headers.add(name: "access-control-allow-origin", value: origin)
        headers.add(name: "vary", value: "Origin")
        guard request.method == .OPTIONS else { return }
        headers.add(name: "access-control-allow-methods", value: "GET, POST, PUT, PATCH, DELETE, OPTIONS")
        let asked = request.headers.first(name: "access-control-request-headers")
        headers.add(name: "access-control-allow-headers", value: asked ?? "content-type, api-key, authorization")
        headers.add(name: "access-control-max-age", value: "3600")
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if event is IdleStateHandler.IdleStateEvent {
            // A request that is being answered may take its time, and so may the disk with an upload.
            if case .running = state { return }
            if case .reading(let incoming) = state, case .upload(let stream) = incoming.target, stream.isBusy { return }
            context.close(promise: nil)
            return
        }
        context.fireUserInboundEventTriggered(event)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // A body that cannot be decompressed is answered; a connection that broke just ends.
        if case .reading(var incoming) = state, !(error is IOError) {
            incoming.refuse(.failure(400, "Cannot read the request: \(error)"))
            state = .reading(incoming)
            dispatch()
            return
        }
        if case .running = state, !(error is IOError) { return }
        context.close(promise: nil)
    }
}
#endif
