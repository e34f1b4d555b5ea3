"""Every kind of query, vector and newer filter through the official client, beside its in-process mode."""
import random

import pytest
from conftest import connect, wait_green
from octant_server import Server
from qdrant_client import QdrantClient, models as m

NAME, POINTS = "kinds", 300
CITIES = ["oslo", "rome", "lima", "cairo"]
WORDS = "fast vector search engine with filters graph index of many small points and payload".split()


def rows(rnd):
    for i in range(POINTS):
        vectors = {"d": [rnd.uniform(-1, 1) for _ in range(8)]}
        if rnd.random() < 0.9:
            indices = sorted(rnd.sample(range(40), rnd.randint(1, 8)))
            vectors["s"] = m.SparseVector(indices=indices, values=[rnd.uniform(0.1, 2) for _ in indices])
        if rnd.random() < 0.8:
            vectors["m"] = [[rnd.uniform(-1, 1) for _ in range(4)] for _ in range(rnd.randint(1, 4))]
        payload = {
            "city": rnd.choice(CITIES), "n": rnd.randint(0, 30), "x": rnd.uniform(0, 10), "tags": rnd.sample(WORDS, 3),
            "at": f"202{rnd.randint(0, 5)}-0{rnd.randint(1, 9)}-1{rnd.randint(0, 9)}T0{rnd.randint(0, 9)}:00:00Z",
            "loc": {"lon": rnd.uniform(-20, 20), "lat": rnd.uniform(-20, 20)}, "text": " ".join(rnd.sample(WORDS, 5))}
        yield m.PointStruct(id=i, vector=vectors, payload=payload)


@pytest.fixture(scope="module", params=["memory", "segments"])
def pair(request):
    """The same points on a server and in process; on the server either in memory or in segments with graphs and indexes."""
    rnd = random.Random(11)
    optimizers = m.OptimizersConfigDiff(indexing_threshold=1 if request.param == "segments" else 0)
    with Server() as server:
        remote, local = connect(server), QdrantClient(":memory:")
        points = list(rows(rnd))
        for client in (remote, local):
            client.create_collection(
                NAME, optimizers_config=optimizers,
                vectors_config={
                    "d": m.VectorParams(size=8, distance=m.Distance.COSINE),
                    "m": m.VectorParams(size=4, distance=m.Distance.DOT, multivector_config=m.MultiVectorConfig(
                        comparator=m.MultiVectorComparator.MAX_SIM))},
                sparse_vectors_config={"s": m.SparseVectorParams(), "i": m.SparseVectorParams(modifier=m.Modifier.IDF)})
            client.upsert(NAME, points, wait=True)
            client.update_vectors(NAME, [m.PointVectors(id=p.id, vector={"i": p.vector["s"]}) for p in points if "s" in p.vector])
        for key, kind in [("city", "keyword"), ("n", "integer"), ("x", "float"), ("at", "datetime"), ("loc", "geo"), ("tags", "keyword")]:
            remote.create_payload_index(NAME, key, kind, wait=True)
        if request.param == "segments":
            wait_green(remote, NAME, indexed=POINTS // 2)  # the last few may stay in memory
        yield remote, local


def same(pair, call, scores=True):
    remote, local = (call(c) for c in pair)
    if scores:
        assert [h.score for h in remote] == pytest.approx([h.score for h in local], rel=1e-3, abs=1e-4)
    if len({round(h.score, 4) for h in local}) == len(local) or not scores:
        assert [h.id for h in remote] == [h.id for h in local]
    return remote


DENSE = [0.3, -0.2, 0.9, 0.1, 0.4, -0.7, 0.2, 0.5]
SPARSE = m.SparseVector(indices=[1, 5, 9, 20, 33], values=[1.0, 0.5, 2.0, 0.7, 1.1])
MULTI = [[0.1, 0.9, -0.3, 0.2], [0.7, -0.1, 0.2, 0.4]]
FILTER = m.Filter(must=[m.FieldCondition(key="n", range=m.Range(gte=5, lt=25))])
QUERIES = {
    "nearest dense": dict(query=DENSE, using="d"), "nearest sparse": dict(query=SPARSE, using="s"),
    "nearest multi": dict(query=MULTI, using="m"), "nearest sparse idf": dict(query=SPARSE, using="i"),
    "by id": dict(query=7, using="d"),
    "recommend": dict(query=m.RecommendQuery(recommend=m.RecommendInput(positive=[1, 2, DENSE], negative=[9])), using="d"),
    "recommend best": dict(query=m.RecommendQuery(recommend=m.RecommendInput(
        positive=[1, 2], negative=[9, 4], strategy=m.RecommendStrategy.BEST_SCORE)), using="d"),
    "recommend sum": dict(query=m.RecommendQuery(recommend=m.RecommendInput(
        positive=[1, 2], negative=[9], strategy=m.RecommendStrategy.SUM_SCORES)), using="d"),
    "discover": dict(query=m.DiscoverQuery(discover=m.DiscoverInput(
        target=3, context=[m.ContextPair(positive=5, negative=6), m.ContextPair(positive=8, negative=2)])), using="d"),
    "context": dict(query=m.ContextQuery(context=[m.ContextPair(positive=5, negative=6), m.ContextPair(positive=8, negative=2)]), using="d"),
    "order by": dict(query=m.OrderByQuery(order_by=m.OrderBy(key="x", direction=m.Direction.DESC))),
    "dbsf": dict(query=m.FusionQuery(fusion=m.Fusion.DBSF),
                 prefetch=[m.Prefetch(query=DENSE, using="d", limit=30), m.Prefetch(query=SPARSE, using="s", limit=30)]),
    "rescore": dict(query=DENSE, using="d", prefetch=m.Prefetch(query=SPARSE, using="s", limit=40)),
    "nested": dict(query=MULTI, using="m", prefetch=m.Prefetch(
        query=DENSE, using="d", limit=60, prefetch=m.Prefetch(query=SPARSE, using="s", limit=100))),
    "formula": dict(
        query=m.FormulaQuery(formula=m.SumExpression(sum=[
            "$score", m.MultExpression(mult=[0.5, m.FieldCondition(key="city", match=m.MatchValue(value="oslo"))]),
            m.GaussDecayExpression(gauss_decay=m.DecayParamsExpression(x="n", target=10, scale=5))])),
        prefetch=m.Prefetch(query=DENSE, using="d", limit=50)),
    "mmr": dict(query=m.NearestQuery(nearest=DENSE, mmr=m.Mmr(diversity=0.4, candidates_limit=40)), using="d"),
}


@pytest.mark.parametrize("name", QUERIES)
@pytest.mark.parametrize("query_filter", [None, FILTER], ids=["all", "filtered"])
def test_query(pair, name, query_filter):
    same(pair, lambda c: c.query_points(NAME, limit=12, query_filter=query_filter, **QUERIES[name]).points)


def test_rrf_scores(pair):
    prefetch = [m.Prefetch(query=DENSE, using="d", limit=20), m.Prefetch(query=SPARSE, using="s", limit=20)]
    same(pair, lambda c: c.query_points(NAME, query=m.FusionQuery(fusion=m.Fusion.RRF), prefetch=prefetch, limit=20).points)


CONDITIONS = {
    "date": m.FieldCondition(key="at", range=m.DatetimeRange(gte="2022-01-01T00:00:00Z", lt="2024-06-01T00:00:00Z")),
    "box": m.FieldCondition(key="loc", geo_bounding_box=m.GeoBoundingBox(
        top_left=m.GeoPoint(lon=-10, lat=12), bottom_right=m.GeoPoint(lon=8, lat=-5))),
    "radius": m.FieldCondition(key="loc", geo_radius=m.GeoRadius(center=m.GeoPoint(lon=1, lat=2), radius=900_000)),
    "polygon": m.FieldCondition(key="loc", geo_polygon=m.GeoPolygon(exterior=m.GeoLineString(points=[
        m.GeoPoint(lon=-15, lat=-15), m.GeoPoint(lon=15, lat=-10), m.GeoPoint(lon=5, lat=15), m.GeoPoint(lon=-15, lat=-15)]))),
    "count": m.FieldCondition(key="tags", values_count=m.ValuesCount(gte=3)), "has vector": m.HasVectorCondition(has_vector="m"),
    "text": m.FieldCondition(key="text", match=m.MatchText(text="vector search")),
}


@pytest.mark.parametrize("name", CONDITIONS)
def test_filter(pair, name):
    if name == "text":  # without an index a server looks for the text as it stands; the in-process mode looks for words
        remote = pair[0]
        got = {p.id for p in remote.scroll(NAME, m.Filter(must=[CONDITIONS[name]]), limit=POINTS)[0]}
        want = {p.id for p in remote.scroll(NAME, limit=POINTS)[0] if "vector search" in p.payload["text"]}
        assert got == want
        return
    remote, local = (c.scroll(NAME, m.Filter(must=[CONDITIONS[name]]), limit=POINTS, with_payload=False)[0] for c in pair)
    assert [p.id for p in remote] == [p.id for p in local]
    assert 0 < len(remote)


def test_text_index_finds_words(pair):
    remote = pair[0]
    remote.create_payload_index(NAME, "text", m.TextIndexParams(type="text", tokenizer=m.TokenizerType.WORD, lowercase=True), wait=True)
    records = remote.scroll(NAME, limit=POINTS)[0]
    for query in ["vector search", "Graph", "points of"]:
        condition = m.FieldCondition(key="text", match=m.MatchText(text=query))
        got = {p.id for p in remote.scroll(NAME, m.Filter(must=[condition]), limit=POINTS)[0]}
        assert got == {p.id for p in records if set(query.lower().split()) <= set(p.payload["text"].split())}
    remote.delete_payload_index(NAME, "text", wait=True)


def test_groups(pair):
    remote, local = (c.query_points_groups(NAME, group_by="city", query=DENSE, using="d", limit=4, group_size=3).groups for c in pair)
    assert [(g.id, [h.id for h in g.hits]) for g in remote] == [(g.id, [h.id for h in g.hits]) for g in local]


def test_facet(pair):
    remote, local = (c.facet(NAME, key="city", facet_filter=FILTER, exact=True).hits for c in pair)
    assert [(h.value, h.count) for h in remote] == [(h.value, h.count) for h in local]


def test_ordered_scroll(pair):
    order = m.OrderBy(key="n", direction=m.Direction.ASC, start_from=12)
    remote, local = (c.scroll(NAME, order_by=order, limit=POINTS, with_payload=True)[0] for c in pair)
    assert [p.payload["n"] for p in remote] == [p.payload["n"] for p in local]
    assert {p.id for p in remote} == {p.id for p in local}


def test_matrix(pair):
    answer = pair[0].search_matrix_pairs(NAME, sample=20, limit=3, using="d")
    assert len(answer.pairs) == 60
    offsets = pair[0].search_matrix_offsets(NAME, sample=20, limit=3, using="d")
    assert len(offsets.ids) == 20 and len(offsets.scores) == len(offsets.offsets_row) == len(offsets.offsets_col) == 60


def test_vectors_come_back_as_given(pair):
    for a, b in zip(*(c.retrieve(NAME, range(40), with_vectors=True) for c in pair)):
        assert a.vector.keys() == b.vector.keys()
        for name, vector in b.vector.items():
            if isinstance(vector, m.SparseVector):
                assert a.vector[name].indices == vector.indices
                assert a.vector[name].values == pytest.approx(vector.values, rel=1e-6)
            elif isinstance(vector[0], list):
                for x, y in zip(a.vector[name], vector, strict=True):
                    assert x == pytest.approx(y, rel=1e-5)
            else:
                assert a.vector[name] == pytest.approx(vector, rel=1e-3)
