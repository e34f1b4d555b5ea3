import OctantModel

extension FilterCompiler {
    /// Strings that begin with a text.
    func prefix(
        _ text: String, _ key: PayloadPath, _ indexes: [FieldIndex], _ nested: Bool
    ) -> UnsafePointer<FilterNode> {
        guard let index = indexes.first(where: { $0.type == .keyword }) else {
            return textTest(.prefix, text, key, indexes, nested)
        }
        var text = text
        let codes = text.withUTF8 { index.codes(withPrefix: UnsafeRawBufferPointer($0)) }
        let places = index.places(of: codes)
        guard !places.isEmpty else { return make(.never) }
        return make(.keywordRange) { node in
            node.low = Int64(codes.lowerBound)
            node.high = Int64(codes.upperBound - 1)
            node.values = UnsafeRawPointer(index.codes)
            // The postings of neighbours in the dictionary are neighbours: one run.
            set(&node, index, places, isAscending: codes.count == 1)
        }
    }

    /// A test of the bytes of strings in the payload.
    func textTest(
        _ operation: FilterNode.Operation, _ text: String, _ key: PayloadPath, _ indexes: [FieldIndex],
        _ nested: Bool
    ) -> UnsafePointer<FilterNode> {
        let bytes = arena.utf8(text)
        func test(sampled: Bool) -> UnsafePointer<FilterNode> {
            payloadTest(operation, key, nested, sampled: sampled) { $0.text = bytes }
        }
        guard let other = indexes.first(where: { $0.type.leavesOutTexts }) else { return test(sampled: true) }
        return guarded(other, .otherValues) { test(sampled: false) }
    }

    /// The points of one slice of all ids.
    func slice(_ slice: PointSlice) -> UnsafePointer<FilterNode> {
        guard slice.total >= 1, slice.index >= 0, slice.index < slice.total else { return make(.never) }
        if slice.total == 1 { return make(.always) }
        return make(.slice) { node in
            node.low = Int64(slice.index)
            node.high = Int64(slice.total)
            node.estimate = FilterNode.Estimate(
                min: 0, expected: Double(rowCount) / Double(slice.total), max: rowCount)
            node.testCost = 40
            node.listCost = .infinity
        }
    }
}

extension FieldIndexType {
    /// Whether an index of this type holds no text at all.
    var leavesOutTexts: Bool {
        switch self {
        case .integer, .float, .bool, .geo: true
        case .keyword, .datetime, .uuid, .text: false
        }
    }
}

/// Whether `text` contains `part`.
func containsBytes(_ text: UnsafeRawBufferPointer, _ part: UnsafeRawBufferPointer) -> Bool {
    guard let first = part.first else { return true }
    guard text.count >= part.count else { return false }
    for start in 0...(text.count - part.count) where text[start] == first {
        if equalBytes(UnsafeRawBufferPointer(rebasing: text[start..<(start + part.count)]), part) { return true }
    }
    return false
}

/// Whether `text` begins with `part`.
func startsWithBytes(_ text: UnsafeRawBufferPointer, _ part: UnsafeRawBufferPointer) -> Bool {
    text.count >= part.count && equalBytes(UnsafeRawBufferPointer(rebasing: text[..<part.count]), part)
}
