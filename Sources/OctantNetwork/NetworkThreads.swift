#if Server
import NIOCore
package import NIOPosix

/// The threads that move bytes, for all ports together. They decode and run nothing that takes long.
package final class NetworkThreads: Sendable {
    package let group: MultiThreadedEventLoopGroup

    /// So many threads, at least one.
    package init(count: Int) { group = MultiThreadedEventLoopGroup(numberOfThreads: max(1, count)) }

    /// Ends the threads, after the listeners are shut down. Blocks.
    package func shutdown() {
        // The process ends after this: there is nobody to tell.
        try? group.syncShutdownGracefully()
    }
}
#endif
