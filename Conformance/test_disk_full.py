"""A disk that fills up and has room again: reads and deletes go on, other writes are refused with the reason and taken again by themselves.

OCTANT_DISK_CYCLES says how often; mounting a small file system needs root.
"""
import contextlib
import os
import shutil
import subprocess
import tempfile
import threading
import time

import grpc
import pytest
from octant_server import Server
from qdrant_client import QdrantClient, models
from reliability.oracle import compare, read_all
from rest import Rest

CYCLES = int(os.environ.get("OCTANT_DISK_CYCLES", "3"))
RESUME_SECONDS = 5


@pytest.fixture
def small_disk():
    """A folder on a file system of 64 MB of its own (as root alone)."""
    folder = tempfile.mkdtemp(prefix="octant-small-")
    mounted = os.geteuid() == 0 and shutil.which("mount") and subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", folder], capture_output=True).returncode == 0
    if not mounted:
        os.rmdir(folder)
        pytest.skip("mounting a small file system needs root")
    yield folder
    subprocess.run(["umount", folder], check=True)
    os.rmdir(folder)


def fill_up(folder):
    """A file that takes all the space left."""
    path = os.path.join(folder, "filler")
    with open(path, "wb", buffering=0) as f, contextlib.suppress(OSError):
        block = b"\0" * (1 << 20)
        while True:
            if f.write(block) < len(block):
                block = b"\0" * 512
    return path


class Reader(threading.Thread):
    """Reads all the time; every answer has to be good."""

    def __init__(self, server):
        super().__init__(daemon=True)
        self.rest, self.halt, self.failure, self.reads = Rest(server.url), threading.Event(), None, 0

    def run(self):
        try:
            while not self.halt.wait(0.005):
                for method, path, body in (("POST", "/points/query", {"query": [1] * 16, "limit": 5}), ("GET", "", None),
                                           ("POST", "/points/scroll", {"limit": 50}), ("POST", "/points/count", {})):
                    r = self.rest(method, f"/collections/c{path}", body)
                    assert r.status == 200, f"{path}: {r.status} {r.body[:300]!r}"
                    self.reads += 1
        except Exception as e:
            self.failure = f"{type(e).__name__}: {e}"
        finally:
            self.rest.close()

    def end(self):
        self.halt.set()
        self.join(60)
        assert not self.failure and self.reads > 0, self.failure


class Disk:
    """A collection on a small disk, and all that was acknowledged."""

    def __init__(self, server, folder):
        self.server, self.folder, self.rest, self.states, self.next = server, folder, Rest(server.url), {}, 0
        self.slowest = 0.0

    def points(self, count=50):
        first, self.next = self.next, self.next + count
        return [{"id": i, "vector": [float(first)] * 16, "payload": {"text": f"{first} " * 100}} for i in range(first, first + count)]

    def write(self):
        points = self.points()
        r = self.rest("PUT", "/collections/c/points?wait=true", {"points": points})
        if r.status == 200:
            self.states |= {p["id"]: (p["vector"], p["payload"]) for p in points}
        return r

    def write_until_refused(self):
        for _ in range(3000):  # some room may have been set aside
            r = self.write()
            if r.status != 200:
                assert r.status == 507 and "No space left on device" in r.error, r.body
                return
        raise AssertionError("the disk is full and all is still acknowledged")

    def check(self):
        compare(read_all(self.rest, "c"), self.states)

    def check_refusals(self):
        """Over gRPC too, and for every kind of write that needs room; nothing of them is there."""
        client = QdrantClient(url=self.server.url, grpc_port=self.server.grpc_port, prefer_grpc=True, timeout=30, check_compatibility=False)
        known = next(iter(self.states))
        for call in (lambda: client.upsert("c", [models.PointStruct(id=10**7, vector=[0.0] * 16, payload={"text": "x" * 100_000})] * 20),
                     lambda: client.set_payload("c", {"big": "x" * 2_000_000}, points=[known])):
            with pytest.raises(grpc.RpcError) as e:
                call()
            assert e.value.code() == grpc.StatusCode.RESOURCE_EXHAUSTED and "No space left on device" in e.value.details()
        client.close()
        r = self.rest("POST", "/collections/c/points/payload?wait=true", {"payload": {"big": "x" * 2_000_000}, "points": [known]})
        assert r.status == 507 and "No space left on device" in r.error
        self.check()

    def delete(self):
        """By id and by filter: both are done and seen."""
        ids = sorted(self.states)
        gone = ids[:2]
        assert self.rest("POST", "/collections/c/points/delete?wait=true", {"points": gone}).status == 200, "deletes go on"
        more = {"filter": {"must": [{"has_id": ids[2:4]}]}}
        assert self.rest("POST", "/collections/c/points/delete?wait=true", more).status == 200, "deletes go on"
        for i in ids[:4]:
            del self.states[i]
            assert self.rest("GET", f"/collections/c/points/{i}").status == 404

    def await_resume(self):
        began = time.monotonic()
        while (r := self.write()).status != 200:
            assert r.status == 507
            assert time.monotonic() - began < RESUME_SECONDS, f"there is room, but writes are refused for {RESUME_SECONDS} s"
            threading.Event().wait(0.05)
        self.slowest = max(self.slowest, time.monotonic() - began)

    def fill_by_another_collection(self):
        """Takes the room with a collection of its own; how to give it back."""
        assert self.rest("PUT", "/collections/bulk", {"vectors": {"size": 4, "distance": "Dot"}, "wal_config": {"wal_capacity_mb": 4}}).status == 200
        for i in range(3000):
            r = self.rest("PUT", "/collections/bulk/points?wait=true", {"points": [
                {"id": i, "vector": [1, 2, 3, 4], "payload": {"text": os.urandom(100_000).hex()}}]})
            if r.status != 200:
                assert r.status == 507 and "No space left on device" in r.error
                break
        else:
            raise AssertionError("600 MB fit on a disk of 64 MB")
        filler = fill_up(self.folder)

        def drain():
            os.remove(filler)
            assert self.rest("DELETE", "/collections/bulk").result is True
        return drain

    def cycle(self, number):
        for _ in range(20):
            assert self.write().status == 200
        reader = Reader(self.server)
        reader.start()
        if number % 2 == 0:
            filler = fill_up(self.folder)
            drain = lambda: os.remove(filler)
        else:
            drain = self.fill_by_another_collection()
        self.write_until_refused()
        self.check_refusals()
        self.delete()
        self.check()
        drain()
        self.await_resume()
        reader.end()
        self.check()
        self.server.restart(graceful=number % 3 == 2)
        self.rest.close()
        self.check()
        # Room for the next cycle.
        assert self.rest("POST", "/collections/c/points/delete?wait=true", {"points": sorted(self.states)[200:]}).status == 200
        self.states = {k: self.states[k] for k in sorted(self.states)[:200]}
        return reader.reads


def test_full_and_drained(small_disk):
    with Server(folder=small_disk) as server:
        disk = Disk(server, small_disk)
        assert disk.rest("PUT", "/collections/c", {"vectors": {"size": 16, "distance": "Dot"}, "wal_config": {"wal_capacity_mb": 1},
                                                   "optimizers_config": {"indexing_threshold": 20},
                                                   "hnsw_config": {"full_scan_threshold": 10}}).status == 200
        reads = sum(disk.cycle(number) for number in range(CYCLES))
        assert server.stop() == 0
    print(f"{CYCLES} cycles: {reads} reads, all answered; writes resumed within {disk.slowest:.2f} s")


def test_starting_on_a_full_disk_keeps_the_data(small_disk):
    with Server(folder=small_disk) as server:
        rest = Rest(server.url)
        assert rest("PUT", "/collections/c", {"vectors": {"size": 4, "distance": "Dot"}, "wal_config": {"wal_capacity_mb": 1}}).status == 200
        assert rest("PUT", "/collections/c/points?wait=true", {"points": [{"id": i, "vector": [1, 2, 3, i]} for i in range(500)]}).status == 200
        server.kill()
        filler = fill_up(small_disk)
        try:
            server.start(timeout=20)
            assert rest("POST", "/collections/c/points/count", {}).result["count"] == 500
            server.kill()
        except RuntimeError:
            assert "no space left" in server.log().lower(), "refusing to start is fair, with the reason"
        os.remove(filler)
        server.start()
        rest.close()
        assert rest("POST", "/collections/c/points/count", {}).result["count"] == 500
