/// A number that points are ordered by.
public enum OrderValue: Hashable, Sendable, Comparable {
    /// A whole number; of a date, microseconds since 1970.
    case integer(Int64)
    /// Any number.
    case double(Double)

    /// The value as a double; large integers are rounded.
    public var number: Double {
        switch self {
        case .integer(let value): Double(value)
        case .double(let value): value
        }
    }

    /// A date; throws if the text is none. `path` is where it stands in the request.
    package init(date text: String, path: String) throws(OctantError) {
        guard let date = DateTime.microseconds(text) else {
            throw .json("\(path): '\(text)' is not a date in a supported format")
        }
        self = .integer(date)
    }

    /// By value, whatever the kind.
    public static func < (a: Self, b: Self) -> Bool {
        if case .integer(let x) = a, case .integer(let y) = b { return x < y }
        return a.number < b.number
    }
}

/// Ordering by the values at a key. The key needs an index that knows ranges; points without a value are left out, and
/// a point with several is listed once for each.
public struct OrderBy: Hashable, Sendable {
    /// Which end comes first.
    public enum Direction: String, Hashable, Sendable, CaseIterable {
        /// Small values first.
        case ascending = "asc"
        /// Large values first.
        case descending = "desc"
    }

    /// The key.
    public var key: PayloadPath
    /// Which end comes first.
    public var direction: Direction
    /// The first value listed.
    public var startFrom: OrderValue?

    /// An order.
    public init(key: PayloadPath, direction: Direction = .ascending, startFrom: OrderValue? = nil) {
        self.key = key
        self.direction = direction
        self.startFrom = startFrom
    }
}
