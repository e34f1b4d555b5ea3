import OctantModel
import Testing

@testable import OctantPayload

@Suite struct StopWordTests {
    @Test("Stop words are distinct single words in lower case", arguments: TextAnalysis.Language.allCases)
    func lists(_ language: TextAnalysis.Language) {
        let words = StopWords.list(language)
        #expect(words.count >= 90 && Set(words).count == words.count)
        var analysis = TextAnalysis()
        analysis.tokenizer = .whitespace
        for word in words {
            var tokens: [String] = []
            TextAnalyzer(analysis).forEachToken(String(word), isQuery: false) {
                tokens.append(String(decoding: $0, as: UTF8.self))
            }
            #expect(tokens == [String(word)])
        }
    }

    @Test("Languages are known by name and by code")
    func names() {
        #expect(TextAnalysis.Language.allCases.count == 30 && TextAnalysis.Stemmer.allCases.count == 19)
        #expect(TextAnalysis.Language(name: "Slovene") == .slovene && TextAnalysis.Language(name: "sl") == .slovene)
        #expect(TextAnalysis.Stemmer(name: "HY") == .armenian && TextAnalysis.Stemmer(name: "tamil") == .tamil)
        #expect(TextAnalysis.Language(name: "tamil") == nil && TextAnalysis.Stemmer(name: "zh") == nil)
    }

    @Test("Typical words of a language are left out")
    func typical() {
        for (language, word): (TextAnalysis.Language, String) in [
            (.arabic, "من"), (.azerbaijani, "və"), (.basque, "eta"), (.bengali, "এবং"), (.catalan, "amb"),
            (.chinese, "的"),
            (.danish, "og"), (.dutch, "het"), (.english, "the"), (.finnish, "ja"), (.french, "les"), (.german, "und"),
            (.greek, "και"), (.hebrew, "של"), (.hinglish, "hai"), (.hungarian, "hogy"), (.indonesian, "yang"),
            (.italian, "della"), (.japanese, "です"), (.kazakh, "және"), (.nepali, "छ"), (.norwegian, "ikke"),
            (.portuguese, "não"), (.romanian, "și"), (.russian, "не"), (.slovene, "je"), (.spanish, "los"),
            (.swedish, "och"), (.tajik, "ва"), (.turkish, "ve"),
        ] {
            #expect(StopWords.words(language).contains(Array(word.utf8)), "\(language) \(word)")
        }
    }
}

@Suite struct WordStemmerTests {
    private func stem(_ word: String, _ stemmer: TextAnalysis.Stemmer) -> String? {
        var bytes = Array(word.utf8)
        guard let stemmer = WordStemmer(stemmer) else { return nil }
        stemmer.stem(&bytes)
        return String(decoding: bytes, as: UTF8.self)
    }

    @Test("English words keep letters beyond ASCII")
    func accents() {
        for (word, expected) in [
            ("cafés", "café"), ("naïvely", "naïv"), ("façades", "façad"), ("résumés", "résumé"), ("éé", "éé"),
        ] {
            #expect(stem(word, .english) == expected)
        }
        var damaged: [UInt8] = [0x80, 0xBF, 0x61, 0xC3]
        EnglishStemmer.stem(&damaged)
        #expect(damaged == [0x80, 0xBF, 0x61, 0xC3])
    }

    #if Snowball
    @Test(
        "Each language has its stems",
        arguments: [
            (.arabic, "الكتاب", "كتاب"), (.armenian, "քաղաքների", "քաղ"), (.danish, "bøgerne", "bøg"),
            (.dutch, "boeken", "boek"), (.english, "running", "run"), (.finnish, "taloissa", "talo"),
            (.french, "chevaux", "cheval"), (.german, "häuser", "haus"), (.greek, "ανθρώπους", "ανθρωπ"),
            (.hungarian, "könyveket", "könyv"), (.italian, "abbandonata", "abbandon"), (.norwegian, "husene", "hus"),
            (.portuguese, "livros", "livr"), (.romanian, "frumoasă", "frumoas"), (.russian, "книгами", "книг"),
            (.spanish, "libros", "libr"), (.swedish, "husen", "hus"), (.tamil, "மரங்கள்", "மரங்"),
            (.turkish, "evlerinden", "ev"),
        ] as [(TextAnalysis.Stemmer, String, String)])
    func languages(_ stemmer: TextAnalysis.Stemmer, _ word: String, _ expected: String) {
        #expect(stem(word, stemmer) == expected)
    }

    @Test("A word is never lost to its stemmer")
    func empty() {
        #expect(stem("όταν", .greek) == "όταν")
        #expect(stem("", .german) == "")
    }

    @Test("English stems are those of the library")
    func english() throws {
        let library = try #require(SnowballPool.of(.english))
        var random = TestRandom(20)
        let letters = Array("aaeeiouybcdglmnrstvé".unicodeScalars)
        let ends = [
            "", "s", "es", "ies", "ied", "ed", "eed", "edly", "eedly", "ing", "ingly", "y", "ly", "ational", "ation",
            "izer",
            "fulness", "ousness", "iveness", "biliti", "ogi", "entli", "ement", "ment", "ion", "ative", "alize",
            "icate",
            "ness", "able", "e", "le", "ell", "bb", "tt", "us", "ss", "sses", "inning", "ceed", "gener", "commun",
            "arsen",
        ]
        for _ in 0..<60_000 {
            var word = ""
            for _ in 0..<Int.random(in: 0...7, using: &random) {
                word.unicodeScalars.append(letters[Int.random(in: 0..<letters.count, using: &random)])
            }
            if word.isEmpty { word = ends[Int.random(in: 0..<ends.count, using: &random)] }
            word += ends[Int.random(in: 0..<ends.count, using: &random)]
            guard !word.isEmpty else { continue }
            var bytes = Array(word.utf8)
            library.stem(&bytes)
            #expect(stem(word, .english) == String(decoding: bytes, as: UTF8.self), "\(word)")
        }
    }

    @Test("Stemmers serve many threads at once")
    func threads() async {
        let counts = await withTaskGroup(of: Int.self) { group in
            for _ in 0..<8 {
                group.addTask {
                    guard let german = WordStemmer(.german), let russian = WordStemmer(.russian) else { return -1 }
                    var wrong = 0
                    for _ in 0..<2000 {
                        var (a, b) = (Array("häuser".utf8), Array("вагонов".utf8))
                        german.stem(&a)
                        russian.stem(&b)
                        if a != Array("haus".utf8) || b != Array("вагон".utf8) { wrong += 1 }
                    }
                    return wrong
                }
            }
            return await group.reduce(into: []) { $0.append($1) }
        }
        #expect(counts == Array(repeating: 0, count: 8))
    }

    @Test("Stems come behind stop words and before lengths, in any language")
    func order() {
        var analysis = TextAnalysis()
        analysis.stopwordLanguages = [.german]
        analysis.stemmer = .german
        analysis.maxTokenLength = 5
        var tokens: [String] = []
        TextAnalyzer(analysis).forEachToken("Die Häuser und der Garten", isQuery: false) {
            tokens.append(String(decoding: $0, as: UTF8.self))
        }
        #expect(tokens == ["haus", "gart"])
    }
    #else
    @Test("Without the library, other stemmers say how to get them")
    func missing() {
        var analysis = TextAnalysis()
        analysis.stemmer = .german
        #expect(WordStemmer(.german) == nil && stem("running", .english) == "run")
        #expect {
            try analysis.checkAvailable()
        } throws: {
            "\($0)".contains("package trait `Snowball`")
        }
    }
    #endif
}
