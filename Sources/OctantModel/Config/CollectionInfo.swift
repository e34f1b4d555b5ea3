/// What a collection is doing, as a client sees it.
public struct CollectionInfo: Sendable {
    /// The lights of `status`.
    public enum Status: String, Sendable {
        /// All is optimal.
        case green
        /// Background work is running.
        case yellow
        /// Background work is due and has not begun.
        case grey
        /// Background work failed, or the log did.
        case red
    }

    /// The light.
    public var status: Status
    /// Why background work failed; `nil` if it did not.
    public var optimizerError: String?
    /// Things the user should know.
    public var warnings: [String]
    /// Vectors that a graph (or, for small segments, nothing) covers.
    public var indexedVectorsCount: Int
    /// Points.
    public var pointsCount: Int
    /// Segments, the memtable included.
    public var segmentsCount: Int
    /// The configuration.
    public var config: CollectionConfig
    /// Field indexes by key, and how many points have an indexed value.
    public var payloadSchema: [(key: String, schema: FieldIndexSchema, points: Int)]
    /// Writes that are logged and not yet applied.
    public var updateQueueLength: Int
    /// Points that reads do not see until they are indexed; `nil`: the collection does not hold points back.
    public var deferredPoints: Int?

    /// A report.
    public init(
        status: Status, optimizerError: String?, warnings: [String], indexedVectorsCount: Int, pointsCount: Int,
        segmentsCount: Int, config: CollectionConfig,
        payloadSchema: [(key: String, schema: FieldIndexSchema, points: Int)],
        updateQueueLength: Int, deferredPoints: Int? = nil
    ) {
        self.status = status
        self.optimizerError = optimizerError
        self.warnings = warnings
        self.indexedVectorsCount = indexedVectorsCount
        self.pointsCount = pointsCount
        self.segmentsCount = segmentsCount
        self.config = config
        self.payloadSchema = payloadSchema
        self.updateQueueLength = updateQueueLength
        self.deferredPoints = deferredPoints
    }
}
