"""What of the client's models stands apart, each with its reason. Patterns are of `Model.field` or `Model.field=value`.

The lists are checked: an entry that fits no field is stale, and what an entry says happens must happen.
"""
from fnmatch import fnmatchcase

CLUSTER = "only a cluster has a use for it"
SERVICE = "needs an inference service, and none can be configured yet"
QUOTAS = "no quota can be enabled yet"
NEWER = "newer than 1.19"
TURBO = "only turbo4 and turbo8, and of dense vectors"

# Refused with a status of 400, 405, 422 or 501: never ignored.
REFUSED = {
    "*.shard_key": CLUSTER, "ShardKeyWithFallback.*": CLUSTER, "CreateCollection.sharding_method=custom": CLUSTER,
    **{f"{model}.*": CLUSTER for model in (
        "AbortReshardingOperation", "AbortShardTransfer", "AbortTransferOperation", "CreateShardingKey", "CreateShardingKeyOperation",
        "DropReplicaOperation", "DropShardingKey", "DropShardingKeyOperation", "MoveShard", "MoveShardOperation", "Replica", "ReplicatePoints",
        "ReplicatePointsOperation", "ReplicateShard", "ReplicateShardOperation", "RestartTransfer", "RestartTransferOperation",
        "StartResharding", "StartReshardingOperation")},
    "Image.*": SERVICE, "InferenceObject.*": SERVICE,
    "QuotaConfig.enabled=True": QUOTAS, "QuotaConfig.max_resident_memory_percent": QUOTAS, "QuotaConfig.max_disk_usage_percent": QUOTAS,
    "QuotaConfig.release_margin_percent": QUOTAS,
    "*.id_tracker": NEWER, "IdTrackerParams.*": NEWER, "*IndexParams.nested": NEWER, "TextIndexParams.scoring": NEWER, "TextScoringParams.*": NEWER,
    "TextIndexParams.tokenizer=code": NEWER, "TextQuery.*": NEWER, "TextQueryInput.*": NEWER, "Bm25Scoring.*": NEWER, "Bm25Params.*": NEWER,
    "*.datatype=turbo16": TURBO, "Sparse*.datatype=turbo*": TURBO,
    "VectorParams.memory=pinned": "Qdrant refuses it too", "VectorParamsDiff.memory=pinned": "Qdrant refuses it too",
    "PayloadStorageParams.memory=pinned": "Qdrant refuses it too",
}

# Accepted, and no answer can show a difference.
WITHOUT_EFFECT = {
    "*SnapshotRecover.priority": "there is one replica", "*SnapshotRecover.api_key": "only for URLs; test_snapshot_sources.py sees it arrive",
    "SearchParams.hnsw_ef": "few points are found whole at any width; test_recall.py measures it",
    "QuantizationSearchParams.oversampling": "rescoring goes as far as the error of the codes asks for; test_recall.py measures it",
    "SearchParams.acorn": "the graph is walked in another way, and finds the same", "AcornSearchParams.*": "see SearchParams.acorn",
    "CountRequest.exact": "counts are exact whether asked to be or not", "FacetRequest.exact": "counts are exact whether asked to be or not",
}


def entry(lists, field, value=None):
    """The entry of a list that a field fits, or one of its values."""
    for pattern in lists:
        if fnmatchcase(field, pattern) or (value is not None and fnmatchcase(f"{field}={value}", pattern)):
            return pattern
    return None
