/// One of `total` parts into which the ids of all points are divided by a hash: the same everywhere and forever.
public struct PointSlice: Hashable, Sendable {
    /// How many slices there are, at least 1.
    public var total: Int
    /// Which of them, from 0.
    public var index: Int

    /// A slice.
    public init(total: Int, index: Int) {
        self.total = total
        self.index = index
    }
}

extension PointID {
    /// The number of the slice this id is in, of `total` slices (at least 1): SipHash-2-4 with the key 0 of the 8 bytes
    /// of a number, little end first, or the 16 bytes of a UUID, modulo `total`.
    public func slice(of total: UInt64) -> UInt64 {
        guard total > 0 else { return 0 }
        switch self {
        case .number(let number): return SipHash.hash([number], byteCount: 8) % total
        case .uuid(let uuid): return SipHash.hash([uuid.high.byteSwapped, uuid.low.byteSwapped], byteCount: 16) % total
        }
    }
}

/// SipHash-2-4 with the key 0 (Aumasson and Bernstein, "SipHash: a fast short-input PRF", 2012) of whole words.
enum SipHash {
    /// The hash of words of 8 bytes, each with its little end first.
    static func hash(_ words: [UInt64], byteCount: UInt64) -> UInt64 {
        var v0: UInt64 = 0x736F_6D65_7073_6575
        var v1: UInt64 = 0x646F_7261_6E64_6F6D
        var v2: UInt64 = 0x6C79_6765_6E65_7261
        var v3: UInt64 = 0x7465_6462_7974_6573

        func rotated(_ value: UInt64, _ bits: UInt64) -> UInt64 { value &<< bits | value &>> (64 - bits) }
        func round() {
            v0 = v0 &+ v1
            v1 = rotated(v1, 13) ^ v0
            v0 = rotated(v0, 32)
            v2 = v2 &+ v3
            v3 = rotated(v3, 16) ^ v2
            v0 = v0 &+ v3
            v3 = rotated(v3, 21) ^ v0
            v2 = v2 &+ v1
            v1 = rotated(v1, 17) ^ v2
            v2 = rotated(v2, 32)
        }
        func absorb(_ word: UInt64) {
            v3 ^= word
            round()
            round()
            v0 ^= word
        }
        for word in words { absorb(word) }
        absorb(byteCount << 56)
        v2 ^= 0xFF
        for _ in 0..<4 { round() }
        return v0 ^ v1 ^ v2 ^ v3
    }
}
