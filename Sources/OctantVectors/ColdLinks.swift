/// Links of a graph that is on disk: every list is copied and checked when it is read, and the lists of all nodes that are
/// to be expanded together are asked for at once.
struct ColdLinks: LinkSource {
    private let graph: HNSWGraph

    init(_ graph: HNSWGraph) { self.graph = graph }

    /// More nodes at a time than in memory: their reads go out together, and a round of reads takes as long as one.
    var breadth: Int { max(walkBreadth, min(16, SearchScratch.block / graph.layout.m0)) }

    func links(_ row: UInt32, _ level: Int, _ buffer: UnsafeMutablePointer<UInt32>) -> UnsafePointer<UInt32> {
        let width = width(level)
        var n = 0
        if let list = list(row, level) {
            let limit = UInt32(truncatingIfNeeded: graph.count)
            while n < width, list[n] < limit {
                buffer[n] = list[n]
                n &+= 1
            }
        }
        if n < width { buffer[n] = noLink }
        return UnsafePointer(buffer)
    }

    /// Where a list is; `nil` if the tables name a place outside of the graph.
    private func list(_ row: UInt32, _ level: Int) -> UnsafePointer<UInt32>? {
        guard Int(row) < graph.count else { return nil }
        if level == 0 { return graph.links0 + Int(row) &* graph.layout.m0 }
        let first = Int(graph.starts[Int(row)])
        guard Int(graph.levels[Int(row)]) >= level, first &+ level <= graph.layout.upperLists else { return nil }
        return graph.upper + (first &+ level &- 1) &* graph.layout.m
    }

    @inline(__always)
    func width(_ level: Int) -> Int { level == 0 ? graph.layout.m0 : graph.layout.m }

    @inline(__always)
    func prefetch(_ row: UInt32, _ level: Int) {}

    func ask(_ rows: UnsafePointer<UInt32>, _ count: Int, _ level: Int) {
        guard level == 0 else { return }
        DiskReads.ask(graph.links0, stride: graph.layout.m0 * 4, rows, count)
    }

    func askNext(
        _ pool: UnsafePointer<ScoreKey>, from cursor: Int, count: Int, _ level: Int, _ scratch: SearchScratch
    ) {
        ask(scratch.hops, next(pool, from: cursor, count: count, scratch), level)
    }

    /// Puts the next `breadth` nodes of a pool that are not expanded yet into `scratch.hops`; returns their number.
    func next(_ pool: UnsafePointer<ScoreKey>, from cursor: Int, count: Int, _ scratch: SearchScratch) -> Int {
        let breadth = breadth
        var wanted = 0
        var position = cursor
        while position < count, wanted < breadth {
            if pool[position] & 1 == 0 {
                scratch.hops[wanted] = keyRow(pool[position])
                wanted &+= 1
            }
            position &+= 1
        }
        return wanted
    }
}
