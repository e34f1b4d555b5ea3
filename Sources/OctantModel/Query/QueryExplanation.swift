/// How a query was answered: collected only for who asks.
public struct QueryExplanation: Sendable, Equatable {
    /// How the candidates of a part were found.
    public enum Plan: String, Sendable, CaseIterable {
        /// Along the graph.
        case walk
        /// Along the graph, asking the filter about the rows met.
        case filteredWalk = "filtered_walk"
        /// Along the graph among the rows that pass the filter alone.
        case twoHopWalk = "two_hop_walk"
        /// All rows that pass the filter, found first.
        case scanList = "scan_list"
        /// All rows, by codes.
        case scanCodes = "scan_codes"
        /// All rows, by the original vectors.
        case scanOriginals = "scan_originals"
    }

    /// The search of one segment, or of the points in memory that are not in segments yet.
    public struct Part: Sendable, Equatable {
        /// The segment's id; `nil` for points in memory.
        public var segment: String?
        /// Rows, dead ones included.
        public var points: Int
        /// How its candidates were found.
        public var plan: Plan
        /// Whether a walk was given up for the plan, because it met fewer points than it should.
        public var gaveUpWalk = false
        /// Size of the pool of a walk.
        public var ef: Int?
        /// Rows scored by codes.
        public var scoredByCodes = 0
        /// Rows scored by the original vectors.
        public var scoredByOriginals = 0
        /// Those of them that codes had scored before.
        public var rescored = 0
        /// Pages of original vectors, links and codes that had to be read from the disk.
        public var absentPages = 0
        /// Compiling the filter and finding the rows that pass it.
        public var filterMicroseconds = 0.0
        /// From begin to end, on the part's thread; scoring again, which is done for all parts together, not included.
        public var searchMicroseconds = 0.0

        /// A part of which nothing is known yet.
        public init(segment: String?, points: Int, plan: Plan) {
            self.segment = segment
            self.points = points
            self.plan = plan
        }
    }

    /// A search for the nearest vectors; a query with prefetches has several.
    public struct Search: Sendable, Equatable {
        /// The vector's name.
        public var using: String
        /// How many points it was to find.
        public var limit: Int
        /// The parts, the largest first. Parts are searched at the same time where cores are idle.
        public var parts: [Part]
        /// Until all parts were searched.
        public var searchMicroseconds = 0.0
        /// Going on with walks that others' results called for, and scoring by the original vectors.
        public var rescoreMicroseconds = 0.0
        /// Making one list of the parts' results.
        public var mergeMicroseconds = 0.0

        /// A search without times.
        public init(using: String, limit: Int, parts: [Part]) {
            self.using = using
            self.limit = limit
            self.parts = parts
        }
    }

    /// The searches for dense vectors, in the order in which they ended.
    public var searches: [Search] = []
    /// Checking the request, looking up examples.
    public var planMicroseconds = 0.0
    /// All searches and what ranks their results.
    public var runMicroseconds = 0.0
    /// Reading payload and vectors of the points found.
    public var payloadMicroseconds = 0.0

    /// An empty explanation.
    public init() {}
}
