/// Which parts of the payload an answer carries.
public enum PayloadSelector: Hashable, Sendable {
    /// None of it.
    case none
    /// All of it.
    case all
    /// The values at these paths.
    case include([PayloadPath])
    /// All but the values at these paths.
    case exclude([PayloadPath])
}

/// Which vectors an answer carries.
public enum VectorSelector: Hashable, Sendable {
    /// None.
    case none
    /// All.
    case all
    /// Those of these names; an unknown name is an error.
    case names([String])
}

/// How a search trades speed for precision.
public struct SearchParams: Hashable, Sendable {
    /// Candidates kept during the walk of the graph; unset: `ef_construct` of the collection, never below the limit.
    public var hnswEF: Int?
    /// Compare with every vector, without graph or codes.
    public var exact: Bool
    /// Leave out large segments that have no graph yet.
    public var indexedOnly: Bool
    /// How quantised vectors are used.
    public var quantization: QuantizationSearchParams?
    /// Which points count for the inverse document frequencies that weigh a sparse query; unset: all. An error if the
    /// vector has no such modifier.
    public var idfCorpus: Filter?
    /// How the graph is walked with a filter that few points pass; unset: as with any filter.
    public var acorn: AcornParams?
    /// The share of the true nearest points to find, above 0 and at most 1: the engine chooses ``hnswEF`` by what it has
    /// measured. ``hnswEF`` and ``exact`` win where they are given too.
    public var recall: Double?

    /// Parameters.
    public init(
        hnswEF: Int? = nil, exact: Bool = false, indexedOnly: Bool = false,
        quantization: QuantizationSearchParams? = nil, idfCorpus: Filter? = nil, acorn: AcornParams? = nil,
        recall: Double? = nil
    ) {
        self.recall = recall
        self.idfCorpus = idfCorpus
        self.acorn = acorn
        self.hnswEF = hnswEF
        self.exact = exact
        self.indexedOnly = indexedOnly
        self.quantization = quantization
    }
}

/// Walks of the graph that follow the neighbours of neighbours where these do not pass the filter.
public struct AcornParams: Hashable, Sendable {
    /// Whether to do so.
    public var enable: Bool
    /// Only where no larger share of the points is expected to pass, 0–1; unset: ``maxSelectivityDefault``.
    public var maxSelectivity: Double?

    /// See ``maxSelectivity``.
    public static let maxSelectivityDefault = 0.4

    /// Parameters.
    public init(enable: Bool = false, maxSelectivity: Double? = nil) {
        self.enable = enable
        self.maxSelectivity = maxSelectivity
    }
}

/// How a search uses quantised vectors.
public struct QuantizationSearchParams: Hashable, Sendable {
    /// Use the original vectors alone.
    public var ignore: Bool
    /// Score the candidates again by the original vectors; unset: as the scheme says.
    public var rescore: Bool?
    /// How many times `limit` candidates are fetched before rescoring; at least 1.
    public var oversampling: Double?

    /// Parameters.
    public init(ignore: Bool = false, rescore: Bool? = nil, oversampling: Double? = nil) {
        self.ignore = ignore
        self.rescore = rescore
        self.oversampling = oversampling
    }
}

/// A vector to search by: itself, or the one of a stored point.
public enum VectorInput: Hashable, Sendable {
    /// The vector of this point, which is left out of the results.
    case id(PointID)
    /// This vector.
    case vector(Vector)
}

/// A page of points in ascending order of id, or of a value in the payload.
public struct ScrollRequest: Hashable, Sendable {
    /// Order by a value instead; then without `offset`, and the page does not say where the next begins.
    public var orderBy: OrderBy?
    /// Which points.
    public var filter: Filter?
    /// The first id of the page.
    public var offset: PointID?
    /// How many points; at least 1.
    public var limit: Int
    /// Parts of the payload to return.
    public var withPayload: PayloadSelector
    /// Vectors to return.
    public var withVector: VectorSelector

    /// A page.
    public init(
        filter: Filter? = nil, offset: PointID? = nil, limit: Int = 10, withPayload: PayloadSelector = .all,
        withVector: VectorSelector = .none, orderBy: OrderBy? = nil
    ) {
        self.orderBy = orderBy
        self.filter = filter
        self.offset = offset
        self.limit = limit
        self.withPayload = withPayload
        self.withVector = withVector
    }
}

/// A page of points and where the next one begins.
public struct ScrollPage: Sendable {
    /// The points.
    public var points: [Record]
    /// The first id of the next page; `nil` at the end.
    public var next: PointID?

    /// A page.
    public init(points: [Record], next: PointID?) {
        self.points = points
        self.next = next
    }
}

/// A stored point, with the parts that were asked for.
public struct Record: Sendable, Hashable {
    /// Its id.
    public var id: PointID
    /// Its payload, if asked for.
    public var payload: Payload?
    /// Its vectors, if asked for.
    public var vectors: NamedVectors?
    /// The value it was ordered by, in a page by `orderBy`.
    public var orderValue: OrderValue?

    /// A record.
    public init(
        id: PointID, payload: Payload? = nil, vectors: NamedVectors? = nil, orderValue: OrderValue? = nil
    ) {
        self.orderValue = orderValue
        self.id = id
        self.payload = payload
        self.vectors = vectors
    }
}

/// A stored point found by a query.
public struct ScoredPoint: Sendable, Hashable {
    /// Its id.
    public var id: PointID
    /// The log sequence number of the operation that last wrote it.
    public var version: UInt64
    /// Its reported score: see ``Distance``.
    public var score: Float
    /// Its payload, if asked for.
    public var payload: Payload?
    /// Its vectors, if asked for.
    public var vectors: NamedVectors?
    /// The value it was ordered by, in a query by `orderBy`.
    public var orderValue: OrderValue?

    /// A scored point.
    public init(
        id: PointID, version: UInt64, score: Float, payload: Payload? = nil, vectors: NamedVectors? = nil,
        orderValue: OrderValue? = nil
    ) {
        self.orderValue = orderValue
        self.id = id
        self.version = version
        self.score = score
        self.payload = payload
        self.vectors = vectors
    }
}

/// Points a write is about.
public enum PointSelection: Hashable, Sendable {
    /// These points.
    case ids([PointID])
    /// All points that pass a filter when the write is made.
    case filter(Filter)
}

/// One write.
public enum UpdateOperation: Sendable {
    /// Replaces or creates whole points.
    case upsert([Point])
    /// Deletes points; absent ones are ignored.
    case delete(PointSelection)
    /// Merges keys into the payload, at `key` if given. A null removes its key. An unknown id is an error.
    case setPayload(JSONObject, PointSelection, key: PayloadPath?)
    /// Replaces the payload.
    case overwritePayload(Payload, PointSelection)
    /// Removes the values at these paths.
    case deletePayload([PayloadPath], PointSelection)
    /// Removes the whole payload.
    case clearPayload(PointSelection)
    /// Replaces some vectors of existing points. An unknown id is an error.
    case updateVectors([(id: PointID, vectors: NamedVectors)])
    /// Removes vectors of these names.
    case deleteVectors([String], PointSelection)
}

/// What became of a write.
public struct UpdateResult: Sendable, Hashable {
    /// How far a write has come when it is answered.
    public enum Status: String, Sendable {
        /// It is in the log.
        case acknowledged
        /// It is on disk and visible.
        case completed
        /// It is in the log; the time to wait for the rest was over.
        case waitTimeout = "wait_timeout"
    }

    /// The log sequence number of the operation.
    public var operationID: UInt64
    /// How far it has come.
    public var status: Status

    /// A result.
    public init(operationID: UInt64, status: Status) {
        self.operationID = operationID
        self.status = status
    }
}

/// One step of a change of aliases; a list of them is one atomic change.
public enum AliasAction: Sendable, Hashable {
    /// Names a collection once more (moving the alias if it exists).
    case create(alias: String, collection: String)
    /// Drops an alias.
    case delete(alias: String)
    /// Gives an alias another name.
    case rename(from: String, to: String)
}

/// An alias and the collection it names.
public struct AliasDescription: Sendable, Hashable {
    /// The alias.
    public var alias: String
    /// The collection.
    public var collection: String

    /// A description.
    public init(alias: String, collection: String) {
        self.alias = alias
        self.collection = collection
    }
}
