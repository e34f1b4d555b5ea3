"""Collections: create, get, list, exists, patch, delete; aliases; every default as it is echoed."""
import pytest
from qdrant_client import models


def test_defaults_are_echoed_exactly(rest, name):
    assert rest("PUT", f"/collections/{name}", {"vectors": {"size": 4, "distance": "Cosine"}}).result is True
    got = rest("GET", f"/collections/{name}").result
    assert got["status"] == "green" and got["optimizer_status"] == "ok"
    assert got["indexed_vectors_count"] == 0 and got["points_count"] == 0
    assert isinstance(got["segments_count"], int) and got["segments_count"] >= 1
    assert got["payload_schema"] == {} and got["update_queue"]["length"] == 0
    assert "warnings" not in got or got["warnings"] == []
    config = got["config"]
    assert config["params"] == {"vectors": {"size": 4, "distance": "Cosine"}, "shard_number": 1, "replication_factor": 1,
                                "write_consistency_factor": 1, "on_disk_payload": True}
    assert config["hnsw_config"] == {"m": 16, "ef_construct": 100, "full_scan_threshold": 10000, "max_indexing_threads": 0,
                                     "on_disk": False}
    optimizer = config["optimizer_config"]
    assert {k: optimizer[k] for k in ("deleted_threshold", "vacuum_min_vector_number", "default_segment_number",
                                      "indexing_threshold", "flush_interval_sec")} == {
        "deleted_threshold": 0.2, "vacuum_min_vector_number": 1000, "default_segment_number": 0, "indexing_threshold": 10000,
        "flush_interval_sec": 5}
    for key in ("max_segment_size", "memmap_threshold", "max_optimization_threads"):
        assert optimizer.get(key) is None
    assert config["wal_config"] == {"wal_capacity_mb": 32, "wal_segments_ahead": 0, "wal_retain_closed": 1}
    assert "quantization_config" in config and config["quantization_config"] is None
    assert config.get("metadata") is None


def test_the_clients_strict_models_read_it(client, name):
    assert client.create_collection(name, vectors_config=models.VectorParams(size=4, distance=models.Distance.DOT)) is True
    info = client.get_collection(name)
    assert info.status == models.CollectionStatus.GREEN and info.optimizer_status == "ok"
    assert info.config.params.vectors == models.VectorParams(size=4, distance=models.Distance.DOT)
    assert info.points_count == 0


def test_settings_given_are_echoed(rest, client, name):
    body = {
        "vectors": {"a": {"size": 3, "distance": "Euclid", "on_disk": True, "hnsw_config": {"m": 8}},
                    "b": {"size": 5, "distance": "Manhattan"}},
        "hnsw_config": {"m": 24, "ef_construct": 200, "full_scan_threshold": 2000, "max_indexing_threads": 2, "on_disk": True,
                        "payload_m": 12},
        "optimizers_config": {"deleted_threshold": 0.5, "vacuum_min_vector_number": 200, "default_segment_number": 3,
                              "max_segment_size": 50000, "indexing_threshold": 500, "flush_interval_sec": 2,
                              "max_optimization_threads": 1},
        "wal_config": {"wal_capacity_mb": 8, "wal_segments_ahead": 1},
        "quantization_config": {"scalar": {"type": "int8", "quantile": 0.99, "always_ram": True}},
        "on_disk_payload": False,
        "metadata": {"owner": "tests", "n": 1},
    }
    assert rest("PUT", f"/collections/{name}", body).result is True
    config = rest("GET", f"/collections/{name}").result["config"]
    assert config["params"]["vectors"] == body["vectors"]
    assert config["params"]["on_disk_payload"] is False
    assert config["hnsw_config"] == body["hnsw_config"]
    assert body["optimizers_config"].items() <= config["optimizer_config"].items()
    assert body["wal_config"].items() <= config["wal_config"].items()
    assert config["quantization_config"] == body["quantization_config"]
    assert config["metadata"] == body["metadata"]
    assert client.get_collection(name).config.quantization_config.scalar.quantile == pytest.approx(0.99)


@pytest.mark.parametrize("alias, kept", [("optimizer_config", "optimizers_config")])
def test_other_names_of_settings(rest, name, alias, kept):
    body = {"vectors": {"size": 2, "distance": "Dot"}, alias: {"indexing_threshold": 777}}
    assert rest("PUT", f"/collections/{name}", body).result is True
    assert rest("GET", f"/collections/{name}").result["config"]["optimizer_config"]["indexing_threshold"] == 777


def test_a_collection_without_vectors(rest, client, name):
    assert rest("PUT", f"/collections/{name}", {}).result is True
    client.upsert(name, [models.PointStruct(id=1, vector={}, payload={"a": 1})])
    assert client.retrieve(name, [1])[0].payload == {"a": 1}


def test_list_exists_delete(client, rest, name):
    assert client.collection_exists(name) is False
    assert rest("GET", f"/collections/{name}/exists").result == {"exists": False}
    client.create_collection(name, vectors_config=models.VectorParams(size=2, distance="Dot"))
    assert client.collection_exists(name) is True
    assert name in [c.name for c in client.get_collections().collections]
    assert client.delete_collection(name) is True
    assert client.collection_exists(name) is False
    assert rest("DELETE", f"/collections/{name}").result is False, "dropping what is not there is 200 with false"
    client.create_collection(name, vectors_config=models.VectorParams(size=3, distance="Dot"))
    assert client.get_collection(name).points_count == 0


def test_creating_twice_is_a_conflict(rest, name):
    body = {"vectors": {"size": 2, "distance": "Dot"}}
    assert rest("PUT", f"/collections/{name}", body).status == 200
    r = rest("PUT", f"/collections/{name}", body)
    assert r.status == 409 and r.error == f"Wrong input: Collection `{name}` already exists!"


def test_patch_merges_and_keeps_the_rest(client, rest, name):
    rest("PUT", f"/collections/{name}", {"vectors": {"size": 4, "distance": "Dot"}, "metadata": {"a": 1, "b": 2}})
    client.upsert(name, [models.PointStruct(id=i, vector=[1.0, 2, 3, float(i)]) for i in range(10)])
    r = rest("PATCH", f"/collections/{name}", {
        "optimizers_config": {"indexing_threshold": 123}, "hnsw_config": {"m": 20}, "params": {"on_disk_payload": False},
        "vectors": {"": {"on_disk": True, "hnsw_config": {"ef_construct": 64}}}, "metadata": {"b": None, "c": 3}})
    assert r.result is True
    config = rest("GET", f"/collections/{name}").result["config"]
    assert config["optimizer_config"]["indexing_threshold"] == 123 and config["optimizer_config"]["deleted_threshold"] == 0.2
    assert config["hnsw_config"]["m"] == 20 and config["hnsw_config"]["ef_construct"] == 100
    assert config["params"]["on_disk_payload"] is False
    assert config["params"]["vectors"]["on_disk"] is True
    assert config["params"]["vectors"]["hnsw_config"]["ef_construct"] == 64
    assert config["metadata"] == {"a": 1, "c": 3}
    assert client.count(name).count == 10


def test_patch_quantization_on_and_off(client, rest, name):
    client.create_collection(name, vectors_config=models.VectorParams(size=4, distance="Dot"))
    scalar = {"scalar": {"type": "int8"}}
    assert rest("PATCH", f"/collections/{name}", {"quantization_config": scalar}).result is True
    assert rest("GET", f"/collections/{name}").result["config"]["quantization_config"] == scalar
    assert rest("PATCH", f"/collections/{name}", {"quantization_config": "Disabled"}).result is True
    assert rest("GET", f"/collections/{name}").result["config"]["quantization_config"] is None


def test_patch_of_an_unknown_vector(client, rest, name):
    client.create_collection(name, vectors_config={"a": models.VectorParams(size=4, distance="Dot")})
    r = rest("PATCH", f"/collections/{name}", {"vectors": {"nope": {"on_disk": True}}})
    assert r.status == 400 and r.error == "Wrong input: Not existing vector name error: nope"


def test_patch_of_an_unknown_collection(rest):
    r = rest("PATCH", "/collections/not_there", {"optimizers_config": {"indexing_threshold": 1}})
    assert r.status == 404 and r.error == "Not found: Collection `not_there` doesn't exist!"


def test_aliases(client, rest, name):
    alias, other = f"{name}_alias", f"{name}_other"
    client.create_collection(name, vectors_config=models.VectorParams(size=2, distance="Dot"))
    client.upsert(name, [models.PointStruct(id=1, vector=[1.0, 2.0])])
    create = models.CreateAliasOperation(create_alias=models.CreateAlias(collection_name=name, alias_name=alias))
    assert client.update_collection_aliases([create]) is True
    assert [(a.alias_name, a.collection_name) for a in client.get_collection_aliases(name).aliases] == [(alias, name)]
    assert (alias, name) in [(a.alias_name, a.collection_name) for a in client.get_aliases().aliases]
    assert client.retrieve(alias, [1])[0].id == 1, "an alias reads"
    client.upsert(alias, [models.PointStruct(id=2, vector=[1.0, 2.0])])
    assert client.count(name).count == 2, "an alias writes"
    assert client.get_collection(alias).points_count == 2

    rename = models.RenameAliasOperation(rename_alias=models.RenameAlias(old_alias_name=alias, new_alias_name=other))
    assert client.update_collection_aliases([rename]) is True
    assert rest("GET", f"/collections/{alias}").status == 404
    assert client.count(other).count == 2
    delete = models.DeleteAliasOperation(delete_alias=models.DeleteAlias(alias_name=other))
    assert client.update_collection_aliases([delete]) is True
    assert client.get_collection_aliases(name).aliases == []


def test_an_alias_moves_in_one_step_and_goes_with_its_collection(client, name):
    second, alias = f"{name}_b", f"{name}_live"
    for n in (name, second):
        client.create_collection(n, vectors_config=models.VectorParams(size=2, distance="Dot"))
    client.upsert(second, [models.PointStruct(id=1, vector=[1.0, 2.0])])
    create = lambda n: models.CreateAliasOperation(create_alias=models.CreateAlias(collection_name=n, alias_name=alias))
    drop = models.DeleteAliasOperation(delete_alias=models.DeleteAlias(alias_name=alias))
    client.update_collection_aliases([create(name)])
    assert client.count(alias).count == 0
    client.update_collection_aliases([drop, create(second)])
    assert client.count(alias).count == 1
    client.delete_collection(second)
    assert alias not in [a.alias_name for a in client.get_aliases().aliases]


def test_a_set_of_alias_changes_is_all_or_nothing(client, rest, name):
    client.create_collection(name, vectors_config=models.VectorParams(size=2, distance="Dot"))
    r = rest("POST", "/collections/aliases", {"actions": [
        {"create_alias": {"collection_name": name, "alias_name": f"{name}_x"}},
        {"create_alias": {"collection_name": "not_there", "alias_name": f"{name}_y"}}]})
    assert r.status == 404 and r.error == "Not found: Collection `not_there` doesn't exist!"
    assert client.get_collection_aliases(name).aliases == []


@pytest.mark.parametrize("good", ["a", "with space", "ünïcode", "x" * 255, "dots.and-dashes_1"])
def test_names_that_are_allowed(rest, good):
    import urllib.parse
    path = "/collections/" + urllib.parse.quote(good)
    try:
        assert rest("PUT", path, {"vectors": {"size": 2, "distance": "Dot"}}).result is True
        assert good in [c["name"] for c in rest("GET", "/collections").result["collections"]]
        assert rest("GET", path).status == 200
    finally:
        assert rest("DELETE", path).result is True


@pytest.mark.parametrize("bad", ["a<b", "a>b", "a:b", 'a"b', "a\\b", "a|b", "a?b", "a*b", "a/b", "x" * 256, "a\0b", "a\x1fb"])
def test_names_that_are_not(rest, bad):
    import urllib.parse
    r = rest("PUT", "/collections/" + urllib.parse.quote(bad, safe=""), {"vectors": {"size": 2, "distance": "Dot"}})
    assert r.status in (400, 404, 422), r.body
    assert bad not in [c["name"] for c in rest("GET", "/collections").result["collections"]]
