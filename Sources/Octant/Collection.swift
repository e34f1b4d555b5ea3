package import OctantEngine
public import OctantModel
import OctantStorage
import OctantVectors

/// The points of one collection: writes, reads and settings. Safe to use from any thread.
///
/// Reads never wait for writes. The calls block their thread for the time of the work; from Swift concurrency, use the
/// `async` forms.
public final class Collection: Sendable {
    /// The name it was made under.
    public let name: String
    package let shard: Shard
    /// How long it took to open.
    package let openingTime: Duration
    let compute: ComputePool
    private let timer: DeadlineTimer
    /// One change of settings at a time: each starts from what the one before left.
    private let patching = Monitor(())
    /// Tuning that was begun last.
    let job = Monitor<TuningJob?>(nil)

    init(
        name: String, shard: Shard, compute: ComputePool, timer: DeadlineTimer, openingTime: Duration = .zero
    ) {
        self.openingTime = openingTime
        self.name = name
        self.shard = shard
        self.compute = compute
        self.timer = timer
    }

    /// Calls `action` at an instant, unless the token is cancelled before.
    func call(at deadline: ContinuousClock.Instant, _ action: @escaping @Sendable () -> Void) -> UInt64 {
        timer.call(at: deadline, action)
    }

    func cancelCall(_ token: UInt64) { timer.cancel(token) }

    func onSearchThread(_ job: @escaping @Sendable () -> Void) { compute.submit(job) }

    /// The configuration in force.
    public var config: CollectionConfig { shard.config }

    // MARK: Writing

    /// Checks everything that can be wrong with a write before it reaches the log, and makes vectors of documents, and
    /// brings vectors into stored form.
    func validated(_ operation: UpdateOperation) throws(OctantError) -> UpdateOperation {
        let params = config.params
        var inference = Inference()
        switch operation {
        case .upsert(var points):
            for place in points.indices {
                points[place].vectors = try params.prepared(try inference.vectors(points[place].vectors))
            }
            return .upsert(points)
        case .updateVectors(var points):
            for place in points.indices {
                points[place].vectors = try params.prepared(try inference.vectors(points[place].vectors))
            }
            return .updateVectors(points)
        case .deleteVectors(let names, _):
            for name in names where !params.hasVector(name) { throw .unknownVector(name) }
            return operation
        case .delete, .setPayload, .overwritePayload, .deletePayload, .clearPayload:
            return operation
        }
    }

    // MARK: Reading

    /// The points of these ids that exist, in the order asked for.
    public func retrieve(
        _ ids: [PointID], withPayload: PayloadSelector = .all, withVector: VectorSelector = .none
    ) throws(OctantError) -> [Record] {
        try check(withVector)
        let view = shard.view
        let records = ids.compactMap { id in
            view.locate(id).map {
                view.record(.init(source: $0.source, row: $0.row), withPayload: withPayload, withVector: withVector)
            }
        }
        try shard.checkIntact()
        return records
    }

    /// A page of points, ascending by id.
    public func scroll(_ request: ScrollRequest) throws(OctantError) -> ScrollPage {
        try check(request.withVector)
        let view = shard.view
        try view.check(request.filter)
        if let order = request.orderBy { return try scroll(request, by: order, view) }
        let limit = min(max(request.limit, 1), max(view.liveCount, 1))
        let found = view.page(request.filter, from: request.offset, limit: limit + 1)
        let points = found.prefix(limit).map {
            view.record($0.hit, withPayload: request.withPayload, withVector: request.withVector)
        }
        try shard.checkIntact()
        return ScrollPage(points: points, next: found.count > limit ? found[limit].id : nil)
    }

    /// How many points pass the filter. The answer is always exact.
    public func count(_ filter: Filter? = nil, exact: Bool = true) throws(OctantError) -> Int {
        let view = shard.view
        try view.check(filter)
        let count = view.count(filter)
        try shard.checkIntact()
        return count
    }

    func check(_ selector: VectorSelector) throws(OctantError) {
        guard case .names(let names) = selector else { return }
        let params = config.params
        for name in names where !params.hasVector(name) { throw .unknownVector(name) }
    }

    // MARK: Settings

    /// What the collection is doing.
    public func info() -> CollectionInfo {
        let view = shard.view
        let optimizer = shard.optimizerState
        let status: CollectionInfo.Status =
            shard.problem != nil || optimizer.error != nil
            ? .red : optimizer.running || optimizer.due ? .yellow : .green
        let indexed = view.segments.reduce(0) { sum, segment in
            sum
                + segment.fields.reduce(0) {
                    $0 + ($1.isIndexed ? max(0, $1.presentCount - segment.tombstones.killedCount) : 0)
                }
                + segment.sparse.reduce(0) {
                    $0 + max(0, $1.index.presentCount - segment.tombstones.killedCount)
                }
        }
        let schema = view.fieldIndexes.map { index in
            (key: index.key.description, schema: index.schema, points: shard.indexedPoints(index, view))
        }
        return CollectionInfo(
            status: status, optimizerError: shard.problem?.message ?? optimizer.error,
            warnings: configWarnings,
            indexedVectorsCount: indexed, pointsCount: view.liveCount,
            segmentsCount: view.segments.count + view.memtables.count, config: view.config, payloadSchema: schema,
            updateQueueLength: shard.queueLength, deferredPoints: deferredPoints)
    }

    /// Changes settings; segments that no longer match are rewritten in the background.
    public func patch(_ patch: CollectionPatch) throws(OctantError) {
        let failed: OctantError? = patching.withLock { _ in
            do throws(OctantError) {
                let changed = try config.applying(patch)
                try changed.checkReadable()
                do throws(StorageError) { try shard.reconfigure(changed) } catch { throw OctantError(error) }
                return nil
            } catch { return error }
        }
        if let failed { throw failed }
    }

    /// Adds a vector that no point has yet; the same definition again does nothing.
    @discardableResult
    public func addVector(_ name: String, _ definition: VectorDefinition) throws(OctantError) -> UpdateResult {
        try changeVectors { (config) throws(OctantError) in try config.adding(name, definition) }
    }

    /// Removes a vector from the collection and from all points.
    @discardableResult
    public func removeVector(_ name: String) throws(OctantError) -> UpdateResult {
        try changeVectors { (config) throws(OctantError) in try config.removing(name) }
    }

    private func changeVectors(
        _ change: (CollectionConfig) throws(OctantError) -> CollectionConfig?
    ) throws(OctantError) -> UpdateResult {
        let failed: OctantError? = patching.withLock { _ in
            do throws(OctantError) {
                try shard.changeVectors { (config) throws(OctantError) in
                    let changed = try change(config)
                    try changed?.checkReadable()
                    return changed
                }
                return nil
            } catch { return error }
        }
        if let failed { throw failed }
        return UpdateResult(operationID: shard.lastLSN, status: .completed)
    }

    /// Indexes the values at a key; returns when the index is on disk and in use. Throws `badInput` for a text index
    /// whose stemmer this build does not have.
    @discardableResult
    public func createFieldIndex(_ key: PayloadPath, _ schema: FieldIndexSchema) throws(OctantError) -> UpdateResult {
        try schema.checkAvailable()
        do throws(StorageError) {
            try shard.createFieldIndex(.init(key: key, schema: schema))
        } catch { throw OctantError(error) }
        return UpdateResult(operationID: shard.lastLSN, status: .completed)
    }

    /// Drops the index of a key, if there is one.
    @discardableResult
    public func deleteFieldIndex(_ key: PayloadPath) throws(OctantError) -> UpdateResult {
        do throws(StorageError) { try shard.deleteFieldIndex(key) } catch { throw OctantError(error) }
        return UpdateResult(operationID: shard.lastLSN, status: .completed)
    }
}

extension CollectionConfig {
    /// Throws the error that opening the collection again would meet: what cannot be read back must not be stored.
    func checkReadable() throws(OctantError) {
        _ = try CollectionConfig(json: try JSONParser.parse(Array(json.text.utf8)))
    }
}
