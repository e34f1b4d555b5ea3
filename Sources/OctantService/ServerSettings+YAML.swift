#if Server
package import OctantModel
import Yams

extension ServerSettings {
    /// Reads a configuration file in YAML, which its errors call `name`.
    package static func yaml(_ text: String, _ name: String) throws(OctantError) -> JSONObject {
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
