import OctantModel
import OctantPayload
import OctantVectors

/// A search of one memtable: a scan of its vectors, or of codes where the user asked for a kind that memtables have.
struct MemtableSearch {
    private let search: NearestSearch
    private let memtable: Memtable
    private let field: MemtableVectors
    private let view: ReadView
    private let trace: PartTrace?
    /// Rows that the view has.
    private let rowCount: Int
    private let excludedRow: UInt32

    /// `nil` if the memtable has no such vector, or none that the view has.
    init?(_ search: NearestSearch, _ memtable: Memtable, _ view: ReadView, _ trace: PartTrace? = nil) {
        guard let field = memtable.fields.first(where: { $0.name == search.using }) else { return nil }
        rowCount = memtable.rowCount(at: view.lsn)
        guard rowCount > 0 else { return nil }
        self.search = search
        self.memtable = memtable
        self.field = field
        self.view = view
        self.trace = trace
        excludedRow = search.excluded.flatMap { memtable.row(of: $0, at: view.lsn) } ?? .max
    }

    /// The memtable's best rows. The filter is only asked about rows that would enter the result.
    func run(_ query: [Float]) -> [ScoredRow] {
        guard query.count == field.dimension else { return [] }
        let compiled = search.filter.flatMap { filter in
            filter.isEmpty ? nil : CompiledFilter(filter, rows: FilterView(memtable, view))
        }
        let admit = admission(compiled)
        return query.withUnsafeBufferPointer { query in
            guard let base = query.baseAddress else { return [] }
            guard let (codes, options) = coded() else { return scanOriginals(base, 0..<rowCount, admit) }
            trace?.choose(.scanCodes)
            let index = DenseIndex(
                distance: search.distance, rows: field.rows(codes.count), codes: codes, graph: nil,
                owner: memtable)
            let found = index.scanAll(query: base, options: options, admit: admit, range: nil)
            guard codes.count < rowCount else { return found }
            // What has come since is few, and is found by its originals.
            let rest = scanOriginals(base, codes.count..<rowCount, admit)
            return Array(
                (found + rest).sorted { $0.score != $1.score ? $0.score > $1.score : $0.row < $1.row }
                    .prefix(search.limit))
        }
    }

    private func scanOriginals(
        _ query: UnsafePointer<Float>, _ range: Range<Int>, _ admit: RowPredicate?
    ) -> [ScoredRow] {
        let index = DenseIndex(
            distance: search.distance, rows: field.rows(rowCount), codes: nil, graph: nil, owner: memtable)
        var options = DenseIndex.Options(limit: search.limit, ef: search.limit, mode: .exact)
        options.meter = trace?.meter
        return index.scanAll(query: query, options: options, admit: admit, range: range)
    }

    /// One in so many rows may be scored again after a scan of their codes: of more, most work would be done twice.
    private static let rescoredShare = 8

    /// The codes to scan, and how: as in a segment. `nil` if originals are to be scanned.
    private func coded() -> (VectorCodes, DenseIndex.Options)? {
        guard !search.params.exact, search.params.quantization?.ignore != true,
            let params = view.config.params.vectors[search.using]
        else { return nil }
        let scheme = params.quantization ?? view.config.quantization
        let wanted = search.params.quantization
        var options = DenseIndex.Options(limit: search.limit, ef: search.limit)
        options.oversampling = wanted?.oversampling
        options.rescore = scheme.map { wanted?.rescore ?? $0.rescoresByDefault } ?? true
        options.meter = trace?.meter
        guard !options.rescore || options.scanPool <= rowCount / Self.rescoredShare else { return nil }
        // Rows that are codes themselves need no others.
        if let codes = field.rows(rowCount).searchableCodes(owner: memtable) { return (codes, options) }
        let vector = NamedVectorParams(name: search.using, params: params)
        guard scheme != nil,
            let codes = field.codes(IndexPolicy(vector, config: view.config).codes(nil), rowCount),
            codes.count > 0
        else { return nil }
        return (.packed(codes), options)
    }

    private func admission(_ compiled: CompiledFilter?) -> RowPredicate? {
        let checksRows = memtable.tombstones.killedCount > 0 || field.hasAbsent || excludedRow != .max
        guard compiled != nil || checksRows else { return nil }
        return { rows, count, admitted in
            if let compiled {
                compiled.matches(rows, count, admitted)
            } else {
                for place in 0..<count { admitted[place] = true }
            }
            guard checksRows else { return }
            for place in 0..<count where admitted[place] {
                let row = rows[place]
                admitted[place] =
                    row != excludedRow && memtable.tombstones.isLive(row, at: view.lsn) && field.isPresent(row)
            }
        }
    }
}
