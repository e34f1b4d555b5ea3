/// Whether an upsert makes new points, changes existing ones, or both.
public enum UpdateMode: String, Sendable, CaseIterable {
    /// Both.
    case upsert
    /// Points that exist are left as they are.
    case insertOnly = "insert_only"
    /// Points that do not exist are not made.
    case updateOnly = "update_only"
}

/// Which of its points an upsert or a change of vectors writes; the others are left as they are. Each point is decided
/// by the state that all earlier writes, and earlier points of the same upsert, have made.
public struct UpdateCondition: Sendable, Hashable {
    /// What may happen to points by whether they exist.
    public var mode: UpdateMode
    /// Existing points are changed only if they pass this; new ones are made whatever it says.
    public var filter: Filter?

    /// A condition.
    public init(mode: UpdateMode = .upsert, filter: Filter? = nil) {
        self.mode = mode
        self.filter = filter
    }

    /// Whether every point is written.
    public var isAlwaysTrue: Bool { mode == .upsert && (filter?.isEmpty ?? true) }
}

/// A write and the condition under which it is made.
public struct UpdateRequest: Sendable {
    /// The write.
    public var operation: UpdateOperation
    /// Which of its points are written; unset: all.
    public var condition: UpdateCondition?

    /// A request.
    public init(_ operation: UpdateOperation, when condition: UpdateCondition? = nil) {
        self.operation = operation
        self.condition = condition
    }

    /// An upsert of those of the points that meet the condition.
    package init(upsert points: [Point], when condition: UpdateCondition) {
        self.init(.upsert(points), when: condition.isAlwaysTrue ? nil : condition)
    }

    /// A change of the vectors of those points that meet the condition; throws if nothing is to be changed. Points that
    /// do not exist are an error, whatever the mode.
    package init(
        updateVectors changes: [(id: PointID, vectors: NamedVectors)], when condition: UpdateCondition
    ) throws(OctantError) {
        for (place, change) in changes.enumerated() where change.vectors.isEmpty {
            throw .invalid("points[\(place)].vector", "must specify vectors to update for point")
        }
        guard !changes.isEmpty else { throw .invalid("points", "must specify points to update") }
        var condition = condition
        condition.mode = .upsert
        self.init(.updateVectors(changes), when: condition.isAlwaysTrue ? nil : condition)
    }
}

extension UpdateOperation {
    /// A removal of vectors; throws if no name is given.
    package static func deleteVectors(
        checked names: [String], _ selection: PointSelection
    ) throws(OctantError) -> UpdateOperation {
        guard !names.isEmpty else { throw .invalid("vector", "must specify vector names to delete") }
        return .deleteVectors(names, selection)
    }
}

extension PointSelection {
    /// The error for a write that does not say which points it is about.
    package static var missing: OctantError { .json("Either list of point ids or filter must be provided") }
}
