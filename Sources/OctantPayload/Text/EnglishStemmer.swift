/// The English (Porter2) stemmer of the Snowball project, written from its published description
/// (snowballstem.org/algorithms/english/stemmer.html, the classic version with the regions R1 and R2).
///
/// A word is in lower case; letters beyond ASCII are consonants.
enum EnglishStemmer {
    /// Replaces a word by its stem.
    static func stem(_ word: inout [UInt8]) {
        guard word.contains(where: { $0 >= 0x80 }) else { return stemASCII(&word) }
        // One byte stands for each other letter. Only ends change, so that those that stay are the first ones.
        var letters: [[UInt8]] = []
        var plain: [UInt8] = []
        for byte in word {
            if byte < 0x80 {
                plain.append(byte)
            } else if byte & 0xC0 == 0x80, !letters.isEmpty {
                letters[letters.count - 1].append(byte)
            } else {
                letters.append([byte])
                plain.append(otherLetter)
            }
        }
        stemASCII(&plain)
        var rest = letters[...]
        word = plain.flatMap { $0 == otherLetter ? rest.popFirst() ?? [] : [$0] }
    }

    private static let otherLetter: UInt8 = 0x80

    private static func stemASCII(_ word: inout [UInt8]) {
        guard word.count > 2 else { return }
        if let special = exceptions[word] {
            word = special
            return
        }
        var stemmer = Stemmer(word: word)
        stemmer.run()
        word = stemmer.word
    }

    /// Words with stems of their own, and words that stay.
    private static let exceptions: [[UInt8]: [UInt8]] = {
        var table: [[UInt8]: [UInt8]] = [:]
        let pairs = [
            ("skis", "ski"), ("skies", "sky"), ("dying", "die"), ("lying", "lie"), ("tying", "tie"), ("idly", "idl"),
            ("gently", "gentl"), ("ugly", "ugli"), ("early", "earli"), ("only", "onli"), ("singly", "singl"),
        ]
        for (word, stem) in pairs { table[Array(word.utf8)] = Array(stem.utf8) }
        for word in ["sky", "news", "howe", "atlas", "cosmos", "bias", "andes"] {
            table[Array(word.utf8)] = Array(word.utf8)
        }
        return table
    }()
}

/// One word on its way to its stem. A consonant `y` is written `Y`.
private struct Stemmer {
    var word: [UInt8]
    private var r1 = 0
    private var r2 = 0

    init(word: [UInt8]) { self.word = word }

    mutating func run() {
        if word.first == UInt8(ascii: "'") { word.removeFirst() }
        var hasConsonantY = false
        for place in word.indices where word[place] == UInt8(ascii: "y") {
            guard place == 0 || isVowel(place - 1) else { continue }
            word[place] = UInt8(ascii: "Y")
            hasConsonantY = true
        }
        markRegions()
        removePossessive()
        removePlural()
        if !Self.unchanged.contains(word) {
            removePast()
            replaceY()
            replaceDoubleSuffix()
            replaceSuffix()
            removeSuffix()
            removeLastE()
        }
        guard hasConsonantY else { return }
        for place in word.indices where word[place] == UInt8(ascii: "Y") { word[place] = UInt8(ascii: "y") }
    }

    /// Words that are done after the plural is.
    private static let unchanged = Set(
        ["inning", "outing", "canning", "herring", "earring", "proceed", "exceed", "succeed"].map { Array($0.utf8) })

    // MARK: Regions

    private func isVowel(_ place: Int) -> Bool {
        switch word[place] {
        case UInt8(ascii: "a"), UInt8(ascii: "e"), UInt8(ascii: "i"), UInt8(ascii: "o"), UInt8(ascii: "u"),
            UInt8(ascii: "y"):
            true
        default: false
        }
    }

    /// Behind the first non-vowel that follows a vowel, from `start` on.
    private func region(from start: Int) -> Int {
        var place = start
        while place < word.count, !isVowel(place) { place += 1 }
        while place < word.count, isVowel(place) { place += 1 }
        return min(place + 1, word.count)
    }

    private mutating func markRegions() {
        r1 = region(from: 0)
        for prefix in ["gener", "commun", "arsen"] where word.starts(with: prefix.utf8) { r1 = prefix.utf8.count }
        r2 = region(from: r1)
    }

    // MARK: Tests

    private func ends(_ suffix: String) -> Bool {
        word.count >= suffix.utf8.count && word[(word.count - suffix.utf8.count)...].elementsEqual(suffix.utf8)
    }

    /// The longest of some suffixes the word ends with.
    private func longest(_ suffixes: [String]) -> String? {
        suffixes.filter { ends($0) }.max { $0.utf8.count < $1.utf8.count }
    }

    private func isInR1(_ suffix: String) -> Bool { word.count - suffix.utf8.count >= r1 }
    private func isInR2(_ suffix: String) -> Bool { word.count - suffix.utf8.count >= r2 }

    private mutating func replace(_ suffix: String, by other: String) {
        word.removeLast(suffix.utf8.count)
        word.append(contentsOf: other.utf8)
    }

    private func hasVowel(before end: Int) -> Bool { (0..<max(end, 0)).contains { isVowel($0) } }

    /// Whether the first `end` letters end with a short syllable.
    private func isShortSyllable(_ end: Int) -> Bool {
        if end == 2 { return isVowel(0) && !isVowel(1) }
        guard end >= 3, !isVowel(end - 3), isVowel(end - 2), !isVowel(end - 1) else { return false }
        switch word[end - 1] {
        case UInt8(ascii: "w"), UInt8(ascii: "x"), UInt8(ascii: "Y"): return false
        default: return true
        }
    }

    private var isShort: Bool { r1 >= word.count && isShortSyllable(word.count) }

    private var endsWithDouble: Bool {
        ["bb", "dd", "ff", "gg", "mm", "nn", "pp", "rr", "tt"].contains { ends($0) }
    }

    // MARK: Steps

    /// Step 0.
    private mutating func removePossessive() {
        if let suffix = longest(["'", "'s", "'s'"]) { replace(suffix, by: "") }
    }

    /// Step 1a.
    private mutating func removePlural() {
        guard let suffix = longest(["sses", "ied", "ies", "s", "us", "ss"]) else { return }
        switch suffix {
        case "sses": replace(suffix, by: "ss")
        case "ied", "ies": replace(suffix, by: word.count > 4 ? "i" : "ie")
        case "s": if hasVowel(before: word.count - 2) { word.removeLast() }
        default: break
        }
    }

    /// Step 1b.
    private mutating func removePast() {
        guard let suffix = longest(["eed", "eedly", "ed", "edly", "ing", "ingly"]) else { return }
        if suffix == "eed" || suffix == "eedly" {
            if isInR1(suffix) { replace(suffix, by: "ee") }
            return
        }
        guard hasVowel(before: word.count - suffix.utf8.count) else { return }
        replace(suffix, by: "")
        if ends("at") || ends("bl") || ends("iz") {
            word.append(UInt8(ascii: "e"))
        } else if endsWithDouble {
            word.removeLast()
        } else if isShort {
            word.append(UInt8(ascii: "e"))
        }
    }

    /// Step 1c.
    private mutating func replaceY() {
        guard let last = word.last, last == UInt8(ascii: "y") || last == UInt8(ascii: "Y"), word.count > 2,
            !isVowel(word.count - 2)
        else { return }
        word[word.count - 1] = UInt8(ascii: "i")
    }

    private static let doubles: [(String, String)] = [
        ("tional", "tion"), ("enci", "ence"), ("anci", "ance"), ("abli", "able"), ("entli", "ent"), ("izer", "ize"),
        ("ization", "ize"), ("ational", "ate"), ("ation", "ate"), ("ator", "ate"), ("alism", "al"), ("aliti", "al"),
        ("alli", "al"), ("fulness", "ful"), ("ousli", "ous"), ("ousness", "ous"), ("iveness", "ive"),
        ("iviti", "ive"), ("biliti", "ble"), ("bli", "ble"), ("ogi", "og"), ("fulli", "ful"), ("lessli", "less"),
        ("li", ""),
    ]

    /// Step 2.
    private mutating func replaceDoubleSuffix() {
        guard let suffix = longest(Self.doubles.map(\.0)), isInR1(suffix),
            let other = Self.doubles.first(where: { $0.0 == suffix })?.1
        else { return }
        let before = word.count - suffix.utf8.count - 1
        switch suffix {
        case "ogi": if before >= 0, word[before] == UInt8(ascii: "l") { replace(suffix, by: other) }
        case "li": if before >= 0, "cdeghkmnrt".utf8.contains(word[before]) { replace(suffix, by: other) }
        default: replace(suffix, by: other)
        }
    }

    private static let singles: [(String, String)] = [
        ("tional", "tion"), ("ational", "ate"), ("alize", "al"), ("icate", "ic"), ("iciti", "ic"), ("ical", "ic"),
        ("ful", ""), ("ness", ""), ("ative", ""),
    ]

    /// Step 3.
    private mutating func replaceSuffix() {
        guard let suffix = longest(Self.singles.map(\.0)), isInR1(suffix),
            let other = Self.singles.first(where: { $0.0 == suffix })?.1
        else { return }
        if suffix == "ative", !isInR2(suffix) { return }
        replace(suffix, by: other)
    }

    private static let last = [
        "al", "ance", "ence", "er", "ic", "able", "ible", "ant", "ement", "ment", "ent", "ism", "ate", "iti", "ous",
        "ive", "ize", "ion",
    ]

    /// Step 4.
    private mutating func removeSuffix() {
        guard let suffix = longest(Self.last), isInR2(suffix) else { return }
        if suffix == "ion" {
            let before = word.count - 4
            guard before >= 0, word[before] == UInt8(ascii: "s") || word[before] == UInt8(ascii: "t") else { return }
        }
        replace(suffix, by: "")
    }

    /// Step 5.
    private mutating func removeLastE() {
        if ends("e") {
            if isInR2("e") || (isInR1("e") && !isShortSyllable(word.count - 1)) { word.removeLast() }
        } else if ends("l"), isInR2("l"), ends("ll") {
            word.removeLast()
        }
    }
}
