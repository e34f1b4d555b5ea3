"""Points that wait to be indexed (`prevent_unoptimized`): stored, invisible to reads, and then visible."""
import threading
import time

import numpy as np
import pytest
from conftest import connect, wait_green
from qdrant_client import models
from rest import Rest
from test_reports import samples

WIDTH = 64  # 256 bytes: the threshold of 100 kB lies at 400 points
SOME, MORE = 300, 700


def points(ids, seed):
    rng = np.random.default_rng(seed + ids.start)
    return [models.PointStruct(id=i, vector=rng.standard_normal(WIDTH).tolist(), payload={"n": i}) for i in ids]


def threads(count):
    return models.OptimizersConfigDiff(max_optimization_threads=count)


def create(client, name, **optimizers):
    client.create_collection(name, vectors_config=models.VectorParams(size=WIDTH, distance="Dot"),
                             optimizers_config=models.OptimizersConfigDiff(indexing_threshold=100, prevent_unoptimized=True, **optimizers))


def queue(client, name):
    return client.get_collection(name).update_queue


def seen(client, name):
    found, following = client.scroll(name, limit=10_000)
    assert following is None
    return {p.id: p.payload["n"] for p in found}


@pytest.fixture
def held(client, name, seed):
    """A collection without background work: half of its points are visible."""
    create(client, name, max_optimization_threads=0)
    assert client.upsert(name, points(range(SOME), seed)).status == "completed"
    # With nothing that would index it, a write that sets no limit to the wait is told that it is kept.
    assert client.upsert(name, points(range(SOME, MORE), seed)).status == "acknowledged"
    return name


def test_the_setting_is_shown(client, held):
    assert client.get_collection(held).config.optimizer_config.prevent_unoptimized is True


def test_invisible_until_indexed(client, rest, held, seed):
    assert client.count(held).count == SOME
    assert seen(client, held) == {i: i for i in range(SOME)}
    assert client.retrieve(held, [SOME, 5])[0].id == 5 and len(client.retrieve(held, [SOME, 5])) == 1
    late = points(range(SOME, MORE), seed)[7]
    found = client.query_points(held, query=late.vector, limit=1000).points
    assert len(found) == SOME and late.id not in {p.id for p in found}
    info = client.get_collection(held)
    assert info.points_count == SOME and info.update_queue.deferred_points == MORE - SOME
    metrics = samples(rest("GET", "/metrics").body.decode())
    assert metrics["collection_update_queue_deferred_points"][f'id="{held}"'] == MORE - SOME
    client.update_collection(held, optimizers_config=threads(1))
    info = wait_green(client, held, indexed=MORE)
    assert info.points_count == MORE and info.update_queue.deferred_points == 0
    assert seen(client, held) == {i: i for i in range(MORE)}
    exact = models.SearchParams(exact=True)
    assert late.id in {p.id for p in client.query_points(held, query=late.vector, limit=50, search_params=exact).points}


def test_over_grpc(shared, held):
    grpc = connect(shared, prefer_grpc=True, grpc_port=shared.grpc_port)
    try:
        assert grpc.count(held).count == SOME
        raw = grpc.grpc_collections
        from qdrant_client import grpc as messages
        info = raw.Get(messages.GetCollectionInfoRequest(collection_name=held)).result
        assert info.update_queue.deferred_points == MORE - SOME
        assert info.config.optimizer_config.prevent_unoptimized is True
    finally:
        grpc.close()


def test_a_wait_with_a_timeout(client, rest, held):
    body = {"points": [{"id": 1, "vector": [0.0] * WIDTH, "payload": {"n": -1}}]}
    answer = rest("PUT", f"/collections/{held}/points?wait=true&timeout=1", body)
    assert answer.status == 200 and answer.result["status"] == "wait_timeout"
    assert seen(client, held)[1] == 1, "the version from before is still seen"
    client.update_collection(held, optimizers_config=threads(1))
    client.delete(held, models.PointIdsList(points=[2]), wait=True)
    wait_green(client, held)
    after = seen(client, held)
    assert after[1] == -1 and 2 not in after and len(after) == MORE - 1


def test_writes_go_by_the_newest_state(client, held):
    late = models.Filter(must=[models.FieldCondition(key="n", range=models.Range(gte=MORE - 100))])
    client.delete(held, models.FilterSelector(filter=late))
    client.set_payload(held, {"n": -5}, [SOME + 5])
    assert queue(client, held).deferred_points == MORE - 100 - SOME
    assert seen(client, held) == {i: i for i in range(SOME)}
    client.update_collection(held, optimizers_config=threads(1))
    wait_green(client, held)
    assert seen(client, held) == {i: i for i in range(MORE - 100)} | {SOME + 5: -5}


def test_switched_off(client, held):
    client.update_collection(held, optimizers_config=models.OptimizersConfigDiff(prevent_unoptimized=False))
    assert client.count(held).count == MORE
    assert getattr(queue(client, held), "deferred_points", None) is None


def test_a_write_that_waits_is_seen(client, name, seed):
    create(client, name)
    for start in range(0, 3000, 100):
        assert client.upsert(name, points(range(start, start + 100), seed), wait=True).status == "completed"
        assert client.count(name).count == start + 100
    assert wait_green(client, name).update_queue.deferred_points == 0


def test_a_restart_loses_nothing(server, seed):
    client = connect(server)
    create(client, "c", max_optimization_threads=0)
    client.upsert("c", points(range(SOME), seed))
    client.upsert("c", points(range(SOME, MORE), seed))
    assert client.count("c").count == SOME
    client.close()
    server.restart(graceful=False)
    client = connect(server)
    client.update_collection("c", optimizers_config=threads(1))
    wait_green(client, "c")
    assert seen(client, "c") == {i: i for i in range(MORE)}
    client.close()


def test_a_server_with_writes_that_wait_stops(server, seed):
    client = connect(server)
    create(client, "c", max_optimization_threads=0)
    client.upsert("c", points(range(MORE), seed))
    answers = []
    body = {"points": [{"id": MORE, "vector": [1.0] * WIDTH}]}

    def write():
        try:
            answers.append(Rest(server.url)("PUT", "/collections/c/points?wait=true&timeout=600", body).status)
        except OSError:
            answers.append(None)

    waiting = threading.Thread(target=write)
    waiting.start()
    while client.get_collection("c").update_queue.deferred_points <= MORE:
        time.sleep(0.01)
    client.close()
    assert server.stop() == 0
    waiting.join()
    assert len(answers) == 1
    server.start()
    client = connect(server)
    client.update_collection("c", optimizers_config=models.OptimizersConfigDiff(prevent_unoptimized=False))
    assert client.count("c").count == MORE + 1
    client.close()
