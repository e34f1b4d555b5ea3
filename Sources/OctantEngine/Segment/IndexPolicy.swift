package import OctantModel
package import OctantVectors

/// How a segment's codes are made.
package enum CodeRecipe {
    /// 8 bits, and 4 where they are good enough, over a quantile of the components or their full range.
    case int8(quantile: Double?)
    /// A byte for each group of so many components.
    case product(width: Int)
    /// A few bits for each component.
    case packed(PackedWidth)

    /// Whether making codes means learning from the rows, too much work for a segment that will soon be merged.
    var isTrained: Bool {
        switch self {
        case .int8, .packed: false
        case .product: true
        }
    }

    /// The recipe, as written in the manifest.
    package var description: String {
        switch self {
        case .int8(let quantile): "int8 quantile=\(quantile.map { "\($0)" } ?? "full")"
        case .product(let width): "product width=\(width)"
        case .packed(let width): width.description
        }
    }
}

/// What a vector's configuration asks of a segment: which codes and which graph. Pure: values in, values out.
package struct IndexPolicy {
    /// The codes of a segment with a graph; `nil`: none.
    private let walkedCodes: CodeRecipe?
    /// The codes of a segment without one; `nil`: none.
    private let flatCodes: CodeRecipe?
    /// The graph to build; `nil`: none.
    package let graph: HNSWParameters?
    /// What an inline graph is made for, as written in the manifest; `nil`: none is to be made.
    package let inlineGraph: String?
    /// Whether its records are to hold the original vectors, where they fit.
    package let inlinesOriginals: Bool

    /// The seed of every graph: a build on one thread gives the same graph again.
    private static let seed: UInt64 = 100

    /// The policy of a vector.
    ///
    /// Codes are made where the user asks for quantisation, and anyway: the graph is walked on them, which is several
    /// times cheaper, and every score is then computed from the originals. They are held as the originals are; where
    /// those are on disk, a walk reads an eighth of the bytes that it would read of the originals. Flat segments are
    /// scanned by 8 bits, whose error bound is a proven one.
    package init(_ vector: NamedVectorParams, config: CollectionConfig) {
        let hnsw = config.hnsw.applying(vector.params.hnsw)
        switch vector.params.quantization ?? config.quantization {
        case .scalar(let scalar): walkedCodes = .int8(quantile: scalar.quantile)
        case .product(let product): walkedCodes = .product(width: product.compression.width)
        case .binary(let binary): walkedCodes = .packed(PackedWidth(binary))
        case .turbo(let turbo): walkedCodes = .packed(PackedWidth(turbo))
        case nil: walkedCodes = Self.ownCodes(vector.params)
        }
        let isOwn = (vector.params.quantization ?? config.quantization) == nil
        flatCodes = isOwn && walkedCodes != nil ? .int8(quantile: nil) : walkedCodes
        graph =
            hnsw.m == 0
            ? nil : HNSWParameters(m: hnsw.m, efConstruct: hnsw.efConstruct, seed: Self.seed)
        inlinesOriginals = vector.params.isOnDisk
        if let graph, let walkedCodes, case .used = InlineStorage(vector, config: config) {
            inlineGraph =
                "\(Self.describe(graph)) \(walkedCodes.description)\(inlinesOriginals ? " originals" : "")"
        } else {
            inlineGraph = nil
        }
    }

    /// The engine's own codes for walks. Beside originals in memory, 4 bits are enough: what the walk finds is scored by
    /// the originals at once, and codes of 8 bits would only take room. On disk both are kept in one file; for Manhattan,
    /// whose distances no rotation keeps, and for few dimensions, those of 8 bits. Originals that are codes themselves need
    /// no others, but for Manhattan.
    private static func ownCodes(_ params: VectorParams) -> CodeRecipe? {
        if let datatype = params.datatype, datatype.isTurbo, params.distance != .manhattan { return nil }
        return params.isOnDisk || params.size < packedDimensionMin || params.distance == .manhattan
            ? .int8(quantile: nil) : .packed(.four)
    }

    /// Below so many dimensions 4-bit codes save no cache line worth their error.
    private static let packedDimensionMin = 96

    /// The codes of a segment that has a graph, or has none; `nil`: no codes.
    package func codes(hasGraph: Bool) -> CodeRecipe? { hasGraph ? walkedCodes : flatCodes }

    /// A graph's parameters, as written in the manifest.
    package static func describe(_ parameters: HNSWParameters) -> String {
        "m=\(parameters.m) ef_construct=\(parameters.efConstruct)"
    }

    /// Whether the files of `segment` are what the policy asks for.
    package func matches(_ segment: SegmentEntry, vector: String) -> Bool {
        let wanted = codes(hasGraph: segment.file(.graph, vector) != nil)
        if let file = segment.file(.codes, vector), file.parameters != wanted?.description { return false }
        guard let file = segment.file(.graph, vector) else { return true }
        if wanted != nil, segment.rowCount >= SegmentWriter.codedRowsMin, segment.file(.codes, vector) == nil {
            return false
        }
        guard graph.map({ Self.describe($0) }) == file.parameters else { return false }
        let isCoded = segment.file(.codes, vector) != nil
        return segment.file(.inlineGraph, vector)?.parameters == (isCoded ? inlineGraph : nil)
    }
}
