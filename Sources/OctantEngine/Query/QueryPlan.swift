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
    package var vectors: VectorsConfig
    /// Its field indexes.
    package var fieldIndexes: [Manifest.FieldIndexEntry]
    /// The stored vector of a point: of the name given, or where the location says.
    package var lookUp: (PointID, String, LookupLocation?) throws(OctantError) -> Vector

    package init(
        vectors: VectorsConfig, fieldIndexes: [Manifest.FieldIndexEntry],
        lookUp: @escaping (PointID, String, LookupLocation?) throws(OctantError) -> Vector
    ) {
        self.vectors = vectors
        self.fieldIndexes = fieldIndexes
        self.lookUp = lookUp
    }

    /// The plan of a request; what it returns still has the request's offset in front.
    ///
    /// Points named as examples, at any depth, are left out everywhere.
    package func plan(_ request: QueryRequest) throws(OctantError) -> QueryPlan {
        try request.checkRules()
        let root = request.root
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

    private func params(_ query: Prefetch) throws(OctantError) -> VectorParams {
        guard let params = vectors[query.using] else { throw .unknownVector(query.using) }
        return params
    }

    /// A vector as it was given or is stored.
    private func resolve(_ input: VectorInput, _ query: Prefetch) throws(OctantError) -> Vector {
        switch input {
        case .vector(let vector): vector
        case .id(let id): try lookUp(id, query.using, query.lookupFrom)
        }
    }

    private func examples(_ inputs: [VectorInput], _ query: Prefetch) throws(OctantError) -> Examples {
        let params = try params(query)
        var vectors: [Vector] = []
        vectors.reserveCapacity(inputs.count)
        for input in inputs {
            vectors.append(.dense(try params.prepared(try resolve(input, query), name: query.using)))
        }
        return Examples(using: query.using, distance: params.distance, vectors: vectors)
    }

    /// The one vector that stands for all examples: `avg(positive) + (avg(positive) - avg(negative))`.
    private func average(_ examples: Recommendation, _ query: Prefetch) throws(OctantError) -> Examples {
        let params = try params(query)
        func mean(_ inputs: [VectorInput]) throws(OctantError) -> [Float] {
            var sum = [Float](repeating: 0, count: params.size)
            for input in inputs {
                guard case .dense(let vector) = try resolve(input, query) else {
                    throw OctantError(.badInput, "a dense vector is expected for '\(query.using)'")
                }
                guard vector.count == params.size else {
                    throw .wrongDimension(expected: params.size, got: vector.count, name: query.using)
                }
                for place in sum.indices { sum[place] += vector[place] }
            }
            return sum.map { $0 / Float(inputs.count) }
        }
        var vector = try mean(examples.positive)
        if !examples.negative.isEmpty {
            let negative = try mean(examples.negative)
            for place in vector.indices { vector[place] += vector[place] - negative[place] }
        }
        return Examples(
            using: query.using, distance: params.distance,
            vectors: [.dense(try params.prepared(.dense(vector), name: query.using))])
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
