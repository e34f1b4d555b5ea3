"""The power is cut at random moments of a recorded past, on a real file system: see reliability/power_cut.py.

After each cut the server starts, everything acknowledged with `wait=true` before the cut is there, and what is there is what an
exact beginning of the operations makes, in the order of their numbers, those with `wait=false` included.

OCTANT_POWER_CUTS is the number of cuts, OCTANT_POWER_FS the file systems (ext4,xfs); needs root, FUSE and loop devices.
"""
import os
import random
import shutil
import tempfile
import threading
import time

import pytest
from octant_server import Server
from reliability import no_sync
from reliability.admin import random_collection
from reliability.oracle import check_reads, differs, read_all
from reliability.power_cut import Marker, MountedImage, Past, RecordedDisk, Unavailable
from reliability.writes import OverGRPC, OverREST, random_write, settle
from rest import Rest

CUTS = {"ext4": 60, "xfs": 20}  # mounting xfs takes longer
FILE_SYSTEMS = os.environ.get("OCTANT_POWER_FS", "ext4,xfs").split(",")
NAMES, WRITERS, KEYS = ("p0", "p1"), 4, 40
SECONDS = float(os.environ.get("OCTANT_POWER_SECONDS", "6"))


class Writer(threading.Thread):
    """Writes to points of its own; half of the writers do not wait. Everything sent and acknowledged goes into the log."""

    def __init__(self, number, server, log, seed):
        super().__init__(daemon=True)
        self.number, self.rnd, self.log = number, random.Random(seed), Marker(log)
        self.wire, self.wait = (OverGRPC if number % 2 else OverREST)(server), number < WRITERS // 2
        self.states = {n: {} for n in NAMES}
        self.keys = range(number * KEYS, (number + 1) * KEYS)
        self.sent = []  # (collection, steps)
        self.failure, self.halt = None, threading.Event()

    def run(self):
        try:
            while not self.halt.is_set():
                self.one()
        except Exception as e:
            self.failure = f"writer {self.number}: {type(e).__name__}: {e}"
        finally:
            self.wire.close()
            self.log.close()

    def one(self):
        name = self.rnd.choice(NAMES)
        steps = random_write(self.rnd, self.number, self.keys, self.states[name])
        number = len(self.sent)
        self.sent.append((name, steps))
        self.log(w=self.number, sent=number)
        ids = self.wire.write(name, [step for step, _ in steps], wait=self.wait)
        assert len(ids) == len(steps)
        self.log(w=self.number, acked=number, ids=ids)
        for _, after in steps:
            settle(self.states[name], after)


class Creator(threading.Thread):
    """Makes and drops another collection in turns and has the two others optimised."""

    def __init__(self, server, log, seed):
        super().__init__(daemon=True)
        self.rnd, self.log, self.wire = random.Random(seed), Marker(log), OverREST(server)
        self.failure, self.halt = None, threading.Event()

    def run(self):
        number = 0
        try:
            while not self.halt.wait(0.02):
                self.log(catalog=number, state="sent")
                if number % 2 == 0:
                    self.wire.ask("PUT", "/collections/other", {"vectors": {"size": 2, "distance": "Dot"}, "wal_config": {"wal_capacity_mb": 1}})
                else:
                    self.wire.ask("DELETE", "/collections/other")
                self.log(catalog=number, state="acked")
                number += 1
                self.wire.ask("PATCH", f"/collections/{self.rnd.choice(NAMES)}", {"optimizers_config": {
                    "indexing_threshold": self.rnd.choice([10, 1000]), "default_segment_number": self.rnd.choice([1, 2])}})
        except Exception as e:
            self.failure = f"creator: {type(e).__name__}: {e}"
        finally:
            self.wire.close()
            self.log.close()


class Story:
    """What was sent, in the order of the operations' numbers, and where each part of it stands in the log."""

    def __init__(self, past, writers):
        self.operations = {n: [] for n in NAMES}  # (number, after), ascending
        self.acks = {n: [] for n in NAMES}        # (place in the log, highest number, waited)
        self.catalog = {}                         # number -> [place of sent, place of acked]
        for place, event in past.markers:
            if "catalog" in event:
                self.catalog.setdefault(event["catalog"], []).append(place)
            elif "acked" in event:
                writer = writers[event["w"]]
                name, steps = writer.sent[event["acked"]]
                for id, (_, after) in zip(event["ids"], steps):
                    self.operations[name].append((id, after))
                self.acks[name].append((place, max(event["ids"]), writer.wait))
        for name in NAMES:
            self.operations[name].sort(key=lambda o: o[0])
        self.begin = min(p for p, e in past.markers if e.get("begin"))
        self.end = max(p for p, e in past.markers)

    def acknowledged(self, name, cut):
        """The highest numbers acknowledged before the cut: of writes that waited, of those that did not."""
        return tuple(max((n for place, n, waited in self.acks[name] if place < cut and waited == w), default=0) for w in (True, False))

    def check(self, rest, name, cut):
        """The points found, and how many acknowledged operations that did not wait are missing. Raises if any is lost that must not be."""
        found, (floor, loose) = read_all(rest, name), self.acknowledged(name, cut)
        now, wrong, best = {}, set(found), None
        for n, after in [(0, {}), *self.operations[name]]:
            for k, s in after.items():
                now[k] = s
                (wrong.discard if found.get(k) == s else wrong.add)(k)
            if n >= floor and not wrong:
                return found, sum(1 for i, _ in self.operations[name] if n < i <= loose)
            if n >= floor and (best is None or len(wrong) < best[0]):
                best = len(wrong), n, [differs(k, found.get(k), now.get(k)) for k in sorted(wrong)[:3]]
        _, n, lines = best or (0, floor, [f"{len(found)} points, and no operation from {floor} on"])
        raise AssertionError(f"{name} is not what any beginning of the operations from number {floor} on makes; "
                             f"nearest is number {n}:\n" + "\n".join(lines))

    def check_catalog(self, rest, cut):
        acked = sum(1 for p in self.catalog.values() if len(p) > 1 and p[1] < cut)
        sent = sum(1 for p in self.catalog.values() if p[0] < cut)
        exists = rest("GET", "/collections/other").status == 200
        assert exists in {n % 2 == 1 for n in range(acked, sent + 1)}, f"the other collection exists: {exists}, after {acked} to {sent} changes"


def record(disk, seed, preload=None):
    """A server's work on the recorded disk, and its story."""
    rnd = random.Random(seed)
    folder = os.path.join(disk.mount, "data")
    os.mkdir(folder)
    os.sync()
    server = Server(folder=folder, env={"LD_PRELOAD": preload} if preload else None)
    with server:
        rest = Rest(server.url)
        for name in NAMES:
            body = random_collection(rnd)
            body["wal_config"] = {"wal_capacity_mb": 1}
            assert rest("PUT", f"/collections/{name}", body).result is True
        rest.close()
        marker = Marker(disk.log)
        marker(begin=True)
        writers = [Writer(i, server, disk.log, f"{seed}/{i}") for i in range(WRITERS)]
        others = [*writers, Creator(server, disk.log, f"{seed}/creator")]
        for t in others:
            t.start()
        deadline = time.monotonic() + SECONDS
        while time.monotonic() < deadline and all(t.is_alive() for t in others) and os.path.getsize(disk.log) < 1 << 30:
            time.sleep(0.05)
        for t in others:
            t.halt.set()
            t.join(60)
        failures = [t.failure for t in others if t.failure]
        assert not failures, failures
        marker(end=True)
        server.kill()
    return writers


def check_cut(disk, story, cut, image, rnd):
    """Mounts the image, starts the server, compares. The number of acknowledged writes missing that did not wait."""
    server, missing = Server(folder=os.path.join(disk.mount, "data")), 0
    with MountedImage(image, disk.kind, disk.mount):
        try:
            if rnd.random() < 0.2:  # killed while it recovers
                server.launch()
                time.sleep(rnd.uniform(0, 0.2))
                server.kill()
            server.start()
            rest = Rest(server.url)
            for name in NAMES:
                found, loose = story.check(rest, name, cut)
                missing += loose
                if rnd.random() < 0.1:
                    check_reads(rest, name, found, rnd)
                assert rest("PUT", f"/collections/{name}/points?wait=true", {"points": [{"id": 10**6, "vector": {}}]}).status == 200
            story.check_catalog(rest, cut)
            rest.close()
        finally:
            server.close()
    return missing


def cuts_of(disk, seed, count, preload=None, each=None):
    """Records a past and cuts it; (cuts, summary)."""
    with disk:
        writers = record(disk, seed, preload)
    past, rnd = Past(disk), random.Random(seed)
    story = Story(past, writers)
    image, fates, missing = os.path.join(disk.folder, "cut.img"), {}, 0
    for number, cut in enumerate(sorted(past.moment(rnd, story.begin + 1, story.end) for _ in range(count))):
        for fate, n in past.cut(cut, rnd, image).items():
            fates[fate] = fates.get(fate, 0) + n
        try:
            missing += check_cut(disk, story, cut, image, rnd)
        except (AssertionError, RuntimeError, Unavailable) as e:
            if each is None:
                kept = tempfile.mkdtemp(prefix="octant-power-failed-")
                # The image has been mounted since: what a server made of it is in it, what the cut left is in `log`.
                shutil.copy(image, kept)
                shutil.copy(disk.log, kept)
                raise AssertionError(f"OCTANT_SEED={seed}, {disk.kind}, cut {number} at record {cut} of {len(past.records)}; kept in {kept}\n{e}") from e
            each(e)
    sent = sum(len(w.sent) for w in writers)
    return f"{count} cuts on {disk.kind} of {sent} writes, {len(past.records)} records, {len(past.flushes)} flushes; of what came after the last " \
           f"flush {fates}; {missing} writes that did not wait were gone, each time the last ones"


@pytest.fixture
def disk(request):
    try:
        disk = RecordedDisk(request.param)
        with disk:
            pass  # so that what the machine lacks shows here
        os.truncate(disk.log, 0)
    except Unavailable as e:
        pytest.skip(f"no power can be cut on {request.param} here: {e}")
    yield disk
    disk.remove()


@pytest.mark.parametrize("disk", FILE_SYSTEMS, indirect=True)
def test_power_cuts_lose_nothing_acknowledged(disk, seed):
    print(cuts_of(disk, seed, int(os.environ.get("OCTANT_POWER_CUTS", CUTS[disk.kind]))))


@pytest.mark.parametrize("disk", FILE_SYSTEMS[:1], indirect=True)
def test_the_rig_sees_what_is_lost_without_syncs(disk, seed, tmp_path):
    library = no_sync.library(str(tmp_path))
    if not library:
        pytest.skip("there is no C compiler to make syncs do nothing with")
    failures = []
    print(cuts_of(disk, seed, 12, preload=library, each=failures.append))
    print(f"{len(failures)} of 12 cuts lost something when syncs did nothing; the first: {str(failures[:1])[:300]}")
    assert len(failures) >= 6, "syncs did nothing, and the rig saw no loss: it would not see one that matters"
