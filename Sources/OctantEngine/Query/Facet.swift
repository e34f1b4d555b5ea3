package import OctantModel
import OctantPayload

extension ReadView {
    /// How many points have each value of a key, most frequent first; equal counts by value.
    package func facet(_ request: FacetRequest) throws(OctantError) -> [FacetHit] {
        guard
            let type = fieldIndexes.first(where: { $0.key == request.key && $0.schema.knowsMatches })?.schema.type
        else {
            let types = FieldIndexType.allCases.filter(\.knowsMatches).map(\.rawValue).joined(separator: ", ")
            throw OctantError(
                .badInput,
                "No appropriate index for faceting: `\(request.key)`. Please create one to facet on this field. "
                    + "Index types that support matches: \(types)")
        }
        var counts: [MatchValue: Int] = [:]
        for source in sources {
            let index = (source as? Segment)?.fieldIndexes(request.key).first { $0.type == type }
            let counted = index?.countValues { body in forEachMatch(request.filter, in: source, body) }
            if let counted {
                for (value, count) in counted { counts[value, default: 0] += count }
            } else {
                count(request, type, in: source, into: &counts)
            }
        }
        let hits = counts.map { FacetHit(value: $0.key, count: $0.value) }
            .sorted { $0.count != $1.count ? $0.count > $1.count : $0.value.precedes($1.value) }
        return Array(hits.prefix(request.limit))
    }

    /// Counts the values in the payloads themselves.
    private func count(
        _ request: FacetRequest, _ type: FieldIndexType, in source: any RowSource, into counts: inout [MatchValue: Int]
    ) {
        let reader = PathReader(request.key)
        var found: [MatchValue: Int] = [:]
        forEachMatch(request.filter, in: source) { row in
            var values: Set<MatchValue> = []
            reader.forEachElement(of: source.payload(row)) { element in
                if let value = MatchValue(element, type) { values.insert(value) }
            }
            for value in values { found[value, default: 0] += 1 }
        }
        for (value, count) in found { counts[value, default: 0] += count }
    }
}

extension MatchValue {
    /// A value in a payload as an index of the type holds it; `nil` for what it leaves out.
    fileprivate init?(_ view: PayloadView, _ type: FieldIndexType) {
        switch type {
        case .keyword:
            guard let string = view.string else { return nil }
            self = .string(string)
        case .integer:
            guard case .integer(let integer)? = OrderValue(view, .integer) else { return nil }
            self = .integer(integer)
        case .bool:
            guard let bool = view.bool else { return nil }
            self = .bool(bool)
        case .uuid:
            guard let uuid = view.string.flatMap({ UUIDValue($0) }) else { return nil }
            self = .string(uuid.description)
        case .float, .datetime, .geo, .text: return nil
        }
    }

    /// Ascending order of values of one kind; bytes of text.
    fileprivate func precedes(_ other: MatchValue) -> Bool {
        switch (self, other) {
        case (.string(let a), .string(let b)): a.utf8.lexicographicallyPrecedes(b.utf8)
        case (.integer(let a), .integer(let b)): a < b
        case (.bool(let a), .bool(let b)): !a && b
        default: false
        }
    }
}
