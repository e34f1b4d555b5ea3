#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// Runs `body(0)...body(count - 1)`, each on a thread of its own (0 on the caller's), and waits for all. A thread that
/// cannot be started is run on the caller's instead.
func runThreads(_ count: Int, _ body: @escaping @Sendable (Int) -> Void) {
    final class Work {
        let index: Int
        let body: @Sendable (Int) -> Void
        init(_ index: Int, _ body: @escaping @Sendable (Int) -> Void) {
            self.index = index
            self.body = body
        }
    }
    #if canImport(Darwin)
    var threads: [pthread_t?] = []
    #else
    var threads: [pthread_t] = []
    #endif
    for index in Swift.stride(from: 1, to: count, by: 1) {
        let work = Unmanaged.passRetained(Work(index, body))
        #if canImport(Darwin)
        var thread: pthread_t?
        let failed = pthread_create(
            &thread, nil,
            { argument in
                let work = Unmanaged<Work>.fromOpaque(argument).takeRetainedValue()
                work.body(work.index)
                return nil
            }, work.toOpaque())
        #else
        var thread = pthread_t()
        let failed = pthread_create(
            &thread, nil,
            { argument in
                guard let argument else { return nil }
                let work = Unmanaged<Work>.fromOpaque(argument).takeRetainedValue()
                work.body(work.index)
                return nil
            }, work.toOpaque())
        #endif
        if failed != 0 {
            let work = work.takeRetainedValue()
            work.body(work.index)
        } else {
            threads.append(thread)
        }
    }
    if count > 0 { body(0) }
    for thread in threads {
        #if canImport(Darwin)
        if let thread { pthread_join(thread, nil) }
        #else
        pthread_join(thread, nil)
        #endif
    }
}

/// Gives the processor to another thread.
func yieldProcessor() {
    sched_yield()
}
