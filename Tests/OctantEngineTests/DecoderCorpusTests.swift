import FuzzDecoders
import Octant
import OctantEngine
import OctantModel
import OctantStorage
import OctantVectors
import Testing

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// Every decoder over its committed seeds and mutations of them: what the fuzzer does, without coverage and for a moment.
///
/// `OCTANT_FUZZ_RUNS=<number>` of mutations of each seed, `OCTANT_SEED=<number>` other ones.
/// `OCTANT_WRITE_CORPUS=1` writes the seeds that are files of a data folder, where there are none.
@Suite("Decoders")
struct DecoderCorpusTests {
    private static let corpus: String = {
        let root = "\(#filePath)".split(separator: "/", omittingEmptySubsequences: false).dropLast(3)
        return root.joined(separator: "/") + "/Fuzz/corpus"
    }()

    private static func number(_ name: String, _ unset: UInt64) -> UInt64 {
        getenv(name).flatMap { UInt64(String(cString: $0)) } ?? unset
    }

    @Test("no seed and no mutation of one ends the process, and seeds are read", arguments: FuzzDecoder.allCases)
    func mutations(_ decoder: FuzzDecoder) throws {
        let files = LocalFileSystem()
        let folder = Self.corpus + "/" + decoder.rawValue
        if getenv("OCTANT_WRITE_CORPUS") != nil { try Self.write(decoder, folder) }
        let names = try files.list(folder)
        let seeds = try names.map { try files.readAll(folder + "/" + $0) }
        #expect(!seeds.isEmpty)
        for (name, seed) in zip(names, seeds) where !name.hasPrefix("bad-") {
            #expect(decoder.accepts(seed), "\(decoder.rawValue)/\(name)")
        }
        var random = SeededGenerator(seed: Self.number("OCTANT_SEED", 1))
        var refused = 0
        let runs = Self.number("OCTANT_FUZZ_RUNS", 150)
        for seed in seeds {
            for _ in 0..<runs {
                let other = seeds.randomElement(using: &random) ?? []
                if !decoder.accepts(Self.mutated(seed, other, &random)) { refused += 1 }
            }
        }
        // Something that takes everything reads nothing.
        if decoder != .payload { #expect(refused > 0) }
    }

    private static func mutated(_ seed: [UInt8], _ other: [UInt8], _ random: inout SeededGenerator) -> [UInt8] {
        var bytes = seed
        for _ in 0..<Int.random(in: 1...4, using: &random) {
            if bytes.isEmpty { bytes.append(UInt8.random(in: 0...255, using: &random)) }
            let place = Int.random(in: 0..<bytes.count, using: &random)
            switch Int.random(in: 0..<8, using: &random) {
            case 0, 1, 2:
                bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &random)
            case 3: bytes[place] = [0, 1, 0x7F, 0x80, 0xFF].randomElement(using: &random) ?? 0
            case 4: bytes.removeLast(bytes.count - place)
            case 5: bytes.insert(contentsOf: other.prefix(Int.random(in: 0...64, using: &random)), at: place)
            case 6 where bytes.count >= 8:
                let start = min(place, bytes.count - 8)
                let word: UInt64 = [0, .max, 1 << 31, 1 << 32, 1 << 63, .max >> 1].randomElement(using: &random) ?? 0
                for byte in 0..<8 { bytes[start + byte] = UInt8(truncatingIfNeeded: word >> (8 * UInt64(byte))) }
            default:
                let end = min(bytes.count, place + Int.random(in: 0...32, using: &random))
                bytes.removeSubrange(place..<end)
            }
        }
        return bytes
    }

    // MARK: Seeds

    private static func write(_ decoder: FuzzDecoder, _ folder: String) throws {
        let files = LocalFileSystem()
        guard try files.kind(folder) == nil else { return }
        try files.makeDirectories(folder)
        for (number, seed) in try seeds(decoder).enumerated() {
            let file = try files.open("\(folder)/seed-\(number)", .create)
            try seed.withUnsafeBytes { try file.write($0, at: 0) }
        }
    }

    /// Small real files, and bodies of requests.
    private static func seeds(_ decoder: FuzzDecoder) throws -> [[UInt8]] {
        if let texts = texts[decoder] { return texts.map { Array($0.utf8) } }
        let world = try BitRotWorld.shared.get()
        func newest(_ part: String) -> [UInt8] {
            world.paths.map(\.path).filter { $0.contains(part) }.sorted().last.flatMap { world.bytes($0) } ?? []
        }
        func contents(_ prefix: String) throws -> [[UInt8]] {
            try world.paths.filter { $0.path.contains("/seg/") && $0.path.contains("/\(prefix)") }
                .sorted { $0.size < $1.size }.map { path, _ in
                    let bytes = world.bytes(path) ?? []
                    let type = BlockFileType(String(decoding: bytes[12..<16], as: UTF8.self))
                    return try data(path, type, world.files)
                }
        }
        switch decoder {
        case .log:
            // As of no collection, which the decoder reads.
            let files = SimulatedFileSystem()
            let (log, _) = try WriteAheadLog.open(
                directory: "/x", fileSystem: files, collection: .zero, shard: 0, after: 0
            ) { _ in }
            log.start()
            for bytes in operations() {
                _ = try log.append(type: bytes[0], payload: Array(bytes.dropFirst()))
            }
            log.close()
            let bytes = try files.readAll("/x/0000000000000001.wal")
            return [Array(bytes.prefix(((bytes.lastIndex { $0 != 0 } ?? 0) + 71) & ~63))]
        case .operation: return operations()
        case .generation:
            let files = SimulatedFileSystem()
            try files.makeDirectory("/x")
            let store = GenerationStore(directory: "/x", prefix: "CATALOG", fileSystem: files)
            _ = try store.loadNewest()
            for _ in 0..<7 { _ = try store.publish([1, 2, 3]) }
            return [try files.readAll("/x/CATALOG-0000000000000007")]
        case .manifest: return [Array(newest("/MANIFEST-").dropFirst(64))]
        case .catalog: return [Array(newest("/CATALOG-").dropFirst(64))]
        case .superblock: return [newest("/SUPER-a")]
        case .marker:
            let files = SimulatedFileSystem()
            try files.makeDirectory("/x")
            _ = try ReplayMarker("/x", after: nil, files)
            return [try files.readAll("/x/" + ReplayMarker.name)]
        case .tuning: return [TuningStore.Content().encoded()]
        case .blockFile: return [newest("/del/")]
        case .ids: return [try contents("ids").first ?? []]
        case .graph: return [try contents("graph").first ?? []]
        case .inlineGraph: return [try contents("inline").first ?? []]
        case .packedFloats: return packedRows()
        case .codes:
            var families: [UInt64: [UInt8]] = [:]
            for codes in try contents("codes") {
                let magic = codes.withUnsafeBytes { $0.loadUnaligned(as: UInt64.self) }
                families[magic] = families[magic] ?? codes
            }
            return families.sorted { $0.key < $1.key }.map(\.value)
        case .sparse: return [try contents("sparse").first ?? []]
        case .fieldIndex: return try fieldIndexes()
        case .archive: return try archives().map(\.bytes)
        case .archiveSection: return try archives().map(\.section)
        default: return [Payload(["n": .integer(1), "l": .array([.null, .string("ü")])]).bytes]
        }
    }

    /// Rows of packed floats behind the head that the decoder reads. Each third row is kept whole.
    private static func packedRows() -> [[UInt8]] {
        var generator = SeededGenerator(seed: 9)
        return [(33, 6, 1), (48, 5, 2), (32, 3, 0)].map { dimension, count, slots in
            guard let form = PackedFloatForm(slots: slots) else { return [] }
            var bytes: [UInt8] = [UInt8(dimension), 0, UInt8(count), 0, UInt8(slots), 0, 0, 0]
            var whole: [UInt8] = []
            for row in 0..<count {
                var floats = randomVector(dimension, &generator)
                for place in 0..<(row % 3 == 2 ? 9 : slots) { floats[place] = 1e-20 }
                floats[20] = -0.0
                floats[21] = 1e-41
                var packed = [UInt8](repeating: 0, count: form.rowBytes(dimension))
                if !RowElement.packedFloat32(form).encode(floats, dimension, into: &packed) {
                    form.mark(whole.count / (4 * dimension), dimension, into: &packed)
                    whole += floats.withUnsafeBytes { Array($0) }
                }
                bytes += packed
            }
            return bytes + whole
        }
    }

    /// A snapshot of a collection and one of the storage, each with the description of a collection in it.
    private static func archives() throws -> [(bytes: [UInt8], section: [UInt8])] {
        let files = SimulatedFileSystem()
        let database = try BitRotWorld.open(files)
        defer { database.close() }
        try database.createCollection("c", plainConfig(2))
        try database.updateAliases([.create(alias: "a", collection: "c")])
        try database.collection("c").update(
            .upsert([Point(id: .number(1), vectors: NamedVectors(.dense([1, 2])))]))
        return try [SnapshotScope.collection("c"), .storage].map { scope in
            let name = try database.createSnapshot(scope).name
            let bytes = try files.readAll(try database.snapshotFile(scope, name: name))
            // The header has 64 bytes, the first frame 16, with the length of the section at 4.
            let length = (68..<76).reversed().reduce(0) { $0 << 8 | Int(bytes[$1]) }
            return (bytes, Array(bytes[80..<80 + length]))
        }
    }

    private static func operations() -> [[UInt8]] {
        var requests = RandomRequests(generator: SeededGenerator(seed: 3))
        requests.allKinds = true
        var found: [UInt8: [UInt8]] = [:]
        for _ in 0..<400 {
            let operation = requests.operation()
            let bytes = [operation.logType] + operation.encoded()
            if bytes.count < found[operation.logType]?.count ?? .max, bytes.count > 12 {
                found[operation.logType] = bytes
            }
        }
        return found.sorted { $0.key < $1.key }.map(\.value)
    }

    /// An index of each type over a few payloads.
    private static func fieldIndexes() throws -> [[UInt8]] {
        let date = "2024-05-06T07:08:09Z"
        let uuid = "6f1c7a86-7f43-4b7f-9a25-08c1a9d1e0aa"
        let values: [FieldIndexType: [JSONValue]] = [
            .keyword: [.string("a"), .string("b")], .integer: [.integer(4), .integer(-1)],
            .float: [.double(0.5), .double(2)], .bool: [.bool(true), .bool(false)], .datetime: [.string(date)],
            .uuid: [.string(uuid)], .text: [.string("two words"), .string("words")],
            .geo: [.object(["lon": .double(1), "lat": .double(2)])],
        ]
        return try values.sorted { $0.key.rawValue < $1.key.rawValue }.map { type, values in
            let files = SimulatedFileSystem()
            try files.makeDirectory("/x")
            let folder = SegmentFolder(path: "/x", uuid: .zero, fileSystem: files)
            let payloads = (values + [.null, .array(values)]).map { Payload(["k": $0]).bytes }
            let index = Manifest.FieldIndexEntry(
                key: try PayloadPath("k"), schema: FieldIndexSchema(type: type))
            let memory = payloads.map { bytes -> UnsafeRawBufferPointer in
                let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count, alignment: 8)
                copy.copyBytes(from: bytes)
                return UnsafeRawBufferPointer(copy)
            }
            defer { for piece in memory { piece.deallocate() } }
            let entry = try SegmentWriter.writeIndex(index, folder: folder, rowCount: memory.count, payloads: memory)
            return try data("/x/" + entry.summary.name, "FIDX", files)
        }
    }

    private static func data(_ path: String, _ type: BlockFileType, _ files: SimulatedFileSystem) throws -> [UInt8] {
        let file = try BlockFile(path: path, type: type, fileSystem: files)
        return withExtendedLifetime(file) { Array(file.data) }
    }

    private static let texts: [FuzzDecoder: [String]] = [
        .json: [#"{"a":[1,-2.5e3,true,null,"\u00e9\n"],"b":{"c":18446744073709551615}}"#, "[[[[]]]]"],
        .filter: [
            #"{"must":[{"key":"a[].b","match":{"any":["x","y"]}},{"key":"n","range":{"gte":1,"lt":5}}],"must_not":"#
                + #"[{"is_empty":{"key":"z"}}],"should":[{"nested":{"key":"q","filter":{"must":[{"key":"n","match":{"value":1}}]}}},{"has_id":[1]}]}"#,
            #"{"min_should":{"conditions":[{"key":"g","geo_radius":{"center":{"lon":1,"lat":2},"radius":3}}],"min_count":1}}"#,
        ],
        .query: [
            #"{"query":[0.1,0.2],"using":"a","filter":{"must":[{"has_id":[1,2]}]},"params":{"hnsw_ef":10},"limit":5}"#,
            #"{"prefetch":[{"query":{"indices":[1,5],"values":[0.5,2]},"using":"s","limit":20}],"query":{"fusion":"rrf"}}"#,
            #"{"query":{"recommend":{"positive":[1],"negative":[[0.1,2]],"strategy":"best_score"}},"with_payload":["a"]}"#,
            #"{"prefetch":{"query":1},"query":{"formula":{"sum":["$score",{"mult":[2,"b"]}]}}}"#,
        ],
        .points: [
            #"{"points":[{"id":1,"vector":[1,2],"payload":{"a":[1,{"b":null}]}},{"id":"6f1c7a86-7f43-4b7f-9a25-08c1a9d1e0aa","#
                + #""vector":{"d":[0.5],"s":{"indices":[3],"values":[1]},"m":[[1],[2]]}}]}"#,
            #"{"batch":{"ids":[1,2],"vectors":[[1],[2]],"payloads":[{},null]}}"#,
        ],
        .payloadPath: ["a.b[].c", #""quo.ted"[0].x"#],
        .collection: [
            #"{"vectors":{"a":{"size":4,"distance":"Cosine","on_disk":true,"quantization_config":{"binary":{}}}},"#
                + #""sparse_vectors":{"s":{"modifier":"idf"}},"hnsw_config":{"m":8},"optimizers_config":{"indexing_threshold":1}}"#
        ],
        .aliases: [#"{"actions":[{"create_alias":{"collection_name":"c","alias_name":"a"}}]}"#],
        .settings: [
            #"{"service":{"http_port":6333,"api_key":"k"},"storage":{"wal":{"wal_capacity_mb":2}},"log_level":"INFO"}"#
        ],
        .multipart: [
            "\u{3}--edge\r\nContent-Disposition: form-data; name=\"other\"\r\n\r\n1\r\n--edge\r\n"
                + "Content-Disposition: form-data; name=\"snapshot\"; filename=\"a\"\r\n\r\n-\r\r\n--edg\r\n--edge--\r\n",
            "~--edge\r\nContent-Disposition: form-data; name=snapshot\r\n\r\nbytes\r\n--edge--",
        ],
        .xml: [
            "<R><IsTruncated>true</IsTruncated><Contents><Key>a&amp;&#x41;b</Key><Size>7</Size>"
                + "<LastModified>2024-01-02T03:04:05Z</LastModified></Contents><Contents><Key>c</Key></Contents></R>"
        ],
    ]
}
