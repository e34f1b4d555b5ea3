#if Server
package import NIOCore
import Synchronization

/// The connections that are open.
package final class ConnectionRegistry: Sendable {
    private struct State {
        var open: [ObjectIdentifier: any Channel] = [:]
        var closing = false
    }
    private let state = Mutex(State())
    private let running = Atomic<Int>(0)
    private let limit: Int

    package init(limit: Int) { self.limit = limit }

    /// Notes a connection; `false` if there are too many or the server stops.
    package func add(_ channel: any Channel) -> Bool {
        state.withLock {
            guard !$0.closing, $0.open.count < limit else { return false }
            $0.open[ObjectIdentifier(channel)] = channel
            return true
        }
    }

    package func remove(_ channel: any Channel) {
        state.withLock { _ = $0.open.removeValue(forKey: ObjectIdentifier(channel)) }
    }

    package var count: Int { state.withLock { $0.open.count } }

    /// Requests that were handed over and whose answers have not come back.
    package var runningRequests: Int { running.load(ordering: .acquiring) }

    package func requestBegins() { running.add(1, ordering: .acquiringAndReleasing) }

    package func requestEnds() { running.subtract(1, ordering: .acquiringAndReleasing) }

    /// Asks every connection to end after the request it is at.
    package func quiesce() {
        let open = state.withLock { state in
            state.closing = true
            return Array(state.open.values)
        }
        for channel in open { channel.pipeline.fireUserInboundEventTriggered(ChannelShouldQuiesceEvent()) }
    }

    package func closeAll() {
        for channel in state.withLock({ Array($0.open.values) }) { channel.close(promise: nil) }
    }
}
#endif
