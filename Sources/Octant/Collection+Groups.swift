import OctantEngine
public import OctantModel

extension Collection {
    /// The best points of groups of equal values, best group first.
    ///
    /// Points are fetched in rounds that leave out what is known; groups of very many points can hide some of the last
    /// ones asked for.
    public func queryGroups(_ request: GroupsRequest) throws(OctantError) -> [PointGroup] {
        try queryGroups(request) { (name) throws(OctantError) in throw .unknownCollection(name) }
    }

    /// The same, finding other collections by `siblings`.
    package func queryGroups(
        _ request: GroupsRequest, siblings: (String) throws(OctantError) -> Collection
    ) throws(OctantError) -> [PointGroup] {
        let view = shard.view
        let lookup: Collection?
        if let wanted = request.withLookup {
            do throws(OctantError) { lookup = try siblings(wanted.collection) } catch {
                throw OctantError(.notFound, "Collection \(wanted.collection) not found")
            }
            try lookup?.check(wanted.withVector)
        } else {
            lookup = nil
        }
        let (limit, size) = (max(request.query.limit, 1), max(request.groupSize, 1))
        var collector = GroupCollector(by: request.groupBy, limit: limit, size: size)
        var query = request.query
        query.offset = 0
        query.prefetch = query.prefetch.map { $0.multiplyingLimits(by: size) }
        var wanted = limit.multipliedClamped(by: size)
        for _ in 0..<GroupCollector.collectingRoundsMax where !collector.hasGroups {
            query.filter = Filter.joined(request.query.filter, collector.filterForNew)
            query.limit = wanted
            let found = try ranked(query, view, siblings: siblings)
            collector.add(found)
            if found.count < wanted { break }
            wanted = wanted.multipliedClamped(by: 2)
        }
        for _ in 0..<GroupCollector.fillingRoundsMax {
            guard let filter = collector.filterForFilling else { break }
            query.filter = Filter.joined(request.query.filter, filter)
            query.limit = wanted
            let found = try ranked(query, view, siblings: siblings)
            collector.add(found)
            if found.count < wanted { break }
        }
        let other = lookup?.shard.view
        let groups = collector.best.map { group in
            var made = PointGroup(id: group.id, hits: group.points.map { scored($0, view, request.query) })
            if let other, let wanted = request.withLookup, let id = group.id.pointID, let place = other.locate(id) {
                made.lookup = other.record(
                    .init(source: place.source, row: place.row), withPayload: wanted.withPayload,
                    withVector: wanted.withVector)
            }
            return made
        }
        try shard.checkIntact()
        try lookup?.shard.checkIntact()
        return groups
    }

    /// How many points have each value of a key.
    public func facet(_ request: FacetRequest) throws(OctantError) -> [FacetHit] {
        let view = shard.view
        try view.check(request.filter)
        let hits = try view.facet(request)
        try shard.checkIntact()
        return hits
    }

    /// The nearest neighbours of randomly chosen points among themselves.
    public func matrix(_ request: MatrixRequest) throws(OctantError) -> DistanceMatrix {
        let view = shard.view
        try view.check(request.filter)
        let matrix = try QueryRun(view: view, pool: compute).matrix(request)
        try shard.checkIntact()
        return matrix
    }
}

extension Prefetch {
    fileprivate func multiplyingLimits(by factor: Int) -> Prefetch {
        var copy = self
        copy.limit = limit.multipliedClamped(by: factor)
        copy.prefetch = prefetch.map { $0.multiplyingLimits(by: factor) }
        return copy
    }
}

extension Int {
    /// The product of two numbers that are not negative, or the largest number.
    fileprivate func multipliedClamped(by factor: Int) -> Int {
        let (product, overflow) = multipliedReportingOverflow(by: factor)
        return overflow ? .max : product
    }
}
