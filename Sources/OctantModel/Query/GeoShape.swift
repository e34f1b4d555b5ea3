#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// A point on the Earth, in degrees.
public struct GeoPoint: Hashable, Sendable, BitwiseCopyable {
    /// Longitude, -180 to 180.
    public var lon: Double
    /// Latitude, -90 to 90.
    public var lat: Double

    /// A point.
    public init(lon: Double, lat: Double) {
        self.lon = lon
        self.lat = lat
    }

    /// The mean radius of the Earth in metres, as the IUGG recommends it.
    public static let earthRadius = 6_371_008.8

    /// Metres to another point on a sphere, by the haversine formula.
    public func distance(to other: GeoPoint) -> Double {
        let radians = Double.pi / 180
        let lat1 = lat * radians
        let lat2 = other.lat * radians
        let sinLat = sin((lat2 - lat1) / 2)
        let sinLon = sin((other.lon * radians - lon * radians) / 2)
        let a = sinLat * sinLat + cos(lat1) * cos(lat2) * sinLon * sinLon
        return 2 * asin(min(a.squareRoot(), 1)) * Self.earthRadius
    }
}

/// A part of the Earth's surface.
public enum GeoShape: Hashable, Sendable {
    /// Strictly between two corners. Where the left longitude is greater than the right one, the box lies across the
    /// antimeridian.
    case box(topLeft: GeoPoint, bottomRight: GeoPoint)
    /// Nearer to a point than so many metres.
    case circle(center: GeoPoint, radius: Double)
    /// Inside a ring and not in or on one of others; coordinates are taken as if the Earth were flat.
    case polygon(exterior: [GeoPoint], interiors: [[GeoPoint]])

    /// Whether a point is inside.
    public func contains(_ point: GeoPoint) -> Bool {
        switch self {
        case .box(let topLeft, let bottomRight):
            guard point.lat < topLeft.lat, point.lat > bottomRight.lat else { return false }
            return topLeft.lon > bottomRight.lon
                ? point.lon > topLeft.lon || point.lon < bottomRight.lon
                : point.lon > topLeft.lon && point.lon < bottomRight.lon
        case .circle(let center, let radius):
            return point.distance(to: center) < radius
        case .polygon(let exterior, let interiors):
            return Self.isInside(point, exterior, onEdge: false)
                && !interiors.contains { Self.isInside(point, $0, onEdge: true) }
        }
    }

    /// Even-odd rule over a closed ring; a point on an edge counts as `onEdge` says.
    private static func isInside(_ point: GeoPoint, _ ring: [GeoPoint], onEdge: Bool) -> Bool {
        var isInside = false
        guard var from = ring.last else { return false }
        for to in ring {
            let cross = (to.lon - from.lon) * (point.lat - from.lat) - (to.lat - from.lat) * (point.lon - from.lon)
            if cross == 0, (from.lon - point.lon) * (to.lon - point.lon) <= 0,
                (from.lat - point.lat) * (to.lat - point.lat) <= 0
            {
                return onEdge
            }
            if (from.lon > point.lon) != (to.lon > point.lon) {
                let lat = (to.lat - from.lat) * (point.lon - from.lon) / (to.lon - from.lon) + from.lat
                if point.lat < lat { isInside.toggle() }
            }
            from = to
        }
        return isInside
    }
}
