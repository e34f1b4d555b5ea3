"""What changes a collection's settings, indexes and names while others write, and what must be left of it after a kill."""
import random
import threading

from reliability.writes import SPARSE, VECTORS, Lost, OverREST, Refused

FIELDS = {"g": "keyword", "n": "integer", "text": "text", "owner": "integer"}
QUANTIZATION = [None, {"scalar": {"type": "int8", "always_ram": True}}, {"scalar": {"type": "int8", "quantile": 0.99}},
                {"binary": {}}, {"product": {"compression": "x8"}}]


def random_collection(rnd):
    """The body that creates a collection of the writers', of a random configuration."""
    on_disk = rnd.random() < 0.4
    body = {"vectors": {n: {**v, "on_disk": on_disk} for n, v in VECTORS.items()}, "sparse_vectors": SPARSE,
            "hnsw_config": {"full_scan_threshold": 10, "m": rnd.choice([0, 8, 16]), "ef_construct": 32, "on_disk": rnd.random() < 0.3},
            "optimizers_config": {**random_optimizers(rnd), "vacuum_min_vector_number": 100, "deleted_threshold": rnd.choice([0.1, 0.5])},
            "wal_config": {"wal_capacity_mb": rnd.choice([1, 1, 2, 4])}, "on_disk_payload": rnd.random() < 0.5}
    quantization = rnd.choice(QUANTIZATION)
    if quantization:
        body["quantization_config"] = quantization
    return body


def random_optimizers(rnd):
    return {"indexing_threshold": rnd.choice([10, 10, 100, 10_000]), "default_segment_number": rnd.choice([0, 1, 2, 4]),
            "flush_interval_sec": rnd.choice([1, 5])}


def random_environment(rnd):
    """Settings of a server's next life: none changes what is stored."""
    return {"QDRANT__STORAGE__LOW_MEMORY_MODE": rnd.choice(["disabled", "disabled", "no_resident", "no_populate"]),
            "QDRANT__STORAGE__PERFORMANCE__MAX_SEARCH_THREADS": str(rnd.choice([0, 1, 4])),
            "QDRANT__STORAGE__PERFORMANCE__OPTIMIZER_CPU_BUDGET": str(rnd.choice([0, 1, 2])),
            "QDRANT__STORAGE__ON_DISK_PAYLOAD": rnd.choice(["true", "false"])}


class Known:
    """The value last acknowledged of something, or, while a change is on its way, the values it may have."""

    def __init__(self, value):
        self.value, self.proposed = value, []

    def check(self, found, what):
        assert found == self.value or found in self.proposed, f"{what} is {found!r}, not {self.value!r} or one of {self.proposed!r}"
        self.value, self.proposed = found, []


class Settings:
    """What is known of one collection beside its points."""

    def __init__(self, body):
        self.values = {"indexes": Known(frozenset()), "quantization": Known(body.get("quantization_config")),
                       "indexing_threshold": Known(body["optimizers_config"]["indexing_threshold"])}
        self.snapshots = Known(frozenset())

    def check(self, rest, name, has_snapshots):
        info = rest("GET", f"/collections/{name}").result
        assert info["status"] in ("green", "yellow", "grey"), info
        found = {"indexes": frozenset(info["payload_schema"]), "quantization": plain(info["config"]["quantization_config"]),
                 "indexing_threshold": info["config"]["optimizer_config"]["indexing_threshold"]}
        for what, known in self.values.items():
            known.value, known.proposed = plain(known.value), [plain(v) for v in known.proposed]
            known.check(found[what], f"{what} of {name}")
        if has_snapshots:
            names = frozenset(s["name"] for s in rest("GET", f"/collections/{name}/snapshots").result)
            assert names >= self.snapshots.value, f"snapshots of {name} are gone: {self.snapshots.value - names}"
            self.snapshots.value = names


def plain(value):
    """A configuration without what is unset or the default."""
    if isinstance(value, dict):
        return {k: plain(v) for k, v in value.items() if v is not None}
    return value


class Admin(threading.Thread):
    """Indexes, settings, snapshots, aliases, and the coming and going of other collections, until the connection breaks."""

    PAUSE = 0.01

    def __init__(self, server, settings, others, aliases, has_snapshots, seed):
        super().__init__(daemon=True)
        self.settings, self.others, self.aliases, self.has_snapshots = settings, others, aliases, has_snapshots
        self.rnd, self.wire = random.Random(seed), OverREST(server)
        self.unsure = None  # the other collection whose creation, filling or end is on its way
        self.done, self.failure, self.halt = {}, None, threading.Event()

    def run(self):
        try:
            while not self.halt.wait(self.PAUSE):
                kind = self.rnd.choices(["other", "index", "optimizers", "quantization", "placement", "alias", "snapshot"],
                                        [8, 5, 3, 2, 1, 2, 2])[0]
                if kind == "snapshot" and not self.has_snapshots:
                    continue
                getattr(self, kind)()
                self.done[kind] = self.done.get(kind, 0) + 1
        except Lost:
            pass
        except Exception as e:
            self.failure = f"{type(e).__name__}: {e}"
        finally:
            self.wire.close()

    def change(self, known, value, method, path, body=None):
        known.proposed = [value]
        self.wire.ask(method, path, body)
        known.value, known.proposed = value, []

    def index(self):
        name = self.rnd.choice(list(self.settings))
        known = self.settings[name].values["indexes"]
        field = self.rnd.choice(list(FIELDS))
        path = f"/collections/{name}/index"
        if field in known.value:
            self.change(known, known.value - {field}, "DELETE", f"{path}/{field}?wait=true")
        else:
            self.change(known, known.value | {field}, "PUT", f"{path}?wait=true", {"field_name": field, "field_schema": FIELDS[field]})

    def optimizers(self):
        name, new = self.rnd.choice(list(self.settings)), random_optimizers(self.rnd)
        self.change(self.settings[name].values["indexing_threshold"], new["indexing_threshold"], "PATCH", f"/collections/{name}",
                    {"optimizers_config": new})

    def quantization(self):
        name, new = self.rnd.choice(list(self.settings)), self.rnd.choice(QUANTIZATION)
        self.change(self.settings[name].values["quantization"], new, "PATCH", f"/collections/{name}",
                    {"quantization_config": new or "Disabled"})

    def placement(self):
        r = self.rnd
        self.wire.ask("PATCH", f"/collections/{r.choice(list(self.settings))}", r.choice([
            {"vectors": {"a": {"on_disk": r.random() < 0.5}}}, {"hnsw_config": {"on_disk": r.random() < 0.5}},
            {"hnsw_config": {"m": r.choice([8, 16])}}]))

    def alias(self):
        target = self.rnd.choice(list(self.settings))
        actions = [{"create_alias": {"collection_name": target, "alias_name": "live"}}]
        if self.aliases.value:
            actions.insert(0, {"delete_alias": {"alias_name": "live"}})
        self.change(self.aliases, target, "POST", "/collections/aliases", {"actions": actions})

    def other(self):
        """Makes a small collection with a few points, or drops it."""
        name = f"other{self.rnd.randint(0, 4)}"
        self.unsure = name
        if name in self.others:
            self.wire.ask("DELETE", f"/collections/{name}")
            self.others.pop(name)
        else:
            body = random_collection(self.rnd)
            self.wire.ask("PUT", f"/collections/{name}", body)
            self.others[name] = 0
            count = self.rnd.randint(1, 20)
            points = [{"id": i, "vector": {"a": [float(i)] * 16}, "payload": {"of": name}} for i in range(count)]
            self.wire.ask("PUT", f"/collections/{name}/points?wait=true", {"points": points})
            self.others[name] = count
        self.unsure = None

    def snapshot(self):
        name = self.rnd.choice(list(self.settings))
        known, path = self.settings[name].snapshots, f"/collections/{name}/snapshots"
        if len(known.value) >= 2:
            gone = self.rnd.choice(sorted(known.value))
            known.value -= {gone}
            self.wire.ask("DELETE", f"{path}/{gone}")
        else:
            known.value |= {self.wire.ask("POST", f"{path}?wait=true")["name"]}


def check_others(rest, others, unsure):
    """The other collections are those acknowledged, with all they were given."""
    for name, count in others.items():
        if name != unsure:
            found = rest("POST", f"/collections/{name}/points/scroll", {"limit": 100}).result["points"]
            assert [(p["id"], p["payload"]) for p in found] == [(i, {"of": name}) for i in range(count)], f"{name}: {found}"


__all__ = ["Admin", "Known", "Refused", "Settings", "check_others", "random_collection", "random_environment"]
