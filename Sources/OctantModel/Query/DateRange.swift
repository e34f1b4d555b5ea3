/// Bounds of a date, each in microseconds since 1970 (see ``DateTime``); absent bounds do not constrain.
public struct DateRange: Hashable, Sendable {
    /// Later than.
    public var gt: Int64?
    /// Not before.
    public var gte: Int64?
    /// Earlier than.
    public var lt: Int64?
    /// Not after.
    public var lte: Int64?

    /// Bounds.
    public init(gt: Int64? = nil, gte: Int64? = nil, lt: Int64? = nil, lte: Int64? = nil) {
        self.gt = gt
        self.gte = gte
        self.lt = lt
        self.lte = lte
    }

    /// The same as one run of microseconds; `nil` if nothing is within the bounds.
    public var run: ClosedRange<Int64>? {
        var low = gte ?? .min
        var high = lte ?? .max
        if let gt {
            guard gt < .max else { return nil }
            low = max(low, gt + 1)
        }
        if let lt {
            guard lt > .min else { return nil }
            high = min(high, lt - 1)
        }
        return low <= high ? low...high : nil
    }
}
