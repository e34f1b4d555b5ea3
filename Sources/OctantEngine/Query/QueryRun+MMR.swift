import OctantModel

extension QueryRun {
    /// Chooses among candidates, most similar first, one after another: the one with the most of
    /// `(1 - diversity) * similarity to the query - diversity * greatest similarity to a chosen one`
    /// (Carbonell and Goldstein, "The use of MMR", 1998). Scores stay those of the search.
    func mmr(_ candidates: [Ranked], _ query: Examples, diversity: Float, limit: Int) -> [Ranked] {
        guard let first = candidates.first, limit > 0 else { return [] }
        let vectors = candidates.map { $0.hit.source.storedVector($0.hit.row, query.using, view) }
        let hits = candidates.map(\.hit)
        let relevance = similarities(hits, to: query)
        var nearestChosen = [Float](repeating: -.infinity, count: candidates.count)
        var left = Array(candidates.indices.dropFirst())
        var chosen = [first]
        var last = 0
        while chosen.count < limit, !left.isEmpty {
            if let vector = vectors[last] {
                let examples = Examples(using: query.using, distance: query.distance, vectors: [vector])
                for (place, similarity) in zip(left, similarities(left.map { hits[$0] }, to: examples)) {
                    nearestChosen[place] = max(nearestChosen[place], similarity)
                }
            }
            var best = 0
            var bestScore = -Float.infinity
            for (number, place) in left.enumerated() {
                let score = (1 - diversity) * relevance[place] - diversity * nearestChosen[place]
                if score > bestScore { (best, bestScore) = (number, score) }
            }
            last = left.remove(at: best)
            chosen.append(candidates[last])
        }
        return chosen
    }

    /// The similarity of each point to the only example.
    func similarities(_ hits: [ReadView.Hit], to example: Examples) -> [Float] {
        var out = [Float](repeating: -.infinity, count: hits.count)
        var places: [ObjectIdentifier: [Int]] = [:]
        for (place, hit) in hits.enumerated() { places[ObjectIdentifier(hit.source), default: []].append(place) }
        for group in places.values {
            guard let source = group.first.map({ hits[$0].source }),
                let similarity = example.similarity(in: source, view)
            else { continue }
            let present = group.filter { similarity.isPresent(hits[$0].row) }
            let rows = present.map { hits[$0].row }
            var scores = [Float](repeating: 0, count: rows.count)
            scores.withUnsafeMutableBufferPointer { scores in
                rows.withUnsafeBufferPointer { rows in
                    guard let out = scores.baseAddress, let base = rows.baseAddress else { return }
                    similarity.similarities(of: base, rows.count, into: out)
                }
            }
            for (place, score) in zip(present, scores) { out[place] = score }
        }
        return out
    }
}

extension RowSource {
    /// A row's vector as a value; `nil` if it has none of this name.
    func storedVector(_ row: UInt32, _ name: String, _ view: ReadView) -> Vector? {
        guard let params = view.config.params.vectors[name], let components = vector(row, name) else { return nil }
        return .dense(Array(UnsafeBufferPointer(start: components, count: params.size)))
    }
}
