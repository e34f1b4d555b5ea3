#if Server
import Logging
import Octant
import OctantGRPC
import OctantModel
import OctantNetwork
import OctantREST
import OctantRemote
import OctantService

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// The life of a server: settings, database, listener, and the way back on a signal.
struct ServerProcess {
    /// The file named on the command line.
    let configPath: String?
    /// What is recovered from snapshots first.
    let recovery: StartupRecovery

    /// Serves until SIGTERM or SIGINT. `false` if it could not start; the reason is on standard error then.
    mutating func run() -> Bool {
        // Before any thread exists, so that all of them leave the signals to `sigwait` below. A client that goes
        // away while it is written to must not end the process.
        signal(SIGPIPE, SIG_IGN)
        var signals = sigset_t()
        sigemptyset(&signals)
        sigaddset(&signals, SIGTERM)
        sigaddset(&signals, SIGINT)
        pthread_sigmask(SIG_BLOCK, &signals, nil)
        do throws(OctantError) {
            try serve(&signals)
            return true
        } catch {
            let line = Array("octant: \(error.message)\n".utf8)
            _ = write(STDERR_FILENO, line, line.count)
            return false
        }
    }

    private func serve(_ signals: inout sigset_t) throws(OctantError) {
        let (files, names) = try ConfigurationFiles.load(configPath: configPath)
        let (settings, warnings) = try ServerSettings.load(files: files, environment: Self.environment())
        var logger = Logger(label: "octant", factory: { StreamLogHandler.standardError(label: $0) })
        logger.logLevel = Self.level(settings.logLevel)
        for name in names { logger.info("configuration: \(name)") }
        for warning in warnings { logger.warning("\(warning)") }
        Self.raiseFileLimit()

        let sink = logger
        var options = DatabaseOptions(path: settings.storagePath)
        options.searchThreads = settings.maxSearchThreads
        options.optimizerThreads = Self.optimizerThreads(settings.optimizerCPUBudget)
        options.optimizerMemory = settings.optimizerMemoryMB << 20
        options.memoryLimit = SystemStatus.memoryLimit
        options.lowMemory = settings.lowMemoryMode
        options.openingChecks = settings.openingChecks
        options.scrubBytesPerSecond = settings.scrubMBPerSecond << 20
        options.scrubIntervalSeconds = settings.scrubIntervalSeconds
        options.snapshotsPath = settings.snapshotsPath
        options.log = { sink.info("\($0)") }
        let database = try Database.open(options)
        defer { database.close() }

        let threads = NetworkThreads(count: min(2, max(1, Int(sysconf(Int32(_SC_NPROCESSORS_ONLN))))))
        defer { threads.shutdown() }
        let service = Service(
            database: database, defaults: settings.defaults, metricsPrefix: settings.metricsPrefix,
            snapshots: try Self.snapshots(settings, threads, logger))
        try recovery.run(service, logger)
        let policy = AccessPolicy(
            keys: settings.apiKeys, readOnlyKey: settings.readOnlyKey, corsEnabled: settings.enableCORS)
        let budget = ByteBudget(limit: settings.inFlightBytesMax) { database.roomForRequests }
        let rest = try RESTServer.start(
            RESTServerOptions(
                listener: ListenerOptions(hosts: settings.hosts, port: settings.httpPort),
                bodyBytesMax: settings.maxRequestSizeMB << 20, budget: budget, policy: policy),
            handler: RESTHandler(service: service), threads: threads)
        defer { rest.shutdown() }
        let grpc = try settings.grpcPort.map { (port) throws(OctantError) in
            try GRPCServer.start(
                GRPCServerOptions(
                    listener: ListenerOptions(hosts: settings.hosts, port: port),
                    messageBytesMax: settings.maxGRPCMessageSizeMB << 20, budget: budget, policy: policy),
                handler: GRPCHandler(service: service), threads: threads)
        }
        defer { grpc?.shutdown() }
        announce(rest, grpc, settings, logger)

        var received: Int32 = 0
        while sigwait(&signals, &received) != 0 {}
        // A second signal ends the process at once.
        pthread_sigmask(SIG_UNBLOCK, &signals, nil)
        logger.info("stopping on signal \(received)")
        database.endWaits()
    }

    /// Where snapshots are kept and taken from.
    private static func snapshots(
        _ settings: ServerSettings, _ threads: NetworkThreads, _ logger: Logger
    ) throws(OctantError) -> SnapshotOptions {
        var options = SnapshotOptions()
        if let bucket = settings.snapshotBucket {
            options.store = S3Snapshots(try S3Bucket(bucket, threads: threads))
        }
        if settings.recoversFromURLs { options.source = URLSnapshots(settings.snapshotURLs, threads: threads) }
        options.log = { logger.error("\($0)") }
        return options
    }

    private func announce(_ rest: Listener, _ grpc: Listener?, _ settings: ServerSettings, _ logger: Logger) {
        if settings.host != nil, !settings.isKeyed, !["127.0.0.1", "localhost", "::1"].contains(settings.host) {
            logger.warning("listening beyond this machine without an API key: set service.api_key")
        }
        let address = settings.host.flatMap { $0 == "0.0.0.0" || $0 == "::" ? nil : $0 } ?? "127.0.0.1"
        let url = "http://\(address.contains(":") ? "[\(address)]" : address):\(rest.port)"
        let ports = [("REST", rest)] + (grpc.map { [("gRPC", $0)] } ?? [])
        let places = ports.map { "\($0.0) on \($0.1.addresses.joined(separator: ", "))" }
        print(
            "Octant \(OctantCommand.programVersion) serves \(settings.storagePath): \(places.joined(separator: "; "))")
        print("Next: curl \(url)/collections    or in Python: QdrantClient(url=\"\(url)\")")
        fflush(nil)
    }

    static func environment() -> [(name: String, value: String)] {
        var list: [(name: String, value: String)] = []
        var cursor = environ
        while let entry = cursor.pointee {
            let parts = String(cString: entry).split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            if parts.count == 2 { list.append((String(parts[0]), String(parts[1]))) }
            cursor += 1
        }
        return list
    }

    private static func level(_ text: String) -> Logger.Level {
        switch text.lowercased() {
        case "trace": .trace
        case "debug": .debug
        case "warn", "warning": .warning
        case "error": .error
        case "off": .critical
        default: .info
        }
    }

    /// A budget below zero leaves so many cores free.
    private static func optimizerThreads(_ budget: Int) -> Int {
        guard budget < 0 else { return budget }
        return max(1, Int(sysconf(Int32(_SC_NPROCESSORS_ONLN))) + budget)
    }

    /// As many descriptors as the system lets this process have: connections and segment files need them.
    private static func raiseFileLimit() {
        var limit = rlimit()
        #if canImport(Glibc)
        let files = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
        #else
        let files = RLIMIT_NOFILE
        #endif
        guard getrlimit(files, &limit) == 0 else { return }
        limit.rlim_cur = limit.rlim_max
        _ = setrlimit(files, &limit)
    }
}
#endif
