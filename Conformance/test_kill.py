"""kill -9 at random moments: nothing acknowledged is lost, nothing comes back or out of nowhere, every start succeeds.

Four writers, two over REST and two over gRPC, write to two collections while indexes, settings, aliases, snapshots and other
collections come and go. Each writer owns some keys and knows, for each, the state last acknowledged; while a request is on its
way its outcome is unknown. After a kill every point must be in the state acknowledged or in one that a request on its way
leads to: all of its points, and the steps of a batch in their order.

OCTANT_KILL_ROUNDS says how often; OCTANT_SEED repeats what is generated. When the process dies within a request is up to the
machine, so the same seed does not die at the same instruction: on a failure the data folder, as the kill left it, is kept.
"""
import os
import random
import shutil
import tempfile
import threading
import time

from conftest import connect, wait_green
from octant_server import Server
from reliability.admin import Admin, Known, Settings, check_others, random_collection, random_environment
from reliability.oracle import verify
from reliability.writes import Lost, OverGRPC, OverREST, random_write, settle
from rest import Rest

ROUNDS = int(os.environ.get("OCTANT_KILL_ROUNDS", "80"))
WRITERS, KEYS, NAMES = 4, 120, ("k0", "k1")


class Writer(threading.Thread):
    """Sends one write after another for its own keys until the connection breaks; reads some of them back."""

    def __init__(self, number, server, states, seed):
        super().__init__(daemon=True)
        self.number, self.states = number, states  # states: collection -> key -> state, of this writer alone
        self.keys = range(number * KEYS, (number + 1) * KEYS)
        self.rnd, self.wire = random.Random(seed), (OverGRPC if number % 2 else OverREST)(server)
        self.pending = None  # (collection, steps) of the request on its way
        self.acknowledged, self.failure, self.halt = 0, None, threading.Event()

    def run(self):
        try:
            while not self.halt.is_set():
                self.one()
        except Lost:
            pass  # the outcome of `pending` is unknown
        except Exception as e:
            self.failure = f"writer {self.number}: {type(e).__name__}: {e}"
        finally:
            self.wire.close()

    def one(self):
        name = self.rnd.choice(NAMES)
        states = self.states[name]
        if self.rnd.random() < 0.1:
            keys = self.rnd.sample(self.keys, 5)
            found = self.wire.read(name, keys)
            assert found == {k: states[k] for k in keys if k in states}, f"not what was written: {found}"
            return
        steps = random_write(self.rnd, self.number, self.keys, states)
        self.pending = name, steps
        self.wire.write(name, [step for step, _ in steps])
        for _, after in steps:
            settle(states, after)
        self.pending = None
        self.acknowledged += 1


class Loop:
    """The server's lives and what is known of its data."""

    def __init__(self, seed):
        self.seed, self.rnd, self.server = seed, random.Random(seed), Server()
        self.kept = tempfile.mkdtemp(prefix="octant-kill-")
        self.states = {n: [{} for _ in range(WRITERS)] for n in NAMES}
        self.settings, self.others, self.aliases = {}, {}, Known(None)
        self.counts = dict.fromkeys(("acknowledged", "in flight", "applied", "kills", "kills in recovery", "starts"), 0)
        self.admin, self.start_seconds, self.log_read = {}, 0.1, 0
        self.has_snapshots = False

    def begin(self):
        self.server.start()
        self.rest = Rest(self.server.url)
        for name in NAMES:
            self.create(name)
        probe = self.rest("POST", f"/collections/{NAMES[0]}/snapshots?wait=true")
        self.has_snapshots = probe.status == 200
        if self.has_snapshots:
            self.settings[NAMES[0]].snapshots.value |= {probe.result["name"]}

    def create(self, name):
        body = random_collection(self.rnd)
        assert self.rest("PUT", f"/collections/{name}", body).result is True
        self.settings[name] = Settings(body)
        for states in self.states[name]:
            states.clear()

    def recreate(self):
        """Now and then one of the collections is dropped and made anew with another configuration: it has to be empty."""
        name = self.rnd.choice(NAMES)
        for snapshot in self.settings[name].snapshots.value:
            self.rest("DELETE", f"/collections/{name}/snapshots/{snapshot}")
        assert self.rest("DELETE", f"/collections/{name}").result is True
        if self.aliases.value == name:
            self.aliases = Known(None)
        self.create(name)

    def round(self, number):
        seed = f"{self.seed}/{number}"
        writers = [Writer(i, self.server, {n: self.states[n][i] for n in NAMES}, f"{seed}/{i}") for i in range(WRITERS)]
        admin = Admin(self.server, self.settings, self.others, self.aliases, self.has_snapshots, seed)
        for t in (*writers, admin):
            t.start()
        # From 20 ms to 2 s, as often below 200 ms as above.
        time.sleep(0.02 * 100 ** self.rnd.random())
        self.kill()
        for t in (*writers, admin):
            t.halt.set()  # a failed one has ended, and one between two requests notices
            t.join(90)
            assert not t.is_alive(), "a client hangs"
        failures = [t.failure for t in (*writers, admin) if t.failure]
        assert not failures, failures
        self.recover(writers, admin)
        if self.rnd.random() < 0.1:
            self.recreate()

    def kill(self):
        self.server.kill()
        self.counts["kills"] += 1

    def recover(self, writers, admin):
        shutil.rmtree(self.kept, ignore_errors=True)
        shutil.copytree(self.server.folder, self.kept)
        self.server.extra = random_environment(self.rnd)
        while self.rnd.random() < 0.25:  # a quarter of the kills come while it recovers
            self.server.launch()
            time.sleep(self.rnd.uniform(0, self.start_seconds * 1.2))
            self.kill()
            self.counts["kills in recovery"] += 1
        began = time.monotonic()
        self.server.start()
        self.start_seconds = time.monotonic() - began
        self.counts["starts"] += 1
        self.rest.close()
        self.check(writers, admin)

    def check(self, writers, admin):
        for name in NAMES:
            pending = [w.pending[1] for w in writers if w.pending and w.pending[0] == name]
            states = {k: s for part in self.states[name] for k, s in part.items()}
            self.counts["applied"] += verify(self.rest, name, states, pending, self.rnd)
            for i, part in enumerate(self.states[name]):
                part.clear()
                part.update({k: s for k, s in states.items() if k // KEYS == i})
            self.settings[name].check(self.rest, name, self.has_snapshots)
            self.counts["in flight"] += len(pending)
        self.counts["acknowledged"] += sum(w.acknowledged for w in writers)
        for kind, n in admin.done.items():
            self.admin[kind] = self.admin.get(kind, 0) + n
        check_others(self.rest, self.others, admin.unsure)
        names = {c["name"] for c in self.rest("GET", "/collections").result["collections"]} - set(NAMES)
        assert names - {admin.unsure} == self.others.keys() - {admin.unsure}, f"collections {names} instead of {set(self.others)}"
        if admin.unsure:
            self.others.pop(admin.unsure, None)
            if admin.unsure in names:
                assert self.rest("DELETE", f"/collections/{admin.unsure}").result is True
        found = {a["alias_name"]: a["collection_name"] for a in self.rest("GET", "/aliases").result["aliases"]}
        self.aliases.check(found.pop("live", None), "the alias")
        assert not found
        self.check_log()

    def check_log(self):
        with open(self.server.log_path, errors="replace") as f:
            f.seek(self.log_read)
            lines = f.read()
            self.log_read = f.tell()
        bad = [line for line in lines.splitlines() if " error" in line.lower() or "damaged" in line or "Fatal" in line]
        assert not bad, f"the log has errors: {bad[:5]}"

    def end(self):
        self.server.restart(graceful=True)
        self.rest.close()
        for name in NAMES:
            wait_green(connect(self.server), name)
            verify(self.rest, name, {k: s for part in self.states[name] for k, s in part.items()}, [], self.rnd)
        assert self.server.stop() == 0

    def report(self, seconds):
        c = self.counts
        return (f"{c['kills']} kills ({c['kills in recovery']} in recovery), {c['starts']} starts in {seconds:.0f} s: {c['acknowledged']} writes "
                f"acknowledged, 0 lost; {c['applied']} of {c['in flight']} unanswered ones applied; beside them {self.admin}")


def test_nothing_acknowledged_is_lost(seed):
    loop, number, began = Loop(seed), 0, time.monotonic()
    try:
        loop.begin()
        while loop.counts["kills"] < ROUNDS:
            loop.round(number)
            number += 1
        loop.end()
    except BaseException as e:
        loop.server.kill()
        loop.server.owns_folder = False
        print(f"OCTANT_SEED={seed}, round {number}, settings of the server {loop.server.extra}\n"
              f"the data as it is now: {loop.server.folder}\nas the kill left it: {loop.kept}")
        for name, known in loop.settings.items():
            print(name, {k: (v.value, v.proposed) for k, v in known.values.items()})
        raise AssertionError(f"round {number}: {e}") from e
    finally:
        log = loop.server.log(3000)
        loop.server.close()
    shutil.rmtree(loop.kept, ignore_errors=True)
    print(loop.report(time.monotonic() - began))
    assert log and loop.counts["acknowledged"] > 5 * ROUNDS, "the writers hardly got to write: the test proved nothing"
