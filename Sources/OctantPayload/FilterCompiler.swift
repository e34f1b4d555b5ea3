import OctantModel

/// Turns a filter into nodes for one segment.
final class FilterCompiler {
    let rows: any FilterableRows
    let rowCount: Int
    let arena: Arena
    /// Names of vectors, by the number in `FilterNode.name`.
    var names: [String] = []
    /// How many rows are looked at to guess how many a test of the payload matches.
    private let samples: Int
    private var indexes: [PayloadPath: [FieldIndex]] = [:]
    /// What nodes refer to without counting references.
    private(set) var kept: [AnyObject] = []
    private var wanted: [PayloadPath: [FieldIndexSchema]] = [:]

    init(_ filter: Filter, rows: any FilterableRows, arena: Arena) {
        self.rows = rows
        self.arena = arena
        rowCount = rows.rowCount
        samples = min(max(1000 / max(conditionCount(filter, depth: 0), 1), 4), 200)
    }

    /// Every index that was asked for.
    var usedIndexes: [FieldIndex] { indexes.values.flatMap { $0 } }

    /// The indexes of a key that are about as many rows as there are.
    func usableIndexes(_ key: PayloadPath) -> [FieldIndex] {
        if let known = indexes[key] { return known }
        let found = rows.fieldIndexes(key).filter { $0.rowCount == rowCount && $0.key == key }
        indexes[key] = found
        return found
    }

    /// The indexes of a key the collection has; none inside `nested`.
    func wantedIndexes(_ key: PayloadPath, _ nested: Bool) -> [FieldIndexSchema] {
        if nested { return [] }
        if let known = wanted[key] { return known }
        let found = rows.wantedIndexes(key)
        wanted[key] = found
        return found
    }

    /// Keeps what nodes refer to.
    func keep(_ object: AnyObject) { kept.append(object) }

    /// Compiles a filter. Inside `nested` there are no rows, and so no indexes, ids or vectors.
    func filter(_ filter: Filter, depth: Int, nested: Bool = false) -> UnsafePointer<FilterNode> {
        guard depth <= Limits.filterDepthMax else { return make(.never) }
        var clauses = filter.must.map { condition($0, depth, nested) }
        for excluded in filter.mustNot { clauses.append(not(condition(excluded, depth, nested))) }
        if !filter.should.isEmpty {
            clauses.append(or(mergeMatches(filter.should).map { condition($0, depth, nested) }))
        }
        if let minShould = filter.minShould {
            clauses.append(
                atLeast(minShould.minCount, minShould.conditions.map { condition($0, depth, nested) }))
        }
        return and(clauses)
    }

    private func condition(_ condition: Condition, _ depth: Int, _ nested: Bool) -> UnsafePointer<FilterNode> {
        switch condition {
        case .field(let field): return self.field(field, nested)
        case .isEmpty(let key): return isEmpty(key, nested)
        case .isNull(let key): return isNull(key, inside: false, nested)
        case .hasID(let ids): return nested ? make(.never) : hasID(ids)
        case .hasVector(let name): return nested ? make(.never) : hasVector(name)
        case .slice(let slice): return nested ? make(.never) : self.slice(slice)
        case .filter(let inner): return filter(inner, depth: depth + 1, nested: nested)
        case .nested(let key, let inner):
            let element = filter(inner, depth: depth + 1, nested: true)
            let children = UnsafePointer(arena.copy([element]))
            return payloadTest(.nested, key.elements, nested) { $0.children = children }
        }
    }

    /// `should` over several values of one key, as people write it, becomes one `any`.
    private func mergeMatches(_ conditions: [Condition]) -> [Condition] {
        var values: [PayloadPath: [MatchValue]] = [:]
        var order: [PayloadPath] = []
        var rest: [Condition] = []
        for condition in conditions {
            if case .field(let field) = condition, case .value(let value)? = field.match,
                field == FieldCondition(key: field.key, match: .value(value))
            {
                if values[field.key] == nil { order.append(field.key) }
                values[field.key, default: []].append(value)
            } else {
                rest.append(condition)
            }
        }
        return order.map { .field(FieldCondition(key: $0, match: .any(values[$0] ?? []))) } + rest
    }

    // MARK: Nodes

    func make(
        _ operation: FilterNode.Operation, _ set: (inout FilterNode) -> Void = { _ in }
    ) -> UnsafePointer<FilterNode> {
        var node = FilterNode(operation)
        if operation == .always {
            node.estimate = FilterNode.Estimate(min: rowCount, expected: Double(rowCount), max: rowCount)
            node.listCost = wordCost
        }
        set(&node)
        node.listCost = min(node.listCost, Double(rowCount) * node.testCost)
        return UnsafePointer(arena.copy([node]))
    }

    /// Nanoseconds to run over a bitmap of all rows.
    var wordCost: Double { Double(bitmapWords(rowCount)) * 0.5 }

    func and(_ clauses: [UnsafePointer<FilterNode>]) -> UnsafePointer<FilterNode> {
        if clauses.contains(where: { $0.pointee.operation == .never }) { return make(.never) }
        var children = clauses.filter { $0.pointee.operation != .always }
        if children.isEmpty { return make(.always) }
        if children.count == 1 { return children[0] }
        children.sort {
            ($0.pointee.testCost, $0.pointee.estimate.max) < ($1.pointee.testCost, $1.pointee.estimate.max)
        }
        return make(.and) { node in
            adopt(&node, children)
            let total = Double(max(rowCount, 1))
            var share = 1.0
            var cost = 0.0
            var least = rowCount
            var most = rowCount
            for child in children {
                cost += share * child.pointee.testCost
                share *= child.pointee.estimate.expected / total
                least -= rowCount - child.pointee.estimate.min
                most = min(most, child.pointee.estimate.max)
            }
            node.testCost = cost
            node.estimate = FilterNode.Estimate(min: max(least, 0), expected: share * total, max: most)
            let all = children.reduce(0) { $0 + $1.pointee.testCost }
            node.listCost = children.reduce(Double.infinity) { best, child in
                min(best, child.pointee.listCost + child.pointee.estimate.expected * (all - child.pointee.testCost))
            }
        }
    }

    func or(_ clauses: [UnsafePointer<FilterNode>]) -> UnsafePointer<FilterNode> {
        if clauses.contains(where: { $0.pointee.operation == .always }) { return make(.always) }
        var children = clauses.filter { $0.pointee.operation != .never }
        if children.isEmpty { return make(.never) }
        if children.count == 1 { return children[0] }
        children.sort {
            ($0.pointee.testCost, $1.pointee.estimate.expected) < ($1.pointee.testCost, $0.pointee.estimate.expected)
        }
        return make(.or) { node in
            adopt(&node, children)
            let total = Double(max(rowCount, 1))
            var rest = 1.0
            var cost = 0.0
            var least = 0
            var most = 0
            for child in children {
                cost += rest * child.pointee.testCost
                rest *= 1 - min(child.pointee.estimate.expected / total, 1)
                least = max(least, child.pointee.estimate.min)
                most = min(most + child.pointee.estimate.max, rowCount)
            }
            node.testCost = cost
            node.estimate = FilterNode.Estimate(min: least, expected: (1 - rest) * total, max: most)
            node.listCost = children.reduce(wordCost) { $0 + $1.pointee.fillCost }
        }
    }

    func not(_ child: UnsafePointer<FilterNode>) -> UnsafePointer<FilterNode> {
        switch child.pointee.operation {
        case .always: return make(.never)
        case .never: return make(.always)
        case .not: return OctantPayload.child(child, 0)
        default: break
        }
        return make(.not) { node in
            adopt(&node, [child])
            let inner = child.pointee.estimate
            node.testCost = child.pointee.testCost
            node.estimate = FilterNode.Estimate(
                min: rowCount - inner.max, expected: Double(rowCount) - inner.expected, max: rowCount - inner.min)
            node.listCost = child.pointee.fillCost + 2 * wordCost
        }
    }

    private func atLeast(_ needed: Int, _ clauses: [UnsafePointer<FilterNode>]) -> UnsafePointer<FilterNode> {
        let certain = clauses.count { $0.pointee.operation == .always }
        let children = clauses.filter { $0.pointee.operation != .always && $0.pointee.operation != .never }
        let (needed, overflow) = needed.subtractingReportingOverflow(certain)
        if overflow || needed <= 0 { return make(.always) }
        if needed > children.count { return make(.never) }
        if needed == children.count { return and(children) }
        if needed == 1 { return or(children) }
        return make(.atLeast) { node in
            adopt(&node, children)
            node.needed = needed
            let sumMin = children.reduce(0) { $0 + $1.pointee.estimate.min }
            let sumMax = children.reduce(0) { $0 + $1.pointee.estimate.max }
            // A row that misses is in at most `needed - 1` of the children, one that matches in at most all of them.
            let surplus = sumMin - (needed - 1) * rowCount
            let span = children.count - needed + 1
            node.estimate.min = surplus > 0 ? (surplus + span - 1) / span : 0
            node.estimate.max = min(rowCount, sumMax / needed)
            node.estimate.expected =
                Double(rowCount)
                * chance(
                    of: needed, children.map { $0.pointee.estimate.expected / Double(max(rowCount, 1)) })
            node.testCost = children.reduce(0) { $0 + $1.pointee.testCost }
            node.listCost =
                children.reduce(wordCost) { $0 + $1.pointee.fillCost }
                + min(children.reduce(0) { $0 + $1.pointee.estimate.expected }, Double(rowCount)) * node.testCost
        }
    }

    /// The chance that at least `needed` of independent events happen.
    private func chance(of needed: Int, _ chances: [Double]) -> Double {
        guard needed <= 64 else { return chances.reduce(0, +) / Double(max(chances.count, 1)) }
        var exactly = [Double](repeating: 0, count: needed)
        exactly[0] = 1
        for chance in chances {
            for count in stride(from: needed - 1, through: 1, by: -1) {
                exactly[count] = exactly[count] * (1 - chance) + exactly[count - 1] * chance
            }
            exactly[0] *= 1 - chance
        }
        return min(max(1 - exactly.reduce(0, +), 0), 1)
    }

    private func adopt(_ node: inout FilterNode, _ children: [UnsafePointer<FilterNode>]) {
        node.children = UnsafePointer(arena.copy(children))
        node.childCount = children.count
        node.isIndexed = children.allSatisfy { $0.pointee.isIndexed }
    }

    // MARK: Conditions that are not about the payload

    private func hasID(_ ids: Set<PointID>) -> UnsafePointer<FilterNode> {
        var found = ids.compactMap { rows.row(of: $0) }.filter { Int($0) < rowCount }
        guard !found.isEmpty else { return make(.never) }
        found.sort()
        let words = arena.allocate(UInt64.self, bitmapWords(rowCount))
        words.initialize(repeating: 0, count: bitmapWords(rowCount))
        for row in found { words[Int(row >> 6)] |= 1 << UInt64(row & 63) }
        let slice = RowSlice(rows: UnsafePointer(arena.copy(found)), count: found.count, isAscending: true)
        return make(.bitmap) { node in
            node.bitmap = UnsafePointer(words)
            node.slices = UnsafePointer(arena.copy([slice]))
            node.sliceCount = 1
            node.estimate = FilterNode.Estimate(min: found.count, expected: Double(found.count), max: found.count)
            node.listCost = Double(found.count)
        }
    }

    private func hasVector(_ name: String) -> UnsafePointer<FilterNode> {
        let number = names.count
        names.append(name)
        let expected = sample { self.rows.hasVector($0, name) }
        return make(.hasVector) { node in
            node.name = number
            node.estimate = FilterNode.Estimate(min: 0, expected: expected, max: rowCount)
            node.testCost = 20
            node.listCost = .infinity
        }
    }

    // MARK: Tests of the payload

    /// A test that reads payloads. The share of matching rows is guessed from a few, evenly spread.
    func payloadTest(
        _ operation: FilterNode.Operation, _ key: PayloadPath, _ nested: Bool, sampled: Bool = true,
        _ set: (inout FilterNode) -> Void
    ) -> UnsafePointer<FilterNode> {
        var node = FilterNode(operation)
        node.steps = arena.steps(key)
        node.stepCount = key.steps.count
        node.testCost = 150
        node.listCost = Double(rowCount) * node.testCost
        node.isIndexed = false
        node.childCount = operation == .nested ? 1 : 0
        set(&node)
        node.estimate = FilterNode.Estimate(min: 0, expected: 0, max: rowCount)
        let made = arena.copy([node])
        if !nested, sampled {
            made.pointee.estimate.expected = sample { testPayload(made, PayloadView(self.rows.payload($0))) }
        }
        return UnsafePointer(made)
    }

    private func sample(_ test: (UInt32) -> Bool) -> Double {
        let count = min(samples, rowCount)
        guard count > 0 else { return 0 }
        var hits = 0
        for place in 0..<count {
            if test(UInt32(truncatingIfNeeded: (place * rowCount + rowCount / 2) / count)) { hits += 1 }
        }
        return (Double(hits) + 0.5) / Double(count + 1) * Double(rowCount)
    }
}

/// How many conditions a filter has, those inside others included.
private func conditionCount(_ filter: Filter, depth: Int) -> Int {
    guard depth <= Limits.filterDepthMax else { return 0 }
    return [filter.must, filter.should, filter.mustNot, filter.minShould?.conditions ?? []].joined().reduce(0) {
        switch $1 {
        case .filter(let inner), .nested(_, let inner): $0 + 1 + conditionCount(inner, depth: depth + 1)
        default: $0 + 1
        }
    }
}
