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

    /// Whether a part is too large to be scanned and has no index, for a search that wants no such scans.
    private func isLeftOut(_ source: any RowSource, _ view: ReadView) -> Bool {
        guard params.indexedOnly, case .dense = target else { return false }
        if let segment = source as? Segment, segment.fields.contains(where: { $0.name == using && $0.isIndexed }) {
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
        case (.dense(let query), let memtable as Memtable):
            rows = MemtableSearch(self, memtable, view)?.run(query) ?? []
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
}
