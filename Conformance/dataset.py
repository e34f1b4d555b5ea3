"""A data folder: vectors, queries, payload, filters and exact answers. The fixture and the full set load the same way."""
import glob
import gzip
import json
import os

import numpy as np

FIXTURE = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "Tests", "Fixtures", "pypi5k")
INDEXES = {"year": "integer", "major": "integer", "rank": "integer", "prerelease": "bool", "word_len": "float",
           "log_rank": "float", "keywords": "keyword"}


def unit(x):
    """Rows as float32 of length 1 (the length is taken in float64)."""
    x = np.asarray(x, np.float32)
    return x / np.linalg.norm(x.astype(np.float64), axis=1, keepdims=True).astype(np.float32)


def recall(found, truth, k=10):
    """Mean share of the true k that were found; a list of truths shorter than k counts as long as it is."""
    hit = total = 0
    for f, t in zip(found, truth):
        t = {int(x) for x in t[:k] if x >= 0}
        hit += len({int(x) for x in list(f)[:k]} & t)
        total += len(t)
    return hit / max(total, 1)


def conditions(filter):
    for clause in ("must", "should", "must_not"):
        part = filter.get(clause) or []
        yield from ((clause, c) for c in (part if isinstance(part, list) else [part]))


def simple_filter(filter):
    """Whether a filter gets by with keyword, integer, float and bool conditions (no dates)."""
    return not any(isinstance(v, str) for _, c in conditions(filter) for v in (c.get("range") or {}).values())


def condition_holds(c, row):
    """Plain evaluation of the few conditions the data set's filters use."""
    if "is_empty" in c:
        return row.get(c["is_empty"]["key"]) in (None, [])
    values = row.get(c["key"])
    values = values if isinstance(values, list) else [] if values is None else [values]
    if "match" in c:
        wanted = c["match"].get("any", [c["match"].get("value")])
        return any(type(v) is type(w) and v == w for v in values for w in wanted)
    test = {"gt": lambda v, b: v > b, "gte": lambda v, b: v >= b, "lt": lambda v, b: v < b, "lte": lambda v, b: v <= b}
    return any(all(test[k](v, b) for k, b in c["range"].items()) for v in values)


def matches(filter, row):
    held = {"must": [], "should": [], "must_not": []}
    for clause, c in conditions(filter):
        held[clause].append(condition_holds(c, row))
    return all(held["must"]) and not any(held["must_not"]) and (not held["should"] or any(held["should"]))


class Data:
    def __init__(self, folder=FIXTURE):
        self.folder = folder
        self.queries = unit(np.load(self.path("queries.f32.npy")))
        self.truth = np.load(self.path("gt_top100.i32.npy"))
        with open(self.path("filters.json"), encoding="utf8") as f:
            self.filters = {name: e for name, e in json.load(f).items() if simple_filter(e["filter"])}
        self.dim = self.queries.shape[1]

    def path(self, name):
        return os.path.join(self.folder, name)

    def vectors(self):
        """float32 [points, dim], of length 1. A large file may be split into vectors.f16.N.npy."""
        whole = self.path("vectors.f16.npy")
        files = [whole] if os.path.exists(whole) else sorted(glob.glob(self.path("vectors.f16.[0-9]*.npy")))
        return unit(np.concatenate([np.load(f) for f in files]))

    def payload(self):
        with gzip.open(self.path("payload.jsonl.gz"), "rt", encoding="utf8") as f:
            return [json.loads(line) for line in f]

    def filter_truth(self, name):
        return np.load(self.path(self.filters[name]["gt"]))
