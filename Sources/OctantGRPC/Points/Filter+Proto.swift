#if Server
import OctantModel
import OctantProtocol
import SwiftProtobuf

extension Filter {
    /// Reads a filter. `path` is where it stands in the request, such as `filter`.
    init(_ message: Qdrant_Filter, _ path: String = "filter") throws(OctantError) {
        var reader = FilterReader()
        self = try reader.filter(message, path, 0)
    }
}

extension Condition {
    /// Reads a condition that stands alone.
    init(_ message: Qdrant_Condition, _ path: String) throws(OctantError) {
        var reader = FilterReader()
        self = try reader.condition(message, path, 0)
    }
}

/// One reading of a filter.
private struct FilterReader {
    var budget = FilterBudget()

    mutating func filter(_ message: Qdrant_Filter, _ path: String, _ depth: Int) throws(OctantError) -> Filter {
        try budget.checkDepth(depth)
        var filter = Filter()
        filter.must = try conditions(message.must, "\(path).must", depth)
        filter.should = try conditions(message.should, "\(path).should", depth)
        filter.mustNot = try conditions(message.mustNot, "\(path).must_not", depth)
        if message.hasMinShould {
            let path = "\(path).min_should"
            let count = try CountBounds.minCount.check(Int(clamping: message.minShould.minCount), "\(path).min_count")
            filter.minShould = Filter.MinShould(
                conditions: try conditions(message.minShould.conditions, "\(path).conditions", depth), minCount: count)
        }
        return filter
    }

    private mutating func conditions(
        _ messages: [Qdrant_Condition], _ path: String, _ depth: Int
    ) throws(OctantError) -> [Condition] {
        var conditions: [Condition] = []
        conditions.reserveCapacity(messages.count)
        for message in messages {
            conditions.append(try condition(message, "\(path)[\(conditions.count)]", depth))
        }
        return conditions
    }

    mutating func condition(
        _ message: Qdrant_Condition, _ path: String, _ depth: Int
    ) throws(OctantError) -> Condition {
        try budget.addCondition()
        switch message.conditionOneOf {
        case .field(let field): return .field(try FieldCondition(field, path))
        case .isEmpty(let condition): return .isEmpty(try PayloadPath(condition.key))
        case .isNull(let condition): return .isNull(try PayloadPath(condition.key))
        case .hasID_p(let condition): return .hasID(Set(try PointID.list(condition.hasID_p, "\(path).has_id")))
        case .hasVector_p(let condition): return .hasVector(condition.hasVector_p)
        case .filter(let inner): return .filter(try filter(inner, path, depth + 1))
        case .nested(let nested):
            guard nested.hasFilter else { throw .missing("filter", in: "\(path).nested") }
            let inner = try filter(nested.filter, "\(path).nested.filter", depth + 1)
            return try .nested(try PayloadPath(nested.key), checked: inner)
        case .slice(let slice):
            return .slice(
                try PointSlice(
                    total: Int(clamping: slice.total), index: Int(clamping: slice.index), path: "\(path).slice"))
        case nil: throw .json("\(path): it is no condition of a filter")
        }
    }
}

extension FieldCondition {
    fileprivate init(_ message: Qdrant_FieldCondition, _ path: String) throws(OctantError) {
        self.init(key: try PayloadPath(message.key))
        if message.hasMatch { match = try Match(message.match, "\(path).match") }
        if message.hasRange { range = NumberRange(message.range) }
        if message.hasDatetimeRange { dates = try DateRange(message.datetimeRange, "\(path).datetime_range") }
        if message.hasGeoBoundingBox {
            geo.append(try GeoShape(message.geoBoundingBox, "\(path).geo_bounding_box"))
        }
        if message.hasGeoRadius { geo.append(try GeoShape(message.geoRadius, "\(path).geo_radius")) }
        if message.hasGeoPolygon { geo.append(try GeoShape(message.geoPolygon, "\(path).geo_polygon")) }
        if message.hasValuesCount { valuesCount = CountRange(message.valuesCount) }
        if message.hasIsEmpty { isEmpty = message.isEmpty }
        if message.hasIsNull { isNull = message.isNull }
        try checkPredicates(path)
    }
}

extension Match {
    fileprivate init(_ message: Qdrant_Match, _ path: String) throws(OctantError) {
        switch message.matchValue {
        case .keyword(let text): self = .value(.string(text))
        case .integer(let number): self = .value(.integer(number))
        case .boolean(let bool): self = .value(.bool(bool))
        case .keywords(let list): self = .any(list.strings.map(MatchValue.string))
        case .integers(let list): self = .any(list.integers.map(MatchValue.integer))
        case .exceptKeywords(let list): self = .except(list.strings.map(MatchValue.string))
        case .exceptIntegers(let list): self = .except(list.integers.map(MatchValue.integer))
        case .text(let text): self = .text(try Self.checked(text, "\(path).text"))
        case .textAny(let text): self = .textAny(try Self.checked(text, "\(path).text_any"))
        case .phrase(let text): self = .phrase(try Self.checked(text, "\(path).phrase"))
        case .prefix(let text): self = .prefix(try Self.checked(text, "\(path).prefix"))
        case .substring(let text): self = .substring(try Self.checked(text, "\(path).substring"))
        case nil: throw .json("\(path): data did not match any variant of match")
        }
    }
}

extension NumberRange {
    fileprivate init(_ message: Qdrant_Range) {
        self.init(
            gt: message.hasGt ? message.gt : nil, gte: message.hasGte ? message.gte : nil,
            lt: message.hasLt ? message.lt : nil, lte: message.hasLte ? message.lte : nil)
    }
}

extension CountRange {
    fileprivate init(_ message: Qdrant_ValuesCount) {
        self.init(
            gt: message.hasGt ? Int(clamping: message.gt) : nil,
            gte: message.hasGte ? Int(clamping: message.gte) : nil,
            lt: message.hasLt ? Int(clamping: message.lt) : nil,
            lte: message.hasLte ? Int(clamping: message.lte) : nil)
    }
}

extension DateRange {
    fileprivate init(_ message: Qdrant_DatetimeRange, _ path: String) throws(OctantError) {
        self.init()
        if message.hasGt { gt = try message.gt.microseconds("\(path).gt") }
        if message.hasGte { gte = try message.gte.microseconds("\(path).gte") }
        if message.hasLt { lt = try message.lt.microseconds("\(path).lt") }
        if message.hasLte { lte = try message.lte.microseconds("\(path).lte") }
    }
}

extension Google_Protobuf_Timestamp {
    /// Microseconds since 1970; digits beyond are cut off.
    func microseconds(_ path: String) throws(OctantError) -> Int64 {
        let (whole, tooFar) = seconds.multipliedReportingOverflow(by: 1_000_000)
        let (sum, overflow) = whole.addingReportingOverflow(Int64(nanos) / 1000)
        guard !tooFar, !overflow, (0..<1_000_000_000).contains(nanos) else {
            throw .json("\(path): a timestamp of \(seconds) s and \(nanos) ns is not in a supported range")
        }
        return sum
    }
}

extension GeoPoint {
    /// Reads a point on the Earth.
    init(_ message: Qdrant_GeoPoint, _ path: @autoclosure () -> String) throws(OctantError) {
        try self.init(lon: message.lon, lat: message.lat, path: path())
    }
}

extension GeoShape {
    fileprivate init(_ message: Qdrant_GeoBoundingBox, _ path: String) throws(OctantError) {
        guard message.hasTopLeft else { throw .missing("top_left", in: path) }
        guard message.hasBottomRight else { throw .missing("bottom_right", in: path) }
        self = .box(
            topLeft: try GeoPoint(message.topLeft, "\(path).top_left"),
            bottomRight: try GeoPoint(message.bottomRight, "\(path).bottom_right"))
    }

    fileprivate init(_ message: Qdrant_GeoRadius, _ path: String) throws(OctantError) {
        guard message.hasCenter else { throw .missing("center", in: path) }
        self = .circle(center: try GeoPoint(message.center, "\(path).center"), radius: Double(message.radius))
    }

    fileprivate init(_ message: Qdrant_GeoPolygon, _ path: String) throws(OctantError) {
        guard message.hasExterior else { throw .missing("exterior", in: path) }
        let exterior = try Self.ring(message.exterior, "\(path).exterior")
        try Self.checkInteriors(message.interiors.count, "\(path).interiors")
        var interiors: [[GeoPoint]] = []
        for ring in message.interiors {
            interiors.append(try Self.ring(ring, "\(path).interiors[\(interiors.count)]"))
        }
        self = .polygon(exterior: exterior, interiors: interiors)
    }

    private static func ring(_ message: Qdrant_GeoLineString, _ path: String) throws(OctantError) -> [GeoPoint] {
        try checkRing(count: message.points.count, path)
        var points: [GeoPoint] = []
        points.reserveCapacity(message.points.count)
        for point in message.points { points.append(try GeoPoint(point, "\(path).points[\(points.count)]")) }
        try checkRing(points, path)
        return points
    }
}
#endif
