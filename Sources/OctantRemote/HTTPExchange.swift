#if Server
package import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL
package import OctantModel
package import OctantNetwork
package import OctantService

/// A request over HTTP/1.1 or HTTPS on a connection of its own, for threads that may block.
///
/// Our own, on NIO, because a client library looks the host up itself: here the addresses that were checked are the ones
/// that are connected to, whatever the name stands for a moment later. Redirects are not followed.
package final class HTTPExchange: Sendable {
    /// What is sent.
    package struct Request: Sendable {
        /// Such as `GET`.
        package var verb: String
        /// Where.
        package var url: RemoteURL
        /// Headers besides `host`, `connection` and `content-length`.
        package var headers: [(name: String, value: String)] = []
        /// The body.
        package var body: [UInt8] = []
        /// Seconds from the start to the last byte.
        package var seconds: Int
        /// Seconds without any byte.
        package var idleSeconds = 30

        /// A request without a body.
        package init(_ verb: String, _ url: RemoteURL, seconds: Int) {
            self.verb = verb
            self.url = url
            self.seconds = seconds
        }
    }

    /// The status of the answer.
    package let status: Int
    private let headers: HTTPHeaders
    private let channel: any Channel
    private let parts: NIOLoopBound<ReplyParts>

    private init(_ head: HTTPResponseHead, _ channel: any Channel, _ parts: NIOLoopBound<ReplyParts>) {
        status = Int(head.status.code)
        headers = head.headers
        self.channel = channel
        self.parts = parts
    }

    deinit { channel.close(promise: nil) }

    /// A header of the answer.
    package func header(_ name: String) -> String? { headers.first(name: name) }

    /// Bytes of the answer's body, if it says so.
    package var length: Int? { header("content-length").flatMap { Int($0) }.flatMap { $0 >= 0 ? $0 : nil } }

    /// Connects to the first of the addresses that answers, sends a request and waits for the head of the answer. Blocks.
    package static func begin(
        _ request: Request, _ addresses: [SocketAddress], _ threads: NetworkThreads
    ) throws(OctantError) -> HTTPExchange {
        var failure: (any Error)?
        for address in addresses {
            let connected: (any Channel, NIOLoopBound<ReplyParts>)
            do {
                connected = try connect(request, address, threads)
            } catch {
                failure = error
                continue
            }
            let (channel, parts) = connected
            let end = channel.eventLoop.scheduleTask(in: .seconds(Int64(request.seconds))) {
                parts.value.giveUp()
            }
            channel.closeFuture.whenComplete { _ in end.cancel() }
            send(request, channel)
            do {
                while true {
                    // Heads of 1xx come before the one that counts.
                    guard case .head(let head) = try next(channel, parts) else { throw ChannelError.eof }
                    if head.status.code >= 200 { return HTTPExchange(head, channel, parts) }
                }
            } catch {
                channel.close(promise: nil)
                throw OctantError(.unavailable, reason(error))
            }
        }
        throw OctantError(.unavailable, failure.map(reason) ?? "the host has no address")
    }

    /// Passes on the body of the answer. Blocks. Throws if it is not complete.
    package func read(_ sink: ByteSink) throws(OctantError) {
        while true {
            let part: HTTPClientResponsePart
            do {
                part = try Self.next(channel, parts)
            } catch {
                throw OctantError(.unavailable, "the connection broke: \(Self.reason(error))")
            }
            switch part {
            case .head: continue
            case .end: return
            case .body(let buffer):
                var failure: OctantError?
                buffer.withUnsafeReadableBytes { bytes in
                    do throws(OctantError) { try sink(bytes) } catch { failure = error }
                }
                if let failure { throw failure }
            }
        }
    }

    /// The body of the answer, of which `limit` bytes at most are wanted. Blocks.
    package func text(limit: Int) throws(OctantError) -> String {
        var bytes: [UInt8] = []
        try read { (piece) throws(OctantError) in
            guard bytes.count + piece.count <= limit else { throw OctantError(.unavailable, "the answer is too long") }
            bytes += piece
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    // MARK: Steps

    private static func connect(
        _ request: Request, _ address: SocketAddress, _ threads: NetworkThreads
    ) throws -> (any Channel, NIOLoopBound<ReplyParts>) {
        let loop = threads.group.next()
        let parts = try loop.submit { NIOLoopBound(ReplyParts(), eventLoop: loop) }.wait()
        let tls = request.url.isSecure ? try NIOSSLContext(configuration: .makeClientConfiguration()) : nil
        // A certificate for an address is compared with the address; only names are sent along.
        let isName = (try? SocketAddress(ipAddress: request.url.host, port: 0)) == nil
        let channel = try ClientBootstrap(group: loop)
            .connectTimeout(.seconds(10))
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let pipeline = channel.pipeline.syncOperations
                    if let tls {
                        try pipeline.addHandler(
                            NIOSSLClientHandler(context: tls, serverHostname: isName ? request.url.host : nil))
                    }
                    try pipeline.addHandler(IdleStateHandler(allTimeout: .seconds(Int64(request.idleSeconds))))
                    try pipeline.addHTTPClientHandlers()
                    try pipeline.addHandler(parts.value)
                }
            }
            .connect(to: address).wait()
        return (channel, parts)
    }

    private static func send(_ request: Request, _ channel: any Channel) {
        var headers = HTTPHeaders([("host", request.url.authority), ("connection", "close")])
        for (name, value) in request.headers { headers.add(name: name, value: value) }
        if !request.body.isEmpty || ["PUT", "POST"].contains(request.verb) {
            headers.replaceOrAdd(name: "content-length", value: String(request.body.count))
        }
        let head = HTTPRequestHead(
            version: .http1_1, method: HTTPMethod(rawValue: request.verb), uri: request.url.target, headers: headers)
        // What fails here is seen when the answer is read, which may have come before.
        channel.write(HTTPClientRequestPart.head(head), promise: nil)
        if !request.body.isEmpty {
            channel.write(HTTPClientRequestPart.body(.byteBuffer(ByteBuffer(bytes: request.body))), promise: nil)
        }
        channel.writeAndFlush(HTTPClientRequestPart.end(nil), promise: nil)
    }

    private static func next(
        _ channel: any Channel, _ parts: NIOLoopBound<ReplyParts>
    ) throws -> HTTPClientResponsePart {
        let promise = channel.eventLoop.makePromise(of: HTTPClientResponsePart.self)
        channel.eventLoop.execute { parts.value.ask(promise) }
        return try promise.futureResult.wait()
    }

    private static func reason(_ error: any Error) -> String {
        switch error {
        case ChannelError.eof, ChannelError.ioOnClosedChannel, ChannelError.alreadyClosed:
            "the connection was closed, or took too long"
        // Their own words name files of the build.
        case is NIOSSLError, is BoringSSLError:
            "\(error)".contains("CERTIFICATE_VERIFY_FAILED")
                ? "the certificate is not trusted" : "the TLS handshake failed"
        default: "\(error)"
        }
    }
}

/// The parts of an answer that came and were not asked for yet. While there are many, nothing more is read.
private final class ReplyParts: ChannelInboundHandler {
    typealias InboundIn = HTTPClientResponsePart

    /// Bytes above which nothing more is read, and below which it is again.
    private static let (highMark, lowMark) = (2 << 20, 512 << 10)

    private var parts: [HTTPClientResponsePart] = []
    private var bytes = 0
    private var waiter: EventLoopPromise<HTTPClientResponsePart>?
    private var failure: (any Error)?
    private var isHeld = false
    private var context: ChannelHandlerContext?

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }
    func handlerRemoved(context: ChannelHandlerContext) {
        self.context = nil
        end(ChannelError.eof)
    }

    /// Gives the next part, when it is there.
    func ask(_ promise: EventLoopPromise<HTTPClientResponsePart>) {
        if !parts.isEmpty {
            let part = parts.removeFirst()
            if case .body(let buffer) = part { bytes -= buffer.readableBytes }
            if bytes < Self.lowMark { hold(false) }
            promise.succeed(part)
        } else if let failure {
            promise.fail(failure)
        } else {
            waiter = promise
        }
    }

    /// Ends the connection. A body whose end is that of the connection must not seem complete by this.
    func giveUp() {
        guard let context else { return }
        parts = []
        end(ChannelError.eof)
        context.close(promise: nil)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard failure == nil else { return }
        let part = unwrapInboundIn(data)
        if let waiter {
            self.waiter = nil
            return waiter.succeed(part)
        }
        parts.append(part)
        if case .body(let buffer) = part { bytes += buffer.readableBytes }
        if bytes > Self.highMark { hold(true) }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        // While it is held back, the other end has every right to be silent.
        if event is IdleStateHandler.IdleStateEvent, !isHeld { return giveUp() }
        context.fireUserInboundEventTriggered(event)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        end(error)
        context.close(promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) {
        end(ChannelError.eof)
        context.fireChannelInactive()
    }

    private func end(_ error: any Error) {
        if failure == nil { failure = error }
        waiter?.fail(error)
        waiter = nil
    }

    private func hold(_ holds: Bool) {
        guard holds != isHeld, let context else { return }
        isHeld = holds
        _ = context.channel.setOption(ChannelOptions.autoRead, value: !holds)
        if !holds { context.read() }
    }
}
#endif
