package import OctantModel
import OctantPayload
package import OctantVectors

/// A search for the nearest vectors, planned once and run on every part of a view.
package struct NearestSearch: Sendable {
    /// The vector's name.
    package var using: String
    /// Its distance.
    package var distance: Distance
    /// What is looked for.
    package var target: Target
    /// Which points may be found.
    package var filter: Filter?
    /// A point that may not be found: the one the query was taken from.
    package var excluded: PointID?
    package var params: SearchParams
    /// How many to find in each part.
    package var limit: Int
    /// Where to note what is done.
    package var trace: SearchTrace?

    /// What a search looks for, in stored form.
    package enum Target: Sendable {
        /// A dense vector, normalised for cosine.
        case dense([Float])
        /// Several dense rows.
        case multi(MultiQuery)
        /// A sparse vector, its indices ascending; with `idf`, weighted by inverse document frequencies first.
        case sparse(SparseVector, idf: Bool)
    }

    /// A point found, by the engine's similarity (larger is better).
    package struct Found: Sendable {
        package var id: PointID
        package var similarity: Float
        package var hit: ReadView.Hit
    }

    package init(
        using: String, distance: Distance, target: Target, filter: Filter?, excluded: PointID?, params: SearchParams,
        limit: Int
    ) {
        self.using = using
        self.distance = distance
        self.target = target
        self.filter = filter
        self.excluded = excluded
        self.params = params
        self.limit = limit
    }

    /// A search for a dense vector.
    package init(
        using: String, distance: Distance, query: [Float], filter: Filter?, excluded: PointID?, params: SearchParams,
        limit: Int
    ) {
        self.init(
            using: using, distance: distance, target: .dense(query), filter: filter, excluded: excluded,
            params: params, limit: limit)
    }

    /// The best of all parts, best first; equal similarities by id.
    package func run(_ view: ReadView, pool: ComputePool) -> [Found] {
        if case .sparse(let query, idf: true) = target {
            var weighted = self
            weighted.target = .sparse(
                view.weightedByFrequency(query, using: using, among: params.idfCorpus), idf: false)
            return weighted.run(view, pool: pool)
        }
        let parts = view.sources.filter { $0.rowCount > 0 && !isLeftOut($0, view) }
        if case .dense(let query) = target, parts.count > 1 || trace != nil {
            return SegmentedSearch(self, query, parts, view).run(pool)
        }
        let results = Monitor([[Found]](repeating: [], count: parts.count))
        pool.parallel(parts.count) { number in
            let found = search(parts[number], view)
            results.withLock { $0[number] = found }
        }
        return best(results.withLock { $0.count == 1 ? $0[0] : Array($0.joined()) })
    }

    /// The best of what parts have found.
    func best(_ found: [Found]) -> [Found] {
        var all = found
        all.sort { $0.similarity != $1.similarity ? $0.similarity > $1.similarity : $0.id < $1.id }
        return Array(all.prefix(limit))
    }

    /// Whether a part is too large to be scanned and has no graph, for a search that wants no such scans.
    private func isLeftOut(_ source: any RowSource, _ view: ReadView) -> Bool {
        guard params.indexedOnly, case .dense = target else { return false }
        if let segment = source as? Segment, segment.fields.contains(where: { $0.name == using && $0.hasGraph }) {
            return false
        }
        let kilobytes = max(view.config.optimizer.indexingThreshold ?? 0, view.config.hnsw.fullScanThreshold)
        let rowBytes = view.config.params.vectors[using]?.rowBytes ?? 0
        return source.rowCount.multipliedReportingOverflow(by: rowBytes).partialValue >> 10 > kilobytes
    }

    private func search(_ source: any RowSource, _ view: ReadView) -> [Found] {
        let rows: [ScoredRow]
        switch (target, source) {
        case (.dense(let query), let segment as Segment): rows = SegmentSearch(self, query, segment, view)?.run() ?? []
        case (.dense(let query), let memtable as Memtable): rows = scan(memtable, query, view)
        case (.multi(let query), let segment as Segment):
            rows = MultiSearch(search: self, query: query, view: view).run(segment)
        case (.multi(let query), let memtable as Memtable):
            rows = MultiSearch(search: self, query: query, view: view).run(memtable)
        case (.sparse(let query, _), let segment as Segment):
            rows = SparseSearch(search: self, query: query, view: view).run(segment)
        case (.sparse(let query, _), let memtable as Memtable):
            rows = SparseSearch(search: self, query: query, view: view).run(memtable)
        default: rows = []
        }
        return Self.found(rows, in: source)
    }

    static func found(_ rows: [ScoredRow], in source: any RowSource) -> [Found] {
        rows.map { Found(id: source.id($0.row), similarity: $0.score, hit: ReadView.Hit(source: source, row: $0.row)) }
    }

    /// One in so many rows of a memtable may be scored again after a scan of its codes.
    private static let codedShare = 16

    /// Whether codes of so many rows save time: not if most of what they find has to be scored again anyway.
    private func usesCodes(of rowCount: Int) -> Bool {
        !params.exact && params.quantization?.ignore != true && limit <= rowCount / Self.codedShare
    }

    /// A scan of a memtable's vectors. The filter is only asked about rows that would enter the result.
    func scan(
        _ memtable: Memtable, _ query: [Float], _ view: ReadView, _ part: PartTrace? = nil
    ) -> [ScoredRow] {
        let lsn = view.lsn
        guard let field = memtable.fields.first(where: { $0.name == using }) else { return [] }
        let rowCount = memtable.rowCount(at: lsn)
        guard rowCount > 0 else { return [] }
        let compiled = filter.flatMap { filter in
            filter.isEmpty ? nil : CompiledFilter(filter, rows: FilterView(memtable, view))
        }
        let codes = usesCodes(of: rowCount) ? field.codes(rowCount) : nil
        let index = DenseIndex(
            distance: distance, rows: field.rows(rowCount), codes: codes, graph: nil, owner: memtable)
        let tombstones = memtable.tombstones
        let out = excluded.flatMap { memtable.row(of: $0, at: lsn) } ?? .max
        let checksRows = tombstones.killedCount > 0 || field.hasAbsent || out != .max
        let admit: RowPredicate? =
            compiled == nil && !checksRows
            ? nil
            : { rows, count, admitted in
                if let compiled {
                    compiled.matches(rows, count, admitted)
                } else {
                    for place in 0..<count { admitted[place] = true }
                }
                guard checksRows else { return }
                for place in 0..<count where admitted[place] {
                    let row = rows[place]
                    admitted[place] = row != out && tombstones.isLive(row, at: lsn) && field.isPresent(row)
                }
            }
        var options = DenseIndex.Options(limit: limit, ef: limit, mode: codes == nil ? .exact : .automatic)
        // So many are scored again that all those are among them, as a rule, that the codes' error leaves in question.
        options.oversampling = Double(rowCount / Self.codedShare) / Double(max(limit, 1))
        options.meter = part?.meter
        if codes != nil { part?.choose(.scanCodes) }
        return query.withUnsafeBufferPointer { query in
            guard let base = query.baseAddress else { return [] }
            return index.scanAll(query: base, options: options, admit: admit, range: nil)
        }
    }
}
