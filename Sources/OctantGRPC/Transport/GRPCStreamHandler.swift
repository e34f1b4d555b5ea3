#if Server
import NIOCore
import NIOHPACK
import NIOHTTP2
import OctantModel
import OctantNetwork
import OctantService

/// One call: collects the request, hands it over, writes the answer.
final class GRPCStreamHandler: ChannelInboundHandler {
    typealias InboundIn = HTTP2Frame.FramePayload
    typealias OutboundOut = HTTP2Frame.FramePayload

    /// What is known of the call that is being read.
    private struct Incoming {
        var target: Target
        var assembler: MessageAssembler
        /// The message of a unary call, as it was sent.
        var message: MessageAssembler.Message?
        var isGzip: Bool
        var acceptsGzip: Bool
        var deadline: ContinuousClock.Instant?
        /// What the request has of the budget.
        var share: ByteShare

        /// Bytes that are kept.
        var heldBytes: Int { assembler.heldBytes + (message?.bytes.count ?? 0) }
    }

    private enum Target {
        case unary(GRPCMethod)
        /// The one method that answers message by message.
        case reflection
    }

    private enum State {
        case idle
        case reading(Incoming)
        /// The method runs.
        case running
        /// The last frame is written, or nobody waits for it.
        case done
    }

    /// Bytes of a question to the reflection after decompression: a name.
    private static let reflectionBytesMax = 64 << 10

    private let handler: GRPCHandler
    private let options: GRPCServerOptions
    private let connections: ConnectionRegistry
    private let cancellation = Cancellation()
    private var state = State.idle
    private var context: ChannelHandlerContext?
    private var timer: Scheduled<Void>?
    private var sentHeaders = false
    /// Whether the client has sent all it will.
    private var requestEnded = false

    init(handler: GRPCHandler, options: GRPCServerOptions, connections: ConnectionRegistry) {
        self.handler = handler
        self.options = options
        self.connections = connections
    }

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.context = nil
        end()
    }

    func channelInactive(context: ChannelHandlerContext) {
        end()
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        end()
        context.close(promise: nil)
    }

    private func end() {
        state = .done
        cancellation.cancel()
        timer?.cancel()
        timer = nil
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .headers(let frame):
            if frame.endStream { requestEnded = true }
            switch state {
            case .idle: begin(frame.headers, endsStream: frame.endStream)
            // Trailers of a request mean nothing to gRPC.
            case .reading where frame.endStream: finish()
            default: break
            }
        case .data(let frame):
            if frame.endStream { requestEnded = true }
            if case .byteBuffer(let buffer) = frame.data { collect(buffer) }
            if frame.endStream { finish() }
        default: break
        }
    }

    // MARK: Reading

    private func begin(_ headers: HPACKHeaders, endsStream: Bool) {
        let path = headers.first(name: ":path") ?? ""
        guard headers.first(name: ":method") == "POST",
            GRPCHeaders.isGRPC(contentType: headers.first(name: "content-type"))
        else { return refuse(httpStatus: 415) }
        let target: Target
        let access: AccessRight
        if let method = GRPCMethods.byPath[path] {
            (target, access) = (.unary(method), method.access)
        } else if Reflection.paths.contains(path) {
            (target, access) = (.reflection, .read)
        } else {
            return refuse(GRPCStatus(.unimplemented, "unknown method \(path)"))
        }
        let refusal = options.policy.refusal(
            access, apiKey: headers.first(name: "api-key"), authorization: headers.first(name: "authorization"))
        if let refusal {
            return refuse(GRPCStatus(refusal == .noRight ? .permissionDenied : .unauthenticated, refusal.message))
        }
        let encoding = headers.first(name: "grpc-encoding") ?? "identity"
        guard ["identity", "gzip"].contains(encoding) else {
            return refuse(GRPCStatus(.unimplemented, "compression \(encoding) is not supported, gzip and identity are"))
        }
        var incoming = Incoming(
            target: target, assembler: MessageAssembler(messageBytesMax: options.messageBytesMax),
            isGzip: encoding == "gzip",
            acceptsGzip: GRPCHeaders.namesGzip(headers.first(name: "grpc-accept-encoding")),
            share: ByteShare(of: options.budget))
        if let text = headers.first(name: "grpc-timeout") {
            guard let timeout = GRPCHeaders.timeout(text) else {
                return refuse(GRPCStatus(.invalidArgument, "grpc-timeout `\(text)` is no time"))
            }
            incoming.deadline = .now + timeout
            schedule(timeout)
        }
        state = .reading(incoming)
        if endsStream { finish() }
    }

    private func schedule(_ timeout: Duration) {
        guard let context else { return }
        let (seconds, attoseconds) = timeout.components
        let nanoseconds = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        guard !nanoseconds.overflow else { return }
        let bound = NIOLoopBound(self, eventLoop: context.eventLoop)
        timer = context.eventLoop.scheduleTask(in: .nanoseconds(nanoseconds.partialValue + attoseconds / 1_000_000_000))
        {
            bound.value.refuse(GRPCStatus(.deadlineExceeded, "the deadline of the call has passed"))
        }
    }

    private func collect(_ buffer: ByteBuffer) {
        guard case .reading(var incoming) = state else { return }
        // Taken out while it changes, so that the message is not copied.
        state = .done
        var failure: GRPCStatus?
        buffer.withUnsafeReadableBytes { bytes in
            do throws(GRPCStatus) {
                var rest = bytes[...]
                while let message = try incoming.assembler.next(&rest) { try take(message, &incoming) }
            } catch { failure = error }
        }
        if failure == nil, !incoming.share.grow(to: incoming.heldBytes) {
            var status = GRPCStatus(.resourceExhausted, options.budget.refusal)
            status.metadata = [("retry-after", String(ByteBudget.retrySeconds))]
            failure = status
        }
        state = .reading(incoming)
        if let failure { refuse(failure) }
    }

    private func take(_ message: MessageAssembler.Message, _ incoming: inout Incoming) throws(GRPCStatus) {
        if message.isCompressed, !incoming.isGzip {
            throw GRPCStatus(.internal, "a message is marked as compressed, and grpc-encoding names no compression")
        }
        switch incoming.target {
        case .unary:
            guard incoming.message == nil else {
                throw GRPCStatus(.internal, "the method takes one message, and more than one came")
            }
            incoming.message = message
        case .reflection:
            // Questions are a few bytes and answers are not: a client that only asks would fill the memory.
            guard let context, context.channel.isWritable else {
                throw GRPCStatus(.resourceExhausted, "more was asked than answers were read")
            }
            let limit = Self.reflectionBytesMax
            let bytes = message.isCompressed ? try Gzip.decompress(message.bytes, limit: limit) : message.bytes
            write(GRPCFrame(Reflection.answer(bytes), compressed: false))
            context.flush()
        }
    }

    /// The request is complete.
    private func finish() {
        guard case .reading(let incoming) = state, let context else { return }
        guard !incoming.assembler.isInside else {
            return refuse(GRPCStatus(.internal, "the request ended inside a message"))
        }
        switch incoming.target {
        case .reflection: close(GRPCStatus(.ok))
        case .unary(let method):
            guard let message = incoming.message else {
                return refuse(GRPCStatus(.internal, "the request has no message"))
            }
            state = .running
            let call = GRPCCall(message: message.bytes, deadline: incoming.deadline)
            let gzipLimit = message.isCompressed ? options.messageBytesMax : nil
            let compressionMin = incoming.acceptsGzip ? options.compressionBytesMin : Int.max
            let loop = context.eventLoop
            let bound = NIOLoopBound(self, eventLoop: loop)
            connections.requestBegins()
            handler.handle(method, call, cancellation, gzipLimit: gzipLimit) {
                [connections, share = incoming.share] result in
                share.release()
                // Here, not on the event loop: compression takes time.
                let result = result.map { GRPCFrame($0, compressedFrom: compressionMin) }
                if loop.inEventLoop {
                    bound.value.answer(result)
                    connections.requestEnds()
                } else {
                    loop.execute {
                        bound.value.answer(result)
                        connections.requestEnds()
                    }
                }
            }
        }
    }

    // MARK: Writing

    private func answer(_ result: Result<GRPCFrame, GRPCStatus>) {
        guard case .running = state else { return }
        switch result {
        case .failure(let status): close(status)
        case .success(let frame):
            write(frame)
            close(GRPCStatus(.ok))
        }
    }

    private func write(_ frame: GRPCFrame) {
        guard let context else { return }
        writeHeaders(compressed: frame.isCompressed)
        context.write(wrapOutboundOut(.data(.init(data: .byteBuffer(frame.buffer)))), promise: nil)
    }

    private func writeHeaders(compressed: Bool) {
        guard !sentHeaders, let context else { return }
        sentHeaders = true
        var headers: HPACKHeaders = [
            ":status": "200", "content-type": "application/grpc", "grpc-accept-encoding": "identity,gzip",
        ]
        if compressed { headers.add(name: "grpc-encoding", value: "gzip") }
        context.write(wrapOutboundOut(.headers(.init(headers: headers))), promise: nil)
    }

    /// Ends the call with a status. Without headers before, these are the only ones.
    private func close(_ status: GRPCStatus) {
        guard let context, context.channel.isActive else { return end() }
        var trailers: HPACKHeaders =
            sentHeaders ? [:] : [":status": "200", "content-type": "application/grpc"]
        trailers.add(name: "grpc-status", value: String(status.code.rawValue))
        if !status.message.isEmpty {
            let cut = String(decoding: status.message.utf8.prefix(GRPCHeaders.messageBytesMax), as: UTF8.self)
            trailers.add(name: "grpc-message", value: GRPCHeaders.percentEncoded(cut))
        }
        for (name, value) in status.metadata { trailers.add(name: name, value: value) }
        context.writeAndFlush(wrapOutboundOut(.headers(.init(headers: trailers, endStream: true))), promise: nil)
        end()
    }

    /// Ends a call whose request may not be complete: the rest of it is not wanted.
    private func refuse(_ status: GRPCStatus) {
        if case .done = state { return }
        close(status)
        reset()
    }

    /// Refuses what is not gRPC at all.
    private func refuse(httpStatus: Int) {
        guard let context else { return }
        let headers: HPACKHeaders = [":status": String(httpStatus)]
        context.writeAndFlush(wrapOutboundOut(.headers(.init(headers: headers, endStream: true))), promise: nil)
        end()
        reset()
    }

    private func reset() {
        guard !requestEnded, let context, context.channel.isActive else { return }
        context.writeAndFlush(wrapOutboundOut(.rstStream(.noError)), promise: nil)
    }
}

/// An answer as it is sent.
private struct GRPCFrame: Sendable {
    /// The prefix and the message.
    let buffer: ByteBuffer
    let isCompressed: Bool

    init(_ message: [UInt8], compressed: Bool) {
        let prefix = MessageAssembler.prefix(compressed: compressed, length: message.count)
        var buffer = ByteBufferAllocator().buffer(capacity: prefix.count + message.count)
        buffer.writeBytes(prefix)
        buffer.writeBytes(message)
        self.buffer = buffer
        isCompressed = compressed
    }

    /// A message that is compressed if it has so many bytes and gets smaller by it.
    init(_ message: [UInt8], compressedFrom bytesMin: Int) {
        if message.count >= bytesMin, let smaller = Gzip.compress(message) {
            self.init(smaller, compressed: true)
        } else {
            self.init(message, compressed: false)
        }
    }
}
#endif
