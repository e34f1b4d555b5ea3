"""kill -9 at random moments: nothing acknowledged is lost, nothing deleted comes back, every start succeeds.

Every writer owns some keys and knows, for each of them, the state last acknowledged. While a request is on its way its outcome is
unknown: after a kill its points must be all in the old or all in the new state, and every other point in the state acknowledged.
"""
import http.client
import json
import os
import random
import threading
import time

import pytest
from conftest import connect, wait_green
from octant_server import Server
from rest import Rest

ROUNDS = int(os.environ.get("OCTANT_KILL_ROUNDS", "50"))
WRITERS, KEYS, DIM, NAME = 4, 350, 16, "kill"
LOST = (OSError, http.client.HTTPException)


def vector_of(rnd):
    return [rnd.randint(-64, 64) / 8 for _ in range(DIM)]  # exact in float32


class Writer(threading.Thread):
    """Sends one write after another for its own keys until the connection breaks."""

    def __init__(self, number, url, state, seed):
        super().__init__(daemon=True)
        self.keys = range(number * KEYS, (number + 1) * KEYS)
        self.state = state  # key -> (vector, payload), shared, but every key has one writer
        self.rnd, self.rest = random.Random(seed), Rest(url, timeout=30)
        self.pending = {}   # key -> state after the request now on its way (None: deleted)
        self.acknowledged, self.failure = 0, None

    def request(self):
        """A random write: (method, path, body, what it makes of the keys)."""
        r = self.rnd
        keys = r.sample(self.keys, r.choice([1, 1, 3, 10, 40]))
        known = [k for k in keys if k in self.state]
        kind = r.choices(["upsert", "delete", "set", "overwrite", "clear", "vectors"], [55, 15, 12, 8, 3, 7])[0]
        if kind == "upsert" or not known:
            after = {k: (vector_of(r), {"n": r.randint(0, 10**9), "g": r.choice("abcd"), "text": "x" * r.randint(0, 200), "key": k}) for k in keys}
            points = [{"id": k, "vector": v, "payload": p} for k, (v, p) in after.items()]
            return "PUT", "points", {"points": points}, after
        if kind == "delete":
            return "POST", "points/delete", {"points": keys}, {k: None for k in keys}
        if kind == "vectors":
            after = {k: (vector_of(r), self.state[k][1]) for k in known}
            return "PUT", "points/vectors", {"points": [{"id": k, "vector": v} for k, (v, _) in after.items()]}, after
        if kind == "clear":
            return "POST", "points/payload/clear", {"points": known}, {k: (self.state[k][0], {}) for k in known}
        new = {"n": r.randint(0, 10**9), "extra": [r.random(), None, {"deep": True}]}
        if kind == "set":
            after = {k: (self.state[k][0], {**self.state[k][1], **new}) for k in known}
            return "POST", "points/payload", {"payload": new, "points": known}, after
        return "PUT", "points/payload", {"payload": new, "points": known}, {k: (self.state[k][0], new) for k in known}

    def settle(self, after):
        for k, s in after.items():
            if s is None:
                self.state.pop(k, None)
            else:
                self.state[k] = s

    def run(self):
        while True:
            method, path, body, after = self.request()
            self.pending = after
            try:
                r = self.rest(method, f"/collections/{NAME}/{path}?wait=true", body)
            except LOST:
                return  # the outcome of `pending` is unknown
            if r.status != 200 or r.json["result"]["status"] != "completed":
                self.failure = f"{method} {path}: {r.status} {r.body[:300]!r}"
                return
            self.settle(after)
            self.pending = {}
            self.acknowledged += 1


class Creator(threading.Thread):
    """Creates and drops other collections meanwhile."""

    def __init__(self, url, existing, seed):
        super().__init__(daemon=True)
        self.existing, self.rnd, self.rest = existing, random.Random(seed), Rest(url, timeout=30)
        self.unsure = self.failure = None

    def run(self):
        while True:
            n = f"other{self.rnd.randint(0, 4)}"
            self.unsure = n
            try:
                if n in self.existing:
                    r = self.rest("DELETE", f"/collections/{n}")
                else:
                    r = self.rest("PUT", f"/collections/{n}", {"vectors": {"size": 2, "distance": "Dot"}})
            except LOST:
                return
            if r.status != 200 or r.json["result"] is not True:
                self.failure = f"collection {n}: {r.status} {r.body[:300]!r}"
                return
            self.existing ^= {n}
            self.unsure = None
            time.sleep(0.02)


def read_all(rest):
    found, offset = {}, None
    while True:
        page = rest("POST", f"/collections/{NAME}/points/scroll", {"limit": 1000, "with_vector": True, "offset": offset}).result
        for p in page["points"]:
            assert p["id"] not in found, f"point {p['id']} twice"
            found[p["id"]] = (p["vector"], p["payload"])
        offset = page["next_page_offset"]
        if offset is None:
            return found


def differs(key, got, expected):
    name = "lost" if got is None else "back after its delete" if expected is None else \
        "of another vector" if got[0] != expected[0] else "of another payload"
    return f"point {key} is {name}\n  found    {json.dumps(got)[:400]}\n  expected {json.dumps(expected)[:400]}"


def verify(rest, state, pending, rnd):
    """Compare everything with the oracle; the requests that had been on their way are settled by what is found."""
    found = read_all(rest)
    applied, unsure = 0, set()
    for after in pending:
        old = all(found.get(k) == state.get(k) for k in after)
        new = all(found.get(k) == s for k, s in after.items())
        assert old or new, "a request was applied in part:\n" + "\n".join(
            differs(k, found.get(k), s) for k, s in after.items() if found.get(k) != s)[:3000]
        applied += new and not old
        unsure |= set(after)
    wrong = [k for k in found.keys() | state.keys() if k not in unsure and found.get(k) != state.get(k)]
    assert not wrong, f"{len(wrong)} points are wrong:\n" + "\n".join(differs(k, found.get(k), state.get(k)) for k in wrong[:5])
    state.clear()
    state.update(found)

    # Search, count and the payload index tell the same as the points.
    assert rest("POST", f"/collections/{NAME}/points/count", {}).result["count"] == len(state)
    for g in "abcd":
        f = {"must": [{"key": "g", "match": {"value": g}}]}
        expected = sum(1 for _, p in state.values() if p.get("g") == g)
        assert rest("POST", f"/collections/{NAME}/points/count", {"filter": f}).result["count"] == expected
    for k in rnd.sample(sorted(state), min(3, len(state))):
        v = state[k][0]
        hits = rest("POST", f"/collections/{NAME}/points/query", {"query": v, "limit": len(state) + 10, "params": {"exact": True}}).result["points"]
        assert {h["id"] for h in hits} == state.keys()
        assert all(h["score"] == pytest.approx(sum(a * b for a, b in zip(v, state[h["id"]][0])), abs=1e-3) for h in hits)
        near = rest("POST", f"/collections/{NAME}/points/query", {"query": v, "limit": 10}).result["points"]
        assert all(h["id"] in state for h in near) and len(near) == min(10, len(state))
    return applied


def test_nothing_acknowledged_is_lost(seed):
    rnd = random.Random(seed)
    started = time.monotonic()
    state, existing, acknowledged, in_flight, applied = {}, set(), 0, 0, 0
    with Server() as server:
        rest = Rest(server.url)
        assert rest("PUT", f"/collections/{NAME}", {
            "vectors": {"size": DIM, "distance": "Dot"}, "hnsw_config": {"full_scan_threshold": 10, "m": 8, "ef_construct": 32},
            "optimizers_config": {"indexing_threshold": 10, "vacuum_min_vector_number": 100, "deleted_threshold": 0.1,
                                  "flush_interval_sec": 1}, "wal_config": {"wal_capacity_mb": 1}}).status == 200
        assert rest("PUT", f"/collections/{NAME}/index?wait=true", {"field_name": "g", "field_schema": "keyword"}).status == 200
        for round_ in range(ROUNDS):
            writers = [Writer(i, server.url, state, f"{seed}/{round_}/{i}") for i in range(WRITERS)]
            creator = Creator(server.url, existing, f"{seed}/{round_}")
            for t in (*writers, creator):
                t.start()
            time.sleep(rnd.uniform(0.02, 0.6))
            failures = [w.failure for w in (*writers, creator) if w.failure]
            server.kill()
            for t in (*writers, creator):
                t.join(60)
                assert not t.is_alive()
            assert not failures, failures
            if round_ % 5 == 4:  # killed again while it recovers
                server.launch()
                time.sleep(rnd.uniform(0, 0.1))
                server.kill()
            try:
                server.start()
                rest.close()
                pending = [w.pending for w in writers if w.pending]
                applied += verify(rest, state, pending, rnd)
            except AssertionError as e:
                raise AssertionError(f"round {round_}: {e}") from None
            acknowledged += sum(w.acknowledged for w in writers)
            in_flight += len(pending)
            names = {c["name"] for c in rest("GET", "/collections").result["collections"]} - {NAME}
            assert names - {creator.unsure} == existing - {creator.unsure}, f"round {round_}: collections"
            existing.clear()
            existing.update(names)
        wait_green(connect(server), NAME)
        verify(rest, state, [], rnd)
    seconds = time.monotonic() - started
    print(f"{ROUNDS} kills in {seconds:.0f} s: {acknowledged} writes acknowledged, 0 lost; {applied} of {in_flight} unanswered ones applied; "
          f"{len(state)} points at the end")
    assert acknowledged > ROUNDS, "the writers hardly got to write: the test proved nothing"
