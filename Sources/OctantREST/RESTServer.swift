#if Server
import NIOCore
import NIOHTTP1
import NIOHTTPCompression
package import OctantModel
package import OctantNetwork

/// The HTTP/1 server: sockets in front of a ``RESTHandler``.
///
/// Event loops collect bytes and write answers; decoding, work and encoding happen on the engine's pools.
package enum RESTServer {
    /// Listens on all hosts of `options`.
    package static func start(
        _ options: RESTServerOptions, handler: RESTHandler, threads: NetworkThreads
    ) throws(OctantError) -> Listener {
        try Listener.start(options.listener, threads) { channel, connections in
            let pipeline = channel.pipeline.syncOperations
            try pipeline.addHandler(IdleStateHandler(allTimeout: .seconds(Int64(options.idleSeconds))))
            try pipeline.configureHTTPServerPipeline(withPipeliningAssistance: true, withErrorHandling: true)
            try pipeline.addHandler(ExpectContinueHandler(bodyBytesMax: options.bodyBytesMax))
            try pipeline.addHandler(
                HTTPResponseCompressor { head, _ in
                    // Snapshots hold codes and random numbers, and their length is worth more than the few bytes.
                    if head.headers.contains(name: "content-disposition") { return .doNotCompress }
                    let length = head.headers.first(name: "content-length").flatMap { Int($0) } ?? 0
                    return length >= options.compressionBytesMin ? .compressIfPossible : .doNotCompress
                })
            try pipeline.addHandler(NIOHTTPRequestDecompressor(limit: .size(options.bodyBytesMax)))
            try pipeline.addHandler(RESTChannelHandler(handler: handler, options: options, connections: connections))
        }
    }
}
#endif
