/// How a graph is built.
package struct HNSWParameters: Sendable, Equatable {
    /// Links a row keeps on the upper levels; level 0 keeps twice as many. 2...256.
    package var m: Int
    /// Size of the candidate pool while inserting.
    package var efConstruct: Int
    /// Decides the rows' levels.
    package var seed: UInt64

    /// Values outside their range are brought into it.
    package init(m: Int = 16, efConstruct: Int = 100, seed: UInt64 = 0x0c7a_17) {
        self.m = min(max(m, 2), 256)
        self.efConstruct = min(max(efConstruct, 4), 1 << 16)
        self.seed = seed
    }

    /// Links of level 0.
    package var m0: Int { 2 * m }

    /// The level of a row: l or higher with probability m^-l, from a hash of seed and row, so that it is the same
    /// whatever the number of threads and however often a graph was extended.
    package func level(of row: UInt32) -> Int {
        var x = seed &+ (UInt64(row) &+ 1) &* 0x9e37_79b9_7f4a_7c15
        x = (x ^ (x >> 30)) &* 0xbf58_476d_1ce4_e5b9
        x = (x ^ (x >> 27)) &* 0x94d0_49bb_1331_11eb
        x ^= x >> 31
        var level = 0
        var threshold = UInt64.max / UInt64(m)
        while x < threshold, level < HNSWGraph.maxLevels - 1 {
            level += 1
            threshold /= UInt64(m)
        }
        return level
    }
}
