/// A scorer of rows that are on disk: asks for all rows of a call before it scores them.
struct ColdScorer<Inner: RowScorer>: RowScorer {
    var inner: Inner
    /// Where row 0 begins, and bytes from one row to the next.
    let base: UnsafeRawPointer
    let stride: Int
    let skipsRefining: Bool
    /// Where the rows are that the pool is refined by.
    let finer: (base: UnsafeRawPointer, stride: Int)?

    var place: (base: UnsafeRawPointer, stride: Int) { (base, stride) }

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

    func refine(_ scratch: SearchScratch, _ count: Int) {
        guard !skipsRefining else { return }
        if let finer {
            var start = 0
            while start < count {
                let size = min(SearchScratch.block, count &- start)
                for i in 0..<size { scratch.ids[i] = keyRow(scratch.pool[start &+ i]) }
                DiskReads.ask(finer.base, stride: finer.stride, scratch.ids, size)
                start &+= size
            }
        }
        inner.refine(scratch, count)
    }
}

extension ColdScorer where Inner == NibbleScorer {
    /// `skipsRefining`: leave the pool in the order of 4 bits.
    init(_ inner: NibbleScorer, skipsRefining: Bool) {
        self.init(
            inner: inner, base: inner.base, stride: inner.stride, skipsRefining: skipsRefining,
            finer: (UnsafeRawPointer(inner.codes.base), inner.codes.stride))
    }
}

extension ColdScorer {
    init(_ inner: Inner) {
        self.init(
            inner: inner, base: inner.place.base, stride: inner.place.stride, skipsRefining: false, finer: nil)
    }
}
