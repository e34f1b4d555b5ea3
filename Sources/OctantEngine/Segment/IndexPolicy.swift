package import OctantModel
package import OctantVectors

/// How a segment's codes are made.
package enum CodeRecipe: Hashable {
    /// 8 bits, and 4 where they are good enough, over a quantile of the components or their full range.
    case int8(quantile: Double?)
    /// A byte for each group of so many components.
    case product(width: Int)

    /// Whether making codes means learning from the rows, too much work for a segment that will soon be merged.
    var isTrained: Bool {
        switch self {
        case .int8: false
        case .product: true
        }
    }

    /// The recipe, as written in the manifest.
    package var description: String {
        switch self {
        case .int8(let quantile): "int8 quantile=\(quantile.map { "\($0)" } ?? "full")"
        case .product(let width): "product width=\(width)"
        }
    }
}

/// What a vector's configuration asks of a segment: which codes and which graph. Pure: values in, values out.
package struct IndexPolicy {
    /// The codes to keep; `nil`: none.
    package let codes: CodeRecipe?
    /// The graph to build; `nil`: none.
    package let graph: HNSWParameters?

    /// The seed of every graph: a build on one thread gives the same graph again.
    private static let seed: UInt64 = 100

    /// The policy of a vector.
    ///
    /// Codes are made where the user asks for quantisation. Where the originals are resident they are made anyway: the
    /// graph is built and walked on them, which is several times cheaper, and every score is then computed from the
    /// originals. Where the originals are on disk without quantisation, memory is what the user is short of.
    package init(_ vector: NamedVectorParams, config: CollectionConfig) {
        let hnsw = config.hnsw.applying(vector.params.hnsw)
        switch vector.params.quantization ?? config.quantization {
        case .scalar(let scalar): codes = .int8(quantile: scalar.quantile)
        case .product(let product): codes = .product(width: product.compression.width)
        // Not accepted yet.
        case .binary, .turbo: codes = nil
        case nil: codes = vector.params.isOnDisk ? nil : .int8(quantile: nil)
        }
        graph =
            hnsw.m == 0
            ? nil : HNSWParameters(m: hnsw.m, efConstruct: hnsw.efConstruct, seed: Self.seed)
    }

    /// A graph's parameters, as written in the manifest.
    package static func describe(_ parameters: HNSWParameters) -> String {
        "m=\(parameters.m) ef_construct=\(parameters.efConstruct)"
    }

    /// Whether the files of `segment` are what the policy asks for.
    package func matches(_ segment: SegmentEntry, vector: String) -> Bool {
        if let file = segment.file(.codes, vector), file.parameters != codes?.description { return false }
        guard let file = segment.file(.graph, vector) else { return true }
        if codes != nil, segment.rowCount >= SegmentWriter.codedRowsMin, segment.file(.codes, vector) == nil {
            return false
        }
        return graph.map { Self.describe($0) } == file.parameters
    }
}
