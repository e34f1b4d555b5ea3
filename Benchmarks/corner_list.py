"""The corners of memory, speed and precision: their configurations, how they are asked, and their goals beside Qdrant.

A mode is a `params` object of a query without `hnsw_ef`; the first is the one that ratios are about. Goals are largest
ratios Octant ÷ Qdrant: CPU time of a search at equal recall, CPU time until indexed, resident memory after opening, and
the peak while building. `recall` is that of the figures taken at one recall only; `limits` are the shares of the raw
vectors that a limit of the process' memory holds, tried until one is enough.
"""
RESCORED = {"quantization": {"rescore": True, "oversampling": 2.0}}
CODES = {"quantization": {"rescore": False}}
INT8 = {"scalar": {"type": "int8", "quantile": 0.99, "always_ram": True}}
FLOATS_GOALS = {"search": 0.5, "build": 0.5, "memory": 0.8, "peak": 0.6}
INT8_GOALS = {"search": 0.7, "build": 0.8, "memory": 0.8, "peak": 0.6}

CORNERS = {
    "low-memory": {
        "title": "Low memory, high speed",
        "what": "vectors on disk, int8 codes in RAM, the best rescored",
        "config": {"vectors": {"on_disk": True}, "quantization_config": INT8},
        "modes": {"rescored × 2": RESCORED, "codes alone": CODES},
        "goals": INT8_GOALS, "recall": 0.95, "limits": (0.25, 0.5),
    },
    "on-disk": {
        "title": "High precision, low memory",
        "what": "vectors and graph on disk, m 64, ef_construct 512",
        "config": {"vectors": {"on_disk": True}, "hnsw_config": {"m": 64, "ef_construct": 512, "on_disk": True}},
        "modes": {"plain": {}},
        "goals": FLOATS_GOALS, "recall": 0.95, "limits": (0.1, 0.25),
    },
    "int8-in-ram": {
        "title": "High precision, high speed",
        "what": "vectors and int8 codes in RAM, the best rescored",
        "config": {"quantization_config": INT8},
        "modes": {"rescored × 2": RESCORED, "codes alone": CODES},
        "goals": INT8_GOALS, "recall": 0.98,
    },
    "defaults": {
        "title": "High precision, high speed: defaults",
        "what": "everything in RAM, nothing configured",
        "config": {},
        "modes": {"plain": {}},
        "goals": FLOATS_GOALS, "recall": 0.98,
    },
    "16-segments": {
        "title": "Lowest latency of one query",
        "what": "16 segments, searched side by side",
        "config": {"optimizers_config": {"default_segment_number": 16}},
        "modes": {"plain": {}},
        "goals": FLOATS_GOALS, "recall": 0.98, "largest_ef": 128,
    },
    "2-segments": {
        "title": "Highest throughput",
        "what": "2 segments, one core per query under load",
        "config": {"optimizers_config": {"default_segment_number": 2}},
        "modes": {"plain": {}},
        "goals": FLOATS_GOALS, "recall": 0.98,
    },
}
