/// How text becomes tokens: split, folded to ASCII, lower-cased, freed of stop words, stemmed, checked for length.
public struct TextAnalysis: Hashable, Sendable {
    /// How text is split.
    public enum Tokenizer: String, Sendable, CaseIterable {
        /// As `word`; of each word all beginnings are tokens, from the least length to the greatest.
        case prefix
        /// At white space.
        case whitespace
        /// At everything that is neither letter nor digit.
        case word
        /// As `word`, but marks belong to their letters, and each Han, Hiragana and Katakana character is a token.
        case multilingual
    }

    /// How text is split.
    public var tokenizer = Tokenizer.word
    /// The least length of a token in Unicode scalars.
    public var minTokenLength: Int?
    /// The greatest length of a token in Unicode scalars.
    public var maxTokenLength: Int?
    /// Whether tokens are lower-cased.
    public var lowercase = true
    /// Whether letters with marks become their ASCII letters.
    public var asciiFolding = false
    /// Whose stop words are left out.
    public var stopwordLanguages: Set<Language> = []
    /// Further words that are left out.
    public var stopwords: Set<String> = []
    /// Whether an index keeps the order of words; without, phrases are sought in the payloads of rows with all words.
    public var phraseMatching = false
    /// How words are stemmed, if they are.
    public var stemmer: Stemmer?

    /// The analysis of a text index without options.
    public init() {}

    /// English text without its stop words, stemmed.
    public static var english: TextAnalysis {
        var analysis = TextAnalysis()
        analysis.stopwordLanguages = [.english]
        analysis.stemmer = .english
        return analysis
    }
}
