#!/usr/bin/env python3
"""The corners of memory, speed and precision: Octant's library beside Qdrant's own engine, in turns in one window of time.

    corners.py DATA BENCH [--corner NAME]... [--rounds 3] [--build-rounds N] [--threads 2] [--quick] [--out FILE]

DATA is a folder with vectors.f16.npy, queries.f32.npy and gt_top100.i32.npy; BENCH is the octant-library-bench executable.
Runs under a Python with numpy and qdrant-edge-py. Every build, every opening and every measurement from a cold cache is a
process of its own; both engines get the same configuration, requests and data, one after the other in every round.
`render.py` makes the tables and plots of the results, which are kept in FILE.

Recall is recall@10 by ids. CPU times are of all threads of the process. Ratios are taken at equal recall, interpolated
between the values of `hnsw_ef` that were measured.
"""
import argparse
import copy
import json
import os
import platform
import shutil
import statistics
import sys
import tempfile
import time
from importlib.metadata import version

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import engines
from curves import at, curve
from corner_list import CORNERS

ENGINES = ("octant", "qdrant")
EFS = (10, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data")
    parser.add_argument("bench")
    parser.add_argument("--corner", action="append", choices=list(CORNERS))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--build-rounds", type=int, help="as --rounds unless given")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--quick", action="store_true", help="one round, few parameters: to see that it works")
    parser.add_argument("--no-cold", action="store_true")
    parser.add_argument("--no-limit", action="store_true", help="leave out the runs in a control group of memory")
    parser.add_argument("--out", default="corners.json", help="results; other corners' results in it are kept")
    parser.add_argument("--storage", help="where the collections are made (a folder on the disk to measure)")
    options = parser.parse_args()
    if options.quick:
        options.rounds = options.build_rounds = 1
    options.build_rounds = options.build_rounds or options.rounds
    return options


class Run:
    def __init__(self, options):
        self.options = options
        self.data = engines.whole_data(options.data)
        self.folder = tempfile.mkdtemp(prefix="octant-corners-", dir=options.storage)
        queries = engines.np.load(os.path.join(self.data, "queries.f32.npy"), mmap_mode="r")
        vectors = engines.np.load(os.path.join(self.data, "vectors.f16.npy"), mmap_mode="r")
        self.points, self.size = vectors.shape
        self.queries = len(queries)
        self.samples = []

    def close(self):
        shutil.rmtree(self.folder, ignore_errors=True)
        if self.data != self.options.data:
            shutil.rmtree(self.data, ignore_errors=True)

    def add(self, **sample):
        self.samples.append({k: round(v, 5) if isinstance(v, float) else v for k, v in sample.items()})
        self.tell(self.samples[-1])

    @staticmethod
    def tell(sample):
        """A line to see how far it is."""
        shown = ("corner", "family", "engine", "kind", "round", "mode", "ef", "threads", "recall", "cpu_us", "qps", "cpu_s",
                 "peak_mb", "resident_mb", "segments", "bytes", "score_error", "failed", "error")
        print("  ".join(f"{k} {sample[k]}" if k not in ("corner", "family", "engine", "kind", "mode") else str(sample[k])
                        for k in shown if k in sample), flush=True)

    def write(self, path, kept):
        """Writes all samples, after those of an earlier run that are kept."""
        options = self.options
        head = {"machine": machine(), "data": os.path.basename(os.path.normpath(options.data)), "points": self.points,
                "size": self.size, "queries": self.queries, "rounds": options.rounds, "threads": options.threads,
                "quick": options.quick}
        os.makedirs(os.path.dirname(os.path.abspath(path)), exist_ok=True)
        lines = ",\n".join(json.dumps(s, ensure_ascii=False) for s in kept + self.samples)
        with open(path, "w", encoding="utf8") as f:
            f.write(json.dumps(head)[:-1] + ',\n"samples": [\n' + lines + "\n]}\n")

    def program(self, engine):
        return self.options.bench if engine == "octant" else engine

    def config(self, corner):
        """The body of the request to create the corner's collection."""
        body = copy.deepcopy(corner["config"])
        body["vectors"] = {"size": self.size, "distance": "Cosine", **body.get("vectors", {})}
        # Graphs are built and walked however small the segments are: both thresholds compare with kilobytes of vectors.
        body["hnsw_config"] = {"m": 16, "ef_construct": 100, "full_scan_threshold": 10, **body.get("hnsw_config", {})}
        segments = body.setdefault("optimizers_config", {}).setdefault("default_segment_number", 1)
        kilobytes = self.points * self.size * 4 / 1024
        body["optimizers_config"] |= {
            "indexing_threshold": int(min(1000, kilobytes / segments / 4)),
            "max_segment_size": 10_000_000 if segments == 1 else int(kilobytes / segments * 1.05)}
        return body

    def storage(self, name, engine):
        return os.path.join(self.folder, f"{name}-{engine}")

    def child(self, name, engine, config, storage=None, group=None):
        return engines.Child(self.program(engine), "serve", self.data, storage or self.storage(name, engine), config,
                             self.options.threads, group)

    # One corner.

    def corner(self, name):
        corner = CORNERS[name]
        config = self.config(corner)
        for round_ in range(self.options.build_rounds):
            for engine in ENGINES:
                built = engines.build(self.program(engine), self.data, self.storage(name, engine), config,
                                      self.options.threads)
                self.add(corner=name, engine=engine, round=round_, **built)
        cold_efs = self.searches(name, corner, config)
        if not self.options.no_cold:
            for round_ in range(self.options.rounds):
                for engine in ENGINES:
                    self.cold(name, engine, corner, config, round_, cold_efs[engine])
        if not self.options.no_limit:
            for engine in ENGINES:
                # any() stops at the first limit under which all queries were answered.
                any(self.limited(name, engine, corner, config, cold_efs[engine], share)
                    for share in corner.get("limits", ()))
        for engine in ENGINES:
            shutil.rmtree(self.storage(name, engine), ignore_errors=True)

    def efs(self, corner):
        efs = [ef for ef in EFS if ef <= corner.get("largest_ef", EFS[-1])]
        return efs[1::3] if self.options.quick else efs

    def searches(self, name, corner, config):
        """Warm searches and memory. Returns per engine the smallest `ef` that reaches the corner's recall."""
        children = {engine: self.child(name, engine, config) for engine in ENGINES}
        try:
            for engine, child in children.items():
                self.add(corner=name, engine=engine, **child.read("open"), **child.memory())
            efs = self.efs(corner)
            for mode, params in corner["modes"].items():
                for child in children.values():
                    child.ask(params=params | {"hnsw_ef": 64}, count=self.queries)
            for engine, child in children.items():
                self.add(corner=name, engine=engine, **{"kind": "warm"} | child.memory())
            for round_ in range(self.options.rounds):
                for mode, params in corner["modes"].items():
                    for ef in efs:
                        for engine, child in children.items():
                            answer = child.ask(params=params | {"hnsw_ef": ef}, count=self.queries, warm=50)
                            self.add(corner=name, engine=engine, round=round_, mode=mode, ef=ef, **answer)
            self.throughputs(name, corner, config, children)
        finally:
            for child in children.values():
                child.close()
        headline = next(iter(corner["modes"]))
        return {engine: self.reaching(name, engine, headline, corner["recall"]) for engine in ENGINES}

    def reaching(self, name, engine, mode, wanted):
        """The smallest measured `ef` of at least this recall, or the one of most recall."""
        found = sorted({(s["ef"], s["recall"]) for s in self.samples if s["kind"] == "search" and s["corner"] == name
                        and s["engine"] == engine and s["mode"] == mode})
        return next((ef for ef, recall in found if recall >= wanted), max(found, key=lambda f: f[1])[0])

    def throughputs(self, name, corner, config, children):
        """Queries a second of 1, 2 and 8 clients, at a few sizes of the pool.

        Qdrant's binding runs one call at a time, so its second client is a process with a copy of the collection; where
        there are several segments, one call with many queries over its own threads is measured, too. The better counts.
        """
        mode, params = next(iter(corner["modes"].items()))
        efs = self.efs(corner)[::2]
        seconds = 0.3 if self.options.quick else 1.0
        copied = self.storage(name, "qdrant") + "-copy"
        shutil.rmtree(copied, ignore_errors=True)
        shutil.copytree(self.storage(name, "qdrant"), copied)
        second = self.child(name, "qdrant", config, storage=copied)
        segments = config["optimizers_config"]["default_segment_number"]
        try:
            second.read("open")
            second.ask(params=params | {"hnsw_ef": 64}, count=self.queries)
            for round_ in range(self.options.rounds):
                for ef in efs:
                    asked = dict(params=params | {"hnsw_ef": ef}, count=self.queries, seconds=seconds)
                    head = dict(corner=name, round=round_, mode=mode, ef=ef)
                    for threads in (1, 2, 8):
                        answer = children["octant"].ask("throughput", **asked | {"threads": threads})
                        self.add(engine="octant", **head, **answer | {"threads": threads, "how": "threads"})
                    self.add(engine="qdrant", **head, threads=1, how="calls",
                             **children["qdrant"].ask("throughput", **asked))
                    second.send(**asked, start=self.queries // 2)
                    one = children["qdrant"].ask("throughput", **asked)
                    two = second.read("throughput")
                    self.add(engine="qdrant", **head, threads=2, how="two processes", kind="throughput",
                             qps=one["qps"] + two["qps"], cpu_us=(one["cpu_us"] + two["cpu_us"]) / 2)
                    if segments > 1:
                        answer = children["qdrant"].ask("throughput", **asked, batch=100)
                        self.add(engine="qdrant", **head, threads=2, how="batches of 100", **answer)
        finally:
            second.close()
            shutil.rmtree(copied, ignore_errors=True)

    def cold(self, name, engine, corner, config, round_, ef):
        """All queries once after the page cache has forgotten the collection, then once more."""
        mode, params = next(iter(corner["modes"].items()))
        storage = self.storage(name, engine)
        engines.evict(storage)
        engines.drop_caches()
        left = engines.cached_mb(storage)
        child = self.child(name, engine, config)
        try:
            opened = child.read("open")
            self.add(corner=name, engine=engine, round=round_, **opened | {"kind": "cold open"}, cached_before_mb=left)
            head = dict(corner=name, engine=engine, round=round_, mode=mode, ef=ef)
            # Three queries first, for the program's own pages.
            for kind in ("cold", "cold, second pass"):
                answer = child.ask(params=params | {"hnsw_ef": ef}, count=self.queries, warm=3 if kind == "cold" else 0)
                self.add(**head, **answer | {"kind": kind}, **child.memory())
        finally:
            child.close()

    def limited(self, name, engine, corner, config, ef, share):
        """All queries twice in a control group that holds a share of the raw vectors; whether they were answered.

        Octant's group holds the whole process. Qdrant's holds its interpreter in addition."""
        mode, params = next(iter(corner["modes"].items()))
        storage = self.storage(name, engine)
        raw = self.points * self.size * 4 / 2**20
        if raw < 50:
            return False  # a process alone needs more than a part of so little
        base = 0.0
        if engine == "qdrant":
            probe = self.child(name, engine, config)
            base = probe.base["rss_mb"]
            probe.close()
        limit = raw * share + base
        engines.evict(storage)
        engines.drop_caches()
        head = dict(corner=name, engine=engine, mode=mode, ef=ef, share=share, limit_mb=limit, base_mb=base, raw_mb=raw)
        try:
            group = engines.MemoryGroup(limit)
        except (OSError, StopIteration) as error:
            self.add(kind="limited", **head, failed=f"no control group: {error}")
            return True
        child = None
        try:
            child = self.child(name, engine, config, group=group)
            opened = child.read("open", timeout=300)
            for sweep in (1, 2):
                answer = child.ask(timeout=300, params=params | {"hnsw_ef": ef}, count=self.queries)
                self.add(**head, sweep=sweep, open_s=opened["open_s"], **answer | {"kind": "limited"}, **child.memory())
            return True
        except (engines.Failure, OSError) as error:
            self.add(kind="limited", **head, failed=str(error))
            return False
        finally:
            if child:
                child.close()
            group.close()


def summary(run, name):
    """A few lines of what render.py writes in full."""
    corner = CORNERS[name]
    mode = next(iter(corner["modes"]))
    mine = [s for s in run.samples if s["corner"] == name]
    points = {e: curve([s for s in mine if s["kind"] == "search" and s["mode"] == mode and s["engine"] == e], "cpu_us")
              for e in ENGINES}
    print(f"\n{name}: Octant ÷ Qdrant (goal)")
    for wanted in (0.95, 0.98, 0.99):
        a, b = (at(points[e], wanted) for e in ENGINES)
        if a and b:
            print(f"  search at recall {wanted}: {a:.0f} / {b:.0f} µs = {a / b:.2f} (≤ {corner['goals']['search']})")
    median = lambda kind, e, key: statistics.median(s[key] for s in mine if s["kind"] == kind and s["engine"] == e)
    for label, kind, key, goal in (("build CPU", "built", "cpu_s", "build"), ("peak", "built", "peak_mb", "peak"),
                                   ("resident after open", "open", "resident_mb", "memory")):
        a, b = (median(kind, e, key) for e in ENGINES)
        print(f"  {label}: {a:.1f} / {b:.1f} = {a / max(b, 1e-9):.2f} (≤ {corner['goals'][goal]})")
    print(flush=True)


def machine():
    model = platform.processor()
    try:
        with open("/proc/cpuinfo") as f:
            model = next(line.split(":", 1)[1].strip() for line in f if line.startswith("model name"))
    except (OSError, StopIteration):
        pass
    return {"cpu": model, "cores": os.cpu_count(), "system": platform.system() + " " + platform.release(),
            "qdrant": version("qdrant-edge-py"), "at": time.strftime("%Y-%m-%d %H:%M")}


def main():
    options = arguments()
    run = Run(options)
    names = options.corner or list(CORNERS)
    kept = []
    if os.path.exists(options.out):
        with open(options.out) as f:
            kept = [s for s in json.load(f)["samples"] if s["corner"] not in names]
    try:
        for name in names:
            run.corner(name)
            summary(run, name)
            run.write(options.out, kept)
    finally:
        run.close()


if __name__ == "__main__":
    main()
