import Testing

@testable import OctantStorage

@Suite("When a sync begins")
struct SyncPaceTests {
    private let start = ContinuousClock.now

    /// The rest after a sync of so many records, with others that came meanwhile.
    private func rest(
        after records: Int, _ waiting: Int, took: Duration, with now: Int, bytes: Int = 1000, later: Duration = .zero
    ) -> Duration? {
        var pace = SyncPace()
        pace.note(records: records, waiting: waiting, began: start, ended: start + took)
        return pace.rest(records: now, bytes: bytes, now: start + took + later)
    }

    @Test("few writers never wait, many for as long as the last sync took, and none for a batch that is whole")
    func rests() {
        let took = Duration.microseconds(100)
        for records in 1...3 { #expect(rest(after: records, 20, took: took, with: 1) == nil) }
        #expect(rest(after: 4, 6, took: took, with: 6) == took)
        #expect(rest(after: 4, 6, took: took, with: 9, later: .microseconds(70)) == .microseconds(30))
        #expect(rest(after: 4, 6, took: took, with: 10) == nil)
        #expect(rest(after: 4, 6, took: took, with: 6, later: took) == nil)
        #expect(rest(after: 4, 6, took: took, with: 6, bytes: SyncPace.bytesMax) == nil)
        #expect(rest(after: 4, 6, took: .milliseconds(20), with: 6) == .microseconds(300))
        #expect(SyncPace().rest(records: 1, bytes: 1, now: start) == nil)
    }

    @Test("writers that stay away are not waited for any more after some syncs")
    func fewer() {
        var pace = SyncPace()
        pace.note(records: 40, waiting: 24, began: start, ended: start)
        #expect(pace.writers == 64)
        var syncs = 0
        while pace.writers > 8, syncs < 100 {
            pace.note(records: 4, waiting: 4, began: start, ended: start)
            syncs += 1
        }
        #expect(pace.writers == 8 && syncs < 20)
    }
}
