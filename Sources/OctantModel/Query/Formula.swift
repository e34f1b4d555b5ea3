/// A score computed from the scores of prefetched points and their payload.
public struct Formula: Hashable, Sendable {
    /// What to compute.
    public var expression: Expression
    /// Values of variables a point does not have, by the text of the variable (`$score[1]` for a score).
    public var defaults: [String: Default]

    /// A formula.
    public init(_ expression: Expression, defaults: [String: Default] = [:]) {
        self.expression = expression
        self.defaults = defaults
    }
}

extension Formula {
    /// The value of a variable that a point does not have.
    public enum Default: Hashable, Sendable {
        /// A number.
        case number(Double)
        /// Text, which may be a date.
        case text(String)
        /// A point on the Earth.
        case point(GeoPoint)
    }
}

/// An arithmetic expression; evaluated with doubles.
public indirect enum Expression: Hashable, Sendable {
    /// A number.
    case constant(Double)
    /// The score in the prefetch of this number; 0 if the point is not in it.
    case score(Int)
    /// The number at a key of the payload.
    case variable(PayloadPath)
    /// 1 if the condition holds, else 0.
    case condition(Condition)
    /// A product; ends at the first factor that is 0.
    case product([Expression])
    /// A sum.
    case sum([Expression])
    /// The largest.
    case max([Expression])
    /// The smallest.
    case min([Expression])
    /// The opposite.
    case negated(Expression)
    /// The absolute value.
    case abs(Expression)
    /// A quotient; 0 if the dividend is, `byZero` if only the divisor is.
    case quotient(Expression, Expression, byZero: Double?)
    /// A square root.
    case squareRoot(Expression)
    /// A power.
    case power(base: Expression, exponent: Expression)
    /// The exponential function.
    case exp(Expression)
    /// The decimal logarithm.
    case log10(Expression)
    /// The natural logarithm.
    case ln(Expression)
    /// The inverse hyperbolic cosine.
    case acosh(Expression)
    /// Metres between a place and the one at a key of the payload.
    case geoDistance(GeoPoint, PayloadPath)
    /// A date at a key of the payload, in seconds since 1970.
    case date(PayloadPath)
    /// A fall with distance from a target.
    case decay(Decay)
}

/// A value that is 1 at a target and falls to a midpoint at the distance of a scale.
public struct Decay: Hashable, Sendable {
    /// The form of the fall.
    public enum Kind: String, Hashable, Sendable, CaseIterable {
        /// `max(0, 1 - (1 - midpoint) / scale * |x - target|)`
        case linear = "lin_decay"
        /// `exp(ln(midpoint) / scale * |x - target|)`
        case exponential = "exp_decay"
        /// `exp(ln(midpoint) / scale² * (x - target)²)`
        case gaussian = "gauss_decay"
    }

    /// The form of the fall.
    public var kind: Kind
    /// Where it is looked up.
    public var x: Expression
    /// Where it is 1; unset: at 0.
    public var target: Expression?
    /// The distance at which it is ``midpoint``; above 0.
    public var scale: Double
    /// Its value at that distance; within 0…1, without the ends unless linear.
    public var midpoint: Double

    /// A decay.
    public init(
        _ kind: Kind, x: Expression, target: Expression? = nil, scale: Double = 1, midpoint: Double = 0.5
    ) {
        self.kind = kind
        self.x = x
        self.target = target
        self.scale = scale
        self.midpoint = midpoint
    }
}
