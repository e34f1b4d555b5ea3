"""Every refusal: status, text and envelope."""
import pytest
from qdrant_client import models

VECTOR = {"vectors": {"size": 4, "distance": "Dot"}}
NO = "Not found: Collection `not_there` doesn't exist!"


@pytest.fixture
def col(client, name):
    client.create_collection(name, vectors_config=models.VectorParams(size=4, distance="Dot"))
    client.upsert(name, [models.PointStruct(id=1, vector=[1.0, 2, 3, 4], payload={"a": 1})])
    return name


@pytest.fixture
def named(client, name):
    client.create_collection(name, vectors_config={"a": models.VectorParams(size=2, distance="Dot")})
    return name


@pytest.mark.parametrize("method, path, body", [
    ("GET", "", None), ("PATCH", "", {}), ("GET", "/points/1", None), ("POST", "/points", {"ids": [1]}),
    ("PUT", "/points", {"points": [{"id": 1, "vector": [1]}]}), ("POST", "/points/delete", {"points": [1]}),
    ("PUT", "/points/vectors", {"points": [{"id": 1, "vector": [1]}]}),
    ("POST", "/points/vectors/delete", {"points": [1], "vector": ["a"]}),
    ("POST", "/points/payload", {"payload": {"a": 1}, "points": [1]}), ("PUT", "/points/payload", {"payload": {"a": 1}, "points": [1]}),
    ("POST", "/points/payload/delete", {"keys": ["a"], "points": [1]}), ("POST", "/points/payload/clear", {"points": [1]}),
    ("POST", "/points/batch", {"operations": [{"delete": {"points": [1]}}]}), ("POST", "/points/scroll", {}), ("POST", "/points/count", {}),
    ("POST", "/points/query", {"query": [1]}), ("POST", "/points/query/batch", {"searches": [{"query": [1]}]}),
    ("POST", "/points/search", {"vector": [1], "limit": 1}), ("PUT", "/index", {"field_name": "a", "field_schema": "keyword"}),
    ("DELETE", "/index/a", None), ("GET", "/aliases", None)])
def test_unknown_collection(rest, method, path, body):
    r = rest(method, "/collections/not_there" + path, body)
    assert (r.status, r.error) == (404, NO)


def test_dimension(rest, client, col):
    text = "Wrong input: Vector dimension error: expected dim: 4, got 3"
    for wait in ("true", "false"):
        r = rest("PUT", f"/collections/{col}/points?wait={wait}", {"points": [{"id": 2, "vector": [1, 2, 3, 4]}, {"id": 3, "vector": [1, 2, 3]}]})
        assert (r.status, r.error) == (400, text)
    r = rest("PUT", f"/collections/{col}/points?wait=true", {"batch": {"ids": [2], "vectors": [[1, 2, 3]]}})
    assert (r.status, r.error) == (400, text)
    r = rest("PUT", f"/collections/{col}/points/vectors?wait=true", {"points": [{"id": 1, "vector": [1, 2, 3]}]})
    assert (r.status, r.error) == (400, text)
    for path, body in (("query", {"query": [1, 2, 3]}), ("search", {"vector": [1, 2, 3], "limit": 1})):
        r = rest("POST", f"/collections/{col}/points/{path}", body)
        assert (r.status, r.error) == (400, text)
    assert client.count(col).count == 1 and client.retrieve(col, [1], with_vectors=True)[0].vector == [1, 2, 3, 4]


def test_dimension_of_a_named_vector(rest, named):
    r = rest("PUT", f"/collections/{named}/points?wait=true", {"points": [{"id": 1, "vector": {"a": [1, 2, 3]}}]})
    assert r.status == 400
    assert r.error == "Wrong input: Vector dimension error: expected dim: 2, got 3 for vector 'a'"


def test_unknown_vector_name(rest, named):
    base, text = f"/collections/{named}/points", "Wrong input: Not existing vector name error: zzz"
    for method, path, body in (
            ("PUT", "?wait=true", {"points": [{"id": 1, "vector": {"zzz": [1, 2]}}]}),
            ("PUT", "/vectors?wait=true", {"points": [{"id": 1, "vector": {"zzz": [1, 2]}}]}),
            ("POST", "/query", {"query": [1, 2], "using": "zzz"}),
            ("POST", "/search", {"vector": {"name": "zzz", "vector": [1, 2]}, "limit": 1})):
        r = rest(method, base + path, body)
        assert (r.status, r.error) == (400, text), path
    rest("PUT", base + "?wait=true", {"points": [{"id": 1, "vector": {"a": [1, 2]}}]})
    r = rest("POST", base + "/vectors/delete?wait=true", {"points": [1], "vector": ["zzz"]})
    assert (r.status, r.error) == (400, text)
    for path, body in (("", {"ids": [1], "with_vector": ["zzz"]}), ("/scroll", {"with_vector": ["zzz"]}),
                       ("/query", {"query": [1, 2], "using": "a", "with_vector": ["zzz"]})):
        r = rest("POST", base + path, body)
        assert r.status == 400 and "zzz" in r.error, path


def test_an_unnamed_vector_where_all_have_names(rest, named):
    r = rest("PUT", f"/collections/{named}/points?wait=true", {"points": [{"id": 1, "vector": [1, 2]}]})
    assert r.status == 400 and r.error.startswith("Wrong input: ")
    r = rest("POST", f"/collections/{named}/points/query", {"query": [1, 2]})
    assert r.status == 400 and r.error.startswith("Wrong input: ")


def test_unknown_points(rest, col):
    text = "Not found: No point with id 77 found"
    for method, path, body in (("PUT", "vectors?wait=true", {"points": [{"id": 77, "vector": [1, 2, 3, 4]}]}),
                               ("POST", "payload?wait=true", {"payload": {"a": 1}, "points": [77]}),
                               ("POST", "query", {"query": 77})):
        r = rest(method, f"/collections/{col}/points/{path}", body)
        assert (r.status, r.error) == (404, text), path
    assert rest("POST", f"/collections/{col}/points/delete?wait=true", {"points": [77]}).status == 200


MALFORMED = [b"", b"{", b'{"points": [', b"not json", b'{"a": 1,}', b"[1 2]", b'{"a" 1}', b'"\x80\xff"', b'{"limit": 01}', b'{"limit": 5} x', b"\0"]


@pytest.mark.parametrize("body", MALFORMED, ids=repr)
def test_malformed_json(rest, col, body):
    for method, path in (("PUT", "points"), ("POST", "points/scroll"), ("POST", "points/query")):
        r = rest(method, f"/collections/{col}/{path}", body)
        assert r.status == 400 and r.error.startswith("Format error in JSON body: "), path


@pytest.mark.parametrize("method, path, body", [
    ("PUT", "points", {"points": 5}), ("PUT", "points", {"points": [{"vector": [1]}]}), ("PUT", "points", {}),
    ("PUT", "points", {"points": [{"id": 2, "vector": "x"}]}), ("PUT", "points", {"points": [{"id": 2, "vector": [1, 2, "3", 4]}]}),
    ("PUT", "points", {"points": [{"id": 2, "vector": [1, 2, None, 4]}]}), ("PUT", "points", {"points": [{"id": 2}]}),
    ("PUT", "points", {"points": [{"id": 2, "vector": [1, 2, 3, 4], "payload": 5}]}),
    ("POST", "points/scroll", {"limit": "ten"}), ("POST", "points/scroll", {"limit": -1}), ("POST", "points/scroll", {"limit": 1.5}),
    ("POST", "points/scroll", []), ("POST", "points/scroll", {"filter": {"must": 5}}),
    ("POST", "points/scroll", {"filter": {"musst": []}}), ("POST", "points/scroll", {"filter": {"must": [{"key": "a", "match": {"x": 1}}]}}),
    ("POST", "points/scroll", {"filter": {"must": [{"key": "a", "match": {"value": {}}}]}}),
    ("POST", "points/scroll", {"filter": {"must": [{"key": "a", "match": {"any": [1, "a"]}}]}}),
    ("POST", "points/scroll", {"filter": {"must": [{"key": "a", "range": {"gt": [1]}}]}}),
    ("POST", "points/scroll", {"with_payload": {"exclude": ["a"], "zzz": 1}}),
    ("POST", "points/query", {"query": {"zzz": 1}}), ("POST", "points/query", {"query": True}),
    ("POST", "points/delete", {}), ("POST", "points/payload", {"payload": [1], "points": [1]}),
    ("POST", "points/batch", {"operations": [{"zzz": {}}]}), ("POST", "points/search", {"limit": 5})], ids=str)
def test_wrong_type_in_a_body(rest, client, col, method, path, body):
    r = rest(method, f"/collections/{col}/{path}", body)
    assert r.status == 400 and r.error.startswith(("Format error in JSON body: ", "Deserialize error in JSON body: "))
    assert client.count(col).count == 1


@pytest.mark.parametrize("body", [
    {"vectors": {"size": 4}}, {"vectors": {"size": 4, "distance": "Taxi"}}, {"vectors": {"size": "4", "distance": "Dot"}},
    {"vectors": {"size": -1, "distance": "Dot"}}, {"vectors": 5},
    {"vectors": {"size": 4, "distance": "Dot"}, "hnsw_config": {"m": -1}}], ids=str)
def test_wrong_type_in_create(rest, name, body):
    r = rest("PUT", f"/collections/{name}", body)
    assert r.status == 400 and r.error.startswith(("Format error in JSON body: ", "Deserialize error in JSON body: "))
    assert rest("GET", f"/collections/{name}").status == 404


VALIDATION = "Validation error in JSON body: "


@pytest.mark.parametrize("body, text", [
    ({"vectors": {"size": 65537, "distance": "Dot"}}, "[vectors.size: value 65537 invalid, must be from 1 to 65536]"),
    ({"vectors": {"size": 0, "distance": "Dot"}}, "[vectors.size: value 0 invalid, must be from 1 to 65536]"),
    ({"vectors": {"a": {"size": 0, "distance": "Dot"}}}, "[vectors.?.size: value 0 invalid, must be from 1 to 65536]"),
    ({**VECTOR, "hnsw_config": {"ef_construct": 3}}, "[hnsw_config.ef_construct: value 3 invalid, must be 4 or larger]"),
    ({**VECTOR, "hnsw_config": {"full_scan_threshold": 9}}, "[hnsw_config.full_scan_threshold: value 9 invalid, must be 10 or larger]"),
    ({**VECTOR, "optimizers_config": {"vacuum_min_vector_number": 99}},
     "[optimizers_config.vacuum_min_vector_number: value 99 invalid, must be 100 or larger]"),
    ({**VECTOR, "wal_config": {"wal_capacity_mb": 0}}, "[wal_config.wal_capacity_mb: value 0 invalid, must be 1 or larger]"),
], ids=lambda x: x if isinstance(x, str) else "")
def test_values_out_of_range_in_create(rest, name, body, text):
    r = rest("PUT", f"/collections/{name}", body)
    assert (r.status, r.error) == (422, VALIDATION + text)
    assert rest("GET", f"/collections/{name}").status == 404


@pytest.mark.parametrize("body", [
    {**VECTOR, "optimizers_config": {"deleted_threshold": 1.5}}, {**VECTOR, "optimizers_config": {"max_segment_size": 0}},
    {**VECTOR, "quantization_config": {"scalar": {"type": "int8", "quantile": 0.3}}}, {**VECTOR, "shard_number": 0},
    {"vectors": {"size": 4, "distance": "Dot", "memory": "pinned"}}, {**VECTOR, "replication_factor": 0}], ids=str)
def test_other_values_out_of_range_in_create(rest, name, body):
    r = rest("PUT", f"/collections/{name}", body)
    assert r.status in (400, 422) and r.error
    assert rest("GET", f"/collections/{name}").status == 404


def test_values_out_of_range_in_points(rest, client, col):
    base = f"/collections/{col}/points"
    r = rest("POST", base + "/query", {"query": [1, 2, 3, 4], "limit": 0})
    assert (r.status, r.error) == (422, VALIDATION + "[internal.limit: value 0 invalid, must be 1 or larger]")
    for path, body in (("/scroll", {"limit": 0}), ("/search", {"vector": [1, 2, 3, 4], "limit": 0}),
                       ("/query/batch", {"searches": [{"query": [1, 2, 3, 4], "limit": 0}]})):
        r = rest("POST", base + path, body)
        assert r.status == 422 and r.error.startswith(VALIDATION) and "limit: value 0 invalid, must be 1 or larger" in r.error, path
    for params in ({"hnsw_ef": 0}, {"quantization": {"oversampling": 0.5}}):
        r = rest("POST", base + "/query", {"query": [1, 2, 3, 4], "params": params})
        assert r.status == 422 and r.error.startswith(VALIDATION)
    r = rest("PUT", base + "/vectors?wait=true", {"points": [{"id": 1, "vector": {}}]})
    assert (r.status, r.error) == (422, VALIDATION + "[points[0].vector: must specify vectors to update for point]")
    r = rest("PUT", base + "?wait=true", {"points": [{"id": 2, "vector": []}]})
    assert r.status == 422 and "dense vector must not be empty" in r.error
    r = rest("POST", base + "/scroll", {"filter": {"must": [{"key": "a"}]}})
    assert r.status == 422 and "At least one field condition must be specified" in r.error
    r = rest("POST", base + "/scroll", {"filter": {"min_should": {"conditions": [], "min_count": 0}}})
    assert r.status in (400, 422)
    assert client.count(col).count == 1


def test_queries_that_lack_a_query(rest, col):
    path = f"/collections/{col}/points/query"
    r = rest("POST", path, {"score_threshold": 0.5})
    assert (r.status, r.error) == (400, "Bad request: A query is needed to use the score_threshold. "
                                        "Can't have score_threshold without defining a query.")
    r = rest("POST", path, {"prefetch": [{"query": [1, 2, 3, 4]}]})
    assert r.status == 400 and r.error.startswith("Bad request: "), "never answered as if there were no prefetch"


def test_one_bad_request_fails_a_query_batch(rest, col):
    r = rest("POST", f"/collections/{col}/points/query/batch", {"searches": [{"query": [1, 2, 3, 4]}, {"query": [1]}]})
    assert r.status == 400 and r.error == "Wrong input: Vector dimension error: expected dim: 4, got 1"


def test_batch_form_whose_lengths_disagree(rest, client, col):
    for batch in ({"ids": [2, 3], "vectors": [[1, 2, 3, 4]]}, {"ids": [2], "vectors": [[1, 2, 3, 4]], "payloads": [{}, {}]},
                  {"ids": [2], "vectors": {"": [[1, 2, 3, 4], [1, 2, 3, 4]]}}):
        r = rest("PUT", f"/collections/{col}/points?wait=true", {"batch": batch})
        assert r.status in (400, 422) and r.error
    assert client.count(col).count == 1


def test_a_bad_point_in_a_list_stops_all_of_it(rest, client, col):
    points = [{"id": i, "vector": [1, 2, 3, 4]} for i in range(10, 20)] + [{"id": 20, "vector": [1, 2, 3, 4, 5]}]
    assert rest("PUT", f"/collections/{col}/points?wait=true", {"points": points}).status == 400
    assert client.count(col).count == 1


def test_bad_key_paths(rest, col):
    for key in ("", "a..b", "a[", "a[x]", ".a", "a."):
        r = rest("POST", f"/collections/{col}/points/scroll", {"filter": {"must": [{"key": key, "match": {"value": 1}}]}})
        assert r.status in (400, 422) and r.error, key


def test_bad_query_parameters(rest, col):
    for query in ("wait=maybe", "ordering=strongest"):
        r = rest("PUT", f"/collections/{col}/points?{query}", {"points": [{"id": 2, "vector": [1, 2, 3, 4]}]})
        assert r.status in (400, 422), query


def test_the_client_raises_its_own_errors(client):
    from qdrant_client.http.exceptions import UnexpectedResponse
    with pytest.raises(UnexpectedResponse) as e:
        client.count("not_there")
    assert e.value.status_code == 404 and "Not found: Collection `not_there`" in str(e.value)
