import COctantKernels

/// The codes that walks on disk go by: bytes per row, and a number per row for Euclid by 8 bits.
struct WalkedCodes {
    let base: UnsafeRawPointer
    let stride: Int
    let norms: UnsafePointer<Int32>?
}

extension VectorCodes {
    /// The codes that walks on disk go by: the rougher ones where there are two kinds; `nil` for codes that are scanned.
    var walked: WalkedCodes? {
        switch self {
        case .int8(let codes):
            guard let nibbles = codes.nibbles else {
                return WalkedCodes(base: codes.base, stride: codes.parameters.stride, norms: codes.norms)
            }
            return WalkedCodes(base: nibbles, stride: codes.parameters.nibbleStride, norms: codes.norms)
        case .product(let codes): return WalkedCodes(base: codes.base, stride: codes.shape.stride, norms: nil)
        case .packed(let codes):
            return WalkedCodes(base: codes.base, stride: codes.parameters.shape.stride, norms: nil)
        case .scan: return nil
        }
    }
}

/// A scorer by codes that can lie anywhere.
protocol CodeRowScorer: RowScorer {
    /// The same query against codes of the same form from `base` on, and their norms if there are some.
    func moved(to base: UnsafeRawPointer, norms: UnsafePointer<Int32>?) -> Self
    /// The scorer that ``RowScorer/refine(_:_:)`` uses, if there is one.
    var finer: CodeScorer? { get }
}

extension CodeRowScorer {
    var finer: CodeScorer? { nil }
}

extension CodeScorer: CodeRowScorer {
    func moved(to base: UnsafeRawPointer, norms: UnsafePointer<Int32>?) -> CodeScorer {
        moved(to: base, norms: norms, stride: stride)
    }

    /// The same for codes in one piece, `stride` bytes for a row.
    func moved(to base: UnsafeRawPointer, norms: UnsafePointer<Int32>?, stride: Int) -> CodeScorer {
        CodeScorer(
            base: base.assumingMemoryBound(to: UInt8.self), upper: nil, stride: stride, norms: norms,
            manhattan: manhattan, query: query, integers: integers, querySum: querySum, constant: constant,
            factor: factor, normFactor: normFactor)
    }
}

extension NibbleScorer: CodeRowScorer {
    var finer: CodeScorer? { codes }

    func moved(to base: UnsafeRawPointer, norms: UnsafePointer<Int32>?) -> NibbleScorer {
        var copy = self
        copy.base = base.assumingMemoryBound(to: UInt8.self)
        copy.codes.norms = norms
        return copy
    }
}

extension PackedScorer: CodeRowScorer {
    func moved(to base: UnsafeRawPointer, norms: UnsafePointer<Int32>?) -> PackedScorer {
        var copy = self
        copy.base = base.assumingMemoryBound(to: UInt8.self)
        return copy
    }
}

extension ProductScorer: CodeRowScorer {
    func moved(to base: UnsafeRawPointer, norms: UnsafePointer<Int32>?) -> ProductScorer {
        var copy = self
        copy.base = base.assumingMemoryBound(to: UInt8.self)
        return copy
    }
}

/// What one walk has read of an ``InlineGraph`` and not yet scored: the lists of the nodes that are expanded together.
final class InlineRound {
    let graph: InlineGraph
    /// The originals in its records; `nil` if there are none, or they are in memory elsewhere.
    let originals: DenseRows?
    /// How 8-bit codes are made of originals, for walks on rougher ones.
    let recoding: Int8Parameters?
    fileprivate let lists: UnsafeMutablePointer<UInt32>
    /// Whose list each is; `noLink`: the record is damaged, and its codes are not to be used.
    fileprivate let owners: UnsafeMutablePointer<UInt32>
    fileprivate let places: UnsafeMutablePointer<UInt32>
    fileprivate let capacity: Int
    fileprivate var count = 0

    init(_ graph: InlineGraph, originals: DenseRows?, recoding: Int8Parameters?) {
        self.graph = graph
        self.originals = originals
        self.recoding = recoding
        capacity = max(walkBreadth, SearchScratch.block / graph.layout.m0)
        lists = .allocate(capacity: capacity * graph.layout.m0)
        owners = .allocate(capacity: capacity)
        places = .allocate(capacity: SearchScratch.block)
    }

    deinit {
        lists.deallocate()
        owners.deallocate()
        places.deallocate()
    }
}

/// Links out of the records of an ``InlineGraph``; those of higher levels, and of damaged records, out of the graph.
struct InlineLinks: LinkSource {
    private let plain: ColdLinks
    private let round: InlineRound

    init(_ graph: HNSWGraph, _ round: InlineRound) {
        plain = ColdLinks(graph)
        self.round = round
    }

    var breadth: Int { plain.breadth }

    func width(_ level: Int) -> Int { plain.width(level) }

    func links(_ row: UInt32, _ level: Int, _ buffer: UnsafeMutablePointer<UInt32>) -> UnsafePointer<UInt32> {
        guard level == 0, round.count < round.capacity, Int(row) < round.graph.count else {
            return plain.links(row, level, buffer)
        }
        let list = round.lists + round.count &* round.graph.layout.m0
        let isIntact = round.graph.read(row, into: list)
        if !isIntact { _ = plain.links(row, level, list) }
        round.owners[round.count] = isIntact ? row : noLink
        round.count &+= 1
        return UnsafePointer(list)
    }

    @inline(__always)
    func prefetch(_ row: UInt32, _ level: Int) {}

    func ask(_ rows: UnsafePointer<UInt32>, _ count: Int, _ level: Int) {
        guard level == 0 else { return }
        round.graph.ask(rows, count)
    }

    func askNext(
        _ pool: UnsafePointer<ScoreKey>, from cursor: Int, count: Int, _ level: Int, _ scratch: SearchScratch
    ) {
        ask(scratch.hops, plain.next(pool, from: cursor, count: count, scratch), level)
    }
}

/// Scores the neighbours of nodes that were just read by the codes in their records: exactly as by those codes in their
/// own file.
struct InlineScorer<Inner: CodeRowScorer>: RowScorer {
    private var cold: ColdScorer<Inner>
    private let round: InlineRound

    init(_ cold: ColdScorer<Inner>, _ round: InlineRound) {
        self.cold = cold
        self.round = round
    }

    var place: (base: UnsafeRawPointer, stride: Int) { cold.place }

    func score(_ ids: UnsafePointer<UInt32>, _ count: Int, _ out: UnsafeMutablePointer<Float>) {
        let graph = round.graph
        let places = round.places
        let width = graph.layout.m0
        var done = 0
        // The rows of a call are what is new in the lists, in their order.
        for number in 0..<round.count {
            let list = round.lists + number &* width
            let from = done
            var i = 0
            while i < width, done < count, list[i] != noLink {
                if list[i] == ids[done] {
                    places[done &- from] = UInt32(truncatingIfNeeded: i)
                    done &+= 1
                }
                i &+= 1
            }
            guard done > from else { continue }
            if round.owners[number] == noLink {
                cold.score(ids + from, done &- from, out + from)
            } else {
                let codes = graph.codes(round.owners[number])
                cold.inner.moved(to: codes.base, norms: codes.norms).score(places, done &- from, out + from)
            }
        }
        round.count = 0
        if done < count { scoreUpper(ids + done, count &- done, out + done) }
    }

    /// Scores rows that are in no list that was read: those of higher levels by their codes in the one place, others by the
    /// codes' own file.
    private func scoreUpper(_ ids: UnsafePointer<UInt32>, _ count: Int, _ out: UnsafeMutablePointer<Float>) {
        let graph = round.graph
        guard count <= SearchScratch.block else { return cold.score(ids, count, out) }
        for i in 0..<count {
            guard let place = graph.upperPlace(ids[i]) else { return cold.score(ids, count, out) }
            round.places[i] = UInt32(truncatingIfNeeded: place)
        }
        let codes = graph.upperCodes
        DiskReads.ask(codes.base, stride: graph.layout.codeBytes, round.places, count)
        cold.inner.moved(to: codes.base, norms: codes.norms).score(round.places, count, out)
    }

    func scoreRun(_ start: Int, _ count: Int, _ out: UnsafeMutablePointer<Float>) { cold.scoreRun(start, count, out) }

    mutating func load(_ row: UInt32) { cold.load(row) }

    func prefetch(_ row: UInt32) {}

    /// By 8-bit codes made of the originals in the records, which were read when the walk came by: the same codes as those
    /// of the codes' own file, of which two pages would have to be read for each row.
    func refine(_ scratch: SearchScratch, _ count: Int) {
        guard !cold.skipsRefining else { return }
        guard let parameters = round.recoding, let finer = cold.inner.finer,
            recode(scratch, count, parameters, finer)
        else { return cold.refine(scratch, count) }
        sortPool(scratch.pool, count)
    }

    /// `false`, the pool being as it was, if there are no originals or one is damaged.
    private func recode(
        _ scratch: SearchScratch, _ count: Int, _ parameters: Int8Parameters, _ finer: CodeScorer
    ) -> Bool {
        guard round.graph.isIntact, let originals = round.originals else { return false }
        let block = 64
        let width = parameters.queryBytes
        let codes = UnsafeMutablePointer<UInt8>.allocate(capacity: block * width)
        let norms = UnsafeMutablePointer<Int32>.allocate(capacity: block)
        let scores = UnsafeMutablePointer<Float>.allocate(capacity: max(count, 1))
        defer {
            codes.deallocate()
            norms.deallocate()
            scores.deallocate()
        }
        let whole = finer.moved(to: codes, norms: finer.norms == nil ? nil : UnsafePointer(norms), stride: width)
        for start in stride(from: 0, to: count, by: block) {
            let size = min(block, count &- start)
            for i in 0..<size { scratch.ids[i] = keyRow(scratch.pool[start &+ i]) }
            round.graph.askOriginals(scratch.ids, size)
            guard round.graph.originalsAreIntact(scratch.ids, size) else { return false }
            for i in 0..<size {
                parameters.encode(originals, scratch.ids[i], codes + i &* width)
                norms[i] = ok_code_norm2(codes + i &* width, width)
            }
            whole.scoreRun(0, size, scores + start)
        }
        for i in 0..<count { scratch.pool[i] = scoreKey(scores[i], keyRow(scratch.pool[i])) }
        return true
    }
}
