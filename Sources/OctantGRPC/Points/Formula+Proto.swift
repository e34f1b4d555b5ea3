#if Server
import OctantModel
import OctantProtocol

extension Formula {
    /// Reads a formula.
    init(_ message: Qdrant_Formula) throws(OctantError) {
        guard message.hasExpression else { throw .missing("expression", in: "formula") }
        self.init(try Expression(message.expression))
        guard !message.defaults.isEmpty else { return }
        defaults = try Formula.defaults(json: .object(try Payload(message.defaults).object))
    }
}

extension OctantModel.Expression {
    /// Reads an expression.
    init(_ message: Qdrant_Expression, depth: Int = 0) throws(OctantError) {
        try Self.checkDepth(depth)
        switch message.variant {
        case .constant(let number): self = .constant(Double(number))
        case .variable(let text): try self.init(variable: text)
        case .condition(let condition): self = .condition(try Condition(condition, "formula"))
        case .datetime(let text): try self.init(date: text)
        case .datetimeKey(let key): self = .date(try PayloadPath(key))
        case .geoDistance(let distance):
            guard distance.hasOrigin else { throw .missing("origin", in: "geo_distance") }
            self = .geoDistance(
                try GeoPoint(distance.origin, "geo_distance.origin"), try PayloadPath(distance.to))
        case let variant?: self = try Self.operation(variant, depth + 1)
        case nil: throw .json("formula: an expression is expected")
        }
    }

    /// An operation on expressions, which are at `depth`.
    private static func operation(
        _ variant: Qdrant_Expression.OneOf_Variant, _ depth: Int
    ) throws(OctantError) -> OctantModel.Expression {
        func inner(_ message: Qdrant_Expression) throws(OctantError) -> OctantModel.Expression {
            try OctantModel.Expression(message, depth: depth)
        }
        switch variant {
        case .mult(let operands): return .product(try list(operands.mult, depth))
        case .sum(let operands): return .sum(try list(operands.sum, depth))
        case .max(let operands): return .max(try list(operands.max, depth, of: "max"))
        case .min(let operands): return .min(try list(operands.min, depth, of: "min"))
        case .neg(let operand): return .negated(try inner(operand))
        case .abs(let operand): return .abs(try inner(operand))
        case .sqrt(let operand): return .squareRoot(try inner(operand))
        case .exp(let operand): return .exp(try inner(operand))
        case .log10(let operand): return .log10(try inner(operand))
        case .ln(let operand): return .ln(try inner(operand))
        case .acosh(let operand): return .acosh(try inner(operand))
        case .div(let operands):
            guard operands.hasLeft else { throw .missing("left", in: "div") }
            guard operands.hasRight else { throw .missing("right", in: "div") }
            return .quotient(
                try inner(operands.left), try inner(operands.right),
                byZero: operands.hasByZeroDefault ? Double(operands.byZeroDefault) : nil)
        case .pow(let operands):
            guard operands.hasBase else { throw .missing("base", in: "pow") }
            guard operands.hasExponent else { throw .missing("exponent", in: "pow") }
            return .power(base: try inner(operands.base), exponent: try inner(operands.exponent))
        case .expDecay(let params): return .decay(try decay(.exponential, params, depth))
        case .gaussDecay(let params): return .decay(try decay(.gaussian, params, depth))
        case .linDecay(let params): return .decay(try decay(.linear, params, depth))
        case .constant, .variable, .condition, .datetime, .datetimeKey, .geoDistance:
            throw .json("formula: an expression is expected")
        }
    }

    /// Operands; of `max` and `min`, whose name is `key`, there is at least one.
    private static func list(
        _ messages: [Qdrant_Expression], _ depth: Int, of key: String? = nil
    ) throws(OctantError) -> [OctantModel.Expression] {
        var list: [OctantModel.Expression] = []
        for message in messages { list.append(try OctantModel.Expression(message, depth: depth)) }
        if let key { try checkOperands(list, key) }
        return list
    }

    private static func decay(
        _ kind: Decay.Kind, _ message: Qdrant_DecayParamsExpression, _ depth: Int
    ) throws(OctantError) -> Decay {
        guard message.hasX else { throw .missing("x", in: kind.rawValue) }
        var decay = Decay(kind, x: try OctantModel.Expression(message.x, depth: depth))
        if message.hasTarget { decay.target = try OctantModel.Expression(message.target, depth: depth) }
        if message.hasScale { decay.scale = Double(message.scale) }
        if message.hasMidpoint { decay.midpoint = Double(message.midpoint) }
        try decay.check()
        return decay
    }
}
#endif
