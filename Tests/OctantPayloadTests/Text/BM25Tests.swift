import OctantModel
import Testing

@testable import OctantPayload

@Suite struct BM25Tests {
    private func hash(_ text: String, _ seed: UInt32) -> UInt32 {
        Array(text.utf8).withUnsafeBytes { Murmur3.hash32($0, seed: seed) }
    }

    @Test("Murmur hashes are those of the reference")
    func murmur() {
        #expect(hash("", 0) == 0)
        #expect(hash("", 1) == 0x514E_28B7)
        #expect(hash("", 0xFFFF_FFFF) == 0x81F1_6F39)
        #expect(hash("test", 0) == 0xBA6B_D213)
        #expect(hash("test", 0x9747_B28C) == 0x704B_81DC)
        #expect(hash("Hello, world!", 0) == 0xC036_3E43)
        #expect(hash("Hello, world!", 0x9747_B28C) == 0x2488_4CBA)
        #expect(hash("The quick brown fox jumps over the lazy dog", 0) == 0x2E4F_F723)
        #expect([UInt8]([0x21, 0x43, 0x65]).withUnsafeBytes { Murmur3.hash32($0) } == 0x7E4A_8634)
        #expect([UInt8]([0xFF, 0xFF, 0xFF, 0xFF]).withUnsafeBytes { Murmur3.hash32($0) } == 0x7629_3B50)
    }

    @Test("The dimension of a token is the absolute value of its signed hash")
    func index() {
        #expect(BM25.index(Array("test".utf8)) == UInt32(Int32(bitPattern: 0xBA6B_D213).magnitude))
        #expect(BM25.index([]) == 0)
    }

    @Test("A document's weights saturate and depend on its length; a query's are 1")
    func weights() throws {
        let bm25 = try BM25()
        let (indices, values) = bm25.document("The dog runs, and the dogs were running. Cats!")
        var expected: [UInt32: Float] = [:]
        for (token, count) in [("dog", 2.0), ("run", 2.0), ("cat", 1.0)] {
            let norm = 1.2 * (1 - 0.75 + 0.75 * 5 / 256)
            expected[BM25.index(Array(token.utf8))] = Float(count * 2.2 / (norm + count))
        }
        #expect(indices == expected.keys.sorted())
        #expect(values == indices.map { expected[$0] })
        let query = bm25.query("dogs dog the cat")
        #expect(query.indices == ["dog", "cat"].map { BM25.index(Array($0.utf8)) }.sorted())
        #expect(query.values == [1, 1])
        #expect(bm25.document("the and of").indices.isEmpty && bm25.query("").values.isEmpty)
    }

    @Test("Parameters out of their range are refused")
    func parameters() {
        for (k, b, length) in [(-0.1, 0.5, 1.0), (.nan, 0.5, 1), (1, -0.1, 1), (1, 1.1, 1), (1, .nan, 1), (1, 0.5, 0)] {
            var config = BM25Config()
            (config.k, config.b, config.averageLength) = (k, b, length)
            #expect(throws: OctantError.self) { _ = try BM25(config) }
        }
    }
}
