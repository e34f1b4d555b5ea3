import OctantModel
import OctantPayload
import OctantVectors

/// A search of one segment: chooses between graph, scan of codes, scan of originals, and scan of the rows that pass the
/// filter, by what each would cost.
struct SegmentSearch {
    private let search: NearestSearch
    private let query: [Float]
    private let segment: Segment
    private let field: SegmentVectors
    private let view: ReadView
    private var lsn: UInt64 { view.lsn }
    private let excludedRow: UInt32
    private let trace: PartTrace?

    /// `nil` if the segment has no vector of this name.
    init?(
        _ search: NearestSearch, _ query: [Float], _ segment: Segment, _ view: ReadView, _ trace: PartTrace? = nil
    ) {
        guard let field = segment.field(search.using), field.presentCount > 0,
            query.count == field.rows.dimension
        else { return nil }
        self.search = search
        self.query = query
        self.segment = segment
        self.field = field
        self.view = view
        self.trace = trace
        excludedRow = search.excluded.flatMap { segment.row(of: $0, at: view.lsn) } ?? .max
    }

    func run() -> [ScoredRow] {
        query.withUnsafeBufferPointer { query in
            guard let query = query.baseAddress, case .rows(let rows) = run(query, nil) else { return [] }
            return rows
        }
    }

    /// The segment's best rows, or, in a search of several parts, what is to be compared with the others' first. `query`
    /// is to stay where it is until that was done.
    func run(_ query: UnsafePointer<Float>, _ share: SharedBound?) -> SegmentedSearch.Answer {
        guard let filter = search.filter, !filter.isEmpty else {
            if field.hasGraph, !search.params.exact,
                // Where most rows are dead, the walk may end among them.
                let answer = walk(query, options, liveness, share, isEnough: { $0 >= visibleCount })
            {
                return answer
            }
            if !search.params.exact, let pool = scan(query, liveness, share) { return .candidates(pool) }
            trace?.choose(field.hasCodes && options.usesCodes ? .scanCodes : .scanOriginals)
            return .rows(field.index.scanAll(query: query, options: options, admit: liveness, range: nil))
        }
        let start = trace.map { _ in ContinuousClock.now }
        let compiled = CompiledFilter(filter, rows: FilterView(segment, view))
        if let trace, let start { trace.addFilter(since: start) }
        return run(query, compiled, share)
    }

    /// A walk of the graph; `nil` if it found fewer rows than it should have, and `isEnough` does not say that there are
    /// no more.
    private func walk(
        _ query: UnsafePointer<Float>, _ options: DenseIndex.Options, _ admit: RowPredicate?, _ share: SharedBound?,
        isEnough: (Int) -> Bool
    ) -> SegmentedSearch.Answer? {
        let isFiltered = search.filter.map { !$0.isEmpty } ?? false
        trace?.choose(!isFiltered ? .walk : options.twoHops ? .twoHopWalk : .filteredWalk, ef: ef)
        if let share, let pool = field.index.candidates(query: query, options: options, admit: admit, share: share) {
            let isComplete = !pool.ranOut || pool.count >= search.limit || isEnough(pool.count)
            return isComplete ? .candidates(pool) : nil
        }
        let found = field.index.search(query: query, options: options, admit: admit)
        return found.count >= search.limit || isEnough(found.count) ? .rows(found) : nil
    }

    /// A scan of codes that are there for it, in a search of several parts.
    private func scan(_ query: UnsafePointer<Float>, _ admit: RowPredicate?, _ share: SharedBound?) -> CandidatePool? {
        guard let share, field.isScanned,
            let pool = field.index.candidates(query: query, options: options, admit: admit, share: share)
        else { return nil }
        trace?.choose(.scanCodes)
        return pool
    }

    /// Never more than there are rows, however much was asked for.
    private var ef: Int { min(max(search.params.hnswEF ?? field.defaultEF, search.limit), max(segment.rowCount, 1)) }

    /// How this search uses codes: as the user says where the user asked for codes; where they are the engine's own,
    /// every score is of the originals.
    private var options: DenseIndex.Options {
        let wanted = search.params.quantization
        var options = DenseIndex.Options(
            limit: search.limit, ef: ef, mode: search.params.exact ? .exact : .automatic)
        options.useCodes = wanted?.ignore != true
        options.oversampling = wanted?.oversampling
        // Codes that are scanned are the engine's own, also where the user has asked for others and they are not made yet.
        let isOwn = field.quantization == nil || field.isScanned
        options.rescore = isOwn ? true : wanted?.rescore ?? field.quantization?.rescoresByDefault ?? true
        options.readsFew = field.params.isOnDisk
        options.meter = trace?.meter
        return options
    }

    private var checksRows: Bool {
        segment.tombstones.killedCount > 0 || field.hasAbsent || excludedRow != .max
    }

    /// Rows that can be found: counted only where a walk found fewer than were asked for.
    private var visibleCount: Int {
        guard checksRows else { return field.presentCount }
        var count = 0
        for row in 0..<UInt32(segment.rowCount) where isVisible(row) { count += 1 }
        return count
    }

    private func isVisible(_ row: UInt32) -> Bool {
        row != excludedRow && segment.tombstones.isLive(row, at: lsn) && field.isPresent(row)
    }

    /// Leaves out rows that are dead, have no vector, or are the query's own; `nil` if there are none.
    private var liveness: RowPredicate? {
        guard checksRows else { return nil }
        return { rows, count, admitted in
            for place in 0..<count { admitted[place] = isVisible(rows[place]) }
        }
    }

    private func run(
        _ query: UnsafePointer<Float>, _ compiled: CompiledFilter, _ share: SharedBound?
    ) -> SegmentedSearch.Answer {
        if field.hasGraph, !search.params.exact, walkIsCheaper(compiled) {
            let admit = admitted(by: compiled)
            var options = options
            options.visitLimit = visitLimit(compiled)
            options.twoHops = walksTwoHops(compiled)
            // A walk that found too few has met a filter that is unlike its estimate: the scan below is exact.
            if let answer = walk(query, options, admit, share, isEnough: { _ in false }) { return answer }
        }
        // Codes are scanned in the time that it takes to read the payloads of a few rows.
        if field.isScanned, !search.params.exact, !compiled.isFullyIndexed, walkIsCheaper(compiled) {
            let admit = admitted(by: compiled)
            if let pool = scan(query, admit, share) { return .candidates(pool) }
            trace?.choose(.scanCodes)
            return .rows(field.index.scanAll(query: query, options: options, admit: admit))
        }
        let start = trace.map { _ in ContinuousClock.now }
        var rows = compiled.matchingRows()
        if checksRows { rows.removeAll { !isVisible($0) } }
        if let trace, let start {
            trace.addFilter(since: start)
            trace.choose(.scanList)
        }
        return .rows(rows.withUnsafeBufferPointer { field.index.scan(rows: $0, query: query, options: options) })
    }

    /// Leaves out rows that do not pass the filter, too.
    private func admitted(by filter: CompiledFilter) -> RowPredicate {
        let checksRows = checksRows
        return { rows, count, admitted in
            filter.matches(rows, count, admitted)
            guard checksRows else { return }
            for place in 0..<count where admitted[place] { admitted[place] = isVisible(rows[place]) }
        }
    }

    /// A walk without indexes is worth it from so many matches for each place in its pool: it scores some twenty rows and
    /// reads some four payloads for each place, divided by the share that passes, and a payload costs six scored rows.
    private static let matchesPerPlaceMin = 8

    /// Whether walking the graph with the filter costs less than finding all rows that pass and scanning them.
    ///
    /// With indexes, finding rows is nearly free and the scan decides. Without, every row's payload has to be read to find
    /// them, while the walk reads those of the rows that would enter its pool.
    private func walkIsCheaper(_ compiled: CompiledFilter) -> Bool {
        let matches = compiled.cardinality.expected
        if compiled.isFullyIndexed { return !field.index.scanIsCheaper(matches: matches, options: options) }
        return matches > Self.matchesPerPlaceMin * ef
    }

    /// Whether a walk goes through the rows that do not pass without scoring them: where the user asks for it, if few
    /// enough pass. It tests several rows for each that passes, which only indexes make cheap.
    private func walksTwoHops(_ compiled: CompiledFilter) -> Bool {
        guard let acorn = search.params.acorn, acorn.enable, compiled.isFullyIndexed else { return false }
        let share = Double(compiled.cardinality.expected) / Double(max(segment.rowCount, 1))
        return share <= acorn.maxSelectivity ?? AcornParams.maxSelectivityDefault
    }

    /// Rows a filtered walk may look at: three times what it should need, so that recall is not cut off.
    private func visitLimit(_ compiled: CompiledFilter) -> Int {
        let share = Double(max(compiled.cardinality.expected, 1)) / Double(max(segment.rowCount, 1))
        return 20_000 + Int(min(60 * Double(ef) / share, Double(segment.rowCount)))
    }
}
