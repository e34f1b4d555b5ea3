import OctantModel

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// Part of the Earth between two longitudes and two latitudes, edges included.
struct GeoRectangle {
    var lon: ClosedRange<Double>
    var lat: ClosedRange<Double>
}

extension GeoShape {
    /// Degrees by which rectangles are made larger, so that rounding cannot lose a point: a tenth of a millimetre.
    private static let margin = 1e-9

    /// Rectangles that cover the shape; none if it is empty.
    var rectangles: [GeoRectangle] {
        let whole = -180.0...180.0
        func rectangle(_ lon: ClosedRange<Double>, _ low: Double, _ high: Double) -> [GeoRectangle] {
            let south = max(low - Self.margin, -90)
            let north = min(high + Self.margin, 90)
            return south <= north ? [GeoRectangle(lon: lon, lat: south...north)] : []
        }
        func wrapped(_ west: Double, _ east: Double, _ low: Double, _ high: Double) -> [GeoRectangle] {
            guard west >= -180 else {
                return rectangle(max(west + 360, -180)...180, low, high) + rectangle(-180...min(east, 180), low, high)
            }
            guard east <= 180 else {
                return rectangle(west...180, low, high) + rectangle(-180...max(east - 360, -180), low, high)
            }
            return west <= east ? rectangle(west...east, low, high) : []
        }
        switch self {
        case .box(let topLeft, let bottomRight):
            let west = min(max(topLeft.lon, -180), 180)
            let east = min(max(bottomRight.lon, -180), 180)
            if west > east {
                return rectangle(west...180, bottomRight.lat, topLeft.lat)
                    + rectangle(-180...east, bottomRight.lat, topLeft.lat)
            }
            return west <= east ? rectangle(west...east, bottomRight.lat, topLeft.lat) : []
        case .circle(let center, let radius):
            guard radius > 0 else { return [] }
            let angle = radius / GeoPoint.earthRadius
            let degrees = angle * 180 / .pi * (1 + Self.margin)
            let south = center.lat - degrees
            let north = center.lat + degrees
            // With a pole inside, all longitudes are.
            guard angle < .pi / 2, south > -90, north < 90, abs(center.lon) <= 180 else {
                return rectangle(whole, south, north)
            }
            let share = sin(angle) / cos(center.lat * .pi / 180)
            guard share < 1 else { return rectangle(whole, south, north) }
            let width = asin(share) * 180 / .pi * (1 + 1e-7) + Self.margin
            return width < 180
                ? wrapped(center.lon - width, center.lon + width, south, north) : rectangle(whole, south, north)
        case .polygon(let exterior, _):
            guard let first = exterior.first else { return [] }
            var lon = (first.lon, first.lon)
            var lat = (first.lat, first.lat)
            for point in exterior {
                lon = (min(lon.0, point.lon), max(lon.1, point.lon))
                lat = (min(lat.0, point.lat), max(lat.1, point.lat))
            }
            let west = max(lon.0, -180)
            let east = min(lon.1, 180)
            return west <= east ? rectangle(west...east, lat.0, lat.1) : []
        }
    }
}

/// Numbers of cells of a grid over the Earth, 2^32 by 2^32, in the order of a Z-curve: the bits of both coordinates by
/// turns. So every square of cells is one run of numbers.
enum GeoCell {
    /// The cell of a point.
    static func code(_ point: GeoPoint) -> UInt64 {
        spread(place(point.lon, 360)) << 1 | spread(place(point.lat, 180))
    }

    /// Runs of cells, ascending, that cover a rectangle: at most 64.
    static func runs(_ rectangle: GeoRectangle) -> [ClosedRange<UInt64>] {
        let west = place(rectangle.lon.lowerBound, 360)
        let east = place(rectangle.lon.upperBound, 360)
        let south = place(rectangle.lat.lowerBound, 180)
        let north = place(rectangle.lat.upperBound, 180)
        guard west <= east, south <= north else { return [] }
        // The finest squares of which 8 by 8 are enough.
        var shift: UInt32 = 0
        while (east >> shift) - (west >> shift) > 7 || (north >> shift) - (south >> shift) > 7 { shift += 1 }
        let size = UInt64(2 * shift)
        var squares: [UInt64] = []
        for x in (west >> shift)...(east >> shift) {
            for y in (south >> shift)...(north >> shift) { squares.append(spread(x) << 1 | spread(y)) }
        }
        squares.sort()
        var runs: [ClosedRange<UInt64>] = []
        for square in squares {
            let low = square << size
            let high = low | ((1 << size) &- 1)
            if let last = runs.last, last.upperBound &+ 1 == low {
                runs[runs.count - 1] = last.lowerBound...high
            } else {
                runs.append(low...high)
            }
        }
        return runs
    }

    /// The row or column of a coordinate, of `span` degrees around 0.
    private static func place(_ degrees: Double, _ span: Double) -> UInt32 {
        UInt32(exactly: ((degrees / span + 0.5) * 4_294_967_296).rounded(.down)) ?? (degrees > 0 ? .max : 0)
    }

    /// The bits of a number with a zero before each.
    private static func spread(_ value: UInt32) -> UInt64 {
        var bits = UInt64(value)
        bits = (bits | bits << 16) & 0x0000_FFFF_0000_FFFF
        bits = (bits | bits << 8) & 0x00FF_00FF_00FF_00FF
        bits = (bits | bits << 4) & 0x0F0F_0F0F_0F0F_0F0F
        bits = (bits | bits << 2) & 0x3333_3333_3333_3333
        return (bits | bits << 1) & 0x5555_5555_5555_5555
    }
}

/// The point a payload value is: an object whose `lon` and `lat` are finite numbers.
func geoPoint(_ value: PayloadView) -> GeoPoint? {
    guard value.kind == .object, let lon = value.member("lon")?.number, let lat = value.member("lat")?.number,
        lon.isFinite, lat.isFinite
    else { return nil }
    return GeoPoint(lon: lon, lat: lat)
}

/// A shape that a ``FilterNode`` refers to.
final class ShapeTest: Sendable {
    let shape: GeoShape

    init(_ shape: GeoShape) { self.shape = shape }

    func contains(_ point: GeoPoint) -> Bool { shape.contains(point) }
}
