#!/usr/bin/env python3
"""make_fixture.py DATA OUT: cut the test fixture out of the full data set.

The first 5,000 points with payload (without the summary texts) and the first 200 queries; the exact answers are worked out
anew by brute force in float64, on the stored float16 vectors cast to float32 and normalised. Deterministic."""
import argparse
import gzip
import io
import json
import os
import sys

import numpy as np

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "Conformance"))
from dataset import matches, simple_filter, unit  # noqa: E402

POINTS, QUERIES, PIECES = 5000, 200, 2


def nearest(scores, allowed, k):
    """Ids of the k best of each row, nearest first, lower id first among equals; -1 where there are fewer."""
    out = np.full((len(scores), k), -1, np.int32)
    ids = np.flatnonzero(allowed)
    for row, s in enumerate(scores):
        order = np.lexsort((ids, -s[ids]))[:k]
        out[row, :len(order)] = ids[order]
    return out


def write_lines(path, rows):
    data = "".join(json.dumps(r, separators=(",", ":"), ensure_ascii=False) + "\n" for r in rows).encode()
    buffer = io.BytesIO()
    with gzip.GzipFile(fileobj=buffer, mode="wb", mtime=0) as f:
        f.write(data)
    with open(path, "wb") as f:
        f.write(buffer.getvalue())


def head(path, n, drop):
    with gzip.open(path, "rt", encoding="utf8") as f:
        return [{k: v for k, v in json.loads(line).items() if k != drop} for line, _ in zip(f, range(n))]


def main():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("data")
    p.add_argument("out")
    a = p.parse_args()
    src, out = lambda f: os.path.join(a.data, f), lambda f: os.path.join(a.out, f)
    os.makedirs(a.out, exist_ok=True)

    vectors = np.load(src("vectors.f16.npy"), mmap_mode="r")[:POINTS]
    queries = np.load(src("queries.f32.npy"))[:QUERIES]
    payload = head(src("payload.jsonl.gz"), POINTS, "summary")
    for i, piece in enumerate(np.array_split(np.ascontiguousarray(vectors), PIECES)):
        np.save(out(f"vectors.f16.{i}.npy"), piece)
    np.save(out("queries.f32.npy"), queries)
    write_lines(out("payload.jsonl.gz"), payload)

    scores = unit(queries).astype(np.float64) @ unit(vectors).astype(np.float64).T
    everything = np.ones(POINTS, bool)
    top = nearest(scores, everything, 100)
    np.save(out("gt_top100.i32.npy"), top)
    np.save(out("gt_top100_cos.f32.npy"), np.take_along_axis(scores, top.astype(np.int64), 1).astype(np.float32))
    gaps = np.take_along_axis(scores, top[:, 9:11].astype(np.int64), 1)
    print("smallest gap between the 10th and the 11th:", (gaps[:, 0] - gaps[:, 1]).min())

    filters = {}
    with open(src("filters.json"), encoding="utf8") as f:
        everything = json.load(f)
    for name, entry in everything.items():
        if not simple_filter(entry["filter"]):
            continue
        mask = np.array([matches(entry["filter"], row) for row in payload])
        file = f"gt_filter_{name}.i32.npy"
        np.save(out(file), nearest(scores, mask, 10))
        filters[name] = {"filter": entry["filter"], "matching": int(mask.sum()), "selectivity": mask.mean(), "gt": file}
        print(f"{name:12} {mask.sum():6} points")
    with open(out("filters.json"), "w", encoding="utf8") as f:
        json.dump(filters, f, indent=1)
        f.write("\n")
    print("total", sum(os.path.getsize(out(f)) for f in os.listdir(a.out)) / 1e6, "MB")


if __name__ == "__main__":
    main()
