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
    }

    private let state = Mutex<[String: Status]>([:])

    init() {}

    /// The status of a collection.
    package subscript(name: String) -> Status { state.withLock { $0[name] ?? Status() } }

    /// The right to recover one, which only one caller at a time has; `nil`: another has it.
    func claim(_ name: String) -> PartialRecoveryClaim? {
        let isFree = state.withLock { state in
            if state[name]?.isRecovering == true { return false }
            state[name, default: Status()].isRecovering = true
            return true
        }
        return isFree ? PartialRecoveryClaim(name, self) : nil
    }

    fileprivate func end(_ name: String) { state.withLock { $0[name]?.isRecovering = false } }

    func recovered(_ name: String) {
        state.withLock { $0[name, default: Status()].recoveryTime = Int(SystemStatus.unixMilliseconds / 1000) }
    }

    /// Counts one that is being made, until the object that is returned goes.
    func creation(_ name: String) -> Creation { Creation(name, self) }

    /// Forgets a collection that is gone.
    func forget(_ name: String) {
        state.withLock { state in
            guard let status = state[name] else { return }
            if status.creating == 0, !status.isRecovering { state[name] = nil }
        }
    }

    /// One that is being made.
    final class Creation: Sendable {
        private let name: String
        private let all: PartialSnapshots

        fileprivate init(_ name: String, _ all: PartialSnapshots) {
            self.name = name
            self.all = all
            all.state.withLock { $0[name, default: Status()].creating += 1 }
        }

        deinit { all.state.withLock { $0[name]?.creating -= 1 } }
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
