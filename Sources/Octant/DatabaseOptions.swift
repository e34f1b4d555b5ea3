public import OctantModel

/// How a database is opened.
public struct DatabaseOptions: Sendable {
    /// The folder of the data; made if it does not exist.
    public var path: String
    /// Threads of searches; 0: one per core.
    public var searchThreads = 0
    /// Threads of one graph's build; 0: all cores but one.
    public var optimizerThreads = 0
    /// How the process is to spare memory: structures that collections want in memory can be left on disk.
    public var lowMemory: LowMemoryMode = .disabled
    /// The folder of stored snapshots; `nil`: `snapshots` in the folder of the data. Made when the first is taken.
    public var snapshotsPath: String?
    /// Where messages for the operator go.
    public var log: (@Sendable (String) -> Void)?

    /// Options for a folder, with defaults for the rest.
    public init(path: String) { self.path = path }
}
