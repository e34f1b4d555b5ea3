package import Octant
package import OctantModel
import Synchronization

/// The operations of the server, one function each. Knows no transport.
package final class Service: Sendable {
    /// The engine.
    package let database: Database
    /// What collections get that do not say otherwise.
    package let defaults: CollectionDefaults
    /// What happened so far.
    package let telemetry = Telemetry()
    /// What it found that a user could make better.
    package let issues = Issues()
    /// What is done with snapshots beyond what the engine does.
    package let snapshots: SnapshotOptions
    /// Held while a snapshot is moved to where it is kept.
    let storing = Mutex(())
    /// Threads of snapshots.
    package let snapshotThreads = SnapshotThreads()
    /// How many snapshots are made, and recovered from.
    package let snapshotCounts = SnapshotCounts()
    /// What goes on with partial snapshots.
    package let partialSnapshots = PartialSnapshots()
    /// What the names of metrics begin with.
    let metricsPrefix: String

    /// The name and version clients see: those of the protocol this server speaks.
    package static let title = "qdrant - vector search engine"
    /// See ``title``.
    package static let version = "1.19.0"

    /// A service over an open database.
    package init(
        database: Database, defaults: CollectionDefaults = CollectionDefaults(), metricsPrefix: String = "",
        snapshots: SnapshotOptions = SnapshotOptions()
    ) {
        self.database = database
        self.defaults = defaults
        self.metricsPrefix = metricsPrefix
        self.snapshots = snapshots
    }

    // MARK: Collections

    /// Makes a collection; its name must not be taken and must obey the rules of new names.
    package func createCollection(_ name: String, _ request: CreateCollection) throws(OctantError) {
        try Names.checkNew(name, what: "collection")
        try database.createCollection(name, request.config(defaults: defaults))
    }

    /// Changes a collection's configuration.
    package func patchCollection(_ name: String, _ patch: CollectionPatch) throws(OctantError) {
        try database.collection(name).patch(patch)
    }

    /// Adds a vector to a collection.
    package func addVector(
        _ collection: String, _ name: String, _ definition: VectorDefinition
    ) throws(OctantError) -> UpdateResult {
        try database.collection(collection).addVector(name, definition)
    }

    /// Removes a vector from a collection.
    package func removeVector(_ collection: String, _ name: String) throws(OctantError) -> UpdateResult {
        try database.collection(collection).removeVector(name)
    }

    /// Drops a collection; whether there was one.
    package func deleteCollection(_ name: String) throws(OctantError) -> Bool {
        defer {
            telemetry.forget(name)
            snapshotCounts.forget(name)
            partialSnapshots.forget(name)
        }
        return try database.deleteCollection(name)
    }

    /// The report of a collection.
    package func collectionInfo(_ name: String) throws(OctantError) -> CollectionInfo {
        try database.collection(name).info()
    }

    /// Whether there is a collection (or alias) of this name.
    package func collectionExists(_ name: String) -> Bool { database.collectionExists(name) }

    // MARK: Aliases

    /// Changes aliases, all or none.
    package func updateAliases(_ actions: [AliasAction]) throws(OctantError) {
        for action in actions {
            switch action {
            case .create(let alias, _): try Names.checkNew(alias, what: "alias")
            case .rename(_, let alias): try Names.checkNew(alias, what: "alias")
            case .delete: break
            }
        }
        try database.updateAliases(actions)
    }

    /// The aliases of a collection, or all of them.
    package func aliases(of collection: String?) throws(OctantError) -> [AliasDescription] {
        if let collection, !database.collectionExists(collection) { throw .unknownCollection(collection) }
        return try database.aliases(of: collection)
    }

    // MARK: Field indexes

    /// Makes a field index.
    package func createFieldIndex(
        _ collection: String, _ key: PayloadPath, _ schema: FieldIndexSchema
    ) throws(OctantError) -> UpdateResult {
        try database.collection(collection).createFieldIndex(key, schema)
    }

    /// Drops a field index.
    package func deleteFieldIndex(_ collection: String, _ key: PayloadPath) throws(OctantError) -> UpdateResult {
        try database.collection(collection).deleteFieldIndex(key)
    }

    // MARK: Writes

    /// Makes a write. `completion` is called once, from any thread.
    package func update(
        _ collection: String, _ request: UpdateRequest, _ options: WriteOptions,
        completion: @escaping @Sendable (Result<UpdateResult, OctantError>) -> Void
    ) {
        do throws(OctantError) {
            let collection = try database.collection(collection)
            collection.submit(
                try collection.prepared(request), wait: options.wait, deadline: options.deadline,
                completion: completion)
        } catch {
            completion(.failure(error))
        }
    }

    /// Makes writes in order. All are checked before the first is made; one that fails when it is applied ends it, and
    /// those before it stay made.
    package func updateBatch(
        _ collection: String, _ requests: [UpdateRequest], _ options: WriteOptions,
        completion: @escaping @Sendable (Result<[UpdateResult], OctantError>) -> Void
    ) {
        do throws(OctantError) {
            let collection = try database.collection(collection)
            var prepared: [PreparedUpdate] = []
            prepared.reserveCapacity(requests.count)
            for request in requests { prepared.append(try collection.prepared(request)) }
            step(collection, prepared[...], options, [], completion)
        } catch {
            completion(.failure(error))
        }
    }

    private func step(
        _ collection: Collection, _ rest: ArraySlice<PreparedUpdate>, _ options: WriteOptions, _ done: [UpdateResult],
        _ completion: @escaping @Sendable (Result<[UpdateResult], OctantError>) -> Void
    ) {
        guard let next = rest.first else { return completion(.success(done)) }
        collection.submit(next, wait: options.wait, deadline: options.deadline) { result in
            switch result {
            case .failure(let error): completion(.failure(error))
            case .success(let result):
                let remaining = rest.dropFirst()
                guard !remaining.isEmpty else { return completion(.success(done + [result])) }
                // The engine's thread must not validate and log the next write.
                self.database.submitWrite { self.step(collection, remaining, options, done + [result], completion) }
            }
        }
    }

    // MARK: Reads

    /// One point.
    package func point(_ collection: String, _ id: PointID) throws(OctantError) -> Record {
        let found = try database.collection(collection).retrieve([id], withPayload: .all, withVector: .all)
        guard let record = found.first else { throw OctantError(.notFound, "Point with id \(id) does not exists!") }
        return record
    }

    /// Points by id, in the order of the request; missing ones are left out.
    package func retrieve(
        _ collection: String, _ ids: [PointID], payload: PayloadSelector, vector: VectorSelector
    ) throws(OctantError) -> [Record] {
        try database.collection(collection).retrieve(ids, withPayload: payload, withVector: vector)
    }

    /// A page of points.
    package func scroll(_ collection: String, _ request: ScrollRequest) throws(OctantError) -> ScrollPage {
        let collection = try database.collection(collection)
        issues.note(request.filter, collection)
        return try collection.scroll(request)
    }

    /// How many points pass.
    package func count(_ collection: String, _ filter: Filter?, exact: Bool) throws(OctantError) -> Int {
        let collection = try database.collection(collection)
        issues.note(filter, collection)
        return try collection.count(filter, exact: exact)
    }

    /// A ranked read.
    package func query(_ collection: String, _ request: QueryRequest) throws(OctantError) -> [ScoredPoint] {
        let collection = try database.collection(collection)
        issues.note(request.filter, collection)
        return try collection.query(request, siblings: database.collection)
    }

    /// A ranked read, and how its points were found.
    package func explain(
        _ collection: String, _ request: QueryRequest
    ) throws(OctantError) -> (points: [ScoredPoint], explanation: QueryExplanation) {
        let collection = try database.collection(collection)
        issues.note(request.filter, collection)
        return try collection.explain(request, siblings: database.collection)
    }

    /// A ranked read in groups.
    package func queryGroups(_ collection: String, _ request: GroupsRequest) throws(OctantError) -> [PointGroup] {
        let collection = try database.collection(collection)
        issues.note(request.query.filter, collection)
        return try collection.queryGroups(request, siblings: database.collection)
    }

    /// How many points have each value of a key.
    package func facet(_ collection: String, _ request: FacetRequest) throws(OctantError) -> [FacetHit] {
        let collection = try database.collection(collection)
        issues.note(request.filter, collection)
        return try collection.facet(request)
    }

    /// How near some points are to each other.
    package func matrix(_ collection: String, _ request: MatrixRequest) throws(OctantError) -> DistanceMatrix {
        let collection = try database.collection(collection)
        issues.note(request.filter, collection)
        return try collection.matrix(request)
    }

    /// Several ranked reads, all or none.
    package func queryBatch(
        _ collection: String, _ requests: [QueryRequest]
    ) throws(OctantError) -> [[ScoredPoint]] {
        let collection = try database.collection(collection)
        var answers: [[ScoredPoint]] = []
        answers.reserveCapacity(requests.count)
        for request in requests {
            issues.note(request.filter, collection)
            answers.append(try collection.query(request, siblings: database.collection))
        }
        return answers
    }
}

/// How a write is to be answered.
package struct WriteOptions: Sendable {
    /// When it is on disk and visible, not only logged.
    package var wait: Bool
    /// When to stop waiting.
    package var deadline: ContinuousClock.Instant?

    /// Options.
    package init(wait: Bool, deadline: ContinuousClock.Instant? = nil) {
        self.wait = wait
        self.deadline = deadline
    }

    /// Beyond this a wait has no end that anyone would see.
    private static let secondsMax = 1_000_000_000

    /// The options of a request that came at `start` and says how many seconds to wait at most.
    package init(wait: Bool, seconds: Int?, since start: ContinuousClock.Instant) {
        self.init(wait: wait, deadline: wait ? seconds.map { start + .seconds(min($0, Self.secondsMax)) } : nil)
    }
}

/// Rules of names.
package enum Names {
    /// Refuses names that new collections and aliases may not have.
    package static func checkNew(_ name: String, what: String) throws(OctantError) {
        try checkExisting(name)
        if let bad = Limits.forbiddenCharacter(in: name) {
            throw invalid("collection name cannot contain \(bad) char")
        }
        guard name != ".", name != ".." else { throw invalid("\(what) name cannot be \"\(name)\"") }
    }

    /// Refuses names that no collection can have.
    package static func checkExisting(_ name: String) throws(OctantError) {
        guard !name.isEmpty, name.utf8.count <= Limits.collectionNameBytesMax else {
            throw invalid("collection name must be from 1 to \(Limits.collectionNameBytesMax) bytes long")
        }
        for byte in name.utf8 where byte == 0 || byte == UInt8(ascii: "/") {
            throw invalid("collection name cannot contain \(byte == 0 ? "\"\\0\"" : "\"/\"") char")
        }
    }

    private static func invalid(_ reason: String) -> OctantError {
        OctantError(.validation, "Validation error in path parameters: [name: \(reason)]")
    }
}
