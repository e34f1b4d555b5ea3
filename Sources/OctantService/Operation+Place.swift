extension Operation {
    /// Where operations run, over whichever protocol they came.
    package enum Place: Sendable, Hashable {
        /// On the thread that asks: it takes no time and waits for nothing.
        case here
        /// On a thread of the searches.
        case read
        /// On a thread of the writes, which may wait for the log.
        case write
        /// On a thread of its own kind: it may take minutes.
        case long
    }

    /// Where this operation runs.
    package var place: Place {
        switch self {
        case .root, .healthz, .livez, .readyz, .clusterStatus, .openAPI, .clusterOnly, .later: .here
        case .telemetry, .metrics, .listCollections, .getCollection, .collectionExists, .collectionCluster,
            .listAliases, .collectionAliases, .getPoint, .retrievePoints, .scroll, .count, .query, .queryBatch,
            .search, .searchBatch, .queryGroups, .searchGroups, .recommend, .recommendBatch, .recommendGroups,
            .discover, .discoverBatch, .facet, .matrixPairs, .matrixOffsets,
            .tuning, .optimizations, .collectionMemory, .issues, .clearIssues, .quotas, .updateQuotas, .shardKeys:
            .read
        case .createCollection, .patchCollection, .deleteCollection, .updateAliases, .createFieldIndex,
            .deleteFieldIndex, .addVector, .removeVector, .upsertPoints, .deletePoints, .updateVectors, .deleteVectors,
            .setPayload, .overwritePayload, .deletePayload, .clearPayload, .batchUpdate, .tune, .endTuning:
            .write
        case .listSnapshots, .createSnapshot, .downloadSnapshot, .deleteSnapshot, .uploadSnapshot, .recoverSnapshot,
            .listFullSnapshots, .createFullSnapshot, .downloadFullSnapshot, .deleteFullSnapshot,
            .listShardSnapshots, .createShardSnapshot, .downloadShardSnapshot, .deleteShardSnapshot,
            .uploadShardSnapshot, .recoverShardSnapshot, .streamShardSnapshot, .partialSnapshotManifest,
            .createPartialSnapshot, .uploadPartialSnapshot, .recoverPartialSnapshot:
            .long
        }
    }
}
