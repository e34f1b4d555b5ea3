#!/usr/bin/env python3
"""What `inline_storage` spares and costs: pages read, time and disk, with and without it.

    inline_storage.py DATA BENCH [--folder FOLDER] [--ef 64] [--kinds int8,turbo2] [--limits 32,64] [--alone 12]

DATA is a folder with vectors.f16.npy, queries.f32.npy and gt_top100.i32.npy; BENCH is the octant-library-bench executable. Vectors,
codes and graph are on disk, m is 16. For each kind of codes and with and without inline storage:

    alone     each query in a process of its own, with none of the collection's files in the page cache
    warm      all in the page cache, the best of three passes
    limit     in a memory cgroup (v1, as root) of so many megabytes: the second half of the queries, after the first

Prints recall@10, pages of 4 KB that came from the device and microseconds of wall and processor time, each per query.
"""
import argparse
import json
import os
import subprocess
import tempfile

parser = argparse.ArgumentParser()
parser.add_argument("data")
parser.add_argument("bench")
parser.add_argument("--folder", help="where collections are kept between runs; a temporary one if not given")
parser.add_argument("--ef", type=int, default=64)
parser.add_argument("--kinds", default="int8,turbo2")
parser.add_argument("--limits", default="", help="megabytes")
parser.add_argument("--alone", type=int, default=12, help="queries that are asked alone")
parser.add_argument("--queries", type=int, default=600, help="queries under a limit")
options = parser.parse_args()

CODES = {
    "int8": {"scalar": {"type": "int8", "quantile": 0.99}}, "turbo4": {"turbo": {"bits": "bits4"}},
    "turbo2": {"turbo": {"bits": "bits2"}}, "binary": {"binary": {}},
}
CGROUP = "/sys/fs/cgroup/memory/octant-inline"
folder = options.folder or tempfile.mkdtemp()


def build(kind, inline):
    """The collection's folder."""
    storage = os.path.join(folder, f"{kind}-{'inline' if inline else 'plain'}")
    if not os.path.exists(storage):
        config = {"vectors": {"size": 384, "distance": "Cosine", "on_disk": True}, "quantization_config": CODES[kind],
                  "hnsw_config": {"on_disk": True, "inline_storage": inline}, "optimizers_config": {"default_segment_number": 1}}
        subprocess.run([options.bench, "build", "--data", options.data, "--storage", storage, "--config", json.dumps(config)],
                       check=True, stdout=subprocess.DEVNULL)
    return storage


def files(storage):
    return [os.path.join(path, name) for path, _, names in os.walk(storage) for name in names]


def drop(storage):
    """Takes the collection's files out of the page cache."""
    os.sync()
    for path in files(storage):
        with open(path, "rb") as f:
            os.posix_fadvise(f.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


class Bench:
    """The library in a process of its own, in the cgroup if there is a limit."""

    def __init__(self, storage, limit=None):
        if limit:
            os.makedirs(CGROUP, exist_ok=True)
            with open(CGROUP + "/memory.limit_in_bytes", "w") as f:
                f.write(str(limit))

        def join():
            with open(CGROUP + "/cgroup.procs", "w") as f:
                f.write(str(os.getpid()))

        self.process = subprocess.Popen(
            [options.bench, "--data", options.data, "--storage", storage, "--search-threads", "1", "--wal-mb", "4"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, preexec_fn=join if limit else None)
        for line in self.process.stdout:
            if json.loads(line)["kind"] == "ready":
                return
        raise SystemExit(f"the process ended with {self.process.wait()}")

    def ask(self, **command):
        self.process.stdin.write(json.dumps({"ef": options.ef, **command}) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        return json.loads(line) if line else None

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def show(*cells):
    print("| " + " | ".join(str(cell) for cell in cells) + " |", flush=True)


def line(kind, inline, state, rescore, results):
    def mean(name):
        return sum(result[name] for result in results) / len(results)
    recall = f"{mean('recall'):.3f}" if state != "alone" else ""
    show(kind, "yes" if inline else "no", state, "yes" if rescore else "no", recall, f"{mean('read_kb') / 4:,.0f}",
         f"{mean('p50_us'):,.0f}", f"{mean('cpu_us'):,.0f}")


show("codes", "inline", "cache", "rescored", "recall@10", "pages read", "wall µs", "CPU µs")
show(*["---"] * 8)
for kind in options.kinds.split(","):
    for inline in (False, True):
        storage = build(kind, inline)
        segment = sum(os.path.getsize(path) for path in files(storage) if "/seg/" in path)
        for rescore in (True, False):
            alone = []
            for number in range(options.alone):
                drop(storage)
                bench = Bench(storage)
                drop(storage)
                alone.append(bench.ask(cold=True, rescore=rescore, queries=1, **{"from": number * 37}))
                bench.close()
            if alone:
                line(kind, inline, "alone", rescore, alone)
        bench = Bench(storage)
        for rescore in (True, False):
            bench.ask(rescore=rescore)
            best = min((bench.ask(rescore=rescore) for _ in range(3)), key=lambda result: result["cpu_us"])
            line(kind, inline, "warm", rescore, [best])
        bench.close()
        for limit in [int(word) for word in options.limits.split(",") if word]:
            drop(storage)
            bench = Bench(storage, limit * 1_000_000)
            half = options.queries // 2
            first = bench.ask(cold=True, rescore=True, queries=half)
            second = bench.ask(cold=True, rescore=True, queries=half, **{"from": half}) if first else None
            bench.close()
            if second:
                line(kind, inline, f"{limit} MB", True, [second])
            else:
                show(kind, "yes" if inline else "no", f"{limit} MB", "yes", "ended", "", "", "")
        show(kind, "yes" if inline else "no", f"{segment / 1e6:,.0f} MB on disk", "", "", "", "", "")
