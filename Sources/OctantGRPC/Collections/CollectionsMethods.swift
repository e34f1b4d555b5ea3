#if Server
import OctantModel
import OctantProtocol
import OctantService
import SwiftProtobuf

/// The methods of `qdrant.Collections`.
enum CollectionsMethods {
    static let service = "qdrant.Collections"

    /// All of them.
    static let all: [GRPCMethod] = changes + reports + aliases + shards

    private static let changes: [GRPCMethod] = [
        change("Create", .createCollection) {
            (service, message: Qdrant_CreateCollection) throws(OctantError) in
            try service.createCollection(message.collectionName, try CreateCollection(message))
            return true
        },
        change("Update", .patchCollection) {
            (service, message: Qdrant_UpdateCollection) throws(OctantError) in
            try service.patchCollection(try message.collection(), try CollectionPatch(message))
            return true
        },
        change("Delete", .deleteCollection) {
            (service, message: Qdrant_DeleteCollection) throws(OctantError) in
            try service.deleteCollection(try message.collection())
        },
    ]

    private static func change<Request: CollectionMessage>(
        _ name: String, _ operation: OctantService.Operation,
        _ body: @escaping @Sendable (Service, Request) throws(OctantError) -> Bool
    ) -> GRPCMethod {
        .sync(service, name, operation, collection: { $0.collectionName }) {
            (service, message: Request, call) throws(OctantError) in
            try message.checkTimeout()
            var response = Qdrant_CollectionOperationResponse()
            response.result = try body(service, message)
            response.time = call.seconds
            return response
        }
    }

    private static let reports: [GRPCMethod] = [
        .sync(service, "Get", .getCollection, collection: { $0.collectionName }) {
            (service, message: Qdrant_GetCollectionInfoRequest, call) throws(OctantError) in
            try Names.checkExisting(message.collectionName)
            var response = Qdrant_GetCollectionInfoResponse()
            response.result = try Qdrant_CollectionInfo(try service.collectionInfo(message.collectionName))
            response.time = call.seconds
            return response
        },
        .sync(service, "List", .listCollections) { (service, _: Qdrant_ListCollectionsRequest, call) in
            var response = Qdrant_ListCollectionsResponse()
            response.collections = service.database.collectionNames.map { name in
                var collection = Qdrant_CollectionDescription()
                collection.name = name
                return collection
            }
            response.time = call.seconds
            return response
        },
        .sync(service, "CollectionExists", .collectionExists) {
            (service, message: Qdrant_CollectionExistsRequest, call) throws(OctantError) in
            try Names.checkExisting(message.collectionName)
            var response = Qdrant_CollectionExistsResponse()
            response.result.exists = service.collectionExists(message.collectionName)
            response.time = call.seconds
            return response
        },
        .sync(service, "CollectionClusterInfo", .collectionCluster, collection: { $0.collectionName }) {
            (service, message: Qdrant_CollectionClusterInfoRequest, call) throws(OctantError) in
            try Names.checkExisting(message.collectionName)
            var response = Qdrant_CollectionClusterInfoResponse(try service.collectionInfo(message.collectionName))
            response.time = call.seconds
            return response
        },
    ]

    private static let aliases: [GRPCMethod] = [
        .sync(service, "UpdateAliases", .updateAliases) {
            (service, message: Qdrant_ChangeAliases, call) throws(OctantError) in
            if message.hasTimeout { _ = try CountBounds.timeout.check(Int(clamping: message.timeout), "timeout") }
            var actions: [AliasAction] = []
            for action in message.actions { actions.append(try AliasAction(action)) }
            try service.updateAliases(actions)
            var response = Qdrant_CollectionOperationResponse()
            response.result = true
            response.time = call.seconds
            return response
        },
        .sync(service, "ListAliases", .listAliases) {
            (service, _: Qdrant_ListAliasesRequest, call) throws(OctantError) in
            var response = Qdrant_ListAliasesResponse(try service.aliases(of: nil))
            response.time = call.seconds
            return response
        },
        .sync(service, "ListCollectionAliases", .collectionAliases, collection: { $0.collectionName }) {
            (service, message: Qdrant_ListCollectionAliasesRequest, call) throws(OctantError) in
            try Names.checkExisting(message.collectionName)
            var response = Qdrant_ListAliasesResponse(try service.aliases(of: message.collectionName))
            response.time = call.seconds
            return response
        },
    ]

    /// What only a cluster can do is refused with the same words as over REST.
    private static let shards: [GRPCMethod] =
        ["UpdateCollectionClusterSetup", "CreateShardKey", "DeleteShardKey"].map { name in
            GRPCMethod(service: service, name: name, operation: .clusterOnly) { _, _, completion in
                completion(.failure(Service.standalone))
            }
        } + [
            .sync(service, "ListShardKeys", .shardKeys, collection: { $0.collectionName }) {
                (service, message: Qdrant_ListShardKeysRequest, call) throws(OctantError) in
                try Names.checkExisting(message.collectionName)
                _ = try service.database.collection(message.collectionName)
                var response = Qdrant_ListShardKeysResponse()
                response.time = call.seconds
                return response
            }
        ]
}

extension Qdrant_CreateCollection: CollectionMessage {}
extension Qdrant_UpdateCollection: CollectionMessage {}
extension Qdrant_DeleteCollection: CollectionMessage {}
#endif
