"""Random operations on the server and on the client's own in-process mode, which must agree.

The in-process mode of the 1.20 client is a second opinion, not the contract. It is known to differ in these points. The first
three are put right by `corrected_local_mode`, so that they stay covered; the generator keeps clear of the others:

1. `{"is_null": {"key"}}` on an array that holds a null: the in-process mode says yes (as a server of 1.20 does), a server of 1.19
   looks at the array as one value and says no. The flag form `{"key", "is_null": true}` is the same in both.
2. Several predicates in one field condition are alternatives for a server; the in-process mode looks at the first alone.
3. set_payload with a `key` that goes through an array index writes only where the element exists; the in-process mode leaves an
   empty array behind where there was no array.
4. `version` of a point is always 0 there, and `operation_id` too.
5. It has no payload indexes: an integral float (5.0) matches an integer only where the server has an integer index. Keys that get
   an integer index never hold integral floats here.
6. Unknown ids in delete_payload, clear_payload and delete_vectors raise an error there; a server ignores them.
7. set_payload or update_vectors that name known and unknown ids at once: which of the known are written is not part of the contract.
8. An empty list of ids is an error there.
9. An unknown name in `with_vectors` is ignored there; a server refuses it.
10. `is_empty` and `is_null` on a path with `[]`: the contract defines them for one value.
11. Near ties: it adds up in another order and in other precision, so scores agree to 1e-4 and equal scores may come in any order.
"""
import contextlib
import random
import uuid

import numpy as np
import pytest
from conftest import connect, wait_green
from octant_server import Server
from qdrant_client import QdrantClient, models
from qdrant_client.http.exceptions import UnexpectedResponse
from qdrant_client.local import local_collection, payload_filters

DIM = 8
OPERATIONS = 420  # for each of the eight collections
FIELDS = [("city", "keyword"), ("n", "integer"), ("x", "float"), ("flag", "bool"), ("obj.deep.n", "integer"),
          ("items[].t", "keyword"), ("mix", "keyword")]
CITIES = ["oslo", "rome", "lima", "cairo", "ünïty", ""]


@contextlib.contextmanager
def corrected_local_mode():
    """Deviations 1 to 3 of the list above."""
    original, original_set = payload_filters.check_condition, local_collection.set_value_by_key

    def set_value(payload, keys, value):
        if any(k.index is not None for k in keys) and not isinstance(payload.get(keys[0].key), list):
            return  # the generator's paths have an index in second place alone
        original_set(payload=payload, keys=keys, value=value)

    def check(condition, payload, point_id, has_vector):
        if isinstance(condition, models.IsNullCondition):
            values = payload_filters.value_by_key(payload, condition.is_null.key, flat=False)
            return values is not None and any(v is None for v in values)
        if isinstance(condition, models.FieldCondition) and condition.match is not None and condition.range is not None:
            if condition.is_empty is None and condition.is_null is None and condition.values_count is None:
                alone = [condition.model_copy(update={"match": None}), condition.model_copy(update={"range": None})]
                return any(original(c, payload, point_id, has_vector) for c in alone)
        return original(condition, payload, point_id, has_vector)

    payload_filters.check_condition, local_collection.set_value_by_key = check, set_value
    try:
        yield
    finally:
        payload_filters.check_condition, local_collection.set_value_by_key = original, original_set


class Generator:
    """Random values, payloads, filters and operations for one collection."""

    def __init__(self, rnd, names):
        self.rnd, self.names = rnd, names
        self.pool = list(range(130)) + [str(uuid.UUID(int=rnd.getrandbits(128))) for _ in range(30)]

    def chance(self, p):
        return self.rnd.random() < p

    def some(self, of, low=1, high=6):
        of = list(of)
        return self.rnd.sample(of, min(len(of), self.rnd.randint(low, high)))

    # ---- vectors

    def vector(self):
        r = self.rnd
        if self.chance(0.3):  # small whole numbers make ties
            return [float(r.randint(-2, 2)) for _ in range(DIM)]
        return [float(np.float32(r.gauss(0, 1))) for _ in range(DIM)]

    def vectors(self, all_of_them=False):
        if self.names == [""]:
            return self.vector() if all_of_them or self.chance(0.95) else {}
        return {n: self.vector() for n in self.names if all_of_them or self.chance(0.85)}

    # ---- payload

    def maybe_list(self, value):
        return [value() for _ in range(self.rnd.randint(1, 3))] if self.chance(0.3) else value()

    def odd(self):
        return self.rnd.choice([None, [], [None], {}, [[]], [None, None], "", "5"])

    def mixed(self):
        r = self.rnd
        return r.choice([None, [], [None], 3, 3.0, 2.5, "a", "oslo", True, False, {"a": 1}, {"a": None}, [[1], [2, 3]], [1, "a", None],
                         [True, 3], [{"a": 1}, {"a": [1, 2]}], [3.0, 4], "3", 0, -1, [[None]], [{}, 3]])

    def payload(self):
        r, p = self.rnd, {}
        makers = {
            "city": lambda: self.maybe_list(lambda: r.choice(CITIES)), "n": lambda: self.maybe_list(lambda: r.randint(-5, 10)),
            "x": lambda: self.maybe_list(lambda: r.choice([r.randint(-20, 20) / 2, r.randint(-3, 3)])),
            "flag": lambda: self.maybe_list(lambda: self.chance(0.5)), "mix": self.mixed,
            "obj": lambda: {k: v for k, v in (("in", self.mixed()), ("deep", {"n": r.randint(0, 5)})) if self.chance(0.7)},
            "items": lambda: [{k: v for k, v in (("n", r.randint(0, 4)), ("t", r.choice(CITIES))) if self.chance(0.8)}
                              for _ in range(r.randint(0, 3))],
        }
        for key, make in makers.items():
            if self.chance(0.7):
                p[key] = self.odd() if key in ("city", "n", "x", "flag") and self.chance(0.12) else make()
        return p

    # ---- filters

    def match(self):
        r = self.rnd
        key, values = r.choice([("city", CITIES), ("n", range(-5, 11)), ("flag", [True, False]), ("mix", ["a", "oslo", "3"]),
                                ("mix", [3, 1, 0, -1]), ("mix", [True, False]), ("obj.in", ["a", "oslo"]), ("obj.in", [3, 1, 0]),
                                ("obj.deep.n", range(6)), ("items[].n", range(5)), ("items[].t", CITIES), ("items[0].n", range(5)),
                                ("mix[]", [1, 2, 3]), ("mix[0]", [1, 3]), ("mix.a", [1]), ("mix[].a", [1, 2]), ("not.there", [1]),
                                ("x", range(-3, 4)), ("city[]", CITIES), ("city", [1, 2]), ("n", CITIES)])
        values = list(values)
        kind = r.random()
        if kind < 0.55 or isinstance(values[0], bool):
            return models.FieldCondition(key=key, match=models.MatchValue(value=r.choice(values)))
        chosen = self.some(values, 0, 4)
        if key == "x" and kind >= 0.8:  # an integral float is no integer: keep to what both define
            kind = 0.6
        if kind < 0.8:
            return models.FieldCondition(key=key, match=models.MatchAny(any=chosen))
        return models.FieldCondition(key=key, match=models.MatchExcept(**{"except": chosen}))

    def range(self):
        r = self.rnd
        key = r.choice(["n", "x", "mix", "obj.deep.n", "obj.in", "items[].n", "mix[]", "city", "flag", "not.there"])
        low = r.randint(-12, 12) / 4 if self.chance(0.5) else r.randint(-6, 8)
        bounds = {}
        if self.chance(0.8):
            bounds[r.choice(["gt", "gte"])] = low
        if self.chance(0.6):
            bounds[r.choice(["lt", "lte"])] = low + r.randint(0, 20) / 2
        return models.FieldCondition(key=key, range=models.Range(**bounds))

    def condition(self, depth, nested=False):
        r = self.rnd
        if nested:
            key = r.choice(["n", "t"])
            m = models.MatchValue(value=r.randint(0, 4)) if key == "n" else models.MatchValue(value=r.choice(CITIES))
            return r.choice([models.FieldCondition(key=key, match=m), models.IsEmptyCondition(is_empty={"key": key}),
                             models.FieldCondition(key="n", range=models.Range(gte=r.randint(0, 4)))])
        pick = r.random()
        plain = r.choice(["city", "n", "x", "flag", "mix", "obj", "obj.in", "obj.deep.n", "items", "not.there", "not"])
        if pick < 0.34:
            return self.match()
        if pick < 0.52:
            return self.range()
        if pick < 0.60:
            return models.IsEmptyCondition(is_empty=models.PayloadField(key=plain))
        if pick < 0.68:
            return models.IsNullCondition(is_null=models.PayloadField(key=plain))
        if pick < 0.76:
            flag = r.choice(["is_empty", "is_null"])
            return models.FieldCondition(key=plain, **{flag: self.chance(0.5)})
        if pick < 0.84:
            return models.HasIdCondition(has_id=self.some(self.pool, 0, 40))
        if pick < 0.91:
            return models.NestedCondition(nested=models.Nested(key=r.choice(["items", "items[]", "mix", "obj"]),
                                                               filter=self.filter(depth + 1, nested=True)))
        if pick < 0.94:
            m, g = self.match(), self.range()
            return models.FieldCondition(key=m.key, match=m.match, range=g.range)
        return self.filter(depth + 1) if depth < 3 else self.match()

    def filter(self, depth=0, nested=False):
        r, f = self.rnd, {}
        make = lambda n: [self.condition(depth, nested) for _ in range(n)]
        if self.chance(0.5):
            f["must"] = make(r.randint(0, 2))
        if self.chance(0.35):
            f["should"] = make(r.randint(0, 3))
        if self.chance(0.3):
            f["must_not"] = make(r.randint(0, 2))
        if self.chance(0.15):
            f["min_should"] = models.MinShould(conditions=make(r.randint(1, 3)), min_count=r.randint(1, 2))
        return models.Filter(**f) if f else models.Filter(must=make(1))

    # ---- selectors and writes

    def with_payload(self):
        return self.rnd.choice([True, False, ["city", "obj.in"], ["items[].n", "mix"], models.PayloadSelectorInclude(include=["obj.deep"]),
                                models.PayloadSelectorExclude(exclude=["n", "items[].t"]), models.PayloadSelectorExclude(exclude=["obj.in"])])

    def with_vectors(self):
        return self.rnd.choice([True, False] + ([self.some(self.names)] if self.names != [""] else []))

    def target(self, live):
        """points or filter, as keyword arguments of a payload operation."""
        if live and self.chance(0.75):
            return {"points": self.some(live)}
        return {"filter": self.filter()}

    def update(self, live, in_batch=False):
        """A random write, as an operation of the batch endpoint."""
        r = self.rnd
        kind = r.choices(["upsert", "columns", "delete", "set", "overwrite", "delete_keys", "clear", "vectors", "drop_vectors"],
                         [30, 8, 0 if in_batch else 6, 12, 5, 7, 2, 7, 5])[0]
        if kind == "upsert" or not live:
            points = [models.PointStruct(id=i, vector=self.vectors(), payload=self.payload() if self.chance(0.95) else None)
                      for i in self.some(self.pool, 1, 12)]
            return models.UpsertOperation(upsert=models.PointsList(points=points))
        if kind == "columns":
            ids = self.some(self.pool, 1, 8)
            vectors = [self.vector() for _ in ids] if self.names == [""] else {n: [self.vector() for _ in ids] for n in self.some(self.names)}
            payloads = [self.payload() for _ in ids] if self.chance(0.8) else None
            return models.UpsertOperation(upsert=models.PointsBatch(batch=models.Batch(ids=ids, vectors=vectors, payloads=payloads)))
        if kind == "delete":
            if self.chance(0.8):
                return models.DeleteOperation(delete=models.PointIdsList(points=self.some(self.pool, 1, 8)))
            few = models.Filter(must=[self.filter(), models.HasIdCondition(has_id=self.some(self.pool, 5, 40))])
            return models.DeleteOperation(delete=models.FilterSelector(filter=few))
        if kind == "set":
            key = r.choice([None, None, None, "obj", "obj.deep", "fresh.path", "items[0]", "items[7]"])
            if key is None:
                value = self.payload()
                for k in self.some(["city", "n", "x", "mix"], 0, 2):
                    value[k] = None
            elif key.startswith("items"):
                value = {"n": r.randint(0, 4)}
            else:
                value = {"n": r.choice([1, None])} if key == "obj.deep" else {"in": self.mixed()}
            return models.SetPayloadOperation(set_payload=models.SetPayload(payload=value, key=key, **self.target(live)))
        if kind == "overwrite":
            return models.OverwritePayloadOperation(overwrite_payload=models.SetPayload(payload=self.payload(), **self.target(live)))
        if kind == "delete_keys":
            keys = self.some(["city", "n", "x", "flag", "mix", "obj.in", "obj.deep.n", "items[].t", "items[0]", "city[]", "not.there", "mix.a"], 1, 3)
            return models.DeletePayloadOperation(delete_payload=models.DeletePayload(keys=keys, **self.target(live)))
        if kind == "clear":
            return models.ClearPayloadOperation(clear_payload=models.PointIdsList(points=self.some(live, 1, 3)))
        if kind == "vectors":
            points = [models.PointVectors(id=i, vector=self.vector() if self.names == [""] else {n: self.vector() for n in self.some(self.names)})
                      for i in self.some(live)]
            return models.UpdateVectorsOperation(update_vectors=models.UpdateVectors(points=points))
        return models.DeleteVectorsOperation(delete_vectors=models.DeleteVectors(points=self.some(live, 1, 4), vector=self.some(self.names)))


def apply(client, name, op):
    """One operation through the method of its own, not through the batch endpoint."""
    if isinstance(op, models.UpsertOperation):
        u = op.upsert
        client.upsert(name, u.batch if isinstance(u, models.PointsBatch) else u.points)
    elif isinstance(op, models.DeleteOperation):
        client.delete(name, op.delete)
    elif isinstance(op, models.SetPayloadOperation):
        s = op.set_payload
        client.set_payload(name, s.payload, points=s.points or s.filter, key=s.key)
    elif isinstance(op, models.OverwritePayloadOperation):
        s = op.overwrite_payload
        client.overwrite_payload(name, s.payload, points=s.points or s.filter)
    elif isinstance(op, models.DeletePayloadOperation):
        s = op.delete_payload
        client.delete_payload(name, s.keys, points=s.points or s.filter)
    elif isinstance(op, models.ClearPayloadOperation):
        client.clear_payload(name, points_selector=op.clear_payload)
    elif isinstance(op, models.UpdateVectorsOperation):
        client.update_vectors(name, op.update_vectors.points)
    elif isinstance(op, models.DeleteVectorsOperation):
        client.delete_vectors(name, vectors=op.delete_vectors.vector, points=op.delete_vectors.points)
    else:
        raise AssertionError(op)


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
    if a is None or b is None or isinstance(a, dict) or isinstance(b, dict):
        return a == b
    return len(a) == len(b) and np.allclose(a, b, rtol=1e-5, atol=1e-6)


def assert_same_records(got, expected, what):
    assert [p.id for p in got] == [p.id for p in expected], f"{what}: other ids"
    for g, e in zip(got, expected):
        assert (g.payload is None) == (e.payload is None) and (g.payload is None or same_value(g.payload, e.payload)), \
            f"{what}: payload of {g.id}\n  server {g.payload}\n  expected {e.payload}"
        assert same_vectors(g.vector, e.vector), f"{what}: vector of {g.id}\n  server {g.vector}\n  expected {e.vector}"


def close(a, b):
    return abs(a - b) <= 1e-4 * max(1.0, abs(a), abs(b))


class Pair:
    """The same collection on the server and in process, with every step compared."""

    def __init__(self, remote, name, metric, names, rnd):
        self.remote, self.local, self.name, self.rnd = remote, QdrantClient(":memory:"), name, rnd
        params = models.VectorParams(size=DIM, distance=metric)
        config = params if names == [""] else {n: params for n in names}
        remote.create_collection(name, vectors_config=config,
                                 hnsw_config=models.HnswConfigDiff(full_scan_threshold=10),
                                 optimizers_config=models.OptimizersConfigDiff(indexing_threshold=2, vacuum_min_vector_number=100))
        self.local.create_collection(name, vectors_config=config)
        self.gen, self.names = Generator(rnd, names), names
        self.graph_hits = self.graph_total = self.done = 0

    def live(self):
        return [p.id for p in self.local.scroll(self.name, limit=10_000, with_payload=False)[0]]

    def both(self, call, what):
        """The answers of both, or None when both refused."""
        answers, errors = [], []
        for c in (self.remote, self.local):
            try:
                answers.append(call(c))
            except (UnexpectedResponse, ValueError, KeyError) as e:
                if isinstance(e, UnexpectedResponse):
                    assert 400 <= e.status_code < 500, f"{what}: {e}"
                errors.append(e)
                answers.append(None)
        assert len(errors) in (0, 2), f"{what}: only one of the two refused it: {errors}"
        return None if errors else answers

    # ---- steps

    def write(self):
        op = self.gen.update(self.live())
        self.both(lambda c: apply(c, self.name, op), op)

    def write_batch(self):
        live, ops = self.live(), []
        for _ in range(self.rnd.randint(1, 4)):
            ops.append(self.gen.update(live, in_batch=True))
        if self.rnd.random() < 0.4:
            ops.append(models.DeleteOperation(delete=models.PointIdsList(points=self.gen.some(self.gen.pool))))
        self.both(lambda c: c.batch_update_points(self.name, ops), ops)

    def write_unknown(self):
        missing = [i for i in self.gen.pool if i not in set(self.live())][:1]
        if missing:
            self.both(lambda c: c.set_payload(self.name, {"a": 1}, points=missing), f"set_payload of unknown {missing}")

    def index(self):
        field, kind = self.rnd.choice(FIELDS)
        if self.rnd.random() < 0.7:
            self.remote.create_payload_index(self.name, field, field_schema=kind)
        else:
            self.remote.delete_payload_index(self.name, field)

    def count(self):
        f = self.gen.filter()
        a, b = self.both(lambda c: c.count(self.name, count_filter=f, exact=True), f)
        assert a.count == b.count, f"count: server {a.count}, expected {b.count}\n{f.model_dump_json(exclude_none=True, by_alias=True)}\n{self.explain(f)}"

    def explain(self, f):
        got, expected = self.both(lambda c: c.scroll(self.name, scroll_filter=f, limit=10_000)[0], f)
        a, b = {p.id: p.payload for p in got}, {p.id: p.payload for p in expected}
        return (f"only the server: {[(i, a[i]) for i in a if i not in b][:5]}\n"
                f"only expected: {[(i, b[i]) for i in b if i not in a][:5]}")

    def scroll(self):
        g = self.gen
        args = {"scroll_filter": g.filter() if g.chance(0.7) else None, "limit": self.rnd.randint(1, 30),
                "offset": self.rnd.choice(g.pool) if g.chance(0.5) else None, "with_payload": g.with_payload(), "with_vectors": g.with_vectors()}
        a, b = self.both(lambda c: c.scroll(self.name, **args), args)
        assert_same_records(a[0], b[0], f"scroll {args}")
        assert a[1] == b[1], f"next page of {args}: server {a[1]}, expected {b[1]}"

    def retrieve(self):
        g = self.gen
        args = {"ids": g.some(g.pool, 1, 20), "with_payload": g.with_payload(), "with_vectors": g.with_vectors()}
        a, b = self.both(lambda c: c.retrieve(self.name, **args), args)
        assert_same_records(a, b, f"retrieve {args}")

    def query_args(self):
        g = self.gen
        query = self.rnd.choice(g.pool) if g.chance(0.25) else g.vector()
        return {"query": query, "using": None if self.names == [""] else self.rnd.choice(self.names),
                "query_filter": g.filter() if g.chance(0.6) else None, "limit": self.rnd.randint(1, 20), "offset": self.rnd.choice([None, None, 0, 3])}

    def query(self, exact=True):
        args = self.query_args()
        everything = {**args, "limit": 10_000, "offset": None}
        params = models.SearchParams(exact=True) if exact else models.SearchParams(hnsw_ef=self.rnd.choice([64, 128]))
        selectors = {"with_payload": self.gen.with_payload(), "with_vectors": self.gen.with_vectors()}
        full = self.both(lambda c: c.query_points(self.name, **everything, search_params=models.SearchParams(exact=True)).points, args)
        if full is None:
            return
        ranked = full[1]
        truth = {p.id: p.score for p in ranked}
        if len(ranked) > 2 and self.rnd.random() < 0.3:  # a threshold that no score is near
            k = self.rnd.randrange(len(ranked) - 1)
            if abs(ranked[k].score - ranked[k + 1].score) > 1e-2:
                args["score_threshold"] = (ranked[k].score + ranked[k + 1].score) / 2
                ranked = ranked[:k + 1]
        start = args["offset"] or 0
        expected = ranked[start:start + args["limit"]]
        got = self.remote.query_points(self.name, **args, **selectors, search_params=params).points
        assert len({p.id for p in got}) == len(got), f"{args}: a point twice"
        for p in got:
            assert p.id in truth, f"{args}: {p.id} does not belong there"
            assert close(p.score, truth[p.id]), f"{args}: score of {p.id} is {p.score}, expected {truth[p.id]}"
        if exact:
            assert len(got) == len(expected), f"{args}: {len(got)} results, expected {len(expected)}"
            assert all(close(g.score, e.score) for g, e in zip(got, expected)), \
                f"{args}\n  server {[(p.id, p.score) for p in got]}\n  expected {[(p.id, p.score) for p in expected]}"
        else:
            self.graph_total += len(expected)
            self.graph_hits += sum(1 for g, e in zip(got, expected) if close(g.score, e.score))
        records = self.local.retrieve(self.name, [p.id for p in got], **selectors)
        assert_same_records(got, records, f"records of query {args} {selectors}")

    def query_batch(self):
        requests = [models.QueryRequest(query=self.gen.vector(), using=None if self.names == [""] else self.rnd.choice(self.names), limit=5,
                                        filter=self.gen.filter(), params=models.SearchParams(exact=True)) for _ in range(3)]
        a, b = self.both(lambda c: c.query_batch_points(self.name, requests), requests)
        for x, y in zip(a, b, strict=True):
            assert [round(p.score, 3) for p in x.points] == pytest.approx([round(p.score, 3) for p in y.points], abs=2e-3)

    def listing(self):
        args = {"query_filter": self.gen.filter(), "limit": self.rnd.randint(1, 20), "with_payload": True, "with_vectors": True}
        a, b = self.both(lambda c: c.query_points(self.name, **args).points, args)
        assert_same_records(a, b, f"query without a query {args}")

    def everything(self):
        a, b = self.both(lambda c: c.scroll(self.name, limit=10_000, with_vectors=True), "all")
        assert_same_records(a[0], b[0], "all points")
        assert self.remote.get_collection(self.name).points_count == len(b[0])

    STEPS = {"write": 40, "write_batch": 5, "write_unknown": 1, "index": 2, "count": 14, "scroll": 8, "retrieve": 5, "query": 16, "graph": 6,
             "query_batch": 2, "listing": 2}

    def run(self, steps):
        for step in range(steps):
            kind = self.rnd.choices(list(self.STEPS), list(self.STEPS.values()))[0]
            try:
                self.query(exact=False) if kind == "graph" else getattr(self, kind)()
                if step % 40 == 39:
                    self.everything()
            except AssertionError as e:
                raise AssertionError(f"step {step} ({kind}) of {self.name}: {e}") from None
            self.done += 1


COLLECTIONS = [(m, n) for m in ("Cosine", "Dot", "Euclid", "Manhattan") for n in ([""], ["a", "b"])]


@pytest.fixture(scope="module")
def remote():
    with Server() as server:
        yield connect(server)


@pytest.mark.parametrize("metric, names", COLLECTIONS, ids=[f"{m}-{'named' if n != [''] else 'unnamed'}" for m, n in COLLECTIONS])
def test_agrees_with_the_in_process_mode(remote, seed, metric, names):
    rnd = random.Random(f"{seed}/{metric}/{names}")
    with corrected_local_mode():
        pair = Pair(remote, f"diff_{metric}_{len(names)}", metric, names, rnd)
        pair.run(OPERATIONS)
        wait_green(remote, pair.name)
        pair.everything()
        for _ in range(20):
            pair.query()
            pair.query(exact=False)
    print(f"{pair.done} operations, {pair.graph_hits} of {pair.graph_total} results of graph searches as expected")
    assert pair.graph_hits >= 0.97 * pair.graph_total
