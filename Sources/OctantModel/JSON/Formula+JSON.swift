extension Formula {
    /// Reads `defaults`: values by variable.
    static func defaults(json: JSONValue) throws(OctantError) -> [String: Default] {
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
    /// How deep expressions may be nested.
    static let depthMax = 64

    /// Reads an expression.
    init(json: JSONValue, depth: Int = 0) throws(OctantError) {
        guard depth <= Self.depthMax else {
            throw OctantError(.badRequest, "Formula nests deeper than \(Self.depthMax) levels")
        }
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

    /// A variable: `$score`, `$score[i]` or a key of the payload.
    init(variable text: String) throws(OctantError) {
        guard text.hasPrefix("$score") else {
            self = .variable(try PayloadPath(text))
            return
        }
        let rest = text.dropFirst("$score".count)
        if rest.isEmpty {
            self = .score(0)
            return
        }
        guard rest.first == "[", rest.last == "]", rest.count > 2,
            rest.dropFirst().dropLast().utf8.allSatisfy({ (0x30...0x39).contains($0) }),
            let place = Int(rest.dropFirst().dropLast())
        else { throw OctantError(.badRequest, "Invalid score pattern: \(text)") }
        self = .score(place)
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
            guard !operands.isEmpty else { throw OctantError(.badRequest, "`\(key)` needs at least one operand") }
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
            guard case .string(let text) = value, let date = DateTime.microseconds(text) else {
                throw OctantError(.badRequest, "Expected datetime in supported format for \(value.text)")
            }
            return .constant(Double(date) / 1e6)
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
        let midpoint = decay.midpoint
        if kind == .linear {
            guard midpoint >= 0, midpoint <= 1 else {
                throw OctantError(
                    .badRequest, "Linear decay midpoint should be in the range [0.0, 1.0], got \(midpoint)")
            }
        } else {
            guard midpoint > 0, midpoint < 1 else {
                throw OctantError(.badRequest, "Decay midpoint should be in the range (0.0, 1.0), got \(midpoint)")
            }
        }
        guard decay.scale > 0 else {
            throw OctantError(.badRequest, "Scale must be non-zero positive, got \(decay.scale)")
        }
        return decay
    }
}
