#!/usr/bin/env python3
"""Qdrant's engine (qdrant-edge-py) with the commands of engines.py: what CornerBench.swift is for Octant.

A collection's configuration comes as a body of a request to create one and is turned into the engine's own classes.
CPU and wall time of a build are those of the engine's calls alone (writing, optimizing, flushing), without the making of
Python objects. A search's contain what the binding does with a request made beforehand.
"""
import argparse
import json
import os
import resource
import sys
import time

import numpy as np
from qdrant_edge import (
    BinaryQuantizationConfig, BinaryQuantizationEncoding, BinaryQuantizationQueryEncoding, CompressionRatio, Distance,
    EdgeConfig, EdgeOptimizersConfig, EdgeShard, EdgeVectorParams, HnswIndexConfig, Memory, Point,
    ProductQuantizationConfig, QuantizationSearchParams, Query, QueryBatchRequest, QueryRequest, ScalarQuantizationConfig,
    ScalarType, SearchParams, TurboQuantBitSize, TurboQuantQuantizationConfig, UpdateOperation, VectorStorageDatatype)

parser = argparse.ArgumentParser()
parser.add_argument("mode", choices=["build", "serve"])
parser.add_argument("--data", required=True)
parser.add_argument("--storage", required=True)
parser.add_argument("--config", required=True, type=json.loads)
parser.add_argument("--threads", type=int, default=2)
options = parser.parse_args()


def named(names):
    return lambda value: None if value is None else names[value]


MEMORY = named({"cold": Memory.Cold, "cached": Memory.Cached, "pinned": Memory.Pinned})
DATATYPE = named({"float32": VectorStorageDatatype.Float32, "float16": VectorStorageDatatype.Float16,
                  "uint8": VectorStorageDatatype.Uint8, "turbo4": VectorStorageDatatype.Turbo4})
BITS = named({"bits1": TurboQuantBitSize.Bits1, "bits1_5": TurboQuantBitSize.Bits1_5, "bits2": TurboQuantBitSize.Bits2,
              "bits4": TurboQuantBitSize.Bits4})
RATIO = named({f"x{n}": getattr(CompressionRatio, f"X{n}") for n in (4, 8, 16, 32, 64)})
ENCODING = named({"one_bit": BinaryQuantizationEncoding.OneBit, "two_bits": BinaryQuantizationEncoding.TwoBits,
                  "one_and_half_bits": BinaryQuantizationEncoding.OneAndHalfBits})
QUERY_ENCODING = named({"default": BinaryQuantizationQueryEncoding.Default, "binary": BinaryQuantizationQueryEncoding.Binary,
                        "scalar4bits": BinaryQuantizationQueryEncoding.Scalar4Bits,
                        "scalar8bits": BinaryQuantizationQueryEncoding.Scalar8Bits})


def placement(part, true, false, key="on_disk"):
    """The placement that a part of the configuration names, in the words of this version or of earlier ones."""
    if "memory" in part:
        return MEMORY(part["memory"])
    return {True: true, False: false, None: None}[part.get(key)]


def quantization(config):
    if not config:
        return None
    (family, part), = config.items()
    memory = placement(part, Memory.Pinned, None, "always_ram")
    if family == "scalar":
        return ScalarQuantizationConfig(ScalarType.Int8, quantile=part.get("quantile"), memory=memory)
    if family == "product":
        return ProductQuantizationConfig(RATIO(part["compression"]), memory=memory)
    if family == "binary":
        return BinaryQuantizationConfig(memory=memory, encoding=ENCODING(part.get("encoding")),
                                        query_encoding=QUERY_ENCODING(part.get("query_encoding")))
    return TurboQuantQuantizationConfig(memory=memory, bits=BITS(part.get("bits")))


def edge_config(config):
    vectors, hnsw = config["vectors"], config.get("hnsw_config", {})
    optimizers = config.get("optimizers_config", {})
    graph = HnswIndexConfig(
        m=hnsw.get("m", 16), ef_construct=hnsw.get("ef_construct", 100),
        full_scan_threshold=hnsw.get("full_scan_threshold", 10_000), max_indexing_threads=options.threads,
        memory=placement(hnsw, Memory.Cold, Memory.Cached))
    segments = optimizers.get("default_segment_number", 1)
    return EdgeConfig(
        vectors=EdgeVectorParams(
            size=vectors["size"], distance=getattr(Distance, vectors["distance"]),
            memory=placement(vectors, Memory.Cold, Memory.Cached), datatype=DATATYPE(vectors.get("datatype")),
            quantization_config=quantization(config.get("quantization_config")), hnsw_config=graph),
        optimizers=EdgeOptimizersConfig(
            default_segment_number=segments, indexing_threshold=optimizers.get("indexing_threshold", 10_000),
            max_segment_size=optimizers.get("max_segment_size")),
        # Several segments are searched side by side; one needs no thread besides the caller's.
        hnsw_config=graph, max_search_threads=options.threads if segments > 1 else 1)


def status(key):
    with open("/proc/self/status") as f:
        return next(int(line.split()[1]) / 1024 for line in f if line.startswith(key + ":"))


def report(**fields):
    print(json.dumps(fields), flush=True)


class Clock:
    """CPU seconds of all threads of this process and wall seconds, summed over the blocks it is around."""
    cpu = wall = 0.0

    def __enter__(self):
        self._cpu, self._wall = time.process_time(), time.perf_counter()

    def __exit__(self, *_):
        self.cpu += time.process_time() - self._cpu
        self.wall += time.perf_counter() - self._wall


def unit(x):
    x = x.astype(np.float32)
    return x / np.linalg.norm(x, axis=1, keepdims=True)


def build(config):
    vectors = np.load(os.path.join(options.data, "vectors.f16.npy"))
    # What a batch needs in Python's own objects is made and freed before the memory is looked at.
    vectors[:1000].astype(np.float32).tolist()
    with open("/proc/self/clear_refs", "w") as f:
        f.write("5")
    base = status("VmRSS")
    report(kind="base", rss_mb=base, anon_mb=status("RssAnon"))
    clock, writing = Clock(), 0.0
    with clock:
        shard = EdgeShard.create(options.storage, edge_config(config))
    # The engine indexes what there is when it is told to: segment by segment, so that there are as many as asked for.
    segments = config.get("optimizers_config", {}).get("default_segment_number", 1)
    bounds = [len(vectors) * k // segments for k in range(segments + 1)]
    for first, last in zip(bounds, bounds[1:]):
        for start in range(first, last, 1000):
            rows = vectors[start:min(start + 1000, last)].astype(np.float32).tolist()
            batch = UpdateOperation.upsert_points([Point(start + i, row, None) for i, row in enumerate(rows)])
            before = clock.wall
            with clock:
                shard.update(batch)
            writing += clock.wall - before
        with clock:
            shard.optimize()
    with clock:
        shard.flush()
    info = shard.info()
    report(kind="built", points=info.points_count, indexed=info.indexed_vectors_count, segments=info.segments_count,
           write_s=writing, wall_s=clock.wall, cpu_s=clock.cpu, peak_mb=status("VmHWM") - base)
    shard.close()


def search_params(params):
    quantised = params.get("quantization")
    return SearchParams(
        hnsw_ef=params.get("hnsw_ef"), exact=params.get("exact", False),
        quantization=QuantizationSearchParams(**quantised) if quantised else None)


def faults():
    return resource.getrusage(resource.RUSAGE_SELF).ru_majflt


def read_kb():
    with open("/proc/self/io") as f:
        return next(int(line.split()[1]) / 1024 for line in f if line.startswith("read_bytes:"))


def percentiles(name, nanoseconds):
    us = np.sort(np.array(nanoseconds)) / 1000
    at = lambda share: float(us[min(len(us) - 1, int(len(us) * share))])
    return {f"{name}_us": float(us.mean()), f"{name}_p50_us": at(0.5), f"{name}_p99_us": at(0.99),
            f"{name}_max_us": float(us[-1])}


def latencies(shard, requests, truth):
    found, cpu, wall = [], [], []
    faults_before, read_before = faults(), read_kb()
    for request in requests:
        c, w = time.process_time_ns(), time.perf_counter_ns()
        found.append(shard.query(request))
        cpu.append(time.process_time_ns() - c)
        wall.append(time.perf_counter_ns() - w)
    took = (faults() - faults_before, read_kb() - read_before)
    hits = sum(len({p.id for p in f} & set(t[:10].tolist())) for f, t in zip(found, truth))
    report(kind="search", recall=hits / (10 * len(requests)), faults=took[0] / len(requests),
           read_kb=took[1] / len(requests), **percentiles("cpu", cpu), **percentiles("wall", wall))


def throughput(shard, requests, seconds, batch, start):
    done, (cpu, wall) = 0, (time.process_time(), time.perf_counter())
    batches = [QueryBatchRequest(requests[i:i + batch]) for i in range(0, len(requests), batch)] if batch else []
    i = start
    while time.perf_counter() - wall < seconds:
        if batch:
            done += len(shard.query_batch(batches[i % len(batches)]))
            i += 1
        else:
            for _ in range(8):
                shard.query(requests[i % len(requests)])
                i += 1
            done += 8
    took = time.perf_counter() - wall
    report(kind="throughput", qps=done / took, cpu_us=(time.process_time() - cpu) / max(done, 1) * 1e6)


def scores(shard, queries, params, truth):
    """The error of the similarities of those of the 100 nearest points that a query finds."""
    cosines = np.load(os.path.join(options.data, "gt_top100_cos.f32.npy"))
    squares = []
    for query, ids, exact in zip(queries, truth.tolist(), cosines.tolist()):
        true = dict(zip(ids, exact))
        found = shard.query(QueryRequest(limit=100, query=Query.Nearest(query), params=params, with_payload=False,
                                         with_vector=False))
        squares += [(p.score - true[p.id]) ** 2 for p in found if p.id in true]
    report(kind="scores", score_error=float(np.sqrt(np.mean(squares))), found=len(squares) / len(queries))


def serve(config):
    queries = unit(np.load(os.path.join(options.data, "queries.f32.npy"))).tolist()
    truth = np.load(os.path.join(options.data, "gt_top100.i32.npy"))
    report(kind="base", rss_mb=status("VmRSS"), anon_mb=status("RssAnon"))
    clock, read_before = Clock(), read_kb()
    with clock:
        shard = EdgeShard.load(options.storage, edge_config(config))
        info = shard.info()
    report(kind="open", open_s=clock.wall, cpu_s=clock.cpu, read_kb=read_kb() - read_before, points=info.points_count,
           indexed=info.indexed_vectors_count, segments=info.segments_count)
    for line in sys.stdin:
        command = json.loads(line)
        params = search_params(command.get("params") or {})
        requests = [QueryRequest(limit=10, query=Query.Nearest(q), params=params, with_payload=False, with_vector=False)
                    for q in queries[:command.get("count") or None]]
        for request in requests[:command.get("warm", 0)]:
            shard.query(request)
        if command.get("scores"):
            scores(shard, queries, params, truth)
        elif "seconds" in command:
            throughput(shard, requests, command["seconds"], command.get("batch"), command.get("start", 0))
        else:
            latencies(shard, requests, truth)
    os._exit(0)  # an end without the engine's own, which may write


if options.mode == "build":
    build(options.config)
else:
    serve(options.config)
