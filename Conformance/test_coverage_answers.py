"""Every field of every answer the official client reads is seen in a real answer, or stands on a list with the reason."""
import importlib
import inspect
import json
import pkgutil
import re
from fnmatch import fnmatchcase

import pytest
import qdrant_client.http.api as api
from client_models import ANSWERS, fields, used
from conftest import connect, wait_green
from coverage_examples import LOOKUP, READS, SETTINGS
from coverage_lists import CLUSTER, NEWER, REFUSED, entry
from octant_server import Server
from pydantic import TypeAdapter
from qdrant_client.http.models import models as m
from rest import Rest
from snapshots import FORM, HEAD, TAIL

NO_USAGE = "usage is reported where hardware reporting is on or inference ran, which can be neither yet"
NO_SEGMENTS = "the engine's segments have another form, and telemetry does not go down to them"
OTHER_ENGINE = "a setting or a state of Qdrant's own parts"
NOT_ON_ERRORS = "only while something goes wrong or is cancelled"

ABSENT = {
    # What only a cluster has.
    **{f"{model}.*": CLUSTER for model in (
        "ClusterStatusOneOf1", "ClusterConfigTelemetry", "ClusterStatusTelemetry", "ConsensusConfigTelemetry", "ConsensusThreadStatusOneOf",
        "ConsensusThreadStatusOneOf1", "ConsensusThreadStatusOneOf2", "DistributedClusterTelemetry", "DistributedCollectionTelemetry",
        "DistributedPeerDetails", "DistributedPeerInfo", "DistributedReplicaTelemetry", "DistributedShardTelemetry", "DistributedTelemetryData",
        "MessageSendErrors", "P2pConfigTelemetry", "PeerInfo", "PeerMetadata", "PeerQuotaUsage", "RaftInfo", "RemoteShardInfo", "RemoteShardTelemetry",
        "ReshardingInfo", "ReshardingTelemetry", "ShardKeyDescription", "ShardTransferInfo", "InlineResponse2004", "ShardCleanStatus*")},
    "*.shard_key": CLUSTER, "*.resharding_operations": CLUSTER, "ClusterTelemetry.status": CLUSTER, "ClusterTelemetry.config": CLUSTER,
    "ClusterTelemetry.peers": CLUSTER, "ClusterTelemetry.peer_metadata": CLUSTER, "ClusterTelemetry.metadata": CLUSTER,
    "ClusterTelemetry.resharding_enabled": CLUSTER, "CollectionTelemetry.shard_clean_tasks": CLUSTER, "QuotaStatus.peers": CLUSTER,
    # What is not there yet.
    "Usage.*": NO_USAGE, "InferenceUsage.*": NO_USAGE, "ModelUsage.*": NO_USAGE, "HardwareUsage.*": NO_USAGE, "InlineResponse*.usage": NO_USAGE,
    "*.id_tracker": NEWER, "IdTrackerParams.*": NEWER, "*IndexParams.nested": NEWER, "TextIndexParams.scoring": NEWER, "TextScoringParams.*": NEWER,
    "CollectionInfo.created_at": NEWER,
    # What the engine does in another way.
    **{f"{model}.*": NO_SEGMENTS for model in (
        "SegmentInfo", "SegmentConfig", "SegmentTelemetry", "SparseIndexConfig", "SparseVectorDataConfig", "VectorDataConfig", "VectorDataInfo",
        "VectorIndexSearchesTelemetry", "PayloadIndexTelemetry", "PayloadStorageTypeOneOf*", "IndexesOneOf*")},
    "LocalShardTelemetry.segments": NO_SEGMENTS, "LocalShardTelemetry.indexed_only_excluded_vectors": NO_SEGMENTS,
    "LocalShardTelemetry.vectors_size_bytes": NO_SEGMENTS, "LocalShardTelemetry.payloads_size_bytes": NO_SEGMENTS,
    **{f"{model}.*": OTHER_ENGINE for model in ("AuditTelemetry", "FeatureFlags", "GpuDeviceTelemetry", "HnswGlobalConfig", "RunningEnvironmentTelemetry")},
    **{f"AppBuildTelemetry.{key}": OTHER_ENGINE for key in ("runtime_features", "low_memory_mode", "hnsw_global_config", "system", "jwt_rbac",
                                                            "hide_jwt_dashboard", "audit")},
    "VersionInfo.commit": OTHER_ENGINE, "CollectionsTelemetry.max_collections": OTHER_ENGINE, "CollectionConfigTelemetry.uuid": OTHER_ENGINE,
    "OptimizerTelemetry.log": "GET optimizations reports it", "TrackerTelemetry.*": "GET optimizations reports it",
    "ShardUpdateQueueInfo.op_num": OTHER_ENGINE,
    "OperationDurationStatistics.fail_count": "failures are counted under their status",
    "OptimizersStatusOneOf1.*": NOT_ON_ERRORS, "TrackerStatusOneOf1.*": NOT_ON_ERRORS, "TrackerStatusOneOf2.*": NOT_ON_ERRORS,
    # What comes with deferred points.
    "OptimizersConfig.prevent_unoptimized": "comes with deferred points", "*.deferred_points": "comes with deferred points",
}

FULL = {
    "vectors": {"a": {"size": 4, "distance": "Cosine", "on_disk": True, "memory": "cold", "datatype": "float32",
                      "hnsw_config": {"m": 8, "ef_construct": 64, "full_scan_threshold": 100, "max_indexing_threads": 1, "on_disk": True, "memory": "cold",
                                      "payload_m": 4, "inline_storage": True},
                      "quantization_config": {"scalar": {"type": "int8", "quantile": 0.99, "always_ram": True, "memory": "pinned"}}},
                **{name: {"size": 4, "distance": "Dot", "quantization_config": {name: {**options, "always_ram": True, "memory": "cached"}}}
                   for name, options in {"product": {"compression": "x8"}, "binary": {"encoding": "one_bit", "query_encoding": "scalar8bits"},
                                         "turbo": {"bits": "bits2"}}.items()},
                "b": {"size": 2, "distance": "Dot", "multivector_config": {"comparator": "max_sim"}}},
    "sparse_vectors": {"s": {"index": {"full_scan_threshold": 10, "on_disk": True, "memory": "cold", "datatype": "float16"}, "modifier": "idf"}},
    "hnsw_config": {"memory": "cached", "payload_m": 3, "inline_storage": False}, "payload": {"memory": "cached"}, "sharding_method": "auto",
    "optimizers_config": {"indexing_threshold": 1}, "metadata": {"a": 1}, "shard_number": 2,
    "quantization_config": {"scalar": {"type": "int8"}},
    "strict_mode_config": {
        "enabled": False, "unindexed_filtering_retrieve": True, "unindexed_filtering_update": True, "search_allow_exact": True,
        "search_max_oversampling": 9.5, "max_resident_memory_percent": 90, "multivector_config": {"b": {"max_vectors": 10}},
        "sparse_config": {"s": {"max_length": 100}},
        **{key: 10_000_000 for key in (
            "max_query_limit", "max_timeout", "search_max_hnsw_ef", "upsert_max_batchsize", "search_max_batchsize", "max_collection_vector_size_bytes",
            "read_rate_limit", "write_rate_limit", "max_collection_payload_size_bytes", "max_points_count", "filter_max_conditions", "condition_max_size",
            "max_payload_index_count")}},
}
COMMON = {"on_disk": True, "memory": "cold", "enable_hnsw": False}
INDEXES = {
    "keyword": {"is_tenant": True, "prefix": True}, "uuid": {"is_tenant": True}, "integer": {"lookup": True, "range": True, "is_principal": True},
    "float": {"is_principal": True}, "datetime": {"is_principal": True}, "bool": {}, "geo": {},
    "text": {"tokenizer": "word", "min_token_len": 2, "max_token_len": 9, "lowercase": True, "ascii_folding": True, "phrase_matching": True,
             "stopwords": {"languages": ["english"], "custom": ["x"]}, "stemmer": {"type": "snowball", "language": "english"}},
    "text2": {"stemmer": {"type": "none"}},
}
POINT = {"id": 1, "vector": {"a": [1.0, 2.0, 3.0, 4.0], "b": [[1.0, 2.0]], "s": {"indices": [1], "values": [0.5]}}, "payload": {"n": 1, "k": "x"}}


def declared():
    """The answer's model of every operation of the client: by verb and path."""
    for info in pkgutil.iter_modules(api.__path__):
        source = inspect.getsource(importlib.import_module(f"{api.__name__}.{info.name}"))
        for kind, method, path in re.findall(r'type_=([\w.]+),\s+method="(\w+)",\s+url="([^"]+)"', source):
            yield method, path, kind.removeprefix("m.")


OPERATIONS = {(method, path): kind for method, path, kind in declared()}
# Operations that answer 404, 405 or 501, or with a file: nothing of theirs can be read.
WITHOUT_ANSWERS = {
    "/cluster/telemetry": CLUSTER, "/cluster/recover": CLUSTER, "/cluster/peer/*": CLUSTER, "*/shards*": CLUSTER,
    "POST /collections/{collection_name}/cluster": CLUSTER,
}


class Answers:
    """Asks, reads the answer with the client's model, and notes the fields that are set."""

    def __init__(self, rest):
        self.rest, self.seen, self.asked = rest, set(), set()

    def __call__(self, method, template, body=None, query="", headers=None, **names):
        kind = OPERATIONS[method, template]
        self.asked.add((method, template))
        path = template
        for name, value in {"collection_name": "full", **names}.items():
            path = path.replace("{" + name + "}", str(value))
        r = self.rest(method, path + query, body, headers)
        assert r.status == 200, (method, path, r.body)
        if not hasattr(m, kind):
            return r.body
        value = TypeAdapter(getattr(m, kind)).validate_python(r.json)
        self.seen |= {field for field, _, _ in used(value)}
        return r.json.get("result")


def ask_of_collections(ask):
    ask("PUT", "/collections/{collection_name}", FULL)
    ask("PATCH", "/collections/{collection_name}", {"params": {"read_fan_out_factor": 1, "read_fan_out_delay_ms": 5}})
    for key, options in INDEXES.items():
        ask("PUT", "/collections/{collection_name}/index", {"field_name": key, "field_schema": {"type": key.rstrip("2"), **COMMON, **options}}, "?wait=true")
    ask("DELETE", "/collections/{collection_name}/index/{field_name}", None, "?wait=true", field_name="gone")
    ask("PUT", "/collections/{collection_name}/vectors/{vector_name}", {"dense": {"size": 2, "distance": "Dot"}}, "?wait=true", vector_name="added")
    ask("DELETE", "/collections/{collection_name}/vectors/{vector_name}", None, "?wait=true", vector_name="added")
    ask("POST", "/collections/aliases", {"actions": [{"create_alias": {"collection_name": "full", "alias_name": "alias"}}]})
    for path in ("/aliases", "/collections", "/collections/{collection_name}/aliases", "/collections/{collection_name}/exists",
                 "/collections/{collection_name}/cluster", "/cluster", "/issues", "/quotas", "/", "/metrics", "/healthz", "/livez", "/readyz"):
        ask("GET", path)


def ask_of_points(ask):
    base = "/collections/{collection_name}/points"
    chosen = {"points": [1]}
    ask("PUT", base, {"points": [POINT, {**POINT, "id": 2}]}, "?wait=true")
    ask("PUT", f"{base}/vectors", {"points": [{"id": 1, "vector": {"a": [1.0, 0, 0, 0]}}]})
    ask("POST", f"{base}/vectors/delete", {**chosen, "vector": ["b"]})
    ask("POST", f"{base}/payload", {**chosen, "payload": {"a": 1}})
    ask("PUT", f"{base}/payload", {**chosen, "payload": {"a": 1}})
    ask("POST", f"{base}/payload/delete", {**chosen, "keys": ["a"]})
    ask("POST", f"{base}/payload/clear", chosen)
    ask("POST", f"{base}/delete", chosen)
    ask("POST", f"{base}/batch", {"operations": [{"upsert": {"points": [POINT]}}, {"delete": chosen}]}, "?wait=true")
    ask("GET", f"{base}/{{id}}", id=2)


def ask_for_snapshots(ask, server):
    for place, folder in (("", ""), ("/collections/{collection_name}", "/full"), ("/collections/{collection_name}/shards/{shard_id}", "/full/shards/0")):
        made = ask("POST", f"{place}/snapshots", shard_id=0)
        ask("GET", f"{place}/snapshots", shard_id=0)
        data = ask("GET", f"{place}/snapshots/{{snapshot_name}}", snapshot_name=made["name"], shard_id=0)
        if place:
            ask("PUT", f"{place}/snapshots/recover", {"location": f"file://{server.snapshots}{folder}/{made['name']}"}, shard_id=0)
            ask("POST", f"{place}/snapshots/upload", HEAD + data + TAIL, headers=FORM, shard_id=0)
        ask("DELETE", f"{place}/snapshots/{{snapshot_name}}", snapshot_name=made["name"], shard_id=0)
    ask("GET", "/collections/{collection_name}/shards/{shard_id}/snapshot", shard_id=0)


def ask_for_reports(ask, client):
    ask("PUT", "/collections/{collection_name}/points", {"points": [{"id": i, "vector": {"a": [i, 1.0, 2.0, 3.0]}} for i in range(10, 3000)]}, "?wait=true")
    wait_green(client, "full")
    info = ask("GET", "/collections/{collection_name}")
    assert info["warnings"] and info["config"]["quantization_config"]
    ask("GET", "/collections/{collection_name}/optimizations", None, "?with=queued,completed,idle_segments")
    for query in ("", "?details_level=1", "?details_level=10&per_collection=true"):
        ask("GET", "/telemetry", None, query)
    ask("PUT", "/quotas", {"enabled": False})
    ask("DELETE", "/issues")
    ask("GET", "/collections/{collection_name}/shards")


@pytest.fixture(scope="module")
def answers():
    with Server() as server:
        ask = Answers(Rest(server.url))
        ask_of_collections(ask)
        ask_of_points(ask)
        names = {short: LOOKUP if short == "l" else f"all_{short}" for short, settings in SETTINGS.items() if "points" in settings}
        for short, name in names.items():
            ask("PUT", "/collections/{collection_name}", SETTINGS[short]["create"], collection_name=name)
            for key, schema in SETTINGS[short].get("indexes", {}).items():
                ask("PUT", "/collections/{collection_name}/index", {"field_name": key, "field_schema": schema}, "?wait=true", collection_name=name)
            ask("PUT", "/collections/{collection_name}/points", {"points": SETTINGS[short]["points"]}, "?wait=true", collection_name=name)
        for _, collection, path, _, body in READS:
            body = json.loads(json.dumps(body).replace('"LOOKUP"', json.dumps(LOOKUP)))
            ask("POST", f"/collections/{{collection_name}}/{path}", body, collection_name=names[collection])
        ask("GET", "/collections/{collection_name}", collection_name="all_c")
        ask_for_reports(ask, connect(server))
        ask_for_snapshots(ask, server)
        ask("DELETE", "/collections/{collection_name}", collection_name="all_c")
        yield ask


# What is waiting to be optimized is there for moments: it may be seen and need not be.
MOMENTARY = {"PendingOptimization.optimizer", "PendingOptimization.segments"}


def test_every_operation_of_the_client_was_asked(answers):
    left = {(method, path) for method, path in OPERATIONS if not any(fnmatchcase(path, pattern) or f"{method} {path}" == pattern for pattern in WITHOUT_ANSWERS)}
    assert answers.asked >= left, sorted(left - answers.asked)


def test_every_field_of_every_answer_is_seen_or_on_a_list(answers):
    every = fields(ANSWERS)
    listed = {f for f in every if entry(ABSENT, f)}
    missing = every - answers.seen - listed - MOMENTARY
    assert not missing, sorted(missing)
    print(f"{len(every)} fields of {len(ANSWERS)} models; {len(answers.seen & every)} seen, {len(listed)} listed")


def test_what_is_seen_is_not_listed(answers):
    """So the list stays as short as it can be."""
    assert not sorted(f for f in answers.seen if entry(ABSENT, f))
    every = fields(ANSWERS)
    assert not [pattern for pattern in ABSENT if not any(fnmatchcase(f, pattern) for f in every)]


def test_settings_that_are_refused_are_seen_nowhere(answers):
    assert not sorted(f for f in answers.seen if entry(REFUSED, f) and not f.startswith("QuotaConfig."))
