import OctantModel

/// A family of codes: made of rows by parameters that were learnt from them, kept in one byte form, scored against
/// queries. What all families do alike is here.
protocol CodeFamily {
    associatedtype Parameters
    associatedtype Scorer: RowScorer

    /// Bytes of the whole form for so many rows.
    static func byteCount(parameters: Parameters, count: Int) -> Int
    /// Writes the byte form of `rows` piece by piece.
    static func encode(
        rows: DenseRows, parameters: Parameters, threads: Int, measuresError: Bool,
        write: (UnsafeRawBufferPointer) throws -> Void
    ) throws
    /// Reads the byte form.
    init(bytes: UnsafeRawBufferPointer, owner: AnyObject) throws(VectorFormatError)
    /// A scorer of rows against a query, which lies in the scratch.
    func scorer(_ query: UnsafePointer<Float>, _ scratch: SearchScratch) -> Scorer
}

extension CodeFamily {
    /// Encodes into memory of its own.
    static func encoded(
        rows: DenseRows, parameters: Parameters, threads: Int, measuresError: Bool
    ) throws -> Self {
        let region = try HugeRegion(byteCount: byteCount(parameters: parameters, count: rows.count))
        var offset = 0
        try encode(rows: rows, parameters: parameters, threads: threads, measuresError: measuresError) { piece in
            if let source = piece.baseAddress {
                (region.base + offset).copyMemory(from: source, byteCount: piece.count)
            }
            offset += piece.count
        }
        return try Self(bytes: UnsafeRawBufferPointer(start: region.base, count: region.byteCount), owner: region)
    }

    /// Encodes a sample by the same parameters and compares its scores: see ``ScoreDeviation``.
    static func measuredDeviation(
        _ rows: DenseRows, _ distance: Distance, _ parameters: Parameters
    ) throws -> Float {
        let dimension = rows.dimension
        return try ScoreDeviation.sample(rows).withUnsafeBufferPointer { sample in
            guard let base = sample.baseAddress, dimension > 0 else { return 0 }
            let rows = DenseRows(base: base, count: sample.count / dimension, dimension: dimension)
            let codes = try encoded(rows: rows, parameters: parameters, threads: 1, measuresError: false)
            let scratch = ScratchPool.take()
            defer { ScratchPool.give(scratch) }
            return ScoreDeviation.measure(rows, distance) { query, out in
                let scorer = codes.scorer(query, scratch)
                for start in Swift.stride(from: 0, to: rows.count, by: SearchScratch.block) {
                    scorer.scoreRun(start, min(SearchScratch.block, rows.count - start), out + start)
                }
            }
        }
    }

    /// Encodes `count` rows of `stride` bytes a block at a time, each on up to `threads` threads, and writes the blocks.
    ///
    /// - Parameter encode: writes the codes of some rows, one after another; their bytes are zero or those of other rows.
    static func writeBlocks(
        count: Int, stride: Int, threads: Int, _ write: (UnsafeRawBufferPointer) throws -> Void,
        encode: @escaping @Sendable (Range<Int>, UnsafeMutablePointer<UInt8>) -> Void
    ) throws {
        let size = max(1, min(count, (4 << 20) / stride))
        let block = CodeBlock(byteCount: size * stride)
        for first in Swift.stride(from: 0, to: count, by: size) {
            let rows = min(size, count - first)
            let workers = max(1, min(threads, rows / 256))
            runThreads(workers) { worker in
                let from = rows * worker / workers
                encode(first + from..<first + rows * (worker + 1) / workers, block.base + from * stride)
            }
            try write(UnsafeRawBufferPointer(start: block.base, count: rows * stride))
        }
    }

    /// Writes words as they stand in files.
    static func writeWords(_ words: [UInt32], _ write: (UnsafeRawBufferPointer) throws -> Void) throws {
        try words.map(\.littleEndian).withUnsafeBytes { try write($0) }
    }

    /// Writes the zeros between `count` bytes and the next multiple of 64.
    static func pad(_ count: Int, _ write: (UnsafeRawBufferPointer) throws -> Void) throws {
        try [UInt8](repeating: 0, count: (64 - count % 64) % 64).withUnsafeBytes { try write($0) }
    }
}

/// Zeroed bytes that threads write disjoint parts of.
private final class CodeBlock: @unchecked Sendable {
    // SAFETY: threads write to disjoint rows, and the block is read after they were joined.
    let base: UnsafeMutablePointer<UInt8>

    init(byteCount: Int) {
        base = .allocate(capacity: max(1, byteCount))
        base.initialize(repeating: 0, count: max(1, byteCount))
    }

    deinit { base.deallocate() }
}
