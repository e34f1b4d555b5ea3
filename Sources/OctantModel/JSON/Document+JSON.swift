/// The members of a document, as they are met.
struct DocumentMembers {
    private var input: Document.Input?
    private var model: String?
    private var options = Payload.empty

    static let names: Set<String> = ["text", "image", "object", "model", "options"]

    /// Whether any member was met.
    private(set) var isEmpty = true

    /// Reads a member; `false` if it is none of a document's.
    mutating func read(_ key: String, _ reader: inout JSONReader) throws(OctantError) -> Bool {
        guard Self.names.contains(key) else { return false }
        isEmpty = false
        switch key {
        case "text": try set(.text(try reader.readString()), reader)
        case "model": model = try reader.readString()
        case "options":
            switch try reader.readValue() {
            case .null: break
            case .object(let object): options = Payload(object)
            case let value: throw JSONFields.mismatch(value, "an object", "options")
            }
        default:
            try reader.skipValue()
            try set(key == "image" ? .image : .object, reader)
        }
        return true
    }

    private mutating func set(_ input: Document.Input, _ reader: JSONReader) throws(OctantError) {
        guard self.input == nil else { throw reader.error("data did not match any variant of vector") }
        self.input = input
    }

    /// The document; an error if something is missing.
    func document(_ reader: JSONReader) throws(OctantError) -> Document {
        guard let input else { throw reader.error("missing field `text`") }
        guard let model else { throw reader.error("missing field `model`") }
        return Document(input, model: model, options: options)
    }
}

extension JSONReader {
    /// Whether the object at the cursor, in a place where a map of named vectors may stand as well, is a document: a
    /// vector may be named `text`, but no vector is a string.
    func startsDocument() throws(OctantError) -> Bool {
        var ahead = self
        var first = true
        try ahead.beginObject()
        while let key = try ahead.nextKey(&first), DocumentMembers.names.contains(key) {
            if try ahead.peek() == .string { return true }
            try ahead.skipValue()
        }
        return false
    }
}

extension BM25Config {
    private static let members: Set<String> = [
        "k", "b", "avg_len", "language", "tokenizer", "lowercase", "ascii_folding", "stopwords", "stemmer",
        "min_token_len", "max_token_len",
    ]

    /// Reads the options of a document for BM25. Stop words and stems are those of `language` unless they are given;
    /// the language `none` has neither.
    package init(options: JSONObject) throws(OctantError) {
        let fields = JSONFields(options, path: "")
        do throws(OctantError) {
            try fields.refuseUnknown(Self.members)
            self.init()
            if let k = try fields.double("k") { self.k = k }
            if let b = try fields.double("b") { self.b = b }
            if let length = try fields.double("avg_len") { averageLength = length }
            analysis = try TextAnalysis(fields: fields)
            let name = try fields.string("language") ?? TextAnalysis.Language.english.rawValue
            if name != "none" { try setLanguage(name, fields) }
        } catch {
            throw OctantError(.badInput, "Invalid BM25 config: \(error.message)")
        }
    }

    private mutating func setLanguage(_ name: String, _ fields: JSONFields) throws(OctantError) {
        let (language, stemmer) = (TextAnalysis.Language(name: name), TextAnalysis.Stemmer(name: name))
        guard language != nil || stemmer != nil else {
            throw OctantError(.badInput, "language: `\(name)` is not known; without stop words and stems it is `none`")
        }
        if fields["stopwords"] == nil, let language { analysis.stopwordLanguages = [language] }
        if fields["stemmer"] == nil { analysis.stemmer = stemmer }
    }
}
