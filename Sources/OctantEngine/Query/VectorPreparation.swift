package import OctantModel
import OctantVectors

extension VectorParams {
    /// A client's vector as it is stored and searched by: checked, normalised for cosine, and rounded to the datatype.
    /// Of a multivector, `.multiDense`; a single row may be given as a dense vector.
    ///
    /// Throws `badInput` for another kind, a wrong width or a number that is not finite.
    package func prepared(_ vector: Vector, name: String) throws(OctantError) -> Vector {
        switch (vector, multivector) {
        case (.sparse, _), (.document, _): throw .wrongVectorKind(name)
        case (.dense(let components), nil): return .dense(try prepared(components, name: name))
        case (.dense(let components), _?): return .multiDense([try prepared(components, name: name)])
        case (.multiDense, nil):
            throw OctantError(.badInput, "Conversion between multi and regular vectors failed for vector '\(name)'")
        case (.multiDense(let given), _?):
            guard !given.isEmpty else {
                throw OctantError(.badInput, "Multivector must not be empty for vector '\(name)'")
            }
            guard given.allSatisfy({ !$0.isEmpty }) else {
                throw OctantError(
                    .badInput, "All vectors of a multivector must be non-empty for vector '\(name)'")
            }
            guard given.count <= Limits.multivectorNumbersMax / size else {
                throw OctantError(
                    .badInput,
                    "Multivector '\(name)' has more than \(Limits.multivectorNumbersMax) numbers")
            }
            var rows: [[Float]] = []
            rows.reserveCapacity(given.count)
            for row in given { rows.append(try prepared(row, name: name)) }
            return .multiDense(rows)
        }
    }

    private func prepared(_ given: [Float], name: String) throws(OctantError) -> [Float] {
        var components = given
        guard components.count == size else {
            throw .wrongDimension(expected: size, got: components.count, name: name)
        }
        guard components.allSatisfy(\.isFinite) else { throw .notFinite(name) }
        if datatype == .uint8 { return components.map { min(max($0, 0), 255).rounded(.towardZero) } }
        if distance == .cosine { components.normalize() }
        if let datatype, datatype.isTurbo, !TurboForm.holds(components) { throw .notFinite(name) }
        if datatype == .float16 {
            for place in components.indices { components[place] = components[place].roundedToHalf }
            guard components.allSatisfy(\.isFinite) else { throw .notFinite(name) }
        }
        return components
    }

    /// Whether stored numbers are not of unit length though the distance is cosine: bytes cannot be.
    package var isUnnormalizedCosine: Bool { datatype == .uint8 && distance == .cosine }

    /// A prepared vector as it is compared with stored ones.
    package func comparable(_ components: [Float]) -> [Float] {
        guard isUnnormalizedCosine else { return components }
        var unit = components
        unit.normalize()
        return unit
    }
}

extension [Float] {
    fileprivate mutating func normalize() {
        withUnsafeMutableBufferPointer { buffer in
            if let base = buffer.baseAddress { DenseKernels.normalize(base, buffer.count) }
        }
    }
}

extension Float {
    /// The nearest number of IEEE 754 binary16, ties to even; infinity where that is too small.
    package var roundedToHalf: Float {
        if magnitude >= 65_520 { return self < 0 ? -.infinity : .infinity }
        if magnitude < 0x1p-14 { return (self * 0x1p24).rounded(.toNearestOrEven) * 0x1p-24 }
        let bits = bitPattern
        return Float(bitPattern: (bits &+ 0xFFF &+ (bits >> 13 & 1)) & ~0x1FFF)
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
        if let params = vectors[name] { return try params.prepared(vector, name: name) }
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
        guard let params = config.params.vectors[using] else {
            guard case .sparse(let sparse) = vector else { return (.dense([]), .dot) }
            return (.sparse(sparse, idf: config.params.sparse(using)?.modifier == .idf), .dot)
        }
        switch vector {
        case .dense(let components): return (.dense(params.comparable(components)), params.distance)
        case .multiDense(let rows):
            let rows = rows.map { params.comparable($0) }
            return (.multi(MultiQuery(rows: rows, dimension: params.size, distance: params.distance)), params.distance)
        case .sparse, .document: return (.dense([]), params.distance)
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
