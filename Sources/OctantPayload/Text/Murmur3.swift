/// MurmurHash3 (Austin Appleby, public domain description), the 32-bit variant for x86.
enum Murmur3 {
    /// The hash of some bytes.
    static func hash32(_ bytes: UnsafeRawBufferPointer, seed: UInt32 = 0) -> UInt32 {
        let c1: UInt32 = 0xCC9E_2D51
        let c2: UInt32 = 0x1B87_3593
        func rotated(_ value: UInt32, _ bits: UInt32) -> UInt32 { value &<< bits | value &>> (32 - bits) }
        func mixed(_ word: UInt32) -> UInt32 { rotated(word &* c1, 15) &* c2 }

        var hash = seed
        let whole = bytes.count & ~3
        for place in stride(from: 0, to: whole, by: 4) {
            let word = UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: place, as: UInt32.self))
            hash = rotated(hash ^ mixed(word), 13) &* 5 &+ 0xE654_6B64
        }
        var tail: UInt32 = 0
        for place in stride(from: bytes.count - 1, through: whole, by: -1) { tail = tail << 8 | UInt32(bytes[place]) }
        if whole < bytes.count { hash ^= mixed(tail) }
        hash ^= UInt32(truncatingIfNeeded: bytes.count)
        hash = (hash ^ hash >> 16) &* 0x85EB_CA6B
        hash = (hash ^ hash >> 13) &* 0xC2B2_AE35
        return hash ^ hash >> 16
    }
}
