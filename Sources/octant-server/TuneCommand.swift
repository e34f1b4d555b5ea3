#if Server
import ArgumentParser
import Octant
import OctantModel

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// `octant tune`: measures a collection and recommends a configuration.
struct TuneCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tune", abstract: "Measures searches of a collection and recommends the cheapest configuration.",
        discussion: """
            TARGET is the URL of a server (http://host:6333) or a data folder that no server has open. Recall, time and \
            memory are measured over a grid; what is recommended has been measured on all points.
            """)

    @Argument(help: "URL of a server, or a data folder.")
    var target: String

    @Argument(help: "The collection.")
    var collection: String

    @Option(help: "The share of the true nearest points to find, such as 0.98.")
    var recall: Double?

    @Option(help: "Memory for vectors, codes and graph, such as 200MB or 2GB.")
    var memory: String?

    @Option(help: "Processor time that 95 of 100 searches stay within, such as 2ms or 500us.")
    var p95: String?

    @Option(help: "The vector's name.")
    var using = ""

    @Option(help: "How many points a search is to find.")
    var limit = 10

    @Option(help: "A file of queries: a JSON list of numbers in each line.")
    var queries: String?

    @Option(help: "The share of one core to take.")
    var cpuBudget = 0.5

    @Flag(inversion: .prefixedNo, help: "Try other configurations than the present one.")
    var configurations = true

    @Flag(help: "Put the recommendation into force if it meets the goal.")
    var apply = false

    @Option(help: "A file to draw the measured points into, as SVG.")
    var plot: String?

    @Option(help: "The key of the server.")
    var apiKey: String?

    func run() throws {
        do throws(OctantError) {
            let report = target.hasPrefix("http") ? try asked() : try local()
            if isatty(STDERR_FILENO) != 0 { Self.note("\r\u{1B}[K") }
            print(report.table)
            print("\n\(report.statement)")
            print(
                "\(report.queries) queries \(report.queriesWereGiven ? "of yours" : "that are stored vectors"), "
                    + "recall@\(report.limit), \(report.rows) points. \(report.applied ? "Applied." : "Not applied.")")
            if let plot { try save(TuningPlot(report).svg, plot) }
            if !report.meetsGoal { throw OctantError(.badRequest, "") }
        } catch {
            if !error.message.isEmpty { Self.note("octant tune: \(error.message)\n") }
            throw ExitCode(1)
        }
    }

    // MARK: The request

    private func request() throws(OctantError) -> (TuneRequest, JSONObject) {
        var body: JSONObject = [
            "using": .string(using), "limit": .integer(Int64(limit)), "cpu_budget": .double(cpuBudget),
            "configurations": .bool(configurations), "apply": .bool(apply),
        ]
        if let recall { body["recall"] = .double(recall) }
        if let memory {
            body["memory"] = .integer(
                Int64(try amount(memory, [("GB", 1e9), ("MB", 1e6), ("KB", 1e3), ("", 1)], "--memory")))
        }
        if let p95 {
            body["p95_ms"] = .double(try amount(p95, [("ms", 1), ("us", 0.001), ("s", 1000), ("", 1)], "--p95"))
        }
        if let queries {
            var list: [JSONValue] = []
            for line in try read(queries).split(separator: UInt8(ascii: "\n")) where !line.isEmpty {
                list.append(try JSONParser.parse(Array(line)))
            }
            body["queries"] = .array(list)
        }
        return (try TuneRequest(json: .object(body)), body)
    }

    /// A number with a unit.
    private func amount(
        _ text: String, _ units: [(name: String, factor: Double)], _ option: String
    ) throws(OctantError) -> Double {
        for unit in units where text.lowercased().hasSuffix(unit.name.lowercased()) {
            guard let number = Double(text.dropLast(unit.name.count)), number > 0, number * unit.factor < 1e15 else {
                break
            }
            return number * unit.factor
        }
        let names = units.map(\.name).filter { !$0.isEmpty }.joined(separator: ", ")
        throw OctantError(.format, "\(option): '\(text)' is not a number with one of the units \(names)")
    }

    // MARK: A data folder

    private func local() throws(OctantError) -> TuningReport {
        let (request, _) = try request()
        let database = try Database.open(DatabaseOptions(path: target))
        defer { database.close() }
        let collection = try database.collection(collection)
        var report = try collection.tune(request.goal, options: request.options, onProgress: Self.show)
        if apply, report.meetsGoal {
            try collection.apply(&report)
            Self.note("\nthe optimizer goes to work when the folder is opened next\n")
        }
        return report
    }

    // MARK: A server

    private func asked() throws(OctantError) -> TuningReport {
        let (_, body) = try request()
        let client = try HTTPClient(url: target, apiKey: apiKey)
        let path = "/collections/\(Self.encoded(collection))/tune"
        var fields = try JSONFields(try client.ask("POST", path, body: .object(body)), path: "")
        while true {
            if let progress = try fields.fields("progress") {
                Self.show(
                    TuningProgress(
                        done: try progress.int("done") ?? 0, total: try progress.int("total") ?? 1,
                        step: try progress.string("step") ?? ""))
            }
            switch try fields.string("state") {
            case "done": return try TuningReport(json: try fields.required("report"))
            case "failed": throw OctantError(.format, try fields.string("error") ?? "tuning failed")
            default: break
            }
            usleep(500_000)
            fields = try JSONFields(try client.ask("GET", path), path: "")
        }
    }

    private static func encoded(_ name: String) -> String {
        var out = ""
        for byte in name.utf8 {
            let character = Character(UnicodeScalar(byte))
            if byte < 0x80, character.isLetter || character.isNumber || "-._~".contains(character) {
                out.append(character)
            } else {
                let digits = String(byte, radix: 16, uppercase: true)
                out += "%" + (digits.count < 2 ? "0" : "") + digits
            }
        }
        return out
    }

    // MARK: Files and the terminal

    /// A bar on standard error.
    @Sendable
    private static func show(_ progress: TuningProgress) {
        guard isatty(STDERR_FILENO) != 0 else {
            return Self.note("[\(progress.done)/\(progress.total)] \(progress.step)\n")
        }
        let width = 30
        let full = min(width, width * progress.done / max(progress.total, 1))
        let bar = String(repeating: "=", count: full) + String(repeating: " ", count: width - full)
        Self.note("\r[\(bar)] \(progress.done)/\(progress.total) \(progress.step)\u{1B}[K")
    }

    private static func note(_ text: String) {
        let bytes = Array(text.utf8)
        _ = write(STDERR_FILENO, bytes, bytes.count)
    }

    private func read(_ path: String) throws(OctantError) -> [UInt8] {
        guard let file = fopen(path, "r") else { throw OctantError(.format, "\(path) cannot be read") }
        defer { fclose(file) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = fread(&buffer, 1, buffer.count, file)
            if count == 0 { return bytes }
            bytes += buffer[..<count]
        }
    }

    private func save(_ text: String, _ path: String) throws(OctantError) {
        guard let file = fopen(path, "w") else { throw OctantError(.format, "\(path) cannot be written") }
        let bytes = Array(text.utf8)
        let count = fwrite(bytes, 1, bytes.count, file)
        guard fclose(file) == 0, count == bytes.count else { throw OctantError(.format, "\(path) cannot be written") }
    }
}
#endif
