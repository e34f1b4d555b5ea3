"""Search: metrics, thresholds, paging, selectors, batches, the legacy form."""
import numpy as np
import pytest
from qdrant_client import models

N, DIM = 300, 9
rng = np.random.default_rng(11)
VECTORS = rng.normal(size=(N, DIM)).astype(np.float32)
QUERY = rng.normal(size=DIM).astype(np.float32)


def scores(metric, vectors=VECTORS, query=QUERY):
    v, q = vectors.astype(np.float64), query.astype(np.float64)
    if metric == "Cosine":
        return (v @ q) / np.linalg.norm(v, axis=1) / np.linalg.norm(q)
    if metric == "Dot":
        return v @ q
    return np.sqrt(((v - q) ** 2).sum(1)) if metric == "Euclid" else np.abs(v - q).sum(1)


def ranking(metric, s):
    return [int(i) for i in np.argsort(s if metric in ("Euclid", "Manhattan") else -s, kind="stable")]


METRICS = ["Cosine", "Dot", "Euclid", "Manhattan"]


@pytest.fixture(scope="module")
def loaded(client):
    names = {m: f"metric_{m}" for m in METRICS}
    for metric, n in names.items():
        client.delete_collection(n)
        client.create_collection(n, vectors_config=models.VectorParams(size=DIM, distance=metric))
        client.upsert(n, [models.PointStruct(id=i, vector=VECTORS[i].tolist(), payload={"n": i, "third": i % 3}) for i in range(N)])
    yield names
    for n in names.values():
        client.delete_collection(n)


@pytest.fixture
def dot(loaded):
    return loaded["Dot"]


def post(rest, name, body, path="points/query"):
    return rest("POST", f"/collections/{name}/{path}", body).result


@pytest.mark.parametrize("metric", METRICS)
def test_scores_and_order(client, loaded, metric):
    s = scores(metric)
    found = client.query_points(loaded[metric], QUERY.tolist(), limit=50).points
    assert [p.id for p in found] == ranking(metric, s)[:50]
    assert [p.score for p in found] == pytest.approx([s[p.id] for p in found], rel=1e-5, abs=1e-5)


@pytest.mark.parametrize("metric", METRICS)
def test_score_threshold_is_strict(rest, loaded, metric):
    order = ranking(metric, scores(metric))
    at = post(rest, loaded[metric], {"query": QUERY.tolist(), "limit": 20})["points"][9]["score"]
    got = post(rest, loaded[metric], {"query": QUERY.tolist(), "limit": 20, "score_threshold": at})["points"]
    assert [p["id"] for p in got] == order[:9], "the tenth itself is left out"


def test_strictness_on_round_numbers(rest, client, name):
    client.create_collection(name, vectors_config=models.VectorParams(size=2, distance="Euclid"))
    client.upsert(name, [models.PointStruct(id=i, vector=[float(i), 0.0]) for i in range(5)])
    got = post(rest, name, {"query": [0, 0], "score_threshold": 2.0})["points"]
    assert [(p["id"], p["score"]) for p in got] == [(0, 0.0), (1, 1.0)]


def test_shape_and_defaults(rest, dot):
    got = post(rest, dot, {"query": QUERY.tolist()})["points"]
    assert len(got) == 10 and all(set(p) == {"id", "version", "score"} for p in got)
    assert all(isinstance(p["version"], int) and isinstance(p["score"], float) for p in got)


def test_version_is_the_operation_that_wrote_the_point(rest, client, name):
    client.create_collection(name, vectors_config=models.VectorParams(size=2, distance="Dot"))
    versions = {}
    for i in range(3):
        r = rest("PUT", f"/collections/{name}/points?wait=true", {"points": [{"id": i, "vector": [1, i]}]}).result
        versions[i] = r["operation_id"]
    r = rest("POST", f"/collections/{name}/points/payload?wait=true", {"payload": {"a": 1}, "points": [0]}).result
    versions[0] = r["operation_id"]
    assert {p["id"]: p["version"] for p in post(rest, name, {"query": [1, 1]})["points"]} == versions


def test_limit_and_offset(client, dot):
    order = ranking("Dot", scores("Dot"))
    for limit, offset in ((1, 0), (5, 7), (1000, 0), (10, 295), (10, 1000)):
        found = client.query_points(dot, QUERY.tolist(), limit=limit, offset=offset).points
        assert [p.id for p in found] == order[offset:offset + limit]


def test_by_id_leaves_the_point_itself_out(client, loaded):
    for metric, n in loaded.items():
        s = scores(metric, query=VECTORS[42])
        expected = [i for i in ranking(metric, s) if i != 42]
        assert [p.id for p in client.query_points(n, 42, limit=10).points] == expected[:10]


def test_nearest_in_its_long_form(rest, dot):
    short = post(rest, dot, {"query": QUERY.tolist()})
    assert post(rest, dot, {"query": {"nearest": QUERY.tolist()}}) == short
    assert [p["id"] for p in post(rest, dot, {"query": {"nearest": 3}})["points"]] == [
        p["id"] for p in post(rest, dot, {"query": 3})["points"]]


def test_filter_and_params(client, dot):
    f = models.Filter(must=[models.FieldCondition(key="third", match=models.MatchValue(value=1))])
    expected = [i for i in ranking("Dot", scores("Dot")) if i % 3 == 1][:10]
    for params in (None, models.SearchParams(exact=True), models.SearchParams(hnsw_ef=64), models.SearchParams(indexed_only=False),
                   models.SearchParams(quantization=models.QuantizationSearchParams(ignore=True, rescore=True, oversampling=2.0))):
        found = client.query_points(dot, QUERY.tolist(), query_filter=f, search_params=params).points
        assert [p.id for p in found] == expected


def test_selectors(client, rest, dot):
    first = ranking("Dot", scores("Dot"))[0]
    one = client.query_points(dot, QUERY.tolist(), limit=1, with_payload=["n"], with_vectors=True).points[0]
    assert one.payload == {"n": first} and np.array_equal(np.float32(one.vector), VECTORS[first])
    out = client.query_points(dot, QUERY.tolist(), limit=1, with_payload=models.PayloadSelectorExclude(exclude=["n"])).points[0]
    assert out.payload == {"third": first % 3} and out.vector is None
    assert post(rest, dot, {"query": QUERY.tolist(), "limit": 1, "with_payload": True})["points"][0]["payload"] == {
        "n": first, "third": first % 3}


def test_without_a_query_it_scrolls_by_id(rest, dot):
    got = post(rest, dot, {"limit": 4, "offset": 2, "filter": {"must": [{"key": "third", "match": {"value": 0}}]}})["points"]
    assert [p["id"] for p in got] == [6, 9, 12, 15]


def test_batch(rest, dot):
    a, b = {"query": QUERY.tolist(), "limit": 3}, {"query": 5, "limit": 2, "with_payload": True}
    got = post(rest, dot, {"searches": [a, b]}, "points/query/batch")
    assert got == [post(rest, dot, a), post(rest, dot, b)]
    assert post(rest, dot, {"searches": []}, "points/query/batch") == []


def test_legacy_search(rest, dot):
    expected = post(rest, dot, {"query": QUERY.tolist(), "limit": 5})["points"]
    assert post(rest, dot, {"vector": QUERY.tolist(), "limit": 5}, "points/search") == expected
    assert post(rest, dot, {"vector": QUERY.tolist(), "top": 5}, "points/search") == expected
    f = {"must": [{"key": "third", "match": {"value": 1}}]}
    body = {"vector": QUERY.tolist(), "limit": 5, "filter": f, "with_payload": True, "params": {"exact": True}}
    assert [p["payload"]["third"] for p in post(rest, dot, body, "points/search")] == [1] * 5


def test_named_vectors(rest, client, name):
    client.create_collection(name, vectors_config={"a": models.VectorParams(size=2, distance="Dot"),
                                                   "b": models.VectorParams(size=3, distance="Euclid")})
    client.upsert(name, [models.PointStruct(id=1, vector={"a": [1.0, 0], "b": [0.0, 0, 0]}),
                         models.PointStruct(id=2, vector={"a": [2.0, 0]}), models.PointStruct(id=3, vector={"b": [1.0, 0, 0]})])
    assert [(p.id, p.score) for p in client.query_points(name, [1.0, 0], using="a").points] == [(2, 2), (1, 1)]
    assert [(p.id, p.score) for p in client.query_points(name, [0.0, 0, 0], using="b").points] == [(1, 0), (3, 1)]
    assert [p.id for p in client.query_points(name, 1, using="a").points] == [2]
    legacy = {"vector": {"name": "b", "vector": [0, 0, 0]}, "limit": 5, "with_vector": ["b"]}
    assert post(rest, name, legacy, "points/search")[1]["vector"] == {"b": [1.0, 0.0, 0.0]}


def test_deleted_and_overwritten_points_do_not_come_back(client, name):
    client.create_collection(name, vectors_config=models.VectorParams(size=2, distance="Dot"))
    client.upsert(name, [models.PointStruct(id=i, vector=[float(i), 0]) for i in range(1, 6)])
    client.delete(name, [5])
    client.upsert(name, [models.PointStruct(id=4, vector=[-1.0, 0])])
    assert [(p.id, p.score) for p in client.query_points(name, [1.0, 0]).points] == [(3, 3), (2, 2), (1, 1), (4, -1)]


@pytest.mark.parametrize("dim", [1, 2, 3, 7, 8, 15, 16, 17, 31, 33, 100, 255, 1024, 65536])
def test_odd_dimensions(client, name, dim):
    r = np.random.default_rng(dim)
    n = 40 if dim < 5000 else 3
    vectors, query = r.normal(size=(n, dim)).astype(np.float32), r.normal(size=dim).astype(np.float32)
    client.create_collection(name, vectors_config=models.VectorParams(size=dim, distance="Euclid"))
    client.upsert(name, [models.PointStruct(id=i, vector=v.tolist()) for i, v in enumerate(vectors)])
    s = scores("Euclid", vectors, query)
    found = client.query_points(name, query.tolist(), limit=n).points
    assert [p.score for p in found] == pytest.approx(sorted(s), rel=1e-4)
    assert [p.score for p in found] == pytest.approx([s[p.id] for p in found], rel=1e-4)
