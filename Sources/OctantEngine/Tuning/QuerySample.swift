package import OctantModel

/// Vectors to measure searches with.
package struct QuerySample: Sendable {
    /// One query.
    package struct Entry: Sendable {
        /// The vector, in stored form.
        package var vector: [Float]
        /// The point whose vector it is: searches leave it out.
        package var own: PointID?
    }

    /// The vector's name.
    package let using: String
    /// Its distance.
    package let distance: Distance
    package var entries: [Entry]
    /// Whether they are queries of a user, not stored vectors.
    package let areGiven: Bool

    /// Queries as they were given. Throws `badInput` for one that is not such a vector.
    package init(given: [[Float]], using: String, view: ReadView) throws(OctantError) {
        guard let params = view.config.params.vectors[using], params.multivector == nil else {
            throw .unknownVector(using)
        }
        self.using = using
        distance = params.distance
        areGiven = true
        entries = []
        for query in given {
            guard case .dense(let vector) = try params.prepared(.dense(query), name: using) else { continue }
            entries.append(Entry(vector: params.comparable(vector), own: nil))
        }
    }

    /// Stored vectors of points chosen by chance, each living point with equal probability.
    package init(stored count: Int, using: String, view: ReadView, seed: UInt64) throws(OctantError) {
        guard let params = view.config.params.vectors[using], params.multivector == nil else {
            throw .unknownVector(using)
        }
        self.using = using
        distance = params.distance
        areGiven = false
        entries = []
        var random = SplitMix(seed: seed)
        let sources = view.sources.map { (source: $0, rows: view.rowCount(of: $0)) }.filter { $0.rows > 0 }
        let rows = sources.reduce(0) { $0 + $1.rows }
        guard rows > 0 else { return }
        var seen: Set<Int> = []
        // Dead rows and points without the vector are drawn again, within reason.
        for _ in 0..<(20 * count + 100) where entries.count < count && seen.count < rows {
            let number = Int(random.next() % UInt64(rows))
            guard seen.insert(number).inserted else { continue }
            var row = number
            guard
                let part = sources.first(where: { source in
                    if row < source.rows { return true }
                    row -= source.rows
                    return false
                })
            else { continue }
            let place = UInt32(row)
            guard part.source.tombstones.isLive(place, at: view.lsn),
                case .dense(let vector)? = part.source.stored(place, using)?.vector
            else { continue }
            entries.append(Entry(vector: params.comparable(vector), own: part.source.id(place)))
        }
    }
}

/// A small generator of good numbers: Steele, Lea and Flood 2014, "Fast splittable pseudorandom number generators".
package struct SplitMix: RandomNumberGenerator, Sendable {
    private var state: UInt64

    /// A generator of one sequence per seed.
    package init(seed: UInt64) { state = seed }

    package mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
        return mixed ^ mixed >> 31
    }
}
