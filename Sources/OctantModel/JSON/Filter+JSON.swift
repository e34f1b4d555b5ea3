extension Filter {
    /// Reads a filter. Unknown keys are refused; `path` is where it stands in the request, such as `filter`.
    package init(json: JSONValue, path: String = "filter") throws(OctantError) {
        var reader = FilterJSON()
        self = try reader.filter(json, path: path, depth: 0)
    }
}

/// One reading of a filter.
private struct FilterJSON {
    var budget = FilterBudget()

    mutating func filter(_ json: JSONValue, path: String, depth: Int) throws(OctantError) -> Filter {
        try budget.checkDepth(depth)
        let fields = try JSONFields(json, path: path)
        try fields.refuseUnknown(["must", "should", "must_not", "min_should"])
        var filter = Filter()
        filter.must = try clause(fields, "must", depth)
        filter.should = try clause(fields, "should", depth)
        filter.mustNot = try clause(fields, "must_not", depth)
        if let minimum = try fields.fields("min_should") {
            try minimum.refuseUnknown(["conditions", "min_count"])
            guard let list = try minimum.array("conditions") else { throw minimum.missing("conditions") }
            guard let count = try minimum.int("min_count", in: .minCount) else { throw minimum.missing("min_count") }
            var conditions: [Condition] = []
            for (place, value) in list.enumerated() {
                conditions.append(try condition(value, "\(minimum.path("conditions"))[\(place)]", depth))
            }
            filter.minShould = Filter.MinShould(conditions: conditions, minCount: count)
        }
        return filter
    }

    /// A clause is one condition or a list of them.
    private mutating func clause(
        _ fields: JSONFields, _ key: String, _ depth: Int
    ) throws(OctantError) -> [Condition] {
        guard let value = fields[key] else { return [] }
        guard case .array(let values) = value else { return [try condition(value, fields.path(key), depth)] }
        var conditions: [Condition] = []
        conditions.reserveCapacity(values.count)
        for (place, value) in values.enumerated() {
            conditions.append(try condition(value, "\(fields.path(key))[\(place)]", depth))
        }
        return conditions
    }

    private mutating func condition(
        _ json: JSONValue, _ path: String, _ depth: Int
    ) throws(OctantError) -> Condition {
        try budget.addCondition()
        let fields = try JSONFields(json, path: path)
        if fields["key"] != nil { return .field(try field(fields)) }
        guard let (kind, _) = fields.object.pairs.first else { return .filter(Filter()) }
        switch kind {
        case "must", "should", "must_not", "min_should":
            return .filter(try filter(json, path: path, depth: depth + 1))
        case "is_empty": return .isEmpty(try key(fields, "is_empty"))
        case "is_null": return .isNull(try key(fields, "is_null"))
        case "has_id":
            try fields.refuseUnknown(["has_id"])
            return .hasID(Set(try PointID.list(try fields.array("has_id") ?? [])))
        case "has_vector":
            try fields.refuseUnknown(["has_vector"])
            return .hasVector(try fields.string("has_vector") ?? "")
        case "nested":
            try fields.refuseUnknown(["nested"])
            guard let nested = try fields.fields("nested") else { throw fields.missing("nested") }
            try nested.refuseUnknown(["key", "filter"])
            guard let key = try nested.string("key") else { throw nested.missing("key") }
            let inner = try filter(try nested.required("filter"), path: nested.path("filter"), depth: depth + 1)
            return try .nested(try PayloadPath(key), checked: inner)
        case "slice":
            try fields.refuseUnknown(["slice"])
            guard let slice = try fields.fields("slice") else { throw fields.missing("slice") }
            try slice.refuseUnknown(["total", "index"])
            guard let total = try slice.int("total") else { throw slice.missing("total") }
            guard let index = try slice.int("index") else { throw slice.missing("index") }
            return .slice(try PointSlice(total: total, index: index, path: slice.path))
        case "match", "range", "values_count", "geo_radius", "geo_bounding_box", "geo_polygon":
            throw fields.missing("key")
        default:
            throw .json("\(path): unknown field `\(kind)`, it is no condition of a filter")
        }
    }

    /// The key of `{"is_empty": {"key": …}}`.
    private func key(_ fields: JSONFields, _ name: String) throws(OctantError) -> PayloadPath {
        try fields.refuseUnknown([name])
        guard let inner = try fields.fields(name) else { throw fields.missing(name) }
        try inner.refuseUnknown(["key"])
        guard let key = try inner.string("key") else { throw inner.missing("key") }
        return try PayloadPath(key)
    }

    private func field(_ fields: JSONFields) throws(OctantError) -> FieldCondition {
        try fields.refuseUnknown([
            "key", "match", "range", "values_count", "is_empty", "is_null", "geo_bounding_box", "geo_radius",
            "geo_polygon",
        ])
        guard let key = try fields.string("key") else { throw fields.missing("key") }
        var condition = FieldCondition(key: try PayloadPath(key))
        if let match = try fields.fields("match") { condition.match = try self.match(match) }
        if let range = try fields.fields("range") { try self.range(range, &condition) }
        for kind in GeoShape.keys {
            if let shape = try fields.fields(kind) { condition.geo.append(try GeoShape(kind, shape)) }
        }
        if let count = try fields.fields("values_count") {
            try count.refuseUnknown(["gt", "gte", "lt", "lte"])
            condition.valuesCount = CountRange(
                gt: try count.int("gt"), gte: try count.int("gte"), lt: try count.int("lt"), lte: try count.int("lte"))
        }
        condition.isEmpty = try fields.bool("is_empty")
        condition.isNull = try fields.bool("is_null")
        try condition.checkPredicates(fields.path)
        return condition
    }

    private static let matches = "`value`, `any`, `except`, `text`, `text_any`, `phrase`, `prefix`, `substring`"

    private func match(_ fields: JSONFields) throws(OctantError) -> Match {
        guard fields.object.count == 1, let (kind, value) = fields.object.pairs.first else {
            throw .json(
                "\(fields.path): data did not match any variant of match, expected one of \(Self.matches)")
        }
        switch kind {
        case "value":
            guard let value = scalar(value, bools: true) else {
                throw JSONFields.mismatch(value, "a string, an integer or a boolean", fields.path("value"))
            }
            return .value(value)
        case "any": return .any(try list(fields, "any"))
        case "except": return .except(try list(fields, "except"))
        case "prefix": return .prefix(try text(fields, "prefix"))
        case "substring": return .substring(try text(fields, "substring"))
        case "text": return .text(try text(fields, "text"))
        case "text_any": return .textAny(try text(fields, "text_any"))
        case "phrase": return .phrase(try text(fields, "phrase"))
        default:
            throw .json("\(fields.path): unknown field `\(kind)`, expected one of \(Self.matches)")
        }
    }

    private func text(_ fields: JSONFields, _ key: String) throws(OctantError) -> String {
        guard let text = try fields.string(key) else { throw fields.missing(key) }
        return try Match.checked(text, fields.path(key))
    }

    private func scalar(_ value: JSONValue, bools: Bool) -> MatchValue? {
        switch value {
        case .string(let text): .string(text)
        case .integer(let integer): .integer(integer)
        case .bool(let bool) where bools: .bool(bool)
        default: nil
        }
    }

    /// All strings, or all integers.
    private func list(_ fields: JSONFields, _ key: String) throws(OctantError) -> [MatchValue] {
        guard let values = try fields.array(key) else { throw fields.missing(key) }
        var list: [MatchValue] = []
        list.reserveCapacity(values.count)
        var texts = 0
        for (place, value) in values.enumerated() {
            guard let element = scalar(value, bools: false) else {
                throw JSONFields.mismatch(value, "a string or an integer", "\(fields.path(key))[\(place)]")
            }
            if case .string = element { texts += 1 }
            list.append(element)
        }
        guard texts == 0 || texts == list.count else {
            throw .json("\(fields.path(key)): a list is either of strings or of integers")
        }
        return list
    }

    /// Bounds are all numbers or all dates; none at all are numbers.
    private func range(_ fields: JSONFields, _ condition: inout FieldCondition) throws(OctantError) {
        try fields.refuseUnknown(["gt", "gte", "lt", "lte"])
        let bounds = fields.object.pairs.filter { $0.value != .null }
        let texts = bounds.count { if case .string = $0.value { true } else { false } }
        guard texts > 0 else {
            condition.range = NumberRange(
                gt: try fields.double("gt"), gte: try fields.double("gte"), lt: try fields.double("lt"),
                lte: try fields.double("lte"))
            return
        }
        guard texts == bounds.count else {
            throw .json("\(fields.path): the bounds of a range are either numbers or dates")
        }
        condition.dates = DateRange(
            gt: try date(fields, "gt"), gte: try date(fields, "gte"), lt: try date(fields, "lt"),
            lte: try date(fields, "lte"))
    }

    private func date(_ fields: JSONFields, _ key: String) throws(OctantError) -> Int64? {
        guard let text = try fields.string(key) else { return nil }
        guard let date = DateTime.microseconds(text) else {
            throw .json(
                "\(fields.path(key)): '\(text)' is not in a supported date/time format, please use RFC 3339")
        }
        return date
    }
}
