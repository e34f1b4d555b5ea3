"""A server in a memory cgroup of 256 MB: what does not fit is refused before the kernel ends the process; if the kernel is made to end
it, nothing acknowledged is lost and the server comes up again under the same limit. Needs root. OCTANT_MEMORY_MB: another limit for the
ingestion, 1024 for a longer run."""
import os
import socket
import subprocess
import sys
import threading
import time

import grpc
import numpy as np
import pytest
from octant_server import Server
from qdrant_client import grpc as q
from reliability.memory_group import MemoryGroup, Unavailable
from rest import Rest

MB, WIDTH, BATCH = 1 << 20, 768, 100
LIMIT = int(os.environ.get("OCTANT_MEMORY_MB", 256)) * MB


@pytest.fixture
def group():
    try:
        group = MemoryGroup(LIMIT)
    except Unavailable as e:
        pytest.skip(str(e))
    yield group
    group.remove()


@pytest.fixture
def small(group):
    with Server(before=group.join) as server:
        yield server


def rows(first):
    """The vectors of a batch, known by its first id."""
    return np.random.default_rng(first).standard_normal((BATCH, WIDTH), dtype=np.float32)


class Uploader(threading.Thread):
    """Upserts batch after batch over gRPC until told to stop; a refusal is tried again, the connection's end ends it."""

    def __init__(self, server, shared, stop_after):
        super().__init__(daemon=True)
        self.channel = grpc.insecure_channel(f"127.0.0.1:{server.grpc_port}", [("grpc.max_send_message_length", 1 << 28)])
        self.stub, self.shared, self.stop_after = q.PointsStub(self.channel), shared, stop_after
        self.failure = None

    def run(self):
        try:
            while (first := self.shared.next_batch(self.stop_after)) is not None:
                self.send(first)
        except ConnectionError:
            pass
        except Exception as e:
            self.failure = f"{type(e).__name__}: {e}"
        finally:
            self.channel.close()

    def send(self, first):
        points = [q.PointStruct(id=q.PointId(num=first + i), vectors=q.Vectors(vector=q.Vector(dense=q.DenseVector(data=v))),
                                payload={"n": q.Value(integer_value=first + i)}) for i, v in enumerate(rows(first).tolist())]
        request = q.UpsertPoints(collection_name="c", wait=True, points=points)
        while True:
            try:
                self.stub.Upsert(request, timeout=120)
                self.shared.acknowledged.append(first)
                return
            except grpc.RpcError as e:
                if e.code() == grpc.StatusCode.UNAVAILABLE:
                    self.shared.unsure.append(first)
                    raise ConnectionError from None
                if e.code() != grpc.StatusCode.RESOURCE_EXHAUSTED:
                    raise
                self.shared.refused += 1
                self.shared.text = e.details()
                time.sleep(0.05)


class Shared:
    def __init__(self):
        self.first, self.acknowledged, self.unsure, self.refused, self.text, self.lock = 0, [], [], 0, "", threading.Lock()

    def next_batch(self, stop_after):
        with self.lock:
            if self.first >= stop_after or self.refused > 40:
                return None
            self.first += BATCH
            return self.first - BATCH


def upload(server, points):
    shared = Shared()
    uploaders = [Uploader(server, shared, points) for _ in range(4)]
    for u in uploaders:
        u.start()
    for u in uploaders:
        u.join(600)
        assert not u.is_alive()
    assert not any(u.failure for u in uploaders), [u.failure for u in uploaders]
    return shared


def check(server, shared):
    """Every acknowledged batch is there, whole; every other wholly or not at all; vectors by value for some."""
    rest = Rest(server.url)
    present, offset = set(), None
    while True:
        page = rest("POST", "/collections/c/points/scroll", {"limit": 10_000, "with_payload": False, "offset": offset}).result
        present |= {p["id"] for p in page["points"]}
        offset = page["next_page_offset"]
        if offset is None:
            break
    for first in shared.acknowledged:
        assert present.issuperset(range(first, first + BATCH)), f"batch {first} was acknowledged and is not all there"
    for first in shared.unsure:
        assert len(present.intersection(range(first, first + BATCH))) in (0, BATCH), f"batch {first} is there in part"
    assert present <= {i for f in shared.acknowledged + shared.unsure for i in range(f, f + BATCH)}
    for first in shared.acknowledged[::max(1, len(shared.acknowledged) // 20)]:
        found = rest("POST", "/collections/c/points", {"ids": list(range(first, first + BATCH)), "with_vector": True}).result
        assert all(np.array_equal(np.array(p["vector"], np.float32), v) and p["payload"] == {"n": p["id"]} for p, v in zip(
            sorted(found, key=lambda p: p["id"]), rows(first)))
    rest.close()


def create(server, on_disk):
    body = {"vectors": {"size": WIDTH, "distance": "Dot", "on_disk": on_disk}, "hnsw_config": {"on_disk": on_disk, "m": 8, "ef_construct": 32},
            "wal_config": {"wal_capacity_mb": 4}}
    assert Rest(server.url)("PUT", "/collections/c", body).result is True


def one_point(rest):
    return rest("PUT", "/collections/c/points?wait=true", {"points": [{"id": 10**9, "vector": [1.0] * WIDTH}]}).status


@pytest.mark.parametrize("on_disk", [True, False], ids=["on disk", "in memory"])
def test_ingest_beyond_the_limit(group, small, on_disk):
    create(small, on_disk)
    points = LIMIT * 3 // 2 // (WIDTH * 4) // BATCH * BATCH
    shared = upload(small, points)
    print(f"{len(shared.acknowledged) * BATCH} of {points} points acknowledged, {shared.refused} refusals {shared.text!r}, {group.kills} killed, "
          f"at most {group.most >> 20} MB")
    deaths = group.kills
    if on_disk:
        assert small.alive() and not deaths and len(shared.acknowledged) * BATCH == points
    elif deaths:
        small.process.wait(30)  # structures that are kept in memory beside a job of the optimizer: docs/durability.md, 7
    else:
        assert shared.refused and "MB" in shared.text and not shared.unsure
        # Reads and deletes go on.
        rest = Rest(small.url)
        assert rest("POST", "/collections/c/points/query", {"query": [1.0] * WIDTH, "limit": 3}).status == 200
        gone = shared.acknowledged.pop()
        deleted = rest("POST", "/collections/c/points/delete?wait=true", {"points": list(range(gone, gone + BATCH))})
        assert deleted.status == 200
    small.restart(graceful=False)
    check(small, shared)
    if deaths:
        return  # the same job is begun again, and may end it again
    assert small.alive() and not group.kills
    rest = Rest(small.url)
    assert one_point(rest) in ((200,) if on_disk else (200, 507))
    # With room, writes are taken again.
    assert rest("DELETE", "/collections/c").status == 200
    create(small, on_disk)
    deadline = time.monotonic() + 30
    while (status := one_point(rest)) != 200:
        assert status == 507 and time.monotonic() < deadline
        time.sleep(0.1)


HOG = """
import sys, time
held = []
print("ready", flush=True)
while True:
    held.append(bytearray(b"x") * (1 << 20))
    time.sleep(0.002)
"""


def test_killed_for_want_of_memory(group, small):
    """Another process in the group takes all its memory: the kernel ends the server in the middle of its work."""
    create(small, False)
    with open(f"/proc/{small.pid}/oom_score_adj", "w") as f:
        f.write("1000")  # the one to end
    shared = Shared()
    uploaders = [Uploader(small, shared, 10**9) for _ in range(4)]
    for u in uploaders:
        u.start()
    while len(shared.acknowledged) < 20 and not any(u.failure for u in uploaders):
        time.sleep(0.01)
    hog = subprocess.Popen([sys.executable, "-c", HOG], preexec_fn=group.join, stdout=subprocess.DEVNULL)
    try:
        for u in uploaders:
            u.join(120)
        small.process.wait(30)
    finally:
        hog.kill()
        hog.wait()
    assert group.kills and not any(u.failure for u in uploaders), [u.failure for u in uploaders]
    print(f"{len(shared.acknowledged)} batches acknowledged, {len(shared.unsure)} unsure")
    assert len(shared.acknowledged) >= 20
    small.restart(graceful=False)
    check(small, shared)


def test_requests_that_are_too_much(group, small):
    """Bodies, limits, filters, widths and batches each of which would be too much are refused, or answered, and never the end."""
    create(small, True)
    rest = Rest(small.url)
    first = {"points": [{"id": i, "vector": v, "payload": {"n": i}} for i, v in enumerate(rows(0).tolist())]}
    assert rest("PUT", "/collections/c/points?wait=true", first).status == 200

    def fine(r):
        assert r.status == 200 or r.status in (400, 413, 422, 429, 507), f"{r.status} {r.body[:200]!r}"
        assert small.alive() and not group.kills
        return r

    for limit in (10**6, 2**31, 2**53, 2**63 - 1):
        fine(rest("POST", "/collections/c/points/query", {"query": [1.0] * WIDTH, "limit": limit, "params": {"hnsw_ef": min(limit, 2**31)}}))
        fine(rest("POST", "/collections/c/points/scroll", {"limit": limit, "with_vector": True}))
    deep = '{"must":[' * 5_000 + "]}" * 5_000
    fine(rest("POST", "/collections/c/points/scroll", f'{{"filter":{deep}}}'.encode()))
    wide = {"should": [{"key": "n", "match": {"value": i}} for i in range(100_000)]}
    fine(rest("POST", "/collections/c/points/scroll", {"filter": wide, "limit": 10}))
    fine(rest("POST", "/collections/c/points/query/batch", {"searches": [{"query": [1.0] * WIDTH, "limit": 100}] * 500}))
    assert fine(rest("PUT", "/collections/w", {"vectors": {"size": 65_536, "distance": "Dot", "on_disk": True},
                                               "wal_config": {"wal_capacity_mb": 1}})).status == 200
    for n in range(20):
        fine(rest("PUT", "/collections/w/points?wait=true", {"points": [{"id": n * 20 + i, "vector": [float(n)] * 65_536} for i in range(20)]}))
    assert rest("POST", "/collections/w/points/query", {"query": [1.0] * 65_536, "limit": 5}).status == 200
    found = rest("POST", "/collections/c/points/scroll", {"limit": 1000, "with_vector": False}).result["points"]
    assert [p["id"] for p in found] == list(range(BATCH))
    print(f"at most {group.most >> 20} MB")


def test_bodies_in_flight_have_a_share_of_the_limit(group, small):
    """Without a setting, what is being received is bounded by the group's limit and not by the machine's memory."""
    create(small, True)
    sockets = [socket.create_connection(("127.0.0.1", small.port), timeout=60) for _ in range(12)]
    for s in sockets:
        s.sendall(f"POST /collections/c/points/count HTTP/1.1\r\nhost: x\r\ncontent-length: {30 * MB}\r\n\r\n".encode())
    for _ in range(29):
        for s in sockets:
            s.sendall(b" " * MB)
    for s in sockets:
        s.sendall(b" " * (MB - 2) + b"{}")
    answers = [s.recv(1000).split(b" ")[1] for s in sockets]
    for s in sockets:
        s.close()
    assert set(answers) <= {b"200", b"429"} and b"429" in answers, answers
    assert small.alive() and not group.kills and Rest(small.url)("POST", "/collections/c/points/count", {}).status == 200
