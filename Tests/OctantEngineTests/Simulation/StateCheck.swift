import Octant
import OctantEngine
import OctantModel
import OctantStorage

/// Compares all that reads say of a collection with a model; throws what differs.
struct StateCheck {
    let collection: Collection
    let model: Model
    let note: String

    private func fail(_ text: String) -> Violation { Violation(description: "\(note): \(collection.name): \(text)") }

    /// Every point by value, and what counts them.
    func values() throws {
        let page = try collection.scroll(ScrollRequest(limit: 100_000, withPayload: .all, withVector: .all))
        let ids = model.points.keys.sorted()
        if page.points.map(\.id) != ids {
            let found = Set(page.points.map(\.id))
            let missing = ids.filter { !found.contains($0) }
            throw fail("missing \(missing), not expected \(found.filter { model.points[$0] == nil }.sorted())")
        }
        for record in page.points {
            let found = ModelPoint(
                payload: model.members(record.payload?.object ?? JSONObject()),
                vectors: model.vectors(record.vectors ?? NamedVectors()))
            if found != model.points[record.id] {
                throw fail("\(record.id) is \(found), not \(model.points[record.id] as Any)")
            }
        }
        let counts = (try collection.count(), collection.info().pointsCount)
        if counts != (ids.count, ids.count) { throw fail("counts \(counts), not \(ids.count)") }
    }

    /// Filters, with an index or without, and exact searches.
    func searches(_ requests: inout RandomRequests) throws {
        for filter in [nil, requests.filter(), requests.filter()] {
            let passing = model.points.filter { point in
                filter.map { model.matches(point.key, point.value, $0) } ?? true
            }
            if let filter {
                let found = try collection.scroll(ScrollRequest(filter: filter, limit: 100_000)).points.map(\.id)
                if found != passing.keys.sorted() {
                    throw fail("\(filter) passes \(found), not \(passing.keys.sorted())")
                }
                let count = try collection.count(filter)
                if count != passing.count { throw fail("\(filter) counts \(count), not \(passing.count)") }
            }
            try search(passing, filter, &requests)
        }
        try facets()
        guard requests.allKinds else { return }
        let query = requests.sparse(1...6)
        let scores = model.sparseScores(query, "s", idf: false, nil)
        let found = try collection.query(
            QueryRequest(query: .nearest(.vector(.sparse(query))), using: "s", limit: 10))
        try compare(found, scores, best: scores.values.sorted(by: >), "sparse \(query)")
    }

    private func search(
        _ passing: [PointID: ModelPoint], _ filter: Filter?, _ requests: inout RandomRequests
    ) throws {
        let query = randomVector(4, &requests.generator)
        var scores: [PointID: Float] = [:]
        for (id, point) in passing {
            guard case .dense(let vector)? = point.vectors["a"] else { continue }
            scores[id] = zip(query, vector).reduce(0) { $0 + $1.0 * $1.1 }
        }
        let best = scores.values.sorted(by: >)
        for exact in [true, false] {
            let found = try collection.query(
                QueryRequest(
                    query: .nearest(.vector(.dense(query))), using: "a", filter: filter,
                    params: SearchParams(
                        hnswEF: 64, exact: exact, quantization: QuantizationSearchParams(rescore: true)), limit: 10))
            try compare(found, scores, best: exact ? best : nil, "search \(query) \(filter as Any)")
        }
    }

    /// - Parameter best: the best scores, if they must all be found.
    private func compare(
        _ found: [ScoredPoint], _ scores: [PointID: Float], best: [Float]?, _ what: String
    ) throws {
        if Set(found.map(\.id)).count != found.count { throw fail("\(what): one point twice") }
        if let best, found.count != min(10, best.count) { throw fail("\(what): \(found.count) of \(best.count)") }
        for (place, hit) in found.enumerated() {
            guard let score = scores[hit.id] else { throw fail("\(what): \(hit.id) must not be found") }
            if abs(hit.score - score) > 1e-4 { throw fail("\(what): \(hit.id) scores \(hit.score), not \(score)") }
            if let best, abs(hit.score - best[place]) > 1e-4 { throw fail("\(what): \(hit.id) is not the next best") }
        }
    }

    /// Counts by value of "t", where there is an index of it.
    private func facets() throws {
        guard let key = try? PayloadPath("t"),
            collection.shard.view.fieldIndexes.contains(where: { $0.key == key })
        else { return }
        var expected: [String: Int] = [:]
        for point in model.points.values {
            if case .string(let text)? = point.payload["t"] { expected[text, default: 0] += 1 }
        }
        var found: [String: Int] = [:]
        for hit in try collection.facet(FacetRequest(key: key, limit: 100, exact: true)) {
            if case .string(let text) = hit.value { found[text] = hit.count }
        }
        if found != expected { throw fail("facet counts \(found), not \(expected)") }
    }
}
