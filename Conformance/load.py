"""Searches over plain HTTP with keep-alive, so that the client is not what is measured."""
import http.client
import json
import multiprocessing
import time
import urllib.parse


class Search:
    def __init__(self, url, collection, queries=None):
        self.connection = http.client.HTTPConnection(urllib.parse.urlparse(url).netloc, timeout=600)
        self.path, self.queries = f"/collections/{collection}/points/query", queries

    def bodies(self, params=None, **more):
        extra = {**({"params": params} if params else {}), **more}
        return [json.dumps({"query": q.tolist(), "limit": 10, **extra}).encode() for q in self.queries]

    def one(self, body):
        self.connection.request("POST", self.path, body, {"Content-Type": "application/json"})
        r = self.connection.getresponse()
        data = r.read()
        if r.status != 200:
            raise RuntimeError(f"{r.status}: {data[:300]!r}")
        return data

    def run(self, bodies):
        """(ids found by each query, seconds each took)"""
        found, times = [], []
        for body in bodies:
            t = time.perf_counter()
            data = self.one(body)
            times.append(time.perf_counter() - t)
            found.append([p["id"] for p in json.loads(data)["result"]["points"]])
        return found, times


def _worker(url, collection, bodies, start, seconds, out):
    s = Search(url, collection)
    s.one(bodies[0])
    start.wait()
    began, n = time.perf_counter(), 0
    while True:
        s.one(bodies[n % len(bodies)])
        n += 1
        if n % 16 == 0 and time.perf_counter() - began >= seconds:
            break
    out.put((n, time.perf_counter() - began))


def parallel(url, collection, bodies, connections, at_least=4.0):
    """Queries per second over so many connections, every one in a process of its own."""
    m = multiprocessing.get_context("fork")
    start, out = m.Barrier(connections), m.Queue()
    workers = [m.Process(target=_worker, args=(url, collection, bodies[i:] + bodies[:i], start, at_least, out)) for i in range(connections)]
    for w in workers:
        w.start()
    rates = [n / s for n, s in (out.get(timeout=at_least * 10 + 120) for _ in workers)]
    for w in workers:
        w.join()
    return sum(rates)
