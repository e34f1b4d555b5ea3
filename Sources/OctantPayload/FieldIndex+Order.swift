package import OctantModel

extension FieldIndex {
    /// Calls `body` with each value and a row that holds it, in the order of values, until it returns `false`. Rows of
    /// one value come in any order. Nothing happens for an index that knows no order.
    ///
    /// - Parameter start: the first value.
    package func forEachOrdered(
        descending: Bool, from start: OrderValue?, _ body: (OrderValue, UInt32) -> Bool
    ) {
        let (integers, floats) = (sortedIntegers, sortedFloats)
        let isFloat = type == .float
        guard isFloat || type.holdsIntegers else { return }
        func value(_ place: Int) -> OrderValue { isFloat ? .double(floats[place]) : .integer(integers[place]) }
        if descending {
            var place = start.map { start in firstPlace { start < value($0) } } ?? valueCount
            while place > 0 {
                place -= 1
                guard body(value(place), rows[place]) else { return }
            }
        } else {
            var place = start.map { start in firstPlace { !(value($0) < start) } } ?? 0
            while place < valueCount {
                guard body(value(place), rows[place]) else { return }
                place += 1
            }
        }
    }

    /// The first place from which on `holds` is true.
    private func firstPlace(_ holds: (Int) -> Bool) -> Int {
        var low = 0
        var high = valueCount
        while low < high {
            let middle = (low + high) / 2
            if holds(middle) { high = middle } else { low = middle + 1 }
        }
        return low
    }
}
