import OctantModel
import OctantVectors

/// The similarities of sparse vectors: dot products, 0 where no index is shared.
struct SparseSimilarity: RowSimilarity {
    let exampleCount: Int
    private let examples: [SparseWeights]
    private let row: (UInt32) -> SparseRow?
    private let overlapping: Bool

    init(_ examples: Examples, overlapping: Bool, row: @escaping (UInt32) -> SparseRow?) {
        exampleCount = examples.vectors.count
        self.overlapping = overlapping
        self.examples = examples.vectors.map { vector in
            if case .sparse(let sparse) = vector { SparseWeights(sparse) } else { SparseWeights(.empty) }
        }
        self.row = row
    }

    /// Whether a row has the vector; where only overlaps count, whether it shares an index with the first example.
    func isPresent(_ number: UInt32) -> Bool {
        guard let row = row(number) else { return false }
        return !overlapping || examples.first?.dot(row) != nil
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
    func otherSimilarity(in source: any RowSource, _ view: ReadView, overlapping: Bool) -> (any RowSimilarity)? {
        if let segment = source as? Segment {
            if let field = segment.sparseField(using) {
                return SparseSimilarity(self, overlapping: overlapping) { field.index.vector($0) }
            }
            if let field = segment.multi.first(where: { $0.name == using }) {
                return MultiSimilarity(self, dimension: field.params.size) { field.row($0) }
            }
        }
        if let memtable = source as? Memtable {
            let count = memtable.rowCount(at: view.lsn)
            if let field = memtable.sparse.first(where: { $0.name == using }) {
                return SparseSimilarity(self, overlapping: overlapping) { $0 < count ? field.vector($0) : nil }
            }
            if let field = memtable.multi.first(where: { $0.name == using }) {
                return MultiSimilarity(self, dimension: field.dimension) { $0 < count ? field.vectors[Int($0)] : nil }
            }
        }
        return nil
    }

    /// The examples as they are compared: sparse ones weighted by frequency where the configuration says so, bytes
    /// under cosine divided by their length.
    func comparable(_ view: ReadView) -> Examples { scaled(view).weighted(view) }

    /// Sparse examples weighted by frequency where the configuration says so.
    func weighted(_ view: ReadView) -> Examples {
        guard view.config.params.sparse(using)?.modifier == .idf else { return self }
        var examples = self
        for place in vectors.indices {
            guard case .sparse(let sparse) = vectors[place] else { continue }
            examples.vectors[place] = .sparse(view.weightedByFrequency(sparse, using: using, among: idfCorpus))
        }
        return examples
    }

    /// Bytes under cosine divided by their length.
    func scaled(_ view: ReadView) -> Examples {
        guard let params = view.config.params.vectors[using] else { return self }
        var examples = self
        for place in vectors.indices {
            guard case .dense(let components) = vectors[place] else { continue }
            examples.vectors[place] = .dense(params.comparable(components))
        }
        return examples
    }
}
