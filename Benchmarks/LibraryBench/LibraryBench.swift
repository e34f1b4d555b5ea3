import BenchSupport
import Octant

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// A collection of the data set's points, and measurements of it.
struct LibraryBench {
    /// Read only if the collection has to be filled: a server of queries does not have them in memory either.
    private let vectors: Array2D?
    private let queries: [[Float]]
    private let truth: Array2D
    private let database: Database
    private let collection: Collection
    private let payloadPath: String?
    private let isNew: Bool

    private static let fieldIndexes: [(String, FieldIndexType)] = [
        ("year", .integer), ("rank", .integer), ("major", .integer), ("keywords", .keyword), ("month", .keyword),
        ("prerelease", .bool), ("word_len", .float), ("log_rank", .float), ("released_at", .datetime),
    ]

    init(_ words: ArraySlice<String>) throws {
        var rest = words
        var values: [String: String] = [:]
        var flags: Set<String> = []
        while let word = rest.popFirst() {
            if ["--int8", "--on-disk", "--graph-on-disk"].contains(word) {
                flags.insert(word)
            } else {
                values[word] = rest.popFirst()
            }
        }
        guard let data = values["--data"], let storage = values["--storage"] else {
            throw BenchFailure(description: "--data FOLDER and --storage FOLDER are needed")
        }
        let queries = try Array2D(path: data + "/queries.f32.npy", type: "<f4", bytes: 4)
        truth = try Array2D(path: data + "/gt_top100.i32.npy", type: "<i4", bytes: 4)
        self.queries = (0..<queries.rows).map { queries.floats($0) }
        payloadPath = values["--payload"]

        var options = DatabaseOptions(path: storage)
        options.optimizerThreads = values["--threads"].flatMap(Int.init) ?? 0
        options.searchThreads = values["--search-threads"].flatMap(Int.init) ?? 0
        database = try Database.open(options)
        isNew = !database.collectionExists("bench")
        vectors = isNew ? try Array2D(path: data + "/vectors.f16.npy", type: "<f2", bytes: 2) : nil
        var params = VectorParams(size: queries.columns, distance: .cosine, onDisk: flags.contains("--on-disk"))
        params.memory = values["--vectors"].flatMap(MemoryPlacement.init(rawValue:))
        var config = CollectionConfig(params: CollectionParams(vectors: .single(params)))
        if flags.contains("--graph-on-disk") { config.hnsw.onDisk = true }
        config.hnsw.memory = values["--graph"].flatMap(MemoryPlacement.init(rawValue:))
        if let codes = values["--codes"].flatMap(MemoryPlacement.init(rawValue:)) {
            config.quantization = .scalar(ScalarQuantization(quantile: 0.99, memory: codes))
        }
        if flags.contains("--int8") {
            config.quantization = .scalar(ScalarQuantization(quantile: 0.99, alwaysRAM: true))
        }
        if let number = values["--segments"].flatMap(Int.init) { config.optimizer.defaultSegmentNumber = number }
        if isNew { try database.createCollection("bench", config) }
        collection = try database.collection("bench")
    }

    /// Writes all points in batches, then waits until they are indexed; prints the times.
    func load() throws {
        guard isNew, let vectors else { return try ready() }
        if payloadPath != nil {
            for (key, type) in Self.fieldIndexes {
                try collection.createFieldIndex(PayloadPath(key), FieldIndexSchema(type: type))
            }
        }
        let payloads = try payloadPath.map { try readLines($0).map { Payload(try JSONParser.parse($0)) } } ?? []
        let points = (0..<vectors.rows).map { row in
            Point(
                id: .number(UInt64(row)), vectors: NamedVectors(.dense(vectors.halves(row))),
                payload: row < payloads.count ? payloads[row] : .empty)
        }
        let wall = wallSeconds()
        let cpu = processSeconds()
        for start in stride(from: 0, to: points.count, by: 1000) {
            try collection.update(.upsert(Array(points[start..<min(start + 1000, points.count)])))
        }
        let written = wallSeconds() - wall
        var quiet = 0
        while quiet < 8 {
            quiet = collection.info().status == .green ? quiet + 1 : 0
            usleep(250_000)
        }
        // The time of the wait itself is taken off: eight looks of a quarter of a second.
        report([
            ("kind", "\"load\""), ("points", "\(points.count)"), ("write_s", decimal(written)),
            ("green_s", decimal(wallSeconds() - wall - 2)), ("cpu_s", decimal(processSeconds() - cpu)),
            ("peak_mb", decimal(status("VmHWM"))),
        ])
        try ready()
    }

    private func ready() throws {
        report([
            ("kind", "\"ready\""), ("anon_mb", decimal(status("RssAnon"))), ("file_mb", decimal(status("RssFile"))),
            ("indexed", "\(collection.info().indexedVectorsCount)"), ("segments", "\(collection.info().segmentsCount)"),
        ])
    }

    /// Answers commands until the input ends.
    func serve() {
        while let line = readLine() {
            do { try measure(line) } catch { report([("kind", "\"error\""), ("error", "\"\(error)\"")]) }
        }
    }

    private func measure(_ line: String) throws {
        guard case .object(let command) = try JSONParser.parse(line) else { return }
        var params = SearchParams(hnswEF: command.int("ef"), exact: command["exact"] == .bool(true))
        if command["rescore"] != nil || command["ignore"] != nil {
            params.quantization = QuantizationSearchParams(
                ignore: command["ignore"] == .bool(true), rescore: command["rescore"] == .bool(true),
                oversampling: command.double("oversampling"))
        }
        if command["acorn"] == .bool(true) { params.acorn = AcornParams(enable: true, maxSelectivity: 1) }
        let filter = try command["filter"].map { try Filter(json: $0) }
        var wanted = truth
        if case .string(let path)? = command["truth"] { wanted = try Array2D(path: path, type: "<i4", bytes: 4) }
        let count = command.int("queries").map { min($0, queries.count) } ?? queries.count
        let requests = queries.prefix(count).map {
            QueryRequest(query: .nearest(.vector(.dense($0))), filter: filter, params: params, limit: 10)
        }
        // With "cold", the first queries are those that find nothing in memory.
        if command["cold"] != .bool(true) { for request in requests.prefix(100) { _ = try collection.query(request) } }
        if let clients = command.int("clients"), clients > 0 { return loaded(requests, clients) }
        var found: [[ScoredPoint]] = []
        found.reserveCapacity(count)
        var times: [Double] = []
        times.reserveCapacity(count)
        let reads = DiskTraffic()
        let cpu = processSeconds()
        let wall = wallSeconds()
        for request in requests {
            let start = wallSeconds()
            found.append(try collection.query(request))
            times.append(wallSeconds() - start)
        }
        let (cpuTime, wallTime) = (processSeconds() - cpu, wallSeconds() - wall)
        let traffic = DiskTraffic() - reads
        times.sort()
        var hits = 0
        var total = 0
        for (row, points) in found.enumerated() {
            let expected = Set(wanted.integers(row).prefix(10).filter { $0 >= 0 }.map { PointID.number(UInt64($0)) })
            hits += points.count { expected.contains($0.id) }
            total += expected.count
        }
        report([
            ("kind", "\"search\""), ("recall", decimal(Double(hits) / Double(max(total, 1)))),
            ("cpu_us", decimal(cpuTime / Double(count) * 1e6)), ("wall_us", decimal(wallTime / Double(count) * 1e6)),
            ("p50_us", decimal(times[times.count / 2] * 1e6)), ("p99_us", decimal(times[times.count * 99 / 100] * 1e6)),
            ("read_kb", decimal(Double(traffic.bytes) / Double(count) / 1024)),
            ("major_faults", decimal(Double(traffic.majorFaults) / Double(count))),
            ("anon_mb", decimal(status("RssAnon"))), ("file_mb", decimal(status("RssFile"))),
        ])
    }

    /// All queries by each of several clients at once.
    private func loaded(_ requests: [QueryRequest], _ clients: Int) {
        let cpu = processSeconds()
        let wall = wallSeconds()
        let threads = (0..<clients).map { _ in
            BenchThread { for request in requests { _ = try? collection.query(request) } }
        }
        for thread in threads { thread.join() }
        let total = Double(requests.count * clients)
        let (cpuTime, wallTime) = (processSeconds() - cpu, wallSeconds() - wall)
        report([
            ("kind", "\"load\""), ("clients", "\(clients)"), ("qps", decimal(total / wallTime)),
            ("cpu_us", decimal(cpuTime / total * 1e6)),
        ])
    }

    func close() { database.close() }
}

extension JSONObject {
    fileprivate func int(_ key: String) -> Int? {
        if case .integer(let value)? = self[key] { Int(value) } else { nil }
    }

    fileprivate func double(_ key: String) -> Double? {
        switch self[key] {
        case .integer(let value): Double(value)
        case .double(let value): value
        default: nil
        }
    }
}

extension Payload {
    fileprivate init(_ value: JSONValue) {
        if case .object(let object) = value { self.init(object) } else { self = .empty }
    }
}
