"""One collection on every side, a random operation at a time, with the answers compared."""
import random
from collections import Counter

from qdrant_client import models as m

from . import comparison
from .comparison import Difference
from .filters import Filters
from .queries import ALL, LOOKUPS, Queries
from .shape import INDEXES, VectorShape, index_schema, random_optimizers, random_shape, random_vector
from .sides import Refused, is_refusal
from .values import Values
from .writes import Writes, apply

TRIALS = 16


def show(value):
    """A request as it is read best: what is not set left out."""
    if hasattr(value, "model_dump"):
        return value.model_dump(exclude_none=True, by_alias=True, mode="json")
    if isinstance(value, dict):
        return {k: show(v) for k, v in value.items() if v is not None}
    return [show(v) for v in value] if isinstance(value, list) else value


class Session:
    """A collection of random shape, the operations on it, and counts of what was done."""

    STEPS = {"write": 32, "write_batch": 5, "write_unknown": 1, "index": 5, "count": 12, "scroll": 6, "ordered_scroll": 4, "retrieve": 3,
             "query": 26, "query_batch": 4, "groups": 5, "facet": 4, "matrix": 2, "alias": 2, "vector_name": 1}

    def __init__(self, sides, corrections, name, seed, number):
        self.rnd = random.Random(f"{seed}/{number}")
        self.sides, self.corrections, self.name, self.lookup = sides, corrections, name, f"{name}_lookup"
        self.shape, self.aliases = random_shape(self.rnd, number), []
        self.done, self.undecided, self.refused, self.empty = Counter(), 0, 0, 0
        corrections.indexes = self.shape.indexes
        self.values = Values(self.rnd, self.shape)
        self.filters = Filters(self.values)
        self.queries, self.writes = Queries(self.filters, self.name, self.lookup), Writes(self.filters)
        optimizers = random_optimizers(self.rnd)
        for collection in (self.name, self.lookup):
            self.sides.write(lambda c: self.shape.create(c, collection, optimizers))
        points = [m.PointStruct(id=i, vector=self.values.vectors([*self.shape.vectors]), payload=self.values.payload()) for i in range(LOOKUPS)]
        self.change(lambda c: c.upsert(self.lookup, points), "points to look up")
        self.live = []
        self.queries.holders = self.holders

    # ---- asking and comparing

    def change(self, call, what):
        """A write: all sides do it or all refuse it."""
        answers = self.sides.write(call)
        if len({isinstance(a, Refused) for a in answers.values()}) > 1:
            raise Difference(f"not all refused {what}: { {k: str(v)[:300] for k, v in answers.items()} }")
        return not isinstance(answers[self.sides.local.name], Refused)

    def compare(self, call, what, compare, whole=None):
        """A read: each side's answer against the local one. One that hangs on less than the precision of scores is not compared;
        `whole` asks for the ids of everything that the answer is the first part of."""
        answers = self.sides.read(call)
        expected = answers.pop(self.sides.local.name)
        self.refused += isinstance(expected, Refused)
        self.empty += expected == []
        for name, got in answers.items():
            try:
                self.compare_one(got, expected, compare)
            except Difference as difference:
                if self.hangs_on_noise(call, expected, compare, whole):
                    self.undecided += 1
                    continue
                raise Difference(f"{name} differs, {what}\n{difference}") from None
        return expected

    @staticmethod
    def compare_one(got, expected, compare):
        if isinstance(got, Refused) or isinstance(expected, Refused):
            if isinstance(got, Refused) != isinstance(expected, Refused):
                raise Difference(f"only one refused\n  got      {str(got)[:600]}\n  expected {str(expected)[:600]}")
            return
        try:
            compare(got, expected)
        except Exception as e:
            if not is_refusal(e):
                raise
            # A wider question, asked to compare, met a point that the answer itself did not: by chance, as in a sample.
            raise Difference(f"refused when asked for more: {e}") from e

    def hangs_on_noise(self, call, expected, compare, whole):
        """Whether the local answer is another one when similarities move by a few millionths."""
        local = self.sides.local
        everything = whole and self.sides.one(local, whole)
        for trial in range(TRIALS):
            with self.corrections.noise(trial):
                moved = self.sides.one(local, call)
                if whole and not isinstance(everything, Refused) and self.sides.one(local, whole) != everything:
                    return True
            try:
                self.compare_one(moved, expected, compare)
            except Difference:
                return True
        return False

    def target(self):
        """The collection by its name or by an alias."""
        return self.rnd.choice([self.name, *self.aliases]) if self.values.chance(0.2) else self.name

    # ---- writes

    def refresh(self):
        local = self.sides.local.client
        self.live = self.writes.live = [p.id for p in local.scroll(self.name, limit=10_000, with_payload=False)[0]]

    def holders(self, vector):
        """Ids of the points that have the vector."""
        collection = self.sides.local.client._client.collections[self.name]
        missing = collection.deleted_per_vector[vector]
        return [i for i in self.live if not missing[collection.ids[i]]]

    def write(self):
        operation = self.writes.write()
        self.change(lambda c: apply(c, self.name, operation), show(operation))
        self.refresh()

    def write_batch(self):
        operations = self.writes.batch()
        self.change(lambda c: c.batch_update_points(self.name, operations), show(operations))
        self.refresh()

    def write_unknown(self):
        missing = [i for i in self.values.pool if i not in set(self.live)][:1]
        if missing:
            self.change(lambda c: c.set_payload(self.name, {"a": 1}, points=missing), f"set_payload of unknown {missing}")

    def index(self):
        key = self.rnd.choice(list(INDEXES))
        if key in self.shape.indexes and self.values.chance(0.5):
            self.change(lambda c: c.delete_payload_index(self.name, key), f"deleting the index of {key}")
            del self.shape.indexes[key]
        else:
            kind = self.rnd.choice(INDEXES[key])
            self.change(lambda c: c.create_payload_index(self.name, key, field_schema=index_schema(kind)), f"{kind} index of {key}")
            self.shape.indexes[key] = kind

    def vector_name(self):
        """A vector more or less on a collection that is there."""
        if not self.shape.named:
            return
        names = list(self.shape.vectors)
        if len(names) > 1 and self.values.chance(0.5):
            name = self.rnd.choice([n for n in names if n])
            if self.change(lambda c: c.delete_vector_name(self.name, name), f"deleting vector {name}"):
                del self.shape.vectors[name]
            return
        name = f"live{self.rnd.randint(0, 3)}"
        if name not in names:
            vector = random_vector(self.rnd, name, self.rnd.randint(0, 3))
            if "" in names:
                vector = VectorShape(name, "sparse")
            vector = VectorShape(name, vector.kind, vector.size, vector.distance, idf=vector.idf)
            if self.change(lambda c: c.create_vector_name(self.name, name, vector.name_config()), f"new vector {vector}"):
                self.shape.vectors[name] = vector

    def alias(self):
        name = f"{self.name}_alias{self.rnd.randint(0, 2)}"
        create = m.CreateAliasOperation(create_alias=m.CreateAlias(collection_name=self.name, alias_name=name))
        delete = m.DeleteAliasOperation(delete_alias=m.DeleteAlias(alias_name=name))
        operations = self.rnd.choice([[create], [create], [delete], [delete, create]])
        if self.aliases and self.values.chance(0.3):
            operations = [m.RenameAliasOperation(rename_alias=m.RenameAlias(old_alias_name=self.rnd.choice(self.aliases), new_alias_name=name + "r"))]
        self.change(lambda c: c.update_collection_aliases(operations), show(operations))
        names = lambda c: sorted(a.alias_name for a in c.get_collection_aliases(self.name).aliases)
        self.aliases = self.compare(names, "aliases", self.equal)

    @staticmethod
    def equal(got, expected):
        if got != expected:
            raise Difference(f"\n  got      {got}\n  expected {expected}")

    # ---- reads

    def count(self):
        filter = self.filters.filter()
        try:
            self.compare(lambda c: c.count(self.name, count_filter=filter, exact=True).count, "count", self.equal)
        except Difference as e:
            raise Difference(f"{e}\n{filter.model_dump_json(exclude_none=True, by_alias=True)}\n{self.explain(filter)}") from None

    def explain(self, filter):
        answers = self.sides.read(lambda c: {p.id: p.payload for p in c.scroll(self.name, scroll_filter=filter, limit=10_000)[0]})
        expected = answers.pop(self.sides.local.name)
        return f"indexes {self.shape.indexes}\n" + "\n".join(
            f"only {name}: {[(i, a[i]) for i in a if i not in expected][:4]}\nnot {name}: {[(i, expected[i]) for i in expected if i not in a][:4]}"
            for name, a in answers.items() if not isinstance(a, Refused))

    def scroll(self):
        v = self.values
        args = {"scroll_filter": self.filters.maybe(0.7), "limit": self.rnd.randint(1, 30), "with_payload": v.with_payload(),
                "offset": self.rnd.choice(v.pool) if v.chance(0.5) else None, "with_vectors": v.with_vectors()}

        def same(got, expected):
            comparison.same_records(got[0], expected[0])
            self.equal(got[1], expected[1])
        name = self.target()
        self.compare(lambda c: c.scroll(name, **args), f"scroll {show(args)}", same)

    def ordered_scroll(self):
        if not self.shape.orderable:
            return
        args = {"scroll_filter": self.filters.maybe(0.5), "limit": self.rnd.choice([1, 5, 20, ALL]), "order_by": self.queries.order(),
                "with_payload": self.values.with_payload(), "with_vectors": self.values.with_vectors()}
        whole = lambda: self.sides.local.client.scroll(self.name, **{**args, "limit": 10 * ALL})[0]
        self.compare(lambda c: c.scroll(self.name, **args)[0], f"scroll {show(args)} {self.shape.indexes}",
                     lambda g, e: comparison.same_ordered(g, e, whole))

    def retrieve(self):
        args = {"ids": self.values.some(self.values.pool, 1, 20), "with_payload": self.values.with_payload(),
                "with_vectors": self.values.with_vectors()}
        self.compare(lambda c: c.retrieve(self.name, **args), f"retrieve {show(args)}", comparison.same_records)

    def comparing(self, args):
        """How answers to `query_points` with these arguments are compared."""
        if isinstance(args["query"], m.SampleQuery):
            return lambda got, _: self.same_sample(got, args)
        whole = lambda: self.sides.local.client.query_points(self.name, **{**args, "limit": 10 * ALL, "offset": None}).points
        if isinstance(args["query"], m.OrderByQuery):
            return lambda g, e: comparison.same_ordered(g, e, whole)
        if args["query"] is None:
            return comparison.same_records
        return lambda g, e: comparison.same_scored(g, e, whole)

    def same_sample(self, got, args):
        """A sample has as many points as there are, and none that may not be in it."""
        whole = {p.id: p for p in self.sides.local.client.query_points(self.name, **{**args, "limit": 10 * ALL, "offset": None}).points}
        count = max(0, min(args["limit"], len(whole) - (args.get("offset") or 0)))
        if args.get("prefetch") is None and args.get("offset"):
            count = (count, min(args["limit"], len(whole)))  # what an offset means for a sample of all points is open
        ids = {p.id for p in got}
        if len(ids) != len(got) or not ids <= whole.keys() or (len(got) not in count if isinstance(count, tuple) else len(got) != count):
            raise Difference(f"a sample of {count}: {[p.id for p in got]}\n of {list(whole)}")
        for p in got:
            comparison.same_record(p, whole[p.id])

    def whole(self, each):
        """The ids that such queries have without a limit."""
        return lambda c: [{p.id for p in c.query_points(self.name, **{**args, "limit": 10 * ALL, "offset": None}).points}
                          for args in each if not isinstance(args["query"], m.SampleQuery)]

    def query(self):
        args, name = self.queries.request(), self.target()
        what = f"query {show(args)}\nindexes {self.shape.indexes}\nvectors {[*self.shape.vectors.values()]}"
        self.compare(lambda c: c.query_points(name, **args).points, what, self.comparing(args), self.whole([args]))

    def query_batch(self):
        requests = self.queries.batch()
        names = {"filter": "query_filter", "params": "search_params", "with_vector": "with_vectors"}
        fields = ("query", "prefetch", "filter", "params", "limit", "offset", "with_payload", "with_vector", "score_threshold", "using",
                  "lookup_from")
        each = [{names.get(f, f): getattr(r, f) for f in fields if getattr(r, f) is not None or f == "query"} for r in requests]

        def same(got, expected):
            if len(got) != len(expected):
                raise Difference(f"{len(got)} answers")
            for g, e, args in zip(got, expected, each):
                self.comparing(args)(g.points, e.points)
        self.compare(lambda c: c.query_batch_points(self.name, requests), f"batch {show(requests)}\nvectors {[*self.shape.vectors.values()]}", same,
                     self.whole(each))

    def groups(self):
        args = self.queries.groups()
        whole = lambda: self.sides.local.client.query_points_groups(self.name, **{**args, "limit": ALL}).groups
        self.compare(lambda c: c.query_points_groups(self.name, **args).groups, f"groups {show(args)}\nvectors {[*self.shape.vectors.values()]}",
                     lambda g, e: comparison.same_groups(g, e, whole))

    def facet(self):
        if not self.shape.countable:
            return
        args = {"key": self.rnd.choice(self.shape.countable), "facet_filter": self.filters.maybe(0.6), "exact": True,
                "limit": self.rnd.choice([1, 3, 10, ALL])}
        self.compare(lambda c: c.facet(self.name, **args), f"facet {show(args)} {self.shape.indexes}", comparison.same_facet)

    def matrix(self):
        if not self.shape.vectors:
            return
        using = self.rnd.choice(list(self.shape.vectors))
        args = {"using": using or None, "query_filter": self.filters.maybe(0.4), "limit": self.rnd.choice([1, 3, 200])}
        if self.values.chance(0.6):  # all points: what is in it is known
            args["sample"] = ALL
            self.compare(lambda c: c.search_matrix_pairs(self.name, **args), f"matrix {show(args)}",
                         lambda g, e: comparison.same_pairs(g, e, len(self.live)))
            return
        args["sample"] = self.rnd.choice([2, 5, 20])
        ids = lambda answer: (len(answer.ids), len(answer.offsets_row) == len(answer.offsets_col) == len(answer.scores),
                              all(0 <= o < len(answer.ids) for o in [*answer.offsets_row, *answer.offsets_col]), set(answer.ids) <= set(self.live),
                              len(set(answer.ids)) == len(answer.ids))
        self.compare(lambda c: ids(c.search_matrix_offsets(self.name, **args)), f"matrix {show(args)}", self.equal)

    def everything(self):
        self.compare(lambda c: c.scroll(self.name, limit=10_000, with_vectors=True)[0], "all points", comparison.same_records)
        self.compare(lambda c: c.get_collection(self.name).points_count, "points_count", self.equal)

    # ---- running

    def run(self, steps, halfway=lambda: None):
        for step in range(steps):
            if step == steps // 2:
                halfway()
            kind = self.rnd.choices(list(self.STEPS), list(self.STEPS.values()))[0]
            try:
                getattr(self, kind)()
                if step % 40 == 39:
                    self.everything()
            except Difference as e:
                raise AssertionError(f"step {step} ({kind}) of {self.name}: {e}") from None
            self.done[kind] += 1

    def drop(self):
        for name in (self.name, self.lookup):
            self.sides.write(lambda c: c.delete_collection(name))
