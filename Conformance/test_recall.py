"""Recall on real embeddings, through the graph."""
import pytest
from conftest import wait_green
from dataset import INDEXES, Data, recall
from qdrant_client import models


@pytest.fixture(scope="module")
def data():
    return Data()


def load(client, data, name, vectors=None, **config):
    client.delete_collection(name)
    params = models.VectorParams(size=data.dim, distance=models.Distance.COSINE, **(vectors or {}))
    # Far less than the fixture's 7.5 MB of vectors, so that they are all indexed and the graph is used.
    client.create_collection(name, vectors_config=params, hnsw_config=models.HnswConfigDiff(full_scan_threshold=10),
                             optimizers_config=models.OptimizersConfigDiff(indexing_threshold=100), **config)
    x, payload = data.vectors(), data.payload()
    for a in range(0, len(x), 500):
        ids = range(a, min(a + 500, len(x)))
        client.upsert(name, models.Batch(ids=list(ids), vectors=x[a:a + 500].tolist(), payloads=payload[a:a + 500]))
    info = wait_green(client, name, indexed=0.9 * len(x))
    assert info.points_count == len(x)
    return name


def ask(client, name, data, k=10, **kw):
    requests = [models.QueryRequest(query=q.tolist(), limit=k, **kw) for q in data.queries]
    return [[p.id for p in r.points] for a in range(0, len(requests), 50) for r in client.query_batch_points(name, requests[a:a + 50])]


@pytest.fixture(scope="module")
def loaded(client, data):
    name = load(client, data, "recall")
    yield name
    client.delete_collection(name)


@pytest.mark.parametrize("params, least", [(None, 0.97), ({"hnsw_ef": 256}, 0.99), ({"exact": True}, 1.0)], ids=["default", "ef256", "exact"])
def test_recall(client, loaded, data, params, least):
    r = recall(ask(client, loaded, data, params=models.SearchParams(**params) if params else None), data.truth)
    print(f"recall@10 {r:.4f}")
    assert r >= least


def test_exact_search_has_the_true_order_and_scores(client, loaded, data):
    import numpy as np
    cosines = np.load(data.path("gt_top100_cos.f32.npy"))
    for i in range(0, 200, 20):
        found = client.query_points(loaded, data.queries[i].tolist(), limit=100, search_params=models.SearchParams(exact=True)).points
        assert [p.score for p in found] == pytest.approx(cosines[i].tolist(), abs=2e-5)


def filter_of(data, name):
    return models.Filter.model_validate(data.filters[name]["filter"])


@pytest.mark.parametrize("indexed", [False, True], ids=["no index", "indexed"])
def test_recall_with_every_filter(client, loaded, data, indexed):
    if indexed:
        for field, kind in INDEXES.items():
            client.create_payload_index(loaded, field, field_schema=kind)
        wait_green(client, loaded)
    low = []
    for name, entry in data.filters.items():
        assert client.count(loaded, count_filter=filter_of(data, name)).count == entry["matching"], name
        r = recall(ask(client, loaded, data, filter=filter_of(data, name)), data.filter_truth(name))
        print(f"{name:12} {entry['matching']:5} points  recall@10 {r:.4f}")
        if r < 0.97:
            low.append((name, r))
    assert not low, low


def test_recall_after_deletes_and_overwrites(client, data):
    name = load(client, data, "recall_churn")
    x = data.vectors()
    gone = [i for i in range(len(x)) if i % 5 == 0]
    client.delete(name, gone)
    moved = [i for i in range(len(x)) if i % 7 == 1 and i % 5]
    client.upsert(name, models.Batch(ids=moved, vectors=[x[i].tolist() for i in moved], payloads=[{"moved": True}] * len(moved)))
    wait_green(client, name)
    truth = [[i for i in row if i % 5][:10] for row in data.truth.tolist()]
    r = recall(ask(client, name, data), truth)
    print(f"recall@10 {r:.4f}")
    client.delete_collection(name)
    assert r >= 0.97


@pytest.mark.parametrize("search, least", [({}, 0.90), ({"rescore": True, "oversampling": 2.0}, 0.97), ({"ignore": True}, 0.97)], ids=str)
def test_recall_with_int8(client, data, search, least, quantised):
    params = models.SearchParams(quantization=models.QuantizationSearchParams(**search)) if search else None
    r = recall(ask(client, quantised, data, params=params), data.truth)
    print(f"recall@10 {r:.4f}")
    assert r >= least


@pytest.fixture(scope="module")
def quantised(client, data):
    scalar = models.ScalarQuantizationConfig(type=models.ScalarType.INT8, quantile=0.99, always_ram=True)
    name = load(client, data, "recall_int8", quantization_config=models.ScalarQuantization(scalar=scalar))
    yield name
    client.delete_collection(name)


# A family, and the least recall@10 of codes alone, as the scheme has it by default, and with oversampling by three.
@pytest.mark.parametrize("scheme, alone, default, oversampled", [
    ({"product": {"compression": "x8"}}, 0.80, 0.80, 0.97), ({"binary": {}}, 0.45, 0.85, 0.85),
    ({"binary": {"encoding": "two_bits", "query_encoding": "scalar8bits"}}, 0.70, 0.95, 0.95),
    ({"turbo": {}}, 0.90, 0.90, 0.97), ({"turbo": {"bits": "bits2"}}, 0.75, 0.95, 0.95), ({"turbo": {"bits": "bits1"}}, 0.60, 0.90, 0.90)],
    ids=str)
def test_recall_with_other_codes(client, rest, data, scheme, alone, default, oversampled):
    name = load(client, data, "recall_codes")
    assert rest("PATCH", f"/collections/{name}", {"quantization_config": scheme}).result is True
    wait_green(client, name)

    def measured(**search):
        params = models.SearchParams(hnsw_ef=100, quantization=models.QuantizationSearchParams(**search)) if search else None
        return recall(ask(client, name, data, params=params), data.truth)

    found = measured(rescore=False), measured(), measured(rescore=True, oversampling=3.0), measured(ignore=True)
    print(f"{scheme}: recall@10 alone {found[0]:.4f}, default {found[1]:.4f}, oversampled {found[2]:.4f}, ignored {found[3]:.4f}")
    client.delete_collection(name)
    assert found[0] >= alone and found[1] >= default and found[2] >= oversampled and found[3] >= 0.97


def test_recall_with_everything_on_disk(client, data):
    name = load(client, data, "recall_disk", vectors={"on_disk": True, "hnsw_config": models.HnswConfigDiff(on_disk=True)})
    r = recall(ask(client, name, data), data.truth)
    exact = recall(ask(client, name, data, params=models.SearchParams(exact=True)), data.truth)
    client.delete_collection(name)
    assert r >= 0.97 and exact == 1.0
