"""The main job on real data: create a collection, upload every point with payload, wait for the index, search, report.

    python Conformance/demo.py --url http://localhost:6333 --data FOLDER [--pid PID --storage FOLDER]
"""
import argparse
import json
import sys
import time

import numpy as np
from dataset import FIXTURE, INDEXES, Data, recall
from load import Search, parallel
from octant_server import folder_mb, memory
from qdrant_client import QdrantClient, models

NAME = "pypi"


def progress(text, end=""):
    if sys.stderr.isatty():
        print(f"\r  {text}", end=end, flush=True, file=sys.stderr)


def upload(client, vectors, payload, batch):
    started = time.perf_counter()
    for a in range(0, len(vectors), batch):
        b = min(a + batch, len(vectors))
        client.upsert(NAME, models.Batch(ids=list(range(a, b)), vectors=vectors[a:b].tolist(), payloads=payload[a:b]), wait=True)
        progress(f"uploaded {b:,} of {len(vectors):,}")
    progress(f"uploaded {len(vectors):,}", "\n")
    return time.perf_counter() - started


def wait_green(client):
    quiet = 0
    while quiet < 4:
        info = client.get_collection(NAME)
        if str(info.status) == "red":
            raise SystemExit(f"the optimiser failed: {info.optimizer_status}")
        quiet = quiet + 1 if str(info.status) == "green" else 0
        progress(f"indexed {info.indexed_vectors_count or 0:,}, {info.status}    ")
        time.sleep(0.1)
    progress(f"indexed {info.indexed_vectors_count or 0:,}, {info.status}    ", "\n")
    return info


def latencies(seconds):
    return " / ".join(f"{x * 1e3:.2f}" for x in np.percentile(seconds, (50, 95, 99)))


def row(name, value):
    print(f"| {name:44} | {value:>30} |")


def main():
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument("--url", default="http://localhost:6333")
    p.add_argument("--data", default=FIXTURE)
    p.add_argument("--pid", type=int, help="the server's process: its memory is reported")
    p.add_argument("--storage", help="the server's storage folder: its size is reported")
    p.add_argument("--batch", type=int, default=500)
    a = p.parse_args()

    data = Data(a.data)
    vectors, payload = data.vectors(), data.payload()
    client = QdrantClient(url=a.url, timeout=600)
    client.delete_collection(NAME)
    client.create_collection(NAME, vectors_config=models.VectorParams(size=data.dim, distance=models.Distance.COSINE))
    started = time.perf_counter()
    seconds = upload(client, vectors, payload, a.batch)
    info = wait_green(client)
    until_green = time.perf_counter() - started
    assert client.count(NAME).count == len(vectors)

    row("what", "measured")
    row("-" * 44, "-" * 30)
    row("points, dimensions", f"{len(vectors):,} x {data.dim}")
    row("upload through the client (wait=true)", f"{len(vectors) / seconds:,.0f} points/s")
    row("the same until green", f"{len(vectors) / until_green:,.0f} points/s")
    row("indexed vectors, segments", f"{info.indexed_vectors_count:,} in {info.segments_count}")

    search = Search(a.url, NAME, data.queries)
    plain, at256, exact = search.bodies(), search.bodies({"hnsw_ef": 256}), search.bodies({"exact": True})
    search.run(plain[:200])
    results, worst = {}, []
    for label, bodies in (("default ef", plain), ("hnsw_ef 256", at256), ("exact", exact)):
        found, times = search.run(bodies)
        r = results[label] = recall(found, data.truth)
        row(f"recall@10, {label}", f"{r:.4f}")
        row(f"  p50 / p95 / p99 ms, {label}", latencies(times))
    for connections in (1, 8):
        qps = parallel(a.url, NAME, plain, connections, at_least=4.0)
        row(f"QPS, {connections} connection{'s' * (connections > 1)} (plain HTTP)", f"{qps:,.0f}")
    times = []
    for q in data.queries[:500]:
        t = time.perf_counter()
        client.query_points(NAME, q.tolist(), limit=10, with_payload=False)
        times.append(time.perf_counter() - t)
    row("QPS through the official client", f"{len(times) / sum(times):,.0f}")
    row("  p50 / p95 / p99 ms, official client", latencies(times))

    for field, kind in INDEXES.items():
        client.create_payload_index(NAME, field, field_schema=kind, wait=True)
    wait_green(client)
    for name, entry in sorted(data.filters.items(), key=lambda e: -e[1]["matching"]):
        count = client.count(NAME, count_filter=models.Filter.model_validate(entry["filter"])).count
        assert count == entry["matching"], f"{name}: {count} points, expected {entry['matching']}"
        found, times = search.run(search.bodies(filter=entry["filter"]))
        r = recall(found, data.filter_truth(name))
        worst.append((r, name))
        row(f"filter {name} ({100 * entry['selectivity']:.2g} %): recall, p50 ms", f"{r:.4f}  {np.median(times) * 1e3:.2f}")

    if a.pid:
        m = memory(a.pid)
        row("resident memory, anonymous + files", f"{m['RssAnon']:,.0f} + {m['RssFile']:,.0f} MB")
    if a.storage:
        row("on disk", f"{folder_mb(a.storage):,.0f} MB")
    goals = {"default ef": 0.97, "hnsw_ef 256": 0.99, "exact": 1.0}
    missed = [f"recall@10 {k} {results[k]:.4f} < {v}" for k, v in goals.items() if results[k] < v]
    missed += [f"filter {name} {r:.4f} < 0.97" for r, name in worst if r < 0.97]
    print(json.dumps({"missed": missed}) if missed else "every goal of recall is met")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
