"""The client's in-process mode, put right where it is known not to do as a server of 1.19 does.

The in-process mode of the 1.20 client is a second opinion, not the contract. It differs in these points. Those of the first list are put
right by `corrected`, so that they stay covered; the generators keep clear of those of the second.

Put right:

1. `{"is_null": {"key"}}` on an array that holds a null: the in-process mode says yes (as a server of 1.20 does), a server of 1.19 looks at
   the array as one value and says no. The flag form `{"key", "is_null": true}` is the same in both.
2. Several predicates in one field condition are alternatives for a server; the in-process mode looks at the first alone.
3. It has no payload indexes. With an integer index, an integral float (5.0) matches an integer. With a text index, text is matched by the
   tokens of its analysis, over all strings of the value together; without, `text` is a substring and `text_any` one of its words as a
   substring (a server of 1.20, and the in-process mode, look for words). A facet counts, and a formula reads, values of the type of the index.
4. An id that a prefetch names as an example is left out everywhere in a request, not in that prefetch alone.
5. The filters of a request and its prefetches must all hold; the in-process mode makes one `should` of theirs.
6. A score threshold on custom scores of Euclid or Manhattan keeps lower scores; the in-process mode stops at the first that is higher.
7. Points with equal values of `order_by` come by id, and are those that an index of the key holds.
8. A query by vectors of what was prefetched is not looked at there if that is nothing; here it is refused if it is wrong.
9. A dense vector searches multivectors as one of one row; there that is an error.
10. Queries by context of an empty collection, and formulas over values of another kind, are errors of its own; they are none or refused.

Kept clear of:

 1. `version` of a point is always 0 there, and `operation_id` too.
 2. set_payload, update_vectors and the like that name unknown ids: which of the known are written is not part of the contract.
 3. An empty list of ids is an error there, and an unknown name in `with_vectors` is ignored.
 4. `is_empty`, `is_null` and `values_count` on a path with `[]`: the contract defines them for one value.
 5. Datatypes are not applied: float16 and uint8 hold only numbers they hold exactly, without cosine and without averages of several.
 6. Relevance feedback is for dense vectors, and `lookup_from` is not applied to it.
 7. Which points a sample holds, and how equal scores are ordered, is chance: see `comparison`.
 8. `params` other than `idf` are ignored; searches here are exact because collections are small.
 9. Groups take all points there; a server fetches them in rounds and multiplies limits by the group size. Prefetches under groups take
    everything, and groups are neither by MMR nor with a threshold on custom scores.
10. A dense vector is not added to a collection with an unnamed one, which a server here refuses.
11. It adds up in another order and in other precision: scores agree to 1e-4, and what hangs on less is not compared (`noise`).
"""
import contextlib
import datetime
import functools
import re

import numpy as np
from qdrant_client import models as m
from qdrant_client.hybrid import formula
from qdrant_client.local import (datetime_utils, distances, json_path_parser, local_collection, multi_distances, payload_filters,
                                 payload_value_extractor, qdrant_local, sparse_distances)

PREDICATES = ("match", "range", "geo_bounding_box", "geo_radius", "geo_polygon")


class Corrections:
    """What the in-process mode is to know besides its own state."""

    def __init__(self):
        self.indexes = {}  # key to kind of index, as in `shape.INDEXES`
        self.amplitude, self.chance = 0.0, None
        self.ordered_by = ""  # the kind of the index by which points are being ordered

    @contextlib.contextmanager
    def noise(self, seed):
        """Similarities and scores are moved by a few millionths, and what is equal comes in random order: an answer that then changes hangs on
        less than the precision of a score."""
        self.amplitude, self.chance = 4e-6, np.random.default_rng(seed)
        try:
            yield
        finally:
            self.amplitude = 0.0

    def moved(self, scores):
        if not self.amplitude:
            return scores
        scores = np.asarray(scores, dtype=np.float64)
        step = self.amplitude * (1 + np.abs(np.where(np.isfinite(scores), scores, 0)))
        return np.where(np.isfinite(scores), scores + step * self.chance.uniform(-1, 1, scores.shape), scores)

    def moved_points(self, points, limit, descending=True):
        if self.amplitude:
            for p in points:
                p.score = float(self.moved(p.score))
            points = sorted(points, key=lambda p: p.score, reverse=descending)
        return points[:limit]


def tokens(kind, text):
    """Tokens as a text index of the kind makes them."""
    if kind == "text whitespace":
        return text.lower().split()
    words = re.findall(r"[^\W_]+", text)
    if kind == "text case":
        return [w for w in words if 2 <= len(w) <= 6]
    return [w.lower() for w in words]


def text_matches(match, values, kind):
    """A match of text against the values at a key that has an index of the kind, or none."""
    strings = [v for v in values if isinstance(v, str)]
    if kind is None or not kind.startswith("text"):
        if isinstance(match, m.MatchText):
            return any(match.text in s for s in strings)
        if isinstance(match, m.MatchTextAny):
            return any(word in s for s in strings for word in match.text_any.split())
        return any(payload_filters.check_match(match, s) for s in strings)
    if isinstance(match, m.MatchPhrase):
        phrase = tokens(kind, match.phrase)
        found = [tokens(kind, s) for s in strings]
        return bool(phrase) and any(t[i:i + len(phrase)] == phrase for t in found for i in range(len(t) - len(phrase) + 1))
    wanted = set(tokens(kind, match.text if isinstance(match, m.MatchText) else match.text_any))
    held = {t for s in strings for t in tokens(kind, s)}
    return bool(wanted) and (wanted <= held if isinstance(match, m.MatchText) else bool(wanted & held))


def integral(value):
    return int(value) if isinstance(value, float) and value.is_integer() else value


def corrected_check(original, corrections):
    def check(condition, payload, point_id, has_vector):
        if isinstance(condition, m.IsNullCondition):
            values = payload_filters.value_by_key(payload, condition.is_null.key, flat=False)
            return values is not None and any(v is None for v in values)
        if isinstance(condition, m.FieldCondition) and condition.values_count is None and condition.is_empty is None and condition.is_null is None:
            present = [p for p in PREDICATES if getattr(condition, p) is not None]
            if len(present) > 1:
                alone = [condition.model_copy(update={p: None for p in present if p != kept}) for kept in present]
                return any(check(c, payload, point_id, has_vector) for c in alone)
            inside_nested = isinstance(point_id, int) and point_id < 0
            kind = None if inside_nested else corrections.indexes.get(condition.key)
            if isinstance(condition.match, (m.MatchText, m.MatchTextAny, m.MatchPhrase)):
                return text_matches(condition.match, payload_filters.value_by_key(payload, condition.key) or [], kind)
            if kind and kind.startswith("integer") and isinstance(condition.match, (m.MatchValue, m.MatchAny, m.MatchExcept)):
                values = payload_filters.value_by_key(payload, condition.key) or []
                return any(payload_filters.check_match(condition.match, integral(v)) for v in values)
        return original(condition, payload, point_id, has_vector)

    return check


def corrected_facet(corrections):
    """Counts of the values an index of the key holds."""
    def facet(self, key, facet_filter=None, limit=10):
        kind, counts = corrections.indexes[key].split()[0], {}
        mask = self._payload_and_non_deleted_mask(facet_filter)
        for payload in (p for p, counted in zip(self.payload, mask) if counted):
            values = payload_value_extractor.value_by_key(payload, key) or []
            if kind == "integer":
                values = {v for v in map(integral, values) if type(v) is int}
            elif kind == "uuid":
                values = {str(u) for u in (payload_value_extractor.parse_uuid(v) for v in values if isinstance(v, str)) if u}
            else:
                values = {v for v in values if type(v) is (bool if kind == "bool" else str)}
            for v in values:
                counts[v] = counts.get(v, 0) + 1
        order = lambda hit: (-hit[1], hit[0].encode() if isinstance(hit[0], str) else hit[0])
        return m.FacetResponse(hits=[m.FacetValueHit(value=v, count=c) for v, c in sorted(counts.items(), key=order)[:limit]])

    return facet


def referenced(collection, query, lookup_from, prefetch):
    """Ids that a request names as examples of the collection, at any depth."""
    ids = []
    here = lookup_from is None or lookup_from.collection == collection

    def add(value):
        if isinstance(value, (int, str)) and not isinstance(value, bool):
            ids.append(value)

    if here:
        if isinstance(query, (int, str)):
            add(query)
        elif isinstance(query, m.NearestQuery):
            add(query.nearest)
        elif isinstance(query, m.RecommendQuery):
            for example in [*(query.recommend.positive or []), *(query.recommend.negative or [])]:
                add(example)
        elif isinstance(query, (m.DiscoverQuery, m.ContextQuery)):
            pairs = query.context if isinstance(query, m.ContextQuery) else query.discover.context
            for pair in pairs if isinstance(pairs, list) else [pairs]:
                add(pair.positive)
                add(pair.negative)
            if isinstance(query, m.DiscoverQuery):
                add(query.discover.target)
        elif isinstance(query, m.RelevanceFeedbackQuery):
            add(query.relevance_feedback.target)
            for item in query.relevance_feedback.feedback:
                add(item.example)
    for inner in prefetch if isinstance(prefetch, list) else [prefetch] if prefetch else []:
        ids += referenced(collection, inner.query, inner.lookup_from, inner.prefetch)
    return ids


def joined(a, b):
    """Both filters."""
    return b if a is None else a if b is None else m.Filter(must=[a, b])


def excluding(original):
    """`query_points` and the like, without any id the request names."""
    def query(self, collection_name, *, query=None, prefetch=None, query_filter=None, lookup_from=None, **more):
        ids = referenced(self.aliases.get(collection_name, collection_name), query, lookup_from, prefetch)
        if ids:
            query_filter = joined(query_filter, m.Filter(must_not=[m.HasIdCondition(has_id=ids)]))
        return original(self, collection_name=collection_name, query=query, prefetch=prefetch, query_filter=query_filter,
                        lookup_from=lookup_from, **more)

    return query


CUSTOM = (distances.RecoQuery, distances.DiscoveryQuery, distances.ContextQuery, distances.NaiveFeedbackQuery, multi_distances.MultiRecoQuery,
          multi_distances.MultiDiscoveryQuery, multi_distances.MultiContextQuery)


def corrected_search(original, corrections):
    """Custom scores with a threshold on vectors where less is better."""
    def search(self, query_vector, query_filter=None, limit=10, offset=None, score_threshold=None, **more):
        if not self.payload:  # some scores of no points at all are errors there
            return []
        name, vector = query_vector if isinstance(query_vector, tuple) else ("", query_vector)
        less = name in self._all_vectors_keys and name not in self.sparse_vectors and \
            self.get_vector_params(name).distance in (m.Distance.EUCLID, m.Distance.MANHATTAN)
        custom = isinstance(vector, CUSTOM)
        if name in self.multivectors and isinstance(vector, list) and not isinstance(vector[0], list):
            query_vector = (name, [vector])
        if not corrections.amplitude and not (custom and less and score_threshold is not None):
            return original(self, query_vector, query_filter=query_filter, limit=limit, offset=offset, score_threshold=score_threshold, **more)
        found = original(self, query_vector, query_filter=query_filter, limit=len(self.ids) + 1, offset=0, **more)
        # The best of all are taken first, and of those the ones that pass.
        found = corrections.moved_points(found, limit + (offset or 0), descending=custom or not less)
        if score_threshold is not None:
            found = [p for p in found if (p.score < score_threshold if less else p.score > score_threshold)]
        return found[offset or 0:]

    return search


def order_value(original, corrections):
    """Values as an index of the key holds them."""
    def value_of(value):
        value, text = original(value), isinstance(value, (str, datetime.date))
        if corrections.ordered_by == "datetime":
            return value if text else None
        if corrections.ordered_by.startswith("integer") and isinstance(value, float):
            return int(value) if value.is_integer() else None
        return None if text else value

    return value_of


def by_id(original, corrections):
    """Equal values in the order of ids."""
    def scroll(self, order_by, *args, **more):
        kept, ids = self.ids, sorted(self.ids, key=self._universal_id)
        if corrections.amplitude:
            corrections.chance.shuffle(ids)
        self.ids = {i: kept[i] for i in ids}
        corrections.ordered_by = corrections.indexes[order_by if isinstance(order_by, str) else order_by.key]
        try:
            return original(self, order_by, *args, **more)
        finally:
            self.ids = kept

    return scroll


def holds(kind, value):
    """Whether an index of the kind holds a value."""
    kind = kind.split()[0]
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if kind == "datetime":
        return isinstance(value, str) and datetime_utils.parse(value) is not None
    if kind == "geo":
        return payload_filters._is_geo_point(value)
    if kind == "uuid":
        return isinstance(value, str) and payload_value_extractor.parse_uuid(value) is not None
    if kind == "integer":
        return number and (isinstance(value, int) or value.is_integer())
    return {"keyword": isinstance(value, str), "bool": isinstance(value, bool), "float": number}.get(kind, True)


def indexed_variable(original, corrections):
    """A formula reads values from an index if the key has one."""
    def extract(key, payload, defaults):
        kind = corrections.indexes.get(key)
        if kind and not kind.startswith("text"):
            held = [v for v in payload_value_extractor.value_by_key(payload, key) or [] if holds(kind, v)]
            if len(held) == 1:
                return held[0]
            payload = {}
            if held:
                raise ValueError(f"several values at {key}")
        return original(key, payload, defaults)

    return extract


def checked_merge(original):
    """A query by vectors is checked also if nothing was prefetched."""
    def merge(self, sources, query, limit, offset, using=None, **more):
        by_vectors = not isinstance(query, (m.FusionQuery, m.RrfQuery, m.FormulaQuery, m.OrderByQuery, m.SampleQuery))
        if by_vectors and not any(sources):
            return self._query_collection(query=query, using=using, query_filter=m.Filter(must=[m.HasIdCondition(has_id=[])]), limit=limit)
        return original(self, sources, query, limit, offset, using=using, **more)

    return merge


def corrected_formula(original, corrections):
    """A value of another kind than the formula needs is refused; there, some are errors of its own."""
    def rescore(self, query, prefetches_results, limit, with_payload, with_vectors):
        try:
            found = original(self, query, prefetches_results, limit=len(self.ids) + 1, with_payload=with_payload, with_vectors=with_vectors)
        except (AttributeError, TypeError, OverflowError) as e:
            raise ValueError(f"formula: {e}") from e
        return corrections.moved_points(found, limit)

    return rescore


@contextlib.contextmanager
def corrected():
    """The in-process mode put right while it lasts; yields the `Corrections`, which are told of indexes."""
    c, put_back = Corrections(), []

    def replace(where, name, new):
        put_back.append((where, name, getattr(where, name)))
        setattr(where, name, new)

    def noisy(original):
        return lambda *args, **more: c.moved(original(*args, **more))

    def noisy_fusion(original):
        return lambda responses, limit=10, **more: c.moved_points(original(responses, limit=1 << 30, **more), limit)

    parse = functools.lru_cache(10_000)(json_path_parser.parse_json_path)  # the same answers, sooner
    for module in (payload_value_extractor, local_collection):
        replace(module, "parse_json_path", lambda key: list(parse(key)))
    replace(payload_filters, "check_condition", corrected_check(payload_filters.check_condition, c))
    replace(local_collection, "_merge_filters", joined)
    replace(formula, "try_extract_payload_value", indexed_variable(formula.try_extract_payload_value, c))
    replace(formula, "check_condition", payload_filters.check_condition)
    collection, local = local_collection.LocalCollection, qdrant_local.QdrantLocal
    replace(collection, "facet", corrected_facet(c))
    replace(collection, "search", corrected_search(collection.search, c))
    replace(collection, "_scroll_by_value", by_id(collection._scroll_by_value, c))
    replace(collection, "_merge_sources", checked_merge(collection._merge_sources))
    replace(local_collection, "to_order_value", order_value(local_collection.to_order_value, c))
    replace(collection, "_rescore_with_formula", corrected_formula(collection._rescore_with_formula, c))
    replace(local, "query_points", excluding(local.query_points))
    replace(local, "query_points_groups", excluding(local.query_points_groups))
    for where, name in [(local_collection, "calculate_distance"), (local_collection, "calculate_distance_core"),
                        (distances, "calculate_distance_core"), (local_collection, "calculate_multi_distance_core"),
                        (multi_distances, "calculate_multi_distance_core"), (local_collection, "calculate_distance_sparse"),
                        (sparse_distances, "calculate_distance_sparse")]:
        replace(where, name, noisy(getattr(where, name)))
    for name in ("reciprocal_rank_fusion", "distribution_based_score_fusion"):
        replace(local_collection, name, noisy_fusion(getattr(local_collection, name)))
    try:
        yield c
    finally:
        for where, name, original in reversed(put_back):
            setattr(where, name, original)
