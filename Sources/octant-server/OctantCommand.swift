#if Server
import ArgumentParser
import OctantModel
import OctantService

/// The command line.
struct OctantCommand: ParsableCommand {
    /// The version of this program; the protocol it speaks has its own.
    static let programVersion = "0.1.0"

    static let configuration = CommandConfiguration(
        commandName: "octant", abstract: "A vector database.",
        version: "octant \(programVersion) (Qdrant protocol \(Service.version))",
        subcommands: [ServeCommand.self, TuneCommand.self], defaultSubcommand: ServeCommand.self)
}

/// `octant serve`: the server.
struct ServeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve", abstract: "Serves collections over REST (the default).",
        discussion: """
            Settings come from config/config.yaml, config/<RUN_MODE>.yaml, config/local.yaml, \
            /etc/qdrant/config.yaml, --config-path and the environment (QDRANT__SERVICE__HTTP_PORT and so on), \
            the later the stronger.
            """,
        version: OctantCommand.configuration.version)

    @Option(help: "A configuration file in YAML.")
    var configPath: String?

    @Option(help: ArgumentHelp("URI of this node in a cluster.", visibility: .hidden))
    var uri: String?

    @Option(help: ArgumentHelp("URI of a node of the cluster to join.", visibility: .hidden))
    var bootstrap: String?

    @Option(
        help: ArgumentHelp(
            "Recover a collection from a snapshot before serving. May be given several times.", valueName: "path:name"))
    var snapshot: [String] = []

    @Option(help: ArgumentHelp("Recover all collections from a snapshot before serving.", valueName: "path"))
    var storageSnapshot: String?

    @Flag(name: [.customShort("f"), .long], help: "Recover over collections that are there.")
    var forceSnapshot = false

    @Flag(help: "Accepted for compatibility: this server sends nothing to anyone.")
    var disableTelemetry = false

    @Flag(help: ArgumentHelp("Accepted for compatibility.", visibility: .hidden))
    var stacktrace = false

    @Flag(help: ArgumentHelp("Accepted for compatibility.", visibility: .hidden))
    var reinit = false

    func validate() throws {
        if bootstrap != nil { throw ValidationError("--bootstrap: clusters are not supported yet") }
        if !snapshot.isEmpty, storageSnapshot != nil {
            throw ValidationError("--snapshot and --storage-snapshot exclude each other")
        }
        _ = try recoveries()
    }

    /// What is to be recovered before serving.
    private func recoveries() throws -> StartupRecovery {
        var recovery = StartupRecovery(overwrites: forceSnapshot)
        if let storageSnapshot { recovery.steps = [(.storage, storageSnapshot)] }
        for text in snapshot {
            guard let colon = text.lastIndex(of: ":"), colon > text.startIndex, text.index(after: colon) < text.endIndex
            else { throw ValidationError("--snapshot \(text): PATH:NAME is expected") }
            recovery.steps.append((.collection(String(text[text.index(after: colon)...])), String(text[..<colon])))
        }
        return recovery
    }

    func run() throws {
        var server = ServerProcess(configPath: configPath, recovery: try recoveries())
        guard server.run() else { throw ExitCode(1) }
    }
}
#endif
