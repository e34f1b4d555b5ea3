import OctantModel
import Testing

@Suite struct GeoTests {
    private let berlin = GeoPoint(lon: 13.4050, lat: 52.5200)
    private let moscow = GeoPoint(lon: 37.6173, lat: 55.7558)

    @Test("Distances are metres along the sphere")
    func distances() {
        #expect(berlin.distance(to: berlin) == 0)
        #expect((1_600_000...1_620_000).contains(berlin.distance(to: moscow)))
        let half = Double.pi * GeoPoint.earthRadius
        #expect(abs(GeoPoint(lon: 0, lat: 90).distance(to: GeoPoint(lon: 0, lat: -90)) - half) < 1)
        #expect(GeoPoint(lon: 179.9, lat: 0).distance(to: GeoPoint(lon: -179.9, lat: 0)) < 25_000)
    }

    @Test("A circle and a box leave out their edges; a box may lie across the antimeridian")
    func edges() {
        let distance = berlin.distance(to: moscow)
        #expect(!GeoShape.circle(center: berlin, radius: distance).contains(moscow))
        #expect(GeoShape.circle(center: berlin, radius: distance.nextUp).contains(moscow))
        let box = GeoShape.box(topLeft: GeoPoint(lon: 170, lat: 10), bottomRight: GeoPoint(lon: -170, lat: -10))
        #expect(box.contains(GeoPoint(lon: 175, lat: 0)) && box.contains(GeoPoint(lon: -175, lat: 0)))
        #expect(!box.contains(GeoPoint(lon: 0, lat: 0)) && !box.contains(GeoPoint(lon: 170, lat: 0)))
        #expect(!box.contains(GeoPoint(lon: 175, lat: 10)) && box.contains(GeoPoint(lon: 180, lat: 9.9)))
    }

    @Test("A polygon has holes; its own edge is outside, and so are the edges of holes")
    func polygon() {
        func square(_ low: Double, _ high: Double) -> [GeoPoint] {
            [(low, low), (high, low), (high, high), (low, high), (low, low)].map { GeoPoint(lon: $0.0, lat: $0.1) }
        }
        let shape = GeoShape.polygon(exterior: square(0, 10), interiors: [square(4, 6)])
        let inside = [(1.0, 1.0), (9.5, 5), (3.9, 5)]
        let outside = [(0.0, 5.0), (10, 10), (5, 5), (4, 5), (6, 6), (11, 5), (-1, -1), (5, 10)]
        for (lon, lat) in inside { #expect(shape.contains(GeoPoint(lon: lon, lat: lat)), "\(lon) \(lat)") }
        for (lon, lat) in outside { #expect(!shape.contains(GeoPoint(lon: lon, lat: lat)), "\(lon) \(lat)") }
    }

    @Test("Ids are in the slices the reference says")
    func slices() {
        let totals: [UInt64] = [2, 7, 1000, 1 << 40]
        let cases: [(PointID, [UInt64])] = [
            (.number(0), [1, 3, 119, 805_037_811_047]), (.number(1), [0, 2, 398, 715_448_672_094]),
            (.number(42), [1, 1, 819, 270_706_777_555]), (.number(.max), [0, 4, 430, 598_792_065_374]),
            (
                .uuid(UUIDValue(high: 0x550E_8400_E29B_41D4, low: 0xA716_4466_5544_0000)),
                [0, 0, 868, 144_857_945_348]
            ),
            (.uuid(UUIDValue(high: 0, low: 1)), [1, 1, 697, 1_061_981_793_321]),
        ]
        for (id, expected) in cases { #expect(totals.map { id.slice(of: $0) } == expected, "\(id)") }
    }
}
