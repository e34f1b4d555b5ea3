#if Server
import NIOCore
import NIOHTTP2

/// The end of a connection's pipeline: what breaks the protocol ends the connection, what breaks one stream does not.
final class GRPCConnectionHandler: ChannelInboundHandler {
    typealias InboundIn = HTTP2Frame

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // The client was told by the handlers before, as far as it could be.
        let isOfOneStream =
            error is NIOHTTP2Errors.StreamError || error is NIOHTTP2Errors.NoSuchStream
            || error is NIOHTTP2Errors.StreamClosed
        if isOfOneStream { return }
        context.close(promise: nil)
    }
}
#endif
