extension DenseIndex {
    /// What a walk reads of the inline graph goes through; `nil` if there is none, or it is damaged. A walk over two hops
    /// reads the lists of many nodes whose neighbours it scores few of: it is better served by lists and codes apart.
    func inlineRound(_ options: Options, _ admit: RowPredicate?, recoding: Int8Parameters?) -> InlineRound? {
        guard let inline, inline.isIntact, admit == nil || !options.twoHops else { return nil }
        return InlineRound(inline, originals: onDisk.rows ? inline.originals(like: rows) : nil, recoding: recoding)
    }

    /// The originals in the records of the inline graph, where they need not be read from the vectors' own file: the walk
    /// has read the records of most of what is scored again.
    private var inlineOriginals: (rows: DenseRows, graph: InlineGraph)? {
        guard onDisk.rows, let inline, inline.isIntact, let rows = inline.originals(like: rows) else { return nil }
        return (rows, inline)
    }

    /// Counts originals that are about to be scored, and asks for those that are on disk.
    func askOriginals(_ ids: UnsafePointer<UInt32>, _ count: Int, _ meter: SearchMeter?) {
        if let inlined = inlineOriginals {
            meter?.willRescore(inlined.rows, ids, count)
            return inlined.graph.askOriginals(ids, count)
        }
        meter?.willRescore(rows, ids, count)
        if onDisk.rows { DiskReads.ask(rows.base, stride: rows.stride, ids, count) }
    }

    /// Scores rows by the originals.
    func scoreOriginals(
        _ query: UnsafePointer<Float>, _ ids: UnsafePointer<UInt32>, _ count: Int, _ out: UnsafeMutablePointer<Float>
    ) {
        var originals = rows
        if let inlined = inlineOriginals {
            if inlined.graph.originalsAreIntact(ids, count) {
                originals = inlined.rows
            } else {
                DiskReads.ask(rows.base, stride: rows.stride, ids, count)
            }
        }
        DenseKernels.gather(distance, query: query, rows: originals, ids: ids, count: count, out: out)
    }
}
