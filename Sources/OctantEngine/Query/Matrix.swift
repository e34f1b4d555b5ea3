package import OctantModel
import OctantVectors

extension QueryRun {
    /// The nearest neighbours of randomly chosen points among themselves; empty if fewer than two can be chosen.
    package func matrix(_ request: MatrixRequest) throws(OctantError) -> DistanceMatrix {
        guard let distance = view.config.params.distance(request.using) else { throw .unknownVector(request.using) }
        guard request.sample <= MatrixRequest.sampleMax else {
            throw OctantError(.badRequest, "A matrix is made of at most \(MatrixRequest.sampleMax) points")
        }
        let filter = Filter.joined(request.filter, Filter(must: [.hasVector(request.using)]))
        let sample = min(request.sample, max(view.liveCount, 1))
        let points = sampled(view.candidates(filter), limit: sample).sorted { $0.id < $1.id }
        guard points.count >= 2 else { return DistanceMatrix() }
        let hits = points.map(\.hit)
        var matrix = DistanceMatrix(ids: points.map(\.id))
        for (place, hit) in hits.enumerated() {
            guard let vector = hit.source.storedVector(hit.row, request.using, view) else { continue }
            let example = Examples(using: request.using, distance: distance, vectors: [vector])
            let similarities = similarities(hits, to: example.weighted(view), overlapping: true)
            let order = similarities.indices.filter { $0 != place && similarities[$0] > -.infinity }
                .sorted { similarities[$0] != similarities[$1] ? similarities[$0] > similarities[$1] : $0 < $1 }
            matrix.rows.append(
                order.prefix(request.limit).map {
                    .init(
                        place: $0,
                        score: DenseKernels.reportedScore(distance, similarity: similarities[$0]))
                })
        }
        return matrix
    }
}
