package import OctantModel
import OctantVectors
import Synchronization

/// Collects what searches do, for a query whose explanation was asked for.
package final class SearchTrace: Sendable {
    private let searches = Mutex<[QueryExplanation.Search]>([])

    package init() {}

    func add(_ search: QueryExplanation.Search) { searches.withLock { $0.append(search) } }

    /// The searches, in the order in which they ended.
    package var all: [QueryExplanation.Search] { searches.withLock { $0 } }
}

/// What the search of one part does. Used by one thread at a time.
final class PartTrace: @unchecked Sendable {
    // SAFETY: handed from thread to thread with the search that it belongs to.
    let meter = SearchMeter()
    private var part: QueryExplanation.Part

    init(_ source: any RowSource) {
        part = QueryExplanation.Part(
            segment: (source as? Segment)?.entry.uuid.description, points: source.rowCount, plan: .scanOriginals)
    }

    /// Notes what was chosen; a choice after a walk means that the walk had to be given up.
    func choose(_ plan: QueryExplanation.Plan, ef: Int? = nil) {
        part.plan = plan
        if let ef { part.ef = ef } else if part.ef != nil { part.gaveUpWalk = true }
    }

    /// Adds the time since `start` to that of the filter.
    func addFilter(since start: ContinuousClock.Instant) { part.filterMicroseconds += microseconds(since: start) }

    /// Notes when the search of the part ended.
    func end(since start: ContinuousClock.Instant) { part.searchMicroseconds = microseconds(since: start) }

    /// What was noted and counted.
    var result: QueryExplanation.Part {
        var part = part
        part.scoredByCodes = meter.codes
        part.scoredByOriginals = meter.originals
        part.rescored = meter.rescored
        part.absentPages = meter.absentPages
        return part
    }
}

/// Microseconds from an instant to now.
package func microseconds(since start: ContinuousClock.Instant) -> Double {
    let (seconds, attoseconds) = (ContinuousClock.now - start).components
    return (Double(seconds) * 1e6 + Double(attoseconds) * 1e-12).rounded(.toNearestOrEven)
}
