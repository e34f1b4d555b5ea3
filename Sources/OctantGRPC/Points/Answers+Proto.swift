#if Server
import OctantModel
import OctantProtocol

extension Qdrant_UpdateResult {
    /// What became of a write.
    init(_ result: UpdateResult) {
        self.init()
        operationID = result.operationID
        status =
            switch result.status {
            case .acknowledged: .acknowledged
            case .completed: .completed
            case .waitTimeout: .waitTimeout
            }
    }
}

extension Qdrant_OrderValue {
    fileprivate init(_ value: OctantModel.OrderValue) {
        self.init()
        switch value {
        case .integer(let number): variant = .int(number)
        case .double(let number): variant = .float(number)
        }
    }
}

extension Qdrant_ScoredPoint {
    /// A point that was found.
    init(_ point: ScoredPoint) {
        self.init()
        id = Qdrant_PointId(point.id)
        score = point.score
        version = point.version
        if let payload = point.payload { self.payload = payload.messages }
        if let vectors = point.vectors { self.vectors = Qdrant_VectorsOutput(vectors) }
        if let value = point.orderValue { orderValue = Qdrant_OrderValue(value) }
    }
}

extension Qdrant_RetrievedPoint {
    /// A point that was read.
    init(_ record: Record) {
        self.init()
        id = Qdrant_PointId(record.id)
        if let payload = record.payload { self.payload = payload.messages }
        if let vectors = record.vectors { self.vectors = Qdrant_VectorsOutput(vectors) }
        if let value = record.orderValue { orderValue = Qdrant_OrderValue(value) }
    }
}

extension Qdrant_GroupsResult {
    /// Groups of points.
    init(_ list: [PointGroup]) {
        self.init()
        groups = list.map { group in
            var message = Qdrant_PointGroup()
            message.id = Qdrant_GroupId(group.id)
            message.hits = group.hits.map { Qdrant_ScoredPoint($0) }
            if let lookup = group.lookup { message.lookup = Qdrant_RetrievedPoint(lookup) }
            return message
        }
    }
}

extension Qdrant_GroupId {
    fileprivate init(_ id: GroupID) {
        self.init()
        switch id {
        case .string(let text): kind = .stringValue(text)
        case .unsigned(let number): kind = .unsignedValue(number)
        case .integer(let number): kind = UInt64(exactly: number).map { .unsignedValue($0) } ?? .integerValue(number)
        }
    }
}

extension Qdrant_BatchResult {
    /// The points of one query of a batch.
    init(_ points: [ScoredPoint]) {
        self.init()
        result = points.map { Qdrant_ScoredPoint($0) }
    }
}

extension Qdrant_FacetHit {
    /// A value and how many points have it.
    init(_ hit: FacetHit) {
        self.init()
        switch hit.value {
        case .string(let text): value.variant = .stringValue(text)
        case .integer(let number): value.variant = .integerValue(number)
        case .bool(let bool): value.variant = .boolValue(bool)
        }
        count = UInt64(clamping: hit.count)
    }
}

extension Qdrant_SearchMatrixPairs {
    /// A matrix as pairs of points.
    init(_ matrix: DistanceMatrix) {
        self.init()
        let ids = matrix.ids.map { Qdrant_PointId($0) }
        for (id, row) in zip(ids, matrix.rows) {
            for neighbor in row {
                var pair = Qdrant_SearchMatrixPair()
                pair.a = id
                pair.b = ids[neighbor.place]
                pair.score = neighbor.score
                pairs.append(pair)
            }
        }
    }
}

extension Qdrant_SearchMatrixOffsets {
    /// A matrix as lists of places and scores.
    init(_ matrix: DistanceMatrix) {
        self.init()
        ids = matrix.ids.map { Qdrant_PointId($0) }
        for (place, row) in matrix.rows.enumerated() {
            for neighbor in row {
                offsetsRow.append(UInt64(place))
                offsetsCol.append(UInt64(neighbor.place))
                scores.append(neighbor.score)
            }
        }
    }
}
#endif
