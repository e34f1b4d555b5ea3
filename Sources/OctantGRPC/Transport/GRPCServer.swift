#if Server
import NIOCore
import NIOHPACK
import NIOHTTP2
package import OctantModel
package import OctantNetwork
package import OctantService

/// What the gRPC server takes.
package struct GRPCServerOptions: Sendable {
    /// Where to listen.
    package var listener: ListenerOptions
    /// Bytes of a message, also after decompression.
    package var messageBytesMax: Int
    /// What all requests in flight may have together, of all ports.
    package var budget: ByteBudget
    /// Who may ask for what.
    package var policy: AccessPolicy
    /// Answers shorter than this are sent as they are, as over REST: compressing them costs more time than it saves.
    package var compressionBytesMin = 16 << 10
    /// Calls at once on one connection.
    package var streamsMax = 1024

    /// Options.
    package init(
        listener: ListenerOptions = ListenerOptions(port: 6334), messageBytesMax: Int = 256 << 20,
        budget: ByteBudget = ByteBudget(limit: 1 << 30), policy: AccessPolicy = AccessPolicy()
    ) {
        self.listener = listener
        self.messageBytesMax = messageBytesMax
        self.budget = budget
        self.policy = policy
    }
}

/// The HTTP/2 server: sockets in front of a ``GRPCHandler``.
///
/// Thin by measurement: unary calls over SwiftNIO's HTTP/2 streams and SwiftProtobuf's messages cost a third to a sixth
/// of the CPU time of a general gRPC library's call, and need only a table of methods, a five-byte prefix and trailers.
package enum GRPCServer {
    /// Listens on all hosts of `options`; clients speak HTTP/2 without negotiation.
    package static func start(
        _ options: GRPCServerOptions, handler: GRPCHandler, threads: NetworkThreads
    ) throws(OctantError) -> Listener {
        let (connection, stream) = (connectionConfiguration(options), streamConfiguration())
        return try Listener.start(options.listener, threads) { channel, connections in
            let pipeline = channel.pipeline.syncOperations
            let management = NIOHTTP2ServerConnectionManagementHandler(
                eventLoop: channel.eventLoop,
                configuration: .init(
                    maxIdleTime: .minutes(30), maxAge: nil,
                    maxGraceTime: .seconds(Int64(options.listener.graceSeconds)),
                    keepalive: .init(pingInterval: .seconds(60), ackTimeout: .seconds(20))))
            _ = try pipeline.configureHTTP2Pipeline(
                mode: .server, connectionConfiguration: connection, streamConfiguration: stream,
                streamDelegate: management.http2StreamDelegate
            ) { stream in
                stream.eventLoop.makeCompletedFuture {
                    try stream.pipeline.syncOperations.addHandler(
                        GRPCStreamHandler(handler: handler, options: options, connections: connections))
                }
            }
            try pipeline.addHandlers(management, GRPCConnectionHandler())
        }
    }

    private static let streamWindow = 1 << 20

    private static func connectionConfiguration(
        _ options: GRPCServerOptions
    ) -> NIOHTTP2Handler.ConnectionConfiguration {
        var configuration = NIOHTTP2Handler.ConnectionConfiguration()
        configuration.initialSettings = [
            HTTP2Setting(parameter: .maxConcurrentStreams, value: options.streamsMax),
            HTTP2Setting(parameter: .initialWindowSize, value: streamWindow),
            HTTP2Setting(parameter: .maxFrameSize, value: 1 << 20),
            HTTP2Setting(parameter: .maxHeaderListSize, value: 16 << 10),
        ]
        configuration.targetWindowSize = 8 * streamWindow
        // Clients measure the line by pings while data flows, some of them one in every round trip: thousands a second
        // on a near line. Each entry of the limit takes memory on every connection, hence the short window.
        configuration.controlFrameRateLimit.maximumCount = 2000
        configuration.controlFrameRateLimit.windowLength = .milliseconds(100)
        // The rest of a large request that was refused early still comes in.
        configuration.maximumConnectionGlitches = 2000
        return configuration
    }

    private static func streamConfiguration() -> NIOHTTP2Handler.StreamConfiguration {
        var configuration = NIOHTTP2Handler.StreamConfiguration()
        configuration.targetWindowSize = streamWindow
        // Clients that give up on calls reset their streams; those that do nothing else are cut off.
        configuration.streamResetFrameRateLimit.maximumCount = 1000
        configuration.streamErrorRateLimit.maximumCount = 1000
        configuration.outboundBufferSizeHighWatermark = 256 << 10
        configuration.outboundBufferSizeLowWatermark = 64 << 10
        return configuration
    }
}
#endif
