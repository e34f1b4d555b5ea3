"""`octant verify` and `octant repair`, and what a server makes of damage, on the real binary and real files."""
import glob
import os
import re
import subprocess
import time

import pytest

from octant_server import BINARY, Server
from rest import Rest


def octant(*args):
    p = subprocess.run([BINARY, *args], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120)
    return p.returncode, p.stdout + p.stderr


def flip(path, offset):
    with open(path, "r+b") as f:
        f.seek(offset)
        byte = f.read(1)[0]
        f.seek(offset)
        f.write(bytes([byte ^ 0x40]))


def fill(rest, name):
    assert rest("PUT", f"/collections/{name}", {"vectors": {"size": 4, "distance": "Dot"}, "wal_config": {"wal_capacity_mb": 1},
                                             "optimizers_config": {"indexing_threshold": 1}}).status == 200
    points = [{"id": i, "vector": [1, 2, 3, i], "payload": {"n": i, "text": "x" * 400}} for i in range(3000)]
    for start in range(0, len(points), 500):
        answer = rest("PUT", f"/collections/{name}/points?wait=true", {"points": points[start:start + 500]})
        assert answer.status == 200


def until(condition, seconds=60):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come"
        time.sleep(0.05)


@pytest.fixture
def folder():
    """A stopped server's folder with two collections, most of each in segments."""
    with Server() as server:
        rest = Rest(server.url)
        for name in ("hurt", "other"):
            fill(rest, name)
            # A new vector waits until all that was logged is in segments.
            answer = rest("PUT", f"/collections/{name}/vectors/extra", {"sparse": {}})
            assert answer.status == 200, answer
        for name in ("hurt", "other"):
            until(lambda: rest("GET", f"/collections/{name}").result["status"] == "green")
        rest.close()
        assert server.stop() == 0
        yield server


def biggest(server, kind):
    """The largest file of this kind and the collection it is of."""
    path = max(glob.glob(os.path.join(server.storage, "c", "*", "s0", "seg", "*", kind)), key=os.path.getsize)
    return path


def test_intact(folder):
    status, text = octant("verify", "--storage", folder.storage)
    assert status == 0 and "no damage" in text, text
    status, text = octant("repair", "--storage", folder.storage)
    assert status == 0 and "nothing is damaged" in text, text


def test_cannot_look(folder, tmp_path):
    assert octant("verify", "--storage", str(tmp_path / "nothing"))[0] == 2
    folder.start()
    status, text = octant("verify", "--storage", folder.storage)
    assert status == 2 and "in use" in text, text
    assert folder.stop() == 0


def test_damage_and_repair(folder):
    path = biggest(folder, "payload")
    flip(path, 4096 + 65536 + 99)
    status, text = octant("verify", "--storage", folder.storage)
    assert status == 1 and path in text and "at byte 69632" in text, text
    # The server starts; what is damaged is refused with its name, the other collection answers.
    folder.start()
    rest = Rest(folder.url)
    answers = {}
    for name in ("hurt", "other"):
        a = rest("POST", f"/collections/{name}/points/scroll", {"limit": 5000})
        answers[a.status] = (name, a)
    assert set(answers) == {200, 503}, answers
    assert path in answers[503][1].error, answers
    hurt = answers[503][0]
    info = rest("GET", f"/collections/{hurt}").result
    assert info["status"] == "red" and path in info["optimizer_status"]["error"]
    rest.close()
    assert folder.stop() == 0
    # A plan changes nothing, and nothing is done without consent.
    status, text = octant("repair", "--storage", folder.storage, "--dry-run")
    assert status == 0 and "lost" in text, text
    assert octant("repair", "--storage", folder.storage)[0] == 1
    assert octant("verify", "--storage", folder.storage)[0] == 1
    status, text = octant("repair", "--storage", folder.storage, "--yes")
    assert status == 0, text
    assert octant("verify", "--storage", folder.storage)[0] == 0
    listed = glob.glob(os.path.join(folder.storage, "c", "*", "quarantine", "repair-*", "lost-points.txt"))
    lost = {int(line) for line in open(listed[0])}
    folder.start()
    rest = Rest(folder.url)
    points = rest("POST", f"/collections/{hurt}/points/scroll", {"limit": 5000, "with_vector": True}).result["points"]
    assert {p["id"] for p in points} == set(range(3000)) - lost and 0 < len(lost) < 400
    assert all(p["payload"]["n"] == p["id"] for p in points)
    rest.close()
    assert folder.stop() == 0


def offset_of(text, path):
    """Where the finding about this file says that it is."""
    found = next((re.search(r" at byte (\d+)", line) for line in text.splitlines() if path in line), None)
    assert found, f"{path} is not named with a byte: {text}"
    return int(found.group(1))


@pytest.mark.parametrize("kind", ["payload", "vectors-0", "graph-0", "ids", "MANIFEST", "CATALOG", "wal", "SUPER"])
def test_every_kind_is_found(folder, kind):
    """One byte of each kind of file; all that is damaged is named, and nothing else."""
    place = {"MANIFEST": "c/*/MANIFEST-*", "CATALOG": "catalog/CATALOG-*", "wal": "c/*/s0/wal/0*.wal", "SUPER": "SUPER-*"}
    found = glob.glob(os.path.join(folder.storage, place.get(kind, f"c/*/s0/seg/*/{kind}")))
    path = max(found, key=lambda p: (os.path.getsize(p), p))
    # Headers of blocks have 4096 bytes and unused ones at the end; a log's first frame comes after 64.
    at = {"MANIFEST": 90, "CATALOG": 70, "wal": 64 + 9, "SUPER": 20}.get(kind, min(5000, os.path.getsize(path) - 60))
    flip(path, at)
    status, text = octant("verify", "--storage", folder.storage)
    named = [line for line in text.splitlines() if line.startswith("damage:")]
    assert status == 1 and len(named) >= 1 and all(os.path.dirname(path) in line for line in named), text
    if kind not in ("SUPER", "MANIFEST", "CATALOG"):
        assert 0 <= at - offset_of(text, path) < 65536, text
    flip(path, at)
    assert octant("verify", "--storage", folder.storage)[0] == 0


def contents(folder):
    """What the files of a collection hold, by name."""
    return {p: open(p, "rb").read() for p in glob.glob(folder + "/**", recursive=True) if os.path.isfile(p)}


def test_damaged_newest_manifest(folder):
    folder.start()
    rest = Rest(folder.url)
    for name in ("hurt", "other"):
        # The manifest before it differs only in this index.
        rest("PUT", f"/collections/{name}/index?wait=true", {"field_name": "n", "field_schema": "integer"}).result
        until(lambda: rest("GET", f"/collections/{name}").result["status"] == "green")
    rest.close()
    assert folder.stop() == 0
    manifest = max(glob.glob(os.path.join(folder.storage, "c", "*", "MANIFEST-*")), key=os.path.basename)
    collection = os.path.dirname(manifest)
    flip(manifest, 90)
    before = contents(collection)
    folder.start()
    rest = Rest(folder.url)
    reasons = {}
    for name in ("hurt", "other"):
        points = rest("POST", f"/collections/{name}/points/scroll", {"limit": 5000}).result["points"]
        assert len(points) == 3000
        nearest = rest("POST", f"/collections/{name}/points/query", {"query": [1, 2, 3, 4], "limit": 3})
        assert len(nearest.result["points"]) == 3
        answer = rest("PUT", f"/collections/{name}/points?wait=true", {"points": [{"id": 1, "vector": [1, 1, 1, 1]}]})
        if answer.status != 200:
            assert answer.status == 503 and "read-only" in answer.error and manifest in answer.error, answer
            reasons[name] = rest("GET", f"/collections/{name}").result
    assert len(reasons) == 1
    (hurt, info), = reasons.items()
    assert info["status"] == "red" and manifest in info["optimizer_status"]["error"]
    rest.close()
    assert folder.stop() == 0
    assert contents(collection) == before
    status, text = octant("repair", "--storage", folder.storage, "--yes")
    assert status == 0 and "manifest before" in text, text
    folder.start()
    rest = Rest(folder.url)
    rest("PUT", f"/collections/{hurt}/points?wait=true", {"points": [{"id": 1, "vector": [4, 4, 4, 4]}]}).result
    assert rest("POST", f"/collections/{hurt}/points", {"ids": [1], "with_vector": True}).result[0]["vector"] == [4, 4, 4, 4]
    assert rest("POST", f"/collections/{hurt}/points/count", {}).result["count"] == 3000
    rest.close()
    assert folder.stop() == 0


def test_scrubber(folder):
    """A byte that goes bad under a running server is found before anybody reads it."""
    folder.extra["QDRANT__STORAGE__SCRUB_INTERVAL_SEC"] = "1"
    folder.start()
    rest = Rest(folder.url)

    def metric(name):
        lines = rest("GET", "/metrics").body.decode().splitlines()
        return next(float(line.split()[-1]) for line in lines if line.startswith(name + " "))

    until(lambda: metric("scrub_passes_total") > 0)
    assert metric("scrub_damaged_files") == 0 and metric("scrub_bytes_total") > 1 << 20
    path = biggest(folder, "payload")
    flip(path, 4096 + 65536 + 99)
    until(lambda: metric("scrub_damaged_files") == 1)
    assert f"damage: {path}: damaged block at offset 69632" in folder.log(1 << 20)
    answers = [rest("POST", f"/collections/{name}/points/count", {"exact": True}) for name in ("hurt", "other")]
    assert sorted(a.status for a in answers) == [200, 503]
    assert next(a for a in answers if a.status == 503).error.count(path) == 1
    # The byte is as it was; the collection takes part again after the next start.
    flip(path, 4096 + 65536 + 99)
    rest.close()
    assert folder.restart()
    rest = Rest(folder.url)
    for name in ("hurt", "other"):
        assert rest("POST", f"/collections/{name}/points/count", {"exact": True}).result["count"] == 3000
    rest.close()
    assert folder.stop() == 0


def test_index_over_damaged_payload(folder):
    """A field index is not made of bytes that are not what was written."""
    path = biggest(folder, "payload")
    flip(path, 4096 + 65536 + 99)
    folder.start()
    rest = Rest(folder.url)
    answers = [rest("PUT", f"/collections/{name}/index?wait=true", {"field_name": "text", "field_schema": "keyword"})
               for name in ("hurt", "other")]
    assert sorted(a.status for a in answers) == [200, 503]
    refused = next(a for a in answers if a.status == 503)
    assert path in refused.error and "offset" in refused.error, refused
    rest.close()
    assert folder.stop() == 0
