"""REST throughput: upsert and search over plain HTTP, and the server's CPU time per request.

    python Benchmarks/rest_bench.py --url http://localhost:6333 --pid PID --data FOLDER
"""
import argparse
import json
import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "Conformance"))
from dataset import FIXTURE, Data, recall  # noqa: E402
from load import Search, parallel  # noqa: E402
from octant_server import cpu_seconds, memory  # noqa: E402
from rest import Rest  # noqa: E402

NAME = "bench"


class Clock:
    """Wall seconds and the server's CPU seconds of a with-block."""

    def __init__(self, pid):
        self.pid = pid

    def __enter__(self):
        self.wall, self.cpu = time.perf_counter(), cpu_seconds(self.pid)
        return self

    def __exit__(self, *_):
        self.wall, self.cpu = time.perf_counter() - self.wall, cpu_seconds(self.pid) - self.cpu


def report(what, n, clock, **more):
    line = {"what": what, "n": n, "per_s": round(n / clock.wall, 1), "cpu_us_each": round(clock.cpu / n * 1e6, 1),
            "cores": round(clock.cpu / clock.wall, 2), **more}
    print(json.dumps(line), flush=True)


def main():
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument("--url", default="http://localhost:6333")
    p.add_argument("--pid", type=int, required=True)
    p.add_argument("--data", default=FIXTURE)
    p.add_argument("--batch", type=int, default=500)
    p.add_argument("--seconds", type=float, default=5)
    a = p.parse_args()
    data, rest = Data(a.data), Rest(a.url, timeout=600)
    vectors, payload = data.vectors(), data.payload()

    rest("DELETE", f"/collections/{NAME}")
    # A threshold below the fixture's size, so that the graph is measured there too.
    rest("PUT", f"/collections/{NAME}", {"vectors": {"size": data.dim, "distance": "Cosine"},
                                         "hnsw_config": {"full_scan_threshold": 10}, "optimizers_config": {"indexing_threshold": 1000}}).result
    bodies = [json.dumps({"points": [{"id": i, "vector": vectors[i].tolist(), "payload": payload[i]} for i in range(b, min(b + a.batch, len(vectors)))]}
                         ).encode() for b in range(0, len(vectors), a.batch)]
    with Clock(a.pid) as total:
        with Clock(a.pid) as c:
            for body in bodies:
                rest("PUT", f"/collections/{NAME}/points?wait=true", body).result
        report("upsert, wait=true, 1 connection", len(vectors), c, request_mb=round(sum(map(len, bodies)) / 2**20, 1))
        quiet = 0
        while quiet < 4:
            quiet = quiet + 1 if rest("GET", f"/collections/{NAME}").result["status"] == "green" else 0
            time.sleep(0.1)
    report("the same until green", len(vectors), total)

    search = Search(a.url, NAME, data.queries)
    for label, extra in (("search", {}), ("search, ef 64", {"params": {"hnsw_ef": 64}}), ("search, ef 256", {"params": {"hnsw_ef": 256}}),
                         ("search with payload", {"with_payload": True}), ("search exact", {"params": {"exact": True}})):
        q = search.bodies(**extra)
        found, _ = search.run(q)
        n, began = 0, time.perf_counter()
        with Clock(a.pid) as c:
            while time.perf_counter() - began < a.seconds:
                for body in q[:100]:
                    search.one(body)
                n += len(q[:100])
        report(label + ", 1 connection", n, c, recall=round(recall(found, data.truth), 4))
    q = search.bodies()
    for connections in (2, 8, 32):
        began = cpu_seconds(a.pid)
        with Clock(a.pid) as c:
            qps = parallel(a.url, NAME, q, connections, a.seconds)
        print(json.dumps({"what": f"search, {connections} connections", "per_s": round(qps, 1),
                          "cores": round((cpu_seconds(a.pid) - began) / c.wall, 2)}), flush=True)
    n = 2000
    with Clock(a.pid) as c:
        for _ in range(n):
            rest("GET", "/healthz")
    report("GET /healthz", n, c)
    with Clock(a.pid) as c:
        for i in range(n):
            rest("PUT", f"/collections/{NAME}/points?wait=true",
                 {"points": [{"id": i % len(vectors), "vector": vectors[i % len(vectors)].tolist()}]}).result
    report("upsert of one point, wait=true", n, c)
    print(json.dumps({"what": "memory MB", **{k: round(v, 1) for k, v in memory(a.pid).items()}}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
