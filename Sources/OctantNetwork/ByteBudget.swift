#if Server
import Synchronization

/// A bound on the bytes of all requests that are being received or answered, for all ports together: each alone is bounded
/// by the limit of its port, many at once only by this.
package final class ByteBudget: Sendable {
    /// Seconds after which to ask again.
    package static let retrySeconds = 1

    /// Bytes at once.
    package let limit: Int
    private let used = Atomic<Int>(0)
    private let room: (@Sendable () -> Int?)?

    /// What a request is given without a look at the room: reads and deletes need no more.
    private static let small = 64 << 10

    /// A budget of so many bytes.
    ///
    /// - Parameter room: what the machine's memory leaves for requests now; `nil`: enough.
    package init(limit: Int, room: (@Sendable () -> Int?)? = nil) {
        self.limit = limit
        self.room = room
    }

    /// Bytes that requests have now.
    package var usedBytes: Int { used.load(ordering: .relaxed) }

    /// What a request is told for which there is no room.
    package var refusal: String {
        if let room = room?(), room < limit {
            return "Not enough memory for more requests of this size now "
                + "(\(room >> 20) MB left for all together): try again later"
        }
        return "The requests in flight have as many bytes as they may have together "
            + "(limit: \(limit) bytes): try again later"
    }

    /// Takes bytes for a request that has `total` then, if there are so many.
    fileprivate func take(_ count: Int, total: Int) -> Bool {
        if total > Self.small, let room = room?(), usedBytes > room - count { return false }
        var now = usedBytes
        while now <= limit - count {
            let (isTaken, found) = used.compareExchange(expected: now, desired: now + count, ordering: .relaxed)
            if isTaken { return true }
            now = found
        }
        return false
    }

    fileprivate func give(_ count: Int) { used.subtract(count, ordering: .relaxed) }
}

/// What one request has of a budget. It goes back with the last reference at the latest.
package final class ByteShare: Sendable {
    private let budget: ByteBudget
    private let held = Atomic<Int>(0)

    /// Nothing yet.
    package init(of budget: ByteBudget) { self.budget = budget }

    deinit { release() }

    /// Makes it so many bytes, not below what it is now. `false` if the budget does not have them: it stays as it is.
    ///
    /// One thread at a time.
    package func grow(to count: Int) -> Bool {
        let more = count - held.load(ordering: .relaxed)
        guard more > 0 else { return true }
        guard budget.take(more, total: count) else { return false }
        held.add(more, ordering: .relaxed)
        return true
    }

    /// Gives all of it back.
    package func release() { budget.give(held.exchange(0, ordering: .relaxed)) }
}
#endif
