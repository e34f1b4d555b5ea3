extension ReadsJSON {
    /// `points/query/groups` and its older forms.
    package static func groups(_ bytes: [UInt8], _ family: QueryFamily = .query) throws(OctantError) -> GroupsRequest {
        try JSONReader.read(bytes) { (reader) throws(OctantError) in
            let (query, fields) = try ranked(&reader, path: "internal", family, limitRequired: false)
            guard let key = try fields.string("group_by") else { throw fields.missing("group_by") }
            var request = GroupsRequest(query: query, groupBy: try PayloadPath(key))
            request.groupSize = try fields.int("group_size", in: .groupSize) ?? 3
            request.query.offset = 0
            switch fields["with_lookup"] {
            case nil: break
            case .string(let collection)?: request.withLookup = GroupLookup(collection: collection)
            case let value?:
                let lookup = try JSONFields(value, path: fields.path("with_lookup"))
                guard let collection = try lookup.string("collection") else { throw lookup.missing("collection") }
                let (payload, vector) = try lookup.selectors(payload: .all)
                request.withLookup = GroupLookup(collection: collection, withPayload: payload, withVector: vector)
            }
            return request
        }
    }

    /// `facet`.
    package static func facet(_ bytes: [UInt8]) throws(OctantError) -> FacetRequest {
        let fields = try JSONFields(try JSONParser.parse(bytes), path: "internal")
        try fields.refuse("shard_key")
        guard let key = try fields.string("key") else { throw fields.missing("key") }
        return FacetRequest(
            key: try PayloadPath(key), filter: try fields.filter(), limit: try fields.int("limit", in: .limit) ?? 10,
            exact: try fields.bool("exact") ?? false)
    }

    /// `points/search/matrix/pairs` and `…/offsets`.
    package static func matrix(_ bytes: [UInt8]) throws(OctantError) -> MatrixRequest {
        let fields = try JSONFields(try JSONParser.parse(bytes), path: "internal")
        try fields.refuse("shard_key")
        return MatrixRequest(
            filter: try fields.filter(), sample: try fields.int("sample", in: .sample) ?? 10,
            limit: try fields.int("limit", in: .limit) ?? 3, using: try fields.string("using") ?? "")
    }
}

extension JSONWriter {
    /// Writes groups.
    package mutating func value(_ groups: [PointGroup]) {
        beginObject()
        key("groups")
        beginArray()
        for group in groups {
            beginObject()
            key("id")
            switch group.id {
            case .string(let text): value(text)
            case .integer(let number): value(number)
            case .unsigned(let number): value(number)
            }
            key("hits")
            value(group.hits)
            if let lookup = group.lookup {
                key("lookup")
                value(lookup)
            }
            endObject()
        }
        endArray()
        endObject()
    }

    /// Writes values and their counts.
    package mutating func value(_ hits: [FacetHit]) {
        beginObject()
        key("hits")
        beginArray()
        for hit in hits {
            beginObject()
            key("value")
            switch hit.value {
            case .string(let text): value(text)
            case .integer(let number): value(number)
            case .bool(let bool): value(bool)
            }
            key("count")
            value(hit.count)
            endObject()
        }
        endArray()
        endObject()
    }

    /// Writes a matrix as pairs of points.
    package mutating func pairs(_ matrix: DistanceMatrix) {
        beginObject()
        key("pairs")
        beginArray()
        for (id, row) in zip(matrix.ids, matrix.rows) {
            for neighbor in row {
                beginObject()
                key("a")
                value(id)
                key("b")
                value(matrix.ids[neighbor.place])
                key("score")
                value(neighbor.score)
                endObject()
            }
        }
        endArray()
        endObject()
    }

    /// Writes a matrix as lists of places and scores.
    package mutating func offsets(_ matrix: DistanceMatrix) {
        beginObject()
        key("offsets_row")
        beginArray()
        for (place, row) in matrix.rows.enumerated() {
            for _ in row { value(place) }
        }
        endArray()
        key("offsets_col")
        beginArray()
        for neighbor in matrix.rows.joined() { value(neighbor.place) }
        endArray()
        key("scores")
        value(matrix.rows.joined().map(\.score))
        key("ids")
        beginArray()
        for id in matrix.ids { value(id) }
        endArray()
        endObject()
    }
}
