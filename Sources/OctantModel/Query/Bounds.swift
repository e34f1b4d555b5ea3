/// What a whole number of a request may be, by whatever protocol the request comes.
package struct CountBounds: Sendable, Hashable {
    /// The least.
    package var from: Int
    /// The greatest.
    package var to: Int

    /// Bounds; both ends are within.
    package init(from: Int = 0, to: Int = .max) {
        self.from = from
        self.to = to
    }

    /// The value if it is within; else a validation error that names `path`, the field the value stands in.
    package func check(_ value: Int, _ path: String) throws(OctantError) -> Int {
        if value >= from, value <= to { return value }
        // That a field is 32 bits wide is no bound worth naming to who is below the other.
        let isOpen = to == .max || (value < from && to >= Int(UInt32.max))
        let reason = isOpen ? "must be \(from) or larger" : "must be from \(from) to \(to)"
        throw .invalid(path, "value \(value) invalid, \(reason)")
    }

    /// Points, groups or values an answer may have at most.
    package static let limit = CountBounds(from: 1)
    /// Points of one group.
    package static let groupSize = CountBounds(from: 1)
    /// Points of a distance matrix.
    package static let sample = CountBounds(from: 2)
    /// Candidates kept during the walk of a graph.
    package static let hnswEF = CountBounds(from: 1)
    /// The nearest that a search by `mmr` chooses from.
    package static let mmrCandidates = CountBounds(from: 1, to: MMR.candidatesMax)
    /// The constant of reciprocal rank fusion.
    package static let rrfK = CountBounds(from: 1)
    /// Conditions of `min_should` that must hold.
    package static let minCount = CountBounds(from: 1)
    /// Seconds to wait.
    package static let timeout = CountBounds(from: 1)
    /// Replicas to ask.
    package static let replicas = CountBounds(from: 1)
}

/// What a number of a request may be.
package struct NumberBounds: Sendable, Hashable {
    /// The least.
    package var from: Double
    /// The greatest.
    package var to: Double

    /// Bounds; both ends are within.
    package init(from: Double = -.infinity, to: Double = .infinity) {
        self.from = from
        self.to = to
    }

    /// The value if it is within; else a validation error that names `path`, the field the value stands in.
    package func check(_ value: Double, _ path: String) throws(OctantError) -> Double {
        if value >= from, value <= to { return value }
        guard !value.isNaN else { throw .invalid(path, "value NaN invalid, must be a number") }
        let reason = to == .infinity ? "must be \(from) or larger" : "must be from \(from) to \(to)"
        throw .invalid(path, "value \(value) invalid, \(reason)")
    }

    /// Any number.
    package static let any = NumberBounds()
    /// A share of points.
    package static let share = NumberBounds(from: 0, to: 1)
    /// From nearness alone to variety alone.
    package static let diversity = NumberBounds(from: 0, to: 1)
    /// How many times the limit is fetched before rescoring.
    package static let oversampling = NumberBounds(from: 1)
    /// The exponent of relevance feedback.
    package static let feedbackExponent = NumberBounds(from: 0)
}
