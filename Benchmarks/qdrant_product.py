#!/usr/bin/env python3
"""Product quantisation in Qdrant's engine (qdrant-edge-py) by scans of all rows, to set beside `octant-index-bench product`.

    qdrant_product.py DATA [X4 X8 X16 X32 X64]

DATA is a folder with vectors.f16.npy, queries.f32.npy and gt_top100.i32.npy. Prints a line of JSON for each compression: CPU seconds of the optimisation
(training and encoding, and writing the segment), then for searches without rescoring and with the best of 20 and 40 scored again recall@10 and CPU µs a query.
"""
import json, os, resource, sys, tempfile
import numpy as np
from qdrant_edge import *


def cpu():
    r = resource.getrusage(resource.RUSAGE_SELF)
    return r.ru_utime + r.ru_stime


def make(folder, x, name):
    graph = HnswIndexConfig(m=0, ef_construct=100, full_scan_threshold=10, max_indexing_threads=2)
    codes = ProductQuantizationConfig(getattr(CompressionRatio, name), memory=Memory.Pinned)
    vectors = EdgeVectorParams(size=x.shape[1], distance=Distance.Cosine, hnsw_config=graph, quantization_config=codes)
    one = EdgeOptimizersConfig(default_segment_number=1, indexing_threshold=1000, max_segment_size=10_000_000)
    shard = EdgeShard.create(folder, EdgeConfig(vectors=vectors, optimizers=one, hnsw_config=graph, max_search_threads=1))
    for b in range(0, len(x), 1000):
        points = [Point(b + i, row, None) for i, row in enumerate(x[b:b + 1000].tolist())]
        shard.update(UpdateOperation.upsert_points(points))
    start = cpu()
    shard.optimize()
    return shard, cpu() - start


def main():
    data = sys.argv[1]
    x = np.load(os.path.join(data, "vectors.f16.npy")).astype(np.float32)
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    q = np.load(os.path.join(data, "queries.f32.npy"))
    truth = np.load(os.path.join(data, "gt_top100.i32.npy"))[:, :10]
    for name in sys.argv[2:] or ["X4", "X8", "X16", "X32", "X64"]:
        with tempfile.TemporaryDirectory() as folder:
            shard, seconds = make(folder, x, name)
            line = {"compression": name, "optimize_cpu_s": round(seconds, 1)}
            for label, oversampling in (("none", None), ("x2", 2.0), ("x4", 4.0)):
                again = QuantizationSearchParams(rescore=oversampling is not None, oversampling=oversampling)
                asked = [QueryRequest(limit=10, query=Query.Nearest(v.tolist()), params=SearchParams(quantization=again),
                                      with_payload=False, with_vector=False) for v in q]
                start = cpu()
                hits = sum(len({p.id for p in shard.query(r)} & set(t.tolist())) for r, t in zip(asked, truth))
                line[label] = [round(hits / len(q) / 10, 4), round((cpu() - start) / len(q) * 1e6)]
            print(json.dumps(line), flush=True)
            shard.close()


if __name__ == "__main__":
    main()
