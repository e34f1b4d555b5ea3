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
        /// The pool holds at least so many times `limit` rows; with `readsFew`, no more of them are scored again. Unset:
        /// the error bound of the codes alone says how many are.
        package var oversampling: Double?
        /// Rows are on disk: those are scored again that the codes' likely error leaves in question, instead of all that
        /// its bound does.
        package var readsFew: Bool
        /// Rows a walk with a predicate looks at before it gives up; nil for a limit from `ef`.
        package var visitLimit: Int?
        /// A walk with a predicate scores only rows that pass, and reaches them through those that do not.
        package var twoHops: Bool
        /// Counts what is done, where that was asked for.
        package var meter: SearchMeter?

        package init(
            limit: Int, ef: Int, mode: Mode = .automatic, useCodes: Bool = true, rescore: Bool = true,
            oversampling: Double? = nil, readsFew: Bool = false, visitLimit: Int? = nil, twoHops: Bool = false
        ) {
            self.limit = limit
            self.ef = ef
            self.mode = mode
            self.useCodes = useCodes
            self.rescore = rescore
            self.oversampling = oversampling
            self.readsFew = readsFew
            self.visitLimit = visitLimit
            self.twoHops = twoHops
        }

        /// Whether scores are those of codes, where there are any.
        package var usesCodes: Bool { mode != .exact && useCodes }

        /// How many of the best by codes a scan keeps for rescoring: enough that, as a rule, the error bound ends
        /// rescoring before the pool does.
        package var scanPool: Int {
            guard rescore else { return limit }
            if readsFew, oversampling != nil { return rescoreCount }
            return max(rescoreCount, min(limit, 1 << 28) * 4, min(limit, 1 << 28) + 118)
        }

        /// The same, but all of the pool is scored again, as far as the error bound does not spare it: one bit a component
        /// says too little of the order among the best.
        var rescoringPool: Options {
            var options = self
            options.readsFew = false
            return options
        }

        /// Rows of the pool that oversampling asks for, at least `limit`.
        var rescoreCount: Int {
            let wanted = (Double(limit) * (oversampling ?? 1)).rounded(.down)
            return max(limit, Int(exactly: min(max(wanted, 0), 1e9)) ?? limit)
        }
    }
}
