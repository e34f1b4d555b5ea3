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
}
