"""Snapshots of a full collection while four clients write: what searches notice, and whether what is recovered is exactly
the state at the snapshot's LSN, values included.

    python Benchmarks/snapshot_bench.py --url URL --data FOLDER --snapshots THE_SERVERS_FOLDER_OF_SNAPSHOTS
"""
import argparse
import hashlib
import json
import multiprocessing
import os
import struct
import sys
import threading
import time

import numpy as np

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "Conformance"))
from dataset import FIXTURE, Data  # noqa: E402
from rest import Rest  # noqa: E402

NAME, COPY = "snapshot_bench", "snapshot_bench_copy"


def recorded_lsn(archive):
    """The LSN in the first collection block of an archive; see docs/format/snapshot.md."""
    at = 64 + 16 + 4
    length = shift = 0
    while True:
        byte = archive[at]
        length |= (byte & 127) << shift
        at, shift = at + 1, shift + 7
        if byte < 128:
            break
    return struct.unpack_from("<Q", archive, at + length + 16)[0]


def search(url, queries, stop, out):
    """Searches one after the other and notes when each began and how long it took."""
    rest, taken, i = Rest(url, timeout=60), [], 0
    while not stop.is_set():
        body = {"query": queries[i % len(queries)], "limit": 10}
        start = time.time()
        rest("POST", f"/collections/{NAME}/points/query", body).result
        taken.append((start, time.time() - start))
        i += 1
    out.put(taken)


class Writers:
    """Four clients, each with points of its own; every acknowledged write is noted by its number in the log."""

    def __init__(self, url, vectors, keys, pause):
        self.url, self.vectors, self.keys, self.pause = url, vectors, keys, pause
        self.noted, self.stop = [], False
        self.threads = [threading.Thread(target=self.write, args=(n,), daemon=True) for n in range(4)]
        for thread in self.threads:
            thread.start()

    def write(self, number):
        rest, random, value = Rest(self.url, timeout=120), np.random.default_rng(number), 0
        own = np.arange(number, self.keys, 4)
        while not self.stop:
            value += 1
            ids = [int(i) for i in random.choice(own, 20, replace=False)]
            if value % 5 == 4:
                answer = rest("POST", f"/collections/{NAME}/points/delete?wait=true", {"points": ids})
                change = {i: None for i in ids}
            else:
                rows = {i: int(random.integers(len(self.vectors))) for i in ids}
                points = [{"id": i, "vector": self.vectors[rows[i]].tolist(), "payload": {"w": value, "by": number}} for i in ids]
                answer = rest("PUT", f"/collections/{NAME}/points?wait=true", {"points": points})
                change = {i: (rows[i], value, number) for i in ids}
            self.noted.append((answer.result["operation_id"], change))
            time.sleep(self.pause)

    def end(self):
        self.stop = True
        for thread in self.threads:
            thread.join()


def compare(rest, vectors, payload, noted, lsn):
    """Every point of the copy against the model: what was loaded, then all writes up to the LSN."""
    model = {i: (i, payload[i]) for i in range(len(vectors))}
    for number, change in sorted(noted, key=lambda entry: entry[0]):
        if number <= lsn:
            for i, new in change.items():
                if new is None:
                    model.pop(i, None)
                else:
                    model[i] = (new[0], {"w": new[1], "by": new[2]})
    seen, offset, wrong = 0, None, 0
    while True:
        page = rest("POST", f"/collections/{COPY}/points/scroll",
                    {"limit": 1000, "offset": offset, "with_vector": True, "with_payload": True}).result
        for point in page["points"]:
            expected = model.get(point["id"])
            same = expected and np.allclose(np.asarray(point["vector"], np.float32), vectors[expected[0]], rtol=0, atol=1e-6) \
                and point["payload"] == expected[1]
            wrong += not same
        seen += len(page["points"])
        offset = page["next_page_offset"]
        if offset is None:
            return len(model), seen, wrong


def p99(taken, start, end):
    inside = [t for s, t in taken if start <= s < end]
    return {"searches": len(inside), "p50_ms": round(float(np.percentile(inside, 50)) * 1e3, 2),
            "p99_ms": round(float(np.percentile(inside, 99)) * 1e3, 2)}


def main():
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument("--url", default="http://localhost:6333")
    p.add_argument("--data", default=FIXTURE)
    p.add_argument("--snapshots", required=True, help="the server's folder of snapshots")
    p.add_argument("--rounds", type=int, default=5)
    p.add_argument("--seconds", type=float, default=10, help="of searches without a snapshot, before")
    p.add_argument("--pause", type=float, default=0.02, help="seconds between two writes of a client")
    a = p.parse_args()
    data, rest = Data(a.data), Rest(a.url, timeout=1200)
    vectors, payload = data.vectors(), data.payload()
    for name in (NAME, COPY):
        rest("DELETE", f"/collections/{name}")
    rest("PUT", f"/collections/{NAME}", {"vectors": {"size": data.dim, "distance": "Cosine"}}).result
    for b in range(0, len(vectors), 500):
        rest("PUT", f"/collections/{NAME}/points?wait=true",
             {"points": [{"id": i, "vector": vectors[i].tolist(), "payload": payload[i]}
                         for i in range(b, min(b + 500, len(vectors)))]}).result
    while rest("GET", f"/collections/{NAME}").result["status"] != "green":
        time.sleep(0.5)

    stop, out = multiprocessing.Event(), multiprocessing.Queue()
    searcher = multiprocessing.Process(target=search, args=(a.url, data.queries.tolist(), stop, out))
    searcher.start()
    writers = Writers(a.url, vectors, min(4000, len(vectors)), a.pause)
    time.sleep(3)
    before = time.time()
    time.sleep(a.seconds)
    begun, made = time.time(), []
    for _ in range(a.rounds):
        start = time.time()
        made.append(rest("POST", f"/collections/{NAME}/snapshots?wait=true").result)
        made[-1]["seconds"] = round(time.time() - start, 2)
    ended = time.time()
    time.sleep(1)
    writers.end()
    stop.set()
    taken = out.get()
    searcher.join()
    quiet, busy = p99(taken, before, begun), p99(taken, begun, ended)
    print(json.dumps({"what": "searches", "before": quiet, "during": busy,
                      "p99_ratio": round(busy["p99_ms"] / quiet["p99_ms"], 2)}), flush=True)
    failed = False
    for snapshot in (made[0], made[-1]):
        path = os.path.join(a.snapshots, NAME, snapshot["name"])
        with open(path, "rb") as f:
            archive = f.read()
        assert hashlib.sha256(archive).hexdigest() == snapshot["checksum"], "the checksum is not the file's"
        start = time.time()
        rest("PUT", f"/collections/{COPY}/snapshots/recover?wait=true",
             {"location": "file://" + os.path.abspath(path), "checksum": snapshot["checksum"]}).result
        seconds = time.time() - start
        lsn = recorded_lsn(archive)
        expected, found, wrong = compare(rest, vectors, payload, writers.noted, lsn)
        failed |= wrong > 0 or expected != found
        print(json.dumps({"what": "recovered", "MB": round(snapshot["size"] / 1e6, 1), "taken_s": snapshot["seconds"],
                          "recovered_s": round(seconds, 2), "lsn": lsn, "writes_after": sum(n > lsn for n, _ in writers.noted),
                          "writes_in": sum(n <= lsn for n, _ in writers.noted), "points": found, "expected": expected,
                          "wrong": wrong}), flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
