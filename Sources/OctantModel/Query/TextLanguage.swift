extension TextAnalysis {
    /// Languages with stop words.
    public enum Language: String, Sendable, CaseIterable {
        case arabic, azerbaijani, basque, bengali, catalan, chinese, danish, dutch, english, finnish, french, german
        case greek, hebrew, hinglish, hungarian, indonesian, italian, japanese, kazakh, nepali, norwegian, portuguese
        case romanian, russian, slovene, spanish, swedish, tajik, turkish

        /// The language of a name or an ISO 639-1 code, in any case.
        public init?(name: String) {
            guard let language = Language(rawValue: languageName(name)) else { return nil }
            self = language
        }
    }

    /// How words are brought to their stems: Snowball's algorithm for a language.
    public enum Stemmer: String, Sendable, CaseIterable {
        case arabic, armenian, danish, dutch, english, finnish, french, german, greek, hungarian, italian, norwegian
        case portuguese, romanian, russian, spanish, swedish, tamil, turkish

        /// The stemmer of a language's name or ISO 639-1 code, in any case.
        public init?(name: String) {
            guard let stemmer = Stemmer(rawValue: languageName(name)) else { return nil }
            self = stemmer
        }
    }

    /// A name in lower case; for a code, the name it stands for.
    private static func languageName(_ name: String) -> String {
        let name = name.lowercased()
        return languageCodes[name] ?? name
    }

    private static let languageCodes = [
        "ar": "arabic", "az": "azerbaijani", "bn": "bengali", "ca": "catalan", "da": "danish", "de": "german",
        "el": "greek", "en": "english", "es": "spanish", "eu": "basque", "fi": "finnish", "fr": "french",
        "he": "hebrew", "hi-en": "hinglish", "hu": "hungarian", "hy": "armenian", "id": "indonesian", "it": "italian",
        "ja": "japanese", "kk": "kazakh", "nb": "norwegian", "ne": "nepali", "nl": "dutch", "nn": "norwegian",
        "no": "norwegian", "pt": "portuguese", "ro": "romanian", "ru": "russian", "sl": "slovene", "sv": "swedish",
        "ta": "tamil", "tg": "tajik", "tr": "turkish", "zh": "chinese",
    ]
}
