#!/usr/bin/env python3
"""Checks the tuner and recall as a parameter on a data set: what is recommended or named by some queries must hold on others.

usage: tune_check.py DATA BENCH [--memory BYTES] [--recall R]

DATA is a folder with vectors.f16.npy, queries.f32.npy (1,000 queries) and gt_top100.i32.npy; BENCH is octant-library-bench.

1. Recall as a parameter. With curves of stored vectors all 1,000 queries are other ones; with curves of the first 500 queries the
   last 500 are. Searches that name recall 0.90, 0.95 and 0.99 are asked; the recall they reach must be no more than 0.01 below, and
   their processor time must grow.
2. The tuner with a wished recall and a limit of memory, by the first 500 queries and by stored vectors: the recommendation is
   applied, and the other queries (500, and all 1,000) must reach recall - 0.01 within the limit.
Prints every figure; the exit code is the number of misses.
"""
import argparse, json, os, shutil, subprocess, sys, tempfile


class Bench:
    def __init__(self, path, data, storage):
        self.process = subprocess.Popen([path, "--data", data, "--storage", storage], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True, bufsize=1)
        while self.read()["kind"] != "ready":
            pass

    def read(self):
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit("the bench ended")
        answer = json.loads(line)
        if answer["kind"] == "error":
            raise SystemExit(answer["error"])
        return answer

    def send(self, command):
        self.process.stdin.write(json.dumps(command) + "\n")

    def search(self, **command):
        self.send(command)
        return self.read()

    def tune(self, **goal):
        self.send({"tune": goal})
        points = []
        while True:
            answer = self.read()
            if answer["kind"] == "tuned":
                ready = self.read() if goal.get("apply") else None
                return answer, points, ready
            points.append(answer)

    def close(self):
        self.process.stdin.close()
        self.process.wait()


misses = 0


def check(what, holds):
    global misses
    misses += not holds
    print(f"  {'ok  ' if holds else 'MISS'} {what}", flush=True)


def named_recall(bench, start):
    last = 0
    for recall in (0.90, 0.95, 0.99):
        runs = sorted((bench.search(recall=recall, **{"from": start}) for _ in range(3)), key=lambda r: r["cpu_us"])
        found = runs[1]
        check(f"recall {recall}: {found['recall']:.4f} at {found['cpu_us']:.0f} us", found["recall"] >= recall - 0.01)
        check(f"  costs more than the one before ({last:.0f} us)", found["cpu_us"] > last)
        last = found["cpu_us"]


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("data")
    arguments.add_argument("bench")
    arguments.add_argument("--memory", type=int, default=100_000_000)
    arguments.add_argument("--recall", type=float, default=0.98)
    arguments.add_argument("--storage")
    options = arguments.parse_args()
    kept = options.storage or tempfile.mkdtemp(prefix="tune-check-")
    for kind, count, start in (("stored vectors", 0, 0), ("500 queries", 500, 500)):
        with tempfile.TemporaryDirectory(prefix="tune-check-") as folder:
            # Each way begins from the same points; loading once is enough.
            if os.path.isdir(kept + "/c"):
                shutil.copytree(kept, folder, dirs_exist_ok=True)
            bench = Bench(options.bench, options.data, folder)
            if not os.path.isdir(kept + "/c"):
                bench.close()
                shutil.copytree(folder, kept, dirs_exist_ok=True)
                bench = Bench(options.bench, options.data, folder)
            print(f"{kind}: before any curve", flush=True)
            named_recall(bench, start)
            outcome, _, _ = bench.tune(queries=count, recall=options.recall)
            print(f"{kind}: measured in {outcome['wall_s']:.1f} s, {outcome['cpu_s']:.1f} s of processor time", flush=True)
            named_recall(bench, start)
            outcome, points, ready = bench.tune(queries=count, recall=options.recall, memory=options.memory,
                                                configurations=True, apply=True)
            print(f"{kind}: {outcome['statement']}", flush=True)
            print(f"  {len(points)} points in {outcome['wall_s']:.1f} s, {outcome['cpu_s']:.1f} s of processor time")
            chosen = points[outcome["recommended"]]
            check(f"memory {chosen['memory'] / 1e6:.1f} MB of {options.memory / 1e6:.0f} MB",
                  chosen["memory"] <= options.memory)
            found = bench.search(**{"from": start})
            check(f"other queries: recall {found['recall']:.4f} at {found['cpu_us']:.0f} us, {ready['anon_mb']:.0f} MB anonymous",
                  found["recall"] >= options.recall - 0.01)
            bench.close()
    if not options.storage:
        shutil.rmtree(kept)
    sys.exit(misses)


if __name__ == "__main__":
    main()
