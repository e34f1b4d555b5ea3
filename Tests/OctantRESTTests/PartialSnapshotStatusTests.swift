import OctantService
import Testing

@Suite("What goes on with partial snapshots")
struct PartialSnapshotStatusTests {
    @Test("a collection that is gone is forgotten when the last of its partial snapshots ends")
    func forgotten() throws {
        let all = PartialSnapshots()
        do {
            let creation = all.creation("a")
            let claim = try #require(all.claim("a"))
            #expect(all.claim("a") == nil)
            all.recovered("a")
            #expect(all["a"].creating == 1 && all["a"].isRecovering && all["a"].recoveryTime > 0)
            all.forget("a")
            #expect(all["a"].creating == 1 && all["a"].isRecovering && all["a"].recoveryTime == 0)
            all.recovered("a")
            #expect(all["a"].recoveryTime == 0, "another collection may have the name by now")
            claim.end()
            #expect(all.count == 1)
            withExtendedLifetime(creation) {}
        }
        #expect(all.count == 0)
    }

    @Test("what was recovered is known until the collection goes")
    func kept() throws {
        let all = PartialSnapshots()
        for name in ["a", "b"] {
            let claim = try #require(all.claim(name))
            all.recovered(name)
            claim.end()
            claim.end()
        }
        _ = all.creation("c")
        _ = all.claim("d")
        #expect(all.count == 2 && all["a"].recoveryTime > 0 && all["b"].recoveryTime > 0)
        all.forget("a")
        all.forget("unknown")
        #expect(all.count == 1 && all["a"].recoveryTime == 0 && all["b"].recoveryTime > 0)
    }
}
