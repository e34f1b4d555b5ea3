"""Vectors of the datatypes turbo4 and turbo8, through REST and gRPC: what is stored is an approximation, the same everywhere."""
import numpy as np
import pytest
from qdrant_client import models as m

from conftest import connect, wait_green

SIZE = 64
COUNT = 1500
METRICS = {
    m.Distance.COSINE: lambda q, x: x @ (q / np.linalg.norm(q)), m.Distance.DOT: lambda q, x: x @ q,
    m.Distance.EUCLID: lambda q, x: np.linalg.norm(x - q, axis=1), m.Distance.MANHATTAN: lambda q, x: np.abs(x - q).sum(axis=1),
}


@pytest.fixture(params=[False, True], ids=["rest", "grpc"])
def client(request, shared):
    client = connect(shared, grpc_port=shared.grpc_port, prefer_grpc=request.param)
    yield client
    client.close()


def cloud(seed):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(20, SIZE))[rng.integers(0, 20, COUNT)] + 0.6 * rng.normal(size=(COUNT, SIZE))


def stored(client, name):
    points, _ = client.scroll(name, limit=COUNT, with_vectors=True)
    assert [p.id for p in points] == list(range(COUNT))
    return np.array([p.vector for p in points])


@pytest.mark.parametrize("distance", list(METRICS), ids=str)
@pytest.mark.parametrize("datatype, error", [(m.Datatype.TURBO4, 0.2), (m.Datatype.TURBO8, 0.02)], ids=str)
def test_turbo_vectors(client, name, datatype, error, distance):
    vectors = cloud(7)
    client.create_collection(
        name, vectors_config=m.VectorParams(size=SIZE, distance=distance, datatype=datatype),
        optimizers_config=m.OptimizersConfigDiff(indexing_threshold=1))
    assert client.get_collection(name).config.params.vectors.datatype == datatype
    client.upsert(name, [m.PointStruct(id=i, vector=v.tolist()) for i, v in enumerate(vectors)], wait=True)
    given = vectors / np.linalg.norm(vectors, axis=1, keepdims=True) if distance == m.Distance.COSINE else vectors
    kept = stored(client, name)
    lengths = np.linalg.norm(given, axis=1)
    assert np.all(np.linalg.norm(kept - given, axis=1) <= error * lengths)
    assert np.allclose(np.linalg.norm(kept, axis=1), lengths, rtol=1e-4)
    assert np.any(kept != given.astype(np.float32))
    wait_green(client, name)
    assert np.array_equal(stored(client, name), kept)

    largest_first = distance in (m.Distance.COSINE, m.Distance.DOT)
    found_all = 0
    for query in cloud(8)[:20]:
        scores = METRICS[distance](query, kept)
        order = np.argsort(-scores if largest_first else scores)[:10]
        exact = client.query_points(name, query.tolist(), limit=10, search_params=m.SearchParams(exact=True)).points
        assert np.allclose([p.score for p in exact], scores[order], rtol=1e-4, atol=1e-4)
        found = client.query_points(name, query.tolist(), limit=10).points
        found_all += len({p.id for p in found} & set(order.tolist()))
    assert found_all >= 190


def test_what_has_no_turbo_form(rest, name):
    turbo4 = {"size": 4, "distance": "Dot", "datatype": "turbo4"}
    for body, word in [
        ({"vectors": {**turbo4, "datatype": "turbo16"}}, "turbo16"),
        ({"vectors": {**turbo4, "multivector_config": {"comparator": "max_sim"}}}, "multivectors"),
        ({"sparse_vectors": {"s": {"index": {"datatype": "turbo4"}}}}, "sparse"),
    ]:
        answer = rest("PUT", f"/collections/{name}", body)
        assert answer.status == 400 and word in answer.error
    assert rest("PUT", f"/collections/{name}", {"vectors": turbo4}).result is True
