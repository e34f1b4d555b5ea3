import COctantKernels
import OctantStorage

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// A thread of the engine: named, with a stack of known size, joined when it ends.
package final class Thread: @unchecked Sendable {
    // SAFETY: `handle` is written once before init returns and read by join alone.
    private var handle: pthread_t?

    private final class Box {
        let body: @Sendable () -> Void
        init(_ body: @escaping @Sendable () -> Void) { self.body = body }
    }

    /// Bytes of a thread's stack: filters and JSON nest to 100 levels, each well under 10 KB.
    private static let stackBytes = 4 << 20

    /// Starts `body` on a new thread. If the machine has no thread left, `body` runs here and now.
    package init(name: String, _ body: @escaping @Sendable () -> Void) {
        let box = Unmanaged.passRetained(
            Box {
                octant_set_thread_name(name)
                body()
            })
        var attributes = pthread_attr_t()
        pthread_attr_init(&attributes)
        pthread_attr_setstacksize(&attributes, Self.stackBytes)
        defer { pthread_attr_destroy(&attributes) }
        #if canImport(Darwin)
        var thread: pthread_t?
        #else
        var thread = pthread_t()
        #endif
        let status = pthread_create(
            &thread, &attributes,
            { context in
                #if canImport(Darwin)
                Unmanaged<Box>.fromOpaque(context).takeRetainedValue().body()
                #else
                if let context { Unmanaged<Box>.fromOpaque(context).takeRetainedValue().body() }
                #endif
                return nil
            }, box.toOpaque())
        if status == 0 {
            handle = thread
        } else {
            box.takeRetainedValue().body()
        }
    }

    /// Runs `body` on a thread that gives way to those that answer requests, and waits for its end; in a simulation, on
    /// the only thread there is.
    package static func runInBackground(name: String, _ body: @escaping @Sendable () -> Void) {
        if Simulation.current != nil { return body() }
        Thread(name: name) {
            _ = octant_set_thread_nice(10)
            body()
        }.join()
    }

    /// Waits until the thread has ended.
    package func join() {
        if let handle { pthread_join(handle, nil) }
        handle = nil
    }

    /// Processors that can run at once. Asked for once: the system reads a file to tell, and the optimizer asks often.
    package static let processorCount = max(1, Int(sysconf(Int32(_SC_NPROCESSORS_ONLN))))
}

/// Milliseconds of a clock that never goes back; in a simulation, of the simulation's.
package func steadyMilliseconds() -> UInt64 {
    if let simulation = Simulation.current { return simulation.milliseconds }
    var now = timespec()
    clock_gettime(CLOCK_MONOTONIC, &now)
    return UInt64(now.tv_sec) * 1000 + UInt64(now.tv_nsec) / 1_000_000
}
