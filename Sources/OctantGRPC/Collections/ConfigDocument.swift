#if Server
import OctantModel
import OctantProtocol
import SwiftProtobuf

/// Configuration travels between messages and values by way of its JSON form: what is allowed in it, every bound and
/// every error text is written in one place, and a new field needs no code here.
///
/// The messages' fields have the names of JSON's members. What differs is listed below: the spelling of enum values,
/// and a few wrappers that messages need around maps and alternatives.
enum ConfigDocument {
    /// The JSON form of a message. `isChange`: of a change of what is there, in which absent members stay.
    static func object(
        of message: some SwiftProtobuf.Message, isChange: Bool = false
    ) throws(OctantError) -> JSONObject {
        var options = JSONEncodingOptions()
        options.alwaysPrintInt64sAsNumbers = true
        options.preserveProtoFieldNames = true
        let bytes: [UInt8]
        do { bytes = try message.jsonUTF8Bytes(options: options) } catch {
            throw .json("not a message of the protocol: \(error)")
        }
        guard case .object(let object) = try JSONParser.parse(bytes) else { return JSONObject() }
        return isChange ? read(object) : read(sized(object))
    }

    /// The message with a JSON form. Members that the protocol does not have are left out.
    static func message<Message: SwiftProtobuf.Message>(_ object: JSONObject) throws(OctantError) -> Message {
        var options = JSONDecodingOptions()
        options.ignoreUnknownFields = true
        do {
            return try Message(jsonUTF8Bytes: Array(JSONValue.object(written(object)).text.utf8), options: options)
        } catch {
            throw OctantError(.service, "a configuration does not fit the protocol: \(error)")
        }
    }

    /// Names of enum values where they stand: JSON's, then the message's.
    private static let names: [String: [(json: String, message: String)]] = [
        "memory": [("cold", "Cold"), ("cached", "Cached"), ("pinned", "Pinned")],
        "datatype": [
            ("float32", "Float32"), ("float16", "Float16"), ("uint8", "Uint8"), ("turbo4", "Turbo4"),
            ("turbo8", "Turbo8"), ("turbo16", "Turbo16"),
        ],
        "modifier": [("none", "None"), ("idf", "Idf")],
        "comparator": [("max_sim", "MaxSim")],
        "sharding_method": [("auto", "Auto"), ("custom", "Custom")],
        "type": [("int8", "Int8")],
        "encoding": [("one_bit", "OneBit"), ("two_bits", "TwoBits"), ("one_and_half_bits", "OneAndHalfBits")],
        "query_encoding": [
            ("default", "Default"), ("binary", "Binary"), ("scalar4bits", "Scalar4Bits"),
            ("scalar8bits", "Scalar8Bits"),
        ],
        "bits": [
            ("bits1", "Bits1"), ("bits1_5", "Bits1_5"), ("bits2", "Bits2"), ("bits4", "Bits4"), ("bits8", "Bits8"),
        ],
        "tokenizer": [
            ("prefix", "Prefix"), ("whitespace", "Whitespace"), ("word", "Word"), ("multilingual", "Multilingual"),
            ("code", "Code"),
        ],
    ]
    /// Enum values that say nothing.
    private static let unset: Set<String> = ["Default", "MemoryUnknown", "UnknownQuantization"]

    // MARK: From messages

    private static func read(_ object: JSONObject) -> JSONObject {
        var result = JSONObject()
        for (key, value) in object.pairs {
            switch (key, value) {
            case ("vectors_config", .object(let config)):
                if case .object(let single)? = config["params"] {
                    // A change names the unnamed vector by the empty name, a configuration by none.
                    let params = JSONValue.object(read(single))
                    result["vectors"] = single["size"] == nil ? .object(["": params]) : params
                } else {
                    result["vectors"] = .object(entries(config["params_map"]))
                }
            case ("sparse_vectors_config", _): result["sparse_vectors"] = .object(entries(value))
            case ("turboquant", .object(let turbo)): result["turbo"] = .object(read(turbo))
            case ("dense_config", .object(let dense)): result["dense"] = .object(read(dense))
            case ("sparse_config", .object(let sparse)): result["sparse"] = .object(read(sparse))
            case ("prefix", .object): result[key] = .bool(true)
            case ("stemmer", .object(let stemmer)): result[key] = .object(stemmerRead(stemmer))
            case ("product", .object(let product)):
                // The first value of an enum is not written.
                result[key] = .object((["compression": .string("x4")] as JSONObject).merging(read(product)))
            case ("disabled", _): break
            case ("quantization_config", .object(let scheme)) where scheme["disabled"] != nil:
                result[key] = .string("Disabled")
            case ("multivector_config", .object(let config)):
                // The first value of an enum is not written.
                result[key] = .object((["comparator": .string("max_sim")] as JSONObject).merging(read(config)))
            case ("strict_mode_config", .object(let strict)): result[key] = .object(strictRead(strict))
            case ("max_optimization_threads", .object(let variant)):
                result[key] = variant["value"] ?? .string("auto")
            case ("deprecated_max_optimization_threads", _):
                if object["max_optimization_threads"] == nil { result["max_optimization_threads"] = value }
            case ("query_encoding", .object(let variant)): result[key] = named(variant["setting"] ?? .null, key)
            case ("metadata", _): break
            case (_, .object(let inner)): result[key] = .object(read(inner))
            case (_, .string(let text)) where names[key] != nil && unset.contains(text): break
            default: result[key] = named(value, key)
            }
        }
        return result
    }

    /// What is new with the size of each dense vector, of which messages do not write a zero.
    private static func sized(_ object: JSONObject) -> JSONObject {
        func sized(_ value: JSONValue) -> JSONValue {
            guard case .object(let params) = value else { return value }
            return .object((["size": .integer(0)] as JSONObject).merging(params))
        }
        var whole = object
        if let dense = object["dense_config"] { whole["dense_config"] = sized(dense) }
        guard case .object(var config)? = object["vectors_config"] else { return whole }
        if let single = config["params"] { config["params"] = sized(single) }
        if case .object(let wrapper)? = config["params_map"], case .object(let map)? = wrapper["map"] {
            let entries = map.pairs.map { ($0.key, sized($0.value)) }
            config["params_map"] = .object(["map": .object(JSONObject(entries))])
        }
        whole["vectors_config"] = .object(config)
        return whole
    }

    private static func entries(_ map: JSONValue?) -> JSONObject {
        guard case .object(let wrapper)? = map, case .object(let entries)? = wrapper["map"] else { return JSONObject() }
        // Messages have no order of names.
        let sorted = entries.pairs.sorted { $0.key < $1.key }
        return JSONObject(
            sorted.map { name, value in
                if case .object(let params) = value { (name, .object(read(params))) } else { (name, value) }
            })
    }

    private static func strictRead(_ strict: JSONObject) -> JSONObject {
        var result = strict
        for key in ["multivector_config", "sparse_config"] {
            if case .object(let wrapper)? = strict[key] { result[key] = wrapper[key] ?? .object(JSONObject()) }
        }
        return result
    }

    private static func stemmerRead(_ stemmer: JSONObject) -> JSONObject {
        if stemmer["disabled"] != nil { return ["type": .string("none")] }
        guard case .object(let snowball)? = stemmer["snowball"] else { return JSONObject() }
        return (["type": .string("snowball")] as JSONObject).merging(snowball)
    }

    private static func named(_ value: JSONValue, _ key: String) -> JSONValue {
        guard case .string(let text) = value, let name = names[key]?.first(where: { $0.message == text }) else {
            return value
        }
        return .string(name.json)
    }

    // MARK: To messages

    private static func written(_ object: JSONObject) -> JSONObject {
        var result = JSONObject()
        for (key, value) in object.pairs {
            switch (key, value) {
            case ("vectors", .object(let vectors)):
                if case .integer? = vectors["size"] {
                    result["vectors_config"] = .object(["params": .object(written(vectors))])
                } else {
                    result["vectors_config"] = .object(["params_map": wrapped(vectors)])
                }
            case ("sparse_vectors", .object(let vectors)): result["sparse_vectors_config"] = wrapped(vectors)
            case ("turbo", .object(let turbo)): result["turboquant"] = .object(written(turbo))
            case ("strict_mode_config", .object(let strict)):
                var wrapped = strict
                for key in ["multivector_config", "sparse_config"] {
                    if let limits = strict[key] { wrapped[key] = .object([key: limits]) }
                }
                result[key] = .object(wrapped)
            case ("max_optimization_threads", .integer): result[key] = .object(["value": value])
            case ("query_encoding", _): result[key] = .object(["setting": spelled(value, key)])
            case ("prefix", .bool(let isOn)): if isOn { result[key] = .object(JSONObject()) }
            case ("stopwords", .string): result[key] = .object(["languages": .array([value])])
            case ("stemmer", .object(let stemmer)): result[key] = .object(stemmerWritten(stemmer))
            case ("metadata", _): break
            case (_, .object(let inner)): result[key] = .object(written(inner))
            default: result[key] = spelled(value, key)
            }
        }
        return result
    }

    private static func wrapped(_ entries: JSONObject) -> JSONValue {
        let pairs = entries.pairs.map { name, value -> (key: String, value: JSONValue) in
            if case .object(let params) = value { (name, .object(written(params))) } else { (name, value) }
        }
        return .object(["map": .object(JSONObject(pairs))])
    }

    private static func spelled(_ value: JSONValue, _ key: String) -> JSONValue {
        guard case .string(let text) = value, let name = names[key]?.first(where: { $0.json == text }) else {
            return value
        }
        return .string(name.message)
    }

    private static func stemmerWritten(_ stemmer: JSONObject) -> JSONObject {
        guard stemmer["type"] != .string("none") else { return ["disabled": .object(JSONObject())] }
        return ["snowball": .object(stemmer["language"].map { ["language": $0] } ?? JSONObject())]
    }

    // MARK: Field indexes

    private static let indexParamsSuffix = "_index_params"

    /// The schema that a field index's options are of; `nil` if they are of no type.
    static func schema(_ params: Qdrant_PayloadIndexParams) throws(OctantError) -> JSONObject? {
        guard let (key, options) = try object(of: params).pairs.first, case .object(let options) = options,
            key.hasSuffix(indexParamsSuffix)
        else { return nil }
        let type = String(key.dropLast(indexParamsSuffix.count))
        return (["type": .string(type)] as JSONObject).merging(options)
    }

    /// The message of a field index's options; `nil` if it has none.
    static func indexParams(_ schema: FieldIndexSchema) throws(OctantError) -> Qdrant_PayloadIndexParams? {
        guard var params = schema.params?.object else { return nil }
        params["type"] = nil
        return try message(["\(schema.type.rawValue)\(indexParamsSuffix)": .object(params)])
    }
}

extension JSONObject {
    /// These members with those of another in their place.
    fileprivate func merging(_ other: JSONObject) -> JSONObject {
        var merged = self
        for (key, value) in other.pairs { merged[key] = value }
        return merged
    }
}
#endif
