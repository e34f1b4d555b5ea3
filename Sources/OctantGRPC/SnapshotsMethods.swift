#if Server
import OctantModel
import OctantProtocol
import OctantService
import SwiftProtobuf

/// The methods of `qdrant.Snapshots`: what REST has of making, listing and removing. The answer comes when it is done.
enum SnapshotsMethods {
    static let service = "qdrant.Snapshots"

    /// All of them.
    static let all: [GRPCMethod] = ofCollections + ofStorage

    private static let ofCollections: [GRPCMethod] = [
        .sync(service, "Create", .createSnapshot, collection: { $0.collectionName }) {
            (service, message: Qdrant_CreateSnapshotRequest, call) throws(OctantError) in
            try created(service, try collection(message.collectionName), call)
        },
        .sync(service, "List", .listSnapshots, collection: { $0.collectionName }) {
            (service, message: Qdrant_ListSnapshotsRequest, call) throws(OctantError) in
            try listed(service, try collection(message.collectionName), call)
        },
        .sync(service, "Delete", .deleteSnapshot, collection: { $0.collectionName }) {
            (service, message: Qdrant_DeleteSnapshotRequest, call) throws(OctantError) in
            try deleted(service, try collection(message.collectionName), message.snapshotName, call)
        },
    ]

    private static let ofStorage: [GRPCMethod] = [
        .sync(service, "CreateFull", .createFullSnapshot) {
            (service, _: Qdrant_CreateFullSnapshotRequest, call) throws(OctantError) in
            try created(service, .storage, call)
        },
        .sync(service, "ListFull", .listFullSnapshots) {
            (service, _: Qdrant_ListFullSnapshotsRequest, call) throws(OctantError) in
            try listed(service, .storage, call)
        },
        .sync(service, "DeleteFull", .deleteFullSnapshot) {
            (service, message: Qdrant_DeleteFullSnapshotRequest, call) throws(OctantError) in
            try deleted(service, .storage, message.snapshotName, call)
        },
    ]

    private static func collection(_ name: String) throws(OctantError) -> SnapshotScope {
        try Names.checkExisting(name)
        return .collection(name)
    }

    private static func created(
        _ service: Service, _ scope: SnapshotScope, _ call: GRPCCall
    ) throws(OctantError) -> Qdrant_CreateSnapshotResponse {
        var response = Qdrant_CreateSnapshotResponse()
        response.snapshotDescription = Qdrant_SnapshotDescription(try service.createSnapshot(scope))
        response.time = call.seconds
        return response
    }

    private static func listed(
        _ service: Service, _ scope: SnapshotScope, _ call: GRPCCall
    ) throws(OctantError) -> Qdrant_ListSnapshotsResponse {
        var response = Qdrant_ListSnapshotsResponse()
        response.snapshotDescriptions = try service.listSnapshots(scope).map { Qdrant_SnapshotDescription($0) }
        response.time = call.seconds
        return response
    }

    private static func deleted(
        _ service: Service, _ scope: SnapshotScope, _ name: String, _ call: GRPCCall
    ) throws(OctantError) -> Qdrant_DeleteSnapshotResponse {
        try service.deleteSnapshot(scope, name: name)
        var response = Qdrant_DeleteSnapshotResponse()
        response.time = call.seconds
        return response
    }
}

extension Qdrant_SnapshotDescription {
    init(_ description: SnapshotDescription) {
        self.init()
        name = description.name
        size = Int64(description.size)
        if let checksum = description.checksum { self.checksum = checksum }
        if let text = description.creationTime, let time = DateTime.microseconds(text) {
            creationTime.seconds = time / 1_000_000
        }
    }
}
#endif
