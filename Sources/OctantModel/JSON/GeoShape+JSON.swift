extension GeoPoint {
    /// Reads `{"lon": …, "lat": …}`; coordinates outside the Earth are refused.
    package init(json: JSONValue, path: String) throws(OctantError) {
        let fields = try JSONFields(json, path: path)
        try fields.refuseUnknown(["lon", "lat"])
        guard let lon = try fields.double("lon") else { throw fields.missing("lon") }
        guard let lat = try fields.double("lat") else { throw fields.missing("lat") }
        guard (-180...180).contains(lon), (-90...90).contains(lat) else {
            throw .json(
                "\(path): Wrong format of GeoPoint payload: expected `lat` = \(lat) within [-90;90] and `lon` = \(lon) "
                    + "within [-180;180]")
        }
        self.init(lon: lon, lat: lat)
    }
}

extension GeoShape {
    /// The members of a field condition that are shapes.
    static let keys = ["geo_bounding_box", "geo_radius", "geo_polygon"]

    /// Reads the shape of a field condition named `kind`.
    init(_ kind: String, _ fields: JSONFields) throws(OctantError) {
        func point(_ key: String) throws(OctantError) -> GeoPoint {
            try GeoPoint(json: try fields.required(key), path: fields.path(key))
        }
        switch kind {
        case "geo_bounding_box":
            try fields.refuseUnknown(["top_left", "bottom_right"])
            self = .box(topLeft: try point("top_left"), bottomRight: try point("bottom_right"))
        case "geo_radius":
            try fields.refuseUnknown(["center", "radius"])
            guard let radius = try fields.double("radius") else { throw fields.missing("radius") }
            self = .circle(center: try point("center"), radius: radius)
        default:
            try fields.refuseUnknown(["exterior", "interiors"])
            let exterior = try Self.ring(try fields.required("exterior"), fields.path("exterior"))
            var interiors: [[GeoPoint]] = []
            let rings = try fields.array("interiors") ?? []
            guard rings.count <= Limits.polygonInteriorsMax else {
                throw OctantError(
                    .badRequest,
                    "`\(fields.path("interiors"))` has \(rings.count) rings, more than \(Limits.polygonInteriorsMax)")
            }
            for (place, ring) in rings.enumerated() {
                interiors.append(try Self.ring(ring, "\(fields.path("interiors"))[\(place)]"))
            }
            self = .polygon(exterior: exterior, interiors: interiors)
        }
    }

    private static func ring(_ json: JSONValue, _ path: String) throws(OctantError) -> [GeoPoint] {
        let fields = try JSONFields(json, path: path)
        try fields.refuseUnknown(["points"])
        guard let values = try fields.array("points") else { throw fields.missing("points") }
        guard values.count <= Limits.polygonPointsMax else {
            throw OctantError(
                .badRequest, "`\(path)` has \(values.count) points, more than \(Limits.polygonPointsMax)")
        }
        var points: [GeoPoint] = []
        points.reserveCapacity(values.count)
        for (place, value) in values.enumerated() {
            points.append(try GeoPoint(json: value, path: "\(fields.path("points"))[\(place)]"))
        }
        guard points.count >= 4, let first = points.first, let last = points.last else {
            throw .json("\(path): polygon invalid, the size must be at least 4, got \(points.count)")
        }
        guard abs(first.lon - last.lon) <= .ulpOfOne, abs(first.lat - last.lat) <= .ulpOfOne else {
            throw .json(
                "\(path): polygon invalid, the first and the last points should be the same to form a closed line")
        }
        return points
    }
}
