@_exported public import OctantModel
package import OctantEngine
package import OctantStorage
import Synchronization

/// A folder of collections, opened by one process at a time.
///
/// ```swift
/// let database = try Database.open(DatabaseOptions(path: "data"))
/// try database.createCollection("texts", CollectionConfig(params: CollectionParams(
///     vectors: .single(VectorParams(size: 384, distance: .cosine)))))
/// let texts = try database.collection("texts")
/// try texts.update(.upsert(points))
/// let nearest = try texts.query(QueryRequest(query: .nearest(.vector(.dense(query)))))
/// database.close()
/// ```
public final class Database: Sendable {
    enum Entry {
        case open(Collection)
        case damaged(OctantError)
    }

    struct State {
        var catalog: Catalog
        var entries: [String: Entry] = [:]
        var closed = false
    }

    /// Writers that may sleep while they wait for the log or for a filter's points: more than searches need, few enough
    /// that a burst of writes leaves the cores to readers.
    private static let writeThreads = 4

    /// The folder.
    package let path: String
    /// Threads that searches run on.
    package let searchThreadCount: Int
    /// Bytes the process had in memory before the first collection was opened.
    let baseMemory: Int
    let fileSystem: any FileSystem
    let limits: ShardLimits
    private let lock: FolderLock
    let store: GenerationStore
    let state: Monitor<State>
    /// Held while names change, which includes file work; `state` is only held for an instant.
    let naming = Monitor(())
    let compute: ComputePool
    private let writers: ComputePool
    /// Compares files with their checksums while nobody reads them.
    package let scrubber: Scrubber
    let timer = DeadlineTimer()
    let background: BackgroundWorker
    let log: @Sendable (String) -> Void
    let stored: SnapshotStore
    /// Snapshots and recoveries that run and write files: closing waits for their end.
    let snapshotJobs = Monitor(0)
    /// One snapshot is stored at a time: each reads and writes as much as the disk gives.
    let storing = Monitor(())

    // MARK: Opening and closing

    /// Opens the folder and every collection in it.
    ///
    /// A collection that cannot be opened does not stop the others: its operations throw the reason.
    ///
    /// - Throws: `unavailable` if another process has the folder or it is not one of ours, `insufficientStorage` or
    ///   `service` if the disk fails.
    public static func open(_ options: DatabaseOptions) throws(OctantError) -> Database {
        try open(options, fileSystem: LocalFileSystem(), limits: ShardLimits())
    }

    /// As ``open(_:)``, with another file layer and other sizes of memory: what tests need to meet every state soon.
    package static func open(
        _ options: DatabaseOptions, fileSystem: any FileSystem, limits: ShardLimits
    ) throws(OctantError) -> Database {
        do throws(StorageError) { return try Database(options, fileSystem, limits) } catch { throw OctantError(error) }
    }

    private init(_ options: DatabaseOptions, _ fileSystem: any FileSystem, _ limits: ShardLimits) throws(StorageError) {
        path = options.path
        self.fileSystem = fileSystem
        var limits = limits
        limits.lowMemory = options.lowMemory
        limits.openingChecks = options.openingChecks
        if let memory = options.memoryLimit ?? MachineMemory.limit() { limits.fit(memory: memory) }
        limits.memoryGuard = limits.memoryGuard ?? options.memoryLimit.map { MemoryGuard(limit: $0) }
        self.limits = limits
        log = options.log ?? { _ in }
        _ = try SuperblockStore.inspect(directory: path, fileSystem: fileSystem)
        try fileSystem.makeDirectories(path)
        lock = try FolderLock(directory: path, fileSystem: fileSystem)
        let superblock = try SuperblockStore(openingOrCreating: path, fileSystem: fileSystem)
        self.stored = SnapshotStore(
            root: options.snapshotsPath ?? path + "/snapshots", instance: superblock.current.instance,
            fileSystem: fileSystem)
        for folder in ["/catalog", "/c"] { try fileSystem.makeDirectories(path + folder) }
        // Folders that are there may have been made by a process that ended before it made them durable. The one above
        // may be closed to us.
        try fileSystem.syncDirectory(path)
        try? fileSystem.syncDirectory(parentPath(path))
        store = GenerationStore(directory: path + "/catalog", prefix: "CATALOG", fileSystem: fileSystem)
        var stored: Catalog?
        switch try store.loadNewest() {
        case .empty: break
        case .newest(let generation): stored = try Catalog(generation.body)
        case .fallback(_, let damaged):
            throw damaged.first ?? StorageError(.corrupt, "\(path)/catalog: the newest catalog is damaged")
        }
        let catalog = stored ?? Catalog()
        state = Monitor(State(catalog: catalog))
        try Self.removeOrphans(path, stored, fileSystem, log)
        if stored == nil { _ = try store.publish(catalog.encoded()) }
        do throws(StorageError) {
            try self.stored.sweep()
            try fileSystem.removeTree(path + "/pins")
        } catch {
            log("what snapshots of an earlier process left cannot be removed: \(error)")
        }
        searchThreadCount = options.searchThreads > 0 ? options.searchThreads : Thread.processorCount
        compute = ComputePool(name: "octant-search", threadCount: searchThreadCount)
        writers = ComputePool(name: "octant-write", threadCount: Self.writeThreads)
        background = BackgroundWorker(
            buildThreads: options.optimizerThreads, buildMemory: options.optimizerMemory,
            memoryGuard: limits.memoryGuard)
        scrubber = Scrubber(
            background, bytesPerSecond: options.scrubBytesPerSecond, periodSeconds: options.scrubIntervalSeconds)
        // Looking takes longer than opening a collection of a simulation.
        baseMemory = Simulation.current == nil ? ProcessPages.totals.resident : 0
        openCollections(catalog.collections.sorted { $0.key < $1.key })
    }

    /// Opens collections side by side, for most of it is waiting for the disk; in a simulation one after another.
    private func openCollections(_ list: [(key: String, value: UUIDBytes)]) {
        let next = Atomic<Int>(0)
        let open: @Sendable () -> Void = { [self] in
            while case let place = next.add(1, ordering: .relaxed).oldValue, place < list.count {
                let entry = openCollection(list[place].key, list[place].value)
                state.withLock { $0.entries[list[place].key] = entry }
            }
        }
        // Each may hold memtables of what it replays.
        let memory = limits.memoryGuard?.limit ?? MachineMemory.limit() ?? .max
        let threads = min(list.count, 2 * Thread.processorCount, max(1, memory >> 28))
        guard threads > 1, Simulation.current == nil else { return open() }
        let others = (1..<threads).map { Thread(name: "octant-open-\($0)", open) }
        open()
        for thread in others { thread.join() }
    }

    /// Bytes that the bodies of requests may have together beside what the process holds; `nil`: any number.
    package var roomForRequests: Int? { limits.memoryGuard?.roomForRequests }

    private func openCollection(_ name: String, _ uuid: UUIDBytes) -> Entry {
        let start = ContinuousClock.now
        do throws(StorageError) {
            let shard = try Shard.open(
                path: "\(path)/c/\(uuid)", uuid: uuid, fileSystem: fileSystem, limits: limits, log: log)
            background.add(shard)
            return .open(
                Collection(
                    name: name, shard: shard, compute: compute, timer: timer, openingTime: .now - start))
        } catch {
            log("collection `\(name)` cannot be opened: \(error)")
            return .damaged(OctantError(.unavailable, "Collection `\(name)` cannot be opened: \(error)"))
        }
    }

    /// Moves folders of collections whose creation or deletion a crash cut short to quarantine.
    ///
    /// The first opening publishes a catalog without names. Folders where there is none mean that it is lost, and then
    /// nothing is moved.
    private static func removeOrphans(
        _ path: String, _ catalog: Catalog?, _ fileSystem: any FileSystem, _ log: @Sendable (String) -> Void
    ) throws(StorageError) {
        let known = Set(catalog?.collections.values.map(\.description) ?? [])
        let quarantine = Quarantine(of: path, fileSystem: fileSystem)
        defer { if catalog != nil { quarantine.purge() } }
        for name in try fileSystem.list(path + "/c") where !known.contains(name) {
            guard UUIDBytes.parse(name) != nil else { continue }
            let folder = "\(path)/c/\(name)"
            guard catalog != nil else {
                throw StorageError(.corrupt, "\(path)/catalog: there is no catalog, but \(folder) is there")
            }
            log("\(folder): no collection has this folder, moved to quarantine")
            do throws(StorageError) { try quarantine.take(folder) } catch {
                log("\(folder) cannot be moved: \(error)")  // costs room until the next opening
            }
        }
    }

    /// Without its owner nothing may go on writing: the lock of the folder goes too.
    deinit { close() }

    /// From now on no write waits for an index to be built: called before ``close()`` where requests that run are to
    /// end by themselves.
    package func endWaits() {
        for case .open(let collection) in state.withLock({ Array($0.entries.values) }) { collection.shard.endWaits() }
    }

    /// Finishes writes that were accepted, stops background work and lets go of the folder.
    public func close() {
        let taken = naming.withLock { _ in
            state.change { state -> [Entry]? in
                guard !state.closed else { return nil }
                state.closed = true
                defer { state.entries = [:] }
                return state.entries.sorted { $0.key < $1.key }.map(\.value)
            }
        }
        guard let entries = taken else { return }
        scrubber.close()
        snapshotJobs.wait { $0 == 0 ? () : nil }
        for case .open(let collection) in entries {
            background.remove(collection.shard)
            collection.shard.close()
        }
        background.close()
        writers.close()
        compute.close()
        timer.close()
        lock.release()
    }

    // MARK: Threads

    /// Runs `job` on the pool of searches: one thread per core, in order of arrival.
    public func submitRead(_ job: @escaping @Sendable () -> Void) { compute.submit(job) }

    /// Runs `job` on a thread that may wait for the disk.
    public func submitWrite(_ job: @escaping @Sendable () -> Void) { writers.submit(job) }

    // MARK: Collections

    /// The names of all collections, sorted.
    public var collectionNames: [String] { state.withLock { $0.catalog.collections.keys.sorted() } }

    /// Whether a collection or alias has this name.
    public func collectionExists(_ name: String) -> Bool {
        state.withLock { $0.catalog.collections[$0.catalog.aliases[name] ?? name] != nil }
    }

    /// The collection of this name or alias. Throws `notFound`, or `unavailable` if its data cannot be opened.
    public func collection(_ nameOrAlias: String) throws(OctantError) -> Collection {
        let entry = state.withLock { $0.entries[$0.catalog.aliases[nameOrAlias] ?? nameOrAlias] }
        switch entry {
        case .open(let collection): return collection
        case .damaged(let error): throw error
        case nil: throw .unknownCollection(nameOrAlias)
        }
    }

    /// Makes a collection; it is on disk when this returns.
    ///
    /// Throws `alreadyExists` if a collection or alias has the name.
    public func createCollection(_ name: String, _ config: CollectionConfig) throws(OctantError) {
        try config.checkReadable()
        try changingNames { () throws(StorageError) -> OctantError? in
            if collectionExists(name) {
                return OctantError(.alreadyExists, "Collection `\(name)` already exists!")
            }
            let uuid = UUIDBytes.random()
            let folder = "\(path)/c/\(uuid)"
            var made: Shard?
            do throws(StorageError) {
                try Shard.create(path: folder, uuid: uuid, config: config, fileSystem: fileSystem)
                let shard = try Shard.open(path: folder, uuid: uuid, fileSystem: fileSystem, limits: limits, log: log)
                made = shard
                try publish { $0.collections[name] = uuid }
                background.add(shard)
                let collection = Collection(name: name, shard: shard, compute: compute, timer: timer)
                state.withLock { $0.entries[name] = .open(collection) }
                return nil
            } catch {
                made?.close()
                // The first error is the one to report, and opening sweeps leftovers. After a failed publication the
                // catalog on disk may name the folder.
                if store.failure == nil { try? fileSystem.removeTree(folder) }
                throw error
            }
        }
    }

    /// Drops a collection, its aliases and its snapshots; `false` if there is none of this name.
    public func deleteCollection(_ name: String) throws(OctantError) -> Bool {
        guard state.withLock({ $0.catalog.collections[name] }) != nil else { return false }
        try changingNames { () throws(StorageError) -> OctantError? in
            guard let uuid = state.withLock({ $0.catalog.collections[name] }) else { return nil }
            do throws(StorageError) {
                try publish { catalog in
                    catalog.collections[name] = nil
                    catalog.aliases = catalog.aliases.filter { $0.value != name }
                }
            } catch {
                if store.failure != nil { fence([name], "nobody knows whether it was dropped", error) }
                throw error
            }
            let entry = state.withLock { $0.entries.removeValue(forKey: name) }
            if case .open(let collection)? = entry {
                background.remove(collection.shard)
                collection.shard.close(forGood: true)
            }
            do throws(StorageError) { try fileSystem.removeTree("\(path)/c/\(uuid)") } catch {
                // No catalog names it: the next opening removes it.
                log("\(path)/c/\(uuid) cannot be removed: \(error)")
            }
            do throws(StorageError) { try stored.deleteAll(of: name) } catch {
                log("the snapshots of `\(name)` cannot be removed: \(error)")
            }
            return nil
        }
        return true
    }

    func changingNames(_ body: () throws(StorageError) -> OctantError?) throws(OctantError) {
        let refused: OctantError? = naming.withLock { _ in
            if state.withLock({ $0.closed }) { return OctantError(.unavailable, "the database is closed") }
            do throws(StorageError) { return try body() } catch { return OctantError(error) }
        }
        if let refused { throw refused }
    }

    /// Publishes a changed catalog, then shows it. `naming` is held.
    private func publish(_ change: (inout Catalog) -> Void) throws(StorageError) {
        var catalog = state.withLock { $0.catalog }
        change(&catalog)
        _ = try store.publish(catalog.encoded())
        state.withLock { $0.catalog = catalog }
    }

    // MARK: Aliases

    /// Changes aliases, all or none.
    public func updateAliases(_ actions: [AliasAction]) throws(OctantError) {
        try changingNames { () throws(StorageError) -> OctantError? in
            var catalog = state.withLock { $0.catalog }
            do throws(OctantError) {
                for action in actions { try catalog.apply(action) }
            } catch {
                return error
            }
            try publish { $0 = catalog }
            return nil
        }
    }

    /// The aliases of a collection, or all of them, sorted.
    public func aliases(of collection: String? = nil) throws(OctantError) -> [AliasDescription] {
        let catalog = state.withLock { $0.catalog }
        if let collection, catalog.collections[collection] == nil { throw .unknownCollection(collection) }
        return catalog.aliases.filter { collection == nil || $0.value == collection }
            .sorted { $0.key < $1.key }.map { AliasDescription(alias: $0.key, collection: $0.value) }
    }
}

extension Catalog {
    fileprivate mutating func apply(_ action: AliasAction) throws(OctantError) {
        switch action {
        case .create(let alias, let collection):
            guard collections[collection] != nil else { throw .unknownCollection(collection) }
            guard collections[alias] == nil else {
                throw OctantError(.alreadyExists, "Collection `\(alias)` already exists!")
            }
            aliases[alias] = collection
        case .delete(let alias):
            aliases[alias] = nil
        case .rename(let from, let to):
            guard let collection = aliases[from] else {
                throw OctantError(.notFound, "Alias \(from) does not exists!")
            }
            guard collections[to] == nil else {
                throw OctantError(.alreadyExists, "Collection `\(to)` already exists!")
            }
            aliases[from] = nil
            aliases[to] = collection
        }
    }
}
