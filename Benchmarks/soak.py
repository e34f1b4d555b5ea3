"""Mixed load for a long time: upserts, overwrites, deletes, payload writes and filtered searches; counts errors, samples memory and disk.

    python Benchmarks/soak.py --url http://localhost:6333 --pid PID --storage FOLDER --minutes 20

Fails on any error, and when memory or disk keep growing although the set of points does not: the last quarter's median may exceed the
second quarter's by the allowances below (the first quarter is for filling up and warming).
"""
import argparse
import http.client
import json
import os
import random
import statistics
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "Conformance"))
from dataset import FIXTURE, Data  # noqa: E402
from octant_server import folder_mb, memory  # noqa: E402
from rest import Rest  # noqa: E402

NAME, WRITERS, READERS = "soak", 2, 2
# Of RssAnon, the disk and open files: factor and head-room allowed.
ALLOWED = {"anon": (1.2, 64), "disk": (1.5, 128), "files": (1.5, 32)}


class Load(threading.Thread):
    def __init__(self, number, kind, a, data, stop):
        super().__init__(daemon=True)
        self.rnd, self.kind, self.stop = random.Random(f"{a.seed}/{number}"), kind, stop
        self.rest = Rest(a.url, timeout=120)
        self.queries, self.filters, self.known = data.queries.tolist(), [e["filter"] for e in data.filters.values()], {}
        self.vectors, self.payload = data.all_vectors, data.all_payload
        self.keys = range(number * 2500, (number + 1) * 2500)
        self.done, self.errors = {}, []

    def call(self, what, method, path, body):
        try:
            r = self.rest(method, f"/collections/{NAME}/{path}", body)
            if r.status == 200:
                self.done[what] = self.done.get(what, 0) + 1
                return r.json["result"]
            self.errors.append(f"{what}: {r.status} {r.body[:200]!r}")
        except (OSError, ValueError, http.client.HTTPException) as e:
            self.errors.append(f"{what}: {e!r}")
            self.stop.wait(0.2)
        return None

    def expect(self, what, truth):
        if not truth:
            self.errors.append(what)

    def write(self):
        r = self.rnd
        keys = r.sample(self.keys, r.choice([1, 10, 100]))
        pick = r.random()
        if pick < 0.6:
            rows = {k: r.randrange(len(self.vectors)) for k in keys}
            points = [{"id": k, "vector": self.vectors[i].tolist(), "payload": {**self.payload[i], "row": i}} for k, i in rows.items()]
            if self.call("upsert", "PUT", "points?wait=true", {"points": points}) is not None:
                self.known.update(rows)
        elif pick < 0.8:
            if self.call("delete", "POST", "points/delete?wait=true", {"points": keys}) is not None:
                for k in keys:
                    self.known.pop(k, None)
        else:
            there = [k for k in keys if k in self.known]
            if there:
                self.call("set payload", "POST", "points/payload?wait=true", {"payload": {"touched": r.random()}, "points": there})

    def check(self):
        """Some of this writer's points, against what it knows."""
        keys = self.rnd.sample(self.keys, 20)
        found = self.call("retrieve", "POST", "points", {"ids": keys})
        if found is not None:
            self.expect(f"wrong points among {keys}", {p["id"]: p["payload"]["row"] for p in found} == {k: self.known[k] for k in keys if k in self.known})

    def read(self):
        r = self.rnd
        body = {"query": r.choice(self.queries), "limit": 10, "with_payload": r.random() < 0.3}
        if r.random() < 0.7:
            body["filter"] = r.choice(self.filters)
        found = self.call("search", "POST", "points/query", body)
        if found is not None:
            scores = [p["score"] for p in found["points"]]
            self.expect("scores out of order", scores == sorted(scores, reverse=True))
        if r.random() < 0.05:
            self.call("count", "POST", "points/count", {"filter": r.choice(self.filters)})
        if r.random() < 0.05:
            self.call("scroll", "POST", "points/scroll", {"limit": 50, "filter": r.choice(self.filters)})

    def run(self):
        while not self.stop.is_set():
            if self.kind == "read":
                self.read()
            else:
                self.write()
                if self.rnd.random() < 0.1:
                    self.check()


def main():
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument("--url", default="http://localhost:6333")
    p.add_argument("--pid", type=int, required=True)
    p.add_argument("--storage", required=True)
    p.add_argument("--minutes", type=float, default=20)
    p.add_argument("--data", default=FIXTURE)
    p.add_argument("--seed", type=int, default=1)
    a = p.parse_args()
    data = Data(a.data)
    data.all_vectors, data.all_payload = data.vectors(), data.payload()
    rest = Rest(a.url, timeout=120)
    rest("DELETE", f"/collections/{NAME}")
    rest("PUT", f"/collections/{NAME}", {"vectors": {"size": data.dim, "distance": "Cosine"}, "hnsw_config": {"full_scan_threshold": 10},
                                         "optimizers_config": {"indexing_threshold": 500}}).result
    for field, kind in (("year", "integer"), ("keywords", "keyword"), ("word_len", "float"), ("prerelease", "bool")):
        rest("PUT", f"/collections/{NAME}/index?wait=true", {"field_name": field, "field_schema": kind}).result

    stop = threading.Event()
    loads = [Load(i, "write", a, data, stop) for i in range(WRITERS)] + [Load(WRITERS + i, "read", a, data, stop) for i in range(READERS)]
    for t in loads:
        t.start()
    began, samples, seconds = time.monotonic(), [], a.minutes * 60
    while (now := time.monotonic() - began) < seconds and not (sum(len(t.errors) for t in loads) > 100):
        stop.wait(min(5, seconds / 40))
        try:
            m = memory(a.pid)
            files = len(os.listdir(f"/proc/{a.pid}/fd"))
        except OSError:
            loads[0].errors.append("the server is gone")
            break
        samples.append({"anon": m["RssAnon"], "disk": folder_mb(a.storage), "files": files})
        if len(samples) % 6 == 0:
            done = sum(sum(t.done.values()) for t in loads)
            print(f"{now / 60:5.1f} min  {done:9,} requests  {sum(len(t.errors) for t in loads)} errors  RssAnon {m['RssAnon']:.0f} MB  "
                  f"RssFile {m['RssFile']:.0f} MB  disk {samples[-1]['disk']:.0f} MB  {files} open files", flush=True)
    stop.set()
    for t in loads:
        t.join(120)

    errors = [e for t in loads for e in t.errors]
    if not errors:
        expected = sum(len(t.known) for t in loads if t.kind == "write")
        counted = rest("POST", f"/collections/{NAME}/points/count", {}).result["count"]
        if counted != expected:
            errors.append(f"{counted} points at the end, expected {expected}")
    quarter = max(len(samples) // 4, 1)
    for key, (factor, room) in ALLOWED.items():
        early = statistics.median(s[key] for s in samples[quarter:2 * quarter] or samples)
        late = statistics.median(s[key] for s in samples[-quarter:])
        print(f"{key}: {early:.0f} in the second quarter, {late:.0f} in the last")
        if late > early * factor + room:
            errors.append(f"{key} grows: {early:.0f} -> {late:.0f}")
    totals = {}
    for t in loads:
        for k, n in t.done.items():
            totals[k] = totals.get(k, 0) + n
    print(json.dumps({"minutes": a.minutes, "requests": totals, "errors": len(errors)}))
    for e in errors[:20]:
        print("error:", e)
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main())
