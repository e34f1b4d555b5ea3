/// Which addresses are of the public internet. The others name this machine, its network, the services of a cloud that
/// trust who can reach them, or nothing.
package enum PublicAddress {
    /// Ranges of IPv4 that are not public: an address and how many of its bits count.
    private static let ranges4: [(UInt32, Int)] = [
        (0x0000_0000, 8), (0x0A00_0000, 8), (0x6440_0000, 10), (0x7F00_0000, 8), (0xA9FE_0000, 16),
        (0xAC10_0000, 12), (0xC000_0000, 24), (0xC000_0200, 24), (0xC058_6300, 24), (0xC0A8_0000, 16),
        (0xC612_0000, 15), (0xC633_6400, 24), (0xCB00_7100, 24), (0xE000_0000, 4), (0xF000_0000, 4),
    ]

    /// Ranges within the public 2000::/3 that are not: protocol assignments and Teredo, documentation, 6to4.
    private static let ranges6: [(prefix: [UInt8], bits: Int)] = [
        ([0x20, 0x01, 0x00], 23), ([0x20, 0x01, 0x0D, 0xB8], 32), ([0x20, 0x02], 16), ([0x3F, 0xFF, 0x00], 20),
    ]

    /// Whether an IPv4 address, in the order of its bytes, is public.
    package static func contains(v4 address: UInt32) -> Bool {
        !ranges4.contains { range, bits in (address ^ range) >> (32 - UInt32(bits)) == 0 }
    }

    /// Whether the 16 bytes of an IPv6 address are of a public one. One that stands for an IPv4 address is judged by it.
    package static func contains(v6 bytes: [UInt8]) -> Bool {
        guard bytes.count == 16 else { return false }
        let inner = bytes[12...].reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
        let mapped = [UInt8](repeating: 0, count: 10) + [0xFF, 0xFF]
        let translated: [UInt8] = [0x00, 0x64, 0xFF, 0x9B] + [UInt8](repeating: 0, count: 8)
        if bytes.starts(with: mapped) || bytes.starts(with: translated) { return contains(v4: inner) }
        guard bytes[0] & 0xE0 == 0x20 else { return false }
        return !ranges6.contains { fits(bytes, $0.prefix, $0.bits) }
    }

    private static func fits(_ bytes: [UInt8], _ prefix: [UInt8], _ bits: Int) -> Bool {
        for place in 0..<prefix.count {
            let counted = min(8, bits - 8 * place)
            let mask = counted >= 8 ? UInt8.max : ~(UInt8.max >> UInt8(counted))
            if (bytes[place] ^ prefix[place]) & mask != 0 { return false }
        }
        return true
    }
}
