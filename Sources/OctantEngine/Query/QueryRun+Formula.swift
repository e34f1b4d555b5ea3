import OctantModel
import OctantPayload

extension QueryRun {
    /// The candidates by the value of a formula, best first; equal values by id.
    func computed(
        _ parts: [CandidatePart], _ lists: [[Ranked]], _ formula: Formula
    ) throws(OctantError) -> [Ranked] {
        let scores = lists.map { list in
            Dictionary(list.map { ($0.id, $0.score) }) { first, _ in first }
        }
        var found: [Ranked] = []
        for part in parts {
            let compiled = CompiledFormula(formula, part.source, view)
            for row in part.rows ?? [] {
                let id = part.source.id(row)
                let value = try compiled.value(of: row) { list in
                    list < scores.count ? scores[list][id] : nil
                }
                let score = Float(value)
                guard score.isFinite else { throw CompiledFormula.notFinite("\(value) as f32 = \(score)") }
                found.append(Ranked(id: id, hit: ReadView.Hit(source: part.source, row: row), score: score))
            }
        }
        found.sort { $0.score != $1.score ? $0.score > $1.score : $0.id < $1.id }
        return found
    }
}

/// A formula made ready for the rows of one part: conditions are compiled and keys encoded once.
struct CompiledFormula {
    private indirect enum Node {
        case constant(Double)
        case score(Int, missing: Double)
        case variable(Variable)
        case geoDistance(GeoPoint, Variable)
        case date(Variable)
        case condition(CompiledFilter)
        case product([Node])
        case sum([Node])
        case max([Node])
        case min([Node])
        case unary(Unary, Node)
        case quotient(Node, Node, byZero: Double?)
        case power(Node, Node)
        case decay(Decay.Kind, x: Node, target: Node, scale: Double, midpoint: Double)
    }

    /// The value at a key of the payload.
    private struct Variable {
        let reader: PathReader
        let name: String
        let missing: Formula.Default?
        /// The kind of an index of the key: it decides which values there are.
        let index: FieldIndexType?

        init(_ path: PayloadPath, _ name: String, _ defaults: [String: Formula.Default], _ view: ReadView) {
            reader = PathReader(path)
            self.name = name
            missing = defaults[name]
            index = view.fieldIndexes.first { $0.key == path && $0.schema.type != .text }?.schema.type
        }
    }

    private enum Unary {
        case negated, abs, squareRoot, exp, log10, ln, acosh
    }

    private let root: Node
    private let source: any RowSource

    init(_ formula: Formula, _ source: any RowSource, _ view: ReadView) {
        self.source = source
        root = Self.node(formula.expression, formula.defaults, FilterView(source, view), view)
    }

    static func notFinite(_ expression: String) -> OctantError {
        OctantError(.badInput, "The expression \(expression) produced a non-finite number")
    }

    /// The value for a row; `score` gives its score in a list.
    func value(of row: UInt32, _ score: (Int) -> Float?) throws(OctantError) -> Double {
        try value(root, row, score)
    }

    private static func node(
        _ expression: Expression, _ defaults: [String: Formula.Default], _ rows: FilterView, _ view: ReadView
    ) -> Node {
        func made(_ expression: Expression) -> Node { node(expression, defaults, rows, view) }
        func variable(_ path: PayloadPath) -> Variable { Variable(path, expression.variableText, defaults, view) }
        switch expression {
        case .constant(let number): return .constant(number)
        case .score(let list):
            guard case .number(let missing)? = defaults[expression.variableText] else {
                return .score(list, missing: 0)
            }
            return .score(list, missing: missing)
        case .variable(let path): return .variable(variable(path))
        case .geoDistance(let origin, let path):
            return .geoDistance(origin, variable(path))
        case .date(let path): return .date(variable(path))
        case .condition(let condition):
            return .condition(CompiledFilter(Filter(must: [condition]), rows: rows))
        case .product(let factors): return .product(factors.map(made))
        case .sum(let terms): return .sum(terms.map(made))
        case .max(let operands): return .max(operands.map(made))
        case .min(let operands): return .min(operands.map(made))
        case .negated(let inner): return .unary(.negated, made(inner))
        case .abs(let inner): return .unary(.abs, made(inner))
        case .squareRoot(let inner): return .unary(.squareRoot, made(inner))
        case .exp(let inner): return .unary(.exp, made(inner))
        case .log10(let inner): return .unary(.log10, made(inner))
        case .ln(let inner): return .unary(.ln, made(inner))
        case .acosh(let inner): return .unary(.acosh, made(inner))
        case .quotient(let left, let right, let byZero): return .quotient(made(left), made(right), byZero: byZero)
        case .power(let base, let exponent): return .power(made(base), made(exponent))
        case .decay(let decay):
            return .decay(
                decay.kind, x: made(decay.x), target: decay.target.map(made) ?? .constant(0), scale: decay.scale,
                midpoint: decay.midpoint)
        }
    }

    private func value(_ node: Node, _ row: UInt32, _ score: (Int) -> Float?) throws(OctantError) -> Double {
        switch node {
        case .constant(let number): return number
        case .score(let list, let missing): return score(list).map { Double($0) } ?? missing
        case .variable(let variable):
            return try single(variable, row, "number value", { $0.number }) { missing in
                if case .number(let number) = missing { number } else { nil }
            }
        case .geoDistance(let origin, let variable):
            let point = try single(variable, row, "geo point", { $0.point }) { missing in
                if case .point(let point) = missing { point } else { nil }
            }
            return origin.distance(to: point)
        case .date(let variable):
            let date = try single(variable, row, "datetime", { $0.date }) { missing in
                if case .text(let text) = missing { DateTime.microseconds(text) } else { nil }
            }
            return Double(date) / 1e6
        case .condition(let filter): return filter.matches(row) ? 1 : 0
        case .product(let factors):
            var product = 1.0
            for factor in factors {
                let value = try value(factor, row, score)
                if value == 0 { return 0 }
                product *= value
            }
            return product
        case .sum(let terms):
            var sum = 0.0
            for term in terms { sum += try value(term, row, score) }
            return sum
        case .max(let operands):
            var most = -Double.infinity
            for operand in operands { most = max(most, try value(operand, row, score)) }
            return most
        case .min(let operands):
            var least = Double.infinity
            for operand in operands { least = min(least, try value(operand, row, score)) }
            return least
        case .unary(let operation, let inner): return try Self.unary(operation, try value(inner, row, score))
        case .quotient(let left, let right, let byZero):
            let dividend = try value(left, row, score)
            if dividend == 0 { return 0 }
            let divisor = try value(right, row, score)
            if divisor == 0, let byZero { return byZero }
            return try Self.finite(dividend / divisor, "\(dividend)/\(divisor)")
        case .power(let base, let exponent):
            let (x, y) = (try value(base, row, score), try value(exponent, row, score))
            return try Self.finite(OctantEngine.power(x, y), "\(x)^\(y)")
        case .decay(let kind, let x, let target, let scale, let midpoint):
            let distance = try value(x, row, score) - (try value(target, row, score))
            return Self.decay(kind, distance, scale, midpoint)
        }
    }

    /// The only value of a variable, read by `read`; its default, read by `readDefault`, if the row has none.
    private func single<Value>(
        _ variable: Variable, _ row: UInt32, _ kind: String, _ read: (PayloadView) -> Value?,
        _ readDefault: (Formula.Default) -> Value?
    ) throws(OctantError) -> Value {
        var value: Value?
        var count = 0
        variable.reader.forEachElement(of: source.payload(row)) { element in
            if let index = variable.index, !index.holds(element) { return }
            count += 1
            value = read(element)
        }
        if count == 0 {
            guard let missing = variable.missing else {
                throw OctantError(
                    .badInput, "No value found for \(variable.name) in the payload nor the formula defaults")
            }
            value = readDefault(missing)
        }
        guard count <= 1, let value else {
            throw OctantError(
                .badInput,
                "Expected \(kind) for \(variable.name) in the payload and/or in the formula defaults.")
        }
        return value
    }

    private static func finite(_ value: Double, _ expression: String) throws(OctantError) -> Double {
        guard value.isFinite else { throw notFinite(expression) }
        return value
    }

    private static func unary(_ operation: Unary, _ x: Double) throws(OctantError) -> Double {
        switch operation {
        case .negated: -x
        case .abs: x.magnitude
        case .squareRoot: try finite(x.squareRoot(), "√\(x)")
        case .exp: try finite(exponential(x), "exp(\(x))")
        case .log10: try finite(decimalLogarithm(x), "log10(\(x))")
        case .ln: try finite(naturalLogarithm(x), "ln(\(x))")
        case .acosh: try finite(inverseHyperbolicCosine(x), "acosh(\(x))")
        }
    }

    private static func decay(_ kind: Decay.Kind, _ distance: Double, _ scale: Double, _ midpoint: Double) -> Double {
        switch kind {
        case .linear: max(0, 1 - (1 - midpoint) / scale * distance.magnitude)
        case .exponential: exponential(naturalLogarithm(midpoint) / scale * distance.magnitude)
        case .gaussian: exponential(naturalLogarithm(midpoint) / (scale * scale) * distance * distance)
        }
    }
}

extension FieldIndexType {
    /// Whether an index of the kind holds a value of a payload.
    fileprivate func holds(_ element: PayloadView) -> Bool {
        switch self {
        case .integer, .float, .datetime: OrderValue(element, self) != nil
        case .keyword: element.kind == .string
        case .uuid: element.string.flatMap { UUIDValue($0) } != nil
        case .bool: element.bool != nil
        case .geo: element.point != nil
        case .text: true
        }
    }
}
