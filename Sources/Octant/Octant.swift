public import OctantModel
import Synchronization

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

// A stand-in for the engine's face: collections live in memory, jobs run on two threads, searches scan.

/// How a database is opened.
public struct DatabaseOptions: Sendable {
    /// The folder.
    public var path: String
    /// Threads of searches; 0: one per core.
    public var searchThreads = 0
    /// Threads of background work; 0: chosen by the machine.
    public var optimizerThreads = 0
    /// Where messages go.
    public var log: (@Sendable (String) -> Void)?

    /// Options for a folder.
    public init(path: String) { self.path = path }
}

/// A queue of jobs and its threads.
final class JobPool: Sendable {
    private struct State { var jobs: [@Sendable () -> Void] = [] }
    private let state = Mutex(State())
    nonisolated(unsafe) private let wake: UnsafeMutablePointer<sem_t>

    init(threads: Int) {
        wake = .allocate(capacity: 1)
        sem_init(wake, 0, 0)
        for _ in 0..<threads {
            var thread = pthread_t()
            let box = Unmanaged.passRetained(self)
            pthread_create(
                &thread, nil,
                { raw in
                    guard let raw else { return nil }
                    Unmanaged<JobPool>.fromOpaque(raw).takeUnretainedValue().work()
                    return nil
                }, box.toOpaque())
        }
    }

    func submit(_ job: @escaping @Sendable () -> Void) {
        state.withLock { $0.jobs.append(job) }
        sem_post(wake)
    }

    private func work() {
        while true {
            sem_wait(wake)
            let job = state.withLock { $0.jobs.isEmpty ? nil : $0.jobs.removeFirst() }
            job?()
        }
    }
}

/// Collections of points.
public final class Database: Sendable {
    private struct State {
        var collections: [String: Collection] = [:]
        var aliases: [String: String] = [:]
    }
    private let state = Mutex(State())
    private let reads = JobPool(threads: 2)
    private let writes = JobPool(threads: 2)

    /// Opens a folder.
    public static func open(_ options: DatabaseOptions) throws(OctantError) -> Database { Database() }

    /// Closes the database.
    public func close() {}

    /// Runs a read on the compute pool.
    public func submitRead(_ job: @escaping @Sendable () -> Void) { reads.submit(job) }

    /// Runs a write.
    public func submitWrite(_ job: @escaping @Sendable () -> Void) { writes.submit(job) }

    /// The names of all collections, sorted.
    public var collectionNames: [String] { state.withLock { $0.collections.keys.sorted() } }

    /// Whether a collection or alias has this name.
    public func collectionExists(_ name: String) -> Bool {
        state.withLock { $0.collections[$0.aliases[name] ?? name] != nil }
    }

    /// Makes a collection.
    public func createCollection(_ name: String, _ config: CollectionConfig) throws(OctantError) {
        let made = state.withLock { state -> Bool in
            guard state.collections[name] == nil else { return false }
            state.collections[name] = Collection(config)
            return true
        }
        guard made else { throw OctantError(.alreadyExists, "Collection `\(name)` already exists!") }
    }

    /// Drops a collection; whether there was one.
    public func deleteCollection(_ name: String) throws(OctantError) -> Bool {
        state.withLock { $0.collections.removeValue(forKey: name) != nil }
    }

    /// The collection of this name or alias.
    public func collection(_ name: String) throws(OctantError) -> Collection {
        guard let found = state.withLock({ $0.collections[$0.aliases[name] ?? name] }) else {
            throw .unknownCollection(name)
        }
        return found
    }

    /// Changes aliases, all or none.
    public func updateAliases(_ actions: [AliasAction]) throws(OctantError) {
        state.withLock { state in
            for action in actions {
                switch action {
                case .create(let alias, let collection): state.aliases[alias] = collection
                case .delete(let alias): state.aliases[alias] = nil
                case .rename(let from, let to): state.aliases[to] = state.aliases.removeValue(forKey: from)
                }
            }
        }
    }

    /// The aliases of a collection, or all.
    public func aliases(of collection: String?) throws(OctantError) -> [AliasDescription] {
        state.withLock { state in
            state.aliases.filter { collection == nil || $0.value == collection }.sorted { $0.key < $1.key }
                .map { AliasDescription(alias: $0.key, collection: $0.value) }
        }
    }
}

/// Points of one shape.
public final class Collection: Sendable {
    private struct State {
        var config: CollectionConfig
        var points: [PointID: (version: UInt64, point: Point)] = [:]
        var lsn: UInt64 = 0
        var schema: [(key: String, schema: FieldIndexSchema, points: Int)] = []
    }
    private let state: Mutex<State>

    init(_ config: CollectionConfig) { state = Mutex(State(config: config)) }

    /// The configuration.
    public var config: CollectionConfig { state.withLock { $0.config } }

    /// A report.
    public func info() -> CollectionInfo {
        state.withLock {
            CollectionInfo(
                status: .green, optimizerError: nil, warnings: [], indexedVectorsCount: $0.points.count,
                pointsCount: $0.points.count, segmentsCount: 1, config: $0.config, payloadSchema: $0.schema,
                updateQueueLength: 0)
        }
    }

    /// Changes the configuration.
    public func patch(_ patch: CollectionPatch) throws(OctantError) {
        state.withLock {
            $0.config.hnsw = $0.config.hnsw.applying(patch.hnsw)
            $0.config.optimizer = $0.config.optimizer.applying(patch.optimizer)
        }
    }

    /// Makes a write.
    public func update(
        _ operation: UpdateOperation, wait: Bool,
        completion: @escaping @Sendable (Result<UpdateResult, OctantError>) -> Void
    ) {
        let lsn = state.withLock { state -> UInt64 in
            state.lsn += 1
            switch operation {
            case .upsert(let points): for point in points { state.points[point.id] = (state.lsn, point) }
            case .delete(.ids(let ids)): for id in ids { state.points[id] = nil }
            default: break
            }
            return state.lsn
        }
        completion(.success(UpdateResult(operationID: lsn, status: wait ? .completed : .acknowledged)))
    }

    private static func score(_ a: Vector?, _ b: [Float]) -> Float? {
        guard case .dense(let floats)? = a else { return nil }
        return zip(floats, b).reduce(0) { $0 + $1.0 * $1.1 }
    }

    /// Finds points.
    public func query(_ request: QueryRequest) throws(OctantError) -> [ScoredPoint] {
        let all = state.withLock { $0.points }
        var target: [Float] = []
        switch request.query {
        case .nearest(.vector(.dense(let floats))): target = floats
        case .nearest(.id(let id)):
            guard case .dense(let floats)? = all[id]?.point.vectors[request.using] else {
                throw OctantError(.notFound, "No point with id \(id) found")
            }
            target = floats
        case nil: break
        }
        var found: [ScoredPoint] = []
        for (id, entry) in all {
            let score = request.query == nil ? 0 : Self.score(entry.point.vectors[request.using], target)
            guard let score else { continue }
            found.append(
                ScoredPoint(
                    id: id, version: entry.version, score: score,
                    payload: request.withPayload == .none ? nil : entry.point.payload,
                    vectors: request.withVector == .none ? nil : entry.point.vectors))
        }
        found.sort { ($1.score, $0.id) < ($0.score, $1.id) }
        return Array(found.dropFirst(request.offset).prefix(request.limit))
    }

    /// Reads points.
    public func retrieve(
        _ ids: [PointID], withPayload: PayloadSelector, withVector: VectorSelector
    ) throws(OctantError) -> [Record] {
        let all = state.withLock { $0.points }
        return ids.compactMap { id in
            all[id].map {
                Record(
                    id: id, payload: withPayload == .none ? nil : $0.point.payload,
                    vectors: withVector == .none ? nil : $0.point.vectors)
            }
        }
    }

    /// Pages through points.
    public func scroll(_ request: ScrollRequest) throws(OctantError) -> ScrollPage {
        let ids = state.withLock { $0.points.keys.sorted() }
        let rest = request.offset.map { offset in ids.filter { $0 >= offset } } ?? ids
        return ScrollPage(
            points: try retrieve(
                Array(rest.prefix(request.limit)), withPayload: request.withPayload, withVector: request.withVector),
            next: rest.dropFirst(request.limit).first)
    }

    /// Counts points.
    public func count(_ filter: Filter?, exact: Bool) throws(OctantError) -> Int { state.withLock { $0.points.count } }

    /// Makes a field index.
    public func createFieldIndex(_ key: PayloadPath, _ schema: FieldIndexSchema) throws(OctantError) -> UpdateResult {
        state.withLock {
            $0.schema.append((key.description, schema, 0))
            return UpdateResult(operationID: $0.lsn, status: .completed)
        }
    }

    /// Drops a field index.
    public func deleteFieldIndex(_ key: PayloadPath) throws(OctantError) -> UpdateResult {
        state.withLock {
            $0.schema.removeAll { $0.key == key.description }
            return UpdateResult(operationID: $0.lsn, status: .completed)
        }
    }
}
