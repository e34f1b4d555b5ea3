package import OctantModel

/// A query made ready to run: ids have become vectors, filters are joined, and every stage knows how many points it
/// hands on. Values only; ``QueryRun`` runs it on a view.
package indirect enum QueryPlan: Sendable, Hashable {
    /// A ranking of all points that pass a filter.
    case points(Filter?, Stage)
    /// A ranking of what other plans found.
    case merge([QueryPlan], Stage)

    /// One ranking.
    package struct Stage: Sendable, Hashable {
        /// What to rank by.
        package var ranking: Ranking
        package var params: SearchParams
        /// Keep scores better than this.
        package var threshold: Float?
        /// How many points are handed on.
        package var limit: Int
    }

    /// What to rank by.
    package enum Ranking: Sendable, Hashable {
        case id
        case nearest(Examples)
        case custom(Examples, CustomScore)
        case mmr(Examples, diversity: Float, candidates: Int)
        case orderBy(OrderBy)
        case sample
        case fusion(Fusion)
        case formula(Formula)
    }
}

/// Makes plans of requests.
package struct QueryPlanner {
    /// The vectors of the collection.
    package var params: CollectionParams
    /// Its field indexes.
    package var fieldIndexes: [Manifest.FieldIndexEntry]
    /// The stored vector of a point: of the name given, or where the location says.
    package var lookUp: (PointID, String, LookupLocation?) throws(OctantError) -> Vector

    package init(
        params: CollectionParams, fieldIndexes: [Manifest.FieldIndexEntry],
        lookUp: @escaping (PointID, String, LookupLocation?) throws(OctantError) -> Vector
    ) {
        self.params = params
        self.fieldIndexes = fieldIndexes
        self.lookUp = lookUp
    }

    /// The plan of a request; what it returns still has the request's offset in front.
    ///
    /// Points named as examples, at any depth, are left out everywhere.
    package func plan(_ request: QueryRequest) throws(OctantError) -> QueryPlan {
        try request.checkRules()
        let root = request.widened
        let examples = root.referencedIDs
        let excluding = examples.isEmpty ? nil : Filter(mustNot: [.hasID(examples)])
        return try plan(root, around: excluding)
    }

    private func plan(_ query: Prefetch, around outer: Filter?) throws(OctantError) -> QueryPlan {
        let filter = Filter.joined(query.filter, outer)
        let stage = QueryPlan.Stage(
            ranking: try ranking(query), params: query.params, threshold: query.scoreThreshold, limit: query.limit)
        guard !query.prefetch.isEmpty else { return .points(filter, stage) }
        var inner: [QueryPlan] = []
        for prefetch in query.prefetch { inner.append(try plan(prefetch, around: filter)) }
        return .merge(inner, stage)
    }

    private func ranking(_ query: Prefetch) throws(OctantError) -> QueryPlan.Ranking {
        switch query.query {
        case nil: return .id
        case .nearest(let input)?: return .nearest(try examples([input], query))
        case .mmr(let input, let mmr)?:
            let candidates = min(max(mmr.candidatesLimit ?? query.limit, 1), MMR.candidatesMax)
            return .mmr(try examples([input], query), diversity: mmr.diversity, candidates: candidates)
        case .recommend(let recommendation)?:
            let positives = recommendation.positive.count
            switch recommendation.strategy {
            case .averageVector: return .nearest(try average(recommendation, query))
            case .bestScore: return try custom(.best(positives: positives), query)
            case .sumScores: return try custom(.sum(positives: positives), query)
            }
        case .discover?: return try custom(.discover, query)
        case .context?: return try custom(.context, query)
        case .feedback(let feedback)?:
            let ratings = feedback.feedback.map(\.score)
            return try custom(.feedback(ratings: ratings, a: feedback.a, b: feedback.b, c: feedback.c), query)
        case .orderBy(let order)?:
            try checkOrder(order)
            return .orderBy(order)
        case .sample?: return .sample
        case .fusion(let fusion)?: return .fusion(fusion)
        case .formula(let formula)?: return .formula(formula)
        }
    }

    /// Refuses an order by a key without an index that knows ranges.
    package func checkOrder(_ order: OrderBy) throws(OctantError) {
        guard fieldIndexes.contains(where: { $0.key == order.key && $0.schema.knowsRanges }) else {
            let types = FieldIndexType.allCases.filter(\.knowsRanges).map(\.rawValue).joined(separator: ", ")
            throw OctantError(
                .badInput,
                "No range index for `order_by` key: `\(order.key)`. Please create one to use `order_by`. "
                    + "Index types that support ranges: \(types)")
        }
    }

    private func custom(_ score: CustomScore, _ query: Prefetch) throws(OctantError) -> QueryPlan.Ranking {
        .custom(try examples(query.query?.inputs ?? [], query), score)
    }

    private func distance(_ query: Prefetch) throws(OctantError) -> Distance {
        guard let distance = params.distance(query.using) else { throw .unknownVector(query.using) }
        return distance
    }

    /// A vector as it was given or is stored.
    private func resolve(_ input: VectorInput, _ query: Prefetch) throws(OctantError) -> Vector {
        switch input {
        case .vector(let vector): vector
        case .id(let id): try lookUp(id, query.using, query.lookupFrom)
        }
    }

    private func examples(_ inputs: [VectorInput], _ query: Prefetch) throws(OctantError) -> Examples {
        let distance = try distance(query)
        var vectors: [Vector] = []
        vectors.reserveCapacity(inputs.count)
        for input in inputs { vectors.append(try params.prepared(try resolve(input, query), name: query.using)) }
        return Examples(using: query.using, distance: distance, vectors: vectors)
    }

    /// The one vector that stands for all examples, of the kind of the vector that is searched.
    private func average(_ examples: Recommendation, _ query: Prefetch) throws(OctantError) -> Examples {
        let distance = try distance(query)
        let (positive, negative) = (try kinds(examples.positive, query), try kinds(examples.negative, query))
        let vector: Vector
        if params.sparse(query.using) != nil {
            vector = .sparse(VectorAverage.sparse(positive: positive.sparse, negative: negative.sparse))
        } else if params.vectors[query.using]?.multivector != nil {
            vector = .multiDense(VectorAverage.multi(positive: positive.multi, negative: negative.multi))
        } else {
            vector = .dense(VectorAverage.dense(positive: positive.dense, negative: negative.dense))
        }
        return Examples(
            using: query.using, distance: distance, vectors: [try params.prepared(vector, name: query.using)])
    }

    /// Examples as they were given or are stored, checked, by kind; all are of one.
    private func kinds(
        _ inputs: [VectorInput], _ query: Prefetch
    ) throws(OctantError) -> (dense: [[Float]], sparse: [SparseVector], multi: [[[Float]]]) {
        var kinds: (dense: [[Float]], sparse: [SparseVector], multi: [[[Float]]]) = ([], [], [])
        for input in inputs {
            let given = try resolve(input, query)
            switch (given, try params.prepared(given, name: query.using)) {
            case (.dense(let vector), .dense): kinds.dense.append(vector)
            case (_, .dense(let vector)): kinds.dense.append(vector)
            case (_, .sparse(let vector)): kinds.sparse.append(vector)
            case (_, .multiDense(let rows)): kinds.multi.append(rows)
            }
        }
        return kinds
    }
}

extension FieldIndexType {
    /// Whether an index of the kind can order points.
    var knowsRanges: Bool {
        switch self {
        case .integer, .float, .datetime: true
        case .keyword, .bool, .uuid, .geo, .text: false
        }
    }

    /// Whether an index of the kind can count values.
    var knowsMatches: Bool {
        switch self {
        case .keyword, .integer, .bool, .uuid: true
        case .float, .datetime, .geo, .text: false
        }
    }
}

extension FieldIndexSchema {
    /// Whether the index can order points: its kind can, and ranges were not switched off.
    var knowsRanges: Bool { type.knowsRanges && params?.object["range"] != .bool(false) }
    /// Whether the index can count values: its kind can, and matches were not switched off.
    var knowsMatches: Bool { type.knowsMatches && params?.object["lookup"] != .bool(false) }
}
