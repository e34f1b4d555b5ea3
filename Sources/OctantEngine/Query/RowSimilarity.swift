package import OctantModel
import OctantVectors

/// Vectors that rows are compared with: checked, and normalised for cosine.
package struct Examples: Hashable, Sendable {
    /// The vector's name.
    package var using: String
    /// Its distance.
    package var distance: Distance
    /// The examples; at least one unless a query has none by its nature.
    package var vectors: [Vector]
    /// Which points count for the frequencies that sparse examples are weighted by; unset: all.
    package var idfCorpus: Filter?

    package init(using: String, distance: Distance, vectors: [Vector], idfCorpus: Filter? = nil) {
        self.idfCorpus = idfCorpus
        self.using = using
        self.distance = distance
        self.vectors = vectors
    }
}

/// What custom scores know of vectors: how similar rows of one part are to each of some examples.
protocol RowSimilarity {
    /// How many examples there are.
    var exampleCount: Int { get }
    /// Whether a row has the vector.
    func isPresent(_ row: UInt32) -> Bool
    /// Similarities of rows that have the vector: `out[e * count + i]` is that of `rows[i]` to example *e*.
    func similarities(of rows: UnsafePointer<UInt32>, _ count: Int, into out: UnsafeMutablePointer<Float>)
}

extension Examples {
    /// The similarities of a part's rows; `nil` if no row of it can have the vector.
    func similarity(in source: any RowSource, _ view: ReadView) -> (any RowSimilarity)? {
        if let segment = source as? Segment, let field = segment.field(using) {
            return DenseSimilarity(self, field.rows) { field.isPresent($0) }
        }
        if let memtable = source as? Memtable, let field = memtable.fields.first(where: { $0.name == using }) {
            return DenseSimilarity(self, field.rows(memtable.rowCount(at: view.lsn))) { field.isPresent($0) }
        }
        return otherSimilarity(in: source, view)
    }
}

/// The similarities of dense vectors.
private struct DenseSimilarity: RowSimilarity {
    let exampleCount: Int
    private let distance: Distance
    private let rows: DenseRows
    private let examples: [Float]
    private let present: (UInt32) -> Bool

    /// `nil` if the examples are not dense vectors of the rows' width.
    init?(_ examples: Examples, _ rows: DenseRows, present: @escaping (UInt32) -> Bool) {
        exampleCount = examples.vectors.count
        distance = examples.distance
        self.rows = rows
        self.present = present
        var flat: [Float] = []
        flat.reserveCapacity(exampleCount * rows.dimension)
        for vector in examples.vectors {
            guard case .dense(let components) = vector, components.count == rows.dimension else { return nil }
            flat += components
        }
        self.examples = flat
    }

    func isPresent(_ row: UInt32) -> Bool { Int(row) < rows.count && present(row) }

    func similarities(of ids: UnsafePointer<UInt32>, _ count: Int, into out: UnsafeMutablePointer<Float>) {
        examples.withUnsafeBufferPointer { examples in
            guard let base = examples.baseAddress else { return }
            for example in 0..<exampleCount {
                DenseKernels.gather(
                    distance, query: base + example &* rows.dimension, rows: rows, ids: ids, count: count,
                    out: out + example &* count)
            }
        }
    }
}
