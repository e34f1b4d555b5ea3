import COctantKernels
import Testing

@testable import OctantStorage

@Suite("Bytes")
struct BytesTests {
    @Test("CRC-32C gives the published check values")
    func checkValues() {
        #expect(CRC32C.extend(0, Array("123456789".utf8)) == 0xE306_9283)
        #expect(CRC32C.extend(0, [UInt8](repeating: 0, count: 32)) == 0x8A91_36AA)
        #expect(CRC32C.extend(0, [UInt8](repeating: 0xFF, count: 32)) == 0x62A8_AB43)
        #expect(CRC32C.extend(7, []) == 7)
    }

    @Test("CRC-32C in pieces equals the bitwise definition, with and without the instruction")
    func pieces() {
        var random = SeededGenerator(seed: 1)
        for length in 0..<200 {
            let bytes = (0..<length).map { _ in UInt8.random(in: 0...255, using: &random) }
            var slow: UInt32 = ~0
            for byte in bytes {
                slow ^= UInt32(byte)
                for _ in 0..<8 { slow = (slow >> 1) ^ (slow & 1 == 1 ? 0x82F6_3B78 : 0) }
            }
            slow = ~slow
            let cut = length == 0 ? 0 : Int.random(in: 0...length, using: &random)
            #expect(CRC32C.extend(CRC32C.extend(0, Array(bytes[..<cut])), Array(bytes[cut...])) == slow)
            let portable = bytes.withUnsafeBufferPointer { octant_crc32c_portable(0, $0.baseAddress, $0.count) }
            #expect(portable == slow)
        }
    }

    @Test("what the writer writes the reader reads")
    func roundTrip() throws {
        var writer = ByteWriter()
        let uuid = UUIDBytes.random()
        writer.u8(200)
        writer.u16(60_000)
        writer.u32(4_000_000_000)
        writer.u64(.max - 1)
        writer.i64(-5)
        writer.f32(1.5)
        writer.f64(-0.0)
        for shift in 0..<64 { writer.varint(1 << UInt64(shift)) }
        writer.varint(.max)
        writer.uuid(uuid)
        writer.bytes([1, 2, 3])
        writer.string("héllo")
        writer.pad(to: 8)
        #expect(writer.count % 8 == 0)
        try ByteReader.reading(writer.bytes) { reader in
            #expect(try reader.u8() == 200)
            #expect(try reader.u16() == 60_000)
            #expect(try reader.u32() == 4_000_000_000)
            #expect(try reader.u64() == .max - 1)
            #expect(try reader.i64() == -5)
            #expect(try reader.f32() == 1.5)
            #expect(try reader.f64().sign == .minus)
            for shift in 0..<64 { #expect(try reader.varint() == 1 << UInt64(shift)) }
            #expect(try reader.varint() == .max)
            #expect(try reader.uuid() == uuid)
            #expect(Array(try reader.bytes()) == [1, 2, 3])
            var slice = try reader.slice(3)
            #expect(storageError { _ = try slice.u32() }?.code == .corrupt)
            #expect(slice.remaining == 3)
        }
    }

    @Test("random bytes never trap the reader")
    func garbage() {
        var random = SeededGenerator(seed: 2)
        for _ in 0..<3_000 {
            let bytes = (0..<Int.random(in: 0..<24, using: &random)).map { _ in
                UInt8.random(in: 0...255, using: &random)
            }
            try? ByteReader.reading(bytes) { reader in
                while !reader.isAtEnd {
                    switch Int.random(in: 0..<7, using: &random) {
                    case 0: _ = try reader.u64()
                    case 1: _ = try reader.varint()
                    case 2: _ = try reader.bytes()
                    case 3: _ = try reader.string()
                    case 4: _ = try reader.count(unit: 8)
                    case 5: _ = try reader.raw(Int.random(in: -5..<40, using: &random))
                    default: _ = try reader.u16()
                    }
                }
            }
        }
    }

    @Test("invalid varints, counts and UTF-8 are refused")
    func refused() {
        let bad: [([UInt8], (inout ByteReader) throws -> Void)] = [
            ([UInt8](repeating: 0xFF, count: 11), { _ = try $0.varint() }),
            ([0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x02], { _ = try $0.varint() }),
            ([5, 1, 2], { _ = try $0.bytes() }),
            ([2, 0xC3, 0x28], { _ = try $0.string() }),
            ([3, 0, 0], { _ = try $0.count(unit: 1) }),
            ([1], { try $0.finish() }),
        ]
        for (bytes, body) in bad {
            #expect(storageError { try ByteReader.reading(bytes, name: "thing") { try body(&$0) } }?.code == .corrupt)
        }
    }

    @Test("UUIDs are printed and parsed, and random ones are version 4")
    func uuids() {
        let uuid = UUIDBytes(high: 0x0123_4567_89AB_CDEF, low: 0xFEDC_BA98_7654_3210)
        #expect(uuid.description == "01234567-89ab-cdef-fedc-ba9876543210")
        #expect(UUIDBytes.parse("01234567-89AB-CDEF-FEDC-BA9876543210") == uuid)
        #expect(UUIDBytes.parse("0123456789abcdeffedcba9876543210") == uuid)
        #expect(UUIDBytes.parse("01234567-89ab-cdef-fedc-ba987654321") == nil)
        #expect(UUIDBytes.parse("01234567-89ab-cdef-fedc_ba9876543210") == nil)
        let random = UUIDBytes.random().description
        #expect(Array(random)[14] == "4")
        #expect("89ab".contains(Array(random)[19]))
        #expect(parseHexName(hexName(0xABC)) == 0xABC)
        #expect(parseHexName("00000000000000AB") == nil)
    }
}
