package import OctantModel
import OctantVectors

extension VectorParams {
    /// A client's vector as it is stored and searched by: checked, and normalised for cosine.
    ///
    /// Throws `badInput` for a wrong width or a number that is not finite.
    package func prepared(_ vector: Vector, name: String) throws(OctantError) -> [Float] {
        switch vector {
        case .dense(let components): return try prepared(components, name: name)
        case .sparse: throw .wrongVectorKind(name)
        case .multiDense: throw OctantError(.badInput, "a dense vector is expected for '\(name)'")
        }
    }

    private func prepared(_ given: [Float], name: String) throws(OctantError) -> [Float] {
        var components = given
        guard components.count == size else {
            throw .wrongDimension(expected: size, got: components.count, name: name)
        }
        guard components.allSatisfy(\.isFinite) else { throw .notFinite(name) }
        if distance == .cosine {
            components.withUnsafeMutableBufferPointer { buffer in
                if let base = buffer.baseAddress { DenseKernels.normalize(base, buffer.count) }
            }
        }
        return components
    }
}

extension SparseVectorParams {
    /// A client's vector as it is stored and searched by: checked, indices ascending.
    package func prepared(_ vector: Vector, name: String) throws(OctantError) -> SparseVector {
        guard case .sparse(let given) = vector else { throw .wrongVectorKind(name) }
        try given.check(name)
        guard given.values.allSatisfy(\.isFinite) else { throw .notFinite(name) }
        return given.sorted
    }
}

extension CollectionParams {
    /// A client's vector as it is stored: of the kind of the vector of this name, checked, in stored form.
    ///
    /// Throws `badInput` for an unknown name, another kind, a wrong width or a number that is not finite.
    package func prepared(_ vector: Vector, name: String) throws(OctantError) -> Vector {
        if let params = vectors[name] { return .dense(try params.prepared(vector, name: name)) }
        guard let params = sparse(name) else { throw .unknownVector(name) }
        return .sparse(try params.prepared(vector, name: name))
    }

    /// The vectors of a point in stored form.
    package func prepared(_ vectors: NamedVectors) throws(OctantError) -> NamedVectors {
        var entries: [NamedVectors.Entry] = []
        entries.reserveCapacity(vectors.entries.count)
        for entry in vectors.entries {
            entries.append(
                NamedVectors.Entry(name: entry.name, vector: try prepared(entry.vector, name: entry.name)))
        }
        return NamedVectors(entries)
    }
}

extension ReadView {
    /// What a search for a vector, or for the vector of a point, looks for in the vector of the name `using`; and the
    /// point that may not be found because the query is its own.
    package func target(
        _ input: VectorInput, using: String
    ) throws(OctantError) -> (target: NearestSearch.Target, distance: Distance, excluded: PointID?) {
        guard config.params.hasVector(using) else { throw .unknownVector(using) }
        let vector: Vector
        var excluded: PointID?
        switch input {
        case .vector(let given): vector = try config.params.prepared(given, name: using)
        case .id(let id):
            guard let (source, row) = locate(id) else {
                throw OctantError(.notFound, "No point with id \(id) found")
            }
            guard let stored = source.stored(row, using) else {
                throw OctantError(.badInput, "Point \(id) does not have vector with name \(using)")
            }
            vector = stored.vector
            excluded = id
        }
        let (target, distance) = target(of: vector, using: using)
        return (target, distance, excluded)
    }

    /// A vector in stored form as what a search looks for.
    package func target(of vector: Vector, using: String) -> (NearestSearch.Target, Distance) {
        let distance = config.params.vectors[using]?.distance ?? .dot
        switch vector {
        case .dense(let components): return (.dense(components), distance)
        case .sparse(let sparse):
            return (.sparse(sparse, idf: config.params.sparse(using)?.modifier == .idf), .dot)
        case .multiDense(let rows): return (.dense(rows.first ?? []), distance)
        }
    }
}

extension OctantError {
    /// The error for a sparse vector where another is wanted, and the other way around.
    static func wrongVectorKind(_ name: String) -> OctantError {
        OctantError(.badInput, "Conversion between sparse and regular vectors failed for vector '\(name)'")
    }

    /// The error for infinity or NaN.
    static func notFinite(_ name: String) -> OctantError {
        OctantError(.badInput, "Vector '\(name)' contains a number that is not finite")
    }
}
