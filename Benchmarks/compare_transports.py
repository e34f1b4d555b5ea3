"""REST and gRPC in one run: the same upserts and searches, in turns, with 1 and with 8 connections.

    python Conformance/with_server.py python Benchmarks/compare_transports.py --url {url} --grpc-port {grpc_port} --pid {pid} --data FOLDER

Every connection is a process of its own with bodies encoded beforehand, so that the clients cost as little as Python lets them. On two cores they
still take more than the server: `server µs`, the server's CPU time per request, is the figure to compare; requests per second and latencies show
what such clients see. Medians over the rounds.
"""
import argparse
import json
import multiprocessing
import os
import statistics
import sys
import time
import urllib.parse

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "Conformance"))
from dataset import FIXTURE, Data  # noqa: E402
from octant_server import cpu_seconds  # noqa: E402
from rest import Rest  # noqa: E402

NAME, BATCH = "transports", 100


def rest_caller(address):
    rest = Rest(address, timeout=120)

    def call(path, body):
        answer = rest(path[0], path[1], body)
        assert answer.status == 200, answer.body[:300]
        return answer.body
    return call


def grpc_caller(address):
    import grpc
    channel = grpc.insecure_channel(address, options=[("grpc.use_local_subchannel_pool", 1), ("grpc.max_send_message_length", -1),
                                                      ("grpc.max_receive_message_length", -1)])
    methods = {}

    def call(path, body):
        if path not in methods:
            methods[path] = channel.unary_unary(path, request_serializer=None, response_deserializer=None)
        return methods[path](body, timeout=120)
    return call


CALLERS = {"REST": rest_caller, "gRPC": grpc_caller}


def worker(transport, address, path, bodies, ready, start, seconds, repeat, results):
    call = CALLERS[transport](address)
    if repeat:
        call(path, bodies[0])  # the connection is there before the clock starts
    ready.release()
    start.wait()
    times, end = [], time.perf_counter() + seconds
    for i in range(10**9 if repeat else len(bodies)):
        began = time.perf_counter()
        if repeat and began >= end:
            break
        call(path, bodies[i % len(bodies)])
        times.append(time.perf_counter() - began)
    results.put(times)


def run(transport, address, path, bodies, connections, seconds, pid, repeat=True):
    """Requests per second, p50 and p99 in ms, the server's CPU µs per request."""
    # Plain fork is not safe with gRPC's threads: each worker starts afresh.
    context = multiprocessing.get_context("spawn")
    ready, start, results = context.Semaphore(0), context.Event(), context.Queue()
    shares = [bodies[i::connections] or bodies for i in range(connections)]
    workers = [context.Process(target=worker, args=(transport, address, path, share, ready, start, seconds, repeat, results)) for share in shares]
    for w in workers:
        w.start()
    for _ in workers:
        ready.acquire()
    cpu, wall = cpu_seconds(pid), time.perf_counter()
    start.set()
    times = [t for _ in workers for t in results.get()]
    cpu, wall = cpu_seconds(pid) - cpu, time.perf_counter() - wall
    for w in workers:
        w.join()
    times.sort()
    return len(times) / wall, times[len(times) // 2] * 1e3, times[int(len(times) * 0.99)] * 1e3, cpu / len(times) * 1e6


def value(v):
    from qdrant_client.conversions.conversion import json_to_value
    return json_to_value(v)


def bodies_of(data, ids):
    """(REST, gRPC) bodies of upserts of 100 points and of searches."""
    from qdrant_client import grpc as q
    vectors, payload = data.vectors(), data.payload()
    rest_up, grpc_up = [], []
    for b in range(0, len(ids), BATCH):
        part = ids[b:b + BATCH]
        rest_up.append(json.dumps({"points": [{"id": i, "vector": vectors[i].tolist(), "payload": payload[i]} for i in part]}).encode())
        points = [q.PointStruct(id=q.PointId(num=i), payload={k: value(v) for k, v in payload[i].items()},
                                vectors=q.Vectors(vector=q.Vector(dense=q.DenseVector(data=vectors[i].tolist())))) for i in part]
        grpc_up.append(q.UpsertPoints(collection_name=NAME, wait=True, points=points).SerializeToString())
    rest_q = [json.dumps({"query": v.tolist(), "limit": 10}).encode() for v in data.queries]
    grpc_q = [q.QueryPoints(collection_name=NAME, limit=10, query=q.Query(nearest=q.VectorInput(dense=q.DenseVector(data=v.tolist())))
                            ).SerializeToString() for v in data.queries]
    return {"REST": (rest_up, rest_q, b""), "gRPC": (grpc_up, grpc_q, b"")}


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--url", required=True)
    p.add_argument("--grpc-port", type=int, required=True)
    p.add_argument("--pid", type=int, required=True)
    p.add_argument("--data", default=FIXTURE)
    p.add_argument("--points", type=int, default=20_000)
    p.add_argument("--seconds", type=float, default=4)
    p.add_argument("--rounds", type=int, default=3)
    a = p.parse_args()
    data, rest = Data(a.data), Rest(a.url, timeout=600)
    address = {"REST": a.url, "gRPC": f"{urllib.parse.urlparse(a.url).hostname}:{a.grpc_port}"}
    bodies = bodies_of(data, list(range(min(a.points, len(data.vectors())))))
    path = {"REST": (("PUT", f"/collections/{NAME}/points?wait=true"), ("POST", f"/collections/{NAME}/points/query"), ("GET", "/healthz")),
            "gRPC": ("/qdrant.Points/Upsert", "/qdrant.Points/Query", "/grpc.health.v1.Health/Check")}

    def fresh():
        rest("DELETE", f"/collections/{NAME}")
        rest("PUT", f"/collections/{NAME}", {"vectors": {"size": data.dim, "distance": "Cosine"}, "hnsw_config": {"full_scan_threshold": 10},
                                             "optimizers_config": {"indexing_threshold": 0}}).result  # no graph is built beside the upserts

    def index():
        rest("PATCH", f"/collections/{NAME}", {"optimizers_config": {"indexing_threshold": 1000}}).result
        quiet = 0
        while quiet < 4:
            quiet = quiet + 1 if rest("GET", f"/collections/{NAME}").result["status"] == "green" else 0
            time.sleep(0.1)

    rows = {}
    for _ in range(a.rounds):
        for transport in CALLERS:
            for connections in (1, 8):
                fresh()
                got = run(transport, address[transport], path[transport][0], bodies[transport][0], connections, 0, a.pid, repeat=False)
                rows.setdefault((f"upsert of {BATCH}", transport, connections), []).append(got)
        index()
        for connections in (1, 8):
            for transport in CALLERS:
                got = run(transport, address[transport], path[transport][1], bodies[transport][1], connections, a.seconds, a.pid)
                rows.setdefault(("search", transport, connections), []).append(got)
        for transport in CALLERS:
            got = run(transport, address[transport], path[transport][2], [bodies[transport][2]], 1, 1, a.pid)
            rows.setdefault(("health check", transport, 1), []).append(got)
    print("| what | over | connections | requests/s | p50 ms | p99 ms | server µs | spread |")
    print("|---|---|---|---|---|---|---|---|")
    for (what, transport, connections), got in rows.items():
        rate, p50, p99, cpu = (statistics.median(g[i] for g in got) for i in range(4))
        low, high = min(g[3] for g in got), max(g[3] for g in got)
        print(f"| {what} | {transport} | {connections} | {rate:,.0f} | {p50:.2f} | {p99:.2f} | {cpu:,.0f} | {low:,.0f} – {high:,.0f} |")
    return 0


if __name__ == "__main__":
    sys.exit(main())
