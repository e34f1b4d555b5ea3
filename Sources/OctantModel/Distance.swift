/// How two vectors are compared.
///
/// Inside the engine every metric is a *similarity* (larger is better): the dot product (of normalised vectors for
/// `cosine`), `-Σ(a-b)²` for `euclid`, `-Σ|a-b|` for `manhattan`. What a client sees is the reported score: the same
/// for `cosine` and `dot`, `√Σ(a-b)²` and `Σ|a-b|` for the other two.
public enum Distance: String, Sendable, CaseIterable {
    /// Cosine of the angle; vectors are normalised when they are stored.
    case cosine = "Cosine"
    /// Dot product.
    case dot = "Dot"
    /// L2 distance.
    case euclid = "Euclid"
    /// L1 distance.
    case manhattan = "Manhattan"

    /// Whether a larger reported score is the better one.
    public var largerIsBetter: Bool { self == .cosine || self == .dot }
}
