#if Server
package import NIOCore
import NIOPosix
package import OctantModel
import Synchronization

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// Where to listen and how many may come.
package struct ListenerOptions: Sendable {
    /// Addresses to listen on.
    package var hosts: [String]
    /// The port; 0: any that is free.
    package var port: Int
    /// Connections at once: each costs a descriptor and some kilobytes.
    package var connectionsMax = 10_000
    /// Seconds that running requests have to finish when the server stops.
    package var graceSeconds = 30

    /// Options.
    package init(hosts: [String] = ["127.0.0.1"], port: Int) {
        self.hosts = hosts
        self.port = port
    }
}

/// The listening sockets of one protocol and the connections they accepted.
package final class Listener: Sendable {
    private let sockets: [any Channel]
    private let connections: ConnectionRegistry
    private let graceSeconds: Int
    private let isStopped = Atomic(false)

    private init(sockets: [any Channel], connections: ConnectionRegistry, graceSeconds: Int) {
        self.sockets = sockets
        self.connections = connections
        self.graceSeconds = graceSeconds
    }

    /// Listens on all hosts. Throws if one cannot be bound; `::1` beside another one may be missing.
    ///
    /// - Parameter configure: Fills the pipeline of a new connection, on its event loop.
    package static func start(
        _ options: ListenerOptions, _ threads: NetworkThreads,
        configure: @escaping @Sendable (any Channel, ConnectionRegistry) throws -> Void
    ) throws(OctantError) -> Listener {
        let connections = ConnectionRegistry(limit: options.connectionsMax)
        let bootstrap = ServerBootstrap(group: threads.group)
            .serverChannelOption(ChannelOptions.backlog, value: 1024)
            .serverChannelOption(ChannelOptions.socketOption(.so_reuseaddr), value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    guard connections.add(channel) else {
                        channel.close(promise: nil)
                        return
                    }
                    channel.closeFuture.whenComplete { _ in connections.remove(channel) }
                    try configure(channel, connections)
                }
            }
            .childChannelOption(ChannelOptions.tcpOption(.tcp_nodelay), value: 1)
            .childChannelOption(ChannelOptions.maxMessagesPerRead, value: 16)
            .childChannelOption(
                ChannelOptions.recvAllocator,
                value: AdaptiveRecvByteBufferAllocator(minimum: 2048, initial: 8192, maximum: 256 << 10))
        var sockets: [any Channel] = []
        for host in options.hosts {
            do {
                // With port 0 all hosts share the one that the first of them was given.
                let port = sockets.first?.localAddress?.port ?? options.port
                sockets.append(try bootstrap.bind(host: host, port: port).wait())
            } catch {
                if host == "::1", !sockets.isEmpty { continue }
                for socket in sockets { socket.close(promise: nil) }
                throw OctantError(.service, "cannot listen on \(host):\(options.port): \(reason(error))")
            }
        }
        return Listener(sockets: sockets, connections: connections, graceSeconds: options.graceSeconds)
    }

    private static func reason(_ error: any Error) -> String {
        if let error = error as? IOError { return String(cString: strerror(error.errnoCode)) }
        return String(describing: error)
    }

    /// The addresses that are listened on, such as `127.0.0.1:6333`.
    package var addresses: [String] {
        sockets.compactMap { socket in
            guard let address = socket.localAddress, let host = address.ipAddress, let port = address.port else {
                return nil
            }
            return host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
        }
    }

    /// The port that is listened on.
    package var port: Int { sockets.first?.localAddress?.port ?? 0 }

    /// Stops to accept, lets running requests finish, closes. Blocks; a second call does nothing.
    package func shutdown() {
        guard !isStopped.exchange(true, ordering: .acquiringAndReleasing) else { return }
        for socket in sockets {
            // A listener that is closed already is what is wanted.
            try? socket.close().wait()
        }
        connections.quiesce()
        let deadline = ContinuousClock.now + .seconds(graceSeconds)
        // A request outlives its connection when the client leaves; its answer still needs the event loop.
        while connections.count > 0 || connections.runningRequests > 0, ContinuousClock.now < deadline { usleep(5000) }
        connections.closeAll()
    }
}
#endif
