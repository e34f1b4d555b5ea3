package import OctantModel
package import OctantVectors

/// A stored vector in place. Lives as long as its holder.
package enum StoredVector: @unchecked Sendable {
    // SAFETY: read-only memory for as long as a value is in use.
    /// One number per dimension.
    case dense(UnsafeBufferPointer<Float>)
    /// Whole numbers, divided by the length of the vector that they make: the numbers are the products, rounded.
    case scaled(UnsafeBufferPointer<Float>, by: Float)
    /// Several rows of `dimension` numbers.
    case multi(MultiRow, dimension: Int)
    /// Numbers at some dimensions.
    case sparse(SparseRow)

    /// A copy.
    package var vector: Vector {
        switch self {
        case .dense(let components): .dense(Array(components))
        case .scaled(let components, let length): .dense(components.map { ($0 * length).rounded() })
        case .multi(let rows, let dimension): .multiDense(rows.rows(dimension: dimension))
        case .sparse(let row): .sparse(row.vector)
        }
    }
}

/// Where an appended vector comes from.
package enum VectorSource {
    /// The point has no such vector.
    case none
    /// From a request.
    case given(Vector)
    /// From a stored row.
    case stored(StoredVector)
}
