extension LookupLocation {
    /// Reads `lookup_from`, if there is one.
    init?(_ fields: JSONFields) throws(OctantError) {
        guard let lookup = try fields.fields("lookup_from") else { return nil }
        try lookup.refuse("shard_key")
        guard let collection = try lookup.string("collection") else { throw lookup.missing("collection") }
        self.init(collection: collection, vector: try lookup.string("vector"))
    }
}

extension MMR {
    /// Reads `mmr`; `nil` for null.
    init?(json: JSONValue) throws(OctantError) {
        if json == .null { return nil }
        let fields = try JSONFields(json, path: "mmr")
        self.init(
            diversity: Float(try fields.double("diversity", in: .diversity) ?? 0.5),
            candidatesLimit: try fields.int("candidates_limit", in: .mmrCandidates))
    }
}

extension Fusion {
    /// Reads `rrf`.
    init(rrf json: JSONValue) throws(OctantError) {
        let fields = try JSONFields(json, path: "rrf")
        var weights: [Float]?
        if let values = try fields.array("weights") {
            var list: [Float] = []
            for (place, value) in values.enumerated() {
                guard let number = JSONFields.number(value) else {
                    throw JSONFields.mismatch(value, "a number", "rrf.weights[\(place)]")
                }
                list.append(Float(number))
            }
            weights = list
        }
        self = .rrf(k: try fields.int("k", in: .rrfK) ?? 2, weights: weights)
    }
}

extension Recommendation.Strategy {
    /// The strategy of this name.
    init(name: String) throws(OctantError) {
        guard let strategy = Self(rawValue: name) else {
            let names = Self.allCases.map { "`\($0.rawValue)`" }.joined(separator: ", ")
            throw .json("unknown variant `\(name)`, expected one of \(names)")
        }
        self = strategy
    }
}

extension OrderBy {
    /// Reads `order_by`: a key, or an object with `key`.
    init(json: JSONValue, path: String) throws(OctantError) {
        if case .string(let key) = json {
            self.init(key: try PayloadPath(key))
            return
        }
        let fields = try JSONFields(json, path: path)
        guard let key = try fields.string("key") else { throw fields.missing("key") }
        self.init(key: try PayloadPath(key))
        if let name = try fields.string("direction") {
            guard let direction = Direction(rawValue: name) else {
                throw .json("unknown variant `\(name)`, expected `asc` or `desc`")
            }
            self.direction = direction
        }
        switch fields["start_from"] {
        case nil: break
        case .integer(let value)?: startFrom = .integer(value)
        case .unsigned(let value)?: startFrom = .double(Double(value))
        case .double(let value)?: startFrom = .double(value)
        case .string(let text)?:
            startFrom = try OrderValue(date: text, path: fields.path("start_from"))
        case let value?: throw JSONFields.mismatch(value, "a number", fields.path("start_from"))
        }
    }
}
