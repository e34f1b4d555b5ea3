import Synchronization

/// A fixed number of threads that run jobs in the order they came.
package final class ComputePool: Sendable {
    private struct Queue {
        var jobs: [@Sendable () -> Void] = []
        var head = 0
        var idle = 0
        var closed = false

        var isEmpty: Bool { head == jobs.count }

        mutating func pop() -> (@Sendable () -> Void)? {
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

    private let queue = Monitor(Queue())
    private let threads: Mutex<[Thread]>

    /// Starts `threadCount` threads.
    package init(name: String, threadCount: Int) {
        let queue = queue
        let started = (0..<max(1, threadCount)).map { number in
            Thread(name: "\(name)-\(number)") {
                while let job = Self.next(queue) { job() }
            }
        }
        threads = Mutex(started)
    }

    private static func next(_ queue: Monitor<Queue>) -> (@Sendable () -> Void)? {
        var waiting = false
        return queue.wait { queue -> (@Sendable () -> Void)?? in
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
            if !queue.closed { queue.jobs.append(job) }
            return queue.closed
        }
        // No thread is left, and who waits for the job would wait forever.
        if closed { job() }
    }

    /// Runs `body(0)` … `body(count - 1)`, on this thread and on threads of the pool that are idle now, and returns when
    /// all are done. Under load it all runs here: no request waits for another's share.
    package func parallel(_ count: Int, _ body: @escaping @Sendable (Int) -> Void) {
        guard count > 1 else {
            if count == 1 { body(0) }
            return
        }
        let helpers = queue.withLock { $0.isEmpty ? min($0.idle, count - 1) : 0 }
        guard helpers > 0 else {
            for index in 0..<count { body(index) }
            return
        }
        let shared = ParallelRun(count: count, body: body)
        for _ in 0..<helpers { submit { shared.run() } }
        shared.run()
        shared.waitUntilDone()
    }

    /// Ends the threads after the jobs that are queued.
    package func close() {
        queue.change { $0.closed = true }
        for thread in threads.withLock({ $0 }) { thread.join() }
    }
}

/// Shares the indices of one parallel loop among threads.
private final class ParallelRun: Sendable {
    private let count: Int
    private let body: @Sendable (Int) -> Void
    private let next = Atomic<Int>(0)
    private let left: Monitor<Int>

    init(count: Int, body: @escaping @Sendable (Int) -> Void) {
        self.count = count
        self.body = body
        left = Monitor(count)
    }

    func run() {
        while true {
            let index = next.add(1, ordering: .relaxed).oldValue
            guard index < count else { return }
            body(index)
            left.change { $0 -= 1 }
        }
    }

    func waitUntilDone() {
        left.wait { $0 == 0 ? () : nil }
    }
}
