package import OctantModel
package import OctantStorage

/// A memtable and how far the log had been applied when it was frozen.
package struct MemtableSlot: Sendable {
    /// The points.
    package let table: Memtable
    /// The last operation it covers; `nil` while it is the one that is written to.
    package var through: LSN?
    /// How many points there were after that operation.
    var liveCount = 0
}

/// What a reader sees: a set of parts and the last operation that counts. Nobody changes what it names.
package struct ReadView: Sendable {
    /// The configuration in force.
    package var config: CollectionConfig
    /// The field indexes in force.
    package var fieldIndexes: [Manifest.FieldIndexEntry]
    /// Immutable segments.
    package var segments: [Segment]
    /// Memtables, oldest first; the last is being written to.
    package var memtables: [MemtableSlot]
    /// Operations up to this one are in segments and deletion bitmaps.
    package var checkpoint: LSN
    /// Operations up to this one are visible.
    package var lsn: LSN
    /// Points.
    package var liveCount: Int
    /// Counts additions and removals of vectors since the shard was opened.
    package var vectorsEpoch = 0
    /// Points there were at the checkpoint.
    var checkpointLiveCount = 0
    /// What is kept from reads until it is indexed; `nil`: nothing.
    var deferral: Deferral?

    /// All parts that hold rows.
    package var sources: [any RowSource] { segments as [any RowSource] + memtables.map { $0.table as any RowSource } }

    /// The place of a point; `nil` if it does not exist in this view.
    package func locate(_ id: PointID) -> (source: any RowSource, row: UInt32)? {
        for slot in memtables.reversed() {
            if let row = slot.table.row(of: id, at: lsn) { return (slot.table, row) }
        }
        for segment in segments {
            if let row = segment.row(of: id, at: lsn) { return (segment, row) }
        }
        return nil
    }

    /// The place of a living point, for the applying thread.
    func locateLive(_ id: PointID) -> (source: any RowSource, row: UInt32)? {
        for slot in memtables.reversed() {
            if let row = slot.table.liveRow(of: id) { return (slot.table, row) }
        }
        for segment in segments {
            if let row = segment.liveRow(of: id) { return (segment, row) }
        }
        return nil
    }
}

/// Sizes of a shard's memory. Each bounds what a search has to scan and what a restart has to replay.
package struct ShardLimits: Sendable {
    /// Rows of a memtable.
    package var memtableRows = 16_384
    /// Bytes of vectors and payload after which a memtable is frozen.
    package var memtableBytes = 32 << 20
    /// Frozen memtables that may wait for their checkpoint before writes wait for it.
    package var frozenMax = 3
    /// Bytes of the log after which a checkpoint is made even if memory is not full: operations that add no rows fill
    /// the log too.
    package var logBytes = 128 << 20
    /// Bytes of operations that may be logged and not yet applied.
    package var queueBytesMax = 256 << 20
    /// Files that a snapshot holds open; more are held by links, for descriptors are few.
    package var pinnedOpenFiles = 256
    /// Bytes of a log file; unset: as the collection's configuration says, in megabytes.
    package var logFileBytes: Int?
    /// When graphs that are being built are saved.
    package var buildSaves = BuildSavePolicy()
    /// How the process is to spare memory.
    package var lowMemory: LowMemoryMode = .disabled
    /// How much of vectors and payload is checked when a collection is opened.
    package var openingChecks = OpeningChecks.resident
    /// What refuses writes while memory is short.
    package var memoryGuard: MemoryGuard?

    package init() {}

    /// Makes sizes fit a process that may have so many bytes of memory.
    package mutating func fit(memory limit: Int) {
        memtableBytes = min(memtableBytes, max(1 << 20, limit / 32))
        queueBytesMax = min(queueBytesMax, max(1 << 20, limit / 8))
    }
}

extension OctantError {
    /// The error a client sees for one of the file layer.
    package init(_ error: StorageError) {
        switch error.code {
        case .diskFull:
            self.init(.insufficientStorage, "No space left on device: \(error.message)")
        case .corrupt, .incompatible, .notFound:
            self.init(.unavailable, error.message)
        case .closed, .locked:
            self.init(.unavailable, error.message)
        case .io:
            self.init(.service, error.message)
        }
    }
}
