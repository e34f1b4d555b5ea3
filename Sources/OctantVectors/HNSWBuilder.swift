package import OctantModel
import Synchronization

/// Builds an ``HNSWGraph`` directly in its byte form.
///
/// Rows are inserted as in algorithm 1 of the paper with the neighbour selection of algorithm 4 (without its two
/// extensions) and pruning of links back by the same rule. With one thread the result depends on rows, parameters and
/// `existing` only. Several threads insert at once; a spin lock per row guards its lists.
package final class HNSWBuilder: @unchecked Sendable {
    // SAFETY: `links0` and `upper` are written under the rows' locks by the threads of `build`, which is called by one
    // caller at a time; everything else is written before the threads start or is atomic.

    /// What rows are compared by.
    package enum Source: Sendable {
        case rows(DenseRows, Distance)
        case codes(Int8Codes)

        var count: Int {
            switch self {
            case .rows(let rows, _): rows.count
            case .codes(let codes): codes.count
            }
        }
    }

    package let parameters: HNSWParameters
    /// Rows of the graph.
    package let count: Int

    let region: HugeRegion
    let layout: HNSWLayout
    let links0: UnsafeMutablePointer<UInt32>
    let starts: UnsafeMutablePointer<UInt32>
    let levels: UnsafeMutablePointer<UInt8>
    let upper: UnsafeMutablePointer<UInt32>
    let locks: UnsafeMutablePointer<Atomic<UInt8>>
    /// Entry row in the low half, its level in the high half; `noEntry` before the first row.
    let top = Atomic<UInt64>(HNSWBuilder.noEntry)
    /// Held while a row that raises the highest level is inserted.
    let raising = Mutex(())
    private let next = Atomic<Int>(0)
    private let finished = Atomic<Int>(0)
    private let stopped = Atomic<Bool>(false)
    /// Set by `build` before its threads start.
    private var observer: (any BuildObserver)?

    static let noEntry = UInt64.max

    /// Memory for a graph of `count` rows (below 2^31).
    package init(parameters: HNSWParameters, count: Int) throws(VectorMemoryError) {
        guard count >= 0, count < 1 << 31 else { throw VectorMemoryError(bytes: Int.max) }
        self.parameters = parameters
        self.count = count
        var lists = 0
        for row in 0..<count { lists += parameters.level(of: UInt32(row)) }
        layout = HNSWLayout(rows: count, m: parameters.m, upperLists: lists)
        region = try HugeRegion(byteCount: layout.byteCount)
        links0 = (region.base + layout.links0).assumingMemoryBound(to: UInt32.self)
        starts = (region.base + layout.starts).assumingMemoryBound(to: UInt32.self)
        levels = (region.base + layout.levels).assumingMemoryBound(to: UInt8.self)
        upper = (region.base + layout.upper).assumingMemoryBound(to: UInt32.self)
        locks = .allocate(capacity: max(count, 1))
        for i in 0..<max(count, 1) { (locks + i).initialize(to: Atomic(0)) }
        links0.update(repeating: noLink, count: count * layout.m0)
        upper.update(repeating: noLink, count: lists * layout.m)
        var start = 0
        for row in 0..<count {
            let level = parameters.level(of: UInt32(row))
            levels[row] = UInt8(truncatingIfNeeded: level)
            starts[row] = level > 0 ? UInt32(truncatingIfNeeded: start) : noLink
            start += level
        }
    }

    deinit {
        locks.deallocate()
    }

    /// Links all rows of `source`, which must have `count` of them. To be called once.
    ///
    /// - `existing`: a graph of the first rows, as for ``adopt(_:)``.
    /// - `isPresent`: rows to leave out (no vector); they get no links. Asked once per row, from any thread.
    /// - `observer`: told between batches, by all threads.
    /// - `progress`: told the number of rows done now and then, from the calling thread.
    package func build(
        source: Source, existing: HNSWGraph? = nil, threads: Int = 1,
        isPresent: (@Sendable (UInt32) -> Bool)? = nil, observer: (any BuildObserver)? = nil,
        isCancelled: @escaping @Sendable () -> Bool = { false },
        progress: @escaping @Sendable (Int) -> Void = { _ in }
    ) throws(HNSWBuildError) {
        guard source.count == count else { throw .rowCountMismatch }
        if let existing { adopt(existing) }
        self.observer = observer
        defer { self.observer = nil }
        switch source {
        case .rows(let rows, let distance):
            let scorer: @Sendable (SearchScratch) -> FloatScorer = { scratch in
                let buffer = scratch.components(rows.dimension)
                return FloatScorer(distance: distance, rows: rows, query: buffer, buffer: buffer)
            }
            run(threads, isPresent, isCancelled, progress, scorer, scorer)
        case .codes(let codes):
            let width = codes.parameters.queryBytes
            let scorer: @Sendable (SearchScratch) -> CodeScorer = { scratch in
                scratch.reserveQuery(width)
                return codes.rowScorer(query: scratch.query, integers: scratch.integers)
            }
            if codes.nibbles != nil {
                let walker: @Sendable (SearchScratch) -> NibbleScorer = { scratch in
                    scratch.reserveQuery(width)
                    return codes.nibbleScorer(query: scratch.query, integers: scratch.integers)
                }
                run(threads, isPresent, isCancelled, progress, walker, scorer)
            } else {
                run(threads, isPresent, isCancelled, progress, scorer, scorer)
            }
        }
        if stopped.load(ordering: .acquiring) { throw .cancelled }
        writeHeader()
    }

    /// Copies the links of an older graph of the first rows, if it was built with the same `m` and seed, so that ``build``
    /// inserts the rest. Returns how many rows are done. To be called before ``build``.
    @discardableResult
    package func adopt(_ graph: HNSWGraph) -> Int {
        guard graph.count <= count, graph.parameters.m == parameters.m, graph.parameters.seed == parameters.seed,
            let entry = graph.entry, graph.layout.upperLists == layout(first: graph.count).upperLists
        else { return 0 }
        // Nobody has looked at the links of a cold graph yet.
        if graph.isCold, (try? graph.validate()) == nil { return 0 }
        for row in 0..<graph.count {
            guard graph.levels[row] == levels[row], levels[row] == 0 || graph.starts[row] == starts[row] else {
                return 0
            }
        }
        links0.update(from: graph.links0, count: graph.count * layout.m0)
        upper.update(from: graph.upper, count: graph.layout.upperLists * layout.m)
        top.store(UInt64(entry) | UInt64(graph.maxLevel) << 32, ordering: .releasing)
        next.store(graph.count, ordering: .relaxed)
        finished.store(graph.count, ordering: .relaxed)
        return graph.count
    }

    /// While no thread inserts, or all of them are in ``BuildObserver/between(_:)``: the rows below it are in the graph (but
    /// for absent ones), and no others.
    package var frontier: Int { min(next.load(ordering: .acquiring), count) }

    private func run<W: RowScorer, S: RowScorer>(
        _ threads: Int, _ isPresent: (@Sendable (UInt32) -> Bool)?, _ isCancelled: @escaping @Sendable () -> Bool,
        _ progress: @escaping @Sendable (Int) -> Void, _ makeWalker: @escaping @Sendable (SearchScratch) -> W,
        _ makeScorer: @escaping @Sendable (SearchScratch) -> S
    ) {
        let workers = max(1, min(threads, (count - next.load(ordering: .relaxed)) / 64))
        let observer = observer
        runThreads(workers) { [self] index in
            observer?.begin()
            defer { observer?.end() }
            let worker = InsertWorker(self, locked: workers > 1, makeWalker, makeScorer)
            let batch = max(1, min(workers > 1 ? 16 : 64, observer?.batchMax ?? .max))
            while !stopped.load(ordering: .relaxed) {
                // Before rows are taken: what was taken is inserted, whatever happens.
                if isCancelled() {
                    stopped.store(true, ordering: .releasing)
                    break
                }
                observer?.between(self)
                let from = next.add(batch, ordering: .acquiringAndReleasing).oldValue
                if from >= count { break }
                let to = min(from + batch, count)
                for row in UInt32(from)..<UInt32(to) where isPresent?(row) ?? true { worker.insert(row) }
                let done = finished.add(to - from, ordering: .relaxed).newValue
                if index == 0, done & 1023 < batch { progress(done) }
            }
        }
        if !stopped.load(ordering: .relaxed) { progress(count) }
    }

    private func writeHeader() {
        header(layout).withUnsafeBytes {
            if let source = $0.baseAddress { region.base.copyMemory(from: source, byteCount: $0.count) }
        }
    }

    /// The header of a graph of this layout, with the entry as it is now.
    func header(_ layout: HNSWLayout) -> [UInt32] {
        let entry = top.load(ordering: .acquiring)
        var header = [UInt32](repeating: 0, count: HNSWLayout.headerBytes / 4)
        header[0] = UInt32(truncatingIfNeeded: HNSWLayout.magic)
        header[1] = UInt32(truncatingIfNeeded: HNSWLayout.magic >> 32)
        header[2] = HNSWLayout.version
        header[3] = UInt32(truncatingIfNeeded: layout.m)
        header[4] = UInt32(truncatingIfNeeded: layout.m0)
        header[5] = UInt32(truncatingIfNeeded: parameters.efConstruct)
        header[6] = UInt32(truncatingIfNeeded: layout.rows)
        header[7] = entry == Self.noEntry ? noLink : UInt32(truncatingIfNeeded: entry)
        header[8] = entry == Self.noEntry ? 0 : UInt32(truncatingIfNeeded: entry >> 32)
        header[9] = UInt32(truncatingIfNeeded: layout.upperLists)
        header[10] = UInt32(truncatingIfNeeded: parameters.seed)
        header[11] = UInt32(truncatingIfNeeded: parameters.seed >> 32)
        return header.map(\.littleEndian)
    }

    /// Bytes of the form that `serialize` writes.
    package var byteCount: Int { layout.byteCount }

    /// Writes the byte form, after `build`.
    package func serialize(write: (UnsafeRawBufferPointer) throws -> Void) rethrows {
        try write(UnsafeRawBufferPointer(start: region.base, count: layout.byteCount))
    }

    /// The graph over the builder's own memory, after `build`.
    package func makeGraph() throws(VectorFormatError) -> HNSWGraph {
        try HNSWGraph(
            bytes: UnsafeRawBufferPointer(start: region.base, count: layout.byteCount), owner: region)
    }
}
