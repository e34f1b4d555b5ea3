#if Server
package import OctantNetwork
package import OctantService

/// How the server listens and what it takes.
package struct RESTServerOptions: Sendable {
    /// Where to listen.
    package var listener: ListenerOptions
    /// Bytes of a body, after decompression.
    package var bodyBytesMax: Int
    /// What all requests in flight may have together, of all ports.
    package var budget: ByteBudget
    /// Who may ask for what.
    package var policy: AccessPolicy
    /// Seconds without a byte after which a connection without a running request is closed.
    package var idleSeconds = 75
    /// Answers shorter than this are sent as they are: compressing them costs more time than it saves.
    package var compressionBytesMin = 16 << 10

    /// Options.
    package init(
        listener: ListenerOptions = ListenerOptions(port: 6333), bodyBytesMax: Int = 32 << 20,
        budget: ByteBudget = ByteBudget(limit: 1 << 30), policy: AccessPolicy = AccessPolicy()
    ) {
        self.listener = listener
        self.bodyBytesMax = bodyBytesMax
        self.budget = budget
        self.policy = policy
    }
}
#endif
