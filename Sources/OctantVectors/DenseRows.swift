import COctantKernels

/// The form in which the components of dense rows are kept.
package enum RowElement: Sendable, Hashable {
    /// IEEE 754 binary32.
    case float32
    /// IEEE 754 binary16.
    case float16
    /// Whole numbers from 0 to 255.
    case uint8
    /// Codes of the turned vector, and its length.
    case turbo(TurboForm)
    /// IEEE 754 binary32 in fewer bytes, without loss.
    case packedFloat32(PackedFloatForm)

    /// Bytes of a row of `dimension` components.
    package func rowBytes(_ dimension: Int) -> Int {
        switch self {
        case .float32: dimension &* 4
        case .float16: dimension &* 2
        case .uint8: dimension
        case .turbo(let form): form.rowBytes(dimension)
        case .packedFloat32(let form): form.rowBytes(dimension)
        }
    }

    /// Whether rows are of packed floats.
    package var isPacked: Bool {
        if case .packedFloat32 = self { return true }
        return false
    }

    /// Bytes of a row of `dimension` components before it was packed, which limits of sizes count.
    package func unpackedRowBytes(_ dimension: Int) -> Int { isPacked ? dimension &* 4 : rowBytes(dimension) }

    /// Bytes of zeros behind the last row.
    package var tailBytes: Int {
        if case .turbo = self { return TurboForm.tailBytes }
        return 0
    }

    /// Writes a row of floats in this form: rounded to the nearest half, to the whole number next to zero, or as
    /// ``TurboForm`` does. `false` if a row of floats cannot be packed.
    @discardableResult
    package func encode(_ floats: UnsafePointer<Float>, _ count: Int, into out: UnsafeMutableRawPointer) -> Bool {
        switch self {
        case .float32: out.copyMemory(from: floats, byteCount: count * MemoryLayout<Float>.stride)
        case .float16: ok_half_encode(floats, count, out.assumingMemoryBound(to: UInt16.self))
        case .uint8: ok_byte_encode(floats, count, out.assumingMemoryBound(to: UInt8.self))
        case .turbo(let form): form.encode(floats, count, into: out)
        case .packedFloat32(let form): return form.encode(floats, count, into: out)
        }
        return true
    }
}

/// Dense rows one after another, `dimension` components each. The memory is borrowed: whoever makes a value keeps it
/// alive.
///
/// Rows of whole numbers under cosine come with their lengths: what they stand for is then the numbers divided by the
/// row's length (zeros where that is 0).
package struct DenseRows: @unchecked Sendable {
    // SAFETY: the memory is read only for as long as a value is in use.

    /// First component of row 0, aligned for the element.
    package let base: UnsafeRawPointer
    /// What a component is.
    package let element: RowElement
    /// Number of rows, below 2^31.
    package let count: Int
    /// Components in a row.
    package let dimension: Int
    /// Bytes from one row to the next.
    package let stride: Int
    /// Bytes of a row.
    package let rowBytes: Int
    /// What rows are divided by, if by anything; for ``RowElement/uint8`` only.
    package let lengths: UnsafePointer<Float>?
    /// The rows that could not be packed; for ``RowElement/packedFloat32(_:)`` only.
    package let whole: WholeRows?

    /// Rows of floats at `base`.
    package init(base: UnsafePointer<Float>, count: Int, dimension: Int) {
        self.init(base: UnsafeRawPointer(base), element: .float32, count: count, dimension: dimension)
    }

    /// Rows at `base`. `lengths` has one for each row.
    package init(
        base: UnsafeRawPointer, element: RowElement, count: Int, dimension: Int, lengths: UnsafePointer<Float>? = nil,
        whole: WholeRows? = nil
    ) {
        self.base = base
        self.element = element
        self.count = count
        self.dimension = dimension
        rowBytes = element.rowBytes(dimension)
        stride = rowBytes
        self.lengths = element == .uint8 ? lengths : nil
        self.whole = whole
    }

    /// Copies of the same rows that lie elsewhere, `stride` bytes from one to the next: a multiple of an element's bytes.
    func moved(to base: UnsafeRawPointer, stride: Int) -> DenseRows {
        DenseRows(self, base: base, stride: stride)
    }

    private init(_ rows: DenseRows, base: UnsafeRawPointer, stride: Int) {
        self.base = base
        element = rows.element
        count = rows.count
        dimension = rows.dimension
        self.stride = stride
        rowBytes = rows.rowBytes
        lengths = rows.lengths
        whole = rows.whole
    }

    /// Bytes of all rows.
    package var byteCount: Int { count * stride }

    /// Bytes of all rows before they were packed, which limits of sizes count.
    package var unpackedBytes: Int { count * element.unpackedRowBytes(dimension) }

    /// First byte of a row.
    @inline(__always)
    package func address(_ row: UInt32) -> UnsafeRawPointer { base + Int(row) &* stride }

    /// The first component of row 0, if the rows are of floats.
    @inline(__always)
    package var floatBase: UnsafePointer<Float>? {
        if case .float32 = element { return base.assumingMemoryBound(to: Float.self) }
        return nil
    }

    /// The same rows as they are kept, not divided by their lengths.
    package var undivided: DenseRows {
        DenseRows(base: base, element: element, count: count, dimension: dimension, whole: whole)
    }

    /// The components of a row as floats: in place where they are floats, else written to `buffer`, which has room for
    /// `dimension` of them.
    @inline(__always)
    package func floats(_ row: UInt32, _ buffer: UnsafeMutablePointer<Float>) -> UnsafePointer<Float> {
        if case .float32 = element { return address(row).assumingMemoryBound(to: Float.self) }
        decode(row, into: buffer)
        return UnsafePointer(buffer)
    }

    /// The components of consecutive rows as floats, one row after another: in place where they are floats, else written
    /// to `buffer`, which has room for all.
    package func floats(_ rows: Range<Int>, _ buffer: UnsafeMutablePointer<Float>) -> UnsafePointer<Float> {
        let first = UInt32(truncatingIfNeeded: rows.lowerBound)
        if case .float32 = element { return address(first).assumingMemoryBound(to: Float.self) }
        for row in rows {
            decode(UInt32(truncatingIfNeeded: row), into: buffer + (row - rows.lowerBound) * dimension)
        }
        return UnsafePointer(buffer)
    }

    /// Writes the `dimension` components of a row as floats.
    package func decode(_ row: UInt32, into out: UnsafeMutablePointer<Float>) {
        let place = address(row)
        switch element {
        case .float32: out.update(from: place.assumingMemoryBound(to: Float.self), count: dimension)
        case .float16: ok_half_decode(place.assumingMemoryBound(to: UInt16.self), dimension, out)
        case .turbo(let form): form.decode(place, dimension, into: out)
        case .packedFloat32(let form):
            var rows = packedFloats(form)
            ok_floats_decode(&rows, Int(row), out)
        case .uint8:
            ok_byte_decode(place.assumingMemoryBound(to: UInt8.self), dimension, out)
            guard let lengths, lengths[Int(row)] > 0 else { return }
            let length = lengths[Int(row)]
            for i in 0..<dimension { out[i] /= length }
        }
    }

    /// A copy of a row as floats.
    package func copy(_ row: UInt32) -> [Float] {
        [Float](unsafeUninitializedCapacity: dimension) { buffer, filled in
            guard let out = buffer.baseAddress else { return }
            decode(row, into: out)
            filled = dimension
        }
    }

    /// Calls `body` with a buffer for ``floats(_:_:)``; one of no use if the rows are of floats already.
    package func withBuffer<Result>(_ body: (UnsafeMutablePointer<Float>) throws -> Result) rethrows -> Result {
        let capacity = element == .float32 ? 1 : max(dimension, 1)
        let buffer = UnsafeMutablePointer<Float>.allocate(capacity: capacity)
        defer { buffer.deallocate() }
        return try body(buffer)
    }
}
