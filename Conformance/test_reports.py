"""What the server tells of itself: telemetry, metrics, background work, findings, and the settings it keeps."""
import os
import re
import time

import pytest
from conftest import connect, wait_green
from octant_server import Server
from qdrant_client import models
from rest import Rest

BASE = {"id", "app", "collections", "cluster", "requests", "quota"}


@pytest.fixture
def filled(client, name):
    client.create_collection(name, vectors_config=models.VectorParams(size=4, distance="Dot"))
    client.upsert(name, [models.PointStruct(id=i, vector=[1.0, 2, 3, i], payload={"n": i}) for i in range(20)])
    return name


def test_telemetry_keys_by_level(rest, filled):
    for level, keys in ((0, BASE), (1, BASE | {"memory", "hardware", "search_pool"}), (2, BASE | {"memory", "hardware", "search_pool"})):
        report = rest("GET", f"/telemetry?details_level={level}").result
        assert set(report) == keys
        models.TelemetryData.model_validate(report)
        assert report["app"]["features"]["staging"] is False
    assert set(rest("GET", "/telemetry").result) == BASE
    assert rest("GET", "/telemetry?details_level=-1").status == 400


def of(report, name):
    return next(c for c in report["collections"]["collections"] if c["id"] == name)


def test_telemetry_of_collections_by_level(rest, filled):
    assert "collections" not in rest("GET", "/telemetry").result["collections"]
    one = rest("GET", "/telemetry?details_level=1").result["collections"]
    assert one["number_of_collections"] == len(one["collections"])
    assert all(set(c) == {"vectors", "optimizers_status", "params"} for c in one["collections"])
    assert any(c["vectors"] == 20 for c in one["collections"])
    two = of(rest("GET", "/telemetry?details_level=2").result, filled)
    assert set(two) == {"id", "init_time_ms", "config"} and two["config"]["params"]["vectors"]["size"] == 4
    report = rest("GET", "/telemetry?details_level=3").result
    models.TelemetryData.model_validate(report)
    three = of(report, filled)
    assert set(three) == {"id", "init_time_ms", "config", "shards", "transfers", "resharding"}
    shard = three["shards"][0]
    assert set(shard) == {"id", "key", "local", "remote", "replicate_states", "partial_snapshot"}
    assert shard["local"]["num_points"] == 20 and shard["local"]["num_vectors"] == 20
    hidden = rest("GET", "/telemetry?details_level=3&anonymize=true&per_collection=true").body.decode()
    assert filled not in hidden


def test_telemetry_counts_answers(rest, filled):
    label = "POST /collections/{name}/points/count"
    def count(report):
        return report["requests"]["rest"]["responses"].get(label, {}).get("200", {}).get("count", 0)
    before = count(rest("GET", "/telemetry").result)
    for _ in range(3):
        rest("POST", f"/collections/{filled}/points/count", {})
    rest("POST", f"/collections/{filled}/points/count", {"filter": 1})
    report = rest("GET", "/telemetry?per_collection=true").result
    assert count(report) == before + 3
    statistics = report["requests"]["rest"]["responses"][label]
    assert statistics["400"]["count"] >= 1
    assert 0 < statistics["200"]["min_duration_micros"] <= statistics["200"]["avg_duration_micros"] <= statistics["200"]["max_duration_micros"]
    assert report["requests"]["rest"]["per_collection_responses"][filled][label]["200"]["count"] == 3


LINE = re.compile(r'([a-z_]+)(?:\{(.*)\})? (\S+)')


def samples(text):
    out, kinds = {}, {}
    for line in text.splitlines():
        if line.startswith("# TYPE "):
            _, _, n, kind = line.split(" ")
            assert n not in kinds, f"{n} is described twice"
            kinds[n] = kind
        elif not line.startswith("#"):
            n, labels, value = LINE.fullmatch(line).groups()
            assert n in kinds or re.sub("_(bucket|sum|count)$", "", n) in kinds, line
            out.setdefault(n, {})[labels or ""] = float(value)
    return out


def test_metrics(rest, filled):
    for _ in range(5):
        assert rest("POST", f"/collections/{filled}/points/scroll", {}).status == 200
    rest("POST", f"/collections/{filled}/points/scroll", {"limit": 0})
    m = samples(rest("GET", "/metrics").body.decode())
    assert m["collections_total"][""] >= 1
    assert m["collection_points"][f'id="{filled}"'] == 20
    assert m["collection_vectors"][f'collection="{filled}",vector=""'] == 20
    assert m["collection_running_optimizations"][f'id="{filled}"'] in (0, 1)
    assert m["collection_update_queue_length"][f'id="{filled}"'] == 0
    for n in ("app_info", "cluster_enabled", "collections_vector_total", "memory_resident_bytes", "process_threads", "process_open_fds",
              "process_max_fds", "process_open_mmaps", "system_max_mmaps", "process_minor_page_faults_total"):
        assert n in m
    ok = 'method="POST",endpoint="/collections/{name}/points/scroll",status="200"'
    bad = ok.replace("200", "422")
    assert m["rest_responses_total"][ok] >= 5 and m["rest_responses_total"][bad] >= 1
    assert m["rest_responses_min_duration_seconds"][ok] <= m["rest_responses_avg_duration_seconds"][ok] <= m["rest_responses_max_duration_seconds"][ok]
    assert bad not in m["rest_responses_avg_duration_seconds"], "durations are those of successes"
    buckets = [(k, v) for k, v in m["rest_responses_duration_seconds_bucket"].items() if k.startswith(ok)]
    assert [v for _, v in buckets] == sorted(v for _, v in buckets) and buckets[-1][0].endswith('le="+Inf"')
    assert buckets[-1][1] == m["rest_responses_duration_seconds_count"][ok] == m["rest_responses_total"][ok]
    assert not any('endpoint="/metrics"' in k for k in m["rest_responses_total"])
    per = samples(rest("GET", "/metrics?per_collection=true").body.decode())
    assert per["rest_responses_total"][f'{ok},collection="{filled}"'] == 5


def forget(folder):
    """Has the system forget the cached pages of a folder's files; whether it can (a file system in memory cannot)."""
    forgotten = False
    for where, _, files in os.walk(folder):
        for name in files:
            file = os.open(os.path.join(where, name), os.O_RDONLY)
            os.fsync(file)
            os.posix_fadvise(file, 0, 0, os.POSIX_FADV_DONTNEED)
            try:
                os.preadv(file, [bytearray(1)], 0, getattr(os, "RWF_NOWAIT", 0))
            except BlockingIOError:
                forgotten = True
            except OSError:
                pass  # nor does it tell
            os.close(file)
    return forgotten


def test_metrics_of_disk_reads():
    """Cold originals are read by searches, and reads and bytes are counted."""
    with Server() as server:
        rest = Rest(server.url)

        def reads():
            m = samples(rest("GET", "/metrics").body.decode())
            return m["search_disk_reads_total"][""], m["search_disk_read_bytes_total"][""]
        client = connect(server)
        client.create_collection("c", vectors_config=models.VectorParams(size=256, distance="Dot", on_disk=True),
                                 optimizers_config=models.OptimizersConfigDiff(indexing_threshold=100))
        client.upload_points("c", (models.PointStruct(id=i, vector=[float((i * j) % 97) for j in range(256)]) for i in range(2000)), wait=True)
        wait_green(client, "c")
        server.stop()
        server.start()
        rest = Rest(server.url)
        client = connect(server)
        # Not before the start: a system that reads far ahead reads a small file whole when it is opened.
        forgotten = forget(server.storage)
        before = reads()
        for i in range(20):
            client.query_points("c", [float(i + j) for j in range(256)], limit=10)
        after = reads()
        memory = rest("GET", "/collections/c/memory").result["process"]["disk_reads"]
    assert before[0] <= after[0] <= memory
    if forgotten:
        assert after[0] > before[0], "what the system had forgotten was read"
    # Whole pages, of the same size each.
    assert after[1] % 4096 == 0 and after[1] * before[0] == before[1] * after[0] and (after[1] > 0) == (after[0] > 0)


def test_metrics_prefix():
    with Server(env={"QDRANT__SERVICE__METRICS_PREFIX": "octant_"}) as server:
        lines = Rest(server.url)("GET", "/metrics").body.decode().splitlines()
        assert lines and all(x.startswith(("octant_", "# HELP octant_", "# TYPE octant_")) for x in lines)


def test_optimizations(client, rest, name):
    client.create_collection(name, vectors_config=models.VectorParams(size=64, distance="Dot"),
                             optimizers_config=models.OptimizersConfigDiff(indexing_threshold=100))
    empty = rest("GET", f"/collections/{name}/optimizations").result
    assert set(empty) == {"summary", "running"} and empty["running"] == []
    client.upload_points(name, (models.PointStruct(id=i, vector=[float(i % 7), 1.0] * 32) for i in range(3000)), wait=True)
    seen = set()
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        r = rest("GET", f"/collections/{name}/optimizations?with=queued,completed,idle_segments").result
        models.OptimizationsResponse.model_validate(r)
        seen |= {job["optimizer"] for job in r["running"]}
        if r["completed"] and not r["running"] and not r["queued"]:
            break
        time.sleep(0.05)
    job = r["completed"][0]
    assert job["status"] == "done" and job["optimizer"] in ("indexing", "merge") and job["progress"]["duration_sec"] > 0
    assert job["segments"] and job["progress"]["finished_at"] >= job["progress"]["started_at"]
    stages = job["progress"]["children"]
    assert [s["name"] for s in stages][:2] == ["verify", "ids"] and stages[-1]["name"] == "publish"
    assert all(s["duration_sec"] >= 0 and s["finished_at"] >= s["started_at"] for s in stages)
    assert 0 < job["memory"]["peak_bytes"] <= 2 * job["memory"]["estimated_bytes"]
    # The vectors alone are as large.
    assert job["extra_disk_bytes"] >= 64 * 4 * sum(s["points_count"] for s in job["segments"])
    # The last points may stay in memory: too few to be due for a graph.
    indexed = wait_green(client, name).indexed_vectors_count
    r = rest("GET", f"/collections/{name}/optimizations?with=idle_segments,completed&completed_limit=0").result
    assert 0 < indexed <= sum(s["points_count"] for s in r["idle_segments"]) <= 3000 and r["completed"] == []
    assert r["summary"]["idle_segments"] == len(r["idle_segments"]) and "queued" not in r
    assert rest("GET", f"/collections/{name}/optimizations?with=everything").status == 400
    assert rest("GET", "/collections/missing/optimizations").status == 404


def test_issues(client, rest, name):
    rest("DELETE", "/issues")
    client.create_collection(name, vectors_config={})
    def find(key):
        f = models.Filter(must=[models.FieldCondition(key=key, match=models.MatchValue(value="x"))])
        client.scroll(name, scroll_filter=f)
    client.upsert(name, [models.PointStruct(id=1, vector={}, payload={"k": "x"})])
    find("k")
    assert rest("GET", "/issues").result == {"issues": []}, "a small collection needs no index"
    for start in range(0, 12000, 4000):
        client.upsert(name, [models.PointStruct(id=i, vector={}, payload={"k": "x"}) for i in range(start, start + 4000)])
    find("k"), find("k"), find("other")
    found = rest("GET", "/issues").result["issues"]
    assert [i["id"].split(":")[-1] for i in found] == ["k", "other"]
    assert found[0]["related_collection"] == name
    body = found[0]["solution"]["immediate"]["action"]["body"]
    assert body == {"field_name": "k", "field_schema": "keyword"}
    assert rest("PUT", f"/collections/{name}/index?wait=true", body).status == 200
    assert [i["id"].split(":")[-1] for i in rest("GET", "/issues").result["issues"]] == ["other"], "solved ones are gone"
    assert rest("DELETE", "/issues").result is True
    assert rest("GET", "/issues").result == {"issues": []}


def test_quotas(rest):
    status = models.QuotaStatus.model_validate(rest("GET", "/quotas").result)
    assert status.config.enabled is False and 0 <= status.usage.disk_usage_percent <= 100
    assert rest("PUT", "/quotas", {"enabled": False}).result is True
    r = rest("PUT", "/quotas", {"enabled": True, "max_disk_usage_percent": 90})
    assert r.status == 501 and "not supported" in r.error
    assert rest("PUT", "/quotas", {"max_disk_usage_percent": 900}).status == 422


def test_strict_mode_is_kept_and_changed(client, rest, name):
    body = {"vectors": {"size": 4, "distance": "Dot"},
            "strict_mode_config": {"enabled": False, "max_query_limit": 5, "sparse_config": {"s": {"max_length": 4}}}}
    assert rest("PUT", f"/collections/{name}", body).result is True
    def now():
        return rest("GET", f"/collections/{name}").result["config"]["strict_mode_config"]
    assert now() == body["strict_mode_config"]
    assert rest("PATCH", f"/collections/{name}", {"strict_mode_config": {"max_query_limit": 9, "search_allow_exact": True}}).result is True
    assert now() == {**body["strict_mode_config"], "max_query_limit": 9, "search_allow_exact": True}
    r = rest("PATCH", f"/collections/{name}", {"strict_mode_config": {"max_query_limit": 0}})
    assert r.status == 422 and r.error == ("Validation error in JSON body: [strict_mode_config.max_query_limit: value 0 invalid, "
                                           "must be 1 or larger]")
    assert rest("PATCH", f"/collections/{name}", {"strict_mode_config": {"max_query_limits": 1}}).status == 400
    assert rest("PATCH", f"/collections/{name}", {"strict_mode_config": {"enabled": 1}}).status == 400


def test_metadata_is_kept_and_merged(client, name):
    client.create_collection(name, vectors_config={}, metadata={"a": 1, "b": {"c": [None]}})
    client.update_collection(name, metadata={"a": None, "d": "x"})
    assert client.get_collection(name).config.metadata == {"b": {"c": [None]}, "d": "x"}


def test_params_are_changed_one_by_one(client, rest, name):
    client.create_collection(name, vectors_config=models.VectorParams(size=4, distance="Dot"))
    before = rest("GET", f"/collections/{name}").result["config"]["params"]
    changes = {"replication_factor": 2, "write_consistency_factor": 2, "read_fan_out_factor": 3, "read_fan_out_delay_ms": 50,
               "on_disk_payload": not before["on_disk_payload"]}
    for key, value in changes.items():
        assert rest("PATCH", f"/collections/{name}", {"params": {key: value}}).result is True
        before[key] = value
        assert rest("GET", f"/collections/{name}").result["config"]["params"] == before
    r = rest("PATCH", f"/collections/{name}", {"params": {"replication_factor": 0}})
    assert r.status == 422 and r.error == "Validation error in JSON body: [params.replication_factor: value 0 invalid, must be 1 or larger]"


def test_warnings_of_settings_without_effect(client, rest, name):
    client.create_collection(name, vectors_config={}, shard_number=3, replication_factor=2)
    warnings = client.get_collection(name).warnings
    assert [w.message.split(" ")[0] for w in warnings] == ["shard_number", "replication_factor"]


def test_a_single_server_has_one_shard_and_no_cluster(rest, filled):
    info = models.CollectionClusterInfo.model_validate(rest("GET", f"/collections/{filled}/cluster").result)
    assert info.shard_count == 1 and info.local_shards[0].points_count == 20
    assert rest("GET", f"/collections/{filled}/shards").result == {"shard_keys": None}
    for verb, path in (("POST", f"/collections/{filled}/cluster"), ("POST", "/cluster/recover"), ("DELETE", "/cluster/peer/1"),
                       ("PUT", f"/collections/{filled}/shards"), ("POST", f"/collections/{filled}/shards/delete")):
        r = rest(verb, path, {})
        assert r.status == 405 and "Qdrant is running in standalone mode" in r.error


@pytest.mark.parametrize("verb, path", [
    ("GET", "/profiler/slow_requests"),
    ("GET", "/logger"), ("POST", "/audit/logs")])
def test_what_is_not_there_says_so(rest, verb, path):
    r = rest(verb, path)
    assert r.status == 501 and r.error == f"{verb} {path} is not supported yet"
