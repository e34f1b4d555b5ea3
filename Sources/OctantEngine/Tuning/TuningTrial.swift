import OctantModel
import OctantStorage

/// A configuration on a set of points, ready to be searched: the collection as it is, or files built to be measured.
final class TuningTrial {
    let configuration: TuningConfiguration
    /// The collection's configuration with it.
    let config: CollectionConfig
    /// What it is measured on, for the key of finished points.
    let basis: String
    /// Whether it holds all points.
    let isWhole: Bool
    private let make: () throws -> ReadView
    private var made: ReadView?

    init(
        _ configuration: TuningConfiguration, config: CollectionConfig, basis: String, isWhole: Bool,
        make: @escaping () throws -> ReadView
    ) {
        self.configuration = configuration
        self.config = config
        self.basis = basis
        self.isWhole = isWhole
        self.make = make
    }

    /// What to search. Built when it is asked for first.
    func view() throws -> ReadView {
        if let made { return made }
        let view = try make()
        made = view
        return view
    }

    /// Bytes of memory that its segments are to take with the configuration.
    func memoryBytes(using: String) throws -> Int {
        VectorMemory(try view(), using: using).resident(config, using: using)
    }
}

/// Builds segments that are measured and thrown away, in a folder of their own.
struct TrialBuilder {
    let directory: String
    let fileSystem: any FileSystem
    let using: String
    let isCancelled: @Sendable () -> Bool

    /// Removes what a process that ended early left, and makes the folder.
    func prepare() throws(StorageError) {
        clear()
        try fileSystem.makeDirectories(directory)
    }

    /// Removes all that was built. Segments that are still open keep their mappings.
    func clear() {
        // What cannot be removed is removed at the next start of tuning.
        try? fileSystem.removeTree(directory)
    }

    /// A configuration of the one vector, with nothing else of the points.
    func only(_ config: CollectionConfig) -> CollectionConfig {
        var config = config
        if let params = config.params.vectors[using] {
            config.params.vectors =
                using.isEmpty ? .single(params) : .named([NamedVectorParams(name: using, params: params)])
        }
        config.params.sparseVectors = []
        return config
    }

    /// A segment of rows. With `grows`, `rows` is a segment with a graph of the same parameters, which is taken over;
    /// then the rows keep their numbers, and dead ones stay. With `alwaysWalks`, it gets a graph whatever its size: it stands
    /// for a larger one.
    func segment(
        of rows: any RowSource, _ config: CollectionConfig, indexed: Bool, grows: Bool, alwaysWalks: Bool = false,
        lsn: LSN
    ) throws(StorageError) -> Segment? {
        let config = only(config)
        var recipe = SegmentRecipe(
            sources: [.init(rows: rows, rowCount: rows.rowCount, keepsDead: grows)], checkpoint: lsn,
            config: config, fieldIndexes: [], indexed: indexed, growsFirst: grows, threads: 1)
        recipe.alwaysWalks = alwaysWalks
        guard
            let written = try SegmentWriter.write(
                recipe, directory: directory, fileSystem: fileSystem, isCancelled: isCancelled)
        else { return nil }
        return try Segment(
            written.entry, folder: written.folder, config: config, fieldIndexes: [],
            tombstones: grows ? rows.tombstones : nil)
    }

    /// A view of one segment alone.
    func view(of segment: Segment, _ config: CollectionConfig, lsn: LSN) -> ReadView {
        ReadView(
            config: only(config), fieldIndexes: [], segments: [segment], memtables: [], checkpoint: lsn, lsn: lsn,
            liveCount: segment.rowCount)
    }
}
