/// A value behind a pthread mutex, which every tool that looks at threads knows: for the file systems of tests.
// SAFETY: the value is touched only while the monitor is locked.
final class Locked<Value>: @unchecked Sendable {
    private let monitor = Monitor()
    private var value: Value

    init(_ value: Value) { self.value = value }

    func withLock<R>(_ body: (inout Value) -> R) -> R {
        monitor.lock()
        defer { monitor.unlock() }
        return body(&value)
    }
}
