"""What schemathesis is told about this server: names of collections and points that exist, so that requests get past the 404s.

Loaded by fuzz.py through SCHEMATHESIS_HOOKS. The collections are made again whenever a request has dropped them.
"""
import json
import os
import random
import urllib.request

import schemathesis

URL = os.environ["OCTANT_FUZZ_URL"]
DENSE = {"size": 4, "distance": "Cosine"}
COLLECTIONS = {
    "plain": {"vectors": DENSE},
    "several": {"vectors": {"a": DENSE, "b": {"size": 3, "distance": "Euclid"}}, "sparse_vectors": {"s": {"modifier": "idf"}}},
    "multi": {"vectors": {"size": 2, "distance": "Dot", "multivector_config": {"comparator": "max_sim"}}},
}
INDEXES = {"word": "keyword", "n": "integer", "x": "float", "at": "datetime", "place": "geo", "text": "text", "flag": "bool"}
KEYS = list(INDEXES) + ["word[]", "deep.n", "items[].n"]
rnd = random.Random(os.environ.get("OCTANT_SEED", "20240607"))


def call(method, path, body):
    data = json.dumps(body).encode()
    request = urllib.request.Request(URL + path, data, {"content-type": "application/json"}, method=method)
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.load(answer)["result"]


def vectors(name):
    dense = [rnd.gauss(0, 1) for _ in range(4)]
    if name == "plain":
        return dense
    if name == "multi":
        return [dense[:2], dense[2:]]
    return {"a": dense, "b": dense[:3], "s": {"indices": [1, rnd.randint(2, 9)], "values": [0.5, 1.5]}}


def payload(i):
    return {"word": ["red", "green", "blue"][i % 3], "n": i, "x": i / 2, "flag": i % 2 == 0, "at": f"2024-01-{i % 27 + 1:02}",
            "place": {"lat": i % 80, "lon": i % 170}, "text": f"the quick fox {i}", "deep": {"n": i}, "items": [{"n": i}, {"n": -i}]}


def make():
    """The collections, where they are missing."""
    there = {c["name"] for c in json.load(urllib.request.urlopen(URL + "/collections", timeout=60))["result"]["collections"]}
    for name, config in COLLECTIONS.items():
        if name in there:
            continue
        call("PUT", f"/collections/{name}", config)
        for field, schema in INDEXES.items():
            call("PUT", f"/collections/{name}/index?wait=true", {"field_name": field, "field_schema": schema})
        points = [{"id": i, "vector": vectors(name), "payload": payload(i)} for i in range(60)]
        call("PUT", f"/collections/{name}/points?wait=true", {"points": points})


@schemathesis.hook
def map_path_parameters(ctx, path_parameters):
    if not path_parameters:
        return path_parameters
    known = {"collection_name": list(COLLECTIONS), "id": [str(i) for i in range(60)], "field_name": list(INDEXES), "vector_name": ["a", "b", "s"]}
    for name, values in known.items():
        if name in path_parameters and rnd.random() < 0.9:
            path_parameters[name] = rnd.choice(values)
    return path_parameters


def improve(value, key=""):
    """Ids, keys and vectors of a generated body that mean something to the collections above."""
    if isinstance(value, dict):
        return {k: improve(v, k) for k, v in value.items()}
    if isinstance(value, list):
        numbers = value and all(isinstance(v, (int, float)) and not isinstance(v, bool) for v in value)
        if numbers and key in ("vector", "query", "nearest", "positive", "negative", "target") and rnd.random() < 0.7:
            return [0.1, -0.2, 0.3, 0.4]
        return [improve(v, key) for v in value]
    if key in ("key", "group_by", "field_name", "order_by") and isinstance(value, str) and rnd.random() < 0.7:
        return rnd.choice(KEYS)
    if key in ("ids", "points", "has_id", "id") and isinstance(value, int) and rnd.random() < 0.7:
        return rnd.randrange(60)
    if key in ("using", "has_vector") and isinstance(value, str) and rnd.random() < 0.7:
        return rnd.choice(["", "a", "b", "s"])
    return value


@schemathesis.hook
def map_body(ctx, body):
    return improve(body)


calls = 0


@schemathesis.hook
def before_call(ctx, case, *rest):
    global calls
    calls += 1
    if calls % 20 == 1:
        make()
