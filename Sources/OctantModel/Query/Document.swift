/// Something that a model turns into a vector: given in place of one wherever a point is written or searched for.
public struct Document: Hashable, Sendable {
    /// What the model works on.
    public enum Input: Hashable, Sendable {
        /// A text.
        case text(String)
        /// An image; no model of this version takes one.
        case image
        /// Something else; no model of this version takes it.
        case object
    }

    /// What the model works on.
    public var input: Input
    /// The model's name, such as `qdrant/bm25`.
    public var model: String
    /// What the model is told besides; for BM25 the members of ``BM25Config``.
    public var options: Payload

    /// A document.
    public init(_ input: Input, model: String, options: Payload = .empty) {
        self.input = input
        self.model = model
        self.options = options
    }

    /// A text for BM25.
    public init(bm25 text: String) { self.init(.text(text), model: "qdrant/bm25") }
}

/// How BM25 makes sparse vectors of texts (Robertson and Zaragoza 2009, "The probabilistic relevance framework"; the
/// names are theirs).
public struct BM25Config: Hashable, Sendable {
    /// How soon further occurrences of a token count no more, at least 0.
    public var k = 1.2
    /// How much long documents are held down, 0 to 1.
    public var b = 0.75
    /// Tokens of an average document, above 0.
    public var averageLength = 256.0
    /// How text becomes tokens.
    public var analysis = TextAnalysis.english

    /// The defaults: English texts.
    public init() {}
}
