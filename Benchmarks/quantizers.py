#!/usr/bin/env python3
"""Every family and width of codes: Octant's library beside Qdrant's own engine at the same bits, on the same data.

    quantizers.py DATA BENCH [--family NAME]... [--rounds 3] [--threads 2] [--quick] [--out FILE]

The collections are as in corners.py (one segment, m 16, ef_construct 100, vectors on disk, codes in RAM). For each kind
of codes: bytes per vector in its files; the squared error of the vectors made of them, as a share of the vectors' own
squares (Octant alone: the other engine does not tell); the error of the similarities that the codes give alone (RMS over those of the
100 nearest that are found), and recall@10 and CPU µs with the codes alone and with rescoring of 2 and 4 times the limit,
at several `hnsw_ef`. Octant's graph is the same for all kinds of codes.
"""
import argparse
import json
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import engines
from corners import ENGINES, Run, machine

RAM = {"always_ram": True}
FAMILIES = {
    "scalar int8": (8, {"scalar": {"type": "int8", "quantile": 0.99, **RAM}}),
    "turbo 4 bits": (4, {"turbo": {"bits": "bits4", **RAM}}),
    "turbo 2 bits": (2, {"turbo": {"bits": "bits2", **RAM}}),
    "turbo 1.5 bits": (1.5, {"turbo": {"bits": "bits1_5", **RAM}}),
    "turbo 1 bit": (1, {"turbo": {"bits": "bits1", **RAM}}),
    "binary 2 bits": (2, {"binary": {"encoding": "two_bits", **RAM}}),
    "binary 1.5 bits": (1.5, {"binary": {"encoding": "one_and_half_bits", **RAM}}),
    "binary 1 bit": (1, {"binary": {**RAM}}),
    "binary 1 bit, query 4 bits": (1, {"binary": {"query_encoding": "scalar4bits", **RAM}}),
    "binary 1 bit, query 8 bits": (1, {"binary": {"query_encoding": "scalar8bits", **RAM}}),
    "product x4": (8, {"product": {"compression": "x4", **RAM}}),
    "product x8": (4, {"product": {"compression": "x8", **RAM}}),
    "product x16": (2, {"product": {"compression": "x16", **RAM}}),
    "product x32": (1, {"product": {"compression": "x32", **RAM}}),
    "product x64": (0.5, {"product": {"compression": "x64", **RAM}}),
}
MODES = {"codes alone": {"rescore": False}, "rescored × 2": {"rescore": True, "oversampling": 2.0},
         "rescored × 4": {"rescore": True, "oversampling": 4.0}}
EFS = (64, 128, 256)


# What Octant's block files of other types hold; see docs/format/segment.md.
NOT_CODES = {b"IDMP", b"PAYL", b"VECS", b"PRES", b"HNSW", b"FIDX", b"SPRS", b"MVEC", b"LENS"}


def code_bytes(folder):
    """The bytes of codes in a collection's folder, of either engine."""
    total = 0
    for where, _, files in os.walk(folder):
        for name in files:
            path = os.path.join(where, name)
            if name == "quantized.data":
                total += os.path.getsize(path)
            else:
                with open(path, "rb") as f:
                    head = f.read(48)
                if head[:8] == b"OCTANTBF" and head[12:16] not in NOT_CODES:
                    total += int.from_bytes(head[40:48], "little")
    return total


def measure(run, name, options):
    bits, quantization = FAMILIES[name]
    config = run.config({"config": {"vectors": {"on_disk": True}, "quantization_config": quantization}})
    children = {}
    try:
        for engine in ENGINES:
            storage = run.storage("codes", engine)
            try:
                built = engines.build(run.program(engine), run.data, storage, config, options.threads)
                children[engine] = run.child("codes", engine, config)
                opened = children[engine].read("open")
            except engines.Failure as error:
                run.add(family=name, engine=engine, kind="failed", error=str(error))
                continue
            scores = children[engine].ask(
                "scores", scores=True, params={"hnsw_ef": 512, "quantization": MODES["codes alone"]})
            run.add(family=name, bits=bits, engine=engine, kind="codes", bytes=code_bytes(storage) / run.points,
                    build_cpu_s=built["cpu_s"], segments=opened["segments"], score_error=scores["score_error"],
                    lost=scores.get("lost"))
        for round_ in range(options.rounds):
            for mode, params in MODES.items():
                for ef in EFS[:1] if options.quick else EFS:
                    for engine, child in children.items():
                        answer = child.ask(params={"hnsw_ef": ef, "quantization": params}, count=run.queries, warm=50)
                        run.add(family=name, engine=engine, round=round_, mode=mode, ef=ef, **answer)
    finally:
        for child in children.values():
            child.close()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data")
    parser.add_argument("bench")
    parser.add_argument("--family", action="append", choices=list(FAMILIES))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--quick", action="store_true", help="one round, one `hnsw_ef`")
    parser.add_argument("--out", default="quantizers.json", help="results; other families' results in it are kept")
    parser.add_argument("--storage")
    options = parser.parse_args()
    options.rounds = 1 if options.quick else options.rounds
    run = Run(options)
    names = options.family or list(FAMILIES)
    kept = []
    if os.path.exists(options.out):
        with open(options.out) as f:
            kept = [s for s in json.load(f)["samples"] if s["family"] not in names]
    try:
        for name in names:
            measure(run, name, options)
            run.write(options.out, kept)
    finally:
        run.close()


if __name__ == "__main__":
    main()
