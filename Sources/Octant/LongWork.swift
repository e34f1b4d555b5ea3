import OctantEngine

/// Threads for jobs that take long or wait for others, apart from those that searches and writes wait for. They end with the
/// process.
package final class LongWork: Sendable {
    private let pool: ComputePool

    /// So many threads.
    package init(name: String, threadCount: Int) { pool = ComputePool(name: name, threadCount: threadCount) }

    /// Runs a job as soon as a thread is free, in order of arrival.
    package func submit(_ job: @escaping @Sendable () -> Void) { pool.submit(job) }
}
