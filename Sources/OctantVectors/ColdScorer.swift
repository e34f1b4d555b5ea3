/// A scorer of rows that are on disk: asks for all rows of a call before it scores them.
struct ColdScorer<Inner: RowScorer>: RowScorer {
    var inner: Inner
    /// Where row 0 begins, and bytes from one row to the next.
    let base: UnsafeRawPointer
    let stride: Int

    @inline(__always)
    func score(_ ids: UnsafePointer<UInt32>, _ count: Int, _ out: UnsafeMutablePointer<Float>) {
        DiskReads.ask(base, stride: stride, ids, count)
        inner.score(ids, count, out)
    }

    /// Consecutive rows: the system's own reading ahead serves them.
    @inline(__always)
    func scoreRun(_ start: Int, _ count: Int, _ out: UnsafeMutablePointer<Float>) {
        DiskReads.askRun(base + start &* stride, count &* stride)
        inner.scoreRun(start, count, out)
    }

    @inline(__always)
    mutating func load(_ row: UInt32) { inner.load(row) }

    @inline(__always)
    func prefetch(_ row: UInt32) {}

    @inline(__always)
    func refine(_ scratch: SearchScratch, _ count: Int) { inner.refine(scratch, count) }
}
