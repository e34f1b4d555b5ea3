package import OctantModel
package import OctantStorage

/// Reads every file of a data folder: superblock, catalog, manifests, the files they name, logs. Changes nothing.
package struct FolderVerifier {
    private let path: String
    private let fileSystem: any FileSystem
    private let onProgress: (IntegrityProgress) -> Void
    private let logFileBytes: Int?
    private let counts = Counts()

    /// What is reported.
    package private(set) var report = IntegrityReport()
    /// The names that the newest readable catalog has.
    package private(set) var catalog: Catalog?
    /// The catalogs that cannot be read, the newest first.
    package private(set) var damagedCatalogs: [(path: String, error: StorageError)] = []
    /// Whether a damaged catalog is newer than ``catalog``.
    package private(set) var catalogIsFallback = false
    /// Superblock slots that cannot be read.
    package private(set) var damagedSlots: [(path: String, error: StorageError)] = []
    /// Whether a slot can be read.
    package private(set) var hasSuperblock = false
    /// The collections.
    package private(set) var collections: [CollectionCheck] = []
    /// Folders of collections that no catalog names.
    package private(set) var strays: [UUIDBytes] = []

    private final class Counts {
        var files = 0
        var bytes = 0
        var collection = ""
    }

    /// Findings of one file that are listed one by one.
    private static let listedBlocks = 20

    /// A verifier of the folder at `path`, which the caller has locked.
    package init(
        _ path: String, fileSystem: any FileSystem, logFileBytes: Int? = nil,
        onProgress: @escaping (IntegrityProgress) -> Void = { _ in }
    ) {
        self.path = path
        self.fileSystem = fileSystem
        self.logFileBytes = logFileBytes
        self.onProgress = onProgress
    }

    /// Reads everything. Throws only if the folder itself cannot be read, or is of a newer format.
    package mutating func run() throws(StorageError) {
        try checkSuperblock()
        try checkCatalog()
        let known = Set(catalog?.collections.values.map { $0 } ?? [])
        if try fileSystem.kind(path + "/c") == .directory {
            strays = try fileSystem.list(path + "/c").compactMap { UUIDBytes.parse($0) }.filter { !known.contains($0) }
        }
        describeStrays()
        let (counts, onProgress) = (counts, onProgress)
        let checker = CollectionChecker(
            fileSystem: fileSystem, logFileBytes: logFileBytes,
            pace: { bytes in
                counts.bytes += bytes
                onProgress(IntegrityProgress(collection: counts.collection, files: counts.files, bytes: counts.bytes))
                return true
            }, onFile: { counts.files += 1 })
        for (name, uuid) in (catalog?.collections ?? [:]).sorted(by: { $0.key < $1.key }) {
            counts.collection = name
            let check = checker.check(name, uuid, path: "\(path)/c/\(uuid)")
            collections.append(check)
            describe(check)
        }
        report.collections = collections.count
        report.files = counts.files
        report.bytes = counts.bytes
    }

    // MARK: The folder

    private mutating func checkSuperblock() throws(StorageError) {
        for slot in try SuperblockStore.survey(directory: path, fileSystem: fileSystem) {
            counts.files += 1
            switch slot.result {
            case .success: hasSuperblock = true
            case .failure(let error): damagedSlots.append((slot.path, error))
            }
        }
        for (slot, error) in damagedSlots {
            add(
                .damage, nil, slot, error,
                hasSuperblock
                    ? "the other slot is in force; nothing is lost"
                    : "the folder's format is not known: it cannot be opened")
        }
    }

    private mutating func checkCatalog() throws(StorageError) {
        guard try fileSystem.kind(path + "/catalog") == .directory else { return }
        let store = GenerationStore(directory: path + "/catalog", prefix: "CATALOG", fileSystem: fileSystem)
        for found in try store.survey() {
            counts.files += 1
            do throws(StorageError) {
                let read = try Catalog(try found.result.get().body)
                if catalog == nil { catalog = read }
            } catch {
                if error.code == .incompatible { throw error }
                damagedCatalogs.append((found.path, error))
                if catalog == nil { catalogIsFallback = true }
                add(
                    .damage, nil, found.path, error,
                    catalog == nil
                        ? "names of collections and aliases: the folder cannot be opened"
                        : "an older catalog, which is not needed")
            }
        }
    }

    private mutating func describeStrays() {
        for stray in strays {
            let problem = "no catalog names this folder"
            let folder = "\(path)/c/\(stray)"
            if catalog == nil {
                report.findings.append(
                    .init(
                        .damage, collection: nil, file: folder, problem: problem,
                        meaning: "the catalog is lost: the folder cannot be opened"))
            } else if !catalogIsFallback {
                report.findings.append(
                    .init(
                        .note, collection: nil, file: folder, problem: problem,
                        meaning: "left over from a creation or deletion that was cut short; the next opening moves it "
                            + "to quarantine"))
            }
        }
    }

    // MARK: Collections

    private mutating func describe(_ check: CollectionCheck) {
        for (file, error) in check.damagedManifests {
            let meaning: String
            if check.manifest == nil {
                meaning = "it is not known what data the collection has: it does not open"
            } else if check.isFallback {
                meaning = "the collection opens for reading only, as of the manifest before, if all that names is there"
            } else {
                meaning = "an older manifest, which is not needed"
            }
            add(.damage, check.name, file, error, meaning)
        }
        for segment in check.segments where !segment.isIntact { describe(segment, check) }
        if let error = check.logError {
            add(
                .damage, check.name, check.path + "/s0/wal", error,
                "operations from there on cannot be replayed: the collection does not open")
        }
        if let dropped = check.log?.dropped {
            report.findings.append(
                .init(
                    .note, collection: check.name, file: check.path + "/s0/wal", problem: dropped,
                    meaning: "at least \(check.log?.framesDropped ?? 0) frames that were never confirmed; the next "
                        + "opening drops them"))
        }
        if let poison = check.poison {
            report.findings.append(
                .init(
                    .damage, collection: check.name, file: check.path + "/" + ReplayMarker.name,
                    problem: "the process ended several times while it replayed operation \(poison)",
                    meaning: "the collection opens for reading only, as of before that operation"))
        }
        for (path, problem) in check.savedBuilds {
            guard let problem else { continue }
            report.findings.append(
                .init(
                    .note, collection: check.name, file: path, problem: problem,
                    meaning: "a graph that the optimizer had begun: the next opening removes it, and it is begun anew"))
        }
        for leftover in check.leftovers {
            report.findings.append(
                .init(
                    .note, collection: check.name, file: leftover, problem: "the manifest does not name it",
                    meaning: "left over from work that was cut short; the next opening moves it to quarantine"))
        }
    }

    private mutating func describe(_ segment: SegmentCheck, _ check: CollectionCheck) {
        let folder = "\(check.path)/s0/seg/\(segment.entry.uuid)"
        for file in segment.files where !file.isIntact {
            let path = folder + "/" + file.file.summary.name
            let subject = file.file.subject.isEmpty ? "" : " of '\(file.file.subject)'"
            let title = "\(file.file.role.title)\(subject) of a segment of \(segment.entry.rowCount) rows: "
            let meaning =
                title
                + (file.file.role.isDerived
                    ? "can be made again from the other files" : "the collection does not open, or refuses reads")
            if let error = file.error { add(.damage, check.name, path, error, meaning) }
            for offset in file.damagedBlocks.prefix(Self.listedBlocks) {
                add(
                    .damage, check.name, path,
                    .init(.corrupt, "the block of 64 KiB at offset \(offset) does not have its checksum"), meaning,
                    offset: offset)
            }
            if file.damagedBlocks.count > Self.listedBlocks {
                let more = file.damagedBlocks.count - Self.listedBlocks
                add(.damage, check.name, path, .init(.corrupt, "\(more) more damaged blocks"), meaning)
            }
        }
        if let error = segment.deletions {
            add(
                .damage, check.name, "\(check.path)/s0/del/\(segment.entry.deletions?.name ?? "")", error,
                "which rows of a segment were deleted: the collection does not open")
        }
    }

    private mutating func add(
        _ weight: IntegrityReport.Finding.Weight, _ collection: String?, _ file: String, _ error: StorageError,
        _ meaning: String, offset: Int? = nil
    ) {
        report.findings.append(
            .init(
                weight, collection: collection, file: file, offset: offset ?? error.offset, problem: error.message,
                meaning: meaning))
    }
}
