import COctantKernels

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// A mutex with two conditions: `work` wakes the log thread, `progress` everybody who waits for it.
final class Monitor: Sendable {
    // SAFETY: pthread objects are made for use by several threads; the addresses never change.
    private nonisolated(unsafe) let mutex: UnsafeMutablePointer<pthread_mutex_t>
    private nonisolated(unsafe) let conditions: UnsafeMutablePointer<pthread_cond_t>

    enum Condition: Int { case work = 0, progress = 1 }

    init() {
        mutex = .allocate(capacity: 1)
        conditions = .allocate(capacity: 2)
        pthread_mutex_init(mutex, nil)
        _ = octant_condition_init(conditions)
        _ = octant_condition_init(conditions + 1)
    }

    deinit {
        pthread_cond_destroy(conditions)
        pthread_cond_destroy(conditions + 1)
        pthread_mutex_destroy(mutex)
        conditions.deallocate()
        mutex.deallocate()
    }

    func lock() { pthread_mutex_lock(mutex) }
    func unlock() { pthread_mutex_unlock(mutex) }
    func wait(_ condition: Condition) { pthread_cond_wait(conditions + condition.rawValue, mutex) }
    func signal(_ condition: Condition) { pthread_cond_broadcast(conditions + condition.rawValue) }

    /// Returns after a signal, a spurious wake-up or `nanoseconds`; `false` after the latter.
    func wait(_ condition: Condition, nanoseconds: UInt64) -> Bool {
        octant_condition_wait_for(conditions + condition.rawValue, mutex, nanoseconds) == 0
    }
}
