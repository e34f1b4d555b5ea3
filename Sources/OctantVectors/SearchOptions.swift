extension DenseIndex {
    /// How one search is done.
    package struct Options: Sendable {
        /// Whether approximations are allowed.
        package enum Mode: Sendable {
            /// Float rows only, every candidate looked at.
            case exact
            /// Graph and codes may be used.
            case automatic
        }

        /// Answers wanted.
        package var limit: Int
        /// Size of the pool of a graph walk; at least `limit` is used.
        package var ef: Int
        package var mode: Mode
        /// Walk and scan on codes, if there are any.
        package var useCodes: Bool
        /// Score the best by codes again by float rows.
        package var rescore: Bool
        /// With `rescoreWholePool` off: how many times `limit` rows are scored again.
        package var oversampling: Double
        /// All of the pool may be scored again (rows in memory): as many as the error bound of the codes leaves
        /// in question. Off for rows on disk.
        package var rescoreWholePool: Bool
        /// Rows a walk with a predicate looks at before it gives up; nil for a limit from `ef`.
        package var visitLimit: Int?
        /// A walk with a predicate scores only rows that pass, and reaches them through those that do not.
        package var twoHops: Bool

        package init(
            limit: Int, ef: Int, mode: Mode = .automatic, useCodes: Bool = true, rescore: Bool = true,
            oversampling: Double = 1, rescoreWholePool: Bool = true, visitLimit: Int? = nil, twoHops: Bool = false
        ) {
            self.limit = limit
            self.ef = ef
            self.mode = mode
            self.useCodes = useCodes
            self.rescore = rescore
            self.oversampling = oversampling
            self.rescoreWholePool = rescoreWholePool
            self.visitLimit = visitLimit
            self.twoHops = twoHops
        }

        /// Rows scored again when not all may be.
        var rescoreCount: Int {
            let wanted = (Double(limit) * oversampling).rounded(.up)
            return max(limit, Int(exactly: min(max(wanted, 0), 1e9)) ?? limit)
        }
    }
}
