import OctantModel
import OctantVectors

/// Puts stored vectors into the form of a segment's file, one at a time.
final class RowEncoder {
    private let element: RowElement
    private let dimension: Int
    private let floats: UnsafeMutablePointer<Float>
    private let bytes: UnsafeMutableRawPointer
    private let rowBytes: Int

    /// An encoder of rows as `params` wants them.
    init(_ params: VectorParams) {
        element = params.element
        dimension = params.size
        rowBytes = params.rowBytes
        floats = .allocate(capacity: params.size)
        bytes = .allocate(byteCount: params.rowBytes, alignment: 8)
    }

    deinit {
        floats.deallocate()
        bytes.deallocate()
    }

    /// The bytes of a dense vector, valid until the next call; `nil` for vectors of another kind or width.
    func encode(_ vector: StoredVector) -> UnsafeRawBufferPointer? {
        switch vector {
        case .dense(let components) where components.count == dimension: return encode(components)
        case .scaled(let components, let length) where components.count == dimension:
            guard element != .float32 else { return encode(components) }
            for place in 0..<dimension { floats[place] = (components[place] * length).rounded() }
            return encode(UnsafeBufferPointer(start: floats, count: dimension))
        case .compact(let rows, let row) where rows.dimension == dimension: return encode(rows.undivided, row)
        case .dense, .scaled, .compact, .multi, .sparse: return nil
        }
    }

    /// The bytes of a row as it is kept, valid until the next call.
    func encode(_ rows: DenseRows, _ row: UInt32) -> UnsafeRawBufferPointer? {
        if rows.element == element { return UnsafeRawBufferPointer(start: rows.address(row), count: rowBytes) }
        return encode(UnsafeBufferPointer(start: rows.floats(row, floats), count: dimension))
    }

    private func encode(_ components: UnsafeBufferPointer<Float>) -> UnsafeRawBufferPointer? {
        guard element != .float32 else { return UnsafeRawBufferPointer(components) }
        guard let base = components.baseAddress else { return nil }
        element.encode(base, dimension, into: bytes)
        return UnsafeRawBufferPointer(start: bytes, count: rowBytes)
    }
}
