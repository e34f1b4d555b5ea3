import OctantModel
import OctantStorage
import OctantVectors

extension SegmentRecipe {
    /// Bytes that making the segments is expected to allocate at its peak: told by rows, widths, settings and the sizes of
    /// the sources' files, before anything is read. Pieces are made one after another.
    package var estimatedMemory: Int {
        let kept = sources.reduce(0) { sum, source in
            sum + (source.keepsDead ? source.rowCount : source.rowCount - source.rows.tombstones.killedCount)
        }
        let rows = (max(0, kept) + piece.of - 1) / piece.of
        let mapped = sources.reduce(0) { $0 + $1.rowCount } * MemoryLayout<UInt32>.stride * piece.of
        var stages = [IDMap.encodingBytes(rows) + rows * (MemoryLayout<PointID>.stride + 8), rows * 16]
        for vector in config.params.denseVectors { stages.append(estimate(vector, rows)) }
        if !config.params.multivectors.isEmpty { stages.append(rows * 16) }
        for vector in config.params.sparseVectors {
            let entries = sources.reduce(0) { sum, source in
                sum + ((source.rows as? Segment)?.sparseField(vector.name)?.index.entryCount ?? 0)
            }
            stages.append(rows * 8 + entries / piece.of * 24)
        }
        for index in fieldIndexes where index.schema.isAvailable { stages.append(estimate(index) / piece.of) }
        return mapped + rows * SegmentWriter.placeBytes + SegmentWriter.fileBytes + (stages.max() ?? 0)
    }

    /// Codes and graph of a vector.
    private func estimate(_ vector: NamedVectorParams, _ rows: Int) -> Int {
        let (params, policy) = (vector.params, IndexPolicy(vector, config: config))
        let index = indexed ? policy.index(rows: rows) : nil
        let codes = policy.codes(index)
        let isCoded = rows >= SegmentWriter.codedRowsMin
        let made = isCoded ? codes.flatMap { indexed || !$0.isTrained ? $0 : nil } : nil
        let encoding = made?.encodingBytes(rows: rows, params, threads: threads) ?? 0
        guard case .graph(let graph)? = index else { return rows / 4 + encoding }
        // The segment's own if they are of 8 bits, else others that live as long as the build.
        var held = isCoded ? Int8Codes.estimatedBytes(count: rows, dimension: params.size) : 0
        if case .int8? = made, lowMemory != .disabled { held = 0 }
        let building = HNSWBuilder.estimatedBytes(
            parameters: graph, count: rows, threads: threads, dimension: params.size)
        return rows / 4 + max(encoding, held + building, inlining(policy, made, rows, params))
    }

    /// The codes that an inline graph takes from all over its segment, and its buffer.
    private func inlining(_ policy: IndexPolicy, _ made: CodeRecipe?, _ rows: Int, _ params: VectorParams) -> Int {
        guard policy.inlineGraph != nil, let made else { return 0 }
        let codes: Int
        switch made {
        case .int8: codes = Int8Codes.estimatedBytes(count: rows, dimension: params.size)
        case .product(let width): codes = rows * (params.size / width + 1)
        case .scan: codes = 0
        case .packed(let width):
            codes = PackedParameters.estimatedBytes(
                count: rows, dimension: params.size, width: width, distance: params.distance)
        }
        return (lowMemory == .disabled ? codes : 0) + InlineGraph.writingBytes
    }

    /// The values of a key while their index is made: by the sizes of the sources' indexes, or of their payload.
    private func estimate(_ index: Manifest.FieldIndexEntry) -> Int {
        sources.reduce(0) { sum, source in
            guard let entry = (source.rows as? Segment)?.entry else { return sum + source.rowCount * 64 }
            let file = entry.file(.fieldIndex, index.key.description) ?? entry.file(.payload)
            return sum + 4 * Int(clamping: file?.summary.size ?? 0)
        }
    }
}

extension CodeRecipe {
    /// Bytes that making codes allocates at most, besides what is written.
    func encodingBytes(rows: Int, _ vector: VectorParams, threads: Int) -> Int {
        switch self {
        case .int8(let quantile):
            return Int8Codes.encodingBytes(count: rows, dimension: vector.size, quantile: quantile)
        case .product(let width):
            let shape = ProductShape(distance: vector.distance, dimension: vector.size, width: width)
            return shape.map { ProductParameters.encodingBytes(shape: $0, count: rows, threads: threads) } ?? 0
        case .scan: return ScanParameters.encodingBytes(count: rows, dimension: vector.size)
        case .packed(let width):
            return PackedParameters.encodingBytes(
                count: rows, dimension: vector.size, width: width, distance: vector.distance)
        }
    }
}
