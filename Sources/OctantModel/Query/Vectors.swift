/// A vector as a client gives it or gets it.
public enum Vector: Hashable, Sendable {
    /// One number per dimension; all finite.
    case dense([Float])
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
