/// A vector as a client gives it or gets it.
public enum Vector: Hashable, Sendable {
    /// One number per dimension; all finite.
    case dense([Float])
    /// Numbers at some of 2^32 dimensions.
    case sparse(SparseVector)
    /// Several dense vectors of one width, compared by MaxSim.
    case multiDense([[Float]])
    /// What a model makes of a document: given only, never stored or returned.
    case document(Document)

    /// Whether a model has to make the vector yet.
    package var isDocument: Bool {
        if case .document = self { true } else { false }
    }
}

/// Numbers at some dimensions; all other dimensions are zero.
public struct SparseVector: Hashable, Sendable {
    /// The dimensions, each once; ascending in what is stored and returned.
    public var indices: [UInt32]
    /// A number for each of ``indices``; all finite.
    public var values: [Float]

    /// A vector as it was given; what is wrong with it is said when it is used.
    public init(indices: [UInt32], values: [Float]) {
        self.indices = indices
        self.values = values
    }

    /// The vector that is zero everywhere.
    public static let empty = SparseVector(indices: [], values: [])

    /// The vector with ascending indices.
    public var sorted: SparseVector {
        guard indices.count == values.count, zip(indices, indices.dropFirst()).contains(where: { $0 > $1 }) else {
            return self
        }
        let order = indices.indices.sorted { indices[$0] < indices[$1] }
        return SparseVector(indices: order.map { indices[$0] }, values: order.map { values[$0] })
    }
}

/// The vectors of one point by name; the unnamed vector has the name `""`.
public struct NamedVectors: Hashable, Sendable {
    /// A vector and its name.
    public struct Entry: Hashable, Sendable {
        /// The name; `""` for the unnamed vector.
        public var name: String
        /// The vector.
        public var vector: Vector

        /// Makes an entry.
        public init(name: String, vector: Vector) {
            self.name = name
            self.vector = vector
        }
    }

    /// The vectors, each name once.
    public private(set) var entries: [Entry]

    /// No vectors.
    public init() { entries = [] }

    /// The unnamed vector alone.
    public init(_ vector: Vector) { entries = [Entry(name: "", vector: vector)] }

    /// These vectors; of equal names the last wins.
    public init(_ entries: [Entry]) {
        self.entries = []
        for entry in entries { self[entry.name] = entry.vector }
    }

    /// The vector of this name; setting `nil` removes it.
    public subscript(name: String) -> Vector? {
        get { entries.first { $0.name == name }?.vector }
        set {
            let place = entries.firstIndex { $0.name == name }
            switch (place, newValue) {
            case (let place?, let vector?): entries[place].vector = vector
            case (let place?, nil): entries.remove(at: place)
            case (nil, let vector?): entries.append(Entry(name: name, vector: vector))
            case (nil, nil): break
            }
        }
    }

    /// Whether there is no vector.
    public var isEmpty: Bool { entries.isEmpty }
}

/// A point as it is written: everything it will have.
public struct Point: Sendable, Hashable {
    /// Its id.
    public var id: PointID
    /// Its vectors.
    public var vectors: NamedVectors
    /// Its payload.
    public var payload: Payload

    /// Makes a point.
    public init(id: PointID, vectors: NamedVectors, payload: Payload = .empty) {
        self.id = id
        self.vectors = vectors
        self.payload = payload
    }
}
