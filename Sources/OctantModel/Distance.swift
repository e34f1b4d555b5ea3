/// How the nearness of two dense vectors is measured. Raw values are the names on the wire.
public enum Distance: String, Sendable, CaseIterable {
    case cosine = "Cosine"
    case dot = "Dot"
    case euclid = "Euclid"
    case manhattan = "Manhattan"
}
