import OctantModel
import Testing

@Suite struct TapeTests {
    static let scalars: [JSONValue] = [
        .null, .bool(true), .bool(false), .integer(0), .integer(1), .integer(-1), .integer(63), .integer(64),
        .integer(-64), .integer(-65), .integer(.max), .integer(.min), .integer(.max - 1), .integer(.min + 1),
        .unsigned(.max), .unsigned(1 << 63), .double(0.5), .double(-0.0), .double(1e300),
        .double(.leastNonzeroMagnitude),
        .string(""), .string("é𝄞"), .string(String(repeating: "x", count: 300)),
    ]

    @Test("every scalar survives the tape", arguments: scalars)
    func scalar(_ value: JSONValue) {
        let payload = Payload(["k": value, "list": .array([value, .array([value]), .object(["in": value])])])
        #expect(payload.object == ["k": value, "list": .array([value, .array([value]), .object(["in": value])])])
        payload.withView { view in
            let member = view.member("k")
            switch value {
            case .integer(let integer): #expect(member?.number == Double(integer) && member?.integer == integer)
            case .unsigned(let number): #expect(member?.number == Double(number) && member?.unsigned == number)
            case .double(let number): #expect(member?.number == number)
            default: #expect(member?.number == nil)
            }
        }
    }

    @Test("the tape is laid out as documented")
    func layout() {
        let payload = Payload(["a": .integer(1), "t": .array([.string("x"), .null])])
        #expect(
            payload.bytes == [
                8, 0x17, 0, 0, 0, 2, 0, 0, 0, 1, 0x61, 3, 2, 1, 0x74, 7, 8, 0, 0, 0, 2, 0, 0, 0, 6, 1, 0x78, 0,
            ])
    }

    /// Reads everything there is to read.
    private func exercise(_ bytes: [UInt8]) {
        bytes.withUnsafeBytes { bytes in
            let view = PayloadView(bytes)
            _ = view.value
            _ = view.object
            _ = view.encoded.count
            _ = (view.member("k")?.string, view.number, view.count, view.utf8?.count)
            for element in view.elements { _ = element.value }
        }
    }

    @Test("random payloads survive, and damaged ones never trap", arguments: 0..<8)
    func damage(_ seed: UInt64) {
        var source = RandomFilters(seed: seed)
        for _ in 0..<20 {
            let payload = source.payload()
            #expect(Payload(payload.object) == payload)
            for count in payload.bytes.indices { exercise(Array(payload.bytes[..<count])) }
            for _ in 0..<200 where !payload.isEmpty {
                var bytes = payload.bytes
                for _ in 0...Int.random(in: 0...2, using: &source.random) {
                    bytes[Int.random(in: bytes.indices, using: &source.random)] = .random(
                        in: 0...255, using: &source.random)
                }
                exercise(bytes)
            }
        }
    }

    @Test("arrays in arrays without end do not use up the stack")
    func deep() {
        var builder = PayloadBuilder()
        for _ in 0..<200_000 { builder.beginArray() }
        for _ in 0..<200_000 { builder.end() }
        exercise(builder.bytes)
    }
}
