package import OctantModel
package import OctantStorage

/// Repairs a data folder: names first, then each collection by ``CollectionRepair``.
package struct FolderRepair {
    private let path: String
    private let fileSystem: any FileSystem
    private let logFileBytes: Int?
    private let onProgress: (IntegrityProgress) -> Void
    /// What was done and what was left.
    package private(set) var report: RepairReport

    /// A repair of the folder at `path`, which the caller has locked; with `isPlan` nothing is written.
    package init(
        _ path: String, fileSystem: any FileSystem, isPlan: Bool, logFileBytes: Int? = nil,
        onProgress: @escaping (IntegrityProgress) -> Void = { _ in }
    ) {
        self.path = path
        self.fileSystem = fileSystem
        self.logFileBytes = logFileBytes
        self.onProgress = onProgress
        report = RepairReport(isPlan: isPlan)
    }

    /// Looks at everything and repairs what can be.
    package mutating func run() throws(StorageError) {
        var verifier = FolderVerifier(path, fileSystem: fileSystem, logFileBytes: logFileBytes, onProgress: onProgress)
        try verifier.run()
        report.before = verifier.report
        guard verifier.hasSuperblock else {
            for (slot, error) in verifier.damagedSlots {
                report.left.append(.init(collection: nil, action: "\(slot) cannot be read: \(error)"))
            }
            return
        }
        if !verifier.damagedSlots.isEmpty { try renewSlot() }
        if !verifier.damagedCatalogs.isEmpty || verifier.catalog == nil { try repairCatalog(verifier) }
        for check in verifier.collections {
            var repair = CollectionRepair(check, fileSystem: fileSystem, isPlan: report.isPlan)
            do throws(StorageError) { try repair.run() } catch {
                report.left.append(.init(collection: check.name, action: "the repair failed: \(error)"))
            }
            report.steps += repair.steps
            report.left += repair.left
        }
    }

    private mutating func renewSlot() throws(StorageError) {
        report.steps.append(.init(collection: nil, action: "the damaged superblock slot is written anew"))
        guard !report.isPlan else { return }
        var store = try SuperblockStore(openingOrCreating: path, fileSystem: fileSystem)
        try store.renewOtherSlot()
    }

    /// Takes the newest catalog that can be read, without the collections whose folders are gone, and with the folders
    /// that it does not know.
    private mutating func repairCatalog(_ verifier: FolderVerifier) throws(StorageError) {
        guard verifier.catalogIsFallback || verifier.catalog == nil else {
            report.steps.append(.init(collection: nil, action: "a damaged catalog that is not needed is set aside"))
            if !report.isPlan { try setAside(verifier.damagedCatalogs.map(\.path)) }
            return
        }
        var catalog = verifier.catalog ?? Catalog()
        let lost = "what the last change of names did: a name, or an alias"
        report.steps.append(
            .init(
                collection: nil,
                action: verifier.catalog == nil
                    ? "a new catalog is made of the folders of collections"
                    : "the catalog before the damaged one is taken",
                lost: verifier.catalog == nil ? "all names and aliases" : lost))
        for (name, uuid) in catalog.collections where try fileSystem.kind("\(path)/c/\(uuid)") != .directory {
            catalog.collections[name] = nil
            catalog.aliases = catalog.aliases.filter { $0.value != name }
            report.steps.append(.init(collection: name, action: "is left out: its folder is gone"))
        }
        for uuid in verifier.strays {
            let store = GenerationStore(
                directory: "\(path)/c/\(uuid)", prefix: "MANIFEST", owner: uuid, fileSystem: fileSystem)
            guard try store.survey().contains(where: { (try? $0.result.get()) != nil }) else { continue }
            catalog.collections["recovered-\(uuid)"] = uuid
            report.steps.append(
                .init(
                    collection: "recovered-\(uuid)",
                    action: "is taken in: no catalog that can be read names its folder; "
                        + "delete it if it was deleted before"))
        }
        guard !report.isPlan else { return }
        let store = GenerationStore(directory: path + "/catalog", prefix: "CATALOG", fileSystem: fileSystem)
        var damaged: [String] = []
        if verifier.catalog == nil {
            try setAside(verifier.damagedCatalogs.map(\.path))
            _ = try store.loadNewest()
        } else if case .fallback = try store.loadNewest() {
            try store.acceptFallback()
            damaged = verifier.damagedCatalogs.map { $0.path + ".damaged" }
        }
        try copyCatalogs()
        _ = try store.publish(catalog.encoded())
        try setAside(damaged)
    }

    /// Keeps the catalogs that can be read: a publication removes older ones.
    private mutating func copyCatalogs() throws(StorageError) {
        let names = try fileSystem.list(path + "/catalog").filter {
            $0.hasPrefix("CATALOG-") && !$0.hasSuffix(".damaged")
        }
        guard !names.isEmpty else { return }
        let folder = try Quarantine(of: path, fileSystem: fileSystem).repairFolder()
        for name in names {
            try fileSystem.writeAtomically(folder + "/" + name, try fileSystem.readAll("\(path)/catalog/\(name)"))
        }
    }

    private mutating func setAside(_ paths: [String]) throws(StorageError) {
        guard !paths.isEmpty else { return }
        let quarantine = Quarantine(of: path, fileSystem: fileSystem)
        let folder = try quarantine.repairFolder()
        for path in paths where try fileSystem.kind(path) != nil {
            try quarantine.move(path, to: folder + "/" + lastPathComponent(path))
        }
        report.steps.append(.init(collection: nil, action: "what was replaced is in \(folder)"))
    }
}
