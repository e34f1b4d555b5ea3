package import OctantModel

extension FieldIndex {
    /// How many of some rows hold each value; `nil` for an index of values that cannot be matched.
    ///
    /// - Parameter rows: calls its argument with each row, which must be below ``rowCount``.
    package func countValues(_ rows: ((UInt32) -> Void) -> Void) -> [(value: MatchValue, count: Int)]? {
        switch type {
        case .keyword:
            var counts = [Int](repeating: 0, count: distinctCount)
            rows { row in
                for place in places(of: row) { counts[Int(codes[place])] += 1 }
            }
            return counts.enumerated().compactMap { code, count in
                count == 0 ? nil : (.string(String(decoding: keyword(code), as: UTF8.self)), count)
            }
        case .integer:
            var counts: [Int64: Int] = [:]
            rows { row in
                for place in places(of: row) { counts[integers[place], default: 0] += 1 }
            }
            return counts.map { (.integer($0.key), $0.value) }
        case .bool:
            var yes = 0
            var no = 0
            let (holdsTrue, holdsFalse) = (bitmap(.holdsTrue), bitmap(.holdsFalse))
            rows { row in
                let (word, bit) = (Int(row >> 6), UInt64(row & 63))
                if let holdsTrue, holdsTrue[word] >> bit & 1 != 0 { yes += 1 }
                if let holdsFalse, holdsFalse[word] >> bit & 1 != 0 { no += 1 }
            }
            return [(.bool(true), yes), (.bool(false), no)].filter { $0.1 > 0 }
        default: return nil
        }
    }

    /// Where the values of a row are.
    private func places(of row: UInt32) -> Range<Int> {
        guard Int(row) < rowCount else { return 0..<0 }
        guard let offsets else { return Int(row)..<Int(row) + 1 }
        return Int(offsets[Int(row)])..<Int(offsets[Int(row) + 1])
    }
}
