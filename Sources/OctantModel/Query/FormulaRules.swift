extension Expression {
    /// How deep expressions may be nested.
    package static let depthMax = 64

    /// Throws if expressions are nested too deeply; the outermost one has depth 0.
    package static func checkDepth(_ depth: Int) throws(OctantError) {
        guard depth <= depthMax else {
            throw OctantError(.badRequest, "Formula nests deeper than \(depthMax) levels")
        }
    }

    /// A variable: `$score`, `$score[i]` or a key of the payload.
    package init(variable text: String) throws(OctantError) {
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

    /// A moment as a constant, in seconds since 1970.
    package init(date text: String) throws(OctantError) {
        guard let date = DateTime.microseconds(text) else { throw Self.noDate(.string(text)) }
        self = .constant(Double(date) / 1e6)
    }

    /// The error for what is not a date.
    static func noDate(_ value: JSONValue) -> OctantError {
        OctantError(.badRequest, "Expected datetime in supported format for \(value.text)")
    }

    /// Throws if `max` or `min`, whose name is `key`, has nothing to choose from.
    package static func checkOperands(_ operands: [Expression], _ key: String) throws(OctantError) {
        guard !operands.isEmpty else { throw OctantError(.badRequest, "`\(key)` needs at least one operand") }
    }
}

extension Decay {
    /// Throws if the scale or the midpoint is not within its bounds.
    package func check() throws(OctantError) {
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
        guard scale > 0 else { throw OctantError(.badRequest, "Scale must be non-zero positive, got \(scale)") }
    }
}
