import OctantModel
import Synchronization

/// How many snapshots are being made and recovered from, and were made, by collection.
package final class SnapshotCounts: Sendable {
    /// What is counted.
    package enum Kind: Sendable { case creation, recovery }

    /// The counts of one collection, or of the whole storage.
    package struct Counts: Sendable {
        /// Snapshots that are being made now.
        package var creating = 0
        /// Recoveries that run now.
        package var recovering = 0
        /// Snapshots that were made.
        package var created = 0
    }

    /// Names that are counted: bounds what they can take of memory.
    private static let namesMax = 1000

    private let state = Mutex<[String: Counts]>([:])

    init() {}

    /// The counts of a collection.
    package subscript(name: String) -> Counts { state.withLock { $0[name] ?? Counts() } }

    /// Runs `body` and counts it.
    func counting<Value>(
        _ scope: SnapshotScope, _ kind: Kind, _ body: () throws(OctantError) -> Value
    ) throws(OctantError) -> Value {
        let name =
            switch scope {
            case .storage: ""
            case .collection(let name), .shard(let name, _): name
            }
        change(name) { if kind == .creation { $0.creating += 1 } else { $0.recovering += 1 } }
        var isDone = false
        defer {
            change(name) { counts in
                switch kind {
                case .creation:
                    counts.creating -= 1
                    if isDone { counts.created += 1 }
                case .recovery: counts.recovering -= 1
                }
            }
        }
        let value = try body()
        isDone = true
        return value
    }

    /// Forgets a collection that is gone.
    func forget(_ name: String) {
        state.withLock { state in
            if let counts = state[name], counts.creating == 0, counts.recovering == 0 { state[name] = nil }
        }
    }

    private func change(_ name: String, _ body: (inout Counts) -> Void) {
        state.withLock { state in
            guard state[name] != nil || state.count < Self.namesMax else { return }
            body(&state[name, default: Counts()])
        }
    }
}
