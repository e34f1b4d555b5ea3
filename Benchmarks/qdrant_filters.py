"""Qdrant's engine in this process (qdrant-edge-py) with payload indexes, and with sparse vectors, for compare_filters.py."""
import os
import shutil

from qdrant_edge import (
    Distance, EdgeConfig, EdgeOptimizersConfig, EdgeShard, EdgeSparseVectorParams, EdgeVectorParams, FieldCondition,
    Filter, HnswIndexConfig, IsEmptyCondition, MatchAny, MatchValue, Memory, PayloadSchemaType, Point,
    QuantizationSearchParams, Query, QueryRequest, RangeDateTime, RangeFloat, ScalarQuantizationConfig, ScalarType,
    SearchParams, SparseVector, UpdateOperation)

TYPES = {"integer": PayloadSchemaType.Integer, "keyword": PayloadSchemaType.Keyword, "bool": PayloadSchemaType.Bool,
         "float": PayloadSchemaType.Float, "datetime": PayloadSchemaType.Datetime}


def word(value):
    # The binding (0.9.0) passes True on as the integer 1, which matches no bool, so bools are keywords here.
    return str(value).lower() if isinstance(value, bool) else value


def condition(c):
    if "is_empty" in c:
        return IsEmptyCondition(c["is_empty"]["key"])
    if "match" in c:
        match = c["match"]
        return FieldCondition(
            c["key"], match=MatchAny(match["any"]) if "any" in match else MatchValue(word(match["value"])))
    bounds = c["range"]
    kind = RangeDateTime if any(isinstance(bound, str) for bound in bounds.values()) else RangeFloat
    return FieldCondition(c["key"], range=kind(**bounds))


def edge_filter(filter_):
    return Filter(**{clause: [condition(c) for c in conditions] for clause, conditions in filter_.items()})


class Shard:
    """A shard of one segment, kept in `folder`: made once, then only opened."""

    def __init__(self, folder, config, points, before_graph=()):
        self.made = not os.path.exists(os.path.join(folder, "done"))
        if self.made:
            shutil.rmtree(folder, ignore_errors=True)
            os.makedirs(folder)
            shard = EdgeShard.create(folder, config)
            for batch in points():
                shard.update(UpdateOperation.upsert_points(batch))
            for update in before_graph:
                shard.update(update)
            shard.optimize()
            shard.flush()
            shard.close()
            open(os.path.join(folder, "done"), "w").close()
        self.shard = EdgeShard.load(folder, config)


class Filtered(Shard):
    """Dense vectors and payload. The payload's indexes are made before the graph, so that it has links for filters."""

    def __init__(self, folder, vectors, payloads, indexes, quantised, full_scan_threshold, m=16, ef_construct=100):
        graph = HnswIndexConfig(
            m=m, ef_construct=ef_construct, full_scan_threshold=full_scan_threshold, max_indexing_threads=2)
        codes = ScalarQuantizationConfig(ScalarType.Int8, quantile=0.99, memory=Memory.Pinned) if quantised else None
        self.quantization = QuantizationSearchParams(rescore=True, oversampling=2.0) if quantised else None
        config = EdgeConfig(
            vectors=EdgeVectorParams(
                size=vectors.shape[1], distance=Distance.Cosine, quantization_config=codes, hnsw_config=graph),
            optimizers=EdgeOptimizersConfig(
                default_segment_number=1, indexing_threshold=1000, max_segment_size=10_000_000),
            hnsw_config=graph, max_search_threads=1)

        def batches():
            rows = payloads()
            for start in range(0, len(vectors), 1000):
                yield [Point(start + i, row, {key: word(value) for key, value in rows[start + i].items()})
                       for i, row in enumerate(vectors[start:start + 1000].tolist())]

        types = {key: "keyword" if kind == "bool" else kind for key, kind in indexes.items()}
        super().__init__(folder, config, batches, [
            UpdateOperation.create_field_index(key, TYPES[kind]) for key, kind in types.items()])

    def requests(self, queries, filter_, ef):
        return [QueryRequest(
            limit=10, query=Query.Nearest(query), filter=edge_filter(filter_) if filter_ else None,
            params=SearchParams(hnsw_ef=ef, quantization=self.quantization), with_payload=False, with_vector=False)
            for query in queries]


class Sparse(Shard):
    """Sparse vectors alone."""

    def __init__(self, folder, rows):
        config = EdgeConfig(
            sparse_vectors={"s": EdgeSparseVectorParams()},
            optimizers=EdgeOptimizersConfig(
                default_segment_number=1, indexing_threshold=1, max_segment_size=10_000_000),
            max_search_threads=1)

        def batches():
            for start in range(0, len(rows), 1000):
                yield [Point(start + i, {"s": SparseVector(*row)}, {})
                       for i, row in enumerate(rows[start:start + 1000])]

        super().__init__(folder, config, batches)

    def requests(self, queries):
        return [QueryRequest(
            limit=10, query=Query.Nearest(SparseVector(*query), using="s"), with_payload=False, with_vector=False)
            for query in queries]
