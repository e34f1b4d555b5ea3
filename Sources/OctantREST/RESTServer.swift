#if Server
import NIOCore
import NIOHTTP1
import NIOHTTPCompression
import NIOPosix
package import OctantModel
import Synchronization

/// The HTTP/1 server: sockets in front of a ``RESTHandler``.
///
/// Event loops collect bytes and write answers; decoding, work and encoding happen on the engine's pools.
package final class RESTServer: Sendable {
    private let group: MultiThreadedEventLoopGroup
    private let listeners: [any Channel]
    private let connections: ConnectionRegistry
    private let graceSeconds: Int
    private let isStopped = Atomic(false)

    private init(
        group: MultiThreadedEventLoopGroup, listeners: [any Channel], connections: ConnectionRegistry,
        graceSeconds: Int
    ) {
        self.group = group
        self.listeners = listeners
        self.connections = connections
        self.graceSeconds = graceSeconds
    }

    /// Listens on all hosts of `options`. Throws if one cannot be bound; `::1` beside another one may be missing.
    package static func start(
        _ options: RESTServerOptions, handler: RESTHandler
    ) throws(OctantError) -> RESTServer {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: max(1, options.eventLoops))
        let connections = ConnectionRegistry(limit: options.connectionsMax)
        let bootstrap = ServerBootstrap(group: group)
            .serverChannelOption(ChannelOptions.backlog, value: 1024)
            .serverChannelOption(ChannelOptions.socketOption(.so_reuseaddr), value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try configure(channel, options, handler, connections)
                }
            }
            .childChannelOption(ChannelOptions.tcpOption(.tcp_nodelay), value: 1)
            .childChannelOption(ChannelOptions.maxMessagesPerRead, value: 16)
            .childChannelOption(
                ChannelOptions.recvAllocator,
                value: AdaptiveRecvByteBufferAllocator(minimum: 2048, initial: 8192, maximum: 256 << 10))
        var listeners: [any Channel] = []
        for host in options.hosts {
            do {
                // With port 0 all hosts share the one that the first of them was given.
                let port = listeners.first?.localAddress?.port ?? options.port
                listeners.append(try bootstrap.bind(host: host, port: port).wait())
            } catch {
                if host == "::1", !listeners.isEmpty { continue }
                for listener in listeners { listener.close(promise: nil) }
                // Nothing else can be done with a failure to stop here.
                try? group.syncShutdownGracefully()
                throw OctantError(.service, "cannot listen on \(host):\(options.port): \(reason(error))")
            }
        }
        return RESTServer(
            group: group, listeners: listeners, connections: connections, graceSeconds: options.graceSeconds)
    }

    private static func reason(_ error: any Error) -> String {
        if let error = error as? IOError { return String(cString: strerror(error.errnoCode)) }
        return String(describing: error)
    }

    private static func configure(
        _ channel: any Channel, _ options: RESTServerOptions, _ handler: RESTHandler,
        _ connections: ConnectionRegistry
    ) throws {
        guard connections.add(channel) else {
            channel.close(promise: nil)
            return
        }
        channel.closeFuture.whenComplete { _ in connections.remove(channel) }
        let pipeline = channel.pipeline.syncOperations
        try pipeline.addHandler(IdleStateHandler(allTimeout: .seconds(Int64(options.idleSeconds))))
        try pipeline.configureHTTPServerPipeline(withPipeliningAssistance: true, withErrorHandling: true)
        try pipeline.addHandler(ExpectContinueHandler(bodyBytesMax: options.bodyBytesMax))
        try pipeline.addHandler(
            HTTPResponseCompressor { head, _ in
                let length = head.headers.first(name: "content-length").flatMap { Int($0) } ?? 0
                return length >= options.compressionBytesMin ? .compressIfPossible : .doNotCompress
            })
        try pipeline.addHandler(NIOHTTPRequestDecompressor(limit: .size(options.bodyBytesMax)))
        try pipeline.addHandler(RESTChannelHandler(handler: handler, options: options, connections: connections))
    }

    /// The addresses that are listened on, such as `127.0.0.1:6333`.
    package var addresses: [String] {
        listeners.compactMap { listener in
            guard let address = listener.localAddress, let host = address.ipAddress, let port = address.port else {
                return nil
            }
            return host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
        }
    }

    /// The port that is listened on.
    package var port: Int { listeners.first?.localAddress?.port ?? 0 }

    /// Stops to accept, lets running requests finish, closes. Blocks; a second call does nothing.
    package func shutdown() {
        guard !isStopped.exchange(true, ordering: .acquiringAndReleasing) else { return }
        for listener in listeners {
            // A listener that is closed already is what is wanted.
            try? listener.close().wait()
        }
        connections.quiesce()
        let deadline = ContinuousClock.now + .seconds(graceSeconds)
        // A request outlives its connection when the client leaves; its answer still needs the event loop.
        while connections.count > 0 || connections.runningRequests > 0, ContinuousClock.now < deadline { usleep(5000) }
        connections.closeAll()
        // The process ends after this: there is nobody to tell.
        try? group.syncShutdownGracefully()
    }
}

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// The connections that are open.
final class ConnectionRegistry: Sendable {
    private struct State {
        var open: [ObjectIdentifier: any Channel] = [:]
        var closing = false
    }
    private let state = Mutex(State())
    private let running = Atomic<Int>(0)
    private let limit: Int

    init(limit: Int) { self.limit = limit }

    /// Notes a connection; `false` if there are too many or the server stops.
    func add(_ channel: any Channel) -> Bool {
        state.withLock {
            guard !$0.closing, $0.open.count < limit else { return false }
            $0.open[ObjectIdentifier(channel)] = channel
            return true
        }
    }

    func remove(_ channel: any Channel) {
        state.withLock { _ = $0.open.removeValue(forKey: ObjectIdentifier(channel)) }
    }

    var count: Int { state.withLock { $0.open.count } }

    /// Requests that were handed over and whose answers have not come back.
    var runningRequests: Int { running.load(ordering: .acquiring) }

    func requestBegins() { running.add(1, ordering: .acquiringAndReleasing) }

    func requestEnds() { running.subtract(1, ordering: .acquiringAndReleasing) }

    /// Asks every connection to end after the request it is at.
    func quiesce() {
        let open = state.withLock { state in
            state.closing = true
            return Array(state.open.values)
        }
        for channel in open { channel.pipeline.fireUserInboundEventTriggered(ChannelShouldQuiesceEvent()) }
    }

    func closeAll() {
        for channel in state.withLock({ Array($0.open.values) }) { channel.close(promise: nil) }
    }
}
#endif
