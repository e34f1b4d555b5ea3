package import OctantModel

/// A filter made ready for one segment: which indexes answer what, in which order. For one thread at a time.
package final class CompiledFilter {
    let rows: any FilterableRows
    let rowCount: Int
    let root: UnsafePointer<FilterNode>
    private let arena = Arena()
    private let names: [String]
    // Indexes are kept by the segment; these keep them should it drop some meanwhile.
    private let indexes: [FieldIndex]
    private let kept: [AnyObject]
    // The payload read last: several conditions in a row ask for the same.
    private var lastRow = -1
    private var lastPayload = UnsafeRawBufferPointer(start: nil, count: 0)

    /// How many rows match, from the statistics of indexes; where there is no index, a guess from a few rows.
    package let cardinality: Cardinality
    /// Whether all is answered by indexes, save for a few rows whose values are not of the index's type.
    package let isFullyIndexed: Bool

    /// Compiles a filter for the rows of a segment. Filters nested deeper than ``Limits/filterDepthMax`` match nothing.
    package init(_ filter: Filter, rows: any FilterableRows) {
        self.rows = rows
        rowCount = rows.rowCount
        let compiler = FilterCompiler(filter, rows: rows, arena: arena)
        root = compiler.filter(filter, depth: 0)
        names = compiler.names
        indexes = compiler.usedIndexes
        kept = compiler.kept
        isFullyIndexed = root.pointee.isIndexed
        let estimate = root.pointee.estimate
        cardinality = Cardinality(
            min: estimate.min, expected: Int(exactly: estimate.expected.rounded()) ?? estimate.max, max: estimate.max)
    }

    /// Whether a row matches.
    package func matches(_ row: UInt32) -> Bool {
        Int(row) < rowCount && evaluate(root, row)
    }

    /// Whether each of some rows matches; `out[i]` is about `rows[i]`.
    package func matches(_ rows: UnsafePointer<UInt32>, _ count: Int, _ out: UnsafeMutablePointer<Bool>) {
        guard count > 0 else { return }
        for place in 0..<count where Int(rows[place]) >= rowCount {
            for place in 0..<count { out[place] = matches(rows[place]) }
            return
        }
        let node = root
        guard node.pointee.operation == .and else {
            evaluate(node, rows, count, out)
            return
        }
        evaluate(child(node, 0), rows, count, out)
        for place in 0..<count where out[place] {
            for other in 1..<node.pointee.childCount where !evaluate(child(node, other), rows[place]) {
                out[place] = false
                break
            }
        }
    }

    /// A batch of rows below `rowCount`, with the common conditions decided outside the loop.
    private func evaluate(
        _ node: UnsafePointer<FilterNode>, _ rows: UnsafePointer<UInt32>, _ count: Int,
        _ out: UnsafeMutablePointer<Bool>
    ) {
        switch node.pointee.operation {
        case .bitmap:
            guard let words = node.pointee.bitmap else { break }
            for place in 0..<count { out[place] = bit(words, rows[place]) }
            return
        case .keyword, .keywordRange, .integerRange, .floatRange:
            for place in 0..<count { out[place] = holds(node, rows[place]) }
            return
        default: break
        }
        for place in 0..<count { out[place] = evaluate(node, rows[place]) }
    }

    /// Whether a row below `rowCount` passes a node.
    func evaluate(_ node: UnsafePointer<FilterNode>, _ row: UInt32) -> Bool {
        switch node.pointee.operation {
        case .always: return true
        case .never: return false
        case .and:
            for place in 0..<node.pointee.childCount where !evaluate(child(node, place), row) { return false }
            return true
        case .or:
            for place in 0..<node.pointee.childCount where evaluate(child(node, place), row) { return true }
            return false
        case .not: return !evaluate(child(node, 0), row)
        case .atLeast:
            var held = 0
            for place in 0..<node.pointee.childCount where held < node.pointee.needed {
                if evaluate(child(node, place), row) { held &+= 1 }
            }
            return held >= node.pointee.needed
        case .hasVector: return rows.hasVector(row, names[node.pointee.name])
        case .slice:
            let slice = rows.pointID(row).slice(of: UInt64(bitPattern: node.pointee.high))
            return slice == UInt64(bitPattern: node.pointee.low)
        case .match, .except, .range, .dates, .prefix, .substring, .inShape, .text, .count, .notEmpty, .null,
            .nullInside,
            .nested:
            if Int(row) != lastRow {
                lastPayload = rows.payload(row)
                lastRow = Int(row)
            }
            return testPayload(node, PayloadView(lastPayload))
        default: return holds(node, row)
        }
    }
}

@inline(__always)
private func bit(_ words: UnsafePointer<UInt64>, _ place: UInt32) -> Bool {
    words[Int(place &>> 6)] &>> UInt64(place & 63) & 1 != 0
}
