package import OctantModel
import OctantStorage

extension Shard {
    /// Publishes a configuration with other vectors than the present one; `change` gets the present one and returns `nil`
    /// if there is nothing to do.
    ///
    /// What was logged before goes into segments first: the log is replayed with the vectors of the manifest, so it must
    /// not hold operations from before the change, whose vector of the same name may have been another. Waits for the
    /// writes before it and holds up those after it.
    package func changeVectors(
        _ change: (CollectionConfig) throws(OctantError) -> CollectionConfig?
    ) throws(OctantError) {
        let failed: OctantError? = order.withLock { _ in
            do throws(OctantError) {
                guard let changed = try change(config) else { return nil }
                try waitUntilApplied()
                do throws(StorageError) {
                    freeze()
                    while try flushFrozen() {}
                    try publishVectors(changed)
                } catch { throw OctantError(error) }
                return nil
            } catch { return error }
        }
        wake()
        if let failed { throw failed }
    }

    /// Publishes `config`, forgets the files of vectors that it does not have, and opens a memtable with its vectors.
    private func publishVectors(_ config: CollectionConfig) throws(StorageError) {
        try publication.withLock { (manifest) throws(StorageError) in
            try checkPublishable()
            let view = newest
            guard view.memtables.count == 1, view.memtables[0].table.rowCount == 0 else {
                throw StorageError(.closed, "\(path): a checkpoint is not complete")
            }
            guard let table = Memtable(capacity: limits.memtableRows, params: config.params) else {
                throw StorageError(.io(12), "\(path): out of memory")
            }
            let removed = Set(view.config.params.vectorNames).subtracting(config.params.vectorNames)
            var next = manifest
            next.config = config
            var reopened: [Segment] = []
            for place in next.segments.indices {
                next.segments[place].files.removeAll { $0.role.isOfVector && removed.contains($0.subject) }
                let entry = next.segments[place]
                guard let segment = view.segments.first(where: { $0.entry.uuid == entry.uuid }) else { continue }
                reopened.append(
                    try Segment(
                        entry, folder: segment.folder, config: config, fieldIndexes: next.fieldIndexes,
                        tombstones: segment.tombstones))
            }
            _ = try store.publish(next.encoded())
            manifest = next
            applying.withLock { _ in
                state.withLock {
                    $0.config = config
                    $0.segments = reopened
                    $0.memtables = [MemtableSlot(table: table, through: nil)]
                    $0.vectorsEpoch += 1
                }
            }
            savedBuilds.prune(manifest.segments, config.jobSettings)
        }
    }
}

extension CollectionParams {
    /// The names of all vectors.
    fileprivate var vectorNames: [String] { vectors.all.map(\.name) + sparseVectors.map(\.name) }
}

extension SegmentEntry.Role {
    /// Whether the file's subject is the name of a vector.
    fileprivate var isOfVector: Bool {
        switch self {
        case .ids, .payload, .fieldIndex: false
        case .vectors, .presence, .codes, .graph, .sparse, .multivectors, .lengths, .inlineGraph: true
        }
    }
}
