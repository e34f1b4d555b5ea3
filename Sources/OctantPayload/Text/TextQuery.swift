import OctantModel

/// A text condition as it is tested on the strings of a payload.
final class TextQuery: Sendable {
    enum Mode: Sendable {
        /// All tokens are among those of the strings together.
        case all
        /// Some token is.
        case any
        /// The words follow each other in one string.
        case phrase
        /// A string contains a text as it is: what the conditions mean without an index.
        case substring
    }

    let mode: Mode
    let analyzer: TextAnalyzer
    /// Distinct tokens, or texts to be contained; for a phrase, all words in order.
    let tokens: [[UInt8]]

    /// The query for a key whose text index has this analyzer.
    init(_ mode: Mode, _ text: String, _ analyzer: TextAnalyzer) {
        self.mode = mode
        self.analyzer = analyzer
        var tokens: [[UInt8]] = []
        var seen: Set<[UInt8]> = []
        analyzer.forEachToken(text, isQuery: true) { token in
            if mode == .phrase || seen.insert(token).inserted { tokens.append(token) }
        }
        self.tokens = tokens
    }

    /// The query for texts that are searched for as they are.
    init(substrings: [[UInt8]]) {
        mode = .substring
        analyzer = TextAnalyzer(TextAnalysis())
        tokens = substrings
    }

    /// Whether the values at a path pass.
    func matches(_ object: PayloadView, _ steps: UnsafePointer<PathStep>, _ stepCount: Int) -> Bool {
        guard !tokens.isEmpty else { return false }
        var found: Set<[UInt8]> = []
        var passes = false
        forEachValue(object, steps, stepCount) { value in
            if passes { return }
            if value.kind == .array {
                var elements = value.elements
                while !passes, let element = elements.next() { passes = test(element, &found) }
            } else {
                passes = test(value, &found)
            }
        }
        return passes
    }

    private func test(_ value: PayloadView, _ found: inout Set<[UInt8]>) -> Bool {
        guard let utf8 = value.utf8 else { return false }
        switch mode {
        case .substring:
            return tokens.contains { part in part.withUnsafeBytes { containsBytes(utf8, $0) } }
        case .phrase: return hasPhrase(utf8)
        case .all, .any:
            var all: Set<[UInt8]> = []
            analyzer.forEachToken(utf8: utf8, isQuery: false) { all.insert($0) }
            for token in tokens where all.contains(token) { found.insert(token) }
            return mode == .all ? found.count == tokens.count : !found.isEmpty
        }
    }

    private func hasPhrase(_ utf8: UnsafeRawBufferPointer) -> Bool {
        var words: [[UInt8]] = []
        analyzer.forEachWord(utf8: utf8, isQuery: false) { words.append($0) }
        guard words.count >= tokens.count else { return false }
        let isPrefix = analyzer.analysis.tokenizer == .prefix
        for start in 0...(words.count - tokens.count) {
            let isHere = tokens.indices.allSatisfy { place in
                let word = words[start + place]
                return isPrefix ? word.starts(with: tokens[place]) : word == tokens[place]
            }
            if isHere { return true }
        }
        return false
    }
}
