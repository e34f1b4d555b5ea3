#!/usr/bin/env python3
"""What a durable acknowledgement costs, and how long a start takes.

    durability.py acks [--seconds 4] [--rounds 3]
    durability.py start [--data FOLDER] [--keep FOLDER] [--only-load]

`acks`: 1, 4, 16 and 64 writers send one point of 384 dimensions after another (`wait=true`), then 4 writers batches of 100, to a
server as it is and to one whose fsync and fdatasync do nothing (LD_PRELOAD), in turns; `wait=false` beside them. Milliseconds to the
acknowledgement and acknowledgements per second, medians of the rounds, and their ratios.

`start`: the time from the start of the process to the first search answered, and its memory then, with 100 collections of 200
points, and with the data set: after a clean stop, and after writes and kill -9. The data set is loaded into the folder of `--keep`
first, unless it is there already; `--only-load` ends then.

Prints Markdown tables. The server is OCTANT_BIN.
"""
import argparse
import json
import os
import random
import selectors
import socket
import statistics
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(ROOT, "Conformance"))

from dataset import FIXTURE, INDEXES, Data  # noqa: E402
from octant_server import Server, memory  # noqa: E402
from reliability import no_sync  # noqa: E402
from rest import Rest  # noqa: E402

WIDTH = 384


def requests_of(batch, wait, count=400):
    """Whole HTTP requests, encoded before anything is measured."""
    rnd, out = random.Random(1), []
    for n in range(count if batch == 1 else 20):
        points = [{"id": n * batch + i, "vector": [round(rnd.gauss(0, 1), 4) for _ in range(WIDTH)], "payload": {"n": n}} for i in range(batch)]
        body = json.dumps({"points": points}).encode()
        out.append(b"PUT /collections/c/points?wait=%s HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % (
            wait, len(body)) + body)
    return out


def drive(port, requests, writers, seconds):
    """Every writer sends its next request when the last is answered; (seconds of each, all seconds)."""
    selector, waiting, times, next_one = selectors.DefaultSelector(), {}, [], 0
    sockets = []
    for _ in range(writers):
        s = socket.create_connection(("127.0.0.1", port))
        s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        selector.register(s, selectors.EVENT_READ)
        sockets.append(s)

    def send(s):
        nonlocal next_one
        waiting[s] = time.perf_counter()
        s.sendall(requests[next_one % len(requests)])
        next_one += 1

    began = time.perf_counter()
    for s in sockets:
        send(s)
    while (now := time.perf_counter()) - began < seconds or waiting:
        for key, _ in selector.select(1):
            s = key.fileobj
            data = s.recv(65536)
            if not data.startswith(b"HTTP/1.1 200") or b"\r\n\r\n{" not in data:
                raise SystemExit(f"not acknowledged: {data[:300]!r}")
            times.append(time.perf_counter() - waiting.pop(s))
            if now - began < seconds:
                send(s)
    took = time.perf_counter() - began
    for s in sockets:
        s.close()
    return times, took


def measure(preload, writers, batch, wait, seconds):
    requests = requests_of(batch, wait)
    with Server(env={"LD_PRELOAD": preload} if preload else None) as server:
        rest = Rest(server.url)
        # Without a graph: what is measured is the way to the acknowledgement, not who else wants the cores.
        assert rest("PUT", "/collections/c", {"vectors": {"size": WIDTH, "distance": "Dot"}, "optimizers_config": {"indexing_threshold": 0}}).result
        drive(server.port, requests, writers, 0.5)
        times, took = drive(server.port, requests, writers, seconds)
        server.stop()
    times.sort()
    return len(times) / took, times[len(times) // 2] * 1e3, times[int(len(times) * 0.99)] * 1e3


def acks(options):
    with tempfile.TemporaryDirectory() as folder:
        library = no_sync.library(folder)
        if not library:
            raise SystemExit("there is no C compiler to make syncs do nothing with")
        kinds = {"durable": (None, b"true"), "unsynced": (library, b"true"), "wait=false": (None, b"false")}
        print("| writers × points | durable: acks/s, p50, p99 | unsynced: acks/s, p50, p99 | added p50, p99 | throughput | `wait=false`: acks/s, p50, p99 |")
        print("|---|---|---|---|---|---|")
        for writers, batch in ((1, 1), (4, 1), (16, 1), (64, 1), (4, 100)):
            found = {k: [] for k in kinds}
            for _ in range(options.rounds):
                for kind, (preload, wait) in kinds.items():
                    found[kind].append(measure(preload, writers, batch, wait, options.seconds))
            middle = {k: [statistics.median(x) for x in zip(*rows)] for k, rows in found.items()}
            text = {k: f"{m[0]:,.0f}, {m[1]:.2f} ms, {m[2]:.2f} ms" for k, m in middle.items()}
            d, u = middle["durable"], middle["unsynced"]
            print(f"| {writers} × {batch} | {text['durable']} | {text['unsynced']} | {d[1] - u[1]:+.2f} ms, {d[2] - u[2]:+.2f} ms | "
                  f"{d[0] / u[0] * 100:.0f} % | {text['wait=false']} |", flush=True)


def until_answered(server, path, body):
    """Starts the process; seconds until the first answer to the port, and until a search is answered."""
    began = time.perf_counter()
    server.launch()
    first = None
    while True:
        if not server.alive():
            raise SystemExit(server.log())
        try:
            r = Rest(server.url, timeout=30)("POST", path, body)
            first = first or time.perf_counter() - began
            if r.status == 200:
                return first, time.perf_counter() - began
        except OSError:
            time.sleep(0.002)


def starts(server, title, path, body, dirty):
    for kind in ("clean stop", "writes, kill -9"):
        if kind == "clean stop":
            server.stop()
        else:
            dirty()
            server.kill()
        first, answered = until_answered(server, path, body)
        held = memory(server.pid)
        print(f"| {title} | {kind} | {first * 1e3:,.0f} ms | {answered * 1e3:,.0f} ms | {held['VmRSS']:,.0f} MB | {held['RssAnon']:,.0f} MB |", flush=True)
        Rest(server.url)("GET", "/collections")


def write_points(server, collection, vectors, payload, last):
    from qdrant_client import QdrantClient, models
    client = QdrantClient(url=server.url, grpc_port=server.grpc_port, prefer_grpc=True, timeout=600, check_compatibility=False)
    for a in range(0, last, 500):
        b = min(a + 500, last)
        client.upsert(collection, models.Batch(ids=list(range(a, b)), vectors=vectors[a:b].tolist(), payloads=payload[a:b]), wait=True)
    client.close()


def load(server, data, vectors, payload):
    rest = Rest(server.url)
    assert rest("PUT", "/collections/c", {"vectors": {"size": data.dim, "distance": "Cosine"}}).result
    write_points(server, "c", vectors, payload, len(vectors))
    for field, kind in INDEXES.items():
        assert rest("PUT", "/collections/c/index?wait=true", {"field_name": field, "field_schema": kind}).status == 200
    quiet = 0
    while quiet < 5:
        quiet = quiet + 1 if rest("GET", "/collections/c").result["status"] == "green" else 0
        time.sleep(0.2)
    rest.close()


def many_collections():
    with Server() as server:
        rest = Rest(server.url)
        for n in range(100):
            assert rest("PUT", f"/collections/c{n}", {"vectors": {"size": 64, "distance": "Dot"}, "wal_config": {"wal_capacity_mb": 1}}).result

        def write():
            rest.close()
            for n in range(100):
                points = [{"id": i, "vector": [float(i)] * 64, "payload": {"n": i}} for i in range(200)]
                assert rest("PUT", f"/collections/c{n}/points?wait=true", {"points": points}).status == 200
        write()
        starts(server, "100 collections × 200 points", "/collections/c99/points/query", {"query": [1.0] * 64}, write)


def start(options):
    data = Data(options.data)
    vectors, payload = data.vectors(), data.payload()
    if options.keep:
        os.makedirs(options.keep, exist_ok=True)
    there = bool(options.keep) and os.path.isdir(os.path.join(options.keep, "storage", "c"))
    with Server(folder=options.keep) as server:
        if not there:
            load(server, data, vectors, payload)
        if not options.only_load:
            print("| data | after | first answer | first search | resident | of it anonymous |")
            print("|---|---|---|---|---|---|")
            starts(server, f"{len(vectors):,} × {data.dim}, payload, {len(INDEXES)} indexes", "/collections/c/points/query",
                   {"query": vectors[0].tolist()}, lambda: write_points(server, "c", vectors, payload, min(5000, len(vectors))))
        server.stop()
    if not options.only_load:
        many_collections()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("acks", "start"))
    parser.add_argument("--seconds", type=float, default=4)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--data", default=FIXTURE)
    parser.add_argument("--keep")
    parser.add_argument("--only-load", action="store_true")
    options = parser.parse_args()
    {"acks": acks, "start": start}[options.what](options)


if __name__ == "__main__":
    main()
