import BenchSupport
import Octant

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// A collection of any configuration: built in this process, or opened and asked, never both.
///
/// So a build's peak and an opened collection's memory are each a process's own. Before either, `base` is reported: what
/// the process holds without the collection, to be taken off.
struct CornerBench {
    private let data: String
    private let config: CreateCollection
    private var options: DatabaseOptions

    private static let name = "bench"
    /// How often a collection must be seen green, and the time between two looks in microseconds.
    private static let looks = (count: 30, pause: UInt32(50_000))

    /// - Parameter words: `--data FOLDER --storage FOLDER --config JSON`, and `--threads N` of a graph's build.
    init(_ words: ArraySlice<String>) throws {
        var rest = words
        var values: [String: String] = [:]
        while let word = rest.popFirst() { values[word] = rest.popFirst() }
        guard let data = values["--data"], let storage = values["--storage"], let text = values["--config"] else {
            throw BenchFailure(description: "--data FOLDER, --storage FOLDER and --config JSON are needed")
        }
        self.data = data
        config = try CreateCollection(json: try JSONParser.parse(text))
        options = DatabaseOptions(path: storage)
        options.optimizerThreads = values["--threads"].flatMap(Int.init) ?? 0
    }

    // MARK: - Building

    /// Makes the collection, writes all points and waits until nothing is left to optimize.
    func build() throws {
        let vectors = try Array2D(path: data + "/vectors.f16.npy", type: "<f2", bytes: 2)
        resetPeak()
        let base = status("VmRSS")
        report([("kind", "\"base\""), ("rss_mb", decimal(base)), ("anon_mb", decimal(status("RssAnon")))])
        let database = try Database.open(options)
        try database.createCollection(Self.name, config.config())
        let collection = try database.collection(Self.name)

        // Several segments are made one after another, as with the other engine, so that there are as many as asked for.
        let slices = max(1, config.optimizer?.defaultSegmentNumber ?? 1)
        let cpu = processSeconds()
        var (preparing, writing, wall) = (0.0, 0.0, 0.0)
        for slice in 0..<slices {
            let began = wallSeconds()
            let rows = vectors.rows * slice / slices..<vectors.rows * (slice + 1) / slices
            for start in stride(from: rows.lowerBound, to: rows.upperBound, by: 1000) {
                // The caller's share: numbers to points. It counts for neither engine.
                let before = threadSeconds()
                let points = (start..<min(start + 1000, rows.upperBound)).map { row in
                    Point(id: .number(UInt64(row)), vectors: NamedVectors(.dense(vectors.halves(row))))
                }
                preparing += threadSeconds() - before
                try collection.update(.upsert(points))
            }
            writing += wallSeconds() - began
            wall += waitUntilGreen(collection) - began
        }
        let info = collection.info()
        let jobs = collection.optimizations().completed.map(\.cost)
        let jobMemory = Double(jobs.map(\.peakMemory).max() ?? 0) / 1e6
        report([
            ("kind", "\"built\""), ("points", "\(info.pointsCount)"), ("indexed", "\(info.indexedVectorsCount)"),
            ("segments", "\(info.segmentsCount)"), ("write_s", decimal(writing)), ("wall_s", decimal(wall)),
            ("cpu_s", decimal(processSeconds() - cpu - preparing)), ("peak_mb", decimal(status("VmHWM") - base)),
            ("job_peak_mb", decimal(jobMemory)),
            ("job_estimate_mb", decimal(Double(jobs.map(\.estimatedMemory).max() ?? 0) / 1e6)),
            ("job_disk_mb", decimal(Double(jobs.map(\.extraDisk).max() ?? 0) / 1e6)),
        ])
        database.close()
    }

    /// The instant from which on the collection was green at every look.
    private func waitUntilGreen(_ collection: Collection) -> Double {
        var since: Double?
        var seen = 0
        while seen < Self.looks.count {
            if collection.info().status == .green {
                since = since ?? wallSeconds()
                seen += 1
            } else {
                since = nil
                seen = 0
            }
            usleep(Self.looks.pause)
        }
        return since ?? wallSeconds()
    }

    // MARK: - Asking

    /// Opens the collection and answers the commands on standard input until it ends.
    func serve() throws {
        let queries = try Array2D(path: data + "/queries.f32.npy", type: "<f4", bytes: 4)
        let truth = try Array2D(path: data + "/gt_top100.i32.npy", type: "<i4", bytes: 4)
        let vectors = (0..<queries.rows).map { queries.floats($0) }
        report([
            ("kind", "\"base\""), ("rss_mb", decimal(status("VmRSS"))), ("anon_mb", decimal(status("RssAnon"))),
        ])
        let (wall, cpu, reads) = (wallSeconds(), processSeconds(), DiskReads())
        let database = try Database.open(options)
        let collection = try database.collection(Self.name)
        let info = collection.info()
        report([
            ("kind", "\"open\""), ("open_s", decimal(wallSeconds() - wall)),
            ("cpu_s", decimal(processSeconds() - cpu)), ("read_kb", decimal(reads.kilobytes())),
            ("points", "\(info.pointsCount)"), ("indexed", "\(info.indexedVectorsCount)"),
            ("segments", "\(info.segmentsCount)"),
        ])
        while let line = readLine() {
            do { try answer(line, collection, vectors, truth) } catch {
                report([("kind", "\"error\""), ("error", "\"\(error)\"")])
            }
        }
        database.close()
    }

    /// A command is `{"params": {…}, "count": queries, "warm": queries, "threads": 1, "seconds": 1}`.
    private func answer(_ line: String, _ collection: Collection, _ vectors: [[Float]], _ truth: Array2D) throws {
        guard case .object(let command) = try JSONParser.parse(line) else { return }
        let count = min(command.int("count") ?? vectors.count, vectors.count)
        var body: JSONObject = ["query": .array([.double(0)]), "limit": .integer(10)]
        body["params"] = command["params"]
        let request = try ReadsJSON.query(Array(JSONValue.object(body).text.utf8))
        let requests = vectors.prefix(count).map { vector in
            var copy = request
            copy.query = .nearest(.vector(.dense(vector)))
            return copy
        }
        for request in requests.prefix(command.int("warm") ?? 0) { _ = try collection.query(request) }
        let threads = command.int("threads") ?? 1
        if command["scores"] == .bool(true) {
            try scores(collection, requests, truth)
        } else if threads > 1 || command["seconds"] != nil {
            throughput(collection, requests, threads: threads, seconds: command.double("seconds") ?? 1)
        } else {
            try latencies(collection, requests, truth)
        }
    }

    /// All requests once, one after another: recall, and each request's time of the processor (of all threads) and wall.
    private func latencies(_ collection: Collection, _ requests: [QueryRequest], _ truth: Array2D) throws {
        var found: [[ScoredPoint]] = []
        var (cpu, wall) = ([Double](), [Double]())
        found.reserveCapacity(requests.count)
        cpu.reserveCapacity(requests.count)
        wall.reserveCapacity(requests.count)
        let reads = DiskReads()
        for request in requests {
            let (cpuBefore, wallBefore) = (processSeconds(), wallSeconds())
            found.append(try collection.query(request))
            cpu.append(processSeconds() - cpuBefore)
            wall.append(wallSeconds() - wallBefore)
        }
        let (faults, kilobytes) = (reads.faults(), reads.kilobytes())
        var (hits, total) = (0, 0)
        for (row, points) in found.enumerated() {
            let expected = Set(truth.integers(row).prefix(10).map { PointID.number(UInt64(max(0, $0))) })
            hits += points.count { expected.contains($0.id) }
            total += expected.count
        }
        let count = Double(max(requests.count, 1))
        report(
            [
                ("kind", "\"search\""), ("recall", "\(Double(hits) / Double(max(total, 1)))"),
                ("faults", decimal(faults / count)), ("read_kb", decimal(kilobytes / count)),
            ] + percentiles("cpu", cpu) + percentiles("wall", wall))
    }

    /// The error of the similarities of those of the 100 nearest points that a query finds.
    private func scores(_ collection: Collection, _ requests: [QueryRequest], _ truth: Array2D) throws {
        let cosines = try Array2D(path: data + "/gt_top100_cos.f32.npy", type: "<f4", bytes: 4)
        var (sum, count) = (0.0, 0)
        for (row, var request) in requests.enumerated() {
            request.limit = 100
            let ids = truth.integers(row).map { PointID.number(UInt64(max(0, $0))) }
            let exact = Dictionary(zip(ids, cosines.floats(row))) { first, _ in first }
            for point in try collection.query(request) {
                guard let cosine = exact[point.id] else { continue }
                sum += Double((point.score - cosine) * (point.score - cosine))
                count += 1
            }
        }
        report([
            ("kind", "\"scores\""), ("score_error", "\((sum / Double(max(count, 1))).squareRoot())"),
            ("found", decimal(Double(count) / Double(max(requests.count, 1)))),
            ("lost", Reconstruction.error(collection).map { "\($0)" } ?? "null"),
        ])
    }

    /// As many requests as `threads` get through in `seconds`.
    private func throughput(_ collection: Collection, _ requests: [QueryRequest], threads: Int, seconds: Double) {
        let done = Counter()
        let (wall, cpu) = (wallSeconds(), processSeconds())
        onThreads(threads) { thread in
            var next = thread * requests.count / threads
            var finished = 0
            while wallSeconds() - wall < seconds {
                for _ in 0..<8 {
                    if (try? collection.query(requests[next])) != nil { finished += 1 }
                    next = (next + 1) % requests.count
                }
            }
            done.add(finished)
        }
        let (tookWall, tookCPU) = (wallSeconds() - wall, processSeconds() - cpu)
        report([
            ("kind", "\"throughput\""), ("threads", "\(threads)"), ("qps", decimal(Double(done.value) / tookWall)),
            ("cpu_us", decimal(tookCPU / Double(max(done.value, 1)) * 1e6)),
        ])
    }

    /// Mean, median and the 99th percentile, in microseconds.
    private func percentiles(_ name: String, _ seconds: [Double]) -> [(String, String)] {
        let sorted = seconds.sorted()
        guard let last = sorted.last else { return [] }
        func at(_ share: Double) -> Double { sorted[min(sorted.count - 1, Int(Double(sorted.count) * share))] }
        let mean = sorted.reduce(0, +) / Double(sorted.count)
        return [("us", mean), ("p50_us", at(0.5)), ("p99_us", at(0.99)), ("max_us", last)].map {
            ("\(name)_\($0.0)", decimal($0.1 * 1e6))
        }
    }
}
