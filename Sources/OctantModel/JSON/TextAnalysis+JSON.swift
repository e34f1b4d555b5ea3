extension TextAnalysis {
    /// Reads the options of a text index from the members of its schema; absent ones have their defaults.
    package init(fields: JSONFields) throws(OctantError) {
        if let name = try fields.string("tokenizer") {
            guard let tokenizer = Tokenizer(rawValue: name) else {
                if name == "code" { throw .unsupported("`\(fields.path("tokenizer"))` \"code\" is") }
                let known = Tokenizer.allCases.map { "`\($0.rawValue)`" }.joined(separator: ", ")
                throw .json("\(fields.path("tokenizer")): unknown variant `\(name)`, expected one of \(known)")
            }
            self.tokenizer = tokenizer
        }
        minTokenLength = try fields.int("min_token_len")
        maxTokenLength = try fields.int("max_token_len")
        lowercase = try fields.bool("lowercase") ?? true
        asciiFolding = try fields.bool("ascii_folding") ?? false
        phraseMatching = try fields.bool("phrase_matching") ?? false
        if let words = fields["stopwords"] { try readStopwords(words, fields.path("stopwords")) }
        if let stemmer = try fields.fields("stemmer") { self.stemmer = try Self.stemmer(stemmer) }
    }

    private mutating func readStopwords(_ json: JSONValue, _ path: String) throws(OctantError) {
        switch json {
        case .string(let name): stopwordLanguages = [try Self.language(name, path)]
        case .object(let object):
            let fields = JSONFields(object, path: path)
            try fields.refuseUnknown(["languages", "custom"])
            for name in try fields.strings("languages") ?? [] {
                stopwordLanguages.insert(try Self.language(name, fields.path("languages")))
            }
            stopwords = Set(try fields.strings("custom") ?? [])
        default: throw JSONFields.mismatch(json, "the name of a language or an object", path)
        }
    }

    private static func language(_ name: String, _ path: String) throws(OctantError) -> Language {
        if let language = Language(name: name) { return language }
        throw unknown(name, path, Language.allCases.map(\.rawValue))
    }

    private static func unknown(_ name: String, _ path: String, _ known: [String]) -> OctantError {
        .json("\(path): unknown variant `\(name)`, expected one of \(known.map { "`\($0)`" }.joined(separator: ", "))")
    }

    private static func stemmer(_ fields: JSONFields) throws(OctantError) -> Stemmer? {
        guard let type = try fields.string("type") else { throw fields.missing("type") }
        switch type {
        case "none": return nil
        case "snowball":
            guard let name = try fields.string("language") else { throw fields.missing("language") }
            guard let stemmer = Stemmer(name: name) else {
                throw unknown(name, fields.path("language"), Stemmer.allCases.map(\.rawValue))
            }
            return stemmer
        default:
            throw .json("\(fields.path("type")): unknown variant `\(type)`, expected one of `snowball`, `none`")
        }
    }

    /// The members of a schema that mean this, always in the same order and without defaults: equal analyses are equal
    /// texts.
    package var json: JSONObject {
        var object: JSONObject = ["type": .string("text"), "tokenizer": .string(tokenizer.rawValue)]
        object.put("min_token_len", minTokenLength)
        object.put("max_token_len", maxTokenLength)
        if !lowercase { object["lowercase"] = .bool(false) }
        if phraseMatching { object["phrase_matching"] = .bool(true) }
        if asciiFolding { object["ascii_folding"] = .bool(true) }
        if !stopwordLanguages.isEmpty || !stopwords.isEmpty {
            object["stopwords"] = .object([
                "languages": .array(stopwordLanguages.map(\.rawValue).sorted().map(JSONValue.string)),
                "custom": .array(stopwords.sorted().map(JSONValue.string)),
            ])
        }
        if let stemmer {
            object["stemmer"] = .object(["type": .string("snowball"), "language": .string(stemmer.rawValue)])
        }
        return object
    }
}

extension FieldIndexSchema {
    /// How a text index turns text into tokens; `nil` for other types.
    public var text: TextAnalysis? {
        guard type == .text else { return nil }
        guard let params else { return TextAnalysis() }
        // What was accepted once reads again; the defaults stand in for what a damaged file says.
        return (try? TextAnalysis(fields: JSONFields(params.object, path: ""))) ?? TextAnalysis()
    }

    /// What the bytes of an index depend on, as text: the type, and for text the analysis.
    package var recipe: String {
        guard let text else { return type.rawValue }
        return JSONValue.object(text.json).text
    }

    /// The schema of an index that says so about itself; `nil` if it is none.
    package init?(type: FieldIndexType, textOptions: String) {
        guard type == .text else {
            self.init(type: type)
            return
        }
        guard let json = try? JSONParser.parse(textOptions), case .object(let object) = json,
            (try? TextAnalysis(fields: JSONFields(object, path: ""))) != nil
        else { return nil }
        self.init(type: type, params: Payload(object))
    }
}
