#if Server
import OctantModel
import OctantService
import Yams

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// Configuration files in YAML.
enum ConfigurationFiles {
    /// The files that exist, the weakest first, and the one named on the command line, which must exist.
    static func load(configPath: String?) throws(OctantError) -> (files: [JSONObject], names: [String]) {
        let mode = getenv("RUN_MODE").map { String(cString: $0) } ?? "development"
        var files: [JSONObject] = []
        var names: [String] = []
        for base in ["config/config", "config/\(mode)", "config/local", "/etc/qdrant/config"] {
            for name in [base + ".yaml", base + ".yml"] {
                guard let text = read(name) else { continue }
                files.append(try parse(text, name))
                names.append(name)
            }
        }
        if let configPath {
            guard
                let (name, text) = [configPath, configPath + ".yaml"].lazy.compactMap({ name in
                    read(name).map { (name, $0) }
                }).first
            else {
                throw OctantError(.format, "Configuration error: cannot read \(configPath)")
            }
            files.append(try parse(text, name))
            names.append(name)
        }
        return (files, names)
    }

    private static func read(_ path: String) -> String? {
        guard let file = fopen(path, "r") else { return nil }
        defer { fclose(file) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            let count = fread(&chunk, 1, chunk.count, file)
            if count == 0 { break }
            bytes.append(contentsOf: chunk[..<count])
        }
        return ferror(file) == 0 ? String(decoding: bytes, as: UTF8.self) : nil
    }

    private static func parse(_ text: String, _ name: String) throws(OctantError) -> JSONObject {
        let node: Node?
        do {
            node = try Yams.compose(yaml: text)
        } catch {
            throw OctantError(.format, "Configuration error: \(name): \(error)")
        }
        guard let node else { return JSONObject() }
        switch value(node) {
        case .object(let object): return object
        case .null: return JSONObject()
        default: throw OctantError(.format, "Configuration error: \(name): expected a map of settings")
        }
    }

    private static func value(_ node: Node) -> JSONValue {
        switch node {
        case .scalar(let scalar):
            return scalar.style == .plain || scalar.style == .any
                ? ServerSettings.scalar(scalar.string) : .string(scalar.string)
        case .sequence(let sequence): return .array(sequence.map(value))
        case .mapping(let mapping):
            return .object(JSONObject(mapping.map { (key: $0.key.string ?? "", value: value($0.value)) }))
        case .alias: return .null
        }
    }
}
#endif
