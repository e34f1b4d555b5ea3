#if Server
import OctantModel
import OctantProtocol

extension Point {
    fileprivate init(
        _ message: Qdrant_PointStruct, _ path: String, _ builder: inout PayloadBuilder
    ) throws(OctantError) {
        guard message.hasID else { throw .missing("id", in: path) }
        self.init(
            id: try PointID(message.id, "\(path).id"),
            vectors: message.hasVectors ? try NamedVectors(message.vectors, "\(path).vector") : NamedVectors(),
            payload: try Payload(message.payload, &builder))
    }

    /// Reads a list of points.
    static func list(_ messages: [Qdrant_PointStruct]) throws(OctantError) -> [Point] {
        var points: [Point] = []
        points.reserveCapacity(messages.count)
        var builder = PayloadBuilder()
        for message in messages { points.append(try Point(message, "points[\(points.count)]", &builder)) }
        return points
    }
}

extension UpdateRequest {
    /// Reads `Upsert`.
    init(_ message: Qdrant_UpsertPoints) throws(OctantError) {
        self.init(
            upsert: try Point.list(message.points),
            when: try UpdateCondition(
                filter: message.hasUpdateFilter ? message.updateFilter : nil, mode: message.updateMode))
    }

    /// Reads `UpdateVectors`.
    init(_ message: Qdrant_UpdatePointVectors) throws(OctantError) {
        try self.init(message.points, message.hasUpdateFilter ? message.updateFilter : nil)
    }

    private init(_ messages: [Qdrant_PointVectors], _ filter: Qdrant_Filter?) throws(OctantError) {
        var changes: [(id: PointID, vectors: NamedVectors)] = []
        changes.reserveCapacity(messages.count)
        for message in messages {
            let path = "points[\(changes.count)]"
            guard message.hasID else { throw .missing("id", in: path) }
            let vectors = message.hasVectors ? try NamedVectors(message.vectors, "\(path).vector") : NamedVectors()
            changes.append((try PointID(message.id, "\(path).id"), vectors))
        }
        try self.init(updateVectors: changes, when: try UpdateCondition(filter: filter))
    }

    /// Reads `Delete`.
    init(_ message: Qdrant_DeletePoints) throws(OctantError) {
        self.init(.delete(try PointSelection(message.points)))
    }

    /// Reads `DeleteVectors`.
    init(_ message: Qdrant_DeletePointVectors) throws(OctantError) {
        self.init(
            try .deleteVectors(checked: message.vectors.names, try PointSelection(message.pointsSelector)))
    }

    /// Reads `SetPayload`.
    init(set message: Qdrant_SetPayloadPoints) throws(OctantError) {
        self.init(
            .setPayload(
                try Payload(message.payload).object, try PointSelection(message.pointsSelector),
                key: message.hasKey ? try PayloadPath(message.key) : nil))
    }

    /// Reads `OverwritePayload`.
    init(overwrite message: Qdrant_SetPayloadPoints) throws(OctantError) {
        self.init(.overwritePayload(try Payload(message.payload), try PointSelection(message.pointsSelector)))
    }

    /// Reads `DeletePayload`.
    init(_ message: Qdrant_DeletePayloadPoints) throws(OctantError) {
        self.init(.deletePayload(try Self.paths(message.keys), try PointSelection(message.pointsSelector)))
    }

    /// Reads `ClearPayload`.
    init(_ message: Qdrant_ClearPayloadPoints) throws(OctantError) {
        self.init(.clearPayload(try PointSelection(message.points)))
    }

    private static func paths(_ keys: [String]) throws(OctantError) -> [PayloadPath] {
        var paths: [PayloadPath] = []
        for key in keys { paths.append(try PayloadPath(key)) }
        return paths
    }

    /// Reads the writes of `UpdateBatch`.
    static func list(_ messages: [Qdrant_PointsUpdateOperation]) throws(OctantError) -> [UpdateRequest] {
        var requests: [UpdateRequest] = []
        requests.reserveCapacity(messages.count)
        for message in messages { requests.append(try UpdateRequest(message)) }
        return requests
    }

    private init(_ message: Qdrant_PointsUpdateOperation) throws(OctantError) {
        switch message.operation {
        case .upsert(let inner):
            try inner.refuseShardKey()
            self.init(
                upsert: try Point.list(inner.points),
                when: try UpdateCondition(
                    filter: inner.hasUpdateFilter ? inner.updateFilter : nil, mode: inner.updateMode))
        case .updateVectors(let inner):
            try inner.refuseShardKey()
            try self.init(inner.points, inner.hasUpdateFilter ? inner.updateFilter : nil)
        case .setPayload(let inner):
            try inner.refuseShardKey()
            self.init(
                .setPayload(
                    try Payload(inner.payload).object, try PointSelection(inner.pointsSelector),
                    key: inner.hasKey ? try PayloadPath(inner.key) : nil))
        case .overwritePayload(let inner):
            try inner.refuseShardKey()
            self.init(.overwritePayload(try Payload(inner.payload), try PointSelection(inner.pointsSelector)))
        case .deletePayload(let inner):
            try inner.refuseShardKey()
            self.init(.deletePayload(try Self.paths(inner.keys), try PointSelection(inner.pointsSelector)))
        case .deleteVectors(let inner):
            try inner.refuseShardKey()
            self.init(try .deleteVectors(checked: inner.vectors.names, try PointSelection(inner.pointsSelector)))
        case .deletePoints(let inner):
            try inner.refuseShardKey()
            self.init(.delete(try PointSelection(inner.points)))
        case .clearPayload_p(let inner):
            try inner.refuseShardKey()
            self.init(.clearPayload(try PointSelection(inner.points)))
        case .deleteDeprecated(let points): self.init(.delete(try PointSelection(points)))
        case .clearPayloadDeprecated_p(let points): self.init(.clearPayload(try PointSelection(points)))
        case nil: throw .json("data did not match any variant of update operation")
        }
    }
}
#endif
