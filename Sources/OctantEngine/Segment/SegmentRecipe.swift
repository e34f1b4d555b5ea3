package import OctantModel
package import OctantStorage

/// What a new segment is made of.
package struct SegmentRecipe: Sendable {
    /// Rows to take over from one holder.
    package struct Source: Sendable {
        /// The holder.
        package var rows: any RowSource
        /// How many of its rows are considered: those up to the checkpoint.
        package var rowCount: Int
        /// Keep rows that are dead, so that row numbers (and the graph over them) stay as they are.
        package var keepsDead: Bool

        package init(rows: any RowSource, rowCount: Int, keepsDead: Bool = false) {
            self.rows = rows
            self.rowCount = rowCount
            self.keepsDead = keepsDead
        }
    }

    /// One of several segments that are made of the same sources: every `of`-th row from `number` on. Neighbours in the
    /// sources go to different segments, so that whatever orders the rows, the best of a query are spread evenly.
    package struct Piece: Sendable, Equatable {
        package var number = 0
        package var of = 1
    }

    /// The holders, in row order of the new segment.
    package var sources: [Source]
    /// The checkpoint: rows dead by it are left out, rows that die later are kept and get tombstones at the swap.
    package var checkpoint: LSN
    /// The collection's configuration.
    package var config: CollectionConfig
    /// The field indexes to build.
    package var fieldIndexes: [Manifest.FieldIndexEntry]
    /// Whether to build graphs.
    package var indexed: Bool
    /// Whether what is indexed gets a graph even where a scan would do.
    package var alwaysWalks = false
    /// Grow the first source's graphs instead of building anew.
    package var growsFirst: Bool
    /// Threads for graphs.
    package var threads: Int
    /// Which of their rows; all, unless set.
    package var piece = Piece()
    /// How the process is to spare memory.
    package var lowMemory: LowMemoryMode
    /// What was saved of the job's graphs by an earlier process, and where to save them; unset: nowhere.
    package var builds: JobBuilds?
    /// Who is told what is done and what it takes.
    package var meter: JobMeter?
    /// How many of the threads may work; unset: all.
    package var share: BuildShare?

    package init(
        sources: [Source], checkpoint: LSN, config: CollectionConfig, fieldIndexes: [Manifest.FieldIndexEntry],
        indexed: Bool, growsFirst: Bool = false, threads: Int = 1, lowMemory: LowMemoryMode = .disabled
    ) {
        self.sources = sources
        self.checkpoint = checkpoint
        self.config = config
        self.fieldIndexes = fieldIndexes
        self.indexed = indexed
        self.growsFirst = growsFirst
        self.threads = threads
        self.lowMemory = lowMemory
    }
}
