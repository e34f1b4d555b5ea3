#if Server
import OctantModel
import OctantProtocol
import OctantService
import SwiftProtobuf

/// A message that may name a shard.
protocol ShardedMessage {
    var hasShardKeySelector: Bool { get }
}

extension ShardedMessage {
    /// There are no shards to name. `path` is where the message stands in the request, empty at the top.
    func refuseShardKey(_ path: String = "") throws(OctantError) {
        if hasShardKeySelector { throw .unsupported("`\(member("shard_key", of: path))` is") }
    }
}

/// A message about one collection, which may say how long to wait.
protocol CollectionMessage: SwiftProtobuf.Message {
    var collectionName: String { get }
    var hasTimeout: Bool { get }
    var timeout: UInt64 { get }
}

extension CollectionMessage {
    /// The collection's name; throws if no collection can have it.
    func collection() throws(OctantError) -> String {
        try Names.checkExisting(collectionName)
        return collectionName
    }

    /// Checks a time to wait that has no effect.
    func checkTimeout() throws(OctantError) { _ = try seconds() }

    /// Seconds to wait, if that is said.
    fileprivate func seconds() throws(OctantError) -> Int? {
        hasTimeout ? try CountBounds.timeout.check(Int(clamping: timeout), "timeout") : nil
    }
}

/// A message that writes.
protocol WriteMessage: CollectionMessage {
    var wait: Bool { get }
    var hasOrdering: Bool { get }
    var ordering: Qdrant_WriteOrdering { get }
}

extension WriteMessage {
    /// How the write is to be answered.
    func options(_ start: ContinuousClock.Instant) throws(OctantError) -> WriteOptions {
        let seconds = try seconds()
        if hasOrdering, case .UNRECOGNIZED(let value) = ordering.type { throw .unknown(value, "ordering") }
        return WriteOptions(wait: wait, seconds: seconds, since: start)
    }
}

/// A message that reads.
protocol ReadMessage: CollectionMessage {
    var hasReadConsistency: Bool { get }
    var readConsistency: Qdrant_ReadConsistency { get }
}

extension ReadMessage {
    /// Checks what has no effect on one node.
    func check() throws(OctantError) {
        _ = try seconds()
        guard hasReadConsistency else { return }
        switch readConsistency.value {
        case .type(.UNRECOGNIZED(let value)): throw .unknown(value, "read_consistency")
        case .factor(let count): _ = try CountBounds.replicas.check(Int(clamping: count), "read_consistency.factor")
        case .type, nil: break
        }
    }
}

/// An answer that says how long it took.
protocol TimedMessage: SwiftProtobuf.Message, Sendable {
    var time: Double { get set }
}

extension Qdrant_UpsertPoints: WriteMessage, ShardedMessage {}
extension Qdrant_DeletePoints: WriteMessage, ShardedMessage {}
extension Qdrant_UpdatePointVectors: WriteMessage, ShardedMessage {}
extension Qdrant_DeletePointVectors: WriteMessage, ShardedMessage {}
extension Qdrant_SetPayloadPoints: WriteMessage, ShardedMessage {}
extension Qdrant_DeletePayloadPoints: WriteMessage, ShardedMessage {}
extension Qdrant_ClearPayloadPoints: WriteMessage, ShardedMessage {}
extension Qdrant_UpdateBatchPoints: WriteMessage {}
extension Qdrant_CreateFieldIndexCollection: WriteMessage {}
extension Qdrant_DeleteFieldIndexCollection: WriteMessage {}
extension Qdrant_CreateVectorNameRequest: WriteMessage {}
extension Qdrant_DeleteVectorNameRequest: WriteMessage {}

extension Qdrant_PointsUpdateOperation.PointStructList: ShardedMessage {}
extension Qdrant_PointsUpdateOperation.SetPayload: ShardedMessage {}
extension Qdrant_PointsUpdateOperation.OverwritePayload: ShardedMessage {}
extension Qdrant_PointsUpdateOperation.DeletePayload: ShardedMessage {}
extension Qdrant_PointsUpdateOperation.UpdateVectors: ShardedMessage {}
extension Qdrant_PointsUpdateOperation.DeleteVectors: ShardedMessage {}
extension Qdrant_PointsUpdateOperation.DeletePoints: ShardedMessage {}
extension Qdrant_PointsUpdateOperation.ClearPayload: ShardedMessage {}

extension Qdrant_GetPoints: ReadMessage, ShardedMessage {}
extension Qdrant_ScrollPoints: ReadMessage, ShardedMessage {}
extension Qdrant_CountPoints: ReadMessage, ShardedMessage {}
extension Qdrant_QueryPoints: ReadMessage {}
extension Qdrant_QueryBatchPoints: ReadMessage {}
extension Qdrant_QueryPointGroups: ReadMessage {}
extension Qdrant_SearchPoints: ReadMessage {}
extension Qdrant_SearchBatchPoints: ReadMessage {}
extension Qdrant_SearchPointGroups: ReadMessage {}
extension Qdrant_RecommendPoints: ReadMessage {}
extension Qdrant_RecommendBatchPoints: ReadMessage {}
extension Qdrant_RecommendPointGroups: ReadMessage {}
extension Qdrant_DiscoverPoints: ReadMessage {}
extension Qdrant_DiscoverBatchPoints: ReadMessage {}
extension Qdrant_FacetCounts: ReadMessage, ShardedMessage {}
extension Qdrant_SearchMatrixPoints: ReadMessage, ShardedMessage {}

/// A timed answer of one part.
protocol ResultMessage: TimedMessage {
    associatedtype Result
    var result: Result { get set }
}

extension Qdrant_PointsOperationResponse: TimedMessage {}
extension Qdrant_UpdateBatchResponse: TimedMessage {}
extension Qdrant_GetResponse: TimedMessage {}
extension Qdrant_ScrollResponse: TimedMessage {}
extension Qdrant_CountResponse: TimedMessage {}
extension Qdrant_QueryResponse: ResultMessage {}
extension Qdrant_QueryBatchResponse: ResultMessage {}
extension Qdrant_QueryGroupsResponse: ResultMessage {}
extension Qdrant_SearchResponse: ResultMessage {}
extension Qdrant_SearchBatchResponse: ResultMessage {}
extension Qdrant_SearchGroupsResponse: ResultMessage {}
extension Qdrant_RecommendResponse: ResultMessage {}
extension Qdrant_RecommendBatchResponse: ResultMessage {}
extension Qdrant_RecommendGroupsResponse: ResultMessage {}
extension Qdrant_DiscoverResponse: ResultMessage {}
extension Qdrant_DiscoverBatchResponse: ResultMessage {}
extension Qdrant_FacetResponse: TimedMessage {}
extension Qdrant_SearchMatrixPairsResponse: TimedMessage {}
extension Qdrant_SearchMatrixOffsetsResponse: TimedMessage {}
#endif
