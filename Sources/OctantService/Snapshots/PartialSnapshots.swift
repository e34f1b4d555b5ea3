package import OctantModel
import Synchronization

/// What goes on with partial snapshots, by collection: which one is being recovered, how many are being made.
package final class PartialSnapshots: Sendable {
    /// What is known of one collection.
    package struct Status: Sendable {
        /// Partial snapshots that are being made.
        package var creating = 0
        /// Whether one is being recovered.
        package var isRecovering = false
        /// When the last one was recovered, or found to have nothing: seconds since 1970; 0: never.
        package var recoveryTime = 0
        /// The collection went while one was being recovered: it is not of what has its name by now.
        fileprivate var recoversTheGone = false

        fileprivate var isIdle: Bool { creating == 0 && !isRecovering }
    }

    private let state = Mutex<[String: Status]>([:])

    package init() {}

    /// Collections of which something is kept.
    package var count: Int { state.withLock { $0.count } }

    /// The status of a collection.
    package subscript(name: String) -> Status { state.withLock { $0[name] ?? Status() } }

    /// The right to recover one, which only one caller at a time has; `nil`: another has it.
    package func claim(_ name: String) -> PartialRecoveryClaim? {
        let isFree = state.withLock { state in
            if state[name]?.isRecovering == true { return false }
            state[name, default: Status()].isRecovering = true
            return true
        }
        return isFree ? PartialRecoveryClaim(name, self) : nil
    }

    fileprivate func end(_ name: String) {
        change(name) {
            $0.isRecovering = false
            $0.recoversTheGone = false
        }
    }

    /// Notes that the one that is being recovered is in force.
    package func recovered(_ name: String) {
        change(name) {
            if $0.isRecovering, !$0.recoversTheGone { $0.recoveryTime = Int(SystemStatus.unixMilliseconds / 1000) }
        }
    }

    /// Counts one that is being made, until the object that is returned goes.
    package func creation(_ name: String) -> Creation { Creation(name, self) }

    /// Forgets a collection that is gone: at once, or when the last one of it that is being made or recovered ends.
    package func forget(_ name: String) {
        change(name) {
            $0.recoveryTime = 0
            $0.recoversTheGone = $0.isRecovering
        }
    }

    /// Changes a status, and keeps it only while it says something.
    private func change(_ name: String, _ body: (inout Status) -> Void) {
        state.withLock { state in
            var status = state[name] ?? Status()
            body(&status)
            state[name] = status.isIdle && status.recoveryTime == 0 ? nil : status
        }
    }

    /// One that is being made.
    package final class Creation: Sendable {
        private let name: String
        private let all: PartialSnapshots

        fileprivate init(_ name: String, _ all: PartialSnapshots) {
            self.name = name
            self.all = all
            all.change(name) { $0.creating += 1 }
        }

        deinit { all.change(name) { $0.creating -= 1 } }
    }
}

/// The right to recover a partial snapshot of a collection. It ends with ``end()``, or with the object.
package final class PartialRecoveryClaim: Sendable {
    /// The collection's own name.
    let name: String
    private let all: PartialSnapshots
    private let isOver = Atomic(false)

    fileprivate init(_ name: String, _ all: PartialSnapshots) {
        self.name = name
        self.all = all
    }

    deinit { end() }

    /// Lets the next one have it.
    package func end() {
        if !isOver.exchange(true, ordering: .relaxed) { all.end(name) }
    }
}

/// The body of a request to recover a partial snapshot of another server.
package struct PartialRecovery: Sendable {
    /// The other server: scheme, host and port.
    package var peerURL: String
    /// A key for it.
    package var apiKey: String?

    /// Reads the body.
    package init(json: JSONValue) throws(OctantError) {
        let fields = try JSONFields(json, path: "")
        guard let url = try fields.string("peer_url") else { throw fields.missing("peer_url") }
        guard case .remote = try SnapshotLocation(url, "peer_url") else {
            throw OctantError(.badRequest, "peer_url: http or https is expected")
        }
        peerURL = url
        apiKey = try fields.string("api_key")
    }
}
