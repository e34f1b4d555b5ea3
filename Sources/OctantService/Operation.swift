/// What a caller must be allowed to do for an operation.
package enum AccessRight: Sendable, Hashable {
    /// Nothing: open to everyone.
    case open
    /// Read collections and points.
    case read
    /// Write points.
    case write
    /// Change collections and the server.
    case manage
}

/// The verbs of REST.
package enum Verb: String, Sendable, Hashable {
    case get = "GET"
    case put = "PUT"
    case post = "POST"
    case patch = "PATCH"
    case delete = "DELETE"
}

/// Every operation the server has. ``row`` says how it is reached and who may ask for it.
package enum Operation: String, Sendable, CaseIterable {
    case root, healthz, livez, readyz, telemetry, metrics, clusterStatus
    case listCollections, getCollection, createCollection, patchCollection, deleteCollection, collectionExists
    case collectionCluster
    case updateAliases, listAliases, collectionAliases
    case createFieldIndex, deleteFieldIndex, addVector, removeVector
    case getPoint, retrievePoints, upsertPoints, deletePoints, updateVectors, deleteVectors
    case setPayload, overwritePayload, deletePayload, clearPayload, batchUpdate
    case scroll, count, query, queryBatch, search, searchBatch
    case queryGroups, searchGroups, recommend, recommendBatch, recommendGroups, discover, discoverBatch
    case facet, matrixPairs, matrixOffsets
    case openAPI
    case tune, tuning, endTuning
    case optimizations, collectionMemory, issues, clearIssues, quotas, updateQuotas, shardKeys
    case listSnapshots, createSnapshot, downloadSnapshot, deleteSnapshot, uploadSnapshot, recoverSnapshot
    case listFullSnapshots, createFullSnapshot, downloadFullSnapshot, deleteFullSnapshot
    case listShardSnapshots, createShardSnapshot, downloadShardSnapshot, deleteShardSnapshot
    case uploadShardSnapshot, recoverShardSnapshot, streamShardSnapshot
    case partialSnapshotManifest, createPartialSnapshot, uploadPartialSnapshot, recoverPartialSnapshot
    /// What only a cluster can do: 405.
    case clusterOnly
    /// Operations of the protocol that this version answers with 501.
    case later

    /// One row of the operation table.
    package struct Row: Sendable {
        /// The verb.
        package var verb: Verb
        /// The path; parts in braces stand for any text.
        package var path: String
        /// What the caller must be allowed.
        package var access: AccessRight
        /// The path as telemetry and metrics show it.
        package var endpoint: String {
            path.split(separator: "/", omittingEmptySubsequences: false)
                .map { $0 == "{collection}" ? "{name}" : $0 }.joined(separator: "/")
        }
        /// Its name in telemetry.
        package var label: String { "\(verb.rawValue) \(endpoint)" }
    }

    /// The operation table.
    package var row: Row? {
        switch self {
        case .root: Row(verb: .get, path: "/", access: .open)
        case .healthz: Row(verb: .get, path: "/healthz", access: .open)
        case .livez: Row(verb: .get, path: "/livez", access: .open)
        case .readyz: Row(verb: .get, path: "/readyz", access: .open)
        case .telemetry: Row(verb: .get, path: "/telemetry", access: .read)
        case .metrics: Row(verb: .get, path: "/metrics", access: .read)
        case .clusterStatus: Row(verb: .get, path: "/cluster", access: .read)
        case .listCollections: Row(verb: .get, path: "/collections", access: .read)
        case .getCollection: Row(verb: .get, path: "/collections/{collection}", access: .read)
        case .createCollection: Row(verb: .put, path: "/collections/{collection}", access: .manage)
        case .patchCollection: Row(verb: .patch, path: "/collections/{collection}", access: .manage)
        case .deleteCollection: Row(verb: .delete, path: "/collections/{collection}", access: .manage)
        case .collectionExists: Row(verb: .get, path: "/collections/{collection}/exists", access: .read)
        case .collectionCluster: Row(verb: .get, path: "/collections/{collection}/cluster", access: .read)
        case .updateAliases: Row(verb: .post, path: "/collections/aliases", access: .manage)
        case .listAliases: Row(verb: .get, path: "/aliases", access: .read)
        case .collectionAliases: Row(verb: .get, path: "/collections/{collection}/aliases", access: .read)
        case .createFieldIndex: Row(verb: .put, path: "/collections/{collection}/index", access: .write)
        case .deleteFieldIndex: Row(verb: .delete, path: "/collections/{collection}/index/{field}", access: .write)
        case .addVector: Row(verb: .put, path: "/collections/{collection}/vectors/{name}", access: .manage)
        case .removeVector: Row(verb: .delete, path: "/collections/{collection}/vectors/{name}", access: .manage)
        case .getPoint: Row(verb: .get, path: "/collections/{collection}/points/{id}", access: .read)
        case .retrievePoints: Row(verb: .post, path: "/collections/{collection}/points", access: .read)
        case .upsertPoints: Row(verb: .put, path: "/collections/{collection}/points", access: .write)
        case .deletePoints: Row(verb: .post, path: "/collections/{collection}/points/delete", access: .write)
        case .updateVectors: Row(verb: .put, path: "/collections/{collection}/points/vectors", access: .write)
        case .deleteVectors: Row(verb: .post, path: "/collections/{collection}/points/vectors/delete", access: .write)
        case .setPayload: Row(verb: .post, path: "/collections/{collection}/points/payload", access: .write)
        case .overwritePayload: Row(verb: .put, path: "/collections/{collection}/points/payload", access: .write)
        case .deletePayload: Row(verb: .post, path: "/collections/{collection}/points/payload/delete", access: .write)
        case .clearPayload: Row(verb: .post, path: "/collections/{collection}/points/payload/clear", access: .write)
        case .batchUpdate: Row(verb: .post, path: "/collections/{collection}/points/batch", access: .write)
        case .scroll: Row(verb: .post, path: "/collections/{collection}/points/scroll", access: .read)
        case .count: Row(verb: .post, path: "/collections/{collection}/points/count", access: .read)
        case .query: Row(verb: .post, path: "/collections/{collection}/points/query", access: .read)
        case .queryBatch: Row(verb: .post, path: "/collections/{collection}/points/query/batch", access: .read)
        case .search: Row(verb: .post, path: "/collections/{collection}/points/search", access: .read)
        case .searchBatch: Row(verb: .post, path: "/collections/{collection}/points/search/batch", access: .read)
        case .queryGroups: Row(verb: .post, path: "/collections/{collection}/points/query/groups", access: .read)
        case .searchGroups: Row(verb: .post, path: "/collections/{collection}/points/search/groups", access: .read)
        case .recommend: Row(verb: .post, path: "/collections/{collection}/points/recommend", access: .read)
        case .recommendBatch:
            Row(verb: .post, path: "/collections/{collection}/points/recommend/batch", access: .read)
        case .recommendGroups:
            Row(verb: .post, path: "/collections/{collection}/points/recommend/groups", access: .read)
        case .discover: Row(verb: .post, path: "/collections/{collection}/points/discover", access: .read)
        case .discoverBatch: Row(verb: .post, path: "/collections/{collection}/points/discover/batch", access: .read)
        case .facet: Row(verb: .post, path: "/collections/{collection}/facet", access: .read)
        case .matrixPairs:
            Row(verb: .post, path: "/collections/{collection}/points/search/matrix/pairs", access: .read)
        case .matrixOffsets:
            Row(verb: .post, path: "/collections/{collection}/points/search/matrix/offsets", access: .read)
        case .openAPI: Row(verb: .get, path: "/openapi.json", access: .read)
        case .optimizations: Row(verb: .get, path: "/collections/{collection}/optimizations", access: .read)
        case .collectionMemory: Row(verb: .get, path: "/collections/{collection}/memory", access: .read)
        case .tune: Row(verb: .post, path: "/collections/{collection}/tune", access: .manage)
        case .tuning: Row(verb: .get, path: "/collections/{collection}/tune", access: .read)
        case .endTuning: Row(verb: .delete, path: "/collections/{collection}/tune", access: .manage)
        case .issues: Row(verb: .get, path: "/issues", access: .manage)
        case .clearIssues: Row(verb: .delete, path: "/issues", access: .manage)
        case .quotas: Row(verb: .get, path: "/quotas", access: .manage)
        case .updateQuotas: Row(verb: .put, path: "/quotas", access: .manage)
        case .shardKeys: Row(verb: .get, path: "/collections/{collection}/shards", access: .read)
        case .listSnapshots, .createSnapshot, .downloadSnapshot, .deleteSnapshot, .uploadSnapshot, .recoverSnapshot,
            .listFullSnapshots, .createFullSnapshot, .downloadFullSnapshot, .deleteFullSnapshot,
            .listShardSnapshots, .createShardSnapshot, .downloadShardSnapshot, .deleteShardSnapshot,
            .uploadShardSnapshot, .recoverShardSnapshot, .streamShardSnapshot, .partialSnapshotManifest,
            .createPartialSnapshot, .uploadPartialSnapshot, .recoverPartialSnapshot:
            snapshotRow
        case .clusterOnly, .later: nil
        }
    }
}
