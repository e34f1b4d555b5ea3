"""Changes of what is kept where, on a collection that is read and written meanwhile: from each corner to each other."""
import json
import random
import threading
import time

import pytest
from conftest import connect, wait_green
from dataset import Data, recall
from qdrant_client import models
from rest import Rest

INT8 = {"scalar": {"type": "int8", "quantile": 0.99, "always_ram": True}}
# A PATCH names everything that the corners set, so that each can follow on each.
CORNERS = {
    "codes in RAM, vectors on disk": dict(on_disk=True, quantization=INT8),
    "vectors and graph on disk": dict(on_disk=True, graph_on_disk=True, m=32, ef_construct=200),
    "vectors and codes in RAM": dict(quantization=INT8),
    "defaults": {},
    "many segments": dict(segments=16),
}
QUERIES = 100  # in a sweep, of which recall is taken
WRITTEN = 1_000  # points that are written again and again, with the same vectors


def patch(corner):
    c = CORNERS[corner]
    return {
        "vectors": {"": {"on_disk": c.get("on_disk", False)}},
        "hnsw_config": {"m": c.get("m", 16), "ef_construct": c.get("ef_construct", 100), "on_disk": c.get("graph_on_disk", False)},
        "quantization_config": c.get("quantization", "Disabled"),
        "optimizers_config": {"default_segment_number": c.get("segments", 1)},
    }


def every_pair(names):
    """A walk over the corners that takes every ordered pair once."""
    steps = {a: [b for b in names if b != a] for a in names}
    path, walk = [names[0]], []
    while path:
        if steps[path[-1]]:
            path.append(steps[path[-1]].pop())
        else:
            walk.append(path.pop())
    assert len(walk) == len(names) * (len(names) - 1) + 1
    return walk[::-1]


class Load:
    """Threads that search and write without a pause, and what they saw."""

    def __init__(self, server, name, data, vectors, seed):
        self.server, self.name, self.data, self.vectors, self.seed = server, name, data, vectors, seed
        self.ended, self.writing = threading.Event(), threading.Event()
        self.recalls, self.errors, self.written, self.batches = [], [], {}, 0
        params = {"hnsw_ef": 128, "quantization": {"rescore": True, "oversampling": 2.0}}
        searches = [{"query": q, "limit": 10, "params": params} for q in data.queries[:QUERIES].tolist()]
        # Requests are made once: the threads are to keep the server busy, not themselves.
        self.searches = [json.dumps({"searches": searches[i:i + 20]}).encode() for i in range(0, QUERIES, 20)]
        jobs = 2 * [(self.search, lambda: Rest(server.url))] + [(self.write, lambda: connect(server))]
        self.threads = [threading.Thread(target=self.guarded, args=job, daemon=True) for job in jobs]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.ended.set()
        for thread in self.threads:
            thread.join(60)

    def guarded(self, work, connect):
        client = connect()
        try:
            while not self.ended.is_set():
                work(client)
        except Exception as error:
            self.errors.append(error)
        finally:
            client.close()

    def search(self, rest):
        """The queries once, in batches; the recall of the sweep."""
        found = []
        for body in self.searches:
            for answer in rest("POST", f"/collections/{self.name}/points/query/batch", body).result:
                found.append([p["id"] for p in answer["points"]])
                assert len(set(found[-1])) == 10, "ten points, none of them twice"
        self.recalls.append(recall(found, self.data.truth))

    def write(self, client):
        """Points again with their vectors, which changes no answer, and with a payload that counts."""
        if not self.writing.wait(0.1):
            return
        n = self.batches = self.batches + 1
        ids = random.Random(self.seed + n).sample(range(WRITTEN), 20)
        client.upsert(self.name, models.Batch(ids=ids, vectors=[self.vectors[i] for i in ids], payloads=[{"n": n}] * len(ids)))
        self.written |= {i: n for i in ids}
        time.sleep(0.02)


@pytest.fixture
def loaded(shared, client, name, seed):
    data = Data()
    client.create_collection(
        name, vectors_config=models.VectorParams(size=data.dim, distance=models.Distance.COSINE),
        hnsw_config=models.HnswConfigDiff(full_scan_threshold=10),
        optimizers_config=models.OptimizersConfigDiff(indexing_threshold=100, default_segment_number=1))
    vectors = data.vectors().tolist()
    for start in range(0, len(vectors), 500):
        ids = list(range(start, min(start + 500, len(vectors))))
        client.upsert(name, models.Batch(ids=ids, vectors=vectors[start:start + 500], payloads=[{"n": -1}] * len(ids)))
    wait_green(client, name, indexed=0.9 * len(vectors))
    return Load(shared, name, data, vectors[:WRITTEN], seed)


def shown(client, name):
    """What a collection says of itself, in the form of patch()."""
    config = client.get_collection(name).config
    codes = config.quantization_config
    return {
        "vectors": {"": {"on_disk": bool(config.params.vectors.on_disk)}},
        "hnsw_config": {"m": config.hnsw_config.m, "ef_construct": config.hnsw_config.ef_construct,
                        "on_disk": bool(config.hnsw_config.on_disk)},
        "quantization_config": codes.model_dump(mode="json", exclude_none=True) if codes else "Disabled",
        "optimizers_config": {"default_segment_number": config.optimizer_config.default_segment_number},
    }


def check_memory(rest, name, corner):
    """The memory report says of every indexed segment that its structures are held as the corner asks. Small ones have no
    graph where neither codes of the user's nor vectors on disk are configured: their codes are scanned."""
    c = CORNERS[corner]
    report = rest("GET", f"/collections/{name}/memory").result
    scanned = "quantization" not in c and not c.get("on_disk")
    index = {"graph", "codes"} if scanned else {"graph"}
    indexed = [s for s in report["segments"] if any(x["kind"] in index for x in s["structures"])]
    assert indexed, "no segment is indexed"
    for segment in indexed:
        held = {x["kind"]: x for x in segment["structures"] if x["kind"] in ("vectors", "codes", "graph")}
        assert (held["vectors"]["held"] == "cold") == c.get("on_disk", False), (corner, held["vectors"])
        assert "graph" in held or scanned, (corner, segment)
        if "graph" not in held:
            assert held["codes"]["held"] != "cold" and held["codes"]["anonymous_bytes"] > 0, (corner, held["codes"])
            continue
        assert (held["graph"]["held"] == "cold") == c.get("graph_on_disk", False), (corner, held["graph"])
        assert held["vectors"]["anonymous_bytes"] == 0 or not c.get("on_disk"), (corner, held["vectors"])
        assert held["graph"]["anonymous_bytes"] == 0 or not c.get("graph_on_disk"), (corner, held["graph"])
        if "quantization" in c:
            assert held["codes"]["held"] == "pinned", (corner, held["codes"])
            assert held["codes"]["anonymous_bytes"] >= 0.9 * held["codes"]["disk_bytes"], (corner, held["codes"])


def wait_sweeps(load, count):
    """Until so many sweeps are done: the last of them began after this call if `count` is two more than there were."""
    deadline = time.monotonic() + 60
    while len(load.recalls) < count and not load.errors and time.monotonic() < deadline:
        time.sleep(0.01)


def test_from_each_corner_to_each_other(client, rest, loaded):
    walk = every_pair(list(CORNERS))
    name = loaded.name
    assert rest("PATCH", f"/collections/{name}", patch(walk[0])).status == 200
    wait_green(client, name)
    with loaded:
        for before, after in zip(walk, walk[1:]):
            sweeps = len(loaded.recalls)
            loaded.writing.set()
            assert rest("PATCH", f"/collections/{name}", patch(after)).status == 200
            assert shown(client, name) == patch(after)
            wait_sweeps(loaded, sweeps + 2)
            # A stream of writes is always being indexed: it pauses, so that there is an end to be seen. Searches go on.
            loaded.writing.clear()
            info = wait_green(client, name, timeout=120)
            wait_sweeps(loaded, len(loaded.recalls) + 2)
            assert not loaded.errors, f"from {before!r} to {after!r}: {loaded.errors[0]!r}"
            check_memory(rest, name, after)
            lowest = min(loaded.recalls[sweeps:])
            print(f"{before} -> {after}: recall@10 {lowest:.3f} at least, {info.segments_count} segments")
            assert lowest >= 0.95, f"from {before!r} to {after!r}"
            assert info.optimizer_status == "ok" and info.points_count == len(loaded.data.vectors())
            assert info.indexed_vectors_count >= 0.9 * info.points_count
    assert not loaded.errors, loaded.errors
    info = wait_green(client, name)
    assert shown(client, name) == patch(walk[-1])
    ids = sorted(loaded.written)
    kept = {p.id: p.payload["n"] for p in client.retrieve(name, ids)}
    assert kept == loaded.written, "no write was lost on the way"
