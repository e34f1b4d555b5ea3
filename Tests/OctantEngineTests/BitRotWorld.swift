import Octant
import OctantEngine
import OctantModel
import OctantStorage
import Testing

/// A data folder in memory with every kind of file, and what it holds. Made once; each mutation gets a copy.
struct BitRotWorld: @unchecked Sendable {
    // SAFETY: models are values, file systems guard themselves.
    /// The folder as a clean shutdown left it.
    let files: SimulatedFileSystem
    /// The same folder some operations earlier.
    let earlier: SimulatedFileSystem
    /// What `hurt` holds after each operation that only the log has, the last being what it holds.
    let hurt: [Model]
    /// What `other` holds.
    let other: Model
    /// All files but locks and spares, with their lengths.
    let paths: [(path: String, size: Int)]
    /// The folder of `hurt`.
    let hurtFolder: String

    static let path = "/data"
    static let logFileBytes = 64 << 10
    /// Wide enough to be packed.
    private static let width = 36

    static func config() -> CollectionConfig {
        var config = allKindsConfig()
        var besideLinks = HNSWConfigDiff()
        besideLinks.memory = .cold
        besideLinks.inlineStorage = true
        let extra: [NamedVectorParams] = [
            .init(
                name: "product",
                params: VectorParams(
                    size: width, distance: .euclid, quantization: .product(ProductQuantization(compression: .x8)))),
            .init(
                name: "binary",
                params: VectorParams(
                    size: width, distance: .dot, hnsw: besideLinks,
                    quantization: .binary(BinaryQuantization(memory: .cold)), onDisk: true)),
        ]
        config.params.vectors = .named(config.params.vectors.all + extra)
        return config
    }

    static func limits() -> ShardLimits {
        var limits = ShardLimits()
        limits.memtableRows = 512
        limits.queueBytesMax = 1 << 20
        limits.logFileBytes = logFileBytes
        return limits
    }

    static func open(
        _ files: SimulatedFileSystem, log: (@Sendable (String) -> Void)? = nil
    ) throws(OctantError) -> Database {
        var options = DatabaseOptions(path: path)
        options.searchThreads = 1
        options.optimizerThreads = 1
        options.scrubBytesPerSecond = 0
        options.log = log
        return try Database.open(options, fileSystem: files, limits: limits())
    }

    static let shared = Result { try make() }

    private static func make() throws -> BitRotWorld {
        let files = SimulatedFileSystem()
        let database = try open(files)
        defer { database.close() }
        var requests = RandomRequests(generator: SeededGenerator(seed: 7))
        requests.allKinds = true
        var other = Model()
        var model = Model()
        for name in ["other", "hurt"] {
            try database.createCollection(name, config())
            let collection = try database.collection(name)
            try collection.createFieldIndex(PayloadPath("n"), FieldIndexSchema(type: .integer))
            try collection.createFieldIndex(PayloadPath("t"), FieldIndexSchema(type: .keyword))
            model = Model()
            for round in 0..<2 {
                try upsert(300, into: collection, &model, &requests, from: UInt64(round * 220))
                try flush(collection)
            }
            other = name == "other" ? model : other
        }
        let collection = try database.collection("hurt")
        let deaths = UpdateOperation.delete(
            .ids(model.points.keys.sorted().enumerated().filter { $0.0 % 29 == 0 }.map(\.1)))
        try collection.update(deaths)
        _ = model.apply(deaths)
        collection.shard.freeze()
        while try collection.shard.flushFrozen() {}
        settle(collection, "bit rot")
        let earlier = files.powerCut(.everything, seed: 0)
        var models = [model]
        while models.count < 12 {
            let operation = requests.operation()
            guard model.apply(operation) else { continue }
            try collection.update(operation)
            models.append(model)
        }
        database.close()
        let image = files.powerCut(.everything, seed: 0)
        let folder = "\(path)/c/\(collection.shard.uuid)"
        return BitRotWorld(
            files: image, earlier: earlier, hurt: models, other: other, paths: try list(image, path),
            hurtFolder: folder)
    }

    private static func flush(_ collection: Collection) throws {
        collection.shard.freeze()
        while try collection.shard.flushFrozen() {}
        settle(collection, "bit rot")
    }

    private static func upsert(
        _ count: Int, into collection: Collection, _ model: inout Model, _ requests: inout RandomRequests, from: UInt64
    ) throws {
        let points = (0..<UInt64(count)).map { number -> Point in
            var entries = requests.vectors().entries
            for name in ["product", "binary"] {
                entries.append(.init(name: name, vector: .dense(requests.quarters(width))))
            }
            let id = number % 3 == 0 ? PointID.uuid(UUIDValue(high: 5, low: from + number)) : .number(from + number)
            return Point(id: id, vectors: NamedVectors(entries), payload: Payload(requests.payload()))
        }
        for start in stride(from: 0, to: count, by: 60) {
            let operation = UpdateOperation.upsert(Array(points[start..<min(count, start + 60)]))
            try collection.update(operation)
            _ = model.apply(operation)
        }
    }

    /// Files below a folder.
    static func list(_ files: SimulatedFileSystem, _ folder: String) throws -> [(path: String, size: Int)] {
        var all: [(path: String, size: Int)] = []
        for name in try files.list(folder) where name != "LOCK" && !name.hasPrefix("spare-") {
            let path = folder + "/" + name
            switch try files.kind(path) {
            case .directory: all += try list(files, path)
            case .file(let size): all.append((path, size))
            default: continue
            }
        }
        return all
    }

    func bytes(_ path: String, in other: SimulatedFileSystem? = nil) -> [UInt8]? {
        try? (other ?? files).readAll(path)
    }

    /// The folder with one change.
    func mutated(_ mutation: Mutation) throws -> SimulatedFileSystem {
        let copy = files.powerCut(.everything, seed: 0)
        for (path, bytes) in mutation.content(self) {
            if let bytes {
                let file = try copy.open(path, .createOrTruncate)
                try bytes.withUnsafeBytes { try file.write($0, at: 0) }
                try file.sync()
            } else {
                try copy.unlink(path)
            }
        }
        return copy
    }
}

/// One thing that happens to a folder.
enum Mutation: CustomStringConvertible {
    case flip(String, Int, UInt8)
    case truncate(String, Int)
    case zero(String, Range<Int>)
    case extend(String)
    case swap(String, String)
    /// The content of another file, or of an earlier time, under this name.
    case stale(String, from: String?)
    case remove(String)

    var description: String {
        switch self {
        case .flip(let path, let offset, let mask): "flip \(mask) at \(offset) of \(path)"
        case .truncate(let path, let size): "truncate \(path) to \(size)"
        case .zero(let path, let range): "zero \(range) of \(path)"
        case .extend(let path): "extend \(path)"
        case .swap(let a, let b): "swap \(a) and \(b)"
        case .stale(let path, let from): "\(path) as \(from ?? "it was earlier")"
        case .remove(let path): "remove \(path)"
        }
    }

    var paths: [String] {
        switch self {
        case .flip(let path, _, _), .truncate(let path, _), .zero(let path, _), .extend(let path), .stale(let path, _),
            .remove(let path):
            [path]
        case .swap(let a, let b): [a, b]
        }
    }

    /// The new contents of files; `nil`: the file is gone.
    func content(_ world: BitRotWorld) -> [(String, [UInt8]?)] {
        switch self {
        case .flip(let path, let offset, let mask):
            guard var bytes = world.bytes(path), offset < bytes.count else { return [] }
            bytes[offset] ^= mask
            return [(path, bytes)]
        case .truncate(let path, let size):
            guard let bytes = world.bytes(path) else { return [] }
            return [(path, Array(bytes.prefix(size)))]
        case .zero(let path, let range):
            guard var bytes = world.bytes(path) else { return [] }
            for place in range.clamped(to: 0..<bytes.count) { bytes[place] = 0 }
            return [(path, bytes)]
        case .extend(let path): return [(path, (world.bytes(path) ?? []) + [UInt8](repeating: 0x5A, count: 100))]
        case .swap(let a, let b): return [(a, world.bytes(b)), (b, world.bytes(a))]
        case .stale(let path, let from?): return [(path, world.bytes(from))]
        case .stale(let path, nil): return [(path, world.bytes(path, in: world.earlier))]
        case .remove(let path): return [(path, nil)]
        }
    }

    /// All kinds over all files, in an order in which every piece of the list has some of each: headers and trailers byte
    /// by byte, `flips` random flips a file, cuts and zeroed pages at every 4 KiB, exchanged, earlier and missing files.
    static func all(_ world: BitRotWorld, flips: Int, seed: UInt64) -> [Mutation] {
        var random = SeededGenerator(seed: seed)
        var list: [Mutation] = []
        for (path, size) in world.paths {
            for offset in 0..<min(64, size) { list.append(.flip(path, offset, 1 << UInt8(offset % 8))) }
            for offset in max(0, size - 48)..<size { list.append(.flip(path, offset, 1 << UInt8(offset % 8))) }
            for _ in 0..<flips where size > 0 {
                list.append(
                    .flip(path, Int.random(in: 0..<size, using: &random), UInt8.random(in: 1...255, using: &random)))
            }
            // Log files are mostly unwritten: the pages in use, and some others.
            for start in stride(from: 0, to: size, by: 4096) where start < 32 << 10 || start % (256 << 10) == 0 {
                list.append(.truncate(path, start))
                list.append(.zero(path, start..<start + 4096))
            }
            list.append(.zero(path, 0..<size))
            list.append(.extend(path))
            // Without the newest catalog nothing says that there was one.
            if !path.contains("/CATALOG-") { list.append(.remove(path)) }
            if world.bytes(path, in: world.earlier) != world.bytes(path) { list.append(.stale(path, from: nil)) }
        }
        for (a, _) in world.paths {
            let name = a.split(separator: "/").last ?? ""
            for (b, _) in world.paths where a < b {
                guard name.prefix(5) == (b.split(separator: "/").last ?? "").prefix(5) else { continue }
                list.append(.swap(a, b))
                list.append(.stale(a, from: b))
                list.append(.stale(b, from: a))
            }
        }
        return list.shuffled(using: &random)
    }
}
