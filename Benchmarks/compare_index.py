#!/usr/bin/env python3
"""Octant's vector index beside hnswlib, interleaved in one window of time.

    compare_index.py DATA BENCH [--library BENCH] [--threads 2] [--m 16] [--ef-construct 100] [--rounds 3] [--qdrant]

DATA is a folder with vectors.f16.npy, queries.f32.npy and gt_top100.i32.npy; BENCH is the octant-index-bench
executable. With --library, the whole library takes part too (octant-library-bench: the engine with its log, segments and
optimizer, default settings, and int8 with rescoring). Needs numpy and hnswlib; with --qdrant also qdrant-edge-py. Both sides answer one query at a time on one
thread; figures are CPU microseconds per query, medians over the rounds. hnswlib is asked for all queries in one call,
so that Python's share is nothing.
"""
import argparse
import json
import math
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time

import hnswlib
import numpy as np

parser = argparse.ArgumentParser()
parser.add_argument("data")
parser.add_argument("bench")
parser.add_argument("--threads", type=int, default=2)
parser.add_argument("--m", type=int, default=16)
parser.add_argument("--ef-construct", type=int, default=100)
parser.add_argument("--rounds", type=int, default=3)
parser.add_argument("--qdrant", action="store_true")
parser.add_argument("--library")
parser.add_argument("--builds", default="f32,codes")
parser.add_argument("--hnswlib-index", help="file to keep hnswlib's index in between runs")
options = parser.parse_args()


def unit(x):
    x = x.astype(np.float32)
    return x / np.linalg.norm(x.astype(np.float64), axis=1, keepdims=True).astype(np.float32)


def cpu():
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def recall(found, truth):
    return float(np.mean([len(set(f) & set(t)) / 10 for f, t in zip(found, truth)]))


def at(points, wanted):
    """Time at a recall, by interpolating log time between the measured pool sizes."""
    points = sorted(points)
    for (r0, t0), (r1, t1) in zip(points, points[1:]):
        if r0 <= wanted <= r1 and r1 > r0:
            share = (wanted - r0) / (r1 - r0)
            return math.exp(math.log(t0) + share * (math.log(t1) - math.log(t0)))
    return float("nan")


vectors = unit(np.load(os.path.join(options.data, "vectors.f16.npy")))
queries = unit(np.load(os.path.join(options.data, "queries.f32.npy")))
truth = np.load(os.path.join(options.data, "gt_top100.i32.npy"))[:, :10]

bench = subprocess.Popen(
    [options.bench, "--data", options.data, "--threads", str(options.threads), "--m", str(options.m), "--ef-construct",
     str(options.ef_construct), "--passes", "1", "--flat-queries", "100", "--builds", options.builds, "--serve"],
    stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
for line in bench.stdout:
    print("octant ", line.strip(), flush=True)
    if line.strip() == "ready":
        break

peer = hnswlib.Index(space="ip", dim=vectors.shape[1])
if options.hnswlib_index and os.path.exists(options.hnswlib_index):
    peer.load_index(options.hnswlib_index)
else:
    peer.init_index(len(vectors), M=options.m, ef_construction=options.ef_construct, random_seed=100)
    wall, used = time.perf_counter(), cpu()
    peer.add_items(vectors, num_threads=options.threads)
    print(f"hnswlib build: wall {time.perf_counter() - wall:.2f} s, CPU {cpu() - used:.2f} s", flush=True)
    if options.hnswlib_index:
        peer.save_index(options.hnswlib_index)


def ask_hnswlib(ef):
    peer.set_ef(ef)
    used = cpu()
    ids, _ = peer.knn_query(queries, k=10, num_threads=1)
    return recall(ids, truth), (cpu() - used) / len(queries) * 1e6


def ask_octant(graph, mode, ef):
    bench.stdin.write(f"{graph} {mode} {ef}\n")
    bench.stdin.flush()
    answer = json.loads(bench.stdout.readline())
    return answer["recall"], answer["cpu_us"]


engines = {"hnswlib f32": ask_hnswlib}
for graph in options.builds.split(","):
    for mode in ("codes", "f32", "codes-only"):
        engines[f"octant {mode}, graph on {graph}"] = lambda ef, g=graph, m=mode: ask_octant(g, m, ef)



class Library:
    """The engine with everything around the index, in a process of its own."""

    def __init__(self, name, folder, flags, extra):
        self.extra = extra
        self.process = subprocess.Popen(
            [options.library, "--data", options.data, "--storage", folder, "--threads", str(options.threads), *flags],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for line in self.process.stdout:
            print(f"{name}: {line.strip()}", flush=True)
            if '"ready"' in line:
                break

    def ask(self, ef):
        self.process.stdin.write(json.dumps({"ef": ef, **self.extra}) + "\n")
        self.process.stdin.flush()
        answer = json.loads(self.process.stdout.readline())
        return answer["recall"], answer["cpu_us"]


if options.library:
    library_folder = tempfile.mkdtemp()
    for name, flags, extra in (("library default", [], {}),
                               ("library int8, rescoring x2", ["--int8"], {"rescore": True, "oversampling": 2.0})):
        engines[name] = Library(name, os.path.join(library_folder, name[8:12]), flags, extra).ask

if options.qdrant:
    sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
    from compare_qdrant import Edge
    folder = tempfile.mkdtemp()
    for name, quantised in (("qdrant f32", False), ("qdrant int8, rescoring x2", True)):
        wall, used = time.perf_counter(), cpu()
        edge = Edge(os.path.join(folder, name.split()[1].strip(",")), vectors, quantised, options.m, options.ef_construct)
        print(f"{name} build: wall {time.perf_counter() - wall:.2f} s, CPU {cpu() - used:.2f} s", flush=True)

        def ask_edge(ef, edge=edge):
            found = []
            used = cpu()
            for q in queries:
                found.append(edge.search(q, ef))
            took = (cpu() - used) / len(queries) * 1e6
            return recall([edge.ids(f) for f in found], truth), took

        engines[name] = ask_edge

efs = [16, 24, 32, 48, 64, 96, 128, 192, 256, 384]
figures = {name: {ef: [] for ef in efs} for name in engines}
for round_ in range(options.rounds):
    for ef in efs:
        for name, ask in engines.items():
            figures[name][ef].append(ask(ef))

flat = {"octant flat f32": "flat", "octant flat codes + rescoring": "flat-codes"}
flat = {name: [ask_octant("-", mode, 0) for _ in range(options.rounds)] for name, mode in flat.items()}
bench.stdin.close()
bench.wait()

print("\nrecall@10 and CPU us per query (median of rounds)")
print(f"{'':34}" + "".join(f"{'ef ' + str(ef):>15}" for ef in efs))
curves = {}
for name, by_ef in figures.items():
    cells = []
    curves[name] = []
    for ef in efs:
        r = by_ef[ef][0][0]
        t = statistics.median(x[1] for x in by_ef[ef])
        curves[name].append((r, t))
        cells.append(f"{r:.4f} {t:7.1f}")
    print(f"{name:34}" + "".join(f"{c:>15}" for c in cells))
for name, runs in flat.items():
    print(f"{name:34} {runs[0][0]:.4f} {statistics.median(x[1] for x in runs):7.1f}")

print("\nat equal recall: CPU us per query, and the ratio to hnswlib")
for name, points in curves.items():
    cells = []
    for wanted in (0.90, 0.95, 0.98, 0.99):
        mine, theirs = at(points, wanted), at(curves["hnswlib f32"], wanted)
        cells.append(f"{wanted}: {mine:7.1f} {mine / theirs:5.2f}x")
    print(f"{name:34}" + "   ".join(cells))
