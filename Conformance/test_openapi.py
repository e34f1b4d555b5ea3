"""The server's own OpenAPI document: it is the committed one, and the server does what it says.

OCTANT_UPDATE_OPENAPI=1 writes the committed one anew.
"""
import json
import os
import re

import pytest
from jsonschema import Draft202012Validator
from octant_server import ROOT, Server
from rest import Rest
from snapshots import FORM, HEAD, OPEN, TAIL

COMMITTED = os.path.join(ROOT, "docs", "openapi.json")


@pytest.fixture(scope="module")
def document(rest):
    r = rest("GET", "/openapi.json")
    assert r.status == 200
    return r.json


def test_the_committed_document_is_the_one_that_is_served(document):
    if os.environ.get("OCTANT_UPDATE_OPENAPI") == "1":
        with open(COMMITTED, "w") as f:
            json.dump(document, f, indent=1, ensure_ascii=False)
            f.write("\n")
    with open(COMMITTED) as f:
        assert json.load(f) == document, "run this test with OCTANT_UPDATE_OPENAPI=1"


def operations(document):
    for path, members in document["paths"].items():
        for verb, operation in members.items():
            yield verb.upper(), path, operation


def schema_of(document, schema):
    return Draft202012Validator({**schema, "components": document["components"]})


def test_schemas_are_schemas(document):
    for name, schema in document["components"]["schemas"].items():
        assert isinstance(schema, dict), name
        Draft202012Validator.check_schema(schema)
    text = json.dumps(document)
    for name in set(re.findall(r'#/components/schemas/(\w+)"', text)):
        assert name in document["components"]["schemas"], name
    used = [o["operationId"] for _, _, o in operations(document)]
    assert len(used) == len(set(used))


def test_examples_fit_their_schemas(document):
    for verb, path, operation in operations(document):
        for content in operation.get("requestBody", {}).get("content", {}).values():
            if "example" in content:
                errors = list(schema_of(document, content["schema"]).iter_errors(content["example"]))
                assert not errors, (verb, path, errors)


def answer_fits(document, operation, reply, what):
    responses = operation["responses"]
    declared = responses.get(str(reply.status)) or responses.get(f"{reply.status // 100}XX")
    assert declared, f"{what}: {reply.status} is not in the document: {reply.body[:300]!r}"
    (kind, content), = declared["content"].items()
    assert reply.headers["content-type"].startswith(kind), what
    if kind == "application/json":
        errors = [e.message for e in schema_of(document, content["schema"]).iter_errors(reply.json)]
        assert not errors, (what, errors[:3], reply.body[:500])


# What has to be there before something else can be asked for comes first, what takes it away last.
FIRST = [("PUT", "/collections/{collection_name}"), ("PUT", "/collections/{collection_name}/points"),
         ("PUT", "/collections/{collection_name}/index"), ("POST", "/collections/{collection_name}/points/payload")]
LAST = [("POST", "/collections/{collection_name}/points/delete"), ("DELETE", "/collections/{collection_name}/index/{field_name}"),
        ("DELETE", "/collections/{collection_name}")]


def about_a_snapshot(server, rest, url, body):
    """A request about a snapshot that is there: it is made first, and sent along with uploads."""
    place = url.partition("/snapshots/")[0]
    made = rest("POST", f"{place}/snapshots").result["name"]
    url = url.replace("example.snapshot", made)
    if "/upload" in url:
        return url, HEAD + rest("GET", f"{place}/snapshots/{made}").body + TAIL, FORM
    folder = place.removeprefix("/collections")
    return url, body and {**body, "location": f"file://{server.snapshots}{folder}/{made}"}, None


def test_every_operation_answers_as_declared(document):
    table = {(verb, path): operation for verb, path, operation in operations(document)}
    order = FIRST + [key for key in table if key not in FIRST + LAST] + LAST
    with Server(env=OPEN) as server:
        rest = Rest(server.url)
        for verb, path in order:
            operation = table[verb, path]
            values = {p["name"]: str(p["example"]) for p in operation.get("parameters", []) if p["in"] == "path"}
            url = re.sub(r"\{(\w+)\}", lambda m: values[m.group(1)], path)
            if any(p["name"] == "wait" for p in operation.get("parameters", [])):
                url += "?wait=true"
            body = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("example")
            headers = None
            if path.endswith("/partial/recover"):
                body, headers = HEAD + rest("POST", url.partition("/recover")[0] + "/create", {}).body + TAIL, FORM
            elif "peer_url" in (body or {}):
                body = {"peer_url": server.url}
            if "snapshots/" in path:
                url, body, headers = about_a_snapshot(server, rest, url, body)
            reply = rest(verb, url, body, headers)
            what = f"{verb} {url}"
            answer_fits(document, operation, reply, what)
            expected = next(iter(operation["responses"]))
            assert str(reply.status) == expected, f"{what}: {reply.status} instead of {expected}: {reply.body[:300]!r}"
            assert reply.status != 404, what


def test_answers_with_all_their_parts_fit(document, client, rest, name):
    """Reports with every optional part, of a collection that has everything."""
    from qdrant_client import models
    from conftest import wait_green
    client.create_collection(name, vectors_config={"a": models.VectorParams(size=4, distance="Cosine"), "b": models.VectorParams(size=2, distance="Dot")},
                             optimizers_config=models.OptimizersConfigDiff(indexing_threshold=1), metadata={"k": [1]}, shard_number=2,
                             strict_mode_config=models.StrictModeConfig(enabled=False),
                             quantization_config=models.ScalarQuantization(scalar=models.ScalarQuantizationConfig(type="int8")))
    client.create_payload_index(name, "n", models.IntegerIndexParams(type="integer", lookup=True, range=True))
    client.upload_points(name, [models.PointStruct(id=i, vector={"a": [1.0, 2, 3, i]}, payload={"n": i}) for i in range(2000)], wait=True)
    wait_green(client, name)
    for path, url in (("/collections/{collection_name}", f"/collections/{name}"),
                      ("/collections/{collection_name}/optimizations", f"/collections/{name}/optimizations?with=queued,completed,idle_segments"),
                      ("/collections/{collection_name}/cluster", f"/collections/{name}/cluster"),
                      ("/collections/{collection_name}/points/{id}", f"/collections/{name}/points/7"),
                      ("/telemetry", "/telemetry?details_level=10&per_collection=true"), ("/metrics", "/metrics?per_collection=true"),
                      ("/collections/{collection_name}", "/collections/nothing"), ("/collections/{collection_name}/points/{id}", f"/collections/{name}/points/x")):
        answer_fits(document, document["paths"][path]["get"], rest("GET", url), url)
    explained = f"/collections/{name}/points/query?explain=true"
    for body in ({"query": [1.0, 2, 3, 4], "using": "a"}, {"query": [1.0, 2, 3, 4], "using": "a", "filter": {"must": [{"key": "n", "match": {"value": 3}}]}}, {}):
        reply = rest("POST", explained, body)
        assert "explain" in reply.json
        answer_fits(document, document["paths"]["/collections/{collection_name}/points/query"]["post"], reply, explained)
    assert "explain" in [p["name"] for p in document["paths"]["/collections/{collection_name}/points/search"]["post"]["parameters"]]
