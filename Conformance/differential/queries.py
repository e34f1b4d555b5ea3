"""Random queries of every kind, with prefetches inside prefetches."""
from qdrant_client import models as m

from .formulas import Formulas

ALL = 1000  # more than a collection has points
LOOKUPS = 30  # points of the other collection, all with all vectors


class Queries:
    """Random queries for a collection; `lookup` names another one of the same vectors."""

    def __init__(self, filters, collection, lookup):
        self.filters, self.values, self.rnd, self.shape = filters, filters.values, filters.rnd, filters.shape
        self.formulas, self.collection, self.lookup = Formulas(filters), collection, lookup
        self.holders = lambda name: []  # ids of the points that have a vector of this name
        self.elsewhere = False  # whether examples are being looked up in the other collection

    # ---- examples

    def example(self, vector):
        """An id, seldom of a point that is not there or has no such vector, or a vector."""
        known = range(LOOKUPS) if self.elsewhere else self.holders(vector.name)
        if known and self.values.chance(0.5):
            return self.rnd.choice(known if self.values.chance(0.985) else self.values.pool)
        return self.values.vector(vector)

    def examples(self, vector, low, high):
        return [self.example(vector) for _ in range(self.rnd.randint(low, high))]

    def pairs(self, vector, low):
        return [m.ContextPair(positive=self.example(vector), negative=self.example(vector)) for _ in range(self.rnd.randint(low, 3))]

    # ---- queries of a vector

    def nearest(self, vector):
        if vector.kind == "multi" and self.values.chance(0.1):
            return self.values.row(vector)
        return self.example(vector) if self.values.chance(0.6) else m.NearestQuery(nearest=self.example(vector))

    def mmr(self, vector):
        return m.NearestQuery(nearest=self.example(vector), mmr=m.Mmr(
            diversity=self.rnd.choice([None, 0.0, 0.2, 0.5, 0.9, 1.0]), candidates_limit=self.rnd.choice([None, 5, 20, ALL])))

    def recommend(self, vector):
        strategy = self.rnd.choice([None, *m.RecommendStrategy])
        if strategy in (None, m.RecommendStrategy.AVERAGE_VECTOR):
            # An average of small numbers is none: only one example can be compared exactly.
            exact = vector.datatype == "float32"
            positive, negative = self.examples(vector, 1, 3 if exact else 1), self.examples(vector, 0, 2 if exact else 0)
        else:
            positive, negative = self.examples(vector, 0 if self.values.chance(0.3) else 1, 3), self.examples(vector, 0, 2)
        return m.RecommendQuery(recommend=m.RecommendInput(positive=positive, negative=negative, strategy=strategy))

    def discover(self, vector):
        return m.DiscoverQuery(discover=m.DiscoverInput(target=self.example(vector), context=self.pairs(vector, 0)))

    def context(self, vector):
        return m.ContextQuery(context=self.pairs(vector, 1))

    def feedback(self, vector):
        items = [m.FeedbackItem(example=self.example(vector), score=self.rnd.choice([0.1, 0.5, 0.9, 0.5])) for _ in range(self.rnd.randint(1, 4))]
        return m.RelevanceFeedbackQuery(relevance_feedback=m.RelevanceFeedbackInput(
            target=self.example(vector), feedback=items, strategy=m.NaiveFeedbackStrategy(naive=m.NaiveFeedbackStrategyParams(
                a=self.rnd.choice([0.0, 0.5, 1.0]), b=self.rnd.choice([0.0, 1.0, 2.0]), c=self.rnd.choice([0.5, 1.0])))))

    def of_vector(self, plain=False):
        """The arguments of a query by a vector."""
        vector = self.rnd.choice(list(self.shape.vectors.values()))
        kinds = {self.nearest: 30, self.recommend: 18, self.discover: 10, self.context: 8, self.mmr: 8}
        if vector.kind == "dense":
            kinds[self.feedback] = 8
        make = self.nearest if plain else self.rnd.choices(list(kinds), list(kinds.values()))[0]
        self.elsewhere = make != self.feedback and self.values.chance(0.12)
        args = {"query": make(vector), "using": vector.name or None}
        if self.elsewhere:
            args["lookup_from"] = m.LookupLocation(collection=self.lookup, vector=self.rnd.choice([None, vector.name]) if vector.name else None)
        elif make != self.feedback and vector.name and self.values.chance(0.05):  # another vector of the same points
            like = [o.name for o in self.shape.vectors.values() if (o.kind, o.size, o.datatype) == (vector.kind, vector.size, vector.datatype)]
            args["lookup_from"] = m.LookupLocation(collection=self.collection, vector=self.rnd.choice(like))
        self.elsewhere = False
        return args

    def threshold(self, vector_query):
        if not self.values.chance(0.15):
            return None
        return self.rnd.choice([-3.0, -0.4, 0.1, 0.5, 0.8, 2.5, 6.0]) if vector_query else self.rnd.choice([0.1037, 0.3119, 0.5143, 0.9173, 2.0331])

    # ---- stages

    def order(self):
        r, key = self.rnd, self.rnd.choice(self.shape.orderable)
        if r.random() < 0.3:
            return key
        start = None
        if r.random() < 0.4:
            start = r.choice(["2021-03-04T05:06:00Z", "2022-01-01T00:00:00Z"]) if self.shape.indexes[key] == "datetime" else r.randint(-4, 6)
        return m.OrderBy(key=key, direction=r.choice([None, *m.Direction]), start_from=start)

    def leaf(self):
        """A query of the points themselves."""
        pick = self.rnd.random()
        if pick < 0.08:
            return {"query": None}
        if pick < 0.16 and self.shape.orderable:
            return {"query": m.OrderByQuery(order_by=self.order())}
        if not self.shape.vectors:
            return {"query": None}
        return self.of_vector()

    def merge(self, lists, deterministic=True):
        """A query of what so many prefetches found."""
        r, pick = self.rnd, self.rnd.random()
        if pick < 0.18:
            return {"query": m.FusionQuery(fusion=r.choice(list(m.Fusion)))}
        if pick < 0.32:
            weights = [r.choice([0.0, 0.5, 1.0, 1.0, 3.0]) for _ in range(lists)] if self.values.chance(0.5) else None
            return {"query": m.RrfQuery(rrf=m.Rrf(k=r.choice([None, 1, 2, 60]), weights=weights))}
        if pick < 0.58:
            return {"query": self.formulas.query(lists)}
        if pick < 0.66 and self.shape.orderable:
            return {"query": m.OrderByQuery(order_by=self.order())}
        if pick < 0.70 and not deterministic:
            return {"query": m.SampleQuery(sample=m.Sample.RANDOM)}
        return self.of_vector() if self.shape.vectors else {"query": self.formulas.query(lists)}

    def prefetch(self, depth):
        """A prefetch with up to `depth` levels."""
        if depth > 1 and self.values.chance(0.45):
            inner = [self.prefetch(depth - 1) for _ in range(self.rnd.randint(1, 2))]
            args = {**self.merge(len(inner)), "prefetch": inner}
        else:
            args = self.leaf()
        limit = self.rnd.choice([None, 3, 10, 20, 40, ALL, ALL])
        if "prefetch" not in args and self.values.chance(0.04):
            # What a sample holds is known only if it holds everything, and its order never.
            args, limit = {"query": m.SampleQuery(sample=m.Sample.RANDOM)}, ALL
        return m.Prefetch(**args, filter=self.filters.maybe(0.35), limit=limit, score_threshold=self.stage_threshold(args))

    def stage_threshold(self, args):
        query = args["query"]
        if query is None or isinstance(query, (m.OrderByQuery, m.SampleQuery)):
            return None
        return self.threshold(not isinstance(query, (m.FusionQuery, m.RrfQuery, m.FormulaQuery)))

    def stages(self):
        """Query, prefetches and threshold of a whole request."""
        if self.values.chance(0.4):
            prefetch = [self.prefetch(3) for _ in range(self.rnd.randint(1, 3))]
            alone = len(prefetch) == 1 and self.values.chance(0.5)
            args = {**self.merge(len(prefetch), deterministic=False), "prefetch": prefetch[0] if alone else prefetch}
            if has_sample(prefetch) and isinstance(args["query"], (m.FusionQuery, m.RrfQuery)):
                args = {"query": None}
        elif self.values.chance(0.05):
            args = {"query": m.SampleQuery(sample=m.Sample.RANDOM)}
        else:
            args = self.leaf()
        threshold = self.stage_threshold(args)
        return {**args, **({"score_threshold": threshold} if threshold is not None else {})}

    def request(self):
        """All arguments of `query_points` except the collection's name."""
        args = {**self.stages(), "query_filter": self.filters.wide() if self.values.chance(0.3) else self.filters.maybe(0.4),
                "limit": self.rnd.choice([1, 3, 10, 20, ALL]), "offset": self.rnd.choice([None, None, 0, 3]),
                "with_payload": self.values.with_payload(), "with_vectors": self.values.with_vectors()}
        if self.values.chance(0.5):
            args["search_params"] = m.SearchParams(exact=self.values.chance(0.7), hnsw_ef=self.rnd.choice([None, 64]))
        return args

    def batch(self):
        requests = []
        for _ in range(self.rnd.randint(1, 3)):
            args = self.request()
            query = args.pop("query")
            if isinstance(query, m.SampleQuery):
                query = None
                args.pop("prefetch", None)
            args["filter"], args["params"] = args.pop("query_filter"), args.pop("search_params", None)
            args["with_vector"] = args.pop("with_vectors")
            requests.append(m.QueryRequest(query=query, **args))
        return requests

    def groups(self):
        args = self.request()
        del args["offset"]
        if isinstance(args["query"], (m.SampleQuery, m.OrderByQuery)) or args["query"] is None or "prefetch" in args:
            # The server fetches in rounds: only what one round can hold is the same. Prefetches take everything.
            args.pop("prefetch", None)
            args.pop("score_threshold", None)
            args.pop("lookup_from", None)
            args.update(self.of_vector() if self.shape.vectors else {"query": None})
            if self.values.chance(0.4) and self.shape.vectors:
                args["prefetch"] = m.Prefetch(**self.of_vector(plain=True), filter=self.filters.maybe(0.3), limit=ALL)
        if getattr(args["query"], "mmr", None) is not None:
            args["query"] = args["query"].nearest
        if not isinstance(args["query"], (int, str, list, m.NearestQuery, m.SparseVector)):
            args.pop("score_threshold", None)
        args["limit"] = self.rnd.choice([1, 3, 10, 50])
        args["group_by"] = self.rnd.choice(["city", "n", "items[].n", "obj.deep.n", "mix", "items[].t", "uid"])
        args["group_size"] = self.rnd.choice([1, 2, 5])
        if self.values.chance(0.4):
            args["with_lookup"] = self.rnd.choice([self.lookup, m.WithLookup(
                collection=self.lookup, with_payload=self.rnd.choice([None, True, False, ["n"]]), with_vectors=self.rnd.choice([None, True, False]))])
        return args


def has_sample(prefetch):
    return any(isinstance(p.query, m.SampleQuery) or has_sample([p.prefetch] if isinstance(p.prefetch, m.Prefetch) else p.prefetch or [])
               for p in prefetch)
