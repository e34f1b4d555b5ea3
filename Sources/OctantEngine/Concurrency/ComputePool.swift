import COctantKernels
import Synchronization

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// A fixed number of threads that run jobs in the order they came.
///
/// A thread that has helped with a parallel loop stays awake for a moment: to wake one that sleeps takes as long as a
/// short search, so that queries in quick succession would gain nothing by a second core.
package final class ComputePool: Sendable {
    private struct Job {
        /// Whether it is a share of a parallel loop, after which another is likely to come soon.
        var isHelp = false
        var run: @Sendable () -> Void
    }

    private struct Queue {
        var jobs: [Job] = []
        var head = 0
        /// Threads without a job, asleep or awake.
        var idle = 0
        /// Those of them that are awake and look for jobs.
        var awake = 0
        var closed = false

        var isEmpty: Bool { head == jobs.count }

        mutating func pop() -> Job? {
            guard head < jobs.count else { return nil }
            let job = jobs[head]
            head += 1
            if head == jobs.count || head > 1024 {
                jobs.removeFirst(head)
                head = 0
            }
            return job
        }
    }

    /// Microseconds for which a thread looks for more after a parallel loop.
    private static let awakeMicroseconds: UInt64 = 50

    private let queue = Monitor(Queue())
    /// Changes with every job that comes; what threads that are awake look at.
    private let arrivals: Arrivals
    private let threads: Mutex<[Thread]>
    /// Threads that may help with one loop: with the caller's, no more than the pool has.
    private let helpersMax: Int

    private final class Arrivals: Sendable {
        let count = Atomic<UInt64>(0)
    }

    /// Starts `threadCount` threads.
    package init(name: String, threadCount: Int) {
        let queue = queue
        let arrivals = Arrivals()
        self.arrivals = arrivals
        helpersMax = max(0, threadCount - 1)
        let started = (0..<max(1, threadCount)).map { number in
            Thread(name: "\(name)-\(number)") {
                var stayAwake = false
                while let job = Self.next(queue, arrivals, stayAwake) {
                    job.run()
                    stayAwake = job.isHelp
                }
            }
        }
        threads = Mutex(started)
    }

    private static func next(_ queue: Monitor<Queue>, _ arrivals: Arrivals, _ stayAwake: Bool) -> Job? {
        if stayAwake {
            let seen = arrivals.count.load(ordering: .relaxed)
            let (job, closed) = queue.withLock { queue -> (Job?, Bool) in
                if let job = queue.pop() { return (job, false) }
                queue.idle += 1
                queue.awake += 1
                return (nil, queue.closed)
            }
            if let job { return job }
            if !closed {
                spin(microseconds: awakeMicroseconds) { arrivals.count.load(ordering: .relaxed) != seen }
            }
            queue.withLock {
                $0.idle -= 1
                $0.awake -= 1
            }
            // What came before this is in the queue, and who comes later sees that nobody is awake.
        }
        var waiting = false
        return queue.wait { queue -> Job?? in
            if let job = queue.pop() {
                if waiting { queue.idle -= 1 }
                return .some(job)
            }
            if queue.closed { return .some(nil) }
            if !waiting {
                waiting = true
                queue.idle += 1
            }
            return nil
        }
    }

    /// Runs `job` on a thread of the pool, as soon as one is free.
    package func submit(_ job: @escaping @Sendable () -> Void) {
        let closed = queue.changeForOne { queue -> Bool in
            if !queue.closed { queue.jobs.append(Job(run: job)) }
            return queue.closed
        }
        arrivals.count.add(1, ordering: .relaxed)
        // No thread is left, and who waits for the job would wait forever.
        if closed { job() }
    }

    /// As ``submit(_:)``, for a job that is not worth a wake-up where enough threads are awake.
    private func submitHelp(_ count: Int, _ job: @escaping @Sendable () -> Void) {
        let sleeping = queue.withLock { queue -> Int in
            guard !queue.closed else { return 0 }
            for _ in 0..<count { queue.jobs.append(Job(isHelp: true, run: job)) }
            return count - min(count, queue.awake)
        }
        arrivals.count.add(1, ordering: .relaxed)
        for _ in 0..<sleeping { queue.signalOne() }
    }

    /// Runs `body(0)` … `body(count - 1)`, on this thread and on threads of the pool that are idle now, and returns when
    /// all are done. Under load it all runs here: no request waits for another's share.
    ///
    /// - Parameter brief: the whole loop is not worth the time it takes to wake a thread: only threads that are awake help.
    package func parallel(_ count: Int, brief: Bool = false, _ body: @escaping @Sendable (Int) -> Void) {
        guard count > 1 else {
            if count == 1 { body(0) }
            return
        }
        let helpers = queue.withLock { $0.isEmpty ? min(brief ? $0.awake : $0.idle, count - 1, helpersMax) : 0 }
        guard helpers > 0 else {
            for index in 0..<count { body(index) }
            return
        }
        let shared = ParallelRun(count: count, body: body)
        submitHelp(helpers) { shared.run() }
        shared.run()
        shared.waitUntilDone()
    }

    /// Wakes idle threads for a parallel loop that will come in some microseconds, so that they wake while its caller
    /// prepares it.
    package func expectLoop(_ count: Int) {
        let wanted = queue.withLock { $0.isEmpty ? min($0.idle, count - 1, helpersMax) - $0.awake : 0 }
        guard wanted > 0 else { return }
        submitHelp(wanted) {}
    }

    /// Ends the threads after the jobs that are queued.
    package func close() {
        queue.change { $0.closed = true }
        arrivals.count.add(1, ordering: .relaxed)
        for thread in threads.withLock({ $0 }) { thread.join() }
    }
}

/// Waits without sleeping until `isDone`, or the time is over. Returns whether it is done.
@discardableResult
private func spin(microseconds: UInt64, until isDone: () -> Bool) -> Bool {
    func nanoseconds() -> UInt64 {
        var now = timespec()
        clock_gettime(CLOCK_MONOTONIC, &now)
        return UInt64(now.tv_sec) &* 1_000_000_000 &+ UInt64(now.tv_nsec)
    }
    let start = nanoseconds()
    while true {
        for _ in 0..<16 {
            if isDone() { return true }
            octant_pause()
        }
        if nanoseconds() &- start > microseconds &* 1000 { return isDone() }
    }
}

/// Shares the indices of one parallel loop among threads.
private final class ParallelRun: Sendable {
    private let count: Int
    private let body: @Sendable (Int) -> Void
    private let next = Atomic<Int>(0)
    private let left: Atomic<Int>
    private let done = Monitor(false)

    /// Microseconds for which the caller looks for the end of the others' shares before it sleeps.
    private static let awakeMicroseconds: UInt64 = 100

    init(count: Int, body: @escaping @Sendable (Int) -> Void) {
        self.count = count
        self.body = body
        left = Atomic(count)
    }

    func run() {
        while true {
            let index = next.add(1, ordering: .relaxed).oldValue
            guard index < count else { return }
            body(index)
            if left.subtract(1, ordering: .acquiringAndReleasing).newValue == 0 { done.change { $0 = true } }
        }
    }

    func waitUntilDone() {
        if spin(microseconds: Self.awakeMicroseconds, until: { left.load(ordering: .acquiring) == 0 }) { return }
        done.wait { $0 ? () : nil }
    }
}
