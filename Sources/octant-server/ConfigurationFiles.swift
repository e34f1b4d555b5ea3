#if Server
import OctantModel
import OctantService

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
                files.append(try ServerSettings.yaml(text, name))
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
            files.append(try ServerSettings.yaml(text, name))
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
}
#endif
