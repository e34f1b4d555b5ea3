extension Formula {
    /// Reads `defaults`: values by variable.
    package static func defaults(json: JSONValue) throws(OctantError) -> [String: Default] {
        if json == .null { return [:] }
        let fields = try JSONFields(json, path: "defaults")
        var defaults: [String: Default] = [:]
        for (key, value) in fields.object.pairs {
            let variable = try Expression(variable: key).variableText
            switch value {
            case .string(let text): defaults[variable] = .text(text)
            case .object: defaults[variable] = .point(try GeoPoint(json: value, path: fields.path(key)))
            default:
                guard let number = JSONFields.number(value) else {
                    throw JSONFields.mismatch(value, "a number, a date or a geo point", fields.path(key))
                }
                defaults[variable] = .number(number)
            }
        }
        return defaults
    }
}

extension Expression {
    /// Reads an expression.
    init(json: JSONValue, depth: Int = 0) throws(OctantError) {
        try Self.checkDepth(depth)
        switch json {
        case .integer, .unsigned, .double: self = .constant(JSONFields.number(json) ?? 0)
        case .string(let text): self = try Expression(variable: text)
        case .object(let object):
            guard object.pairs.count == 1, let (key, value) = object.pairs.first,
                let made = try Self.operation(key, value, depth + 1)
            else {
                self = .condition(try Self.condition(json))
                return
            }
            self = made
        default: throw JSONFields.mismatch(json, "an expression", "formula")
        }
    }

    /// The variable as the key of a default.
    package var variableText: String {
        switch self {
        case .score(let place): "$score[\(place)]"
        case .variable(let path), .date(let path), .geoDistance(_, let path): path.description
        default: ""
        }
    }

    private static func condition(_ json: JSONValue) throws(OctantError) -> Condition {
        let filter = try Filter(json: .object(["must": json]), path: "formula")
        guard let condition = filter.must.first else { throw .json("formula: an expression is expected") }
        return condition
    }

    private static func list(_ json: JSONValue, _ key: String, _ depth: Int) throws(OctantError) -> [Expression] {
        guard case .array(let values) = json else { throw JSONFields.mismatch(json, "a list", key) }
        var list: [Expression] = []
        for value in values { list.append(try Expression(json: value, depth: depth)) }
        return list
    }

    /// The operation of this name; `nil` if there is none.
    private static func operation(
        _ key: String, _ value: JSONValue, _ depth: Int
    ) throws(OctantError) -> Expression? {
        func inner() throws(OctantError) -> Expression { try Expression(json: value, depth: depth) }
        switch key {
        case "mult": return .product(try list(value, key, depth))
        case "sum": return .sum(try list(value, key, depth))
        case "max", "min":
            let operands = try list(value, key, depth)
            try checkOperands(operands, key)
            return key == "max" ? .max(operands) : .min(operands)
        case "neg": return .negated(try inner())
        case "abs": return .abs(try inner())
        case "sqrt": return .squareRoot(try inner())
        case "exp": return .exp(try inner())
        case "log10": return .log10(try inner())
        case "ln": return .ln(try inner())
        case "acosh": return .acosh(try inner())
        case "div":
            let fields = try JSONFields(value, path: key)
            return .quotient(
                try Expression(json: try fields.required("left"), depth: depth),
                try Expression(json: try fields.required("right"), depth: depth),
                byZero: try fields.double("by_zero_default"))
        case "pow":
            let fields = try JSONFields(value, path: key)
            return .power(
                base: try Expression(json: try fields.required("base"), depth: depth),
                exponent: try Expression(json: try fields.required("exponent"), depth: depth))
        case "geo_distance":
            let fields = try JSONFields(value, path: key)
            guard let to = try fields.string("to") else { throw fields.missing("to") }
            return .geoDistance(
                try GeoPoint(json: try fields.required("origin"), path: fields.path("origin")), try PayloadPath(to))
        case "datetime":
            guard case .string(let text) = value else { throw noDate(value) }
            return try Expression(date: text)
        case "datetime_key":
            guard case .string(let text) = value else { throw JSONFields.mismatch(value, "a string", key) }
            return .date(try PayloadPath(text))
        default:
            guard let kind = Decay.Kind(rawValue: key) else { return nil }
            return .decay(try decay(kind, try JSONFields(value, path: key), depth))
        }
    }

    private static func decay(
        _ kind: Decay.Kind, _ fields: JSONFields, _ depth: Int
    ) throws(OctantError) -> Decay {
        var decay = Decay(kind, x: try Expression(json: try fields.required("x"), depth: depth))
        if let target = fields["target"] { decay.target = try Expression(json: target, depth: depth) }
        decay.scale = try fields.double("scale") ?? 1
        decay.midpoint = try fields.double("midpoint") ?? 0.5
        try decay.check()
        return decay
    }
}
