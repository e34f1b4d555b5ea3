"""The service endpoints, the envelope, and what HTTP itself asks for."""
import gzip
import importlib.metadata
import json
import re

import pytest


def test_root_is_a_bare_object_with_title_and_a_version_clients_accept(rest):
    r = rest("GET", "/")
    assert r.status == 200
    assert r.json["title"] == "qdrant - vector search engine"
    assert re.fullmatch(r"1\.19\.\d+", r.json["version"])
    assert "result" not in r.json and "status" not in r.json


@pytest.mark.parametrize("path, text", [("/healthz", "healthz check passed"), ("/livez", "healthz check passed"),
                                        ("/readyz", "all shards are ready")])
def test_probes_answer_plain_text(rest, path, text):
    r = rest("GET", path)
    assert (r.status, r.body.decode().strip()) == (200, text)
    assert r.headers["content-type"].startswith("text/plain")


def test_success_envelope(rest):
    r = rest("GET", "/collections")
    assert r.status == 200 and r.headers["content-type"].startswith("application/json")
    assert set(r.json) == {"result", "status", "time"}
    assert r.json["status"] == "ok" and isinstance(r.json["time"], float)
    assert isinstance(r.json["result"]["collections"], list)


def test_trailing_slashes_are_trimmed(rest):
    assert rest("GET", "/collections/").status == 200
    assert rest("GET", "/healthz/").status == 200


def test_unknown_path_is_404(rest):
    assert rest("GET", "/no/such/path").status == 404


def test_cors_without_a_key_is_for_pages_of_this_machine(rest):
    own, foreign = {"Origin": "http://localhost:3000"}, {"Origin": "http://example.com"}
    assert rest("GET", "/collections", headers=own).headers.get("access-control-allow-origin") in ("*", own["Origin"])
    preflight = {"Access-Control-Request-Method": "PUT", "Access-Control-Request-Headers": "content-type"}
    r = rest("OPTIONS", "/collections", headers={**own, **preflight})
    assert r.status in (200, 204)
    assert "PUT" in r.headers.get("access-control-allow-methods", "").upper()
    assert "access-control-allow-origin" not in rest("GET", "/collections", headers=foreign).headers


def test_gzip_when_the_client_accepts_it(rest, client, name):
    from qdrant_client import models
    client.create_collection(name, vectors_config=models.VectorParams(size=64, distance="Dot"))
    client.upsert(name, [models.PointStruct(id=i, vector=[0.5] * 64, payload={"text": "same words " * 10}) for i in range(50)])
    path, body = f"/collections/{name}/points/scroll", {"limit": 50, "with_vector": True}
    plain = rest("POST", path, body)
    packed = rest("POST", path, body, {"Accept-Encoding": "gzip"})
    assert "content-encoding" not in plain.headers
    assert packed.headers.get("content-encoding") == "gzip" and len(packed.body) < len(plain.body)
    assert json.loads(gzip.decompress(packed.body))["result"] == plain.result


def test_the_official_client_finds_the_version_compatible(client):
    from qdrant_client.common.version_check import is_compatible
    info = client.info()
    assert info.title == "qdrant - vector search engine"
    assert is_compatible(importlib.metadata.version("qdrant-client"), info.version)
    assert client.get_collections() is not None
