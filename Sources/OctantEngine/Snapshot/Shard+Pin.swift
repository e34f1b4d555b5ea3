package import OctantModel
package import OctantStorage

/// The state of a shard after one operation, as files that nobody changes: held open, or by a second name if they are
/// many, so that they stay readable when the shard no longer needs them.
package struct PinnedShard: Sendable {
    private enum Hold: Sendable {
        case open([any File])
        /// Links in this folder, named by their places.
        case linked(String)
    }

    /// What the files are; its checkpoint is the operation.
    package let manifest: Manifest
    /// What was measured of searches.
    package let tuning: [UInt8]
    private let hold: Hold
    private let fileSystem: any FileSystem

    fileprivate init(
        _ manifest: Manifest, tuning: [UInt8], _ entries: [String], fileSystem: any FileSystem, openMax: Int,
        links: String
    ) throws(StorageError) {
        self.manifest = manifest
        self.tuning = tuning
        self.fileSystem = fileSystem
        guard entries.count <= openMax else {
            hold = .linked(links)
            do throws(StorageError) {
                try fileSystem.makeDirectory(links)
                for (place, path) in entries.enumerated() { try fileSystem.link(path, to: "\(links)/\(place)") }
            } catch {
                try? fileSystem.removeTree(links)  // else at the next opening
                throw error
            }
            return
        }
        var files: [any File] = []
        do throws(StorageError) {
            for path in entries { files.append(try fileSystem.open(path, .read)) }
        } catch {
            for file in files { file.close() }
            throw error
        }
        hold = .open(files)
    }

    /// The file at a place of the list of files.
    func file(_ place: Int) throws(StorageError) -> any File {
        switch hold {
        case .open(let files): files[place]
        case .linked(let folder): try fileSystem.open("\(folder)/\(place)", .read)
        }
    }

    /// A name of the file at a place of the list of files, if it was pinned by links.
    func link(_ place: Int) -> String? {
        switch hold {
        case .open: nil
        case .linked(let folder): "\(folder)/\(place)"
        }
    }

    /// Bytes of all files.
    package var byteCount: Int {
        manifest.segments.reduce(0) { sum, segment in
            sum + segment.files.reduce(Int(segment.deletions?.size ?? 0)) { $0 + Int($1.summary.size) }
        }
    }

    /// Lets go of the files.
    package func release() {
        switch hold {
        case .open(let files): for file in files { file.close() }
        case .linked(let folder): try? fileSystem.removeTree(folder)  // else at the next opening
        }
    }
}

extension Shard {
    /// Pins the state after all operations that were acknowledged before the call.
    ///
    /// What is in memory goes into a segment first, as at every checkpoint: writers go on beside it, and are held up no
    /// longer than the swap of a pointer takes. Later writes and the optimizer take nothing from what is pinned. Release
    /// it when it has been read.
    ///
    /// - Parameters:
    ///   - folder: where links may be made, in the file system of the collection.
    ///   - asLinks: make links however few files there are.
    package func pin(linksIn folder: String, asLinks: Bool = false) throws(StorageError) -> PinnedShard {
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
        try fileSystem.makeDirectories(folder)
        // While this is held nothing that the manifest names can be removed.
        return try publication.withLock { (manifest) throws(StorageError) in
            if background.withLock({ $0.closing }) { throw StorageError(.closed, "the collection is closed") }
            let entries = SnapshotSection(name: "", uuid: uuid, manifest: manifest, tuning: []).files
            let known = tuning.content
            return try PinnedShard(
                manifest, tuning: known == TuningStore.Content() ? [] : known.encoded(),
                entries.map { path + "/" + $0.path }, fileSystem: fileSystem,
                openMax: asLinks ? 0 : limits.pinnedOpenFiles, links: "\(folder)/\(UUIDBytes.random())")
        }
    }
}
