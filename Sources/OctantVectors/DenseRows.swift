/// Float rows one after another, `dimension` floats each. The memory is borrowed: whoever makes a value keeps it alive.
package struct DenseRows: @unchecked Sendable {
    // SAFETY: the memory is read only for as long as a value is in use.

    /// First float of row 0.
    package let base: UnsafePointer<Float>
    /// Number of rows, below 2^31.
    package let count: Int
    /// Floats in a row.
    package let dimension: Int

    /// Rows at `base`.
    package init(base: UnsafePointer<Float>, count: Int, dimension: Int) {
        self.base = base
        self.count = count
        self.dimension = dimension
    }

    /// First float of a row.
    @inline(__always)
    package func row(_ index: UInt32) -> UnsafePointer<Float> {
        base + Int(index) &* dimension
    }
}
