/// The kinds of field index.
public enum FieldIndexType: String, Sendable, CaseIterable {
    /// Strings by exact match.
    case keyword
    /// Whole numbers by match and range.
    case integer
    /// Numbers by range.
    case float
    /// `true` and `false`.
    case bool
    /// Dates by range.
    case datetime
    /// UUIDs by exact match of their values.
    case uuid
    /// Points on the Earth by shapes they are in.
    case geo
    /// Texts by the tokens in them.
    case text
}

/// A field index as it was asked for.
public struct FieldIndexSchema: Sendable, Hashable {
    /// Its kind.
    public var type: FieldIndexType
    /// The object form of the request as it is echoed (`{"type": …}` with options); `nil` if a type name alone was given.
    public var params: Payload?

    /// A schema.
    public init(type: FieldIndexType, params: Payload? = nil) {
        self.type = type
        self.params = params
    }
}
