/// How near some randomly chosen points are to each other.
public struct MatrixRequest: Hashable, Sendable {
    /// Which points are chosen from.
    public var filter: Filter?
    /// The most points that may be chosen: the work grows with the square.
    public static let sampleMax = 16_384

    /// How many are chosen; at least 2.
    public var sample: Int
    /// How many neighbours of each are returned; at least 1.
    public var limit: Int
    /// The name of the vector; `""` is the unnamed one.
    public var using: String

    /// A matrix.
    public init(filter: Filter? = nil, sample: Int = 10, limit: Int = 3, using: String = "") {
        self.filter = filter
        self.sample = sample
        self.limit = limit
        self.using = using
    }
}

/// The nearest neighbours of some points among themselves.
public struct DistanceMatrix: Hashable, Sendable {
    /// A neighbour.
    public struct Neighbor: Hashable, Sendable {
        /// Its place in ``DistanceMatrix/ids``.
        public var place: Int
        /// Its reported score.
        public var score: Float

        /// A neighbour.
        public init(place: Int, score: Float) {
            self.place = place
            self.score = score
        }
    }

    /// The points, ascending.
    public var ids: [PointID]
    /// The neighbours of each, nearest first.
    public var rows: [[Neighbor]]

    /// A matrix.
    public init(ids: [PointID] = [], rows: [[Neighbor]] = []) {
        self.ids = ids
        self.rows = rows
    }
}
