package import OctantService

/// How the server listens and what it takes.
package struct RESTServerOptions: Sendable {
    /// Addresses to listen on.
    package var hosts: [String]
    /// The port; 0: any that is free.
    package var port: Int
    /// Bytes of a body, after decompression.
    package var bodyBytesMax: Int
    /// Threads that move bytes.
    package var eventLoops: Int
    /// Who may ask for what.
    package var policy: AccessPolicy
    /// Connections at once: each costs a descriptor and some kilobytes.
    package var connectionsMax = 10_000
    /// Seconds without a byte after which a connection without a running request is closed.
    package var idleSeconds = 75
    /// Answers shorter than this are sent as they are: compressing them costs more time than it saves.
    package var compressionBytesMin = 16 << 10
    /// Seconds that running requests have to finish when the server stops.
    package var graceSeconds = 30

    /// Options.
    package init(
        hosts: [String] = ["127.0.0.1"], port: Int = 6333, bodyBytesMax: Int = 32 << 20, eventLoops: Int = 2,
        policy: AccessPolicy = AccessPolicy()
    ) {
        self.hosts = hosts
        self.port = port
        self.bodyBytesMax = bodyBytesMax
        self.eventLoops = eventLoops
        self.policy = policy
    }
}
