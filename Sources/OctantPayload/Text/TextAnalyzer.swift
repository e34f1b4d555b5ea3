package import OctantModel

/// Turns text into tokens as a ``TextAnalysis`` says. The same for indexes, queries and rows that are not indexed.
package final class TextAnalyzer: Sendable {
    /// What it follows.
    package let analysis: TextAnalysis
    private let stopwords: Set<[UInt8]>
    private let stemmer: WordStemmer?
    private let least: Int
    private let most: Int

    /// An analyzer.
    package init(_ analysis: TextAnalysis) {
        self.analysis = analysis
        var stopwords: Set<[UInt8]> = []
        for language in analysis.stopwordLanguages {
            // The first is shared, not copied.
            if stopwords.isEmpty {
                stopwords = StopWords.words(language)
            } else {
                stopwords.formUnion(StopWords.words(language))
            }
        }
        for word in analysis.stopwords {
            stopwords.insert(Array((analysis.lowercase ? word.lowercased() : word).utf8))
        }
        self.stopwords = stopwords
        stemmer = analysis.stemmer.flatMap { WordStemmer($0) }
        least = max(analysis.minTokenLength ?? 0, 0)
        let most = max(analysis.maxTokenLength ?? .max, 0)
        self.most = analysis.tokenizer == .prefix ? min(most, Limits.prefixTokenLengthMax) : most
    }

    /// Calls `body` with each token of a text.
    package func forEachToken(_ text: String, isQuery: Bool, _ body: ([UInt8]) -> Void) {
        var text = text
        text.withUTF8 { forEachToken(utf8: UnsafeRawBufferPointer($0), isQuery: isQuery, body) }
    }

    /// Calls `body` with each token of a text. With the tokenizer `prefix`, a document has all beginnings of its words,
    /// and a query only the longest of each.
    func forEachToken(utf8: UnsafeRawBufferPointer, isQuery: Bool, _ body: ([UInt8]) -> Void) {
        guard analysis.tokenizer == .prefix else {
            forEachWord(utf8: utf8, isQuery: isQuery, body)
            return
        }
        forEachWord(utf8: utf8, isQuery: isQuery) { word in
            if isQuery {
                body(word)
                return
            }
            var length = 0
            for end in 1...word.count where end == word.count || word[end] & 0xC0 != 0x80 {
                length += 1
                guard length <= most else { break }
                if length >= max(least, 1) { body(Array(word[..<end])) }
            }
        }
    }

    /// Calls `body` with each word of a text behind all steps, those that are left out excepted. With the tokenizer
    /// `prefix`, words of queries are cut to the greatest length, and stop words do not count there.
    func forEachWord(utf8: UnsafeRawBufferPointer, isQuery: Bool, _ body: ([UInt8]) -> Void) {
        let isPrefix = analysis.tokenizer == .prefix
        split(utf8) { part, isASCII in
            var word = part
            if !isASCII, analysis.asciiFolding { word = ASCIIFolding.fold(word) }
            if analysis.lowercase { lowercase(&word, isASCII: isASCII) }
            if !stopwords.isEmpty, !(isPrefix && isQuery), stopwords.contains(word) { return }
            stemmer?.stem(&word)
            let length = word.reduce(0) { $1 & 0xC0 != 0x80 ? $0 + 1 : $0 }
            guard length >= max(least, 1) else { return }
            if length > most {
                guard isPrefix else { return }
                if isQuery { word = cut(word, to: most) }
            }
            if !word.isEmpty { body(word) }
        }
    }

    private func cut(_ word: [UInt8], to length: Int) -> [UInt8] {
        var seen = 0
        for (place, byte) in word.enumerated() where byte & 0xC0 != 0x80 {
            if seen == length { return Array(word[..<place]) }
            seen += 1
        }
        return word
    }

    private func lowercase(_ word: inout [UInt8], isASCII: Bool) {
        if isASCII || word.allSatisfy({ $0 < 0x80 }) {
            for place in word.indices where (0x41...0x5A).contains(word[place]) { word[place] |= 0x20 }
            return
        }
        // Scalar by scalar, so that the result does not hang on neighbours.
        var lower: [UInt8] = []
        lower.reserveCapacity(word.count)
        for scalar in String(decoding: word, as: UTF8.self).unicodeScalars {
            if scalar.isASCII {
                let byte = UInt8(truncatingIfNeeded: scalar.value)
                lower.append((0x41...0x5A).contains(byte) ? byte | 0x20 : byte)
            } else {
                lower.append(contentsOf: scalar.properties.lowercaseMapping.utf8)
            }
        }
        word = lower
    }

    // MARK: Splitting

    private enum Part {
        case word, alone, gap
    }

    /// Calls `body` with each word as it is written, and whether it is ASCII.
    private func split(_ utf8: UnsafeRawBufferPointer, _ body: ([UInt8], Bool) -> Void) {
        var word: [UInt8] = []
        func finish(_ isASCII: Bool) {
            if !word.isEmpty { body(word, isASCII) }
            word.removeAll(keepingCapacity: true)
        }
        guard utf8.contains(where: { $0 >= 0x80 }) else {
            for byte in utf8 {
                if isASCIIWord(byte) { word.append(byte) } else { finish(true) }
            }
            finish(true)
            return
        }
        var isASCII = true
        // Decoded anew, as damaged bytes may be anything.
        for scalar in String(decoding: utf8, as: UTF8.self).unicodeScalars {
            switch part(scalar) {
            case .gap:
                finish(isASCII)
                isASCII = true
            case .word:
                word.append(contentsOf: UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter)
                if !scalar.isASCII { isASCII = false }
            case .alone:
                finish(isASCII)
                word.append(contentsOf: UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter)
                finish(false)
                isASCII = true
            }
        }
        finish(isASCII)
    }

    private func isASCIIWord(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
        default: analysis.tokenizer == .whitespace && byte != 0x20 && !(0x09...0x0D).contains(byte)
        }
    }

    private func part(_ scalar: Unicode.Scalar) -> Part {
        if scalar.isASCII { return isASCIIWord(UInt8(truncatingIfNeeded: scalar.value)) ? .word : .gap }
        let properties = scalar.properties
        if analysis.tokenizer == .whitespace { return properties.isWhitespace ? .gap : .word }
        if analysis.tokenizer == .multilingual {
            if Self.standsAlone(scalar.value) { return .alone }
            switch properties.generalCategory {
            case .nonspacingMark, .spacingMark, .enclosingMark: return .word
            default: break
            }
        }
        if properties.isAlphabetic { return .word }
        switch properties.generalCategory {
        case .decimalNumber, .letterNumber, .otherNumber: return .word
        default: return .gap
        }
    }

    /// Characters of scripts without spaces between words: Han, Hiragana, Katakana.
    private static func standsAlone(_ value: UInt32) -> Bool {
        switch value {
        case 0x3005...0x3007, 0x3041...0x3096, 0x309D...0x309F, 0x30A1...0x30FA, 0x30FC...0x30FF, 0x31F0...0x31FF,
            0x3400...0x4DBF, 0x4E00...0x9FFF, 0xF900...0xFAFF, 0xFF66...0xFF9D, 0x2_0000...0x3_FFFD:
            true
        default: false
        }
    }
}
