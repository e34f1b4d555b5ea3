"""The tuner, and recall as a parameter of searches, on real embeddings."""
import json
import os
import subprocess
import tempfile
import time
import xml.etree.ElementTree as ElementTree

import pytest
from conftest import wait_green
from dataset import Data, recall
from octant_server import BINARY, Server
from test_recall import load


@pytest.fixture(scope="module")
def data():
    return Data()


@pytest.fixture(scope="module")
def loaded(client, data):
    name = load(client, data, "tune")
    yield name
    client.delete_collection(name)


def found(rest, name, queries, params):
    lists = []
    for a in range(0, len(queries), 50):
        body = {"searches": [{"query": q.tolist(), "limit": 10, "params": params} for q in queries[a:a + 50]]}
        lists += rest("POST", f"/collections/{name}/points/query/batch", body).result
    return [[p["id"] for p in r["points"]] for r in lists]


def tune(rest, name, body, seconds=300):
    r = rest("POST", f"/collections/{name}/tune", body)
    assert r.status == 200, r.body
    until = time.time() + seconds
    while time.time() < until:
        state = rest("GET", f"/collections/{name}/tune").result
        assert 0 <= state["progress"]["done"] <= state["progress"]["total"] and state["progress"]["step"]
        if state["state"] != "running":
            return state
        time.sleep(0.1)
    raise AssertionError("tuning does not end")


def test_report_and_curve(rest, loaded, data):
    half = len(data.queries) // 2
    assert rest("GET", f"/collections/{loaded}/tune").result == {"state": "none"}
    body = {"recall": 0.95, "configurations": False, "cpu_budget": 1, "queries": [q.tolist() for q in data.queries[:half]]}
    state = tune(rest, loaded, body)
    assert state["state"] == "done", state
    report = state["report"]
    assert report["meets_goal"] and not report["applied"] and report["queries"] == half and report["queries_from"] == "request"
    points = report["points"]
    chosen = points[report["recommended"]]
    assert chosen["recall"] >= 0.95 and chosen["pareto"] and chosen["source"] == "measured"
    assert all(p["memory"] > report["rows"] * data.dim * 3.5 and 0 < p["p50_ms"] <= p["p95_ms"] for p in points)
    for p in points:
        better = [o for o in points if o["recall"] >= p["recall"] and o["p50_ms"] <= p["p50_ms"] and o["memory"] <= p["memory"] and o != p]
        assert p["pareto"] == (not better)
    others, truth = data.queries[half:], data.truth[half:]
    assert recall(found(rest, loaded, others, chosen["params"]), truth) >= 0.94
    for wanted in (0.9, 0.95, 0.99):
        reached = recall(found(rest, loaded, others, {"recall": wanted}), truth)
        print(f"recall {wanted}: {reached:.4f}")
        assert reached >= wanted - 0.01
    assert recall(found(rest, loaded, others, {"recall": 1.0}), truth) == 1.0


def test_a_goal_that_cannot_be_met_is_said_to_be_so(rest, loaded):
    state = tune(rest, loaded, {"recall": 0.9, "memory": 1000, "configurations": False, "cpu_budget": 1})
    report = state["report"]
    assert not report["meets_goal"] and "Nothing fits" in report["statement"] and "recommended" in report


@pytest.mark.parametrize("body", [{"recall": 0}, {"recall": 1.5}, {"memory": 0}, {"p95_ms": 0}, {"cpu_budget": 2}, {"limit": 0}])
def test_bad_numbers(rest, loaded, body):
    assert rest("POST", f"/collections/{loaded}/tune", body).status == 422


def test_bad_requests(rest, loaded):
    assert rest("POST", f"/collections/{loaded}/tune", {"goal": 1}).status == 400
    assert rest("POST", f"/collections/{loaded}/tune", {"using": "other"}).status == 400
    assert rest("POST", "/collections/missing/tune", {}).status == 404
    assert rest("GET", "/collections/missing/tune").status == 404
    for wrong in (0, 1.01, -1, "much"):
        r = rest("POST", f"/collections/{loaded}/points/query", {"query": 1, "params": {"recall": wrong}})
        assert r.status == (400 if wrong == "much" else 422)


def test_one_at_a_time_and_cancelling(rest, loaded):
    body = {"recall": 0.95, "cpu_budget": 0.02, "seed": 9}
    assert rest("POST", f"/collections/{loaded}/tune", body).result["state"] == "running"
    assert rest("POST", f"/collections/{loaded}/tune", body).status == 400
    assert rest("DELETE", f"/collections/{loaded}/tune").result is True
    until = time.time() + 60
    while rest("GET", f"/collections/{loaded}/tune").result["state"] == "running":
        assert time.time() < until
        time.sleep(0.1)
    state = rest("GET", f"/collections/{loaded}/tune").result
    assert state["state"] == "failed" and "cancelled" in state["error"]


def test_applying(client, rest, data):
    name = load(client, data, "tune-apply")
    try:
        limit = len(data.vectors()) * (data.dim * 2 + 300)  # no room for the originals
        state = tune(rest, name, {"recall": 0.9, "memory": limit, "cpu_budget": 1, "apply": True, "sample_rows": 2000})
        report = state["report"]
        chosen = report["points"][report["recommended"]]
        assert report["meets_goal"] and report["applied"] and chosen["memory"] <= limit and chosen["source"] == "measured"
        wait_green(client, name)
        vectors = rest("GET", f"/collections/{name}").result["config"]["params"]["vectors"]
        assert vectors.get("on_disk") is True or vectors.get("memory") == "cold"
        # Searches that say nothing are done as recommended.
        assert recall(found(rest, name, data.queries, {}), data.truth) >= 0.89
        assert found(rest, name, data.queries[:20], {}) == found(rest, name, data.queries[:20], chosen["params"])
        assert rest("DELETE", f"/collections/{name}/tune").result is True
    finally:
        client.delete_collection(name)


def test_command_line_with_url_and_folder(data):
    with Server() as server, tempfile.TemporaryDirectory() as folder:
        from conftest import connect
        client = connect(server)
        load(client, data, "cli")
        queries = os.path.join(folder, "queries.jsonl")
        with open(queries, "w") as f:
            for q in data.queries[:60]:
                f.write(json.dumps(q.tolist()) + "\n")
        plot = os.path.join(folder, "plot.svg")
        common = ["--recall", "0.9", "--memory", "200MB", "--p95", "100ms", "--no-configurations", "--cpu-budget", "1"]
        run = subprocess.run([BINARY, "tune", server.url, "cli", *common, "--queries", queries, "--plot", plot],
                             capture_output=True, text=True, timeout=300)
        assert run.returncode == 0, run.stderr
        assert "meets the goal" in run.stdout and "60 queries of yours" in run.stdout and "[" in run.stderr
        drawing = ElementTree.parse(plot).getroot()
        assert drawing.tag.endswith("svg") and len(drawing.findall("{*}circle")) > 5
        assert any("recall@10" in (t.text or "") for t in drawing.iter())
        assert server.stop() == 0
        run = subprocess.run([BINARY, "tune", server.storage, "cli", *common], capture_output=True, text=True, timeout=300)
        assert run.returncode == 0, run.stderr
        assert "stored vectors" in run.stdout
        run = subprocess.run([BINARY, "tune", server.storage, "cli", "--recall", "0.9", "--memory", "1KB", "--no-configurations",
                              "--cpu-budget", "1"], capture_output=True, text=True, timeout=300)
        assert run.returncode == 1 and "Nothing fits" in run.stdout
        run = subprocess.run([BINARY, "tune", server.storage, "none"], capture_output=True, text=True, timeout=60)
        assert run.returncode == 1 and "doesn't exist" in run.stderr
