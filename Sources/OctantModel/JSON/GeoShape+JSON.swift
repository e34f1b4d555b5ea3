extension GeoPoint {
    /// Reads `{"lon": …, "lat": …}`; coordinates outside the Earth are refused.
    package init(json: JSONValue, path: String) throws(OctantError) {
        let fields = try JSONFields(json, path: path)
        try fields.refuseUnknown(["lon", "lat"])
        guard let lon = try fields.double("lon") else { throw fields.missing("lon") }
        guard let lat = try fields.double("lat") else { throw fields.missing("lat") }
        try self.init(lon: lon, lat: lat, path: path)
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
            try Self.checkInteriors(rings.count, fields.path("interiors"))
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
        try checkRing(count: values.count, path)
        var points: [GeoPoint] = []
        points.reserveCapacity(values.count)
        for (place, value) in values.enumerated() {
            points.append(try GeoPoint(json: value, path: "\(fields.path("points"))[\(place)]"))
        }
        try checkRing(points, path)
        return points
    }
}
