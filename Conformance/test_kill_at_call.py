"""The process dies at its Nth call of a kind (a sync, a rename, a removal ...), for N from 1 on, while it works and while it recovers.

strace ends it there; it counts the calls of each thread. OCTANT_CALLS is the highest N tried (0: every one there is).
"""
import os
import shutil
import tempfile

import pytest
from octant_server import Server
from reliability.oracle import compare, read_all, settle_pending
from reliability.writes import Lost, OverREST, outcome, settle
from rest import Rest

CALLS = ("fdatasync", "fsync", "rename", "unlink", "fallocate", "ftruncate")
HIGHEST = int(os.environ.get("OCTANT_CALLS", "4")) or 10**6


def strace_works():
    return shutil.which("strace") and os.system("strace -f -qq -e trace=none true 2>/dev/null") == 0


pytestmark = pytest.mark.skipif(not strace_works(), reason="strace is not installed, or may not trace here")


def killed_at(call, n):
    return ["strace", "-D", "-f", "-qq", "-o", os.devnull, "-e", f"trace={call}", "-e", f"inject={call}:signal=KILL:when={n}"]


def points(first, count, generation):
    return {i: ({"a": [float(i), float(generation)]}, {"n": generation, "text": "x" * 2000}) for i in range(first, first + count)}


SCRIPT = [
    ("upsert", {"points": points(0, 100, 1)}), ("upsert", {"points": points(50, 200, 2)}), "index", ("delete", {"keys": list(range(10))}),
    "optimise", ("set_payload", {"keys": [20, 30], "payload": {"n": 7}}), ("upsert", {"points": points(200, 300, 3)}), "create", "quantise",
    ("upsert", {"points": points(0, 300, 4)}), ("clear_payload", {"keys": [100]}), "drop", ("upsert", {"points": points(400, 300, 5)}), "settle",
]


class Story:
    """Runs the script until the server dies, and knows what it must hold."""

    def __init__(self):
        self.states, self.pending, self.other, self.made = {}, None, {False}, False

    def run(self, server):
        wire = OverREST(server)
        ask = wire.ask
        try:
            self.other = {False, True}
            ask("PUT", "/collections/c", {"vectors": {"a": {"size": 2, "distance": "Dot"}}, "wal_config": {"wal_capacity_mb": 1},
                                          "hnsw_config": {"full_scan_threshold": 10},
                                          "optimizers_config": {"indexing_threshold": 1, "vacuum_min_vector_number": 100, "deleted_threshold": 0.1}})
            self.made, self.other = True, {False}
            for step in SCRIPT:
                self.step(ask, wire, step)
            return True
        except Lost:
            return False
        finally:
            wire.close()

    def step(self, ask, wire, step):
        if step == "index":
            ask("PUT", "/collections/c/index?wait=true", {"field_name": "n", "field_schema": "integer"})
        elif step == "optimise":
            ask("PATCH", "/collections/c", {"optimizers_config": {"default_segment_number": 1}})
        elif step == "quantise":
            ask("PATCH", "/collections/c", {"quantization_config": {"scalar": {"type": "int8"}}})
        elif step in ("create", "drop"):
            self.other = {False, True}
            if step == "create":
                ask("PUT", "/collections/other", {"vectors": {"size": 2, "distance": "Dot"}, "wal_config": {"wal_capacity_mb": 1}})
            else:
                ask("DELETE", "/collections/other")
            self.other = {step == "create"}
        elif step == "settle":
            while ask("GET", "/collections/c")["status"] != "green":
                pass
        else:
            after = outcome(step, self.states)
            self.pending = [(step, after)]
            wire.write("c", [step])
            settle(self.states, after)
            self.pending = None

    def check(self, server):
        rest = Rest(server.url)
        names = {c["name"] for c in rest("GET", "/collections").result["collections"]}
        assert not self.made or "c" in names, "the collection is gone"
        assert ("other" in names) in self.other, f"collections {names}"
        if "c" in names:
            found = read_all(rest, "c")
            settle_pending(found, self.states, [self.pending] if self.pending else [])
            self.pending = None
            compare(found, self.states)
            for n in range(8):
                f = {"must": [{"key": "n", "match": {"value": n}}]}
                expected = sum(p.get("n") == n for _, p in self.states.values())
                assert rest("POST", "/collections/c/points/count", {"filter": f}).result["count"] == expected
            extra = points(10**6, 1, 6)
            assert rest("PUT", "/collections/c/points?wait=true", {"points": [{"id": 10**6, "vector": {"a": [1.0, 2.0]}}]}).status == 200
            assert rest("POST", "/collections/c/points/delete?wait=true", {"points": list(extra)}).status == 200
        rest.close()


def launch(server):
    """Starts it under strace; whether it lived long enough to be asked."""
    try:
        server.start()
        return True
    except RuntimeError:
        assert server.process.returncode == -9, f"it did not die at the call: {server.log()}"
        return False


@pytest.mark.parametrize("call", CALLS)
def test_killed_at_every_call_while_it_works(call):
    """From an empty folder through the script; then twice up again, and everything acknowledged is there."""
    deaths = 0
    for n in range(1, HIGHEST + 1):
        story, server = Story(), Server(under=killed_at(call, n))
        try:
            survived = launch(server) and story.run(server)
            server.kill()
            server.under = []
            deaths += not survived
            for _ in range(2):
                server.start()
                try:
                    story.check(server)
                except AssertionError as e:
                    raise AssertionError(f"killed at {call} number {n}: {e}") from None
                server.kill()
        finally:
            server.close()
        if survived:
            break
    print(f"{deaths} deaths at {call}")


@pytest.mark.parametrize("call", CALLS)
def test_killed_at_every_call_while_it_recovers(call):
    """A folder as a kill left it; the start dies at its Nth call, the next one succeeds."""
    story, server, deaths = Story(), Server(), 0
    before = tempfile.mkdtemp(prefix="octant-before-")
    try:
        server.start()
        story.run(server)
        server.kill()
        shutil.copytree(server.storage, os.path.join(before, "storage"))
        for n in range(1, HIGHEST + 1):
            shutil.rmtree(server.storage)
            shutil.copytree(os.path.join(before, "storage"), server.storage)
            server.under, server.was_ready = killed_at(call, n), False
            survived = launch(server)
            server.kill()
            server.under = []
            server.start()
            try:
                story.check(server)
            except AssertionError as e:
                raise AssertionError(f"killed at {call} number {n} of the recovery: {e}") from None
            server.kill()
            if survived:
                break
            deaths += 1
    finally:
        server.close()
        shutil.rmtree(before)
    print(f"{deaths} deaths at {call}")
