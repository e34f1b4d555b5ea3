import OctantModel
package import OctantService

/// Answers requests: decodes the body, runs the operation, encodes the result. Knows no sockets.
package final class RESTHandler: Sendable {
    let service: Service

    /// A handler over a service.
    package init(service: Service) { self.service = service }

    /// Answers a request; `respond` is called once, from any thread. Does not block.
    package func handle(_ request: RESTRequest, respond: @escaping @Sendable (RESTResponse) -> Void) {
        let telemetry = service.telemetry
        let counted: @Sendable (RESTResponse) -> Void = { response in
            telemetry.record(
                request.operation, status: response.status, seconds: request.start.elapsedSeconds,
                collection: request.parameters.first { $0.name == "collection" }?.value)
            respond(response)
        }
        switch request.operation.place {
        case .here: counted(answer(request))
        case .read: service.database.submitRead { counted(self.answer(request)) }
        case .write: service.database.submitWrite { self.write(request, respond: counted) }
        case .long: service.database.submitRead { self.runSnapshots(request, respond: counted) }
        }
    }

    // MARK: Writes

    private func write(_ request: RESTRequest, respond: @escaping @Sendable (RESTResponse) -> Void) {
        let start = request.start
        do throws(OctantError) {
            if request.operation == .batchUpdate {
                let (collection, options) = (try request.collection(), try request.writeOptions())
                return service.updateBatch(collection, try PointsJSON.batch(request.body), options) { result in
                    respond(
                        Self.response(result, start) { writer, results in
                            writer.beginArray()
                            for result in results { writer.value(result) }
                            writer.endArray()
                        })
                }
            }
            guard let decode = Self.decoder(of: request.operation) else { return respond(answer(request)) }
            let (collection, options) = (try request.collection(), try request.writeOptions())
            service.update(collection, try decode(request.body), options) { result in
                respond(Self.response(result, start) { $0.value($1) })
            }
        } catch {
            respond(.error(error, seconds: start.elapsedSeconds))
        }
    }

    private static func response<Value>(
        _ result: Result<Value, OctantError>, _ start: ContinuousClock.Instant,
        _ write: (inout JSONWriter, Value) -> Void
    ) -> RESTResponse {
        switch result {
        case .success(let value): .result(since: start) { write(&$0, value) }
        case .failure(let error): .error(error, seconds: start.elapsedSeconds)
        }
    }

    /// What reads the body of a write of points.
    private static func decoder(
        of operation: Operation
    ) -> (([UInt8]) throws(OctantError) -> UpdateRequest)? {
        let name: String
        switch operation {
        case .upsertPoints: return PointsJSON.upsert
        case .updateVectors: return PointsJSON.updateVectors
        case .deletePoints: name = "delete"
        case .deleteVectors: name = "delete_vectors"
        case .setPayload: name = "set_payload"
        case .overwritePayload: name = "overwrite_payload"
        case .deletePayload: name = "delete_payload"
        case .clearPayload: name = "clear_payload"
        default: return nil
        }
        return { (body) throws(OctantError) in try PointsJSON.operation(name, body) }
    }

    // MARK: All else

    private func answer(_ request: RESTRequest) -> RESTResponse {
        do throws(OctantError) {
            return try run(request)
        } catch {
            return .error(error, seconds: request.start.elapsedSeconds)
        }
    }

    private func run(_ request: RESTRequest) throws(OctantError) -> RESTResponse {
        switch request.operation {
        case .root: return Self.root
        case .healthz: return .text("healthz check passed")
        case .livez: return .text("healthz check passed")
        case .readyz: return .text("all shards are ready")
        case .clusterStatus: return .result(since: request.start) { $0.value(["status": .string("disabled")]) }
        case .tune, .tuning, .endTuning, .telemetry, .metrics, .optimizations, .collectionMemory, .issues,
            .clearIssues, .quotas, .updateQuotas, .shardKeys:
            return try runReports(request)
        case .openAPI: return RESTResponse(status: 200, body: Array(OpenAPIDocument.text.utf8))
        case .clusterOnly: throw Service.standalone
        case .later:
            let what = request.parameter("operation").prefix(200)
            throw OctantError(.notImplemented, "\(what) is not supported yet")
        case .listCollections, .getCollection, .createCollection, .patchCollection, .deleteCollection,
            .collectionExists, .collectionCluster, .updateAliases, .listAliases, .collectionAliases,
            .createFieldIndex, .deleteFieldIndex, .addVector, .removeVector:
            return try runCollections(request)
        case .getPoint, .retrievePoints, .scroll, .count:
            return try runReads(request)
        case .query, .queryBatch, .search, .searchBatch, .queryGroups, .searchGroups, .recommend, .recommendBatch,
            .recommendGroups, .discover, .discoverBatch, .facet, .matrixPairs, .matrixOffsets:
            return try runQueries(request)
        case .upsertPoints, .deletePoints, .updateVectors, .deleteVectors, .setPayload, .overwritePayload,
            .deletePayload, .clearPayload, .batchUpdate:
            throw OctantError(.service, "a write was not run as one")
        case .listSnapshots, .createSnapshot, .downloadSnapshot, .deleteSnapshot, .uploadSnapshot, .recoverSnapshot,
            .listFullSnapshots, .createFullSnapshot, .downloadFullSnapshot, .deleteFullSnapshot,
            .listShardSnapshots, .createShardSnapshot, .downloadShardSnapshot, .deleteShardSnapshot,
            .uploadShardSnapshot, .recoverShardSnapshot, .streamShardSnapshot, .partialSnapshotManifest,
            .createPartialSnapshot, .uploadPartialSnapshot, .recoverPartialSnapshot:
            throw OctantError(.service, "an operation on snapshots was not run as one")
        }
    }

    /// The one answer without an envelope: clients read the version from it.
    private static let root: RESTResponse = {
        var writer = JSONWriter()
        writer.value(["title": .string(Service.title), "version": .string(Service.version)] as JSONObject)
        return RESTResponse(status: 200, body: writer.bytes)
    }()

    private func runCollections(_ request: RESTRequest) throws(OctantError) -> RESTResponse {
        let start = request.start
        switch request.operation {
        case .listCollections:
            let names = service.database.collectionNames
            return .result(since: start) {
                $0.value(["collections": .array(names.map { .object(["name": .string($0)]) })])
            }
        case .getCollection:
            let info = try service.collectionInfo(try request.collection())
            return .result(since: start) { $0.value(info) }
        case .createCollection:
            try request.checkTimeout()
            let name = request.parameter("collection")
            try service.createCollection(name, try CreateCollection(json: try JSONParser.parse(request.body)))
            return .result(since: start) { $0.value(true) }
        case .patchCollection:
            try request.checkTimeout()
            let patch = try CollectionPatch(json: try JSONParser.parse(request.body))
            try service.patchCollection(try request.collection(), patch)
            return .result(since: start) { $0.value(true) }
        case .deleteCollection:
            try request.checkTimeout()
            let existed = try service.deleteCollection(try request.collection())
            return .result(since: start) { $0.value(existed) }
        case .collectionExists:
            let exists = service.collectionExists(try request.collection())
            return .result(since: start) { $0.value(["exists": .bool(exists)]) }
        case .collectionCluster:
            let info = try service.collectionInfo(try request.collection())
            return .result(since: start) { Self.cluster(info, &$0) }
        case .updateAliases:
            try request.checkTimeout()
            try service.updateAliases(try SchemaJSON.aliases(request.body))
            return .result(since: start) { $0.value(true) }
        case .createFieldIndex:
            _ = try request.writeOptions()
            let (key, schema) = try SchemaJSON.fieldIndex(request.body)
            let result = try service.createFieldIndex(try request.collection(), key, schema)
            return .result(since: start) { $0.value(result) }
        case .deleteFieldIndex:
            _ = try request.writeOptions()
            let key = try PayloadPath(request.parameter("field"))
            let result = try service.deleteFieldIndex(try request.collection(), key)
            return .result(since: start) { $0.value(result) }
        case .addVector:
            _ = try request.writeOptions()
            let name = request.parameter("name")
            let definition = try VectorDefinition(name: name, json: try JSONParser.parse(request.body))
            let result = try service.addVector(try request.collection(), name, definition)
            return .result(since: start) { $0.value(result) }
        case .removeVector:
            _ = try request.writeOptions()
            let result = try service.removeVector(try request.collection(), request.parameter("name"))
            return .result(since: start) { $0.value(result) }
        default:
            let collection = request.operation == .listAliases ? nil : try request.collection()
            let aliases = try service.aliases(of: collection)
            return .result(since: start) {
                $0.value([
                    "aliases": .array(
                        aliases.map {
                            .object(["alias_name": .string($0.alias), "collection_name": .string($0.collection)])
                        })
                ])
            }
        }
    }

    /// One local shard, as a server outside a cluster has it.
    private static func cluster(_ info: CollectionInfo, _ writer: inout JSONWriter) {
        writer.value([
            "peer_id": .integer(0), "shard_count": .integer(1),
            "local_shards": .array([
                .object([
                    "shard_id": .integer(0), "points_count": .integer(Int64(info.pointsCount)),
                    "state": .string("Active"),
                ])
            ]), "remote_shards": .array([]), "shard_transfers": .array([]),
        ])
    }

    private func runReads(_ request: RESTRequest) throws(OctantError) -> RESTResponse {
        let start = request.start
        let collection = try request.collection()
        try request.checkRead()
        switch request.operation {
        case .getPoint:
            let record = try service.point(collection, try PointID(pathSegment: request.parameter("id")))
            return .result(since: start) { $0.value(record) }
        case .retrievePoints:
            let (ids, payload, vector) = try ReadsJSON.retrieve(request.body)
            let records = try service.retrieve(collection, ids, payload: payload, vector: vector)
            return .result(since: start) { $0.value(records) }
        case .scroll:
            let page = try service.scroll(collection, try ReadsJSON.scroll(request.body))
            return .result(since: start) { writer in
                writer.beginObject()
                writer.key("points")
                writer.value(page.points)
                writer.key("next_page_offset")
                if let next = page.next { writer.value(next) } else { writer.null() }
                writer.endObject()
            }
        default:
            let (filter, exact) = try ReadsJSON.count(request.body)
            let count = try service.count(collection, filter, exact: exact)
            return .result(since: start) { $0.value(["count": .integer(Int64(count))]) }
        }
    }
}
