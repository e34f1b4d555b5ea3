extension QueryRequest {
    /// The outermost query, handing on as many points more as the request leaves out.
    package var widened: Prefetch {
        var widened = root
        let (count, overflow) = root.limit.addingReportingOverflow(offset)
        widened.limit = overflow ? .max : count
        return widened
    }

    /// Refuses what cannot be combined, in this query and all inside it.
    package func checkRules() throws(OctantError) {
        var count = 0
        try root.checkRules(depth: 0, &count)
    }
}

extension Prefetch {
    fileprivate func checkRules(depth: Int, _ count: inout Int) throws(OctantError) {
        count += 1
        guard count <= Self.countMax else {
            throw OctantError(.badRequest, "A query has at most \(Self.countMax) prefetches")
        }
        guard depth <= Self.depthMax else {
            throw OctantError(.badRequest, "prefetches depth \(depth) exceeds max depth \(Self.depthMax)")
        }
        for inner in prefetch { try inner.checkRules(depth: depth + 1, &count) }
        guard let query else {
            guard prefetch.isEmpty else {
                throw OctantError(
                    .badRequest,
                    "A query is needed to merge the prefetches. Can't have prefetches without defining a query.")
            }
            guard scoreThreshold == nil else {
                throw OctantError(
                    .badRequest,
                    "A query is needed to use the score_threshold. "
                        + "Can't have score_threshold without defining a query.")
            }
            return
        }
        switch query {
        case .orderBy:
            guard scoreThreshold == nil else {
                throw OctantError(.badRequest, "Can't use score_threshold with an order_by query.")
            }
        case .fusion(let fusion):
            guard using.isEmpty else {
                throw OctantError(.badRequest, "Fusion queries cannot be combined with the 'using' field.")
            }
            guard !prefetch.isEmpty else { throw OctantError(.badRequest, "cannot apply Fusion without prefetches") }
            if case .rrf(_, let weights?) = fusion, weights.count != prefetch.count {
                throw OctantError(
                    .badRequest,
                    "RRF weights length (\(weights.count)) must match the number of prefetches (\(prefetch.count))")
            }
        case .formula:
            guard !prefetch.isEmpty else { throw OctantError(.badRequest, "cannot apply Formula without prefetches") }
        case .recommend(let examples): try examples.checkRules()
        case .feedback(let feedback):
            guard !feedback.feedback.isEmpty else {
                throw OctantError(
                    .validation, "Validation error in JSON body: [feedback: feedback elements must be non-empty]")
            }
        case .nearest, .mmr, .discover, .context, .sample: break
        }
    }

    /// Points that the query, or one inside it, names as examples of this collection: they are never results.
    package var referencedIDs: Set<PointID> {
        var ids: Set<PointID> = []
        if lookupFrom == nil, let query {
            for case .id(let id) in query.inputs { ids.insert(id) }
        }
        for inner in prefetch { ids.formUnion(inner.referencedIDs) }
        return ids
    }
}

extension Recommendation {
    fileprivate func checkRules() throws(OctantError) {
        switch strategy {
        case .averageVector:
            guard !positive.isEmpty else {
                throw OctantError(.badInput, "Positive vectors should not be empty with `average` strategy")
            }
        case .bestScore, .sumScores:
            guard !positive.isEmpty || !negative.isEmpty else {
                throw OctantError(
                    .badInput, "At least one positive or negative vector ID required with this strategy")
            }
        }
    }
}

extension Query {
    /// The vectors and ids it is about, in the order in which scores are made of them.
    package var inputs: [VectorInput] {
        switch self {
        case .nearest(let input), .mmr(let input, _): [input]
        case .recommend(let examples): examples.positive + examples.negative
        case .discover(let target, let context): [target] + context.flatMap { [$0.positive, $0.negative] }
        case .context(let pairs): pairs.flatMap { [$0.positive, $0.negative] }
        case .feedback(let feedback): [feedback.target] + feedback.feedback.map(\.example)
        case .orderBy, .sample, .fusion, .formula: []
        }
    }
}

extension Filter {
    /// What passes both filters.
    package static func joined(_ a: Filter?, _ b: Filter?) -> Filter? {
        guard let a, !a.isEmpty else { return b }
        guard let b, !b.isEmpty else { return a }
        guard a.should.isEmpty || b.should.isEmpty, a.minShould == nil || b.minShould == nil else {
            return Filter(must: [.filter(a), .filter(b)])
        }
        return Filter(
            must: a.must + b.must, should: a.should + b.should, mustNot: a.mustNot + b.mustNot,
            minShould: a.minShould ?? b.minShould)
    }
}
