"""`octant verify` and `octant repair`, and what a server makes of damage, on the real binary and real files."""
import glob
import os
import subprocess

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


@pytest.fixture
def folder():
    """A stopped server's folder with two collections, most of each in segments."""
    with Server() as server:
        rest = Rest(server.url)
        for name in ("hurt", "other"):
            fill(rest, name)
            # A new vector waits until all that was logged is in segments.
            answer = rest("PUT", f"/collections/{name}/vectors/extra", {"dense": {"size": 2, "distance": "Dot"}})
            assert answer.status == 200, answer
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
