package import OctantModel
import OctantPayload

extension QueryRun {
    /// The candidates that have a value at the key, once for each value, in its order; equal values by id.
    func ordered(_ parts: [CandidatePart], by order: OrderBy, limit: Int) -> [Ranked] {
        let type = view.orderType(order.key)
        let results = Monitor([[Ranked]](repeating: [], count: parts.count))
        let view = view
        pool.parallel(parts.count) { number in
            let found = Self.ordered(parts[number], view, order, type, limit: limit)
            results.withLock { $0[number] = found }
        }
        var all = results.withLock { Array($0.joined()) }
        if parts.count > 1 {
            all.sort { Self.precedes(($0.orderValue, $0.id), ($1.orderValue, $1.id), order.direction) }
        }
        return Array(all.prefix(limit))
    }

    private static func ordered(
        _ part: CandidatePart, _ view: ReadView, _ order: OrderBy, _ type: FieldIndexType, limit: Int
    ) -> [Ranked] {
        let source = part.source
        var found = indexed(part, view, order, type, limit: limit) ?? read(part, view, order, type)
        found.sort {
            $0.value != $1.value
                ? order.direction == .ascending ? $0.value < $1.value : $1.value < $0.value
                : source.id($0.row) < source.id($1.row)
        }
        return found.prefix(limit).map { entry in
            Ranked(
                id: source.id(entry.row), hit: ReadView.Hit(source: source, row: entry.row), score: 1,
                orderValue: entry.value)
        }
    }

    /// The values of all candidates, read from their payload.
    private static func read(
        _ part: CandidatePart, _ view: ReadView, _ order: OrderBy, _ type: FieldIndexType
    ) -> [(value: OrderValue, row: UInt32)] {
        let reader = PathReader(order.key)
        var found: [(value: OrderValue, row: UInt32)] = []
        part.forEach(view) { row in
            let first = found.count
            reader.forEachElement(of: part.source.payload(row)) { element in
                guard let value = OrderValue(element, type), order.reaches(value),
                    !found[first...].contains(where: { $0.value == value })
                else { return }
                found.append((value, row))
            }
        }
        return found
    }

    /// The first candidates and their values, from an index of the segment; of the last value all that hold it. `nil`
    /// where there is no index, or where so few points pass the filter that reading these is less work.
    private static func indexed(
        _ part: CandidatePart, _ view: ReadView, _ order: OrderBy, _ type: FieldIndexType, limit: Int
    ) -> [(value: OrderValue, row: UInt32)]? {
        guard part.rows == nil, let segment = part.source as? Segment,
            let index = segment.fieldIndexes(order.key).first(where: { $0.type == type })
        else { return nil }
        var compiled: CompiledFilter?
        if let filter = part.filter, !filter.isEmpty {
            let made = CompiledFilter(filter, rows: FilterView(segment, view))
            if made.isFullyIndexed, made.cardinality.expected < segment.rowCount / 8 { return nil }
            compiled = made
        }
        var found: [(value: OrderValue, row: UInt32)] = []
        index.forEachOrdered(descending: order.direction == .descending, from: order.startFrom) { value, row in
            if found.count >= limit, let last = found.last, last.value != value { return false }
            guard segment.tombstones.isLive(row, at: view.lsn), compiled?.matches(row) ?? true else { return true }
            found.append((value, row))
            return true
        }
        return found
    }

    private static func precedes(
        _ a: (value: OrderValue?, id: PointID), _ b: (value: OrderValue?, id: PointID), _ direction: OrderBy.Direction
    ) -> Bool {
        guard let x = a.value, let y = b.value, x != y else { return a.id < b.id }
        return direction == .ascending ? x < y : y < x
    }

    /// Some candidates by chance, each as likely as any other, in random order.
    func sampled(_ parts: [CandidatePart], limit: Int) -> [Ranked] {
        var generator = SystemRandomNumberGenerator()
        var chosen: [ReadView.Hit] = []
        var seen = 0
        for part in parts {
            // Vitter, "Random sampling with a reservoir", 1985, algorithm R.
            part.forEach(view) { row in
                seen += 1
                let hit = ReadView.Hit(source: part.source, row: row)
                if chosen.count < limit {
                    chosen.append(hit)
                } else {
                    let place = Int.random(in: 0..<seen, using: &generator)
                    if place < limit { chosen[place] = hit }
                }
            }
        }
        chosen.shuffle(using: &generator)
        return chosen.map { Ranked(id: $0.source.id($0.row), hit: $0, score: 1) }
    }
}

extension ReadView {
    /// The kind of the index that orders by a key.
    func orderType(_ key: PayloadPath) -> FieldIndexType {
        fieldIndexes.first { $0.key == key && $0.schema.knowsRanges }?.schema.type ?? .float
    }

    /// A page of points in the order of a value.
    package func page(
        _ filter: Filter?, by order: OrderBy, limit: Int, pool: ComputePool
    ) -> [(hit: Hit, value: OrderValue)] {
        QueryRun(view: self, pool: pool).ordered(candidates(filter), by: order, limit: limit).compactMap { point in
            point.orderValue.map { (point.hit, $0) }
        }
    }
}

extension OrderBy {
    /// Whether a value is not before the first to be listed.
    fileprivate func reaches(_ value: OrderValue) -> Bool {
        guard let startFrom else { return true }
        return direction == .ascending ? !(value < startFrom) : !(startFrom < value)
    }
}

extension OrderValue {
    /// A value in a payload as an index of the kind holds it; `nil` for what it leaves out.
    init?(_ view: PayloadView, _ type: FieldIndexType) {
        switch type {
        case .integer:
            guard let integer = view.integer ?? view.double.flatMap({ Int64(exactly: $0) }) else { return nil }
            self = .integer(integer)
        case .float:
            guard let number = view.number else { return nil }
            self = .double(number)
        case .datetime:
            guard let date = view.date else { return nil }
            self = .integer(date)
        case .keyword, .bool, .uuid, .geo, .text: return nil
        }
    }
}
