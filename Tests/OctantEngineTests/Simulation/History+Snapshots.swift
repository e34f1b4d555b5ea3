import Octant
import OctantEngine
import OctantModel
import OctantStorage

extension History {
    /// What a snapshot holds.
    struct Snapshot {
        /// The archive's own name; `nil` while it is being written.
        var archive: UUIDBytes?
        /// The collection it was taken of.
        var origin: UUIDBytes
        /// The SHA-256 of its bytes, if it was told.
        var checksum: String?
        /// The collection as the archive has it: one state, or of one that was cut short, those that it may have.
        var states: [State]
        var settings: Settings
    }

    /// A recovery of a snapshot in place of a collection.
    struct Replacement {
        /// The folder of the collection that was there.
        var old: String?
        var state: State
        var settings: Settings
        /// Whether readers have met the recovered one.
        var isSeen = false
    }

    /// The collection is what a snapshot held, from now on.
    mutating func replace(with replacement: Replacement) {
        var state = replacement.state
        state.sequence = append(lsn: state.lsn, model: state.model, extra: state.extra)
        states = [state]
        promise.synced = state.sequence
        promise.written = state.sequence
        promise.settings = [replacement.settings]
        promise.existence = .present
        promise.replacement = nil
    }

    /// Which of the two is there: the collection of before, or the recovered one.
    mutating func settleReplacement(_ collection: Collection) throws(Violation) {
        guard let replacement = promise.replacement else { return }
        promise.replacement = nil
        if collection.shard.path != replacement.old { return replace(with: replacement) }
        try demand(!replacement.isSeen, "\(name): the recovered collection was read, and is gone")
    }

    /// The collection was dropped: its snapshots go too, though a crash may leave some.
    mutating func forgetSnapshots() {
        promise.possibleSnapshots += promise.snapshots.sorted { $0.key < $1.key }.map(\.value)
        promise.snapshots = [:]
    }

    /// The snapshot that an archive is; throws if nobody took it.
    func snapshot(_ archive: StoredArchive) throws(Violation) -> Snapshot {
        if let known = promise.snapshots[archive.name] {
            try demand(known.archive == archive.header.archive, "\(archive.path) is another archive than was stored")
            return known
        }
        for var candidate in promise.possibleSnapshots {
            if candidate.archive == archive.header.archive { return candidate }
            guard candidate.archive == nil else { continue }
            guard candidate.origin == archive.origin, candidate.settings == archive.settings else { continue }
            candidate.states.removeAll { $0.lsn != archive.lsn || $0.extra != archive.extra }
            if let state = candidate.states.last {
                candidate.states = [state]
                return candidate
            }
        }
        throw Violation(description: "\(archive.path), of operation \(archive.lsn), is none that was taken")
    }
}

/// An archive as it lies on the disk.
struct StoredArchive {
    var name: String
    var path: String
    var header: SnapshotHeader
    /// The collection it was taken of.
    var origin: UUIDBytes
    var settings: History.Settings
    var lsn: LSN
    /// Of the vector "x".
    var extra: VectorDefinition?
    /// What recovery compares with the collection that is there.
    var shapes: [String]

    /// The archives of a collection, by name.
    static func all(of collection: String, in folder: String, _ disk: SimulatedFileSystem) throws -> [StoredArchive] {
        let prefix = "\(folder)/\(collection)/"
        return try disk.paths.filter { $0.hasPrefix(prefix) && $0.hasSuffix(".snapshot") }.map { path in
            let contents = try SnapshotReader.contents(of: path, fileSystem: disk)
            guard let section = contents.sections.first else {
                throw Violation(description: "\(path) holds no collection")
            }
            let config = section.manifest.config
            return StoredArchive(
                name: lastPathComponent(path), path: path, header: contents.header, origin: section.uuid,
                settings: History.Settings(config, section.manifest.fieldIndexes), lsn: section.lsn,
                extra: config.params.extra, shapes: config.params.denseShapes)
        }
    }
}

extension CollectionParams {
    /// The vector "x", which comes and goes.
    var extra: VectorDefinition? { vectors["x"].map { .dense($0) } ?? sparse("x").map { .sparse($0) } }

    /// What a collection and a snapshot that takes its place must have in common.
    var denseShapes: [String] {
        vectors.all.sorted { $0.name < $1.name }.map {
            "\($0.name) \($0.params.size) \($0.params.distance) \($0.params.multivector == nil)"
        }
    }
}
