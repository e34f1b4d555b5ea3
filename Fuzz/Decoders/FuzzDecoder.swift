import OctantEngine
import OctantModel
import OctantPayload
import OctantService
import OctantStorage
import OctantVectors

/// Everything that reads bytes which a client or a disk can have any of. Each takes a byte string, and neither ends the
/// process nor reads outside of its memory: what `make fuzz-decoders` and the tests of the corpus find out.
///
/// A new decoder is a new case here, with a folder of seeds in `Fuzz/corpus`.
public enum FuzzDecoder: String, CaseIterable, Sendable {
    case log, operation, generation, manifest, catalog, superblock, marker, tuning
    case blockFile = "block-file"
    case ids, payload, graph, codes, sparse
    case fieldIndex = "field-index"
    case savedBuild = "saved-build"
    case inlineGraph = "inline-graph"
    case packedFloats = "packed-floats"
    case json, filter, query, points, settings
    case payloadPath = "payload-path"
    case collection, aliases
    case archive
    case archiveSection = "archive-section"
    case multipart, xml
    #if Server
    case yaml, protobuf
    #endif

    /// Reads `bytes`; whether they were taken for valid.
    @discardableResult
    public func accepts(_ bytes: [UInt8]) -> Bool {
        do {
            switch self {
            case .log, .operation, .generation, .manifest, .catalog, .superblock, .marker, .tuning, .blockFile:
                try readFolder(bytes)
            case .ids, .payload, .graph, .inlineGraph, .codes, .sparse, .fieldIndex, .savedBuild, .packedFloats:
                try Self.aligned(bytes) { try readSegment($0, $1) }
            case .json, .filter, .query, .points, .settings, .payloadPath, .collection, .aliases:
                try readRequest(bytes)
            default: try readWire(bytes)
            }
            return true
        } catch {
            return false
        }
    }

    // MARK: Files of the folder

    private func readFolder(_ bytes: [UInt8]) throws {
        switch self {
        case .log: try Self.readLog(bytes)
        case .operation:
            guard let type = bytes.first else { throw StorageError(.corrupt, "empty") }
            let rest = Array(bytes.dropFirst())
            let operation = try rest.withUnsafeBytes { try UpdateOperation(logType: type, $0) }
            _ = try operation.encoded().withUnsafeBytes { try UpdateOperation(logType: type, $0) }
            if case .upsert(let points) = operation { for point in points { _ = point.payload.object } }
        case .generation:
            let files = try Self.files("/x/CATALOG-0000000000000007", bytes)
            let store = GenerationStore(directory: "/x", prefix: "CATALOG", fileSystem: files)
            _ = try store.survey()
            _ = try store.loadNewest()
        case .manifest: _ = try Manifest(try Manifest(bytes).encoded())
        case .catalog: _ = try Catalog(try Catalog(bytes).encoded())
        case .superblock:
            let files = try Self.files("/x/SUPER-a", bytes)
            _ = try SuperblockStore.inspect(directory: "/x", fileSystem: files)
        case .marker: _ = try ReplayMarker.decode(bytes)
        case .tuning: _ = try TuningStore.Content(bytes)
        default:
            let files = try Self.files("/x/file", bytes)
            // The type is part of the header; a file of another one is refused after everything else was read.
            let type = String(decoding: bytes.dropFirst(12).prefix(4), as: UTF8.self)
            let file = try BlockFile(path: "/x/file", type: BlockFileType(type), fileSystem: files)
            for offset in try file.damagedBlocks() { _ = file.dataRange(ofBlockAt: offset) }
            try file.verify()
        }
    }

    private static func readLog(_ bytes: [UInt8]) throws {
        let files = try files("/x/0000000000000001.wal", bytes)
        for checkpoint: LSN in [0, 3] {
            _ = try WriteAheadLog.inspect(
                directory: "/x", fileSystem: files, collection: .zero, shard: 0, after: checkpoint
            ) { _ = try? UpdateOperation(logType: $0.type, $0.payload) }
        }
    }

    static func files(_ path: String, _ bytes: [UInt8]) throws -> SimulatedFileSystem {
        let files = SimulatedFileSystem()
        try files.makeDirectory("/x")
        let file = try files.open(path, .create)
        try bytes.withUnsafeBytes { try file.write($0, at: 0) }
        return files
    }

    // MARK: Files of segments

    /// Memory that begins where a mapped file's would.
    private static func aligned(_ bytes: [UInt8], _ body: (UnsafeRawBufferPointer, AnyObject) throws -> Void) throws {
        let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: max(1, bytes.count), alignment: 4096)
        defer { memory.deallocate() }
        memory.copyBytes(from: bytes)
        try body(UnsafeRawBufferPointer(rebasing: memory[..<bytes.count]), AlignedOwner())
    }

    private final class AlignedOwner {}

    private func readSegment(_ bytes: UnsafeRawBufferPointer, _ owner: AnyObject) throws {
        switch self {
        case .ids:
            let ids = try IDMap(bytes)
            for row in 0..<UInt32(min(ids.rowCount, 300)) {
                _ = ids.version(row)
                _ = ids.row(of: ids.id(row))
                _ = ids.lowerBound(ids.id(row))
            }
        case .payload:
            let payload = Payload(bytes: Array(bytes))
            _ = payload.object
            _ = PayloadView(bytes).member("n")
        case .savedBuild: _ = try SavedBuild(bytes, name: "build")
        case .graph: try Self.walk(try HNSWGraph(bytes: bytes, owner: owner))
        case .inlineGraph:
            let graph = try InlineGraph(bytes: bytes, owner: owner)
            try graph.validate()
        case .packedFloats: try Self.readRows(bytes)
        case .codes: try Self.search(try VectorCodes(bytes: bytes, owner: owner), owner)
        case .sparse:
            let index = try SparseIndex(bytes: bytes, owner: owner)
            for row in 0..<UInt32(min(index.count, 300)) { _ = index.vector(row)?.count }
            for dimension: UInt32 in [0, 1, 7, .max] { _ = index.documentFrequency(dimension) { _ in true } }
        default:
            let index = try FieldIndex(bytes: bytes, owner: owner)
            _ = (index.key.description, index.schema.type, index.distinctCount)
        }
    }

    /// Walks a graph over rows of one component.
    private static func walk(_ graph: HNSWGraph) throws {
        guard graph.count > 0, graph.count <= 1 << 16 else { return }
        let rows = (0..<graph.count).map { Float($0 % 17) }
        rows.withUnsafeBufferPointer { buffer in
            guard let base = buffer.baseAddress else { return }
            let index = DenseIndex(
                distance: .euclid, rows: DenseRows(base: base, count: rows.count, dimension: 1), codes: nil,
                graph: graph, owner: AlignedOwner())
            _ = withUnsafePointer(to: Float(3)) {
                index.search(query: $0, options: DenseIndex.Options(limit: 5, ef: 16))
            }
        }
    }

    /// Scans codes.
    private static func search(_ codes: VectorCodes, _ owner: AnyObject) throws {
        guard codes.count > 0, codes.count * codes.dimension <= 1 << 18 else { return }
        let rows = (0..<codes.count * codes.dimension).map { Float($0 % 13) }
        let query = (0..<codes.dimension).map { Float($0 % 5) }
        rows.withUnsafeBufferPointer { buffer in
            guard let base = buffer.baseAddress else { return }
            let index = DenseIndex(
                distance: codes.distance,
                rows: DenseRows(base: base, count: codes.count, dimension: codes.dimension), codes: codes, graph: nil,
                owner: owner)
            query.withUnsafeBufferPointer { query in
                guard let base = query.baseAddress else { return }
                _ = index.search(query: base, options: DenseIndex.Options(limit: 5, ef: 16))
            }
        }
    }

    /// Reads and compares rows of packed floats. Before them stand their width, their number (two bytes each), and how
    /// many exceptions they have room for.
    private static func readRows(_ bytes: UnsafeRawBufferPointer) throws {
        let head = 8
        guard bytes.count >= head, let form = PackedFloatForm(slots: Int(bytes[4])) else {
            throw StorageError(.corrupt, "no head")
        }
        let (dimension, count) = (Int(bytes[0]) | Int(bytes[1]) << 8, Int(bytes[2]) | Int(bytes[3]) << 8)
        let data = UnsafeRawBufferPointer(rebasing: bytes[head...])
        guard let rows = DenseRows(packed: data, form, count: count, dimension: dimension) else {
            throw StorageError(.corrupt, "not so many rows")
        }
        let ids = (0..<UInt32(count)).map { $0 }
        var scores = [Float](repeating: 0, count: count)
        for distance in Distance.allCases where count > 0 {
            let query = rows.copy(0)
            DenseKernels.gather(distance, query: query, rows: rows, ids: ids, count: count, out: &scores)
            DenseKernels.batch(distance, query: query, rows: rows, start: 0, count: count, out: &scores)
        }
        for row in ids where rows.packedPlace(row) == .damaged { throw StorageError(.corrupt, "row \(row)") }
    }

    // MARK: Requests and settings

    private func readRequest(_ bytes: [UInt8]) throws {
        switch self {
        case .json:
            let value = try JSONParser.parse(bytes)
            _ = try JSONParser.parse(Array(value.text.utf8))
        case .filter: _ = try Filter(json: try JSONParser.parse(bytes))
        case .query: try Self.readQueries(bytes)
        case .points: try Self.readWrites(bytes)
        case .payloadPath: _ = try PayloadPath(String(decoding: bytes, as: UTF8.self))
        case .collection:
            let json = try JSONParser.parse(bytes)
            _ = try? CollectionPatch(json: json)
            _ = try CreateCollection(json: json)
        case .aliases: _ = try SchemaJSON.aliases(bytes)
        default:
            guard case .object(let file) = try JSONParser.parse(bytes) else {
                throw StorageError(.corrupt, "no object")
            }
            _ = try ServerSettings.load(
                files: [file], environment: [("QDRANT__" + String(decoding: bytes.prefix(64), as: UTF8.self), "1")])
        }
    }

    private static func readQueries(_ bytes: [UInt8]) throws {
        _ = try? ReadsJSON.groups(bytes)
        _ = try? ReadsJSON.facet(bytes)
        _ = try? ReadsJSON.matrix(bytes)
        _ = try? ReadsJSON.scroll(bytes)
        _ = try? ReadsJSON.count(bytes)
        _ = try? ReadsJSON.retrieve(bytes)
        for family in [QueryFamily.search, .recommend, .discover] { _ = try? ReadsJSON.query(bytes, family) }
        _ = try ReadsJSON.query(bytes)
    }

    private static func readWrites(_ bytes: [UInt8]) throws {
        _ = try? PointsJSON.updateVectors(bytes)
        _ = try? PointsJSON.batch(bytes)
        _ = try? SchemaJSON.fieldIndex(bytes)
        for name in ["delete", "delete_vectors", "set_payload", "overwrite_payload", "delete_payload", "clear_payload"]
        {
            _ = try? PointsJSON.operation(name, bytes)
        }
        _ = try PointsJSON.upsert(bytes)
    }
}
