import OctantEngine
import Testing

@Suite("Timer")
struct DeadlineTimerTests {
    @Test("calls come in the order of their deadlines, cancelled ones never")
    func order() {
        let timer = DeadlineTimer()
        let called = Monitor<[Int]>([])
        let now = ContinuousClock.now
        _ = timer.call(at: now + .milliseconds(30)) { called.change { $0.append(30) } }
        let cancelled = timer.call(at: now + .milliseconds(20)) { called.change { $0.append(20) } }
        _ = timer.call(at: now + .seconds(3600)) { called.change { $0.append(0) } }
        timer.cancel(cancelled)
        _ = timer.call(at: now + .milliseconds(10)) { called.change { $0.append(10) } }
        #expect(called.wait { $0.count >= 2 ? $0 : nil } == [10, 30])
        timer.close()
        _ = timer.call(at: now) { called.change { $0.append(-1) } }
        #expect(called.withLock { $0 } == [10, 30])
    }
}
