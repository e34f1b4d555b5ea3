"""Every setting the official client knows is accepted, kept and shown; each is tried alone, on a collection that has nothing else."""
import pytest
from client_models import MISSING, at, body, leaves
from coverage_lists import REFUSED, WITHOUT_EFFECT, entry
from qdrant_client.http.models import models as m

# Values that the annotations do not say: within the bounds, and not the defaults.
VALUES = {
    "VectorParams.size": [7], "DenseVectorConfig.size": [7], "HnswConfigDiff.m": [0, 24], "StrictModeConfig.max_resident_memory_percent": [70],
    "StopwordsSet.languages": [["english", "german"]], "StopwordsSet.custom": [["foo", "bar"]], "TextIndexParams.min_token_len": [3],
    "IntegerIndexParams.lookup": [True, False], "HnswConfigDiff.full_scan_threshold": [10, 500],
}
# What must stand beside a field for its body to be whole.
REQUIRED = {
    "VectorParams": {"size": 4, "distance": "Dot"}, "DenseVectorConfig": {"size": 4, "distance": "Dot"}, "ScalarQuantizationConfig": {"type": "int8"},
    "ProductQuantizationConfig": {"compression": "x16"},
    "CreateFieldIndex": {"field_name": "f", "field_schema": "keyword"}, "SnowballParams": {"type": "snowball", "language": "english"},
    **{f"{kind.title()}IndexParams": {"type": kind} for kind in ("keyword", "integer", "float", "geo", "text", "bool", "datetime", "uuid")},
}
# Where GET shows what has another place in the request.
PLACES = {"optimizers_config": ("optimizer_config",), "vectors": ("params", "vectors"), "sparse_vectors": ("params", "sparse_vectors"),
          **{key: ("params", key) for key in ("shard_number", "sharding_method", "replication_factor", "write_consistency_factor",
                                              "on_disk_payload", "payload")}}
BASE = {"vectors": {"a": {"size": 4, "distance": "Dot"}}, "sparse_vectors": {"s": {}}}


def cases(root):
    """All settings under a model, each with what is expected of it."""
    for field, path, value in leaves(root, VALUES):
        names = [f"{model.__name__}.{key}" for model, key in path if model is not None]
        refused = any(entry(REFUSED, n) for n in names) or entry(REFUSED, field, value)
        yield pytest.param(path, value, bool(refused), id=".".join(str(key) for _, key in path) + f"={value}")


def keys(path):
    return tuple(key for _, key in path)


def kept(rest, name):
    return rest("GET", f"/collections/{name}").result["config"]


def check_refused(r):
    assert r.status in (400, 405, 422, 501) and r.error, r.body


def shown(config, path):
    """What a configuration shows at the path of a request."""
    return at(config, (*PLACES.get(path[0], (path[0],)), *path[1:]))


@pytest.mark.parametrize("path, value, refused", list(cases(m.CreateCollection)))
def test_settings_of_a_new_collection(rest, name, path, value, refused):
    # The name that the sparse vector of a case gets is taken by a dense one in BASE.
    base = {} if path[0][1] == "sparse_vectors" else BASE
    request = {**base, **body(path, value, REQUIRED)}
    r = rest("PUT", f"/collections/{name}", request)
    if refused:
        check_refused(r)
        assert rest("GET", f"/collections/{name}").status == 404
        return
    assert r.result is True
    got = shown(kept(rest, name), keys(path))
    assert got == (None if keys(path)[-1] == "max_optimization_threads" and value == "auto" else value)


def changed(rest, name, path, value):
    request = body(path, value, REQUIRED)
    # What it is changed from is something else, so that keeping the old value is seen.
    if value == "Disabled":
        assert rest("PATCH", f"/collections/{name}", body(path, {"scalar": {"type": "int8"}}, {})).result is True
    if isinstance(value, bool):
        assert rest("PATCH", f"/collections/{name}", body(path, not value, REQUIRED)).result is True
    return rest("PATCH", f"/collections/{name}", request)


@pytest.mark.parametrize("path, value, refused", list(cases(m.UpdateCollection)))
def test_changes_of_settings(rest, name, path, value, refused):
    base = {"sparse_vectors": {"a": {}}} if keys(path)[0] == "sparse_vectors" else BASE
    assert rest("PUT", f"/collections/{name}", base).result is True
    before = kept(rest, name)
    if refused:
        check_refused(rest("PATCH", f"/collections/{name}", body(path, value, REQUIRED)))
        assert kept(rest, name) == before
        return
    assert changed(rest, name, path, value).result is True
    got = shown(kept(rest, name), keys(path))
    if value in ("Disabled", "auto"):
        assert got in (None, MISSING)
    else:
        assert got == value
    # And once more without anything: what was set stays.
    assert rest("PATCH", f"/collections/{name}", {}).result is True
    assert shown(kept(rest, name), keys(path)) == got


@pytest.mark.parametrize("path, value, refused", list(cases(m.CreateFieldIndex)))
def test_options_of_field_indexes(rest, name, path, value, refused):
    assert rest("PUT", f"/collections/{name}", {"vectors": {"size": 2, "distance": "Dot"}}).result is True
    request = body(path, value, REQUIRED)
    r = rest("PUT", f"/collections/{name}/index?wait=true", request)
    schema = rest("GET", f"/collections/{name}").result["payload_schema"]
    if refused:
        check_refused(r)
        assert schema == {}
        return
    assert r.result["status"] == "completed"
    got = schema[request["field_name"]]
    asked = request["field_schema"]
    assert got["data_type"] == (asked if isinstance(asked, str) else asked["type"])
    assert got["points"] == 0
    if isinstance(asked, dict):
        assert got["params"] == asked
        m.PayloadIndexInfo.model_validate(got)
    # The same again does nothing; an empty index is dropped as it was made.
    assert rest("PUT", f"/collections/{name}/index?wait=true", request).status == 200
    assert rest("GET", f"/collections/{name}").result["payload_schema"] == schema


@pytest.mark.parametrize("path, value, refused", [*cases(m.DenseVectorNameConfig), *cases(m.SparseVectorNameConfig)])
def test_vectors_added_to_a_collection(rest, name, path, value, refused):
    assert rest("PUT", f"/collections/{name}", BASE).result is True
    r = rest("PUT", f"/collections/{name}/vectors/added?wait=true", body(path, value, REQUIRED))
    params = kept(rest, name)["params"]
    if refused:
        check_refused(r)
        assert "added" not in str(params)
        return
    assert r.result["status"] == "completed"
    if keys(path)[0] == "dense":
        assert at(params, ("vectors", "added", *keys(path)[1:])) == value
    else:
        of_index = keys(path)[-1] == "datatype"
        assert at(params, ("sparse_vectors", "added", *(("index",) if of_index else ()), keys(path)[-1])) == value


# MARK: Other names, and the rules between settings

@pytest.mark.parametrize("given, kept_as", [
    ({"optimizer_config": {"indexing_threshold": 777}}, {"optimizer_config": {"indexing_threshold": 777}}),
    ({"optimizers_config": {"indexing_threshold_kb": 778}}, {"optimizer_config": {"indexing_threshold": 778}}),
    ({"optimizers_config": {"max_segment_size_kb": 779}}, {"optimizer_config": {"max_segment_size": 779}}),
    ({"optimizers_config": {"memmap_threshold_kb": 780}}, {"optimizer_config": {"memmap_threshold": 780}}),
    ({"hnsw_config": {"full_scan_threshold_kb": 781}}, {"hnsw_config": {"full_scan_threshold": 781}}),
    ({"quantization": {"scalar": {"type": "int8"}}}, {"quantization_config": {"scalar": {"type": "int8"}}}),
], ids=str)
@pytest.mark.parametrize("verb", ["PUT", "PATCH"])
def test_other_names_of_settings(rest, name, verb, given, kept_as):
    if verb == "PATCH":
        assert rest("PUT", f"/collections/{name}", BASE).result is True
    assert rest(verb, f"/collections/{name}", {**(BASE if verb == "PUT" else {}), **given}).result is True
    (part, value), = kept_as.items()
    assert value.items() <= kept(rest, name)[part].items()


def test_other_names_in_requests(rest, name):
    assert rest("PUT", f"/collections/{name}", {"vectors": {"size": 2, "distance": "Dot"}}).result is True
    assert rest("PUT", f"/collections/{name}/points?wait=true", {"points": [{"id": 1, "vectors": [1, 2]}, {"id": 2, "vector": [2, 3]}]}).status == 200
    found = rest("POST", f"/collections/{name}/points/search", {"vector": [1, 1], "top": 1, "with_vectors": True}).result
    assert [p["vector"] for p in found] == [[2.0, 3.0]]
    found = rest("POST", f"/collections/{name}/points/scroll", {"limit": 1, "with_vectors": True}).result["points"]
    assert [p["vector"] for p in found] == [[1.0, 2.0]]
    assert rest("PUT", f"/collections/{name}/index?wait=true", {"field_name": "f", "field_type": "integer"}).status == 200
    assert rest("GET", f"/collections/{name}").result["payload_schema"]["f"]["data_type"] == "integer"


def test_metadata_is_merged_and_null_takes_a_key_away(rest, name):
    assert rest("PUT", f"/collections/{name}", {**BASE, "metadata": {"a": 1, "b": {"c": [None]}, "d": "x"}}).result is True
    assert rest("PATCH", f"/collections/{name}", {"metadata": {"a": None, "b": {"e": 2}, "not_there": None}}).result is True
    assert kept(rest, name)["metadata"] == {"b": {"e": 2}, "d": "x"}


def test_a_null_in_a_change_leaves_a_setting_as_it_is(rest, name):
    settings = {"hnsw_config": {"m": 20, "memory": "cold"}, "optimizers_config": {"indexing_threshold": 5, "max_segment_size": 7},
                "strict_mode_config": {"max_query_limit": 5}, "wal_config": {"wal_capacity_mb": 3}, "payload": {"memory": "cached"}}
    assert rest("PUT", f"/collections/{name}", {**BASE, **settings}).result is True
    before = kept(rest, name)
    assert rest("PATCH", f"/collections/{name}", {
        "hnsw_config": {"m": None, "memory": None}, "optimizers_config": {"indexing_threshold": None, "max_segment_size": None},
        "strict_mode_config": {"max_query_limit": None}, "params": {"payload": {"memory": None}, "on_disk_payload": None},
        "vectors": {"a": {"memory": None, "on_disk": None}}, "metadata": None, "quantization_config": None}).result is True
    assert kept(rest, name) == before


def test_settings_are_the_same_after_a_restart(server):
    from rest import Rest
    rest = Rest(server.url)
    settings = {
        "vectors": {"a": {"size": 4, "distance": "Dot", "memory": "cold", "on_disk": False, "hnsw_config": {"memory": "pinned", "inline_storage": True},
                          "quantization_config": {"scalar": {"type": "int8", "memory": "cached"}}},
                    "b": {"size": 2, "distance": "Dot", "datatype": "float16", "multivector_config": {"comparator": "max_sim"}}},
        "sparse_vectors": {"s": {"index": {"memory": "cold", "on_disk": False, "datatype": "uint8", "full_scan_threshold": 9}, "modifier": "idf"}},
        "payload": {"memory": "cached"}, "on_disk_payload": True, "sharding_method": "auto",
        "hnsw_config": {"memory": "cold", "on_disk": False, "payload_m": 4}, "quantization_config": {"scalar": {"type": "int8", "memory": "pinned"}},
        "strict_mode_config": {"enabled": True, "multivector_config": {"b": {"max_vectors": 3}}, "sparse_config": {"s": {"max_length": 4}}},
        "metadata": {"k": [1, {"x": None}]}}
    assert rest("PUT", "/collections/c", settings).result is True
    assert rest("PATCH", "/collections/c", {"params": {"read_fan_out_factor": 3, "read_fan_out_delay_ms": 50}}).result is True
    index = {"type": "keyword", "is_tenant": True, "prefix": True, "memory": "cached", "enable_hnsw": False, "on_disk": True}
    assert rest("PUT", "/collections/c/index?wait=true", {"field_name": "k", "field_schema": index}).status == 200
    before = rest("GET", "/collections/c").result
    for part in ("vectors", "sparse_vectors", "payload", "on_disk_payload", "sharding_method"):
        assert before["config"]["params"][part] == settings[part]
    assert before["payload_schema"]["k"]["params"] == index
    server.restart()
    assert Rest(server.url)("GET", "/collections/c").result == before


@pytest.mark.parametrize("vector, quantization, ends", [
    ({}, None, "requires quantization to be enabled. This option will be ignored."),
    ({"multivector_config": {"comparator": "max_sim"}}, {"scalar": {"type": "int8"}}, "is not compatible with multivectors. This option will be ignored."),
    ({}, {"scalar": {"type": "int8"}}, "has an effect only on a graph on disk. This option will be ignored."),
    ({"hnsw_config": {"on_disk": True}}, {"scalar": {"type": "int8"}}, "has an effect only with quantized vectors on disk. This option will be ignored."),
    ({"hnsw_config": {"on_disk": True}, "on_disk": True}, {"scalar": {"type": "int8"}}, None)])
def test_warnings_of_inline_storage(rest, name, vector, quantization, ends):
    settings = {"vectors": {"a": {"size": 4, "distance": "Dot", **vector}}, "hnsw_config": {"inline_storage": True}, "quantization_config": quantization}
    assert rest("PUT", f"/collections/{name}", settings).result is True
    expected_warnings = ends and [{"message": f"The `hnsw_config.inline_storage` option for vector 'a' {ends}"}]
    assert rest("GET", f"/collections/{name}").result.get("warnings") == expected_warnings


def test_options_that_an_index_does_not_have_are_not_shown(rest, client, name):
    assert rest("PUT", f"/collections/{name}", {"vectors": {"size": 2, "distance": "Dot"}}).result is True
    schema = {"type": "bool", "is_tenant": True, "lookup": True, "unheard_of": 1, "on_disk": None, "memory": "cold"}
    assert rest("PUT", f"/collections/{name}/index?wait=true", {"field_name": "f", "field_schema": schema}).status == 200
    assert rest("GET", f"/collections/{name}").result["payload_schema"]["f"]["params"] == {"type": "bool", "memory": "cold"}
    assert client.get_collection(name).payload_schema["f"].params.memory == m.Memory.COLD


def test_an_empty_change_takes_a_vectors_own_graph_away(rest, name):
    assert rest("PUT", f"/collections/{name}", {"vectors": {"a": {"size": 4, "distance": "Dot", "hnsw_config": {"m": 8}}}}).result is True
    assert rest("PATCH", f"/collections/{name}", {"vectors": {"a": {"hnsw_config": {"ef_construct": 50}}}}).result is True
    assert kept(rest, name)["params"]["vectors"]["a"]["hnsw_config"] == {"m": 8, "ef_construct": 50}
    assert rest("PATCH", f"/collections/{name}", {"vectors": {"a": {"hnsw_config": {}}}}).result is True
    assert "hnsw_config" not in kept(rest, name)["params"]["vectors"]["a"]
