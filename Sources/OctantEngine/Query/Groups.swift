package import OctantModel
import OctantPayload

/// Collects ranked points into groups, round by round, until there are enough full ones.
package struct GroupCollector {
    private let groupBy: PayloadPath
    private let reader: PathReader
    private let limit: Int
    private let size: Int
    private var groups: [GroupID: [QueryRun.Ranked]] = [:]
    /// Groups in the order of their best points.
    private var order: [GroupID] = []
    private var seen: Set<PointID> = []

    /// Rounds in which new groups are looked for; each asks for twice as many points as the one before.
    package static let collectingRoundsMax = 8
    /// Rounds in which the groups are filled.
    package static let fillingRoundsMax = 5

    /// A collector of `limit` groups of `size` points.
    package init(by groupBy: PayloadPath, limit: Int, size: Int) {
        self.groupBy = groupBy
        reader = PathReader(groupBy)
        self.limit = limit
        self.size = size
    }

    /// Adds points, best first.
    package mutating func add(_ points: [QueryRun.Ranked]) {
        for point in points where seen.insert(point.id).inserted {
            for id in ids(of: point) {
                if groups[id] == nil { order.append(id) }
                if groups[id, default: []].count < size { groups[id, default: []].append(point) }
            }
        }
    }

    /// The groups a point is in, each once: none if it has a value at the key that no group can have.
    private func ids(of point: QueryRun.Ranked) -> [GroupID] {
        var ids: [GroupID] = []
        var areAllGroups = true
        reader.forEachElement(of: point.hit.source.payload(point.hit.row)) { element in
            let id: GroupID
            switch element.kind {
            case .string: id = .string(element.string ?? "")
            case .integer: id = .integer(element.integer ?? 0)
            case .unsigned: id = .unsigned(element.unsigned ?? 0)
            default:
                areAllGroups = false
                return
            }
            if !ids.contains(id) { ids.append(id) }
        }
        return areAllGroups ? ids : []
    }

    /// Whether there are enough groups, full or not.
    package var hasGroups: Bool { order.count >= limit }

    /// The best groups and their points.
    package var best: [(id: GroupID, points: [QueryRun.Ranked])] {
        order.prefix(limit).map { ($0, groups[$0] ?? []) }
    }

    /// Points that may open a new group: those not seen, in some group that is not full.
    package var filterForNew: Filter {
        let full = order.filter { (groups[$0]?.count ?? 0) >= size }.compactMap(\.matchValue)
        var filter = unseen
        filter.mustNot.append(.isEmpty(groupBy))
        if !full.isEmpty { filter.must = [.field(FieldCondition(key: groupBy, match: .except(full)))] }
        return filter
    }

    /// Points that may fill one of the best groups; `nil` if all are full.
    package var filterForFilling: Filter? {
        let missing = order.prefix(limit).filter { (groups[$0]?.count ?? 0) < size }.compactMap(\.matchValue)
        guard !missing.isEmpty else { return nil }
        var filter = unseen
        filter.must = [.field(FieldCondition(key: groupBy, match: .any(missing)))]
        return filter
    }

    private var unseen: Filter { seen.isEmpty ? Filter() : Filter(mustNot: [.hasID(seen)]) }
}

extension GroupID {
    /// The value as a filter names it.
    fileprivate var matchValue: MatchValue? {
        switch self {
        case .string(let text): .string(text)
        case .integer(let number): .integer(number)
        case .unsigned: nil
        }
    }
}
