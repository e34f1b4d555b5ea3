"""Whether two answers are the same, as far as an answer is defined."""
import numpy as np
from qdrant_client import models as m


class Difference(AssertionError):
    pass


def close(a, b):
    return a == b or abs(a - b) <= 1e-4 * max(1.0, abs(a), abs(b))


def same_value(a, b):
    """Equality that tells 1, 1.0 and true apart."""
    if type(a) is not type(b):
        return False
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same_value(v, b[k]) for k, v in a.items())
    if isinstance(a, list):
        return len(a) == len(b) and all(map(same_value, a, b))
    return a == b


def same_vectors(a, b):
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(same_vectors(v, b[k]) for k, v in a.items())
    if isinstance(a, m.SparseVector) and isinstance(b, m.SparseVector):
        return a.indices == b.indices and np.allclose(a.values, b.values, rtol=1e-5, atol=1e-6)
    if a is None or b is None or isinstance(a, dict) or isinstance(b, dict):
        return a == b
    a, b = np.asarray(a), np.asarray(b)
    return a.shape == b.shape and np.allclose(a, b, rtol=1e-5, atol=1e-6)


def same_record(got, expected):
    if (got.payload is None) != (expected.payload is None) or (got.payload is not None and not same_value(got.payload, expected.payload)):
        raise Difference(f"payload of {got.id}\n  got      {got.payload}\n  expected {expected.payload}")
    if not same_vectors(got.vector, expected.vector):
        raise Difference(f"vector of {got.id}\n  got      {got.vector}\n  expected {expected.vector}")


def same_records(got, expected):
    """The same points in the same order."""
    if [p.id for p in got] != [p.id for p in expected]:
        raise Difference(f"other ids\n  got      {[p.id for p in got]}\n  expected {[p.id for p in expected]}")
    for g, e in zip(got, expected):
        same_record(g, e)


def same_ordered(got, expected, everything):
    """Points with an order value: equal values in any order, and of the last value any of those that have it."""
    values = lambda points: [p.order_value for p in points]
    show = lambda: f"\n  got      {[(p.id, p.order_value) for p in got]}\n  expected {[(p.id, p.order_value) for p in expected]}"
    if len(got) != len(expected) or any(float(a) != float(b) for a, b in zip(values(got), values(expected))):
        raise Difference(f"other order values{show()}")
    key = lambda p: (p.id, float(p.order_value))
    if len(set(map(key, got))) != len(got) or not set(map(key, got)) <= {key(p) for p in everything()}:
        raise Difference(f"points that do not belong there{show()}")
    records = {p.id: p for p in expected}
    for g in got:
        if g.id in records:
            same_record(g, records[g.id])


def same_scored(got, expected, everything):
    """Points with a score: equal scores in any order. `everything()` is the whole ranking, asked for only when ids differ."""
    show = lambda: (f"\n  got      {[(p.id, round(p.score, 6)) for p in got][:40]}\n  expected {[(p.id, round(p.score, 6)) for p in expected][:40]}")
    if len(got) != len(expected):
        raise Difference(f"{len(got)} points, expected {len(expected)}{show()}")
    if not all(close(g.score, e.score) for g, e in zip(got, expected)):
        raise Difference(f"other scores{show()}")
    if len({p.id for p in got}) != len(got):
        raise Difference(f"a point twice{show()}")
    records = {p.id: p for p in expected}
    if any(g.id != e.id for g, e in zip(got, expected)):
        whole = {p.id: p for p in everything()}
        for g in got:
            if g.id not in whole or not close(g.score, whole[g.id].score):
                raise Difference(f"{g.id} with {g.score} does not belong there{show()}")
        records = whole
    for g in got:
        same_record(g, records[g.id])


def same_groups(got, expected, everything):
    """Groups: equal best scores in any order."""
    show = lambda: (f"\n  got      {[(g.id, [(h.id, round(h.score, 5)) for h in g.hits]) for g in got]}"
                    f"\n  expected {[(g.id, [(h.id, round(h.score, 5)) for h in g.hits]) for g in expected]}")
    if len(got) != len(expected) or not all(close(g.hits[0].score, e.hits[0].score) for g, e in zip(got, expected)):
        raise Difference(f"other groups{show()}")
    whole = {(type(g.id), g.id): g for g in everything()}
    for g in got:
        e = whole.get((type(g.id), g.id))
        if e is None:
            raise Difference(f"group {g.id!r} does not belong there{show()}")
        if len(g.hits) != len(e.hits) or not all(close(a.score, b.score) for a, b in zip(g.hits, e.hits)):
            raise Difference(f"other hits in group {g.id!r}{show()}")
        hits = {h.id: h for h in e.hits}
        tied = [h for h in g.hits if h.id not in hits]
        if any(not close(h.score, e.hits[-1].score) for h in tied):
            raise Difference(f"other points in group {g.id!r}{show()}")
        for h in g.hits:
            if h.id in hits:
                same_record(h, hits[h.id])
        if (g.lookup is None) != (e.lookup is None):
            raise Difference(f"lookup of group {g.id!r}: got {g.lookup}, expected {e.lookup}")
        if g.lookup is not None:
            same_records([g.lookup], [e.lookup])


def same_facet(got, expected):
    hits = lambda answer: [(type(h.value).__name__, h.value, h.count) for h in answer.hits]
    if hits(got) != hits(expected):
        raise Difference(f"other counts\n  got      {hits(got)}\n  expected {hits(expected)}")


def same_pairs(got, expected, count):
    """A matrix of all points: for each, the same scores in the same order."""
    rows = lambda pairs: {a: [p.score for p in pairs if p.a == a] for a in {p.a for p in pairs}}
    g, e = rows(got.pairs), rows(expected.pairs)
    if g.keys() != e.keys() or any(len(g[a]) != len(e[a]) or not all(map(close, g[a], e[a])) for a in g):
        raise Difference(f"other pairs of {count}\n  got      {g}\n  expected {e}")
