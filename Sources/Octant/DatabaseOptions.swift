public import OctantModel

/// How a database is opened.
public struct DatabaseOptions: Sendable {
    /// The folder of the data; made if it does not exist.
    public var path: String
    /// Threads of searches; 0: one per core.
    public var searchThreads = 0
    /// Threads of all builds of graphs together; 0: all cores but one. As many jobs of the optimizer run side by side.
    public var optimizerThreads = 0
    /// Bytes of memory that jobs of the optimizer that run side by side may be expected to need together; 0: a quarter of
    /// the machine's memory, or of what the control group allows. A job that is larger runs alone.
    public var optimizerMemory = 0
    /// Bytes of memory that the process may have: near them, writes other than deletes are refused with
    /// `insufficientStorage`. `nil`: nothing is refused, and sizes go by the machine's memory or the control group's.
    public var memoryLimit: Int?
    /// How the process is to spare memory: structures that collections want in memory can be left on disk.
    public var lowMemory: LowMemoryMode = .disabled
    /// How much of vectors and payload is checked when a collection is opened.
    public var openingChecks: OpeningChecks = .resident
    /// Bytes per second that the scrubber reads to compare files with their checksums; 0: it does not run.
    public var scrubBytesPerSecond = 20 << 20
    /// Seconds from the beginning of one pass of the scrubber to that of the next.
    public var scrubIntervalSeconds = 3600
    /// The folder of stored snapshots; `nil`: `snapshots` in the folder of the data. Made when the first is taken.
    public var snapshotsPath: String?
    /// Where messages for the operator go.
    public var log: (@Sendable (String) -> Void)?

    /// Options for a folder, with defaults for the rest.
    public init(path: String) { self.path = path }
}
