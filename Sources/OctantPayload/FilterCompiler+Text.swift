import OctantModel

extension FilterCompiler {
    /// A match of text. With a text index on the key, built here or not, its analysis decides what tokens are; without,
    /// texts are compared as they are, and phrases word by word.
    func text(
        _ mode: TextQuery.Mode, _ text: String, _ key: PayloadPath, _ indexes: [FieldIndex], _ nested: Bool
    ) -> UnsafePointer<FilterNode> {
        guard let analysis = wantedIndexes(key, nested).lazy.compactMap(\.text).first else {
            switch mode {
            case .all, .substring: return textTest(.substring, text, key, indexes, nested)
            case .any:
                let words = text.split(whereSeparator: \.isWhitespace).map { Array($0.utf8) }
                return textTest(TextQuery(substrings: words), key, indexes, nested)
            case .phrase: return textTest(TextQuery(.phrase, text, TextAnalyzer(TextAnalysis())), key, indexes, nested)
            }
        }
        let query = TextQuery(mode, text, TextAnalyzer(analysis))
        guard let index = indexes.first(where: { $0.type == .text && $0.schema.text == analysis })
        else { return textTest(query, key, indexes, nested) }
        guard !query.tokens.isEmpty else { return make(.never) }
        let found = Set(query.tokens).map { token in token.withUnsafeBytes { index.code(of: $0) } }
        if mode == .any { return codes(index, found.compactMap { $0 }) }
        guard !found.contains(nil) else { return make(.never) }
        var parts = Set(found).sorted { ($0 ?? 0) < ($1 ?? 0) }.compactMap { $0 }.map { codes(index, [$0]) }
        // One word is a phrase wherever it is.
        if mode == .phrase, query.tokens.count > 1 {
            parts.append(phrase(query, index) ?? textTest(query, key, [], nested, sampled: false))
        }
        return and(parts)
    }

    /// The words of a query one after the other; `nil` if the index does not keep their order.
    private func phrase(_ query: TextQuery, _ index: FieldIndex) -> UnsafePointer<FilterNode>? {
        guard let offsets = index.wordOffsets else { return nil }
        let codes = query.tokens.compactMap { token in token.withUnsafeBytes { index.code(of: $0) } }
        guard codes.count == query.tokens.count else { return make(.never) }
        return make(.phrase) { node in
            node.offsets = offsets
            node.values = index.words
            node.codes = UnsafePointer(arena.copy(codes))
            node.codeCount = codes.count
            node.estimate = FilterNode.Estimate(
                min: 0, expected: Double(index.indexedRows) / 2, max: index.indexedRows)
            node.testCost = 60
            node.listCost = .infinity
        }
    }

    private func textTest(
        _ query: TextQuery, _ key: PayloadPath, _ indexes: [FieldIndex], _ nested: Bool, sampled: Bool = true
    ) -> UnsafePointer<FilterNode> {
        guard !query.tokens.isEmpty else { return make(.never) }
        keep(query)
        let kept = Unmanaged.passUnretained(query)
        func test(sampled: Bool) -> UnsafePointer<FilterNode> {
            payloadTest(.text, key, nested, sampled: sampled) {
                $0.query = kept
                $0.testCost = 1500
                $0.listCost = Double(self.rowCount) * 1500
            }
        }
        guard let other = indexes.first(where: { $0.type.leavesOutTexts }) else { return test(sampled: sampled) }
        return guarded(other, .otherValues) { test(sampled: false) }
    }
}
