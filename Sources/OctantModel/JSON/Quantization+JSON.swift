extension QuantizationConfig {
    /// Reads `quantization_config` of a request.
    package init(_ fields: JSONFields) throws(OctantError) {
        if let scalar = try fields.fields("scalar") {
            self = .scalar(try ScalarQuantization(scalar))
        } else if let product = try fields.fields("product") {
            guard let compression = try product.variant("compression", ProductQuantization.Compression.self) else {
                throw product.missing("compression")
            }
            self = .product(
                ProductQuantization(
                    compression: compression, alwaysRAM: try product.bool("always_ram"), memory: try product.memory()))
        } else if let binary = try fields.fields("binary") {
            self = .binary(
                BinaryQuantization(
                    encoding: try binary.variant("encoding", BinaryQuantization.Encoding.self),
                    queryEncoding: try binary.variant("query_encoding", BinaryQuantization.QueryEncoding.self),
                    alwaysRAM: try binary.bool("always_ram"), memory: try binary.memory()))
        } else if let turbo = try fields.fields("turbo") {
            self = .turbo(
                TurboQuantization(
                    bits: try turbo.variant("bits", TurboQuantization.Bits.self),
                    alwaysRAM: try turbo.bool("always_ram"), memory: try turbo.memory()))
        } else {
            throw .json("\(fields.path): data did not match any variant of quantization config")
        }
    }

    /// The configuration as it was given.
    package var json: JSONObject {
        var object = JSONObject()
        let name: String
        switch self {
        case .scalar(let scalar):
            name = "scalar"
            object["type"] = .string("int8")
            object.put("quantile", scalar.quantile)
        case .product(let product):
            name = "product"
            object["compression"] = .string(product.compression.rawValue)
        case .binary(let binary):
            name = "binary"
            if let encoding = binary.encoding { object["encoding"] = .string(encoding.rawValue) }
            if let encoding = binary.queryEncoding { object["query_encoding"] = .string(encoding.rawValue) }
        case .turbo(let turbo):
            name = "turbo"
            if let bits = turbo.bits { object["bits"] = .string(bits.rawValue) }
        }
        object.put("always_ram", alwaysRAM)
        object.put("memory", memory)
        return [name: .object(object)]
    }
}

extension ScalarQuantization {
    fileprivate init(_ fields: JSONFields) throws(OctantError) {
        guard let type = try fields.string("type") else { throw fields.missing("type") }
        guard type == "int8" else {
            throw .json("\(fields.path("type")): unknown variant `\(type)`, expected `int8`")
        }
        self.init(
            quantile: try fields.double("quantile", from: 0.5, to: 1), alwaysRAM: try fields.bool("always_ram"),
            memory: try fields.memory())
    }
}

extension QuantizationPatch {
    /// Reads a change: the text `Disabled` or a configuration.
    package init?(_ fields: JSONFields, _ key: String) throws(OctantError) {
        guard let value = fields[key] else { return nil }
        if case .string(let text) = value, text.lowercased() == "disabled" {
            self = .disabled
        } else {
            self = .set(try QuantizationConfig(try JSONFields(value, path: fields.path(key))))
        }
    }
}
