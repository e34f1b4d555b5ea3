package import OctantModel
package import OctantStorage

/// The state of a shard after one operation, as files that nobody changes: held open, so that they stay readable when the
/// shard no longer needs them.
package struct PinnedShard: Sendable {
    /// What the files are; its checkpoint is the operation.
    package let manifest: Manifest
    /// What was measured of searches.
    package let tuning: [UInt8]
    let files: [any File]

    /// Bytes of all files.
    package var byteCount: Int {
        manifest.segments.reduce(0) { sum, segment in
            sum + segment.files.reduce(Int(segment.deletions?.size ?? 0)) { $0 + Int($1.summary.size) }
        }
    }

    /// Lets go of the files.
    package func release() { for file in files { file.close() } }
}

extension Shard {
    /// Pins the state after all operations that were acknowledged before the call.
    ///
    /// What is in memory goes into a segment first, as at every checkpoint: writers go on beside it, and are held up no
    /// longer than the swap of a pointer takes. Later writes and the optimizer take nothing from what is pinned. Release
    /// it when it has been read.
    package func pin() throws(StorageError) -> PinnedShard {
        // A log that failed applies no more: then what it applied is the state.
        try? waitUntilApplied()
        let target = newest.lsn
        if newest.checkpoint < target { freeze() }
        while publication.withLock({ $0.checkpoint }) < target {
            do throws(StorageError) {
                if try flushFrozen() { continue }
            } catch {
                // Vectors were added or removed beside the flush: the next attempt starts from those that are.
                guard error.code == .closed, !background.withLock({ $0.closing }) else { throw error }
                continue
            }
            if publication.withLock({ $0.checkpoint }) >= target { break }
            if background.withLock({ $0.closing }) { throw StorageError(.closed, "the collection is closed") }
            throw StorageError(.io(12), "\(path): no memory for a checkpoint")
        }
        // While this is held nothing that the manifest names can be removed.
        return try publication.withLock { (manifest) throws(StorageError) in
            if background.withLock({ $0.closing }) { throw StorageError(.closed, "the collection is closed") }
            var files: [any File] = []
            do throws(StorageError) {
                for entry in SnapshotSection(name: "", uuid: uuid, manifest: manifest, tuning: []).files {
                    files.append(try fileSystem.open(path + "/" + entry.path, .read))
                }
            } catch {
                for file in files { file.close() }
                throw error
            }
            let known = tuning.content
            return PinnedShard(
                manifest: manifest, tuning: known == TuningStore.Content() ? [] : known.encoded(), files: files)
        }
    }
}
