#if Server
import OctantModel
import OctantProtocol

extension Vector {
    /// Reads a vector in its present or its older form. `path` is where it stands in the request.
    init(_ message: Qdrant_Vector, _ path: @autoclosure () -> String) throws(OctantError) {
        switch message.vector {
        case .dense(let dense): self = try .dense(checked: dense.data, path())
        case .sparse(let sparse): self = try .sparse(sparse, path())
        case .multiDense(let multi): self = .multiDense(multi.vectors.map(\.data))
        case .document(let document): self = .document(try Document(document))
        case .image(let image): self = .document(Document(.image, model: image.model))
        case .object(let object): self = .document(Document(.object, model: object.model))
        case nil:
            if message.hasIndices {
                self = try .sparse(indices: message.indices.data, values: message.data, path())
            } else if message.hasVectorsCount {
                self = .multiDense(try Self.rows(message.data, count: message.vectorsCount, path()))
            } else {
                self = try .dense(checked: message.data, path())
            }
        }
    }

    /// Reads a sparse vector.
    static func sparse(
        _ message: Qdrant_SparseVector, _ path: @autoclosure () -> String
    ) throws(OctantError) -> Vector {
        try sparse(indices: message.indices, values: message.values, path())
    }

    /// A sparse vector of these parts.
    static func sparse(
        indices: [UInt32], values: [Float], _ path: @autoclosure () -> String
    ) throws(OctantError) -> Vector {
        let vector = SparseVector(indices: indices, values: values)
        try vector.check(path())
        return .sparse(vector)
    }

    /// The rows of a multivector in its older form, where they follow each other in one list.
    private static func rows(
        _ numbers: [Float], count: UInt32, _ path: @autoclosure () -> String
    ) throws(OctantError) -> [[Float]] {
        guard let count = Int(exactly: count), count > 0, numbers.count % count == 0 else {
            throw .invalid(
                "\(path()).vectors_count", "\(numbers.count) numbers cannot be divided into \(count) vectors")
        }
        let width = numbers.count / count
        // As many rows as numbers at most: a count that no list has cannot ask for memory.
        guard width > 0 else { throw .invalid(path(), "dense vector must not be empty") }
        return (0..<count).map { Array(numbers[$0 * width..<($0 + 1) * width]) }
    }
}

extension Document {
    /// Reads a text for a model.
    fileprivate init(_ message: Qdrant_Document) throws(OctantError) {
        self.init(.text(message.text), model: message.model, options: try Payload(message.options))
    }
}

extension NamedVectors {
    /// Reads the vectors of a point.
    init(_ message: Qdrant_Vectors, _ path: @autoclosure () -> String) throws(OctantError) {
        switch message.vectorsOptions {
        case .vector(let vector): self.init(try Vector(vector, path()))
        case .vectors(let named):
            var entries: [Entry] = []
            entries.reserveCapacity(named.vectors.count)
            for (name, vector) in named.vectors.sorted(by: { $0.key < $1.key }) {
                entries.append(Entry(name: name, vector: try Vector(vector, "\(path()).?")))
            }
            self.init(entries)
        case nil: throw .json("\(path()): expected one of `vector`, `vectors`")
        }
    }
}

extension VectorInput {
    /// Reads a vector to search by, or the id of a point that has it.
    init(_ message: Qdrant_VectorInput) throws(OctantError) {
        switch message.variant {
        case .id(let id): self = .id(try PointID(id, "query"))
        case .dense(let dense): self = .vector(try .dense(checked: dense.data, "query"))
        case .sparse(let sparse): self = .vector(try .sparse(sparse, "query"))
        case .multiDense(let multi): self = .vector(.multiDense(multi.vectors.map(\.data)))
        case .document(let document): self = .vector(.document(try Document(document)))
        case .image(let image): self = .vector(.document(Document(.image, model: image.model)))
        case .object(let object): self = .vector(.document(Document(.object, model: object.model)))
        case nil: throw .json("invalid type: null, expected a vector or a point id")
        }
    }

    /// Reads an example of the older forms.
    init(_ message: Qdrant_VectorExample) throws(OctantError) {
        switch message.example {
        case .id(let id): self = .id(try PointID(id, "query"))
        case .vector(let vector): self = .vector(try Vector(vector, "query"))
        case nil: throw .json("invalid type: null, expected a vector or a point id")
        }
    }

    /// Reads a list.
    static func list(_ messages: [Qdrant_VectorInput]) throws(OctantError) -> [VectorInput] {
        var inputs: [VectorInput] = []
        inputs.reserveCapacity(messages.count)
        for message in messages { inputs.append(try VectorInput(message)) }
        return inputs
    }
}

extension Qdrant_VectorOutput {
    /// The vector as a message, in its present form.
    init(_ value: OctantModel.Vector) {
        self.init()
        switch value {
        case .dense(let numbers): vector = .dense(Qdrant_DenseVector(numbers))
        case .sparse(let sparse):
            var message = Qdrant_SparseVector()
            message.indices = sparse.indices
            message.values = sparse.values
            vector = .sparse(message)
        case .multiDense(let rows):
            var message = Qdrant_MultiDenseVector()
            message.vectors = rows.map { Qdrant_DenseVector($0) }
            vector = .multiDense(message)
        // No stored vector is a document.
        case .document: break
        }
    }
}

extension Qdrant_DenseVector {
    fileprivate init(_ numbers: [Float]) {
        self.init()
        data = numbers
    }
}

extension Qdrant_VectorsOutput {
    /// The vectors of a point: the unnamed one bare, named ones as a map.
    init(_ vectors: NamedVectors) {
        self.init()
        if vectors.entries.count == 1, let only = vectors.entries.first, only.name.isEmpty {
            vectorsOptions = .vector(Qdrant_VectorOutput(only.vector))
            return
        }
        var named = Qdrant_NamedVectorsOutput()
        for entry in vectors.entries { named.vectors[entry.name] = Qdrant_VectorOutput(entry.vector) }
        vectorsOptions = .vectors(named)
    }
}
#endif
