"""Octant's library and Qdrant's engine as child processes that obey the same commands; for corners.py and quantizers.py.

Both children (octant-library-bench, qdrant_process.py) take `build` or `serve`, and --data, --storage, --config JSON (a body
of a request to create a collection) and --threads. A build reports `base` and `built` and ends. A server reports `base` and
`open`, then answers each line of JSON with a line of JSON.
"""
import ctypes
import glob
import json
import mmap
import os
import select
import shutil
import subprocess
import sys
import tempfile
import threading
import time

import numpy as np

HERE = os.path.dirname(os.path.abspath(__file__))
PAGE = os.sysconf("SC_PAGE_SIZE")


class Failure(Exception):
    pass


def whole_data(folder):
    """A folder whose vectors are one file: the folder itself, or a copy with the parts of vectors.f16.N.npy joined."""
    if os.path.exists(os.path.join(folder, "vectors.f16.npy")):
        return folder
    made = tempfile.mkdtemp(prefix="octant-bench-data-")
    parts = sorted(glob.glob(os.path.join(folder, "vectors.f16.[0-9]*.npy")))
    np.save(os.path.join(made, "vectors.f16.npy"), np.concatenate([np.load(p) for p in parts]))
    for name in ("queries.f32.npy", "gt_top100.i32.npy", "gt_top100_cos.f32.npy"):
        shutil.copy(os.path.join(folder, name), made)
    return made


def folder_mb(folder):
    """Disk blocks of a folder's files in MB: (all, of which log files)."""
    total = log = 0
    for where, _, files in os.walk(folder):
        for name in files:
            size = os.lstat(os.path.join(where, name)).st_blocks * 512
            total += size
            log += size if "/wal" in where[len(folder):] else 0
    return total / 2**20, log / 2**20


def evict(folder):
    """Has the kernel forget its cached pages of a folder's files. Only clean pages that no process has mapped go."""
    for where, _, files in os.walk(folder):
        for name in files:
            file = os.open(os.path.join(where, name), os.O_RDONLY)
            try:
                os.fsync(file)
                os.posix_fadvise(file, 0, 0, os.POSIX_FADV_DONTNEED)
            finally:
                os.close(file)


def drop_caches():
    """Has the kernel forget every clean page, where the user may ask for that (Linux, root)."""
    try:
        os.sync()
        with open("/proc/sys/vm/drop_caches", "w") as f:
            f.write("1")
    except OSError:
        pass


def cached_mb(folder):
    """How much of a folder's files is in the page cache, in MB."""
    libc = ctypes.CDLL(None, use_errno=True)
    libc.mincore.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_void_p]
    libc.mmap.restype, libc.mmap.argtypes = ctypes.c_void_p, [
        ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_long]
    libc.munmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t]
    pages = 0
    for where, _, files in os.walk(folder):
        for name in files:
            path = os.path.join(where, name)
            size = os.path.getsize(path)
            if size == 0:
                continue
            with open(path, "rb") as f:
                start = libc.mmap(None, size, mmap.PROT_READ, mmap.MAP_SHARED, f.fileno(), 0)
            if start in (None, ctypes.c_void_p(-1).value):
                continue
            seen = np.zeros((size + PAGE - 1) // PAGE, np.uint8)
            if libc.mincore(start, size, seen.ctypes.data) == 0:
                pages += int((seen & 1).sum())
            libc.munmap(start, size)
    return pages * PAGE / 2**20


def memory(pid, folder):
    """A process' resident memory in MB: its anonymous part, and what it has mapped of the folder's files."""
    anonymous = mapped = 0
    folder, here = os.path.realpath(folder) + os.sep, False
    with open(f"/proc/{pid}/smaps") as f:
        for line in f:
            if line[0] in "0123456789abcdef" and "-" in line.split(" ", 1)[0]:
                here = folder in line
            elif line.startswith("Anonymous:"):
                anonymous += int(line.split()[1])
                mapped -= int(line.split()[1]) if here else 0
            elif line.startswith("Rss:") and here:
                mapped += int(line.split()[1])
    return {"anon_mb": anonymous / 1024, "mapped_mb": mapped / 1024}


class MemoryGroup:
    """A control group with a limit of memory, page cache included, for one process (Linux, root)."""

    def __init__(self, megabytes):
        with open("/proc/self/cgroup") as f:
            lines = [line.strip().split(":", 2) for line in f]
        old = [path for _, names, path in lines if "memory" in names.split(",")]
        if old:
            self.folder = f"/sys/fs/cgroup/memory{old[0]}/octant-bench-{os.getpid()}-{id(self)}"
            self.limit, self.peak = "memory.limit_in_bytes", "memory.max_usage_in_bytes"
        else:
            path = next(path for _, names, path in lines if names == "")
            self.folder = f"/sys/fs/cgroup{path}/octant-bench-{os.getpid()}-{id(self)}"
            self.limit, self.peak = "memory.max", "memory.peak"
        os.mkdir(self.folder)
        with open(os.path.join(self.folder, self.limit), "w") as f:
            f.write(str(int(megabytes * 2**20)))

    def enter(self):
        """For the child, before it becomes its program."""
        with open(os.path.join(self.folder, "cgroup.procs"), "w") as f:
            f.write(str(os.getpid()))

    def close(self):
        for _ in range(50):
            try:
                return os.rmdir(self.folder)
            except OSError:
                time.sleep(0.1)


class Child:
    """One engine in a process of its own."""

    def __init__(self, engine, mode, data, storage, config, threads, group=None, peers=sys.executable):
        command = [engine] if engine != "qdrant" else [peers, os.path.join(HERE, "qdrant_process.py")]
        command += [mode, "--data", data, "--storage", storage, "--config", json.dumps(config), "--threads", str(threads)]
        self.storage = storage
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            preexec_fn=group.enter if group else None)
        self.base = self.read("base")

    def read(self, kind, timeout=None):
        if timeout and not select.select([self.process.stdout], [], [], timeout)[0]:
            self.process.kill()
            raise Failure(f"no answer within {timeout} s")
        line = self.process.stdout.readline()
        if not line:
            raise Failure(f"the process ended with status {self.process.wait()}")
        try:
            answer = json.loads(line)
        except json.JSONDecodeError:
            raise Failure(line.strip()) from None
        if answer["kind"] != kind:
            raise Failure(f"{answer} instead of {kind}")
        return answer

    def send(self, **command):
        self.process.stdin.write(json.dumps(command) + "\n")
        self.process.stdin.flush()

    def ask(self, kind="search", timeout=None, **command):
        self.send(**command)
        return self.read(kind, timeout)

    def memory(self):
        """Resident memory in MB, without what the process had before the collection."""
        now = memory(self.process.pid, self.storage)
        now["anon_mb"] = max(0.0, now["anon_mb"] - self.base["anon_mb"])
        return now | {"resident_mb": now["anon_mb"] + now["mapped_mb"]}

    def close(self):
        try:
            self.process.stdin.close()
        except OSError:
            pass
        try:
            self.process.wait(60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


class PeakSampler(threading.Thread):
    """The largest anonymous memory of a process, looked at every 5 ms."""

    def __init__(self, pid):
        super().__init__(daemon=True)
        self.pid, self.largest, self.ended = pid, 0.0, threading.Event()

    def run(self):
        while not self.ended.wait(0.005):
            try:
                with open(f"/proc/{self.pid}/status") as f:
                    for line in f:
                        if line.startswith("RssAnon:"):
                            self.largest = max(self.largest, int(line.split()[1]) / 1024)
            except OSError:
                return

    def stop(self):
        self.ended.set()
        self.join()
        return self.largest


def build(engine, data, storage, config, threads, peers=sys.executable):
    """Builds a collection in a new process; its figures, with the size on disk afterwards."""
    shutil.rmtree(storage, ignore_errors=True)
    os.makedirs(storage)
    child = Child(engine, "build", data, storage, config, threads, peers=peers)
    sampler = PeakSampler(child.process.pid)
    sampler.start()
    built = child.read("built")
    built["peak_anon_mb"] = max(0.0, sampler.stop() - child.base["anon_mb"])
    child.close()
    built["disk_mb"], built["log_mb"] = folder_mb(storage)
    return built
