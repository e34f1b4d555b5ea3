package import OctantModel
package import OctantVectors

/// A stored vector in place. Lives as long as its holder.
package enum StoredVector: @unchecked Sendable {
    // SAFETY: read-only memory for as long as a value is in use.
    /// One number per dimension.
    case dense(UnsafeBufferPointer<Float>)
    /// Whole numbers, divided by the length of the vector that they make: the numbers are the products, rounded.
    case scaled(UnsafeBufferPointer<Float>, by: Float)
    /// A row of numbers of fewer bytes. Rows with lengths are compared divided by them.
    case compact(DenseRows, UInt32)
    /// Several rows of `dimension` numbers.
    case multi(MultiRow, dimension: Int)
    /// Numbers at some dimensions.
    case sparse(SparseRow)

    /// What the vector's numbers were divided by, or are to be, before they are compared; `nil` if by nothing.
    package var length: Float? {
        switch self {
        case .scaled(_, let length): length
        case .compact(let rows, let row): rows.lengths?[Int(row)]
        case .dense, .multi, .sparse: nil
        }
    }

    /// A copy as it is compared.
    package var comparable: Vector {
        switch self {
        case .scaled(let components, _): .dense(Array(components))
        case .compact(let rows, let row): .dense(rows.copy(row))
        case .dense, .multi, .sparse: vector
        }
    }

    /// A copy.
    package var vector: Vector {
        switch self {
        case .dense(let components): .dense(Array(components))
        case .scaled(let components, let length): .dense(components.map { ($0 * length).rounded() })
        case .compact(let rows, let row): .dense(rows.undivided.copy(row))
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
