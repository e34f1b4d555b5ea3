"""Random writes to a collection, what each makes of the points, and how they are sent over REST and gRPC.

A point's state is `(vectors, payload)`. A write is a list of steps, more than one in a batch; a step changes the points it
names. What a step makes of the points is worked out here, from the state known before, and never read back from the server.
"""
import http.client

import grpc
from qdrant_client import QdrantClient, models
from rest import Rest

DENSE, SECOND = 16, 8
GROUPS = "abcd"
VECTORS = {"a": {"size": DENSE, "distance": "Dot"}, "b": {"size": SECOND, "distance": "Euclid"}}
SPARSE = {"s": {}}


class Lost(Exception):
    """The connection broke while the request was on its way: nobody knows what became of it."""


class Refused(Exception):
    """The server answered that it will not."""


def numbers(rnd, count):
    return [rnd.randint(-64, 64) / 8 for _ in range(count)]  # exact in float32


def sparse(rnd):
    return {"indices": sorted(rnd.sample(range(50), 4)), "values": [rnd.randint(1, 64) / 8 for _ in range(4)]}


def payload(rnd, owner, key):
    size = rnd.choices([rnd.randint(0, 100), 2_000, 20_000], [80, 17, 3])[0]
    return {"n": rnd.randint(0, 10**9), "g": rnd.choice(GROUPS), "owner": owner, "key": key, "text": "word " * (size // 5)}


def point(rnd, owner, key):
    vectors = {"a": numbers(rnd, DENSE), "b": numbers(rnd, SECOND)}
    if rnd.random() < 0.5:
        vectors["s"] = sparse(rnd)
    return vectors, payload(rnd, owner, key)


def selected_by(filter, states):
    return [k for k, (_, p) in states.items() if p.get("owner") == filter["owner"] and p.get("g") == filter["g"]]


def outcome(step, states):
    """What a step makes of the points: key -> state, None if it is gone. `states` has all keys of the writer."""
    kind, args = step
    if kind == "upsert":
        return dict(args["points"])
    keys = selected_by(args["filter"], states) if "filter" in args else args.get("keys", [])
    if kind == "delete":
        return {k: None for k in keys}
    after = {}
    for k in keys:
        vectors, old = states[k]
        if kind == "set_payload":
            after[k] = vectors, {**old, **args["payload"]}
        elif kind == "overwrite_payload":
            after[k] = vectors, args["payload"]
        elif kind == "delete_payload":
            after[k] = vectors, {f: v for f, v in old.items() if f not in args["fields"]}
        elif kind == "clear_payload":
            after[k] = vectors, {}
        elif kind == "update_vectors":
            after[k] = {**vectors, **args["vectors"][k]}, old
        elif kind == "delete_vectors":
            after[k] = {n: v for n, v in vectors.items() if n not in args["names"]}, old
        else:
            raise AssertionError(kind)
    return after


KINDS = {"upsert": 48, "delete": 10, "delete_filter": 2, "set_payload": 8, "set_filter": 3, "overwrite_payload": 6,
         "delete_payload": 4, "clear_payload": 3, "update_vectors": 8, "delete_vectors": 4}


def random_step(rnd, owner, keys, states):
    """A step for some of the keys; every key of `keys` is the writer's own."""
    chosen = rnd.sample(keys, rnd.choice([1, 1, 3, 10, 40]))
    known = [k for k in chosen if k in states]
    kind = rnd.choices(list(KINDS), list(KINDS.values()))[0]
    if kind == "upsert" or not known:
        return "upsert", {"points": {k: point(rnd, owner, k) for k in chosen}}
    if kind == "delete":
        return kind, {"keys": chosen}
    if kind == "delete_filter":
        return "delete", {"filter": {"owner": owner, "g": rnd.choice(GROUPS)}}
    new = {"n": rnd.randint(0, 10**9), "extra": [rnd.random(), None, {"deep": True}]}
    if kind == "set_filter":
        return "set_payload", {"filter": {"owner": owner, "g": rnd.choice(GROUPS)}, "payload": new}
    if kind == "update_vectors":
        def some():
            return {"b": numbers(rnd, SECOND)} if rnd.random() < 0.3 else {"a": numbers(rnd, DENSE), "s": sparse(rnd)}
        return kind, {"keys": known, "vectors": {k: some() for k in known}}
    if kind == "delete_vectors":
        return kind, {"keys": known, "names": rnd.choice([["s"], ["b"], ["a", "s"]])}
    if kind == "delete_payload":
        return kind, {"keys": known, "fields": rnd.choice([["g"], ["n", "text"], ["missing"]])}
    return kind, {"keys": known, "payload": new}


def random_write(rnd, owner, keys, states):
    """One to four steps, and what the points are after each: [(step, {key: state})]."""
    steps, now = [], dict(states)
    for _ in range(rnd.choice([1, 1, 1, 1, 1, 1, 2, 4])):
        step = random_step(rnd, owner, keys, now)
        after = outcome(step, now)
        settle(now, after)
        steps.append((step, after))
    return steps


def settle(states, after):
    for k, s in after.items():
        if s is None:
            states.pop(k, None)
        else:
            states[k] = s


def filter_of(args):
    return {"must": [{"key": f, "match": {"value": v}} for f, v in args["filter"].items()]}


class OverREST:
    """Sends writes as a plain HTTP client."""

    BROKEN = (OSError, http.client.HTTPException)

    def __init__(self, server, timeout=60):
        self.rest = Rest(server.url, timeout=timeout)

    def close(self):
        self.rest.close()

    def ask(self, method, path, body=None):
        try:
            r = self.rest(method, path, body)
        except self.BROKEN as e:
            raise Lost(str(e)) from None
        if r.status != 200:
            raise Refused(f"{method} {path}: {r.status} {r.body[:300]!r}")
        return r.json["result"]

    def write(self, collection, steps, wait=True):
        """Sends the steps of a write; the ids of their operations."""
        tail = f"?wait={'true' if wait else 'false'}"
        if len(steps) > 1:
            results = self.ask("POST", f"/collections/{collection}/points/batch{tail}",
                               {"operations": [{k: self.body(k, a)} for k, a in steps]})
        else:
            kind, args = steps[0]
            method, path = {"upsert": ("PUT", ""), "delete": ("POST", "/delete"), "set_payload": ("POST", "/payload"),
                            "overwrite_payload": ("PUT", "/payload"), "delete_payload": ("POST", "/payload/delete"),
                            "clear_payload": ("POST", "/payload/clear"), "update_vectors": ("PUT", "/vectors"),
                            "delete_vectors": ("POST", "/vectors/delete")}[kind]
            results = [self.ask(method, f"/collections/{collection}/points{path}{tail}", self.body(kind, args))]
        wanted = "completed" if wait else "acknowledged"
        for r in results:
            if r["status"] != wanted:
                raise Refused(f"{collection}: {r} instead of {wanted}")
        return [r["operation_id"] for r in results]

    @staticmethod
    def body(kind, args):
        if kind == "upsert":
            return {"points": [{"id": k, "vector": v, "payload": p} for k, (v, p) in args["points"].items()]}
        if kind == "update_vectors":
            return {"points": [{"id": k, "vector": v} for k, v in args["vectors"].items()]}
        body = {"filter": filter_of(args)} if "filter" in args else {"points": args["keys"]}
        if "payload" in args:
            body["payload"] = args["payload"]
        if kind == "delete_payload":
            body["keys"] = args["fields"]
        if kind == "delete_vectors":
            body["vector"] = args["names"]
        return body

    def read(self, collection, keys):
        points = self.ask("POST", f"/collections/{collection}/points",
                          {"ids": keys, "with_vector": True, "with_payload": True})
        return {p["id"]: (p["vector"], p["payload"]) for p in points}


class OverGRPC:
    """Sends writes with the official client over gRPC."""

    def __init__(self, server, timeout=60):
        self.client = QdrantClient(url=server.url, grpc_port=server.grpc_port, prefer_grpc=True, timeout=timeout,
                                   check_compatibility=False)

    def close(self):
        self.client.close()

    def call(self, function, *args, **kw):
        try:
            return function(*args, **kw)
        except grpc.RpcError as e:
            if e.code() in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED):
                raise Lost(str(e.details())) from None
            raise Refused(f"{e.code()}: {e.details()}") from None

    def write(self, collection, steps, wait=True):
        operations = [self.operation(k, a) for k, a in steps]
        results = self.call(self.client.batch_update_points, collection, operations, wait=wait)
        wanted = "completed" if wait else "acknowledged"
        for r in results:
            if r.status.value != wanted:
                raise Refused(f"{collection}: {r} instead of {wanted}")
        return [r.operation_id for r in results]

    @staticmethod
    def vectors(vectors):
        return {n: models.SparseVector(**v) if isinstance(v, dict) else v for n, v in vectors.items()}

    @classmethod
    def operation(cls, kind, args):
        if kind == "upsert":
            points = [models.PointStruct(id=k, vector=cls.vectors(v), payload=p) for k, (v, p) in args["points"].items()]
            return models.UpsertOperation(upsert=models.PointsList(points=points))
        if kind == "update_vectors":
            points = [models.PointVectors(id=k, vector=cls.vectors(v)) for k, v in args["vectors"].items()]
            return models.UpdateVectorsOperation(update_vectors=models.UpdateVectors(points=points))
        filter = models.Filter(**filter_of(args)) if "filter" in args else None
        keys = None if filter else args["keys"]
        if kind in ("delete", "clear_payload"):
            chosen = models.FilterSelector(filter=filter) if filter else models.PointIdsList(points=keys)
            if kind == "delete":
                return models.DeleteOperation(delete=chosen)
            return models.ClearPayloadOperation(clear_payload=chosen)
        if kind == "delete_payload":
            return models.DeletePayloadOperation(delete_payload=models.DeletePayload(keys=args["fields"], points=keys, filter=filter))
        if kind == "delete_vectors":
            return models.DeleteVectorsOperation(delete_vectors=models.DeleteVectors(vector=args["names"], points=keys, filter=filter))
        new = models.SetPayload(payload=args["payload"], points=keys, filter=filter)
        if kind == "set_payload":
            return models.SetPayloadOperation(set_payload=new)
        return models.OverwritePayloadOperation(overwrite_payload=new)

    def read(self, collection, keys):
        records = self.call(self.client.retrieve, collection, keys, with_vectors=True, with_payload=True)
        plain = lambda v: {"indices": v.indices, "values": v.values} if isinstance(v, models.SparseVector) else v
        return {r.id: ({n: plain(v) for n, v in (r.vector or {}).items()}, r.payload) for r in records}
