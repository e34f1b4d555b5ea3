import OctantModel
package import OctantStorage
import OctantVectors

/// What a saved graph is a part of: of which job, which rows it took in which order, and how it is built. A job with the
/// same answers comes to the same rows, so that it can go on with the graph. Bytes: `docs/format/saved-build.md`.
package struct SavedBuild: Sendable, Equatable {
    /// A segment that the job replaces.
    struct Source: Sendable, Equatable {
        var uuid: UUIDBytes
        var rowCount: Int
        /// The checksum of the file of ids, which are a segment's own for ever.
        var idsCRC: UInt32
        /// A bit for each row: whether the job took it over. Rows die while a job runs and after a restart; those that it
        /// had taken by then stay where they are, as dead ones.
        var taken: [UInt64]
    }

    /// The step of the optimizer.
    var plan: OptimizerPlan
    /// What of the collection's configuration decides what comes of it, as JSON.
    var settings: String
    /// The segments of the plan, in its order.
    var sources: [Source]
    /// Which of the plan's new segments.
    var piece: SegmentRecipe.Piece
    /// The vector's name.
    var vector: String
    /// How the graph is built.
    var graph: HNSWParameters
    /// Rows of the graph when it is complete.
    var rowCount: Int

    /// Segments of one plan, at most: what a sound file has, and a damaged one must not make memory of.
    private static let sourcesMax = 1 << 16
    static let blockType: BlockFileType = "PART"

    /// The name of its file: no two builds that run have the same first source, piece and vector.
    func fileName(vectorNumber: Int) -> String {
        let first = plan.sources.first ?? .zero
        return "\(first)-\(piece.number)-\(vectorNumber)"
    }

    /// The bytes before the graph.
    func encoded() -> [UInt8] {
        var out = ByteWriter(capacity: 4096)
        out.u32(1)
        out.u32(0)
        out.string(plan.reason.rawValue)
        out.u8((plan.indexed ? 1 : 0) | (plan.growsFirst ? 2 : 0))
        out.u32(UInt32(truncatingIfNeeded: piece.of))
        out.u32(UInt32(truncatingIfNeeded: piece.number))
        out.string(settings)
        out.string(vector)
        out.u32(UInt32(truncatingIfNeeded: graph.m))
        out.u32(UInt32(truncatingIfNeeded: graph.efConstruct))
        out.u64(graph.seed)
        out.u64(UInt64(rowCount))
        out.varint(UInt64(sources.count))
        for source in sources {
            out.uuid(source.uuid)
            out.u64(UInt64(source.rowCount))
            out.u32(source.idsCRC)
            for word in source.taken { out.u64(word) }
        }
        out.pad(to: 64)
        var bytes = out.bytes
        let length = UInt32(truncatingIfNeeded: bytes.count)
        for place in 0..<4 { bytes[4 + place] = UInt8(truncatingIfNeeded: length >> UInt32(8 * place)) }
        return bytes
    }

    /// How many bytes stand before the graph; `nil` if that is impossible.
    static func length(_ bytes: UnsafeRawBufferPointer) -> Int? {
        guard bytes.count >= 8 else { return nil }
        let length = Int(UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: 4, as: UInt32.self)))
        return length % 64 == 0 && length >= 64 && length <= bytes.count ? length : nil
    }

    /// Reads what `encoded` wrote; throws `corrupt` if the bytes are nothing of the kind.
    package init(_ bytes: UnsafeRawBufferPointer, name: String) throws(StorageError) {
        var reader = ByteReader(bytes, name: name)
        guard try reader.u32() == 1 else { throw reader.damaged("unknown format of a saved build") }
        _ = try reader.u32()
        guard let reason = OptimizerPlan.Reason(rawValue: try reader.string()) else {
            throw reader.damaged("unknown reason of a job")
        }
        let flags = try reader.u8()
        piece = SegmentRecipe.Piece(number: 0, of: Int(try reader.u32()))
        piece.number = Int(try reader.u32())
        settings = try reader.string()
        vector = try reader.string()
        let (m, efConstruct) = (Int(try reader.u32()), Int(try reader.u32()))
        graph = HNSWParameters(m: m, efConstruct: efConstruct, seed: try reader.u64())
        guard let rowCount = Int(exactly: try reader.u64()), rowCount < 1 << 31 else {
            throw reader.damaged("impossible row count")
        }
        self.rowCount = rowCount
        sources = []
        let count = try reader.count(unit: 28)
        guard count > 0, count <= Self.sourcesMax else { throw reader.damaged("impossible number of segments") }
        for _ in 0..<count { sources.append(try Self.source(&reader)) }
        guard flags & ~3 == 0, flags & 1 != 0, graph.m == m, graph.efConstruct == efConstruct, piece.of >= 1,
            piece.number < piece.of, piece.of <= sources.reduce(0, { $0 + $1.rowCount }),
            Set(sources.map(\.uuid)).count == count
        else { throw reader.damaged("an impossible job") }
        plan = OptimizerPlan(
            reason: reason, sources: sources.map(\.uuid), indexed: true, growsFirst: flags & 2 != 0, pieces: piece.of)
    }

    private static func source(_ reader: inout ByteReader) throws(StorageError) -> Source {
        let uuid = try reader.uuid()
        guard let rowCount = Int(exactly: try reader.u64()), rowCount < Int(UInt32.max),
            (rowCount + 63) / 64 <= reader.remaining / 8
        else { throw reader.damaged("impossible row count of a segment") }
        let idsCRC = try reader.u32()
        var taken: [UInt64] = []
        taken.reserveCapacity((rowCount + 63) / 64)
        for _ in 0..<(rowCount + 63) / 64 { taken.append(try reader.u64()) }
        return Source(uuid: uuid, rowCount: rowCount, idsCRC: idsCRC, taken: taken)
    }

    init(
        plan: OptimizerPlan, settings: String, sources: [Source], piece: SegmentRecipe.Piece, vector: String,
        graph: HNSWParameters, rowCount: Int
    ) {
        self.plan = plan
        self.settings = settings
        self.sources = sources
        self.piece = piece
        self.vector = vector
        self.graph = graph
        self.rowCount = rowCount
    }

    /// Whether `segments` are what the job was to replace.
    func isOf(_ segments: [SegmentEntry]) -> Bool {
        sources.allSatisfy { source in
            segments.contains { entry in
                entry.uuid == source.uuid && entry.rowCount == source.rowCount
                    && entry.file(.ids)?.summary.crc == source.idsCRC
            }
        }
    }
}

extension CollectionConfig {
    /// What of it decides what jobs make of segments: one that was planned with other settings is planned anew.
    var jobSettings: String {
        var config = self
        config.optimizer.maxOptimizationThreads = nil
        config.optimizer.flushIntervalSeconds = 0
        config.hnsw.maxIndexingThreads = 0
        config.wal = WALConfig()
        config.strictMode = nil
        config.metadata = nil
        return config.json.text
    }
}
