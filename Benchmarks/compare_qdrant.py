"""Qdrant's engine in this process (qdrant-edge-py), for compare_index.py."""
import os

from qdrant_edge import (
    Distance, EdgeConfig, EdgeOptimizersConfig, EdgeShard, EdgeVectorParams, HnswIndexConfig, Memory, Point,
    QuantizationSearchParams, Query, QueryRequest, ScalarQuantizationConfig, ScalarType, SearchParams,
    UpdateOperation)


class Edge:
    """One segment with a graph; `quantised` adds int8 codes, searched with rescoring and an oversampling of 2."""

    def __init__(self, folder, vectors, quantised, m, ef_construct):
        os.makedirs(folder)
        graph = HnswIndexConfig(m=m, ef_construct=ef_construct, full_scan_threshold=10, max_indexing_threads=2)
        codes = ScalarQuantizationConfig(ScalarType.Int8, quantile=0.99, memory=Memory.Pinned) if quantised else None
        self.params = QuantizationSearchParams(rescore=True, oversampling=2.0) if quantised else None
        self.shard = EdgeShard.create(folder, EdgeConfig(
            vectors=EdgeVectorParams(
                size=vectors.shape[1], distance=Distance.Cosine, quantization_config=codes, hnsw_config=graph),
            optimizers=EdgeOptimizersConfig(
                default_segment_number=1, indexing_threshold=1000, max_segment_size=10_000_000),
            hnsw_config=graph, max_search_threads=1))
        for start in range(0, len(vectors), 1000):
            rows = vectors[start:start + 1000].tolist()
            self.shard.update(UpdateOperation.upsert_points(
                [Point(start + i, row, None) for i, row in enumerate(rows)]))
        self.shard.optimize()

    def search(self, query, ef):
        return self.shard.query(QueryRequest(
            limit=10, query=Query.Nearest(query.tolist()), params=SearchParams(
                hnsw_ef=ef, exact=False, quantization=self.params),
            with_payload=False, with_vector=False))

    def ids(self, found):
        return [point.id for point in found]
