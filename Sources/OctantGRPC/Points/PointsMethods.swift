#if Server
import OctantModel
import OctantProtocol
import OctantService
import SwiftProtobuf

/// The methods of `qdrant.Points`.
enum PointsMethods {
    static let service = "qdrant.Points"

    /// All of them.
    static let all: [GRPCMethod] = writes + schemas + reads + queries + older

    // MARK: Writes

    private static let writes: [GRPCMethod] = [
        write("Upsert", .upsertPoints) { (message: Qdrant_UpsertPoints) throws(OctantError) in
            try UpdateRequest(message)
        },
        write("Delete", .deletePoints) { (message: Qdrant_DeletePoints) throws(OctantError) in
            try UpdateRequest(message)
        },
        write("UpdateVectors", .updateVectors) { (message: Qdrant_UpdatePointVectors) throws(OctantError) in
            try UpdateRequest(message)
        },
        write("DeleteVectors", .deleteVectors) { (message: Qdrant_DeletePointVectors) throws(OctantError) in
            try UpdateRequest(message)
        },
        write("SetPayload", .setPayload) { (message: Qdrant_SetPayloadPoints) throws(OctantError) in
            try UpdateRequest(set: message)
        },
        write("OverwritePayload", .overwritePayload) { (message: Qdrant_SetPayloadPoints) throws(OctantError) in
            try UpdateRequest(overwrite: message)
        },
        write("DeletePayload", .deletePayload) { (message: Qdrant_DeletePayloadPoints) throws(OctantError) in
            try UpdateRequest(message)
        },
        write("ClearPayload", .clearPayload) { (message: Qdrant_ClearPayloadPoints) throws(OctantError) in
            try UpdateRequest(message)
        },
        .async(service, "UpdateBatch", .batchUpdate, collection: { $0.collectionName }, updateBatch),
    ]

    private static func write<Request: WriteMessage & ShardedMessage>(
        _ name: String, _ operation: OctantService.Operation,
        _ convert: @escaping @Sendable (Request) throws(OctantError) -> UpdateRequest
    ) -> GRPCMethod {
        .async(service, name, operation, collection: { $0.collectionName }) {
            (service, message: Request, call, completion: @escaping Answer<Qdrant_PointsOperationResponse>) in
            // The answer must not keep the bytes of the request alive.
            let start = call.start
            do throws(OctantError) {
                let (collection, options) = (try message.collection(), try message.options(start))
                try message.refuseShardKey()
                service.update(collection, try convert(message), options) { result in
                    completion(result.map { response($0, start) })
                }
            } catch {
                completion(.failure(error))
            }
        }
    }

    private typealias Answer<Response> = @Sendable (Result<Response, OctantError>) -> Void

    private static func response(
        _ result: UpdateResult, _ start: ContinuousClock.Instant
    ) -> Qdrant_PointsOperationResponse {
        var response = Qdrant_PointsOperationResponse()
        response.result = Qdrant_UpdateResult(result)
        response.time = start.elapsedSeconds
        return response
    }

    @Sendable private static func updateBatch(
        _ service: Service, _ message: Qdrant_UpdateBatchPoints, _ call: GRPCCall,
        _ completion: @escaping @Sendable (Result<Qdrant_UpdateBatchResponse, OctantError>) -> Void
    ) {
        let start = call.start
        do throws(OctantError) {
            let (collection, options) = (try message.collection(), try message.options(start))
            service.updateBatch(collection, try UpdateRequest.list(message.operations), options) { result in
                completion(
                    result.map { results in
                        var response = Qdrant_UpdateBatchResponse()
                        response.result = results.map { Qdrant_UpdateResult($0) }
                        response.time = start.elapsedSeconds
                        return response
                    })
            }
        } catch {
            completion(.failure(error))
        }
    }

    // MARK: Field indexes and vectors

    private static let schemas: [GRPCMethod] = [
        schema("CreateFieldIndex", .createFieldIndex) {
            (service, collection, message: Qdrant_CreateFieldIndexCollection) throws(OctantError) in
            let schema = try FieldIndexSchema(message)
            return try service.createFieldIndex(collection, try PayloadPath(message.fieldName), schema)
        },
        schema("DeleteFieldIndex", .deleteFieldIndex) {
            (service, collection, message: Qdrant_DeleteFieldIndexCollection) throws(OctantError) in
            try service.deleteFieldIndex(collection, try PayloadPath(message.fieldName))
        },
        schema("CreateVectorName", .addVector) {
            (service, collection, message: Qdrant_CreateVectorNameRequest) throws(OctantError) in
            try service.addVector(collection, message.vectorName, try VectorDefinition(message))
        },
        schema("DeleteVectorName", .removeVector) {
            (service, collection, message: Qdrant_DeleteVectorNameRequest) throws(OctantError) in
            try service.removeVector(collection, message.vectorName)
        },
    ]

    private static func schema<Request: WriteMessage>(
        _ name: String, _ operation: OctantService.Operation,
        _ body: @escaping @Sendable (Service, String, Request) throws(OctantError) -> UpdateResult
    ) -> GRPCMethod {
        .sync(service, name, operation, collection: { $0.collectionName }) {
            (service, message: Request, call) throws(OctantError) in
            _ = try message.options(call.start)
            return response(try body(service, try message.collection(), message), call.start)
        }
    }

    // MARK: Reads

    static func read<Request: ReadMessage, Response: TimedMessage>(
        _ name: String, _ operation: OctantService.Operation,
        _ body: @escaping @Sendable (Service, String, Request) throws(OctantError) -> Response
    ) -> GRPCMethod {
        .sync(service, name, operation, collection: { $0.collectionName }) {
            (service, message: Request, call) throws(OctantError) -> Response in
            let collection = try message.collection()
            try message.check()
            var response = try body(service, collection, message)
            response.time = call.seconds
            return response
        }
    }

    private static let reads: [GRPCMethod] = [
        read("Get", .retrievePoints) {
            (service, collection, message: Qdrant_GetPoints) throws(OctantError) in
            try message.refuseShardKey()
            let payload = message.hasWithPayload ? try PayloadSelector(message.withPayload) : .all
            let vectors = message.hasWithVectors ? try VectorSelector(message.withVectors) : .none
            let ids = try PointID.list(message.ids)
            var response = Qdrant_GetResponse()
            response.result = try service.retrieve(collection, ids, payload: payload, vector: vectors)
                .map { Qdrant_RetrievedPoint($0) }
            return response
        },
        read("Scroll", .scroll) {
            (service, collection, message: Qdrant_ScrollPoints) throws(OctantError) in
            let page = try service.scroll(collection, try ScrollRequest(message))
            var response = Qdrant_ScrollResponse()
            response.result = page.points.map { Qdrant_RetrievedPoint($0) }
            if let next = page.next { response.nextPageOffset = Qdrant_PointId(next) }
            return response
        },
        read("Count", .count) {
            (service, collection, message: Qdrant_CountPoints) throws(OctantError) in
            try message.refuseShardKey()
            let filter = message.hasFilter ? try Filter(message.filter) : nil
            let count = try service.count(collection, filter, exact: message.hasExact ? message.exact : true)
            var response = Qdrant_CountResponse()
            response.result.count = UInt64(clamping: count)
            return response
        },
        read("Facet", .facet) {
            (service, collection, message: Qdrant_FacetCounts) throws(OctantError) in
            var response = Qdrant_FacetResponse()
            response.hits = try service.facet(collection, try FacetRequest(message)).map { Qdrant_FacetHit($0) }
            return response
        },
        read("SearchMatrixPairs", .matrixPairs) {
            (service, collection, message: Qdrant_SearchMatrixPoints) throws(OctantError) in
            var response = Qdrant_SearchMatrixPairsResponse()
            response.result = Qdrant_SearchMatrixPairs(try service.matrix(collection, try MatrixRequest(message)))
            return response
        },
        read("SearchMatrixOffsets", .matrixOffsets) {
            (service, collection, message: Qdrant_SearchMatrixPoints) throws(OctantError) in
            var response = Qdrant_SearchMatrixOffsetsResponse()
            response.result = Qdrant_SearchMatrixOffsets(try service.matrix(collection, try MatrixRequest(message)))
            return response
        },
    ]
}
#endif
