#if Server
import NIOCore
import NIOHTTP1

/// Tells clients that wait for it to go on and send their body.
final class ExpectContinueHandler: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias InboundOut = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    private let bodyBytesMax: Int

    init(bodyBytesMax: Int) { self.bodyBytesMax = bodyBytesMax }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        if case .head(let head) = unwrapInboundIn(data), let expect = head.headers.first(name: "expect"),
            expect.lowercased() == "100-continue",
            (head.headers.first(name: "content-length").flatMap { Int($0) } ?? 0) <= bodyBytesMax
                || RESTChannelHandler.isUpload(head)
        {
            let go = HTTPResponseHead(version: .http1_1, status: .continue)
            context.writeAndFlush(wrapOutboundOut(.head(go)), promise: nil)
        }
        context.fireChannelRead(data)
    }
}
#endif
