import OctantModel
import OctantVectors

/// Puts stored vectors into the form of a segment's file, one at a time.
final class RowEncoder {
    /// The form.
    let element: RowElement
    /// Bytes of a row.
    let rowBytes: Int
    /// Rows so far that could not be packed. They are to follow behind all others, as they are, in this order.
    private(set) var wholeCount = 0
    private let isFloat: Bool
    private let dimension: Int
    private let floats: UnsafeMutablePointer<Float>
    private let bytes: UnsafeMutableRawPointer

    /// An encoder of rows as `params` wants them, packed if they are to be.
    init(_ params: VectorParams, _ packing: PackedFloatForm? = nil) {
        element = packing.map { .packedFloat32($0) } ?? params.element
        isFloat = params.element == .float32
        dimension = params.size
        rowBytes = element.rowBytes(params.size)
        floats = .allocate(capacity: params.size)
        bytes = .allocate(byteCount: max(rowBytes, 1), alignment: 8)
    }

    deinit {
        floats.deallocate()
        bytes.deallocate()
    }

    /// The bytes of a dense vector, valid until the next call; `nil` for vectors of another kind or width.
    func encode(_ vector: StoredVector) -> UnsafeRawBufferPointer? {
        if case .compact(let rows, let row) = vector, rows.dimension == dimension {
            return encode(rows.undivided, row)
        }
        return components(vector).flatMap { encode($0) }
    }

    /// The bytes of a row as it is kept, valid until the next call.
    func encode(_ rows: DenseRows, _ row: UInt32) -> UnsafeRawBufferPointer? {
        if rows.element == element, rows.packedPlace(row) ?? .packed == .packed {
            return UnsafeRawBufferPointer(start: rows.address(row), count: rowBytes)
        }
        return encode(UnsafeBufferPointer(start: rows.floats(row, floats), count: dimension))
    }

    /// The numbers of a dense vector, valid until the next call; `nil` for vectors of another kind or width.
    func components(_ vector: StoredVector) -> UnsafeBufferPointer<Float>? {
        switch vector {
        case .dense(let components) where components.count == dimension: return components
        case .scaled(let components, let length) where components.count == dimension:
            guard !isFloat else { return components }
            for place in 0..<dimension { floats[place] = (components[place] * length).rounded() }
            return UnsafeBufferPointer(start: floats, count: dimension)
        case .compact(let rows, let row) where rows.dimension == dimension:
            return UnsafeBufferPointer(start: rows.undivided.floats(row, floats), count: dimension)
        case .dense, .scaled, .compact, .multi, .sparse: return nil
        }
    }

    private func encode(_ components: UnsafeBufferPointer<Float>) -> UnsafeRawBufferPointer? {
        guard element != .float32 else { return UnsafeRawBufferPointer(components) }
        guard let base = components.baseAddress else { return nil }
        if !element.encode(base, dimension, into: bytes), case .packedFloat32(let form) = element {
            form.mark(wholeCount, dimension, into: bytes)
            wholeCount += 1
        }
        return UnsafeRawBufferPointer(start: bytes, count: rowBytes)
    }
}
