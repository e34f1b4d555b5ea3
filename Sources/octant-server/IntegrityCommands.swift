#if Server
import ArgumentParser
import Octant
import OctantModel
import OctantService

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// Where the data is, for commands that work on a folder.
struct StorageOptions: ParsableArguments {
    @Option(help: "The data folder; unset: storage.storage_path of the configuration.")
    var storage: String?

    @Option(help: "A configuration file in YAML.")
    var configPath: String?

    func path() throws(OctantError) -> String {
        if let storage { return storage }
        let (files, _) = try ConfigurationFiles.load(configPath: configPath)
        return try ServerSettings.load(files: files, environment: ServerProcess.environment()).settings.storagePath
    }
}

/// `octant verify`: compares every file of a data folder with its checksums.
struct VerifyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify", abstract: "Compares every file of a data folder with its checksums and its format.",
        discussion: """
            The folder must not be open. Changes nothing. Exit code 0: all is as it was written; 1: damage was found; \
            2: it could not be looked at.
            """)

    @OptionGroup var options: StorageOptions

    func run() throws {
        let report: IntegrityReport
        do throws(OctantError) {
            let progress = Progress()
            report = try Database.verify(path: try options.path(), onProgress: { progress.show($0) })
            progress.end()
        } catch {
            Progress.note("octant verify: \(error.message)\n")
            throw ExitCode(2)
        }
        for finding in report.findings { print(finding.text) }
        let damage = report.findings.filter { $0.weight == .damage }.count
        print(
            "\(report.collections) collections, \(report.files) files, \(report.bytes >> 20) MB read: "
                + (report.isClean ? "no damage" : "\(damage) findings of damage; see octant repair --dry-run"))
        if !report.isClean { throw ExitCode(1) }
    }
}

/// `octant repair`: makes a damaged data folder one that opens.
struct RepairCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "repair", abstract: "Makes a damaged data folder one that opens, of what can be verified.",
        discussion: """
            The folder must not be open. Deletes nothing: what is replaced goes to quarantine/repair-… of the folder or \
            of the collection. Says what is lost. Exit code 0: nothing is damaged any more (or would be); 1: damage was \
            left; 2: it could not be done.
            """)

    @OptionGroup var options: StorageOptions

    @Flag(help: "Only say what would be done.")
    var dryRun = false

    @Flag(name: .shortAndLong, help: "Do it without asking.")
    var yes = false

    func run() throws {
        let isClean: Bool
        do throws(OctantError) { isClean = try repair() } catch {
            Progress.note("octant repair: \(error.message)\n")
            throw ExitCode(2)
        }
        if !isClean { throw ExitCode(1) }
    }

    /// Returns whether nothing is damaged any more, or would be.
    private func repair() throws(OctantError) -> Bool {
        let path = try options.path()
        let progress = Progress()
        let plan = try Database.repair(path: path, isPlan: true, onProgress: { progress.show($0) })
        progress.end()
        if plan.steps.isEmpty, plan.left.isEmpty {
            print("nothing is damaged")
            return true
        }
        show(plan)
        if dryRun { return plan.left.isEmpty }
        guard plan.steps.isEmpty || yes || Self.consents() else {
            print("nothing was changed")
            return false
        }
        show(try Database.repair(path: path, isPlan: false))
        let after = try Database.verify(path: path)
        for finding in after.findings where finding.weight == .damage { print(finding.text) }
        return after.isClean && plan.left.isEmpty
    }

    private func show(_ report: RepairReport) {
        print(report.isPlan ? "What would be done:" : "What was done:")
        for step in report.steps { print("  " + step.text) }
        if !report.left.isEmpty { print("What is left:") }
        for step in report.left { print("  " + step.text) }
    }

    private static func consents() -> Bool {
        guard isatty(STDIN_FILENO) != 0 else {
            Progress.note("octant repair: without a terminal to ask on, say --yes\n")
            return false
        }
        Progress.note("Do this? [y/N] ")
        return ["y", "yes"].contains(readLine()?.lowercased() ?? "")
    }
}

extension IntegrityReport.Finding {
    fileprivate var text: String {
        let place = (collection.map { "collection '\($0)': " } ?? "") + file + (offset.map { " at byte \($0)" } ?? "")
        return "\(weight.rawValue): \(place): \(problem) [\(meaning)]"
    }
}

extension RepairReport.Step {
    fileprivate var text: String {
        (collection.map { "collection '\($0)': " } ?? "") + action + (lost.map { "\n    lost: \($0)" } ?? "")
    }
}

/// A line on the terminal that says how far a check has come.
private final class Progress {
    private var shown = 0

    func show(_ state: IntegrityProgress) {
        guard isatty(STDERR_FILENO) != 0, state.bytes - shown >= 8 << 20 || shown == 0 else { return }
        shown = max(1, state.bytes)
        Self.note("\r\u{1B}[K\(state.collection): \(state.files) files, \(state.bytes >> 20) MB")
    }

    func end() {
        if shown > 0 { Self.note("\r\u{1B}[K") }
    }

    static func note(_ text: String) {
        let bytes = Array(text.utf8)
        _ = write(STDERR_FILENO, bytes, bytes.count)
    }
}
#endif
