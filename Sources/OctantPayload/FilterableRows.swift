package import OctantModel

/// What a segment (or memtable) shows of itself to the evaluation of filters.
package protocol FilterableRows: AnyObject {
    /// Rows are `0..<rowCount`. Some may be deleted; that is for the caller to mask.
    var rowCount: Int { get }
    /// The encoded payload of a row, empty for `{}`; valid while `self` lives.
    func payload(_ row: UInt32) -> UnsafeRawBufferPointer
    /// The point of a row, for `slice`.
    func pointID(_ row: UInt32) -> PointID
    /// The row of a point, for `has_id`.
    func row(of id: PointID) -> UInt32?
    /// Whether the row has the vector of this name (`""`: the default one).
    func hasVector(_ row: UInt32, _ name: String) -> Bool
    /// The indexes of exactly this key.
    func fieldIndexes(_ key: PayloadPath) -> [FieldIndex]
    /// The indexes of exactly this key the collection has, built here or not. They change what some conditions mean:
    /// integral floats match integers, UUIDs match by value. So rows that are not indexed yet answer like the others.
    func wantedIndexes(_ key: PayloadPath) -> [FieldIndexSchema]
}

extension FilterableRows {
    /// What the indexes that are here say.
    package func wantedIndexes(_ key: PayloadPath) -> [FieldIndexSchema] { fieldIndexes(key).map(\.schema) }
}

/// How many rows a filter is thought to match. `min...max` is certain, `expected` is an estimate within it.
package struct Cardinality: Hashable, Sendable {
    /// At least so many rows match.
    package var min: Int
    /// The estimate.
    package var expected: Int
    /// At most so many rows match.
    package var max: Int

    /// An estimate; `expected` is brought between the bounds.
    package init(min: Int, expected: Int, max: Int) {
        self.min = min
        self.max = Swift.max(min, max)
        self.expected = Swift.min(Swift.max(expected, min), self.max)
    }

    /// A number that is known.
    package init(exactly count: Int) { self.init(min: count, expected: count, max: count) }
}
