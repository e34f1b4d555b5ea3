import OctantModel

extension QueryRun {
    /// Chooses among candidates, most similar first, one after another: the one with the most of
    /// `(1 - diversity) * similarity to the query - diversity * greatest similarity to a chosen one`
    /// (Carbonell and Goldstein, "The use of MMR", 1998). Scores stay those of the search.
    ///
    /// Similarities are those of the vectors themselves: frequencies of sparse indices count in the search alone.
    func mmr(_ candidates: [Ranked], _ query: Examples, diversity: Float, limit: Int) -> [Ranked] {
        guard limit > 0 else { return [] }
        let vectors = candidates.map { $0.hit.source.storedVector($0.hit.row, query.using, view) }
        let hits = candidates.map(\.hit)
        let relevance = similarities(hits, to: query.scaled(view))
        guard var last = relevance.indices.max(by: { relevance[$0] < relevance[$1] }) else { return [] }
        var nearestChosen = [Float](repeating: -.infinity, count: candidates.count)
        var left = candidates.indices.filter { $0 != last }
        var chosen = [candidates[last]]
        while chosen.count < limit, !left.isEmpty {
            for (place, similarity) in zip(left, similarities(of: left, to: last, hits, vectors, query)) {
                nearestChosen[place] = max(nearestChosen[place], similarity)
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

    /// The similarity of each candidate in `left` to the one chosen. That of two multivectors depends on which is
    /// searched for: the candidate is.
    private func similarities(
        of left: [Int], to chosen: Int, _ hits: [ReadView.Hit], _ vectors: [Vector?], _ query: Examples
    ) -> [Float] {
        guard let vector = vectors[chosen] else { return [] }
        var examples = Examples(using: query.using, distance: query.distance, vectors: [vector])
        guard case .multiDense = vector else { return similarities(left.map { hits[$0] }, to: examples) }
        examples.vectors = left.map { vectors[$0] ?? .multiDense([]) }
        var row = hits[chosen].row
        guard let similarity = examples.similarity(in: hits[chosen].source, view, overlapping: false),
            similarity.isPresent(row)
        else { return [] }
        var out = [Float](repeating: -.infinity, count: left.count)
        out.withUnsafeMutableBufferPointer { out in
            guard let out = out.baseAddress else { return }
            similarity.similarities(of: &row, 1, into: out)
        }
        return out
    }

    /// The similarity of each point to the only example; with `overlapping`, minus infinity where no index is shared.
    func similarities(_ hits: [ReadView.Hit], to example: Examples, overlapping: Bool = false) -> [Float] {
        var out = [Float](repeating: -.infinity, count: hits.count)
        var places: [ObjectIdentifier: [Int]] = [:]
        for (place, hit) in hits.enumerated() { places[ObjectIdentifier(hit.source), default: []].append(place) }
        for group in places.values {
            guard let source = group.first.map({ hits[$0].source }),
                let similarity = example.similarity(in: source, view, overlapping: overlapping)
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
    /// A row's vector as it is compared; `nil` if it has none of this name.
    func storedVector(_ row: UInt32, _ name: String, _ view: ReadView) -> Vector? {
        guard view.config.params.hasVector(name) else { return nil }
        return stored(row, name)?.comparable
    }
}
