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
    /// One bit for each component, for scans that take the place of a graph.
    case scan

    /// Whether making codes means learning from the rows, too much work for a segment that will soon be merged.
    var isTrained: Bool {
        switch self {
        case .int8, .packed, .scan: false
        case .product: true
        }
    }

    /// The recipe, as written in the manifest.
    package var description: String {
        switch self {
        case .int8(let quantile): "int8 quantile=\(quantile.map { "\($0)" } ?? "full")"
        case .product(let width): "product width=\(width)"
        case .packed(let width): width.description
        case .scan: Self.scanDescription
        }
    }
}

extension CodeRecipe {
    static let scanDescription = "scan"
}

/// What a vector's configuration asks of a segment: which codes and which graph. Pure: values in, values out.
package struct IndexPolicy {
    /// The codes of a segment with a graph; `nil`: none.
    private let walkedCodes: CodeRecipe?
    /// The codes of a segment without one; `nil`: none.
    private let flatCodes: CodeRecipe?
    /// The graph to build where one is built; `nil`: nothing is to be indexed.
    package let graph: HNSWParameters?
    /// Whether a segment of fitting size has codes to be scanned instead of a graph.
    private let mayScan: Bool
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
        if isOwn, graph != nil, case .packed? = walkedCodes {
            mayScan = ScanParameters.fit(vector.params.distance, dimension: vector.params.size)
        } else {
            mayScan = false
        }
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

    /// What indexes a segment's vectors.
    package enum Index {
        /// Codes of all rows are scanned.
        case scan
        case graph(HNSWParameters)
    }

    /// Sizes of segments in which all rows are scanned, by one bit a component, instead of walking a graph: up to the last
    /// one that takes no more time than a walk of the same recall even where the codes come from memory, and none to build
    /// (docs/performance.md, "Scan or walk"). Below the first, either takes a few microseconds, and a graph can grow.
    package static let scannedRows = 1024...16_384

    /// How a segment of so many rows is to be indexed; `nil`: not at all. Only what is the user's own choice of codes, or on
    /// disk, always has a graph.
    package func index(rows: Int) -> Index? {
        graph.map { mayScan && Self.scannedRows.contains(rows) ? .scan : .graph($0) }
    }

    /// The codes of a segment that is indexed in this way, or not at all; `nil`: no codes.
    package func codes(_ index: Index?) -> CodeRecipe? {
        switch index {
        case .graph?: walkedCodes
        case .scan?: .scan
        case nil: flatCodes
        }
    }

    /// A graph's parameters, as written in the manifest.
    package static func describe(_ parameters: HNSWParameters) -> String {
        "m=\(parameters.m) ef_construct=\(parameters.efConstruct)"
    }

    /// Whether the files of `segment` are what the policy asks for. A graph is, whatever the number of rows.
    package func matches(_ segment: SegmentEntry, vector: String) -> Bool {
        if segment.isScanned(vector) {
            guard case .scan? = index(rows: segment.rowCount) else { return false }
            return true
        }
        let wanted = segment.file(.graph, vector) != nil ? walkedCodes : flatCodes
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

extension SegmentEntry {
    /// Whether codes that are there to be scanned take the place of the vector's graph.
    func isScanned(_ vector: String) -> Bool {
        file(.graph, vector) == nil && file(.codes, vector)?.parameters == CodeRecipe.scanDescription
    }
}
