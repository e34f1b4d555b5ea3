package import OctantModel
package import OctantVectors

/// A stored vector in place. Lives as long as its holder.
package enum StoredVector: @unchecked Sendable {
    // SAFETY: read-only memory for as long as a value is in use.
    /// One number per dimension.
    case dense(UnsafeBufferPointer<Float>)
    /// Numbers at some dimensions.
    case sparse(SparseRow)

    /// A copy.
    package var vector: Vector {
        switch self {
        case .dense(let components): .dense(Array(components))
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
