#!/usr/bin/env python3
"""Filtered and sparse search: the library beside Qdrant's engine, interleaved in one window of time.

    compare_filters.py DATA BENCH [--keep FOLDER] [--rounds 3] [--only NAME,...] [--int8] [--no-sparse] [--build]

DATA is a folder with vectors.f16.npy, queries.f32.npy, payload.jsonl.gz, filters.json (name -> filter in REST form,
gt_filter_NAME.i32.npy beside it) and sparse_*.npy; BENCH is the octant-library-bench executable. Needs numpy and
qdrant-edge-py. FOLDER keeps what both sides built; --build only builds.

Both sides have the same points in one indexed segment and an index for every key that a filter names, made before the
graph, and answer one query at a time on one thread; figures are CPU microseconds a query, medians over the rounds, and
the largest deviation of a round from its median. For each filter and side, `ef` is the default and the smallest of a
ladder that reaches recall@10 0.97. Qdrant's engine takes part twice: with its default full_scan_threshold, and with
one of 10 KB, which gives the graph links for nearly every value of the indexed keys. Its requests are made beforehand.
The cost of asking it for nothing is measured too (a filter that nothing passes).
"""
import argparse
import gzip
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time

import numpy as np

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from qdrant_filters import Filtered, Sparse

LADDER = (32, 48, 64, 100, 128, 192, 256, 384, 512, 768, 1024)
WANTED = 0.97
INDEXES = {"year": "integer", "rank": "integer", "major": "integer", "keywords": "keyword", "released_at": "datetime",
           "prerelease": "bool", "word_len": "float"}
NOTHING = {"must": [{"key": "year", "match": {"value": -1}}]}

parser = argparse.ArgumentParser()
parser.add_argument("data")
parser.add_argument("bench")
parser.add_argument("--keep")
parser.add_argument("--rounds", type=int, default=3)
parser.add_argument("--only")
parser.add_argument("--int8", action="store_true", help="int8 codes with rescoring x 2 on both sides, too")
parser.add_argument("--no-sparse", action="store_true")
parser.add_argument("--no-links", action="store_true", help="without Qdrant's second form")
parser.add_argument("--build", action="store_true")
options = parser.parse_args()
keep = options.keep or tempfile.mkdtemp()
os.makedirs(keep, exist_ok=True)


def path(name):
    return os.path.join(options.data, name)


def unit(x):
    x = x.astype(np.float32)
    return x / np.linalg.norm(x.astype(np.float64), axis=1, keepdims=True).astype(np.float32)


def payloads():
    with gzip.open(path("payload.jsonl.gz"), "rt", encoding="utf8") as lines:
        return [json.loads(line) for line in lines]


def sparse_rows(name):
    ends, indices, values = (np.load(path(f"{name}_{part}.npy")) for part in ("indptr.i32", "indices.i32", "values.f16"))
    values = values.astype(np.float32)
    return [(indices[a:b].tolist(), values[a:b].tolist()) for a, b in zip(ends, ends[1:])]


def recall(found, truth):
    hits = sum(len(set(f) & set(t[t >= 0].tolist())) for f, t in zip(found, truth))
    return hits / max(int((truth >= 0).sum()), 1)


class Library:
    """octant-library-bench in a process of its own."""

    def __init__(self, *arguments):
        self.process = subprocess.Popen(
            [options.bench, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for line in self.process.stdout:
            print("octant:", line.strip(), flush=True)
            if '"ready"' in line:
                break

    def ask(self, **command):
        self.process.stdin.write(json.dumps(command) + "\n")
        self.process.stdin.flush()
        answer = json.loads(self.process.stdout.readline())
        if answer["kind"] == "error":
            raise RuntimeError(answer["error"])
        return answer


class OctantSide:
    name = "Octant"

    def __init__(self, library, extra):
        self.library, self.extra = library, extra

    def ask(self, filter_, truth, ef):
        command = {"filter": filter_, **self.extra}
        if ef:
            command["ef"] = ef
        if truth:
            command["truth"] = truth
        answer = self.library.ask(**command)
        return answer["recall"], answer["cpu_us"]


class QdrantSide:
    def __init__(self, name, shard):
        self.name, self.shard, self.known = name, shard, {}

    def ask(self, filter_, truth, ef):
        key = json.dumps([filter_, ef])
        if key not in self.known:
            self.known[key] = self.shard.requests(queries, filter_, ef)
        requests, shard = self.known[key], self.shard.shard
        for request in requests[:100]:
            shard.query(request)
        found = []
        used = time.process_time()
        for request in requests:
            found.append(shard.query(request))
        took = (time.process_time() - used) / len(requests) * 1e6
        return recall([[p.id for p in f] for f in found], np.load(truth)) if truth else 0, took


def shard(name, quantised, threshold):
    begun, used = time.perf_counter(), time.process_time()
    made = Filtered(os.path.join(keep, name), vectors, payloads, INDEXES, quantised, threshold)
    if made.made:
        print(f"{name} build: wall {time.perf_counter() - begun:.1f} s, CPU {time.process_time() - used:.1f} s", flush=True)
    return made


def needed_ef(side, filter_, truth):
    for ef in LADDER:
        found, _ = side.ask(filter_, truth, ef)
        if found >= WANTED:
            return ef
    return LADDER[-1]


def figure(runs):
    """Recall, median time and the largest deviation from it."""
    times = [took for _, took in runs]
    middle = statistics.median(times)
    return runs[0][0], middle, max(abs(took - middle) for took in times) / middle


def compare(title, sides):
    """Measures all filters on all sides, and prints a table. The first side is compared with the best of the others."""
    filters = json.load(open(path("filters.json")))
    if options.only:
        filters = {name: filters[name] for name in options.only.split(",")}
    jobs = {}
    for name, entry in filters.items():
        truth = path(f"gt_filter_{name}.i32.npy")
        for side in sides:
            for ef in (None, needed_ef(side, entry["filter"], truth)):
                jobs[name, side.name, ef is None] = (side, entry["filter"], truth, ef)
    idle = [side for side in sides[1:]]
    runs = {key: [] for key in jobs}
    nothing = {side.name: [] for side in sides}
    for _ in range(options.rounds):
        for key, (side, filter_, truth, ef) in jobs.items():
            runs[key].append(side.ask(filter_, truth, ef))
        for side in sides:
            nothing[side.name].append(side.ask(NOTHING, None, None))
    print(f"\n### {title}: recall@10, CPU us a query\n")
    head = ["filter", "passes"]
    for side in sides:
        head += [f"{side.name}, default", f"{side.name}, recall {WANTED}"]
    print("| " + " | ".join([*head, "ratio, default", f"ratio, recall {WANTED}"]) + " |")
    print("|---" * (len(head) + 2) + "|")
    worst = 0
    for name, entry in filters.items():
        cells = [name, f"{entry['selectivity'] * 100:.3g} %"]
        best = {True: float("inf"), False: float("inf")}
        for side in sides:
            for is_default in (True, False):
                found, took, spread = figure(runs[name, side.name, is_default])
                worst = max(worst, spread)
                ef = jobs[name, side.name, is_default][3]
                cells.append(f"{found:.3f} {took:.0f}" + ("" if is_default else f" (ef {ef})"))
                if side is not sides[0] and (is_default or found >= WANTED):
                    best[is_default] = min(best[is_default], took)
        for is_default in (True, False):
            cells.append(f"{figure(runs[name, sides[0].name, is_default])[1] / best[is_default]:.2f}")
        print("| " + " | ".join(cells) + " |", flush=True)
    idle = ", ".join(f"{name} {figure(taken)[1]:.0f}" for name, taken in nothing.items())
    print(f"\nA filter that nothing passes: {idle}. Largest deviation of a round from its median: {worst * 100:.0f} %.")


def compare_sparse(library, shard, queries):
    truth = np.load(path("gt_sparse_top10_dot.f32.npy"))
    ids = np.load(path("gt_sparse_top10.i32.npy"))
    requests = shard.requests(queries)
    mine, theirs = [], []
    for _ in range(options.rounds):
        mine.append(library.ask())
        for request in requests[:100]:
            shard.shard.query(request)
        found = []
        used = time.process_time()
        for request in requests:
            found.append(shard.shard.query(request))
        theirs.append((time.process_time() - used) / len(requests) * 1e6)
    wrong = same = 0
    for points, scores, wanted in zip(found, truth, ids):
        got = np.array([p.score for p in points] + [0] * (len(scores) - len(points)))
        wrong += int((np.abs(got - np.nan_to_num(scores, neginf=0)) > 1e-3 * np.maximum(1, np.nan_to_num(scores, neginf=0))).sum())
        same += len({p.id for p in points} & set(wanted.tolist()))
    total = int((ids >= 0).sum())
    times = [answer["cpu_us"] for answer in mine]
    ours, other = statistics.median(times), statistics.median(theirs)
    spread = max(max(abs(t - ours) / ours for t in times), max(abs(t - other) / other for t in theirs))
    print("\n### Sparse, 10 best: CPU us a query\n")
    print("| | us | wrong scores | ids as given |\n|---|---|---|---|")
    print(f"| Octant | {ours:.0f} | {mine[0]['wrong_scores']} | {mine[0]['same_ids']} of {total} |")
    print(f"| Qdrant | {other:.0f} | {wrong} | {same} of {total} |")
    print(f"\nRatio {ours / other:.2f}; largest deviation of a round from its median {spread * 100:.0f} %.", flush=True)


vectors = unit(np.load(path("vectors.f16.npy")))
queries = unit(np.load(path("queries.f32.npy"))).tolist()
payload_file = os.path.join(keep, "payload.jsonl")
if not os.path.exists(payload_file):
    with gzip.open(path("payload.jsonl.gz"), "rb") as packed, open(payload_file, "wb") as out:
        out.write(packed.read())

forms = [("Qdrant", "qdrant-f32", 10_000)] + ([] if options.no_links else [("Qdrant, more links", "qdrant-f32-links", 10)])
qdrant = [QdrantSide(title, shard(name, False, threshold)) for title, name, threshold in forms]
qdrant_int8 = [QdrantSide("Qdrant", shard("qdrant-int8", True, 10_000))] if options.int8 else []
sparse = None if options.no_sparse else Sparse(os.path.join(keep, "qdrant-sparse"), sparse_rows("sparse"))
if options.build:
    sys.exit()

common = ["--data", options.data, "--payload", payload_file, "--threads", "2", "--storage"]
library = Library(*common, os.path.join(keep, "octant-f32"))
compare("Floats", [OctantSide(library, {}), *qdrant])
if options.int8:
    library = Library(*common, os.path.join(keep, "octant-int8"), "--int8")
    compare("int8, rescoring × 2", [OctantSide(library, {"rescore": True, "oversampling": 2.0}), *qdrant_int8])
if sparse:
    library = Library("--sparse", "--data", options.data, "--storage", os.path.join(keep, "octant-sparse"))
    compare_sparse(library, sparse, sparse_rows("sparse_queries"))
