"""`?explain=true`, our own: how a query was answered, beside the answer that it has anyway."""
import numpy as np
import pytest
from qdrant_client import models

N, DIM = 600, 16
VECTORS = np.random.default_rng(5).normal(size=(N, DIM)).astype(np.float32)
TIMES = {"plan_us", "run_us", "payload_us"}
PART = {
    "segment", "points", "plan", "gave_up_walk", "ef", "scored_by_codes", "scored_by_originals", "rescored",
    "pages_from_disk", "filter_us", "search_us",
}


@pytest.fixture(scope="module")
def name(client):
    client.delete_collection("explained")
    client.create_collection("explained", vectors_config=models.VectorParams(size=DIM, distance="Cosine"))
    client.create_payload_index("explained", "n", "integer", wait=True)
    client.upsert(
        "explained",
        [models.PointStruct(id=i, vector=VECTORS[i].tolist(), payload={"n": i}) for i in range(N)], wait=True)
    yield "explained"
    client.delete_collection("explained")


def ask(rest, name, path, body, explain):
    suffix = "?explain=true" if explain else ""
    reply = rest("POST", f"/collections/{name}/points/{path}{suffix}", body)
    assert reply.status == 200, reply.body
    return reply.json


@pytest.mark.parametrize("path,key", [("query", "query"), ("search", "vector")])
def test_the_answer_is_the_same_and_the_explanation_stands_beside_it(rest, name, path, key):
    body = {key: VECTORS[3].tolist(), "limit": 5, "with_payload": True}
    plain, explained = (ask(rest, name, path, body, explain) for explain in (False, True))
    assert set(plain) == {"result", "status", "time"}
    assert set(explained) == {"result", "status", "time", "explain"}
    assert explained["result"] == plain["result"]
    explanation = explained["explain"]
    assert set(explanation) == TIMES | {"searches"} and all(explanation[t] >= 0 for t in TIMES)
    (search,) = explanation["searches"]
    assert search["limit"] == 5 and search["vector"] == ""
    assert all(set(part) == PART for part in search["parts"])
    assert sum(part["points"] for part in search["parts"]) == N
    assert sum(part["scored_by_codes"] + part["scored_by_originals"] for part in search["parts"]) >= 5


def test_an_exact_search_scores_all_points_by_their_vectors(rest, name):
    body = {"query": VECTORS[7].tolist(), "params": {"exact": True}}
    (search,) = ask(rest, name, "query", body, True)["explain"]["searches"]
    for part in search["parts"]:
        assert part["plan"] == "scan_originals" and part["scored_by_originals"] == part["points"]
        assert part["scored_by_codes"] == part["rescored"] == 0


def test_every_prefetch_is_a_search(rest, name):
    body = {
        "prefetch": [{"query": VECTORS[1].tolist(), "limit": 7}, {"query": VECTORS[2].tolist(), "limit": 8}],
        "query": {"fusion": "rrf"}, "limit": 3,
    }
    searches = ask(rest, name, "query", body, True)["explain"]["searches"]
    assert [search["limit"] for search in searches] == [7, 8]


def test_a_query_without_a_vector_has_no_searches(rest, name):
    assert ask(rest, name, "query", {"limit": 2}, True)["explain"]["searches"] == []


def test_explain_is_a_flag(rest, name):
    reply = rest("POST", f"/collections/{name}/points/query?explain=perhaps", {"limit": 1})
    assert reply.status == 400
