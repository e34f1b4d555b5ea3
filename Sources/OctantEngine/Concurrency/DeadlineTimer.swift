/// Calls back at given instants, from a thread of its own. What it calls must be short.
package final class DeadlineTimer: Sendable {
    private struct Entry: Sendable {
        var deadline: ContinuousClock.Instant
        var token: UInt64
    }

    private struct State: Sendable {
        /// Ascending by deadline. Most callers wait equally long, so that new entries belong at the end.
        var entries: [Entry] = []
        /// What is to be called; cancelled ones are no longer here.
        var actions: [UInt64: @Sendable () -> Void] = [:]
        var nextToken: UInt64 = 0
        var thread: Thread?
        var closed = false

        /// Takes out what is due.
        mutating func due(_ now: ContinuousClock.Instant) -> [@Sendable () -> Void] {
            let count = entries.prefix { $0.deadline <= now }.count
            let due = entries.prefix(count).compactMap { actions.removeValue(forKey: $0.token) }
            entries.removeFirst(count)
            return due
        }
    }

    /// The longest sleep: bounds what a step of the machine's clock can do.
    private static let sleepMillisecondsMax = 1000

    private let state = Monitor(State())

    /// A timer without work; its thread starts with the first call of ``call(at:_:)``.
    package init() {}

    /// Calls `action` once `deadline` has come, unless it is cancelled before. The token is for ``cancel(_:)``.
    package func call(at deadline: ContinuousClock.Instant, _ action: @escaping @Sendable () -> Void) -> UInt64 {
        state.change { state in
            let token = state.nextToken
            state.nextToken &+= 1
            guard !state.closed else { return token }
            var place = state.entries.count
            while place > 0, state.entries[place - 1].deadline > deadline { place -= 1 }
            state.entries.insert(Entry(deadline: deadline, token: token), at: place)
            state.actions[token] = action
            if state.thread == nil { state.thread = Thread(name: "octant-timer") { [self] in run() } }
            return token
        }
    }

    /// Forgets a call that has not been made.
    package func cancel(_ token: UInt64) {
        state.withLock { state in
            state.actions[token] = nil
            // Cancelled entries leave when their time comes, or when they are most of what is here.
            guard state.entries.count > 64, state.entries.count > state.actions.count * 2 else { return }
            let actions = state.actions
            state.entries.removeAll { actions[$0.token] == nil }
        }
    }

    private func run() {
        while true {
            let sleep = state.withLock { state -> Int in
                guard let first = state.entries.first else { return Self.sleepMillisecondsMax }
                let (seconds, attoseconds) = (first.deadline - .now).components
                let bounded = min(max(seconds, 0), 1)
                return min(
                    Self.sleepMillisecondsMax,
                    Int(bounded) * 1000 + Int(max(attoseconds, 0) / 1_000_000_000_000_000) + 1)
            }
            let woken = state.wait(milliseconds: sleep) { state -> [@Sendable () -> Void]? in
                if state.closed { return [] }
                let due = state.due(.now)
                return due.isEmpty ? nil : due
            }
            for action in woken ?? [] { action() }
            if state.withLock({ $0.closed }) { return }
        }
    }

    /// Ends the thread; calls that are not due are not made.
    package func close() {
        let thread = state.change { state -> Thread? in
            state.closed = true
            state.actions = [:]
            state.entries = []
            defer { state.thread = nil }
            return state.thread
        }
        thread?.join()
    }
}
