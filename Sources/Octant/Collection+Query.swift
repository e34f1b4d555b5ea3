import OctantEngine
public import OctantModel

extension Collection {
    /// Points ranked by the request's query, best first; ascending by id without one.
    ///
    /// A request that looks up examples in another collection needs ``Database/query(_:in:)``.
    public func query(_ request: QueryRequest) throws(OctantError) -> [ScoredPoint] {
        try query(request) { (name) throws(OctantError) in throw .unknownCollection(name) }
    }

    /// The same, finding other collections by `siblings`.
    package func query(
        _ request: QueryRequest, siblings: (String) throws(OctantError) -> Collection
    ) throws(OctantError) -> [ScoredPoint] {
        let view = shard.view
        let points = try ranked(request, view, siblings: siblings).map { scored($0, view, request) }
        try shard.checkIntact()
        return points
    }

    /// As ``query(_:)``, with an explanation of how the points were found.
    public func explain(
        _ request: QueryRequest
    ) throws(OctantError) -> (points: [ScoredPoint], explanation: QueryExplanation) {
        try explain(request) { (name) throws(OctantError) in throw .unknownCollection(name) }
    }

    /// The same, finding other collections by `siblings`.
    package func explain(
        _ request: QueryRequest, siblings: (String) throws(OctantError) -> Collection
    ) throws(OctantError) -> (points: [ScoredPoint], explanation: QueryExplanation) {
        let view = shard.view
        let trace = SearchTrace()
        var explanation = QueryExplanation()
        let start = ContinuousClock.now
        guard let plan = try plan(request, view, siblings: siblings) else { return ([], explanation) }
        explanation.planMicroseconds = microseconds(since: start)
        let planned = ContinuousClock.now
        let ranked = try QueryRun(view: view, pool: compute, trace: trace).run(plan).dropFirst(request.offset)
        explanation.runMicroseconds = microseconds(since: planned)
        let ran = ContinuousClock.now
        let points = ranked.map { scored($0, view, request) }
        explanation.payloadMicroseconds = microseconds(since: ran)
        explanation.searches = trace.all
        try shard.checkIntact()
        return (points, explanation)
    }

    /// The points of a query on a view, without their payload and vectors.
    func ranked(
        _ request: QueryRequest, _ view: ReadView, siblings: (String) throws(OctantError) -> Collection
    ) throws(OctantError) -> [QueryRun.Ranked] {
        guard let plan = try plan(request, view, siblings: siblings) else { return [] }
        return Array(try QueryRun(view: view, pool: compute).run(plan).dropFirst(request.offset))
    }

    /// The checked request as a plan; `nil` if it wants no points.
    private func plan(
        _ request: QueryRequest, _ view: ReadView, siblings: (String) throws(OctantError) -> Collection
    ) throws(OctantError) -> QueryPlan? {
        try check(request.withVector)
        try view.check(request.root)
        guard request.limit > 0, request.offset >= 0 else { return nil }
        // While this thread plans, others wake up that the search will need.
        if view.segments.count > 1 { compute.expectLoop(view.segments.count) }
        return try withoutActuallyEscaping(siblings) { siblings throws(OctantError) in
            let planner = QueryPlanner(
                collection: name, params: view.config.params, fieldIndexes: view.fieldIndexes
            ) { (id, using, location) throws(OctantError) in
                guard let location else { return try Self.stored(id, using, view) }
                let other = try siblings(location.collection).shard
                let vector = try Self.stored(id, location.vector ?? using, other.view)
                try other.checkIntact()
                return vector
            }
            return shard.choosingSearches(of: try planner.plan(request), view)
        }
    }

    /// A point's vector.
    private static func stored(_ id: PointID, _ name: String, _ view: ReadView) throws(OctantError) -> Vector {
        guard view.config.params.hasVector(name) else { throw .unknownVector(name) }
        guard let (source, row) = view.locate(id) else {
            throw OctantError(.notFound, "No point with id \(id) found")
        }
        guard let stored = source.stored(row, name) else {
            throw OctantError(.badInput, "Point \(id) does not have vector with name \(name)")
        }
        return stored.vector
    }

    /// A found point with the parts that were asked for.
    func scored(_ point: QueryRun.Ranked, _ view: ReadView, _ request: QueryRequest) -> ScoredPoint {
        ScoredPoint(
            id: point.id, version: point.hit.source.version(point.hit.row), score: point.score,
            payload: view.payload(of: point.hit, request.withPayload),
            vectors: view.vectors(of: point.hit, request.withVector), orderValue: point.orderValue)
    }

    /// A page in the order of a value.
    func scroll(
        _ request: ScrollRequest, by order: OrderBy, _ view: ReadView
    ) throws(OctantError) -> ScrollPage {
        guard request.offset == nil else {
            throw OctantError(
                .badRequest,
                "Cannot use an `offset` when using `order_by`. The alternative for paging is to use "
                    + "`order_by.start_from` and a filter to exclude the IDs that you've already seen for the "
                    + "`order_by.start_from` value")
        }
        try QueryPlanner(collection: name, params: view.config.params, fieldIndexes: view.fieldIndexes) {
            (id, _, _) throws(OctantError) in throw OctantError(.notFound, "No point with id \(id) found")
        }.checkOrder(order)
        let points = view.page(request.filter, by: order, limit: max(request.limit, 1), pool: compute).map { entry in
            var record = view.record(
                entry.hit, withPayload: request.withPayload, withVector: request.withVector)
            record.orderValue = entry.value
            return record
        }
        try shard.checkIntact()
        return ScrollPage(points: points, next: nil)
    }
}

extension Database {
    /// As ``query(_:in:)``, with an explanation of how the points were found.
    public func explain(
        _ request: QueryRequest, in collection: String
    ) throws(OctantError) -> (points: [ScoredPoint], explanation: QueryExplanation) {
        try self.collection(collection).explain(request, siblings: self.collection)
    }

    /// Points of a collection ranked by the request's query; examples may come from other collections.
    public func query(_ request: QueryRequest, in collection: String) throws(OctantError) -> [ScoredPoint] {
        try self.collection(collection).query(request, siblings: self.collection)
    }
}
