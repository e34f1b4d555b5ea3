import OctantModel
import Testing

@testable import OctantPayload

@Suite struct TextAnalyzerTests {
    private func tokens(_ text: String, isQuery: Bool = false, _ set: (inout TextAnalysis) -> Void) -> [String] {
        var analysis = TextAnalysis()
        set(&analysis)
        var tokens: [String] = []
        TextAnalyzer(analysis).forEachToken(text, isQuery: isQuery) {
            tokens.append(String(decoding: $0, as: UTF8.self))
        }
        return tokens
    }

    @Test("Words are split at everything that is neither letter nor digit")
    func word() {
        #expect(tokens("Hello, World! it's C3-PO") { _ in } == ["hello", "world", "it", "s", "c3", "po"])
        #expect(tokens("Grüße aus Łódź") { $0.lowercase = false } == ["Grüße", "aus", "Łódź"])
        #expect(tokens("ÀÉ ÄÖ") { _ in } == ["àé", "äö"])
        #expect(tokens("東京タワー 高い") { _ in } == ["東京タワー", "高い"])
        #expect(tokens("") { _ in }.isEmpty && tokens(" .,;— ") { _ in }.isEmpty)
    }

    @Test("White space splits, whatever its kind")
    func whitespace() {
        #expect(tokens("a-b\tc,d\u{2003}é!\n") { $0.tokenizer = .whitespace } == ["a-b", "c,d", "é!"])
    }

    @Test("Multilingual text has one token per character of scripts without spaces, and keeps marks")
    func multilingual() {
        #expect(
            tokens("東京 tower カメラabc") { $0.tokenizer = .multilingual }
                == ["東", "京", "tower", "カ", "メ", "ラ", "abc"])
        #expect(tokens("हिन्दी भाषा") { $0.tokenizer = .multilingual } == ["हिन्दी", "भाषा"])
        #expect(tokens("한국어 시험") { $0.tokenizer = .multilingual } == ["한국어", "시험"])
    }

    @Test("A document has all beginnings of its words, a query the longest")
    func prefix() {
        func set(_ analysis: inout TextAnalysis) {
            analysis.tokenizer = .prefix
            analysis.minTokenLength = 2
            analysis.maxTokenLength = 4
            analysis.stopwords = ["the"]
        }
        #expect(tokens("the Räuber a", set) == ["rä", "räu", "räub"])
        #expect(tokens("the Räuber a", isQuery: true, set) == ["the", "räub"])
        #expect(tokens("abc") { $0.tokenizer = .prefix } == ["a", "ab", "abc"])
        let long = String(repeating: "x", count: 100_000)
        #expect(tokens(long) { $0.tokenizer = .prefix }.count == 256)
        #expect(tokens(long, isQuery: true) { $0.tokenizer = .prefix } == [String(repeating: "x", count: 256)])
    }

    @Test("Folding comes before lower case, stop words before stems, lengths last")
    func order() {
        #expect(
            tokens("Crème Brûlée ẞ Æther ŁÓDŹ") { $0.asciiFolding = true } == [
                "creme", "brulee", "ss", "aether", "lodz",
            ])
        #expect(tokens("e\u{301}te\u{301}") { ($0.asciiFolding, $0.tokenizer) = (true, .multilingual) } == ["ete"])
        #expect(
            tokens("The runners are Running") {
                ($0.stopwordLanguages, $0.stemmer) = ([.english], .english)
            } == ["runner", "run"])
        #expect(
            tokens("running a ox") { ($0.stemmer, $0.minTokenLength, $0.maxTokenLength) = (.english, 2, 3) }
                == ["run", "ox"])
        #expect(tokens("The the") { ($0.lowercase, $0.stopwords) = (false, ["the"]) } == ["The"])
        #expect(tokens("The the") { $0.stopwords = ["THE"] }.isEmpty)
        #expect(tokens("der Hund und die Katze") { $0.stopwordLanguages = [.german] } == ["hund", "katze"])
        #expect(tokens("и собака") { $0.stopwordLanguages = [.russian] } == ["собака"])
    }

    @Test("Any bytes can be split without a trap", arguments: 0..<4)
    func anyBytes(_ seed: UInt64) {
        var source = RandomFilters(seed: seed)
        for _ in 0..<300 {
            let analyzer = TextAnalyzer(source.analysis())
            let bytes = (0..<Int.random(in: 0...40, using: &source.random)).map { _ -> UInt8 in
                .random(in: 0...255, using: &source.random)
            }
            bytes.withUnsafeBytes { bytes in
                for isQuery in [true, false] {
                    analyzer.forEachToken(utf8: bytes, isQuery: isQuery) { token in
                        #expect(!token.isEmpty)
                    }
                }
            }
        }
    }

    @Test(
        "English stems are those of the published vocabulary",
        arguments: [
            ("consign", "consign"), ("consigned", "consign"), ("consigning", "consign"), ("consignment", "consign"),
            ("consist", "consist"), ("consisted", "consist"), ("consistency", "consist"), ("consistent", "consist"),
            ("consistently", "consist"), ("consolation", "consol"), ("consolations", "consol"),
            ("consolatory", "consolatori"), ("console", "consol"), ("consolidate", "consolid"),
            ("consolidating", "consolid"), ("consoling", "consol"), ("consolingly", "consol"), ("consols", "consol"),
            ("consonant", "conson"), ("consorted", "consort"), ("conspicuous", "conspicu"),
            ("conspicuously", "conspicu"), ("conspiracy", "conspiraci"), ("conspirator", "conspir"),
            ("conspirators", "conspir"), ("conspire", "conspir"), ("conspired", "conspir"), ("constable", "constabl"),
            ("constancy", "constanc"), ("constant", "constant"), ("knack", "knack"), ("knackeries", "knackeri"),
            ("knacks", "knack"), ("knag", "knag"), ("knave", "knave"), ("knaves", "knave"), ("knavish", "knavish"),
            ("kneaded", "knead"), ("kneading", "knead"), ("knee", "knee"), ("kneel", "kneel"), ("kneeled", "kneel"),
            ("kneels", "kneel"), ("knell", "knell"), ("knelt", "knelt"), ("knew", "knew"), ("knick", "knick"),
            ("knif", "knif"), ("knife", "knife"), ("knight", "knight"), ("knightly", "knight"), ("knights", "knight"),
            ("knit", "knit"), ("knits", "knit"), ("knitted", "knit"), ("knitting", "knit"), ("knives", "knive"),
            ("knob", "knob"), ("knobs", "knob"), ("knock", "knock"), ("knocked", "knock"), ("knocker", "knocker"),
            ("knockers", "knocker"), ("generously", "generous"), ("communication", "communic"), ("skies", "sky"),
            ("dying", "die"), ("ties", "tie"), ("cries", "cri"), ("gas", "gas"), ("this", "this"), ("kiwis", "kiwi"),
            ("luxuriating", "luxuri"), ("hopping", "hop"), ("hoping", "hope"), ("falling", "fall"), ("cry", "cri"),
            ("by", "by"), ("say", "say"), ("sensational", "sensat"), ("relational", "relat"), ("triplicate", "triplic"),
            ("hopefulness", "hope"), ("agreed", "agre"), ("feed", "feed"), ("succeeding", "succeed"),
            ("inning", "inning"), ("news", "news"), ("youth", "youth"), ("boy", "boy"), ("boyish", "boyish"),
            ("adoption", "adopt"), ("rolled", "roll"), ("controlling", "control"), ("rate", "rate"),
            ("geology", "geolog"), ("happily", "happili"), ("dogs", "dog"), ("ponies", "poni"), ("it's", "it"),
        ])
    func stems(_ word: String, _ stem: String) {
        var bytes = Array(word.utf8)
        EnglishStemmer.stem(&bytes)
        #expect(String(decoding: bytes, as: UTF8.self) == stem)
    }

    @Test("Any word can be stemmed without a trap")
    func anyWord() {
        var random = TestRandom(5)
        let letters = Array("aeiouybdglstnczinged'".utf8)
        for _ in 0..<50_000 {
            var word = (0..<Int.random(in: 0...12, using: &random)).map { _ in
                letters[Int.random(in: 0..<letters.count, using: &random)]
            }
            EnglishStemmer.stem(&word)
        }
    }
}
