#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif
import Synchronization

/// A sum of several threads.
package final class Counter: Sendable {
    private let sum = Atomic<Int>(0)

    package init() {}

    package var value: Int { sum.load(ordering: .acquiring) }

    package func add(_ count: Int) { sum.add(count, ordering: .acquiringAndReleasing) }
}

private final class Job: Sendable {
    let run: @Sendable () -> Void

    init(_ run: @escaping @Sendable () -> Void) { self.run = run }
}

/// Calls `work` once on each of `count` threads made for it, with their numbers, and waits for all.
package func onThreads(_ count: Int, _ work: @escaping @Sendable (Int) -> Void) {
    var threads: [pthread_t] = []
    for number in 0..<count {
        #if canImport(Glibc)
        var thread = pthread_t()
        #else
        var thread: pthread_t?
        #endif
        let job = Unmanaged.passRetained(Job { work(number) })
        let status = pthread_create(&thread, nil, startJob, job.toOpaque())
        guard status == 0 else {
            job.release()
            continue
        }
        #if canImport(Glibc)
        threads.append(thread)
        #else
        if let thread { threads.append(thread) }
        #endif
    }
    for thread in threads { pthread_join(thread, nil) }
}

#if canImport(Glibc)
private func startJob(_ job: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    if let job { Unmanaged<Job>.fromOpaque(job).takeRetainedValue().run() }
    return nil
}
#else
private func startJob(_ job: UnsafeMutableRawPointer) -> UnsafeMutableRawPointer? {
    Unmanaged<Job>.fromOpaque(job).takeRetainedValue().run()
    return nil
}
#endif

/// What this process has read from disk since this value was made.
package struct DiskReads {
    private let before: (faults: Double, kilobytes: Double)

    package init() { before = (Self.faultsSoFar, Self.kilobytesSoFar) }

    /// Accesses to mapped pages that had to wait for the disk.
    package func faults() -> Double { Self.faultsSoFar - before.faults }

    /// Everything fetched from block devices on behalf of this process, read ahead included.
    package func kilobytes() -> Double { Self.kilobytesSoFar - before.kilobytes }

    private static var faultsSoFar: Double {
        var usage = rusage()
        getrusage(0, &usage)  // RUSAGE_SELF, which has another type in each C library
        return Double(usage.ru_majflt)
    }

    private static var kilobytesSoFar: Double {
        let lines = (try? readLines("/proc/self/io")) ?? []
        let line = lines.first { $0.hasPrefix("read_bytes:") }
        return line.flatMap { Double($0.filter(\.isNumber)) }.map { $0 / 1024 } ?? 0
    }
}
