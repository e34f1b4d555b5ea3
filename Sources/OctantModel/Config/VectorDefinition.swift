/// A vector that is added to a collection that exists.
public enum VectorDefinition: Sendable, Hashable {
    /// A dense vector, or several of them for each point.
    case dense(VectorParams)
    /// A sparse vector.
    case sparse(SparseVectorParams)
}

extension CollectionConfig {
    /// This configuration with one vector more; `nil` if it is there already.
    ///
    /// Throws `badInput` if another vector has the name, and `badRequest` for a dense vector beside an unnamed one.
    public func adding(_ name: String, _ definition: VectorDefinition) throws(OctantError) -> CollectionConfig? {
        if let present = params.vectors[name].map(VectorDefinition.dense)
            ?? params.sparse(name).map(VectorDefinition.sparse)
        {
            guard present == definition else {
                throw OctantError(.badInput, "Vector '\(name)' already exists with another configuration")
            }
            return nil
        }
        var changed = self
        switch (definition, params.vectors) {
        case (.sparse(let added), _):
            changed.params.sparseVectors.append(NamedSparseVectorParams(name: name, params: added))
        case (.dense(let added), .named(let list)):
            changed.params.vectors = .named(list + [NamedVectorParams(name: name, params: added)])
        case (.dense, .single):
            throw OctantError(
                .badRequest, "A named dense vector cannot be added to a collection with a single unnamed vector")
        }
        return changed
    }

    /// This configuration without one of its vectors. Throws `badInput` if there is none of this name.
    public func removing(_ name: String) throws(OctantError) -> CollectionConfig {
        guard params.hasVector(name) else { throw .unknownVector(name) }
        var changed = self
        changed.params.sparseVectors.removeAll { $0.name == name }
        changed.params.vectors =
            switch params.vectors {
            case .single(let params): name.isEmpty ? .named([]) : .single(params)
            case .named(let list): .named(list.filter { $0.name != name })
            }
        return changed
    }
}
