import OctantEngine
import Testing

@Suite("Tombstones")
struct TombstonesTests {
    @Test("dead rows are counted as of any operation, whatever the order in which deaths were noted")
    func counts() throws {
        var generator = SeededGenerator(seed: 3)
        for rowCount in [1, 63, 64, 1000] {
            let tombstones = try #require(Tombstones(rowCount: rowCount))
            var deaths: [UInt32: UInt64] = [:]
            for _ in 0..<rowCount {
                let row = UInt32.random(in: 0..<UInt32(rowCount), using: &generator)
                let lsn = deaths[row] ?? UInt64.random(in: 1...50, using: &generator)
                deaths[row] = lsn
                tombstones.kill(row, at: lsn)
                let asked = UInt64.random(in: 0...60, using: &generator)
                #expect(tombstones.deadCount(at: asked) == deaths.values.count { $0 <= asked })
            }
            #expect(tombstones.killedCount == deaths.count)
        }
    }
}
