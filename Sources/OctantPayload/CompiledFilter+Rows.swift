/// Rows on their way to an answer.
private enum RowSet {
    /// Ascending rows of an index.
    case slice(UnsafePointer<UInt32>, Int)
    /// Ascending rows.
    case list([UInt32])
    /// One bit per row.
    case bits(RowBitmap)

    var count: Int {
        switch self {
        case .slice(_, let count): count
        case .list(let rows): rows.count
        case .bits(let bitmap): bitmap.count
        }
    }
}

extension CompiledFilter {
    /// Every matching row, ascending; deleted rows are not left out.
    package func matchingRows() -> [UInt32] {
        guard rowCount > 0 else { return [] }
        switch collect(root) {
        case .slice(let rows, let count): return Array(UnsafeBufferPointer(start: rows, count: count))
        case .list(let rows): return rows
        case .bits(let bitmap): return bitmap.rows()
        }
    }

    private func collect(_ node: UnsafePointer<FilterNode>) -> RowSet {
        switch node.pointee.operation {
        case .never: return .list([])
        case .always:
            let all = RowBitmap(rowCount: rowCount)
            all.invert()
            return .bits(all)
        case .and: return intersect(node)
        case .or: return unite(node)
        case .not:
            let rows = bits(child(node, 0))
            rows.invert()
            return .bits(rows)
        case .atLeast:
            guard node.pointee.listCost < scanCost(node) else { return scan(node) }
            let candidates = RowBitmap(rowCount: rowCount)
            for place in 0..<node.pointee.childCount { fill(candidates, child(node, place)) }
            return .list(filter(candidates.rows(), [node]))
        default: break
        }
        if let slices = node.pointee.slices { return collect(slices, node.pointee.sliceCount) }
        if node.pointee.bitmap != nil, node.pointee.operation == .bitmap { return .bits(bits(node)) }
        return scan(node)
    }

    private func scanCost(_ node: UnsafePointer<FilterNode>) -> Double { Double(rowCount) * node.pointee.testCost }

    /// The rows of a node as a bitmap of its own.
    private func bits(_ node: UnsafePointer<FilterNode>) -> RowBitmap {
        let rows = RowBitmap(rowCount: rowCount)
        fill(rows, node)
        return rows
    }

    /// Adds the rows of a node to a bitmap.
    private func fill(_ bitmap: RowBitmap, _ node: UnsafePointer<FilterNode>) {
        if let slices = node.pointee.slices {
            for place in 0..<node.pointee.sliceCount { bitmap.insert(slices[place].rows, slices[place].count) }
            return
        }
        if node.pointee.operation == .bitmap, let words = node.pointee.bitmap {
            bitmap.formUnion(words)
            return
        }
        switch collect(node) {
        case .slice(let rows, let count): bitmap.insert(rows, count)
        case .list(let rows):
            for row in rows { bitmap.insert(row) }
        case .bits(let rows): bitmap.formUnion(rows)
        }
    }

    private func collect(_ slices: UnsafePointer<RowSlice>, _ count: Int) -> RowSet {
        if count == 1, slices[0].isAscending { return .slice(slices[0].rows, slices[0].count) }
        var total = 0
        for place in 0..<count { total &+= slices[place].count }
        // Few rows among many: sorting them is cheaper than passing over all words.
        if total &* 16 < rowCount / 64 {
            var rows: [UInt32] = []
            rows.reserveCapacity(total)
            for place in 0..<count {
                rows.append(contentsOf: UnsafeBufferPointer(start: slices[place].rows, count: slices[place].count))
            }
            rows.sort()
            var kept = 0
            for place in rows.indices where kept == 0 || rows[place] != rows[kept - 1] {
                rows[kept] = rows[place]
                kept += 1
            }
            rows.removeLast(rows.count - kept)
            return .list(rows)
        }
        let bitmap = RowBitmap(rowCount: rowCount)
        for place in 0..<count { bitmap.insert(slices[place].rows, slices[place].count) }
        return .bits(bitmap)
    }

    private func scan(_ node: UnsafePointer<FilterNode>) -> RowSet {
        if node.pointee.isForward {
            let bitmap = RowBitmap(rowCount: rowCount)
            scanForward(node, into: bitmap)
            return .bits(bitmap)
        }
        var rows: [UInt32] = []
        for row in 0..<UInt32(truncatingIfNeeded: rowCount) where evaluate(node, row) { rows.append(row) }
        return .list(rows)
    }

    /// Rows that also pass `tests`.
    private func filter(_ rows: [UInt32], _ tests: [UnsafePointer<FilterNode>]) -> [UInt32] {
        rows.withUnsafeBufferPointer { rows in
            guard let base = rows.baseAddress else { return [] }
            return filter(base, rows.count, tests)
        }
    }

    private func filter(
        _ rows: UnsafePointer<UInt32>, _ count: Int, _ tests: [UnsafePointer<FilterNode>]
    ) -> [UInt32] {
        [UInt32](unsafeUninitializedCapacity: count) { out, filled in
            guard let out = out.baseAddress else { return }
            // One test after the other over all rows that are left; the first moves them to `out`.
            var source = rows
            var left = count
            for test in tests {
                let isNegated = test.pointee.operation == .not
                let inner = isNegated ? child(test, 0) : test
                if inner.pointee.isForward {
                    left = narrow(source, left, out, inner, wanted: !isNegated)
                } else {
                    var kept = 0
                    for place in 0..<left {
                        let row = source[place]
                        out[kept] = row
                        kept &+= evaluate(test, row) ? 1 : 0
                    }
                    left = kept
                }
                source = UnsafePointer(out)
            }
            if tests.isEmpty { out.update(from: rows, count: count) }
            filled = left
        }
    }

    /// All children hold: list the child that promises least work, then narrow it by the others, by bitmap or row by
    /// row.
    private func intersect(_ node: UnsafePointer<FilterNode>) -> RowSet {
        var children = (0..<node.pointee.childCount).map { child(node, $0) }
        let all = children.reduce(0) { $0 + $1.pointee.testCost }
        var best = 0
        var bestCost = Double.infinity
        for (place, child) in children.enumerated() {
            let cost =
                child.pointee.listCost + child.pointee.estimate.expected * (all - child.pointee.testCost)
            if cost < bestCost { (best, bestCost) = (place, cost) }
        }
        var found = collect(children.remove(at: best))
        var tests: [UnsafePointer<FilterNode>] = []
        var count = found.count
        let wordCost = Double(bitmapWords(rowCount)) * 0.5
        for child in children.sorted(by: { $0.pointee.listCost < $1.pointee.listCost }) {
            let byBitmap = child.pointee.fillCost + wordCost
            guard case .bits(let bitmap) = found, byBitmap < Double(count) * child.pointee.testCost else {
                tests.append(child)
                continue
            }
            if child.pointee.operation == .bitmap, let words = child.pointee.bitmap {
                bitmap.formIntersection(words)
            } else {
                bitmap.formIntersection(bits(child))
            }
            count = bitmap.count
            found = .bits(bitmap)
        }
        guard !tests.isEmpty else { return found }
        tests.sort { $0.pointee.testCost < $1.pointee.testCost }
        switch found {
        case .slice(let rows, let count): return .list(filter(rows, count, tests))
        case .list(let rows): return .list(filter(rows, tests))
        case .bits(let bitmap): return .list(filter(bitmap.rows(), tests))
        }
    }

    /// Any child holds: those that can be listed are; the rest is tested on the rows not yet found.
    private func unite(_ node: UnsafePointer<FilterNode>) -> RowSet {
        let bitmap = RowBitmap(rowCount: rowCount)
        var tests: [UnsafePointer<FilterNode>] = []
        for place in 0..<node.pointee.childCount {
            let child = child(node, place)
            if child.pointee.fillCost < scanCost(child) { fill(bitmap, child) } else { tests.append(child) }
        }
        if !tests.isEmpty {
            for row in 0..<UInt32(truncatingIfNeeded: rowCount) where !bitmap.contains(row) {
                for test in tests where evaluate(test, row) {
                    bitmap.insert(row)
                    break
                }
            }
        }
        return .bits(bitmap)
    }
}
