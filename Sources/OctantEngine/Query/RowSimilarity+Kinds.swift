import OctantModel
import OctantVectors

/// The similarities of sparse vectors: dot products, 0 where no index is shared.
struct SparseSimilarity: RowSimilarity {
    let exampleCount: Int
    private let examples: [SparseWeights]
    private let row: (UInt32) -> SparseRow?

    init(_ examples: Examples, row: @escaping (UInt32) -> SparseRow?) {
        exampleCount = examples.vectors.count
        self.examples = examples.vectors.map { vector in
            if case .sparse(let sparse) = vector { SparseWeights(sparse) } else { SparseWeights(.empty) }
        }
        self.row = row
    }

    /// Whether a row has the vector; with a single example, whether it shares an index with it.
    func isPresent(_ number: UInt32) -> Bool {
        guard let row = row(number) else { return false }
        return exampleCount != 1 || examples[0].dot(row) != nil
    }

    func similarities(of rows: UnsafePointer<UInt32>, _ count: Int, into out: UnsafeMutablePointer<Float>) {
        for place in 0..<count {
            guard let row = row(rows[place]) else { continue }
            for example in 0..<exampleCount { out[example * count + place] = examples[example].dot(row) ?? 0 }
        }
    }
}

/// The similarities of multivectors by MaxSim.
struct MultiSimilarity: RowSimilarity {
    let exampleCount: Int
    private let examples: [MultiQuery]
    private let row: (UInt32) -> MultiRow?

    init(_ examples: Examples, dimension: Int, row: @escaping (UInt32) -> MultiRow?) {
        exampleCount = examples.vectors.count
        self.examples = examples.vectors.map { vector in
            var rows: [[Float]] = []
            if case .multiDense(let given) = vector { rows = given }
            return MultiQuery(rows: rows, dimension: dimension, distance: examples.distance)
        }
        self.row = row
    }

    func isPresent(_ number: UInt32) -> Bool { row(number) != nil }

    func similarities(of rows: UnsafePointer<UInt32>, _ count: Int, into out: UnsafeMutablePointer<Float>) {
        for place in 0..<count {
            guard let row = row(rows[place]) else { continue }
            for example in 0..<exampleCount { out[example * count + place] = examples[example].similarity(row) }
        }
    }
}

extension Examples {
    /// The similarities of rows whose vectors are not dense; `nil` if no row can have the vector.
    func otherSimilarity(in source: any RowSource, _ view: ReadView) -> (any RowSimilarity)? {
        if let segment = source as? Segment {
            if let field = segment.sparseField(using) { return SparseSimilarity(self) { field.index.vector($0) } }
            if let field = segment.multi.first(where: { $0.name == using }) {
                return MultiSimilarity(self, dimension: field.params.size) { field.row($0) }
            }
        }
        if let memtable = source as? Memtable {
            let count = memtable.rowCount(at: view.lsn)
            if let field = memtable.sparse.first(where: { $0.name == using }) {
                return SparseSimilarity(self) { $0 < count ? field.vector($0) : nil }
            }
            if let field = memtable.multi.first(where: { $0.name == using }) {
                return MultiSimilarity(self, dimension: field.dimension) { $0 < count ? field.vectors[Int($0)] : nil }
            }
        }
        return nil
    }

    /// The examples as they are compared: sparse ones weighted by frequency where the configuration says so, bytes
    /// under cosine divided by their length.
    func comparable(_ view: ReadView) -> Examples {
        var examples = self
        let idf = view.config.params.sparse(using)?.modifier == .idf
        let params = view.config.params.vectors[using]
        for place in vectors.indices {
            switch vectors[place] {
            case .sparse(let sparse) where idf:
                examples.vectors[place] = .sparse(
                    view.weightedByFrequency(sparse, using: using, among: idfCorpus))
            case .dense(let components):
                if let params { examples.vectors[place] = .dense(params.comparable(components)) }
            case .sparse, .multiDense, .document: break
            }
        }
        return examples
    }
}
