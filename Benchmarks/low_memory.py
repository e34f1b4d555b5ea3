#!/usr/bin/env python3
"""Searches under a real limit of memory: a memory cgroup smaller than the data.

    low_memory.py DATA BENCH [--folder FOLDER] [--ef 64,128] [--cases quarter,tenth]

DATA is a folder with vectors.f16.npy, queries.f32.npy and gt_top100.i32.npy; BENCH is the octant-library-bench executable.
Runs as root, with the memory controller of cgroup v1 at /sys/fs/cgroup/memory. For each case a collection is built without a
limit; then its files are dropped from the page cache, so that what is read again is charged to the process that reads it, and
a process in a cgroup of that size opens it and answers all queries of the set, one at a time: first as it came up (`cold`),
then twice more (`again`, the last counts). The same without a limit, with a warm cache, is `free`.

    quarter   the limit is a quarter of the vectors' bytes; vectors and the engine's own codes on disk, graph `cached`
    tenth     a tenth; vectors, codes and graph on disk

Prints recall@10, milliseconds of wall time (median, 99th percentile), kilobytes read from the device and page faults that
waited for it, each per query, and what the cgroup held at most.
"""
import argparse
import json
import os
import shutil
import signal
import subprocess
import tempfile

import numpy as np

parser = argparse.ArgumentParser()
parser.add_argument("data")
parser.add_argument("bench")
parser.add_argument("--folder", help="where collections are kept between runs; a temporary one if not given")
parser.add_argument("--ef", default="64,128")
parser.add_argument("--cases", default="quarter,tenth")
options = parser.parse_args()

CGROUP = "/sys/fs/cgroup/memory/octant-low-memory"
CASES = {
    "quarter": (4, ["--on-disk", "--graph", "cached"]),
    "tenth": (10, ["--on-disk", "--graph-on-disk"]),
}
shape = np.load(os.path.join(options.data, "vectors.f16.npy"), mmap_mode="r").shape
raw = shape[0] * shape[1] * 4
folder = options.folder or tempfile.mkdtemp()


def put(name, value):
    with open(os.path.join(CGROUP, name), "w") as f:
        f.write(str(value))


def get(name):
    with open(os.path.join(CGROUP, name)) as f:
        return f.read()


class Bench:
    """The library in a process of its own, in the cgroup if there is a limit."""

    def __init__(self, storage, flags, limit=None):
        self.limit = limit
        if limit:
            os.makedirs(CGROUP, exist_ok=True)
            put("memory.limit_in_bytes", limit)
            put("memory.max_usage_in_bytes", 0)
            put("memory.failcnt", 0)
        join = (lambda: put("cgroup.procs", os.getpid())) if limit else None
        self.process = subprocess.Popen(
            [options.bench, "--data", options.data, "--storage", storage, "--threads", "2", "--search-threads", "1", *flags],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, preexec_fn=join)
        self.lines = []
        for line in self.process.stdout:
            self.lines.append(json.loads(line))
            if self.lines[-1]["kind"] == "ready":
                break
        else:
            raise SystemExit(f"the process ended with {self.process.wait()}")

    def ask(self, **command):
        self.process.stdin.write(json.dumps(command) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            code = self.process.wait()
            raise SystemExit(f"killed: {signal.Signals(-code).name}" if code < 0 else f"ended with {code}")
        return json.loads(line)

    def close(self):
        self.process.stdin.close()
        self.process.wait()
        used = {}
        if self.limit:
            stat = dict(line.split() for line in get("memory.stat").splitlines())
            used = {"max": int(get("memory.max_usage_in_bytes")), "failcnt": int(get("memory.failcnt")), **stat}
            put("memory.force_empty", 0)
            os.rmdir(CGROUP)
        return used


def drop(storage):
    """Takes the collection's files out of the page cache."""
    os.sync()
    for path, _, names in os.walk(storage):
        for name in names:
            with open(os.path.join(path, name), "rb") as f:
                os.posix_fadvise(f.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def show(case, limit, state, ef, r):
    size = f"{limit / 1e6:.1f} MB" if limit else "none"
    print(f"| {case} | {size} | {state} | {ef} | {r['recall']:.3f} | {r['p50_us'] / 1e3:.2f} | {r['p99_us'] / 1e3:.2f} | "
          f"{r['cpu_us'] / 1e3:.2f} | {r['read_kb']:.0f} | {r['major_faults']:.1f} | {r['anon_mb']:.1f} + {r['file_mb']:.1f} |",
          flush=True)


print(f"{shape[0]} vectors of {shape[1]} dimensions, {raw / 1e6:.1f} MB as floats")
head = ("case", "limit", "cache", "ef", "recall@10", "p50 ms", "p99 ms", "CPU ms", "KB read", "major faults", "resident MB")
print("\n| " + " | ".join(head) + " |\n|" + "---|" * len(head), flush=True)
try:
    for case in options.cases.split(","):
        share, flags = CASES[case]
        storage = os.path.join(folder, case)
        Bench(storage, flags).close()
        limit = raw // share
        efs = [int(ef) for ef in options.ef.split(",")]
        for ef in efs:
            drop(storage)
            bench = Bench(storage, flags, limit)
            opened = bench.lines[-1]
            show(case, limit, "cold", ef, bench.ask(ef=ef, cold=True))
            bench.ask(ef=ef)
            show(case, limit, "again", ef, bench.ask(ef=ef))
            used = bench.close()
        free = Bench(storage, flags)
        for ef in efs:
            free.ask(ef=ef)
            show(case, None, "free", ef, free.ask(ef=ef))
        free.close()
        print(f"| | | opened: {opened['anon_mb']:.1f} + {opened['file_mb']:.1f} MB; cgroup held at most {used['max'] / 1e6:.1f} MB, "
              f"limit met {used['failcnt']} times |" + " |" * (len(head) - 3), flush=True)
finally:
    if not options.folder:
        shutil.rmtree(folder, ignore_errors=True)
