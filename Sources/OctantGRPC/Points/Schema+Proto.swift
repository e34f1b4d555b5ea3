#if Server
import OctantModel
import OctantProtocol

// Schemas are read by way of their JSON: what is allowed in them is written in one place.

extension FieldIndexSchema {
    /// Reads the schema of `CreateFieldIndex`.
    init(_ message: Qdrant_CreateFieldIndexCollection) throws(OctantError) {
        if message.hasFieldIndexParams, let params = message.fieldIndexParams.indexParams {
            try self.init(json: .object(try Self.object(params)))
        } else if message.hasFieldType {
            switch message.fieldType {
            case .keyword: self.init(type: .keyword)
            case .integer: self.init(type: .integer)
            case .float: self.init(type: .float)
            case .geo: self.init(type: .geo)
            case .text: self.init(type: .text)
            case .bool: self.init(type: .bool)
            case .datetime: self.init(type: .datetime)
            case .uuid: self.init(type: .uuid)
            case .UNRECOGNIZED(let value): throw .unknown(value, "field_type")
            }
        } else {
            throw Self.missing
        }
    }

    private static func object(
        _ params: Qdrant_PayloadIndexParams.OneOf_IndexParams
    ) throws(OctantError) -> JSONObject {
        var object: JSONObject
        switch params {
        case .keywordIndexParams(let params):
            object = try common("keyword", params)
            if params.hasIsTenant { object["is_tenant"] = .bool(params.isTenant) }
            if params.hasPrefix { object["prefix"] = .bool(true) }
        case .integerIndexParams(let params):
            object = try common("integer", params)
            if params.hasLookup { object["lookup"] = .bool(params.lookup) }
            if params.hasRange { object["range"] = .bool(params.range) }
            if params.hasIsPrincipal { object["is_principal"] = .bool(params.isPrincipal) }
        case .floatIndexParams(let params):
            object = try common("float", params)
            if params.hasIsPrincipal { object["is_principal"] = .bool(params.isPrincipal) }
        case .geoIndexParams(let params): object = try common("geo", params)
        case .boolIndexParams(let params): object = try common("bool", params)
        case .datetimeIndexParams(let params):
            object = try common("datetime", params)
            if params.hasIsPrincipal { object["is_principal"] = .bool(params.isPrincipal) }
        case .uuidIndexParams(let params):
            object = try common("uuid", params)
            if params.hasIsTenant { object["is_tenant"] = .bool(params.isTenant) }
        case .textIndexParams(let params): object = try text(params)
        }
        return object
    }

    /// The options that all types have.
    private static func common(
        _ type: String, _ params: some IndexParamsMessage
    ) throws(OctantError) -> JSONObject {
        var object: JSONObject = ["type": .string(type)]
        if params.hasOnDisk { object["on_disk"] = .bool(params.onDisk) }
        if params.hasMemory {
            switch params.memory {
            case .unknown: break
            case .cold: object["memory"] = .string("cold")
            case .cached: object["memory"] = .string("cached")
            case .pinned: object["memory"] = .string("pinned")
            case .UNRECOGNIZED(let value): throw .unknown(value, "field_schema.memory")
            }
        }
        if params.hasEnableHnsw { object["enable_hnsw"] = .bool(params.enableHnsw) }
        if params.hasNested { object["nested"] = .string(params.nested) }
        return object
    }

    private static func text(_ params: Qdrant_TextIndexParams) throws(OctantError) -> JSONObject {
        var object = try common("text", params)
        switch params.tokenizer {
        case .unknown: break
        case .prefix: object["tokenizer"] = .string("prefix")
        case .whitespace: object["tokenizer"] = .string("whitespace")
        case .word: object["tokenizer"] = .string("word")
        case .multilingual: object["tokenizer"] = .string("multilingual")
        case .code: object["tokenizer"] = .string("code")
        case .UNRECOGNIZED(let value): throw .unknown(value, "field_schema.tokenizer")
        }
        if params.hasMinTokenLen { object["min_token_len"] = .integer(Int64(clamping: params.minTokenLen)) }
        if params.hasMaxTokenLen { object["max_token_len"] = .integer(Int64(clamping: params.maxTokenLen)) }
        if params.hasLowercase { object["lowercase"] = .bool(params.lowercase) }
        if params.hasAsciiFolding { object["ascii_folding"] = .bool(params.asciiFolding) }
        if params.hasPhraseMatching { object["phrase_matching"] = .bool(params.phraseMatching) }
        if params.hasScoring { throw .unsupported("`field_schema.scoring` is") }
        if params.hasStopwords {
            var words = JSONObject()
            if !params.stopwords.languages.isEmpty {
                words["languages"] = .array(params.stopwords.languages.map(JSONValue.string))
            }
            if !params.stopwords.custom.isEmpty {
                words["custom"] = .array(params.stopwords.custom.map(JSONValue.string))
            }
            object["stopwords"] = .object(words)
        }
        if params.hasStemmer {
            switch params.stemmer.stemmingParams {
            case .snowball(let snowball):
                object["stemmer"] = .object(["type": .string("snowball"), "language": .string(snowball.language)])
            case .disabled: object["stemmer"] = .object(["type": .string("none")])
            case nil: throw .missing("type", in: "field_schema.stemmer")
            }
        }
        return object
    }
}

/// The options that indexes of all types have.
private protocol IndexParamsMessage {
    var hasOnDisk: Bool { get }
    var onDisk: Bool { get }
    var hasMemory: Bool { get }
    var memory: Qdrant_Memory { get }
    var hasEnableHnsw: Bool { get }
    var enableHnsw: Bool { get }
    var hasNested: Bool { get }
    var nested: String { get }
}

extension Qdrant_KeywordIndexParams: IndexParamsMessage {}
extension Qdrant_IntegerIndexParams: IndexParamsMessage {}
extension Qdrant_FloatIndexParams: IndexParamsMessage {}
extension Qdrant_GeoIndexParams: IndexParamsMessage {}
extension Qdrant_BoolIndexParams: IndexParamsMessage {}
extension Qdrant_DatetimeIndexParams: IndexParamsMessage {}
extension Qdrant_UuidIndexParams: IndexParamsMessage {}
extension Qdrant_TextIndexParams: IndexParamsMessage {}

extension VectorDefinition {
    /// Reads the vector of `CreateVectorName`.
    init(_ message: Qdrant_CreateVectorNameRequest) throws(OctantError) {
        var object = JSONObject()
        switch message.vectorConfig {
        case .denseConfig(let config):
            object["size"] = .integer(Int64(clamping: config.size))
            switch config.distance {
            case .unknownDistance: break
            case .cosine: object["distance"] = .string("Cosine")
            case .euclid: object["distance"] = .string("Euclid")
            case .dot: object["distance"] = .string("Dot")
            case .manhattan: object["distance"] = .string("Manhattan")
            case .UNRECOGNIZED(let value): throw .unknown(value, "dense.distance")
            }
            if config.hasDatatype { object["datatype"] = try Self.datatype(config.datatype, "dense") }
            if config.hasMultivectorConfig {
                if case .UNRECOGNIZED(let value) = config.multivectorConfig.comparator {
                    throw .unknown(value, "dense.multivector_config.comparator")
                }
                object["multivector_config"] = .object(["comparator": .string("max_sim")])
            }
            object = ["dense": .object(object)]
        case .sparseConfig(let config):
            if config.hasModifier {
                switch config.modifier {
                case .none: object["modifier"] = .string("none")
                case .idf: object["modifier"] = .string("idf")
                case .UNRECOGNIZED(let value): throw .unknown(value, "sparse.modifier")
                }
            }
            if config.hasDatatype { object["datatype"] = try Self.datatype(config.datatype, "sparse") }
            object = ["sparse": .object(object)]
        case nil: break
        }
        try self.init(name: message.vectorName, json: .object(object))
    }

    /// `nil` if nothing is said.
    private static func datatype(_ message: Qdrant_Datatype, _ path: String) throws(OctantError) -> JSONValue? {
        switch message {
        case .default: nil
        case .float32: .string("float32")
        case .uint8: .string("uint8")
        case .float16: .string("float16")
        case .turbo4: .string("turbo4")
        case .turbo8: .string("turbo8")
        case .turbo16: .string("turbo16")
        case .UNRECOGNIZED(let value): throw .unknown(value, "\(path).datatype")
        }
    }
}
#endif
