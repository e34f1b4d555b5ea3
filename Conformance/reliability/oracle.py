"""What a collection must hold, and the comparison with what it holds."""
import json

import pytest
from reliability.writes import GROUPS, settle

PAGE = 1000


def read_all(rest, name):
    """Every point of a collection: key -> (vectors, payload)."""
    found, offset = {}, None
    while True:
        page = rest("POST", f"/collections/{name}/points/scroll", {"limit": PAGE, "with_vector": True, "offset": offset}).result
        for p in page["points"]:
            assert p["id"] not in found, f"point {p['id']} is there twice"
            found[p["id"]] = p["vector"], p["payload"]
        offset = page["next_page_offset"]
        if offset is None:
            return found


def differs(key, got, expected):
    name = "lost" if got is None else "there though it was deleted or never written" if expected is None else \
        "of other vectors" if got[0] != expected[0] else "of another payload"
    return f"point {key} is {name}\n  found    {json.dumps(got)[:400]}\n  expected {json.dumps(expected)[:400]}"


def settle_pending(found, states, pending):
    """Finds how far each unanswered write got and takes it over into `states`; how many got anywhere.

    A write's steps are applied in their order, each all or not at all. Writes here are of different writers, whose points
    are different ones.
    """
    applied = 0
    for steps in pending:
        touched = sorted({k for _, after in steps for k in after})
        now = {k: states[k] for k in touched if k in states}
        reached = 0 if all(found.get(k) == now.get(k) for k in touched) else None
        for n, (_, after) in enumerate(steps, 1):
            settle(now, after)
            if reached is None and all(found.get(k) == now.get(k) for k in touched):
                reached = n
        if reached is None:
            wrong = [k for k in touched if found.get(k) != now.get(k)]
            kinds = [s[0] for s, _ in steps]
            raise AssertionError(f"the write {kinds} on its way was applied in part, or its points are wrong:\n" + "\n".join(
                differs(k, found.get(k), now.get(k)) for k in wrong[:5]))
        for _, after in steps[:reached]:
            settle(states, after)
        applied += reached > 0
    return applied


def compare(found, states):
    wrong = [k for k in found.keys() | states.keys() if found.get(k) != states.get(k)]
    assert not wrong, f"{len(wrong)} points are wrong:\n" + "\n".join(differs(k, found.get(k), states.get(k)) for k in wrong[:5])


def dot(a, b):
    return sum(x * y for x, y in zip(a, b))


def check_reads(rest, name, states, rnd):
    """Counts, filters, searches and ids tell the same as the points."""
    ask = lambda path, body: rest("POST", f"/collections/{name}/points{path}", body).result
    assert ask("/count", {"exact": True})["count"] == len(states)
    middle = 5 * 10**8
    for condition, holds in (*(({"key": "g", "match": {"value": g}}, lambda p, g=g: p.get("g") == g) for g in GROUPS),
                             ({"key": "n", "range": {"lt": middle}}, lambda p: "n" in p and p["n"] < middle),
                             ({"is_empty": {"key": "text"}}, lambda p: "text" not in p)):
        expected = {k for k, (_, p) in states.items() if holds(p)}
        assert ask("/count", {"filter": {"must": [condition]}, "exact": True})["count"] == len(expected), condition
        if rnd.random() < 0.3:
            page = ask("/scroll", {"filter": {"must": [condition]}, "limit": len(states) + 10, "with_payload": False})
            assert {p["id"] for p in page["points"]} == expected, condition
    query = [rnd.randint(-64, 64) / 8 for _ in range(16)]
    having = {k: v["a"] for k, (v, _) in states.items() if "a" in v}
    hits = ask("/query", {"query": query, "using": "a", "limit": len(states) + 10, "params": {"exact": True}})["points"]
    assert {h["id"] for h in hits} == having.keys() and len(hits) == len(having), "the exact search misses or repeats points"
    assert all(h["score"] == pytest.approx(dot(query, having[h["id"]]), abs=1e-3) for h in hits)
    hits = ask("/query", {"query": query, "using": "a", "limit": 10})["points"]
    assert all(h["id"] in having for h in hits) and len({h["id"] for h in hits}) == len(hits) <= 10
    having = {k: v["s"] for k, (v, _) in states.items() if "s" in v}
    hits = ask("/query", {"query": {"indices": list(range(50)), "values": [1.0] * 50}, "using": "s", "limit": len(states) + 10})["points"]
    assert {h["id"] for h in hits} == having.keys() and len(hits) == len(having), "the sparse search misses or repeats points"
    assert all(h["score"] == pytest.approx(sum(having[h["id"]]["values"]), abs=1e-3) for h in hits)


def verify(rest, name, states, pending, rnd):
    """Compares all a collection holds with `states`, settling what was on its way. How many of `pending` were applied."""
    found = read_all(rest, name)
    applied = settle_pending(found, states, pending)
    compare(found, states)
    check_reads(rest, name, states, rnd)
    return applied
