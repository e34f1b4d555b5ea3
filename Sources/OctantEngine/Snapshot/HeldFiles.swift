package import OctantModel
package import OctantStorage

extension PinnedShard {
    /// What the state is made of, for a shard that is asked what this one lacks.
    package var snapshotManifest: SnapshotManifest {
        var content = manifest
        content.checkpoint = 0
        content.segments.sort { $0.uuid < $1.uuid }
        var hash = SHA256()
        hash.update(content.encoded())
        let entries = SnapshotSection(name: "", uuid: .zero, manifest: manifest, tuning: []).files
        return SnapshotManifest(
            lsn: manifest.checkpoint, state: hash.text, files: entries.map(SnapshotManifest.File.init))
    }
}

extension SnapshotManifest.File {
    /// The file as manifests have it.
    package init(_ entry: SnapshotSection.Entry) {
        self.init(path: entry.path, size: entry.summary.size, checksum: entry.summary.crc)
    }
}

/// The files of a collection that a partial snapshot for it leaves out: where each is, for as long as the shard is pinned.
///
/// They become files of the recovered collection under a second name. Nobody changes them, and removing one name leaves the
/// other: neither bytes nor room are spent on what was there before.
package struct HeldFiles: Sendable {
    private let places: [SnapshotSection.Entry: Int]
    private let shard: PinnedShard
    private let fileSystem: any FileSystem

    /// The files of a shard that was pinned by links.
    package init(_ shard: PinnedShard, fileSystem: any FileSystem) {
        let entries = SnapshotSection(name: "", uuid: .zero, manifest: shard.manifest, tuning: []).files
        places = Dictionary(zip(entries, entries.indices), uniquingKeysWith: { first, _ in first })
        self.shard = shard
        self.fileSystem = fileSystem
    }

    /// Compares the files that a section leaves out with their checksums.
    ///
    /// - Throws: `badInput` if one is not here, `unavailable` if one is damaged.
    package func verify(
        _ section: SnapshotSection, isCancelled: @escaping @Sendable () -> Bool
    ) throws(OctantError) {
        let entries = section.files
        for place in section.absent {
            let entry = entries[place]
            guard let held = places[entry] else {
                throw OctantError(
                    .badInput,
                    "Snapshot cannot be recovered: it leaves out \(entry.path), which is not here (any more); ask for "
                        + "one with a new manifest")
            }
            let file: any File
            do throws(StorageError) { file = try shard.file(held) } catch { throw OctantError(error) }
            defer { file.close() }
            try file.readVerified(entry, isCancelled: isCancelled) { _ in }
        }
    }

    /// Gives a file a second name.
    func link(_ entry: SnapshotSection.Entry, to path: String) throws(StorageError) {
        guard let place = places[entry], let link = shard.link(place) else {
            throw StorageError(.notFound, "\(entry.path): no such file is held")
        }
        try fileSystem.link(link, to: path)
    }
}

/// Where the files are that an archive leaves out.
package enum LeftOutFiles: Sendable {
    /// In the archives on which it builds.
    case archives(SnapshotBases)
    /// In the collection that it is for.
    case held(HeldFiles)
}
