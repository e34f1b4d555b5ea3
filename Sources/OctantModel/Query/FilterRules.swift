/// What one filter may cost; every reader of filters keeps such an account.
package struct FilterBudget: Sendable {
    private var conditions = 0

    /// An account of a filter nobody has begun to read.
    package init() {}

    /// Counts a condition; throws if there are too many.
    package mutating func addCondition() throws(OctantError) {
        conditions += 1
        guard conditions <= Limits.filterConditionsMax else {
            throw OctantError(.badRequest, "Filter has more than \(Limits.filterConditionsMax) conditions")
        }
    }

    /// Throws if filters are nested too deeply; the outermost one has depth 0.
    package func checkDepth(_ depth: Int) throws(OctantError) {
        guard depth <= Limits.filterDepthMax else {
            throw OctantError(.badRequest, "Filter nests deeper than \(Limits.filterDepthMax) levels")
        }
    }
}

extension Condition {
    /// A condition on the elements of an array; throws if the filter asks for what only a point has.
    package static func nested(_ key: PayloadPath, checked filter: Filter) throws(OctantError) -> Condition {
        guard !filter.asksForPoint else {
            throw OctantError(
                .badRequest, "`has_id`, `has_vector` and `slice` are not supported inside a nested filter")
        }
        return .nested(key, filter)
    }
}

extension Filter {
    /// Whether some condition is about the point itself, which an element of its payload does not have.
    fileprivate var asksForPoint: Bool {
        (must + should + mustNot + (minShould?.conditions ?? [])).contains {
            switch $0 {
            case .hasID, .hasVector, .slice: true
            case .filter(let filter): filter.asksForPoint
            case .field, .isEmpty, .isNull, .nested: false
            }
        }
    }
}

extension FieldCondition {
    /// Throws if there is no predicate.
    package func checkPredicates(_ path: String) throws(OctantError) {
        let isTest =
            match != nil || range != nil || dates != nil || valuesCount != nil || isEmpty != nil || isNull != nil
            || !geo.isEmpty
        guard isTest else { throw .invalid(path, "At least one field condition must be specified") }
    }
}

extension Match {
    /// A text to match; throws if it is too long.
    package static func checked(_ text: String, _ path: @autoclosure () -> String) throws(OctantError) -> String {
        guard text.utf8.count <= Limits.matchTextBytesMax else {
            throw OctantError(.badRequest, "`\(path())` is longer than \(Limits.matchTextBytesMax) bytes")
        }
        return text
    }
}

extension PointSlice {
    /// A slice; throws unless there is one of this number.
    package init(total: Int, index: Int, path: String) throws(OctantError) {
        let total = try CountBounds(from: 1).check(total, "\(path).total")
        self.init(total: total, index: try CountBounds(to: total - 1).check(index, "\(path).index"))
    }
}

extension GeoPoint {
    /// A point; throws if it is not on the Earth.
    package init(lon: Double, lat: Double, path: @autoclosure () -> String) throws(OctantError) {
        guard (-180...180).contains(lon), (-90...90).contains(lat) else {
            throw .json(
                "\(path()): Wrong format of GeoPoint payload: expected `lat` = \(lat) within [-90;90] and `lon` = \(lon) "
                    + "within [-180;180]")
        }
        self.init(lon: lon, lat: lat)
    }
}

extension GeoShape {
    /// Throws if a polygon has too many rings inside.
    package static func checkInteriors(_ count: Int, _ path: String) throws(OctantError) {
        guard count <= Limits.polygonInteriorsMax else {
            throw OctantError(
                .badRequest, "`\(path)` has \(count) rings, more than \(Limits.polygonInteriorsMax)")
        }
    }

    /// Throws if a ring has too many points; asked before they are read.
    package static func checkRing(count: Int, _ path: String) throws(OctantError) {
        guard count <= Limits.polygonPointsMax else {
            throw OctantError(.badRequest, "`\(path)` has \(count) points, more than \(Limits.polygonPointsMax)")
        }
    }

    /// Throws if points do not make a closed ring.
    package static func checkRing(_ points: [GeoPoint], _ path: String) throws(OctantError) {
        guard points.count >= 4, let first = points.first, let last = points.last else {
            throw .json("\(path): polygon invalid, the size must be at least 4, got \(points.count)")
        }
        guard abs(first.lon - last.lon) <= .ulpOfOne, abs(first.lat - last.lat) <= .ulpOfOne else {
            throw .json(
                "\(path): polygon invalid, the first and the last points should be the same to form a closed line")
        }
    }
}
