"""A disk whose power can be cut at any moment of its past.

The server runs on a file system on a loop device on a file that `recorder.py` serves: every write of a block and every flush is
in one log, in order, and the clients put into the same log what they sent and what was acknowledged. Cutting the power at a
record of the log means: every write before the last flush is on the disk; of those after it, each is there, or not, or in part,
by sectors of 512 bytes. Such an image is mounted, and a server started on it.
"""
import bisect
import json
import mmap
import os
import shutil
import subprocess
import sys
import tempfile

from reliability.recorder import RECORD

SECTOR, CHUNK = 512, 1 << 16
HERE = os.path.dirname(os.path.abspath(__file__))
SIZES = {"ext4": 64 << 20, "xfs": 300 << 20}  # the least that mkfs takes for xfs


class Unavailable(Exception):
    """The machine cannot do this; the text says why."""


def run(*command):
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        raise Unavailable(f"{' '.join(command)}: {done.stderr.strip() or done.returncode}")
    return done.stdout.strip()


class Marker:
    """Puts events of the clients into the log, between the writes of the disk."""

    def __init__(self, log):
        self.fd = os.open(log, os.O_WRONLY | os.O_APPEND)

    def __call__(self, **event):
        data = json.dumps(event).encode()
        os.write(self.fd, RECORD.pack(b"M", 0, len(data)) + data)

    def close(self):
        os.close(self.fd)


class RecordedDisk:
    """A mounted file system whose writes are recorded. `mount`: its folder."""

    def __init__(self, kind):
        if os.geteuid() != 0:
            raise Unavailable("mounting needs root")
        if not os.path.exists("/dev/fuse") or not os.path.exists("/dev/loop-control"):
            raise Unavailable("there is no /dev/fuse or no /dev/loop-control")
        if not shutil.which(f"mkfs.{kind}") or not shutil.which("losetup"):
            raise Unavailable(f"there is no mkfs.{kind} or no losetup")
        self.kind, self.recorder, self.loop, self.mounted = kind, None, None, False
        self.folder = tempfile.mkdtemp(prefix="octant-power-", dir="/dev/shm" if os.path.isdir("/dev/shm") else None)
        self.image, self.log, self.mount = (os.path.join(self.folder, n) for n in ("disk.img", "log", "mount"))
        os.mkdir(self.mount)
        with open(self.image, "wb") as f:
            f.truncate(SIZES[kind])
        quick = ["-E", "lazy_itable_init=0,lazy_journal_init=0"] if kind == "ext4" else []
        try:
            run(f"mkfs.{kind}", "-q", *quick, self.image)
        except Unavailable:
            shutil.rmtree(self.folder)
            raise

    def __enter__(self):
        try:
            self.recorder = subprocess.Popen([sys.executable, os.path.join(HERE, "recorder.py"), self.image, self.log],
                                             stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            if self.recorder.stdout.readline() != "ready\n":
                raise Unavailable(f"FUSE: {self.recorder.stderr.read()[-300:]}")
            os.stat(self.image)  # the kernel learns the size
            self.loop = run("losetup", "-f", "--show", self.image)
            run("mount", "-t", self.kind, "-o", "noatime", self.loop, self.mount)
            self.mounted = True
            return self
        except BaseException:
            self.__exit__()
            self.remove()
            raise

    def __exit__(self, *_):
        if self.mounted:
            run("umount", self.mount)
        if self.loop:
            run("losetup", "-d", self.loop)
        if self.recorder:
            if os.path.ismount(self.image):
                run("umount", self.image)
            self.recorder.wait(30)
        self.mounted, self.loop, self.recorder = False, None, None

    def remove(self):
        shutil.rmtree(self.folder, ignore_errors=True)


class Past:
    """What was recorded, and the disk as a cut at some record leaves it."""

    def __init__(self, disk):
        self.disk, self.records = disk, []
        with open(disk.log, "rb") as f:
            self.log = mmap.mmap(f.fileno(), 0, access=mmap.ACCESS_READ)
        at = 0
        while at < len(self.log):
            kind, offset, length = RECORD.unpack_from(self.log, at)
            at += RECORD.size
            self.records.append((kind, offset, at, length))
            at += length
        self.flushes = [i for i, r in enumerate(self.records) if r[0] == b"F"]
        self.markers = [(i, json.loads(self.log[at:at + n])) for i, (k, _, at, n) in enumerate(self.records) if k == b"M"]
        with open(disk.image, "rb") as f:
            self.base = bytearray(f.read())
        self.touched = {n for n in range(0, len(self.base), CHUNK) if self.base.count(0, n, n + CHUNK) < CHUNK}
        self.flushed = 0  # records before this are in `base`

    def moment(self, rnd, first, last):
        """A record to cut before: any, or, half of the time, the flush after one, when most is at stake."""
        at = rnd.randint(first, last)
        if rnd.random() < 0.5:
            return at
        index = bisect.bisect_left(self.flushes, at)
        return min(self.flushes[index] if index < len(self.flushes) else last, last)

    def put(self, target, record, sectors=None):
        _, offset, at, length = record
        for a, b in [(0, length)] if sectors is None else sectors:
            if isinstance(target, bytearray):
                target[offset + a:offset + b] = self.log[at + a:at + b]
                self.touched.update(range((offset + a) // CHUNK * CHUNK, offset + b, CHUNK))
            else:
                os.pwrite(target, self.log[at + a:at + b], offset + a)

    def cut(self, at, rnd, path):
        """Writes the image that a cut before record `at` leaves; cuts have to come in ascending order. What was kept."""
        index = bisect.bisect_left(self.flushes, at) - 1
        flushed = self.flushes[index] if index >= 0 else 0
        for record in self.records[self.flushed:flushed]:
            if record[0] == b"W":
                self.put(self.base, record)
        self.flushed = max(self.flushed, flushed)
        shares = rnd.choice([(0, 0), (1, 0), (1, 1), (1, 1), (3, 1), (0, 1)])  # of writes kept and torn, against one lost
        counts = {"kept": 0, "torn": 0, "lost": 0}
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600)
        try:
            os.ftruncate(fd, len(self.base))
            for n in self.touched:
                os.pwrite(fd, memoryview(self.base)[n:n + CHUNK], n)
            for record in self.records[self.flushed:at]:
                if record[0] != b"W":
                    continue
                fate = rnd.choices(["kept", "torn", "lost"], [*shares, 1])[0]
                counts[fate] += 1
                if fate == "kept":
                    self.put(fd, record)
                elif fate == "torn":
                    self.put(fd, record, torn(record[3], rnd))
        finally:
            os.close(fd)
        return counts


def torn(length, rnd):
    """The parts of a write that reached the disk: its beginning, its end, or sectors here and there."""
    count = -(-length // SECTOR)
    how, edge = rnd.randrange(3), rnd.randint(0, count)
    kept = [i < edge if how == 0 else i >= edge if how == 1 else rnd.random() < 0.5 for i in range(count)]
    return [(i * SECTOR, min((i + 1) * SECTOR, length)) for i in range(count) if kept[i]]


class MountedImage:
    """An image mounted at `mount`; its file system recovers from the cut on the way."""

    def __init__(self, path, kind, mount):
        self.path, self.kind, self.mount = path, kind, mount

    def __enter__(self):
        run("mount", "-t", self.kind, "-o", "loop,noatime" + (",nouuid" if self.kind == "xfs" else ""), self.path, self.mount)
        return self

    def __exit__(self, *_):
        run("umount", self.mount)
