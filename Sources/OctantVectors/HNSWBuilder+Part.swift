/// What is told of a build between batches of rows, by every thread that inserts.
package protocol BuildObserver: Sendable {
    /// Rows that a thread inserts between two calls of ``between(_:)``, at most.
    var batchMax: Int { get }
    /// A thread begins. May wait.
    func begin()
    /// A thread has inserted all rows that it took. May wait: while all threads that have begun and not ended are here, the
    /// graph stays as it is, and ``HNSWBuilder/frontier`` and ``HNSWBuilder/serialize(first:write:)`` may be called.
    func between(_ builder: HNSWBuilder)
    /// A thread has inserted all rows that it took and takes no more.
    func end()
}

extension HNSWBuilder {
    /// Where the parts of a graph of the first rows are.
    func layout(first rows: Int) -> HNSWLayout {
        // Lists of upper levels stand in the order of their rows.
        var row = max(0, min(rows, count))
        let part = row
        while row < count, levels[row] == 0 { row += 1 }
        let lists = row < count ? Int(starts[row]) : layout.upperLists
        return HNSWLayout(rows: part, m: layout.m, upperLists: lists)
    }

    /// Bytes of the form that ``serialize(first:write:)`` writes.
    package func byteCount(first rows: Int) -> Int { layout(first: rows).byteCount }

    /// Writes the byte form of the graph as it is, straight from the memory in which it is built, while ``frontier`` is
    /// `rows`: a graph of the first rows. A builder that adopts it and inserts the rest comes, on one thread, to the same
    /// graph as if it had inserted all of them.
    package func serialize<Failure: Error>(
        first rows: Int, write: (UnsafeRawBufferPointer) throws(Failure) -> Void
    ) throws(Failure) {
        let part = layout(first: rows)
        let header = header(part)
        try header.withUnsafeBufferPointer { (words) throws(Failure) in try write(UnsafeRawBufferPointer(words)) }
        let sections = [
            (layout.links0, part.links0, part.rows * part.m0 * 4), (layout.starts, part.starts, part.rows * 4),
            (layout.levels, part.levels, part.rows), (layout.upper, part.upper, part.upperLists * part.m * 4),
        ]
        let ends = sections.dropFirst().map(\.1) + [part.byteCount]
        let zeros = [UInt8](repeating: 0, count: 64)
        for ((source, start, bytes), end) in zip(sections, ends) {
            try write(UnsafeRawBufferPointer(start: region.base + source, count: bytes))
            try zeros.withUnsafeBufferPointer { (zeros) throws(Failure) in
                try write(UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(zeros)[..<(end - start - bytes)]))
            }
        }
    }
}
