import Octant
import OctantEngine
import OctantVectors

/// How much of the rows their codes lose.
enum Reconstruction {
    /// Every how many rows one is looked at.
    private static let step = 7  // rows are in no order, so that any stride samples them evenly

    /// The squared error of rows made of their codes, as a share of the rows' own squares, over all segments; `nil` if
    /// there are no codes.
    static func error(_ collection: Collection) -> Double? {
        var (lost, whole) = (0.0, 0.0)
        for segment in collection.shard.view.segments {
            for field in segment.fields {
                guard let codes = field.index.codes else { continue }
                var decoded = [Float](repeating: 0, count: codes.dimension)
                for row in stride(from: UInt32(0), to: UInt32(codes.count), by: Self.step) {
                    switch codes {
                    case .int8(let codes): codes.decode(row, into: &decoded)
                    case .product(let codes): codes.decode(row, into: &decoded)
                    case .packed(let codes): codes.decode(row, into: &decoded)
                    case .scan(let codes): codes.decode(row, into: &decoded)
                    }
                    guard case .dense(let original)? = segment.stored(row, field.name)?.vector else { continue }
                    for i in 0..<min(decoded.count, original.count) {
                        lost += Double((original[i] - decoded[i]) * (original[i] - decoded[i]))
                        whole += Double(original[i] * original[i])
                    }
                }
            }
        }
        return whole > 0 ? lost / whole : nil
    }
}
