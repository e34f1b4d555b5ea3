"""Random vectors, payloads and selectors."""
import uuid

import numpy as np
from qdrant_client import models as m

CITIES = ["oslo", "rome", "lima", "cairo", "ünïty", "", "os", "osaka"]
WORDS = ["Fast", "vector", "search", "engine", "Zürich", "x1", "ok", "filters", "Graph"]
DATES = ["2021-01-01T00:00:00Z", "2021-01-01", "2021-03-04 05:06", "2021-06-07T08:09:10.123456+02:00", "2022-02-02T02:02:02",
         "2022-02-02 02:02:02.5Z", "2023-12-31T23:59:59-0330", "2020-02-29T12:00:00.999999Z", "1969-12-31T23:59:59Z"]
PLACES = [(lon, lat) for lon in (-179.5, -20, -10, 0, 10, 20, 179.5) for lat in (-30, -10, 0, 10, 30, 80)]


class Values:
    """Random values for one collection's points."""

    def __init__(self, rnd, shape):
        self.rnd, self.shape = rnd, shape
        self.uids = [str(uuid.UUID(int=rnd.getrandbits(128))) for _ in range(8)]
        self.pool = list(range(75)) + [str(uuid.UUID(int=rnd.getrandbits(128))) for _ in range(15)] + [2**63 + 5, 2**53 + 1]

    def chance(self, p):
        return self.rnd.random() < p

    def some(self, of, low=1, high=6):
        of = list(of)
        return self.rnd.sample(of, min(len(of), self.rnd.randint(low, high)))

    # ---- vectors

    def row(self, vector):
        r = self.rnd
        if vector.datatype == "uint8":
            return [float(r.randint(0, 255)) for _ in range(vector.size)]
        if vector.datatype == "float16":  # numbers that sixteen bits hold
            return [r.randint(-64, 64) / 16 for _ in range(vector.size)]
        if self.chance(0.1):  # small whole numbers make ties
            return [float(r.randint(-2, 2)) for _ in range(vector.size)]
        return [float(np.float32(r.gauss(0, 1))) for _ in range(vector.size)]

    def sparse(self):
        r = self.rnd
        indices = self.some([0, 1, 2, 3, 5, 8, 13, 21, 34, 1000, 70_000, 2**32 - 1], 0 if self.chance(0.05) else 1, 6)
        number = lambda: float(r.randint(1, 3)) if self.chance(0.2) else float(np.float32(r.uniform(-1, 3)))
        return m.SparseVector(indices=indices, values=[number() for _ in indices])

    def vector(self, vector):
        if vector.kind == "sparse":
            return self.sparse()
        if vector.kind == "multi":
            return [self.row(vector) for _ in range(self.rnd.randint(1, 3))]
        return self.row(vector)

    def vectors(self, names=None):
        """The vectors of a point: those named, or most of them."""
        if not self.shape.named:
            return self.vector(self.shape.vectors[""]) if names or self.chance(0.93) else {}
        chosen = names if names is not None else [n for n in self.shape.vectors if self.chance(0.8)]
        return {n: self.vector(self.shape.vectors[n]) for n in chosen}

    # ---- payload

    def maybe_list(self, make):
        return [make() for _ in range(self.rnd.randint(1, 3))] if self.chance(0.3) else make()

    def odd(self):
        return self.rnd.choice([None, [], [None], {}, [[]], [None, None], "", "5"])

    def mixed(self):
        return self.rnd.choice([
            None, [], [None], 3, 3.0, 2.5, "a", "oslo", True, False, {"a": 1}, {"a": None}, [[1], [2, 3]], [1, "a", None],
            [True, 3], [{"a": 1}, {"a": [1, 2]}], [3.0, 4], "3", 0, -1, [[None]], [{}, 3], 2**53 + 1, -(2**63)])

    def place(self):
        if self.chance(0.4):
            lon, lat = self.rnd.choice(PLACES)
        else:
            lon, lat = self.rnd.uniform(-180, 180), self.rnd.uniform(-85, 85)
        return {"lon": lon, "lat": lat}

    def sentence(self):
        return self.rnd.choice([" ", " ", ", "]).join(self.some(WORDS, 0, 5))

    def integer(self):
        return float(self.rnd.randint(-5, 10)) if self.chance(0.05) else self.rnd.randint(-5, 10)

    def items(self):
        r = self.rnd
        makers = (("n", lambda: r.randint(0, 4)), ("t", lambda: r.choice(CITIES)), ("at", lambda: r.choice(DATES)),
                  ("sub", lambda: [{"k": r.randint(0, 2)} for _ in range(r.randint(0, 2))]))
        return [{k: make() for k, make in makers if self.chance(0.7)} for _ in range(r.randint(0, 3))]

    def payload(self):
        r, p = self.rnd, {}
        makers = {
            "city": lambda: self.maybe_list(lambda: r.choice(CITIES)), "n": lambda: self.maybe_list(self.integer),
            "x": lambda: self.maybe_list(lambda: r.choice([r.randint(-20, 20) / 2, r.randint(-3, 3)])),
            "flag": lambda: self.maybe_list(lambda: self.chance(0.5)), "mix": self.mixed,
            "at": lambda: self.maybe_list(lambda: r.choice(DATES)), "uid": lambda: self.maybe_list(lambda: r.choice(self.uids)),
            "loc": lambda: self.maybe_list(self.place), "text": lambda: self.maybe_list(self.sentence),
            "obj": lambda: {k: v for k, v in (("in", self.mixed()), ("deep", {"n": r.randint(0, 5)}), ("list", self.items()))
                            if self.chance(0.7)},
            "items": self.items, "rank": lambda: r.choice([r.randint(-5, 5), r.uniform(-3, 3)]), "home": self.place, "when": lambda: r.choice(DATES),
        }
        for key, make in makers.items():
            if self.chance(0.65):
                p[key] = self.odd() if key not in ("mix", "obj", "items", "uid", "text", "rank", "home", "when") and self.chance(0.1) else make()
        return p

    # ---- selectors

    def with_payload(self):
        return self.rnd.choice([
            True, True, False, ["city", "obj.in"], ["items[].n", "mix"], m.PayloadSelectorInclude(include=["obj.deep", "loc.lat"]),
            m.PayloadSelectorExclude(exclude=["n", "items[].t"]), m.PayloadSelectorExclude(exclude=["obj.in", "obj.list[].sub"])])

    def with_vectors(self):
        return self.rnd.choice([True, False, False] + ([self.some(self.shape.vectors)] if self.shape.named and self.shape.vectors else []))
