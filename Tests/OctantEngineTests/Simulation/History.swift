import Octant
import OctantEngine
import OctantModel
import OctantStorage

/// What a simulation found that must not be.
struct Violation: Error, CustomStringConvertible {
    var description: String
}

func demand(_ condition: Bool, _ text: @autoclosure () -> String) throws(Violation) {
    if !condition { throw Violation(description: text()) }
}

/// What a collection may be found to be: every state that operations have made and that a crash may go back to, and
/// what was promised.
struct History {
    /// The collection after an operation.
    struct State {
        /// Counts operations and changes of vectors.
        var sequence: Int
        /// The last operation's number in the log.
        var lsn: LSN
        var model: Model
        /// The vector "x", which comes and goes.
        var extra: VectorDefinition?
    }

    /// Settings but for the vectors that come and go.
    struct Settings: Equatable, CustomStringConvertible {
        var config: CollectionConfig
        var indexes: Set<Manifest.FieldIndexEntry>

        init(_ config: CollectionConfig, _ indexes: some Sequence<Manifest.FieldIndexEntry>) {
            self.config = (try? config.removing("x")) ?? config
            self.indexes = Set(indexes)
        }

        var description: String { "\(config.json.text), indexes on \(indexes.map(\.key.description).sorted())" }
    }

    enum Existence {
        case absent, creating, present, dropping
    }

    /// What clients were told.
    struct Promise {
        var existence = Existence.absent
        /// What no crash may take back: the sequence of what was acknowledged as on disk, or seen by a reader.
        var synced = 0
        /// What the end of the process may not take back.
        var written = 0
        /// The last is the one in force; more than one while a change is under way, or its outcome unknown.
        var settings: [Settings] = []
    }

    let name: String
    var promise = Promise()
    /// From the oldest that may be found to the newest.
    var states: [State] = []
    private(set) var sequence = 0

    init(name: String) { self.name = name }

    var newest: State { states.last ?? State(sequence: 0, lsn: 0, model: Model(), extra: nil) }

    /// Notes a state that may be found from now on.
    mutating func append(lsn: LSN, model: Model, extra: VectorDefinition?) -> Int {
        sequence += 1
        states.append(State(sequence: sequence, lsn: lsn, model: model, extra: extra))
        return sequence
    }

    /// A collection without points.
    mutating func begin(_ settings: Settings) {
        states = []
        promise.synced = append(lsn: 0, model: Model(), extra: nil)
        promise.written = promise.synced
        promise.settings = [settings]
    }

    /// Forgets the states that nothing can go back to.
    mutating func trim() {
        let kept = promise.synced
        states.removeAll { $0.sequence < kept }
    }

    /// The operation up to `lsn` is what readers see.
    mutating func see(_ lsn: LSN) {
        // A change of vectors has the number of the operation before it, and may be under way.
        guard let last = states.last(where: { $0.lsn <= lsn })?.lsn, let state = states.first(where: { $0.lsn == last })
        else { return }
        promise.synced = max(promise.synced, state.sequence)
    }

    /// What `collection` must be after it was opened, by how far its log goes; from now on it is this.
    ///
    /// - Parameter cut: whether power was cut; else the process ended.
    mutating func settle(_ collection: Collection, cut: Bool) throws(Violation) {
        let lsn = collection.shard.lastLSN
        let config = collection.config
        let extra: VectorDefinition? =
            config.params.vectors["x"].map { .dense($0) } ?? config.params.sparse("x").map { .sparse($0) }
        guard var found = states.last(where: { $0.lsn == lsn && $0.extra == extra }) else {
            throw Violation(
                description: "\(name): found operation \(lsn), vector x \(extra as Any); possible: "
                    + states.map { "\($0.lsn) \($0.extra == nil ? "" : "x")" }.joined(separator: ", "))
        }
        let bound = cut ? promise.synced : max(promise.synced, promise.written)
        try demand(
            found.sequence >= bound,
            "\(name): found operation \(lsn), after \(states.first { $0.sequence == bound }?.lsn ?? 0) was promised")
        let settings = Settings(config, collection.shard.view.fieldIndexes)
        try demand(
            promise.settings.contains(settings),
            "\(name): found settings \(settings), possible: \(promise.settings)")
        // The operations behind it are gone.
        found.sequence = max(found.sequence, sequence)
        sequence = found.sequence
        states = [found]
        promise = Promise(
            existence: .present, synced: found.sequence, written: found.sequence, settings: [settings])
    }
}

extension Model {
    /// Applies those parts of a write that meet its condition; `false` if it must be refused.
    mutating func apply(_ operation: UpdateOperation, when condition: UpdateCondition?) -> Bool {
        guard let condition, !condition.isAlwaysTrue else { return apply(operation) }
        switch operation {
        case .upsert(let list):
            for point in list {
                if let present = points[point.id] {
                    guard condition.mode != .insertOnly, passes(point.id, present, condition) else { continue }
                } else if condition.mode == .updateOnly {
                    continue
                }
                _ = apply(.upsert([point]))
            }
            return true
        case .updateVectors(let list):
            return apply(
                .updateVectors(
                    list.filter { change in points[change.id].map { passes(change.id, $0, condition) } ?? true }))
        default: return apply(operation)
        }
    }

    private func passes(_ id: PointID, _ point: ModelPoint, _ condition: UpdateCondition) -> Bool {
        condition.filter.map { matches(id, point, $0) } ?? true
    }
}
