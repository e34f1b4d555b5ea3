"""Where a collection's bytes are: GET /collections/{name}/memory."""
import os

import numpy as np
from qdrant_client import models

from conftest import connect, wait_green
from octant_server import Server
from rest import Rest

ROWS, WIDTH = 20_000, 128


def fill(client, name, **kwargs):
    client.create_collection(name, **kwargs)
    rows = np.random.default_rng(5).standard_normal((ROWS, WIDTH)).astype(np.float32)
    client.upload_collection(name, rows, payload=({"n": i % 10} for i in range(ROWS)), ids=range(ROWS), wait=True)
    client.create_payload_index(name, "n", models.PayloadSchemaType.INTEGER, wait=True)


def of_kind(report, kind):
    return [s for part in report["segments"] for s in part["structures"] if s["kind"] == kind]


def rss(pid):
    with open(f"/proc/{pid}/smaps_rollup") as f:
        return next(int(line.split()[1]) for line in f if line.startswith("Rss")) * 1024


def test_report_and_process_agree(tmp_path):
    """What the process is without collections, and what the report says of them, is what the system says of the process."""
    with Server(str(tmp_path)) as server:
        client = connect(server)
        fill(client, "warm", vectors_config=models.VectorParams(size=WIDTH, distance="Cosine"))
        fill(client, "cold", vectors_config=models.VectorParams(size=WIDTH, distance="Cosine", on_disk=True),
             hnsw_config=models.HnswConfigDiff(on_disk=True))
        wait_green(client, "warm")
        wait_green(client, "cold")
    with Server(str(tmp_path)) as server:
        rest = Rest(server.url)
        warm = rest("GET", "/collections/warm/memory").result
        cold = rest("GET", "/collections/cold/memory").result
        process = cold["process"]
        total = rss(server.pid)
        assert abs(process["resident_bytes"] - total) < 0.05 * total
        held = sum(r["total"]["anonymous_bytes"] + r["total"]["mapped_bytes"] for r in (warm, cold))
        # What serving has taken since the start (stacks, the allocator's stock) does not grow with the data.
        assert abs(process["base_bytes"] + held - total) < 0.05 * total + (8 << 20)
        vectors = ROWS * WIDTH * 4
        assert sum(s["mapped_bytes"] for s in of_kind(warm, "vectors")) >= 0.85 * vectors, "floats are packed in 88 % of their bytes"
        assert sum(s["anonymous_bytes"] for s in of_kind(warm, "graph")) > 0
        for kind in ("vectors", "graph", "codes"):
            assert all(s["held"] == "cold" and s["anonymous_bytes"] + s["mapped_bytes"] == 0 for s in of_kind(cold, kind))
        assert sum(s["disk_bytes"] for s in of_kind(cold, "vectors")) >= 0.8 * vectors
        files = sum(os.path.getsize(os.path.join(p, n)) for p, _, names in os.walk(tmp_path / "storage") for n in names)
        assert abs(sum(r["total"]["disk_bytes"] for r in (warm, cold)) - files) < 0.05 * files
        assert rest("GET", "/collections/missing/memory").status == 404


def test_low_memory_mode(tmp_path):
    with Server(str(tmp_path)) as server:
        client = connect(server)
        fill(client, "c", vectors_config=models.VectorParams(size=WIDTH, distance="Cosine"))
        wait_green(client, "c")
        before = client.query_points("c", query=[1.0] * WIDTH, search_params={"hnsw_ef": 500}).points
    with Server(str(tmp_path), env={"QDRANT__STORAGE__LOW_MEMORY_MODE": "no_populate"}) as server:
        report = Rest(server.url)("GET", "/collections/c/memory").result
        for kind in ("vectors", "graph", "codes", "field_index", "payload"):
            assert all(s["held"] == "cold" and s["anonymous_bytes"] == 0 for s in of_kind(report, kind)), kind
        after = connect(server).query_points("c", query=[1.0] * WIDTH, search_params={"hnsw_ef": 500}).points
        assert {p.id for p in after} >= {p.id for p in before[:8]}
