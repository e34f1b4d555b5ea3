package import OctantModel
import OctantPayload

/// Turns documents into vectors, by the models of this process. One value serves one request: documents with the same
/// options share what is made of them.
package struct Inference: Sendable {
    /// What a document is for.
    package enum Purpose: Sendable {
        /// To be stored.
        case document
        /// To be searched for.
        case query
    }

    private var last: (options: Payload, model: BM25)?

    package init() {}

    /// A vector as it is, or the one a model makes of a document. Throws `badInput` for another model, another kind of
    /// input and wrong options.
    package mutating func vector(_ vector: Vector, _ purpose: Purpose) throws(OctantError) -> Vector {
        guard case .document(let document) = vector else { return vector }
        guard ["bm25", "qdrant/bm25"].contains(document.model.lowercased()) else {
            throw OctantError(
                .badInput,
                "Model `\(document.model)` is not there: this server has `qdrant/bm25`, and no inference service is "
                    + "configured")
        }
        guard case .text(let text) = document.input else {
            throw OctantError(.badInput, "Model `\(document.model)` takes texts only")
        }
        let model = try bm25(document.options)
        let made = purpose == .document ? model.document(text) : model.query(text)
        return .sparse(SparseVector(indices: made.indices, values: made.values))
    }

    private mutating func bm25(_ options: Payload) throws(OctantError) -> BM25 {
        if let last, last.options == options { return last.model }
        let model = try BM25(try BM25Config(options: options.object))
        last = (options, model)
        return model
    }

    /// The vectors of a point to be stored.
    package mutating func vectors(_ vectors: NamedVectors) throws(OctantError) -> NamedVectors {
        guard vectors.entries.contains(where: { $0.vector.isDocument }) else { return vectors }
        var entries = vectors.entries
        for place in entries.indices { entries[place].vector = try vector(entries[place].vector, .document) }
        return NamedVectors(entries)
    }
}
