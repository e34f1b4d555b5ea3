"""Every point is a register: reads and writes of many clients, some of them killed under way, fit one order per point.

OCTANT_HISTORIES says how many histories of 2,000 operations; every second one has two kills in it.
"""
import os
import random
import threading
import time

import pytest
from octant_server import Server
from reliability.linearizable import FOREVER, Operation, explain, is_linearizable
from reliability.writes import Lost, OverGRPC, OverREST
from rest import Rest

HISTORIES, OPERATIONS = int(os.environ.get("OCTANT_HISTORIES", "20")), 2_000
CLIENTS, KEYS, NAME = 8, 50, "registers"


def op(kind, value, call, done=FOREVER):
    return Operation(call, done, kind, value)


GOOD = {
    "nothing": [],
    "one after the other": [op("write", 1, 0, 1), op("read", 1, 2, 3), op("write", None, 4, 5), op("read", None, 6, 7)],
    "a read beside a write sees the old": [op("write", 1, 0, 1), op("write", 2, 2, 5), op("read", 1, 3, 4)],
    "or the new": [op("write", 1, 0, 1), op("write", 2, 2, 5), op("read", 2, 3, 4)],
    "two reads beside a write, old then new": [op("write", 2, 0, 9), op("read", None, 1, 2), op("read", 2, 3, 4)],
    "writes beside each other in either order": [op("write", 1, 0, 5), op("write", 2, 0, 5), op("read", 1, 6, 7)],
    "an open write that happened": [op("write", 1, 0), op("read", 1, 5, 6)],
    "an open write that never happened": [op("write", 1, 0), op("read", None, 5, 6)],
    "an open write that happens late": [op("write", 1, 0), op("read", None, 5, 6), op("read", 1, 7, 8)],
    "an open write between two others": [op("write", 1, 0), op("write", 2, 1, 2), op("read", 2, 3, 4), op("read", 1, 5, 6)],
    "a read without an answer": [op("write", 1, 0, 1), op("read", 77, 2)],
    "the order of reads decides that of writes": [op("write", 1, 0, 9), op("write", 2, 0, 9), op("write", 3, 0, 9),
                                                  op("read", 2, 1, 2), op("read", 3, 3, 4), op("read", 1, 5, 6)],
}
BAD = {
    "a lost write": [op("write", 1, 0, 1), op("read", None, 2, 3)],
    "a stale read": [op("write", 1, 0, 1), op("write", 2, 2, 3), op("read", 1, 4, 5)],
    "a value never written": [op("write", 1, 0, 1), op("read", 9, 2, 3)],
    "a value from the future": [op("read", 1, 0, 1), op("write", 1, 2, 3)],
    "back after its delete": [op("write", 1, 0, 1), op("write", None, 2, 3), op("read", 1, 4, 5)],
    "new, then old again": [op("write", 1, 0, 1), op("write", 2, 2, 9), op("read", 2, 3, 4), op("read", 1, 5, 6)],
    "two readers see two orders": [op("write", 1, 0, 9), op("write", 2, 0, 9), op("read", 1, 1, 2), op("read", 2, 3, 4), op("read", 1, 5, 6)],
    "an open write that was seen and is gone": [op("write", 1, 0), op("read", 1, 5, 6), op("read", None, 7, 8)],
    "an open write that happens twice": [op("write", 1, 0), op("read", 1, 1, 2), op("write", 2, 3, 4), op("read", 2, 5, 6), op("read", 1, 7, 8)],
}


@pytest.mark.parametrize("name", GOOD)
def test_the_checker_accepts(name):
    assert is_linearizable(GOOD[name])


@pytest.mark.parametrize("name", BAD)
def test_the_checker_refuses(name):
    assert not is_linearizable(BAD[name])


def test_the_checker_agrees_with_a_register(seed):
    """Histories taken from a real register are accepted; with one read changed to a value that does not fit, refused."""
    rnd = random.Random(seed)
    for _ in range(100):
        history, value, last = [], None, 0
        for i in range(60):  # operation i takes effect at 2 * i + 1, its call and return lie around it
            at = 2 * i + 1
            call, done = at - rnd.uniform(0, 8), at + rnd.uniform(0, 8)
            if rnd.random() < 0.5:
                value = rnd.choice([None, i])
                happened = Operation(call, FOREVER if rnd.random() < 0.1 else done, "write", value)
            else:
                happened = Operation(call, done, "read", value)
                last = len(history)
            history.append(happened)
        assert is_linearizable(history), explain(history)
        history[last] = history[last]._replace(value="never written")
        assert not is_linearizable(history), explain(history)


class Client(threading.Thread):
    """Reads and writes single points at random until the operations are used up or the connection breaks."""

    def __init__(self, number, server, run, seed):
        super().__init__(daemon=True)
        self.number, self.run_, self.rnd = number, run, random.Random(seed)
        self.wire = (OverGRPC if number % 2 else OverREST)(server)
        self.failure = None

    def run(self):
        try:
            while self.run_.take():
                self.one()
        except Lost:
            pass
        except Exception as e:
            self.failure = f"client {self.number}: {type(e).__name__}: {e}"
        finally:
            self.wire.close()

    def one(self):
        key, kind = self.rnd.randrange(KEYS), self.rnd.choices(["upsert", "delete", "read"], [40, 10, 50])[0]
        value = self.run_.fresh() if kind == "upsert" else None
        call, done = time.monotonic(), FOREVER
        try:
            if kind == "read":
                value = self.read(key)
            elif kind == "upsert":
                self.wire.write(NAME, [("upsert", {"points": {key: ({"a": vector(value)}, {"v": value})}})])
            else:
                self.wire.write(NAME, [("delete", {"keys": [key]})])
            done = time.monotonic()
        finally:
            kind = "read" if kind == "read" else "write"
            self.run_.histories[key].append(Operation(call, done, kind, value, f"client {self.number}"))

    def read(self, key):
        how = self.rnd.choice(["ids", "scroll", "search"])
        if how == "ids" or isinstance(self.wire, OverGRPC):
            found = self.wire.read(NAME, [key])
            assert len(found) <= 1
            return of_point(*found[key]) if found else None
        filter = {"must": [{"has_id": [key]}]}
        more = {"filter": filter, "limit": 5, "with_vector": True, "with_payload": True}
        if how == "search":
            more |= {"query": [1.0, 1.0, 1.0, 1.0], "using": "a", "params": {"exact": True}}
        points = self.wire.ask("POST", f"/collections/{NAME}/points/{'query' if how == 'search' else 'scroll'}", more)["points"]
        assert len(points) <= 1, points
        return of_point(points[0]["vector"], points[0]["payload"]) if points else None


def vector(value):
    return [float(value % 1000), float(value // 1000), 1.0, -1.0]


def of_point(vectors, payload):
    """The value a point has; its two halves must be of the same write."""
    value = payload["v"]
    assert vectors == {"a": vector(value)}, f"vector {vectors} with payload {payload}"
    return value


class Run:
    """One history: what is left of its operations, and what happened to each key."""

    def __init__(self):
        self.left, self.values, self.lock = OPERATIONS, 0, threading.Lock()
        self.histories = {k: [] for k in range(KEYS)}

    def take(self):
        with self.lock:
            self.left -= 1
            return self.left >= 0

    def fresh(self):
        with self.lock:
            self.values += 1
            return self.values


def record(server, rnd, seed, kills):
    """Runs the clients; so many times the server dies under them and comes back."""
    rest, run = Rest(server.url), Run()
    rest("DELETE", f"/collections/{NAME}")
    assert rest("PUT", f"/collections/{NAME}", {"vectors": {"a": {"size": 4, "distance": "Dot"}}, "wal_config": {"wal_capacity_mb": 1},
                                                "optimizers_config": {"indexing_threshold": 10, "flush_interval_sec": 1}}).result
    rest.close()
    for life in range(kills + 1):
        clients = [Client(i, server, run, f"{seed}/{life}/{i}") for i in range(CLIENTS)]
        for c in clients:
            c.start()
        if life < kills:
            limit = OPERATIONS - (life + 1) * OPERATIONS // (kills + 1) + rnd.randint(-200, 200)
            while run.left > limit and any(c.is_alive() for c in clients):
                time.sleep(0.001)
            server.kill()
        for c in clients:
            c.join(120)
            assert not c.is_alive(), "a client hangs"
        failures = [c.failure for c in clients if c.failure]
        assert not failures, failures
        if life < kills:
            server.start()
    return run


def test_histories_are_linearizable(seed):
    rnd, counts = random.Random(seed), {"operations": 0, "open": 0, "kills": 0}
    with Server() as server:
        for number in range(HISTORIES):
            kills = 2 * (number % 2)
            run = record(server, rnd, f"{seed}/{number}", kills)
            for key, history in run.histories.items():
                assert is_linearizable(history), f"history {number}, key {key} has no order that explains it:\n{explain(history)}"
            every = [o for h in run.histories.values() for o in h]
            counts["operations"] += len(every)
            counts["open"] += sum(o.done == FOREVER for o in every)
            counts["kills"] += kills
        assert server.stop() == 0
    print(f"{HISTORIES} histories, {counts['operations']} operations, {counts['open']} of them open, {counts['kills']} kills: all linearizable")
    assert counts["operations"] > HISTORIES * OPERATIONS * 0.8
