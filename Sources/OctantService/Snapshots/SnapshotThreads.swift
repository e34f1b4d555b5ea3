package import Octant

/// Threads of snapshots: of each kind of work its own, so that a client who is slow to take a file holds up no one who makes one.
package struct SnapshotThreads: Sendable {
    /// Makes snapshots and recovers from them.
    package let work = LongWork(name: "octant-snapshot", threadCount: 4)
    /// Sends snapshots, each as fast as its client takes it, and tells other servers what is here.
    package let downloads = LongWork(name: "octant-download", threadCount: 16)
    /// Writes what is uploaded, a piece at a time.
    package let uploads = LongWork(name: "octant-upload", threadCount: 2)
}
