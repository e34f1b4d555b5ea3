import OctantModel

/// The rows of one part of a view that a ranking is about.
struct CandidatePart: Sendable {
    let source: any RowSource
    /// Chosen rows, ascending; `nil`: all that pass `filter`.
    var rows: [UInt32]?
    var filter: Filter?

    /// Calls `body` with each row, ascending.
    func forEach(_ view: ReadView, _ body: (UInt32) -> Void) {
        if let rows {
            for row in rows { body(row) }
        } else {
            view.forEachMatch(filter, in: source, body)
        }
    }
}

extension ReadView {
    /// All points that pass a filter.
    func candidates(_ filter: Filter?) -> [CandidatePart] {
        sources.compactMap { $0.rowCount > 0 ? CandidatePart(source: $0, rows: nil, filter: filter) : nil }
    }

    /// The points of several lists, each once.
    func candidates(_ lists: [[QueryRun.Ranked]]) -> [CandidatePart] {
        var rows: [ObjectIdentifier: Set<UInt32>] = [:]
        for list in lists {
            for point in list { rows[ObjectIdentifier(point.hit.source), default: []].insert(point.hit.row) }
        }
        return sources.compactMap { source in
            rows[ObjectIdentifier(source)].map { CandidatePart(source: source, rows: $0.sorted(), filter: nil) }
        }
    }
}

/// The best of many scored rows of one part, in bounded memory.
struct BestRows {
    private let limit: Int
    private let source: any RowSource
    private var entries: [(score: Float, row: UInt32)] = []
    private var floor = -Float.infinity

    init(limit: Int, of source: any RowSource) {
        self.limit = limit
        self.source = source
    }

    mutating func insert(_ score: Float, _ row: UInt32) {
        guard score >= floor else { return }
        entries.append((score, row))
        // Twice the limit, and a little: sorting is paid for by as many insertions.
        if entries.count >= 2 * min(limit, 1 << 40) + 64 { shrink() }
    }

    private mutating func shrink() {
        sort()
        if entries.count > limit { entries.removeLast(entries.count - limit) }
        if entries.count == limit, let last = entries.last { floor = last.score }
    }

    private mutating func sort() {
        let source = source
        entries.sort { $0.score != $1.score ? $0.score > $1.score : source.id($0.row) < source.id($1.row) }
    }

    /// The best, best first; equal scores by id.
    mutating func finish() -> [QueryRun.Ranked] {
        shrink()
        return entries.map {
            QueryRun.Ranked(
                id: source.id($0.row), hit: ReadView.Hit(source: source, row: $0.row), score: $0.score)
        }
    }
}
