import OctantModel
package import OctantStorage
import OctantVectors
import Synchronization

/// The graphs of a shard's jobs that were saved while they were built: files that no manifest names, and that nothing is
/// lost without. What is wrong with one, or of no use, is removed, and its job begins anew.
package final class SavedBuilds: Sendable {
    /// A file.
    private struct Entry {
        var name: String
        /// Without the rows that were taken.
        var build: SavedBuild
        /// How often a job failed that began with it.
        var failures = 0
    }

    /// A saved graph that is being read.
    struct Opened {
        var graph: HNSWGraph
        /// The mapping of its bytes.
        var file: BlockFile
    }

    /// The folder.
    package let path: String
    private let uuid: UUIDBytes
    private let fileSystem: any FileSystem
    private let log: @Sendable (String) -> Void
    private let entries = Mutex<[Entry]>([])

    /// A file of a job that failed as often is removed: it may be the reason.
    private static let failuresMax = 2
    static let folder = "/s0/builds"
    private static let temporary = ".tmp"

    /// Those of the collection at `path`.
    package init(
        collection path: String, uuid: UUIDBytes, fileSystem: any FileSystem, log: @escaping @Sendable (String) -> Void
    ) {
        self.path = path + Self.folder
        self.uuid = uuid
        self.fileSystem = fileSystem
        self.log = log
    }

    /// The names of the files there are.
    package var names: [String] { entries.withLock { $0.map(\.name) } }

    // MARK: What there is

    /// Finds what an earlier process left, and removes what is of no use for these segments.
    func load(_ segments: [SegmentEntry], _ settings: String) {
        guard (try? fileSystem.kind(path)) == .directory, let names = try? fileSystem.list(path) else { return }
        for name in names {
            do throws(StorageError) {
                if name.hasSuffix(Self.temporary) { throw StorageError(.closed, "it is not complete") }
                let build = try read(name).build
                guard build.settings == settings else { throw StorageError(.closed, "the settings have changed") }
                guard build.isOf(segments) else { throw StorageError(.closed, "its segments have been replaced") }
                entries.withLock { $0.append(Entry(name: name, build: Self.outline(build))) }
            } catch {
                remove([name], "\(error)")
            }
        }
    }

    /// What to compare builds by, without the rows.
    private static func outline(_ build: SavedBuild) -> SavedBuild {
        var build = build
        for place in build.sources.indices { build.sources[place].taken = [] }
        return build
    }

    /// Reads a file up to the graph.
    private func read(_ name: String) throws(StorageError) -> (build: SavedBuild, file: BlockFile, length: Int) {
        let file = try BlockFile(
            path: path + "/" + name, type: SavedBuild.blockType, uuid: uuid, fileSystem: fileSystem)
        try file.verify(0..<8)
        guard let length = SavedBuild.length(file.data) else {
            throw StorageError(.corrupt, "\(file.path): impossible length of the description")
        }
        try file.verify(0..<length)
        let description = UnsafeRawBufferPointer(rebasing: file.data[..<length])
        return (try SavedBuild(description, name: file.path), file, length)
    }

    private func remove(_ names: [String], _ reason: String) {
        entries.withLock { $0.removeAll { names.contains($0.name) } }
        for name in names {
            if !reason.isEmpty { log("\(path)/\(name): a graph that a job had begun is of no use: \(reason)") }
            try? fileSystem.unlink(path + "/" + name)  // else at the next opening
        }
    }

    /// Removes what is of no use for these segments and settings.
    func prune(_ segments: [SegmentEntry], _ settings: String) {
        let useless = entries.withLock { entries in
            entries.filter { $0.build.settings != settings || !$0.build.isOf(segments) }.map(\.name)
        }
        remove(useless, "")
    }

    /// Removes what a job saved that has ended well.
    func end(_ plan: OptimizerPlan) { remove(names(overlapping: plan), "") }

    /// Notes that a job failed; what it began with is given another chance, but not many.
    func fail(_ plan: OptimizerPlan) {
        let hopeless = entries.withLock { entries -> [String] in
            for place in entries.indices where entries[place].build.plan == plan { entries[place].failures += 1 }
            return entries.filter { $0.failures >= Self.failuresMax }.map(\.name)
        }
        remove(hopeless, "its job has failed \(Self.failuresMax) times")
    }

    private func names(overlapping plan: OptimizerPlan) -> [String] {
        let sources = Set(plan.sources)
        return entries.withLock { entries in
            entries.filter { !sources.isDisjoint(with: $0.build.plan.sources) }.map(\.name)
        }
    }

    // MARK: Going on

    /// A step that was begun and can go on: all of its segments are there and idle, and settings are what they were.
    func plan(_ view: ReadView, running: [OptimizerPlan]) -> OptimizerPlan? {
        let found = entries.withLock { $0.map(\.build) }
        guard !found.isEmpty else { return nil }
        let settings = view.config.jobSettings
        let busy = Set(running.flatMap(\.sources))
        for build in found where build.settings == settings && busy.isDisjoint(with: build.plan.sources) {
            let segments = build.plan.sources.compactMap { uuid in view.segments.first { $0.entry.uuid == uuid } }
            if build.isOf(segments.map(\.entry)), view.deferralAllows(segments) != nil { return build.plan }
        }
        return nil
    }

    /// What a job of this plan begins with: the rows that it took when it was begun, by its sources; `nil` if there is
    /// nothing to go on with. What of other jobs is about its segments is removed.
    func begin(_ plan: OptimizerPlan, _ recipe: SegmentRecipe) -> [[UInt64]]? {
        let settings = recipe.config.jobSettings
        let segments = recipe.sources.compactMap { ($0.rows as? Segment)?.entry }
        var taken: [[UInt64]]?
        for name in names(overlapping: plan) {
            do throws(StorageError) {
                let build = try read(name).build
                guard build.plan == plan, build.settings == settings, build.isOf(segments) else {
                    throw StorageError(.closed, "another job takes its segments")
                }
                let rows = build.sources.map(\.taken)
                if let taken {
                    guard rows == taken else { throw StorageError(.closed, "it has other rows") }
                } else {
                    if let reason = Self.mismatch(rows, recipe) { throw StorageError(.closed, reason) }
                    taken = rows
                }
            } catch {
                remove([name], "\(error)")
            }
        }
        return taken
    }

    /// Why a job cannot have taken these rows, or should not; `nil` if all is well.
    private static func mismatch(_ taken: [[UInt64]], _ recipe: SegmentRecipe) -> String? {
        for (source, rows) in zip(recipe.sources, taken) {
            var (dead, count) = (0, 0)
            for row in 0..<UInt32(source.rowCount) {
                let isTaken = rows[Int(row >> 6)] >> UInt64(row & 63) & 1 != 0
                let isLive = source.rows.tombstones.isLive(row, at: recipe.checkpoint)
                if isTaken { count += 1 } else if isLive || source.keepsDead { return "it has other rows" }
                if isTaken, !isLive { dead += 1 }
            }
            // The new segment would be rewritten at once.
            if !source.keepsDead, count > 0,
                OptimizerPlan.isWorthVacuuming(dead: dead, of: count, recipe.config.optimizer)
            {
                return "many of its points were deleted"
            }
        }
        return nil
    }

    /// The graph that was saved of this build; `nil` if there is none, or none that is sound.
    func open(_ build: SavedBuild, _ name: String) -> Opened? {
        guard entries.withLock({ $0.contains { $0.name == name } }) else { return nil }
        do throws(StorageError) {
            let (found, file, length) = try read(name)
            guard found == build else { throw StorageError(.closed, "it is of another build") }
            try file.verify()
            let bytes = UnsafeRawBufferPointer(rebasing: file.data[length...])
            do {
                let graph = try HNSWGraph(bytes: bytes, owner: file)
                guard graph.parameters == build.graph, graph.count == Int(clamping: file.rows),
                    graph.count <= build.rowCount
                else { throw StorageError(.corrupt, "\(file.path): the graph is another") }
                return Opened(graph: graph, file: file)
            } catch {
                throw StorageError(.corrupt, "\(file.path): \(error)")
            }
        } catch {
            remove([name], "\(error)")
            return nil
        }
    }

    // MARK: Saving

    /// Whether there is room for a graph of so many bytes beside what the job will still write.
    func hasRoom(for bytes: Int, beside others: Int) -> Bool {
        guard let space = try? fileSystem.freeSpace(parentPath(path)) else { return false }
        return space.available > UInt64(clamping: bytes) + 2 * UInt64(clamping: others)
    }

    /// Writes the graph of a builder that stands still into a new file, which counts only when ``publish(_:)`` has made it
    /// durable. Returns the file.
    func write(_ build: SavedBuild, _ name: String, _ builder: HNSWBuilder) throws(StorageError) -> Unpublished {
        try fileSystem.makeDirectories(path)
        let target = path + "/" + name
        if try fileSystem.kind(target + Self.temporary) != nil { try fileSystem.unlink(target + Self.temporary) }
        let rows = builder.frontier
        let writer = try BlockFileWriter(
            path: target + Self.temporary, type: SavedBuild.blockType, uuid: uuid, rows: UInt64(rows),
            fileSystem: fileSystem)
        try writer.append(build.encoded())
        try builder.serialize(first: rows) { (bytes) throws(StorageError) in try writer.append(bytes) }
        return Unpublished(name: name, build: build, writer: writer)
    }

    /// A written file that does not count yet. Removed if it goes away so.
    struct Unpublished {
        var name: String
        var build: SavedBuild
        var writer: BlockFileWriter
    }

    /// Puts a written file in the place of the one before. After a crash one of the two is there: each will do.
    func publish(_ file: Unpublished) throws(StorageError) {
        let target = path + "/" + file.name
        let summary = try file.writer.finish()
        do throws(StorageError) { try fileSystem.rename(path + "/" + summary.name, to: target) } catch {
            try? fileSystem.unlink(path + "/" + summary.name)  // else at the next opening
            throw error
        }
        entries.withLock { entries in
            let before = entries.firstIndex { $0.name == file.name }
            let failures = before.map { entries.remove(at: $0).failures } ?? 0
            entries.append(Entry(name: file.name, build: Self.outline(file.build), failures: failures))
        }
        try fileSystem.syncDirectory(path)
    }

    /// Reads all files of the folder of a collection; what is wrong with each, if something is. Changes nothing.
    static func survey(
        collection: String, _ fileSystem: any FileSystem, pace: (Int) -> Bool
    ) -> [(path: String, problem: String?)] {
        let path = collection + folder
        guard (try? fileSystem.kind(path)) == .directory, let names = try? fileSystem.list(path) else { return [] }
        return names.map { name in
            if name.hasSuffix(temporary) { return (path + "/" + name, "it is not complete") }
            do throws(StorageError) {
                let file = try BlockFile(path: path + "/" + name, type: SavedBuild.blockType, fileSystem: fileSystem)
                if let offset = try file.damagedBlocks(pace: pace).first {
                    return (file.path, "damaged block at offset \(offset)")
                }
                return (file.path, nil)
            } catch {
                return (path + "/" + name, error.message)
            }
        }
    }
}

/// The saved graphs of one job: what it takes to save more of them, and what it goes on with.
package struct JobBuilds: Sendable {
    let saved: SavedBuilds
    let plan: OptimizerPlan
    let settings: String
    let policy: BuildSavePolicy
    /// The rows that the job took when it was begun, by its sources; `nil`: it begins now.
    let taken: [[UInt64]]?
    /// Whether a later process would go on with it.
    let isWanted: @Sendable () -> Bool
    let log: @Sendable (String) -> Void
}
