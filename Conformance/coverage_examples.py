"""Example requests in which every field matters, and the points they are about."""
import random

from client_models import m, reachable

LOOKUP = "cover_lookup"

# What settings are made of: test_coverage.py tries each of these alone.
CONFIG_MODELS = list(reachable([m.CreateCollection, m.UpdateCollection, m.CreateFieldIndex, m.DenseVectorNameConfig, m.SparseVectorNameConfig]))


def vector(rng, size):
    return [round(rng.uniform(-1, 1), 3) for _ in range(size)]


def everything(rng, i):
    """A point with every kind of vector and of payload."""
    payload = {"k": ["red", "green", "blue"][i % 3], "n": i, "f": i / 2, "t": ["the quick fox", "a lazy dog", "quick brown dogs"][i % 3],
               "g": {"lon": 10 + i, "lat": 50 - i}, "date": f"2024-01-{i:02}T12:00:00Z", "flag": i % 2 == 0, "tags": ["x"] * (i % 4),
               "arr": [{"a": i % 4, "b": "p"}, {"a": 9, "b": "q"}], "ref": i % 4 + 1, "zero": i % 2}
    if i % 3:
        payload["opt"] = None if i % 3 == 1 else 4
    return {"id": i, "payload": payload, "vector": {
        "d": vector(rng, 4), "mv": [vector(rng, 2) for _ in range(1 + i % 3)], "s": {"indices": [1, 2 + i % 5], "values": [0.5, 1 + i / 10]},
        **({"e": vector(rng, 3)} if i % 8 else {})}}


def near(rng, i):
    """Vectors so near to each other that codes of one byte cannot tell them all apart."""
    return {"id": i, "payload": {"parity": i % 2}, "vector": [round(0.5 + rng.gauss(0, 0.002), 6) if i > 2 else float(i - 1) for _ in range(16)]}


_rng = random.Random(7)
SETTINGS = {
    "c": {"create": {"vectors": {"d": {"size": 4, "distance": "Dot"}, "e": {"size": 3, "distance": "Euclid"},
                                 "mv": {"size": 2, "distance": "Dot", "multivector_config": {"comparator": "max_sim"}}},
                     "sparse_vectors": {"s": {"modifier": "idf"}}},
          "indexes": {"k": {"type": "keyword", "prefix": True}, "n": "integer", "t": {"type": "text", "phrase_matching": True}, "date": "datetime",
                      "ref": "integer"},
          "points": [everything(_rng, i) for i in range(1, 25)]},
    "l": {"create": {"vectors": {"d": {"size": 4, "distance": "Dot"}, "other": {"size": 4, "distance": "Dot"}}},
          "points": [{"id": i, "vector": {"d": vector(_rng, 4), "other": vector(_rng, 4)}, "payload": {"x": i, "y": i}} for i in range(1, 9)]},
    "q": {"create": {"vectors": {"size": 16, "distance": "Dot", "on_disk": True}, "quantization_config": {"scalar": {"type": "int8", "always_ram": True}},
                     "optimizers_config": {"indexing_threshold": 1}, "hnsw_config": {"full_scan_threshold": 10, "m": 4, "ef_construct": 100}},
          "points": [near(_rng, i) for i in range(1, 1501)]},
    "u": {"create": {"vectors": {"size": 16, "distance": "Dot"}, "optimizers_config": {"indexing_threshold": 1, "max_optimization_threads": 0},
                     "hnsw_config": {"full_scan_threshold": 10}},
          "points": [near(_rng, i) for i in range(1, 501)]},
    "w": {"create": {"vectors": {"d": {"size": 2, "distance": "Dot"}, "e": {"size": 3, "distance": "Dot"}}, "sparse_vectors": {"s": {}}}},
    "b": {"create": {"sparse_vectors": {"s": {}}}, "points": [{"id": i, "vector": {"s": {"text": text, "model": "qdrant/bm25", "options": {"language": "german"}}}}
                                                              for i, text in enumerate(["schnelle Füchse laufen", "der Hund schläft", "Läufer und Fuchs"], 1)]},
}
POINTS = [{"id": i, "vector": {"d": [i, 1], "e": [0, i, 1]}, "payload": {"n": i, "k": {"a": [1, {"b": i}], "c": 5}}} for i in range(1, 5)]

# MARK: Reads: name, collection, path, model, body

NEAR = [1, 0.5, -0.5, 0.2]
FAR = {"query": [0.1, 0.9, 0.3], "using": "e", "limit": 6}
D = {"query": NEAR, "using": "d", "limit": 6}
ONLY = {"must": [{"key": "n", "range": {"gt": 5, "lt": 16}}]}
REST = {"with_payload": {"include": ["k"]}, "with_vector": ["e"]}


def query(name, body, collection="c"):
    return name, collection, "points/query", m.QueryRequest, body


def formula(name, expression, **more):
    return query(f"formula {name}", {"prefetch": {**D, "limit": 8}, "query": {"formula": expression, **more}, "limit": 8})


def filtered(name, *conditions, kind="must"):
    return name, "c", "points/scroll", m.ScrollRequest, {"filter": {kind: list(conditions)}, "limit": 100, "with_payload": False}


def field(kind, key, **test):
    return filtered(f"filter {kind}", {"key": key, **test})


RING = [{"lon": 9, "lat": 30}, {"lon": 20, "lat": 30}, {"lon": 20, "lat": 55}, {"lon": 9, "lat": 55}, {"lon": 9, "lat": 30}]
HOLE = [{"lon": 12, "lat": 45}, {"lon": 15, "lat": 45}, {"lon": 15, "lat": 49}, {"lon": 12, "lat": 49}, {"lon": 12, "lat": 45}]
GROUPS = {"group_by": "ref", "group_size": 2, "limit": 3}

READS = [
    query("nearest", {"query": {"nearest": NEAR, "mmr": {"diversity": 0.9, "candidates_limit": 7}}, "using": "d", "filter": ONLY, "limit": 4, "offset": 1, **REST}),
    query("threshold", {"query": NEAR, "using": "d", "score_threshold": 0.4, "limit": 20}),
    query("by id", {"query": 3, "using": "e"}),
    query("sparse", {"query": {"indices": [1, 4], "values": [1, 0.5]}, "using": "s"}),
    query("multivector", {"query": [[0.5, -1], [0.2, 0.1]], "using": "mv"}),
    query("payload selectors", {"query": NEAR, "using": "d", "with_payload": {"exclude": ["t", "g"]}}),
    query("recommend", {"query": {"recommend": {"positive": [1, 2], "negative": [3], "strategy": "best_score"}}, "using": "d", "limit": 5}),
    query("lookup", {"query": {"recommend": {"positive": [1]}}, "using": "d", "lookup_from": {"collection": "LOOKUP", "vector": "other"}}),
    query("discover", {"query": {"discover": {"target": 1, "context": [{"positive": 2, "negative": 3}]}}, "using": "d"}),
    query("context", {"query": {"context": {"positive": 2, "negative": 3}}, "using": "d"}),
    query("feedback", {"query": {"relevance_feedback": {"target": NEAR, "feedback": [{"example": 2, "score": 0.9}, {"example": 3, "score": 0.1}],
                                                        "strategy": {"naive": {"a": 1, "b": 0.5, "c": 0.4}}}}, "using": "d"}),
    query("order", {"query": {"order_by": {"key": "n", "direction": "desc", "start_from": 20}}, "limit": 5}),
    query("sample", {"query": {"sample": "random"}, "limit": 24}),
    query("fusion", {"prefetch": [D, FAR], "query": {"fusion": "dbsf"}}),
    query("rrf", {"prefetch": [D, FAR], "query": {"rrf": {"k": 5, "weights": [3, 1]}}}),
    query("prefetch", {"prefetch": {"prefetch": [{**D, "limit": 3}], "query": [0.1, 0.9, 0.3], "using": "e", "filter": ONLY, "limit": 5},
                       "query": [[0.5, -1]], "using": "mv"}),
    query("prefetch with a threshold", {"prefetch": [{"query": NEAR, "using": "d", "score_threshold": 0.4, "limit": 20}], "query": {"fusion": "rrf"}, "limit": 20}),
    query("prefetch by lookup", {"prefetch": [{"query": 2, "using": "d", "limit": 4, "lookup_from": {"collection": "LOOKUP", "vector": "other"}}],
                                 "query": {"fusion": "rrf"}}),
    query("prefetch with parameters", {"prefetch": {"query": [1] + 15 * [0.5], "limit": 5, "params": {"exact": True}}, "query": {"formula": "$score"}}, "q"),
    query("exact", {"query": [1] + 15 * [0.5], "params": {"exact": True}}, "q"),
    query("without codes", {"query": [1] + 15 * [0.5], "params": {"quantization": {"ignore": True}}}, "q"),
    query("rescored", {"query": [1] + 15 * [0.5], "limit": 3, "params": {"quantization": {"rescore": True, "oversampling": 200}}}, "q"),
    query("a narrow search", {"query": [1] + 15 * [0.5], "limit": 3, "params": {"hnsw_ef": 3}}, "q"),
    query("acorn", {"query": [1] + 15 * [0.5], "limit": 3, "params": {"acorn": {"enable": True, "max_selectivity": 0.7}}}, "q"),
    query("idf of a corpus", {"query": {"indices": [1, 4], "values": [1, 0.5]}, "using": "s", "params": {"idf": {"corpus": ONLY}}}),
    query("bm25", {"query": {"text": "die Füchse", "model": "Qdrant/BM25", "options": {"language": "de"}}, "using": "s"}, "b"),
    query("indexed only", {"query": [1] + 15 * [0.5], "params": {"indexed_only": True}}, "u"),
    ("batch", "c", "points/query/batch", m.QueryRequestBatch, {"searches": [{**D, "with_payload": True}, {**FAR, "filter": ONLY}]}),
    ("groups", "c", "points/query/groups", m.QueryGroupsRequest,
     {"query": NEAR, "using": "d", "filter": ONLY, **GROUPS, **REST,
      "with_lookup": {"collection": "LOOKUP", "with_payload": ["x"], "with_vectors": ["other"]}}),
    ("groups with a threshold", "c", "points/query/groups", m.QueryGroupsRequest, {"query": NEAR, "using": "d", "score_threshold": 0.4, "group_by": "k", "group_size": 20}),
    ("groups of a prefetch", "c", "points/query/groups", m.QueryGroupsRequest,
     {"prefetch": [{**FAR, "limit": 2}], "query": NEAR, "using": "d", "group_by": "k"}),
    ("groups by lookup", "c", "points/query/groups", m.QueryGroupsRequest,
     {"query": 2, "using": "d", "group_by": "k", "lookup_from": {"collection": "LOOKUP", "vector": "other"}}),
    ("groups with parameters", "q", "points/query/groups", m.QueryGroupsRequest,
     {"query": [1] + 15 * [0.5], "group_by": "parity", "params": {"exact": True}}),
    ("scroll", "c", "points/scroll", m.ScrollRequest, {"offset": 8, "limit": 4, "filter": ONLY, "with_payload": ["k"], "with_vector": True}),
    ("scroll in order", "c", "points/scroll", m.ScrollRequest, {"limit": 4, "order_by": {"key": "date", "direction": "desc", "start_from": "2024-01-09T00:00:00Z"}}),
    ("count", "c", "points/count", m.CountRequest, {"filter": ONLY, "exact": False}),
    ("retrieve", "c", "points", m.PointRequest, {"ids": [1, 2], "with_payload": ["k"], "with_vector": ["e"]}),
    ("facet", "c", "facet", m.FacetRequest, {"key": "k", "limit": 2, "filter": {"must": [{"key": "n", "range": {"gte": 3, "lt": 6}}]}, "exact": False}),
    ("pairs", "c", "points/search/matrix/pairs", m.SearchMatrixRequest, {"filter": ONLY, "sample": 24, "limit": 2, "using": "d"}),
    ("few pairs", "c", "points/search/matrix/pairs", m.SearchMatrixRequest, {"sample": 24, "using": "d"}),
    ("offsets", "c", "points/search/matrix/offsets", m.SearchMatrixRequest, {"filter": ONLY, "sample": 24, "limit": 2, "using": "d"}),
    # Filters
    field("value", "k", match={"value": "red"}), field("any", "k", match={"any": ["red", "green"]}), field("except", "n", match={"except": [1, 2]}),
    field("text", "t", match={"text": "quick fox"}), field("text_any", "t", match={"text_any": "lazy fox"}),
    field("phrase", "t", match={"phrase": "quick brown"}), field("prefix", "k", match={"prefix": "gr"}),
    field("substring", "k", match={"substring": "ree"}),
    field("range", "n", range={"gt": 3, "lt": 9}), field("range with its ends", "f", range={"gte": 3, "lte": 9}),
    field("dates", "date", range={"gt": "2024-01-03T12:00:00Z", "lt": "2024-01-09T00:00:00Z"}),
    field("dates with their ends", "date", range={"gte": "2024-01-03T12:00:00Z", "lte": "2024-01-09T00:00:00Z"}),
    field("box", "g", geo_bounding_box={"top_left": {"lon": 11, "lat": 49}, "bottom_right": {"lon": 20, "lat": 35}}),
    field("radius", "g", geo_radius={"center": {"lon": 14, "lat": 46}, "radius": 300_000}),
    field("polygon", "g", geo_polygon={"exterior": {"points": RING}, "interiors": [{"points": HOLE}]}),
    field("count", "tags", values_count={"gt": 1, "lt": 3}), field("count with its ends", "tags", values_count={"gte": 1, "lte": 2}),
    field("is_empty", "opt", is_empty=True), field("is_null", "opt", is_null=True),
    filtered("filter is_empty", {"is_empty": {"key": "opt"}}), filtered("filter is_null", {"is_null": {"key": "opt"}}),
    filtered("filter has_id", {"has_id": [1, 5]}), filtered("filter has_vector", {"has_vector": "e"}),
    filtered("filter slice", {"slice": {"total": 3, "index": 1}}),
    filtered("filter nested", {"nested": {"key": "arr", "filter": {"must": [{"key": "a", "match": {"value": 3}}],
                                                                   "must_not": [{"key": "b", "match": {"value": "q"}}]}}}),
    filtered("filter should", {"key": "k", "match": {"value": "red"}}, {"key": "n", "match": {"value": 2}}, kind="should"),
    filtered("filter must_not", {"key": "k", "match": {"value": "red"}}, kind="must_not"),
    ("filter min_should", "c", "points/count", m.CountRequest, {"filter": {"min_should": {"conditions": [
        {"key": "k", "match": {"value": "red"}}, {"key": "n", "range": {"lt": 9}}], "min_count": 2}}}),
    # Formulas
    formula("sum", {"sum": ["$score", {"mult": [0.5, "n"]}]}), formula("neg", {"neg": {"abs": "$score"}}),
    formula("defaults", {"sum": ["$score", "missing"]}, defaults={"missing": 2}),
    formula("div", {"div": {"left": "n", "right": "zero", "by_zero_default": 7}}), formula("sqrt", {"sqrt": "f"}),
    formula("pow", {"pow": {"base": "f", "exponent": 2}}), formula("exp", {"exp": "$score"}), formula("log10", {"log10": "n"}),
    formula("acosh", {"acosh": "n"}), formula("max", {"max": ["n", "f", 9]}), formula("min", {"min": ["n", "f", 3]}),
    formula("ln", {"ln": "n"}), formula("distance", {"geo_distance": {"origin": {"lon": 11, "lat": 49}, "to": "g"}}),
    formula("dates", {"sum": [{"datetime_key": "date"}, {"neg": {"datetime": "2024-01-01T00:00:00Z"}}]}),
    formula("condition", {"sum": ["$score", {"key": "k", "match": {"value": "red"}}]}),
    *(formula(kind, {kind: {"x": "f", "target": 3, "scale": 20, "midpoint": 0.3}}) for kind in ("lin_decay", "exp_decay", "gauss_decay")),
]

# MARK: Writes: name, verb, path, model, body

def text(options):
    return {"text": "Die schnellen Füchse, the Café quick-fox a running quick-fox extraordinarily", "model": "qdrant/bm25", "options": options}


IF_ONE = {"must": [{"key": "n", "match": {"value": 1}}]}
NEW = [{"id": i, "vector": {"d": [i, 9]}, "payload": {"n": 1, "new": i}} for i in (1, 2, 100)]
COLUMNS = {"ids": [1, 2, 100], "vectors": {"d": [[7, 7], [8, 8], [9, 9]]}, "payloads": [{"new": 1}, {"new": 2}, {"new": 3}]}
VECTORS = [{"id": 1, "vector": {"d": [5, 5]}}, {"id": 2, "vector": {"e": [5, 5, 5]}}]
SET = {"payload": {"x": 1}, "points": [1, 2], "key": "k"}

WRITES = [
    ("upsert", "PUT", "", m.PointsList, {"points": NEW, "update_filter": IF_ONE}),
    ("upsert, new ones only", "PUT", "", m.PointsList, {"points": NEW, "update_mode": "insert_only"}),
    ("upsert, present ones only", "PUT", "", m.PointsList, {"points": NEW, "update_mode": "update_only"}),
    ("columns", "PUT", "", m.PointsBatch, {"batch": COLUMNS, "update_filter": IF_ONE}),
    ("columns, new ones only", "PUT", "", m.PointsBatch, {"batch": COLUMNS, "update_mode": "insert_only"}),
    ("delete by id", "POST", "/delete", m.PointIdsList, {"points": [1, 2]}),
    ("delete by filter", "POST", "/delete", m.FilterSelector, {"filter": IF_ONE}),
    ("vectors", "PUT", "/vectors", m.UpdateVectors, {"points": VECTORS, "update_filter": IF_ONE}),
    ("delete vectors", "POST", "/vectors/delete", m.DeleteVectors, {"points": [1], "vector": ["d"]}),
    ("delete vectors by filter", "POST", "/vectors/delete", m.DeleteVectors, {"filter": IF_ONE, "vector": ["d"]}),
    ("set payload", "POST", "/payload", m.SetPayload, SET),
    ("set payload by filter", "POST", "/payload", m.SetPayload, {"payload": {"x": 1}, "filter": IF_ONE}),
    ("overwrite payload", "PUT", "/payload", m.SetPayload, {"payload": {"x": 1}, "points": [1]}),
    ("delete payload", "POST", "/payload/delete", m.DeletePayload, {"keys": ["k.c"], "points": [1]}),
    ("delete payload by filter", "POST", "/payload/delete", m.DeletePayload, {"keys": ["k.c"], "filter": IF_ONE}),
    ("clear payload", "POST", "/payload/clear", m.PointIdsList, {"points": [1]}),
    ("bm25", "PUT", "", m.PointsList, {"points": [{"id": 1, "vector": {"s": text({"k": 1.1, "b": 0.6, "avg_len": 4.0, "language": "german"})}}]}),
    ("bm25 in words", "PUT", "", m.PointsList, {"points": [{"id": 1, "vector": {"s": text({
        "tokenizer": "whitespace", "lowercase": False, "ascii_folding": True, "stopwords": {"custom": ["quick-fox"]}, "stemmer": {"type": "none"},
        "min_token_len": 2, "max_token_len": 9})}}]}),
    *((f"batch: {next(iter(step))}", "POST", "/batch", m.UpdateOperations, {"operations": [step]}) for step in (
        {"upsert": {"points": NEW, "update_filter": IF_ONE}}, {"upsert": {"batch": COLUMNS}}, {"delete": {"points": [1]}}, {"delete": {"filter": IF_ONE}},
        {"set_payload": SET}, {"overwrite_payload": {"payload": {"x": 1}, "points": [1]}}, {"delete_payload": {"keys": ["n"], "points": [1]}},
        {"clear_payload": {"points": [1]}}, {"update_vectors": {"points": VECTORS, "update_filter": IF_ONE}},
        {"delete_vectors": {"points": [1], "vector": ["d"]}})),
]

ALIASES = [
    {"actions": [{"create_alias": {"collection_name": "COLLECTION", "alias_name": "cover_new"}}]},
    {"actions": [{"delete_alias": {"alias_name": "cover_old"}}]},
    {"actions": [{"rename_alias": {"old_alias_name": "cover_old", "new_alias_name": "cover_newer"}}]},
]

# MARK: Recoveries: name, path, model, body

RECOVERIES = [(path, path, kind, {"location": "LOCATION", "priority": "replica", "checksum": "CHECKSUM", "api_key": "k"}) for path, kind in (
    ("", m.SnapshotRecover), ("/shards/0", m.ShardSnapshotRecover))]

# MARK: What is refused: name, verb, path, model, body

KEY = {"shard_key": "eu"}
BOTH = {"shard_key": {"target": "eu", "fallback": "us"}}
PICTURE = {"image": "http://127.0.0.1/a.png", "model": "clip", "options": {"a": 1}}
THING = {"object": {"a": 1}, "model": "any", "options": {"a": 1}}
MOVE = {"shard_id": 0, "to_peer_id": 1, "from_peer_id": 2}

REFUSALS = [
    *((path, "POST", f"/collections/{{c}}/{path}", kind, body) for path, kind, body in (
        ("points/query", m.QueryRequest, {**D, **KEY}), ("points/query", m.QueryRequest, {**D, **BOTH}),
        ("points/query", m.QueryRequest, {"query": 1, "using": "d", "lookup_from": {"collection": LOOKUP, **KEY}}),
        ("points/query/groups", m.QueryGroupsRequest, {**D, **GROUPS, **KEY}), ("points/scroll", m.ScrollRequest, KEY), ("points/count", m.CountRequest, KEY),
        ("points", m.PointRequest, {"ids": [1], **KEY}), ("facet", m.FacetRequest, {"key": "k", **KEY}),
        ("points/search/matrix/pairs", m.SearchMatrixRequest, {"using": "d", **KEY}),
        ("points/delete", m.PointIdsList, {"points": [1], **KEY}), ("points/delete", m.FilterSelector, {"filter": {}, **KEY}),
        ("points/payload", m.SetPayload, {"payload": {"a": 1}, "points": [1], **KEY}),
        ("points/payload/delete", m.DeletePayload, {"keys": ["a"], "points": [1], **KEY}),
        ("points/vectors/delete", m.DeleteVectors, {"points": [1], "vector": ["d"], **KEY}),
        ("points/query", m.QueryRequest, {"query": PICTURE, "using": "d"}), ("points/query", m.QueryRequest, {"query": THING, "using": "d"}),
        ("points/query", m.QueryRequest, {"query": {"nearest": PICTURE}, "using": "d"}),
        ("points/query", m.QueryRequest, {"query": {"text": {"query": "a b", "scoring": {"bm25": {"k": 1.0, "b": 0.5}}}}, "using": "t"}))),
    *((path, "PUT", f"/collections/{{c}}/points{path}", kind, body) for path, kind, body in (
        ("", m.PointsList, {"points": [{"id": 1, "vector": {"d": NEAR}}], **KEY}), ("", m.PointsBatch, {"batch": {"ids": [1], "vectors": {"d": [NEAR]}}, **KEY}),
        ("/vectors", m.UpdateVectors, {"points": [{"id": 1, "vector": {"d": NEAR}}], **KEY}),
        ("", m.PointsList, {"points": [{"id": 1, "vector": {"d": PICTURE}}]}), ("", m.PointsList, {"points": [{"id": 1, "vector": {"d": THING}}]}))),
    *(("quotas", "PUT", "/quotas", m.QuotaConfig, body) for body in (
        {"enabled": True}, {"enabled": True, "max_resident_memory_percent": 50, "max_disk_usage_percent": 90, "release_margin_percent": 4})),
    ("shard keys", "PUT", "/collections/{c}/shards", m.CreateShardingKey,
     {"shard_key": "eu", "shards_number": 2, "replication_factor": 1, "placement": [0], "initial_state": "Active"}),
    ("shard keys", "POST", "/collections/{c}/shards/delete", m.DropShardingKey, {"shard_key": "eu"}),
    *((next(iter(body)), "POST", "/collections/{c}/cluster", kind, body) for kind, body in (
        (m.MoveShardOperation, {"move_shard": {**MOVE, "method": "snapshot"}}), (m.ReplicateShardOperation, {"replicate_shard": {**MOVE, "method": "snapshot"}}),
        (m.AbortTransferOperation, {"abort_transfer": MOVE}), (m.DropReplicaOperation, {"drop_replica": {"shard_id": 0, "peer_id": 1}}),
        (m.CreateShardingKeyOperation, {"create_sharding_key": {"shard_key": 5}}), (m.DropShardingKeyOperation, {"drop_sharding_key": {"shard_key": 5}}),
        (m.RestartTransferOperation, {"restart_transfer": {**MOVE, "method": "wal_delta"}}),
        (m.StartReshardingOperation, {"start_resharding": {"direction": "up", "peer_id": 1, "shard_key": "eu"}}),
        (m.AbortReshardingOperation, {"abort_resharding": {}}),
        (m.ReplicatePointsOperation, {"replicate_points": {"filter": {}, "from_shard_key": "eu", "to_shard_key": "us"}}))),
]
